/* SPDX-License-Identifier: MIT */
/*
 * linux.h - the Linux kernel's names, for code that is carried over from there. Not included by relink.h. C only; empty in C++.
 *
 *	DEFINE_STATIC_KEY_FALSE(key);                      // static_branch_unlikely(&key), static_branch_enable(&key)
 *	DEFINE_STATIC_CALL(name, func_a);                  // static_call(name)(x), static_call_update(name, func_b)
 *	alternative("mfence", "lfence", X86_FEATURE_XMM2); // static_cpu_has(X86_FEATURE_AVX2)
 *
 * They behave as the kernel's documentation says, except for what is said here and in docs/guide.md. Keys and calls are choices
 * like all others: listed, and set by name (`RELINK=key=on,name=func_b`) as long as the program has no opinion of its own.
 *
 * The kernel's functions return nothing, and warn. Here an error, and RELINK_OVERRIDDEN, goes to a function that a program may
 * set, and the latest can be asked for. After an error nothing has changed.
 */
#ifndef RELINK_LINUX_H
#define RELINK_LINUX_H

#ifndef __cplusplus

#include <relink/alternative.h>
#include <relink/call.h>
#include <relink/cpu.h>
#include <relink/error.h>
#include <relink/key.h>
#include <relink/option.h>

/* ---- errors ---- */

/* Called in the thread of the failing function, outside all locks; it may call relink. NULL: nobody. */
typedef void relink_linux_error_fn(const struct relink_error *err, void *ctx);
RELINK_API void relink_linux_on_error(relink_linux_error_fn *fn, void *ctx);
/* The latest error of any thread, once: its code, or 0; *err (NULL is allowed) is all of it. */
RELINK_API int relink_linux_last_error(struct relink_error *err);

/*
 * ---- static keys ----
 *
 * Of each pair of names with TRUE and FALSE the key is that at first. The count of a key that is born true is one, so that a dec
 * makes it false and an inc true again. inc and dec count, the key is true while the count is not 0; enable makes it 1 if it was
 * 0, disable 0 if it was 1 (an error where it is more). dec at 0 is an error. While the count is what it was at first and the key
 * has not been enabled or disabled, the program has no opinion: environment, file and choice functions speak.
 *
 * A definition may have `static` in front. The argument of the branches must be an address constant (`&key`, `&keys[3]`,
 * `&dev.key`), also in inline functions. _RO keys may be changed at any time; the _cpuslocked forms are the plain ones.
 */
#define static_key relink_key
#define static_key_true relink_key_true
#define static_key_false relink_key_false
#define STATIC_KEY_TRUE_INIT RELINK_KEY_INIT_TRUE
#define STATIC_KEY_FALSE_INIT RELINK_KEY_INIT_FALSE

#define DEFINE_STATIC_KEY_TRUE(name) RELINK_LINUX_KEY_(name, relink_key_true, RELINK_KEY_INIT_TRUE, RELINK_DEFAULT_TRUE)
#define DEFINE_STATIC_KEY_FALSE(name) RELINK_LINUX_KEY_(name, relink_key_false, RELINK_KEY_INIT_FALSE, 0u)
#define DEFINE_STATIC_KEY_TRUE_RO(name) DEFINE_STATIC_KEY_TRUE(name)
#define DEFINE_STATIC_KEY_FALSE_RO(name) DEFINE_STATIC_KEY_FALSE(name)
#define DECLARE_STATIC_KEY_TRUE(name) extern struct relink_key_true name
#define DECLARE_STATIC_KEY_FALSE(name) extern struct relink_key_false name
#define DEFINE_STATIC_KEY_ARRAY_TRUE(name, count) RELINK_LINUX_KEYS_(name, count, relink_key_true, RELINK_DEFAULT_TRUE)
#define DEFINE_STATIC_KEY_ARRAY_FALSE(name, count) RELINK_LINUX_KEYS_(name, count, relink_key_false, 0u)
/* True, or to be expected so, if CONFIG_x is defined as 1. */
#define DEFINE_STATIC_KEY_MAYBE(config, name) RELINK_CAT_(RELINK_LINUX_MAYBE_, RELINK_LINUX_IS_1_(config))(name)
#define DECLARE_STATIC_KEY_MAYBE(config, name) RELINK_CAT_(RELINK_LINUX_MAYBE_DECLARE_, RELINK_LINUX_IS_1_(config))(name)
#define static_branch_maybe(config, x) (RELINK_LINUX_IS_1_(config) ? static_branch_likely(x) : static_branch_unlikely(x))

#define static_branch_likely(x) relink_likely_at(x)
#define static_branch_unlikely(x) relink_unlikely_at(x)

#define static_branch_enable(x) ((void)relink_linux_key_(&(x)->key, RELINK_NULL_, RELINK_LINUX_ENABLE_))
#define static_branch_disable(x) ((void)relink_linux_key_(&(x)->key, RELINK_NULL_, RELINK_LINUX_DISABLE_))
#define static_branch_inc(x) ((void)relink_linux_key_(&(x)->key, RELINK_NULL_, RELINK_LINUX_INC_))
#define static_branch_dec(x) ((void)relink_linux_key_(&(x)->key, RELINK_NULL_, RELINK_LINUX_DEC_))
#define static_branch_enable_cpuslocked(x) static_branch_enable(x)
#define static_branch_disable_cpuslocked(x) static_branch_disable(x)
#define static_branch_inc_cpuslocked(x) static_branch_inc(x)
#define static_branch_dec_cpuslocked(x) static_branch_dec(x)

/* The same for `&key.key`, a struct static_key. */
#define static_key_enable(k) ((void)relink_linux_key_((k), RELINK_NULL_, RELINK_LINUX_ENABLE_))
#define static_key_disable(k) ((void)relink_linux_key_((k), RELINK_NULL_, RELINK_LINUX_DISABLE_))
#define static_key_slow_inc(k) ((void)relink_linux_key_((k), RELINK_NULL_, RELINK_LINUX_INC_))
#define static_key_slow_dec(k) ((void)relink_linux_key_((k), RELINK_NULL_, RELINK_LINUX_DEC_))
#define static_key_enable_cpuslocked(k) static_key_enable(k)
#define static_key_disable_cpuslocked(k) static_key_disable(k)

/* `x` points to a key of any of the three types. The state is an ordinary load; the count takes a lock. */
#define static_key_enabled(x) (__atomic_load_n(RELINK_FORCED_(const int, &RELINK_LINUX_ANY_KEY_(x)->state), __ATOMIC_RELAXED) != 0)
#define static_key_count(x) relink_linux_key_(RELINK_LINUX_ANY_KEY_(x), 0, RELINK_LINUX_COUNT_)

/*
 * Deferred keys: a dec that would make the key false is remembered, and done when `rl` has passed, so that a key that goes on
 * and off costs little. There is no helper thread here: what is due is done by the next deferred inc, dec or flush of that key,
 * and `rl` counts milliseconds (-DHZ=1000). An inc that finds a dec overdue rewrites nothing. The flush does what is pending at
 * once: before a module with the key is unloaded, and wherever it is to be certain that the key is false.
 */
struct relink_linux_deferred {
	unsigned long timeout; /* milliseconds */
	uint64_t due;          /* owned by the runtime */
};
struct static_key_true_deferred {
	struct relink_key_true key;
	struct relink_linux_deferred work;
};
struct static_key_false_deferred {
	struct relink_key_false key;
	struct relink_linux_deferred work;
};
#define DEFINE_STATIC_KEY_DEFERRED_TRUE(name, rl) \
	RELINK_LINUX_KEY_DEFERRED_(name, static_key_true_deferred, RELINK_KEY_INIT_TRUE, RELINK_DEFAULT_TRUE, rl)
#define DEFINE_STATIC_KEY_DEFERRED_FALSE(name, rl) \
	RELINK_LINUX_KEY_DEFERRED_(name, static_key_false_deferred, RELINK_KEY_INIT_FALSE, 0u, rl)
#define static_branch_deferred_inc(x) ((void)relink_linux_key_(&(x)->key.key, &(x)->work, RELINK_LINUX_DEFERRED_INC_))
#define static_branch_slow_dec_deferred(x) ((void)relink_linux_key_(&(x)->key.key, &(x)->work, RELINK_LINUX_DEFERRED_DEC_))
#define static_key_deferred_flush(x) ((void)relink_linux_key_(&(x)->key.key, &(x)->work, RELINK_LINUX_FLUSH_))
#define jump_label_rate_limit(x, rl) ((void)((x)->work.timeout = (rl)))

/*
 * ---- static calls ----
 *
 * `func` is a function, a pointer to one, or a type of either; `name` is in a namespace of its own. static_call(name) is relink's
 * trampoline, a function of that type. NULL and arguments: a call to NULL does nothing but evaluate its arguments, in the plain
 * form too. A call that returns something and is given NULL, which the kernel leaves undefined, returns 0 like RET0 (calls that
 * return void are told from others by their type; where a parameter is narrower than an int that is not possible, and they
 * count as others, with the same effect). static_call_cond is for void: its value can't be used.
 *
 * Returning 0 needs a result in an integer register: numbers and pointers. static_call_query returns the function (NULL where
 * the call does nothing, __static_call_return0 where it returns 0), with its type.
 */
#define DECLARE_STATIC_CALL(name, func) RELINK_LINUX_CALL_DECL_(name, func)
#define DEFINE_STATIC_CALL(name, func) RELINK_LINUX_CALL_DEF_(name, func)
#define DEFINE_STATIC_CALL_NULL(name, func) RELINK_LINUX_CALL_NULL_(name, func)
#define DEFINE_STATIC_CALL_RET0(name, func) RELINK_LINUX_CALL_RET0_(name, func)

#define static_call(name) RELINK_LINUX_SYMBOL_(name)
#define static_call_mod(name) RELINK_LINUX_SYMBOL_(name)
#define static_call_cond(name) (void)RELINK_LINUX_SYMBOL_(name)
#define static_call_update(name, func) RELINK_LINUX_CALL_UPDATE_(name, func)
#define static_call_query(name) RELINK_LINUX_CALL_QUERY_(name)
#define STATIC_CALL_TRAMP(name) RELINK_LINUX_SYMBOL_(name)
#define STATIC_CALL_TRAMP_STR(name) RELINK_STR_(RELINK_LINUX_SYMBOL_(name))

/* Symbols are seen by other modules as the linker is told; a module that can call can also update. */
#define EXPORT_STATIC_CALL(name) RELINK_LINUX_EXPORT_(name)
#define EXPORT_STATIC_CALL_GPL(name) RELINK_LINUX_EXPORT_(name)
#define EXPORT_STATIC_CALL_TRAMP(name) RELINK_LINUX_EXPORT_(name)
#define EXPORT_STATIC_CALL_TRAMP_GPL(name) RELINK_LINUX_EXPORT_(name)

#define __static_call_return0 relink_linux_return0
RELINK_API long relink_linux_return0(void);

/*
 * ---- processor features ----
 *
 * Of the kernel's names those exist that cpu.h knows, and those that every x86-64 processor has. ALT_NOT(f) is f's absence,
 * also as an argument of the tests. static_cpu_has is a place that falls through or jumps, decided when the module is loaded;
 * before that, and where code is not rewritten, it asks boot_cpu_has. First use not from a signal handler.
 */
#define ALT_NOT(feature) ((feature) ^ 0x100)
#define X86_FEATURE_ALWAYS 0x100
#define X86_FEATURE_XMM3 1
#define X86_FEATURE_SSSE3 2
#define X86_FEATURE_XMM4_1 3
#define X86_FEATURE_XMM4_2 4
#define X86_FEATURE_POPCNT 5
#define X86_FEATURE_PCLMULQDQ 6
#define X86_FEATURE_AES 7
#define X86_FEATURE_AVX 8
#define X86_FEATURE_F16C 9
#define X86_FEATURE_FMA 10
#define X86_FEATURE_AVX2 11
#define X86_FEATURE_BMI1 12
#define X86_FEATURE_BMI2 13
#define X86_FEATURE_ABM 14
#define X86_FEATURE_MOVBE 15
#define X86_FEATURE_SHA_NI 16
#define X86_FEATURE_ADX 17
#define X86_FEATURE_RDRAND 18
#define X86_FEATURE_RDSEED 19
#define X86_FEATURE_ERMS 20
#define X86_FEATURE_FSRM 21
#define X86_FEATURE_AVX512F 22
#define X86_FEATURE_AVX512DQ 23
#define X86_FEATURE_AVX512BW 24
#define X86_FEATURE_AVX512VL 25
#define X86_FEATURE_AVX512CD 26
#define X86_FEATURE_AVX512IFMA 27
#define X86_FEATURE_AVX512VBMI 28
#define X86_FEATURE_AVX512_VBMI2 29
#define X86_FEATURE_AVX512_VNNI 30
#define X86_FEATURE_AVX512_BITALG 31
#define X86_FEATURE_AVX512_VPOPCNTDQ 32
#define X86_FEATURE_VAES 33
#define X86_FEATURE_VPCLMULQDQ 34
#define X86_FEATURE_GFNI 35
#ifdef __x86_64__
#define RELINK_LINUX_X86_64_ X86_FEATURE_ALWAYS
#else
#define RELINK_LINUX_X86_64_ 0
#endif
#define X86_FEATURE_FPU RELINK_LINUX_X86_64_
#define X86_FEATURE_TSC RELINK_LINUX_X86_64_
#define X86_FEATURE_CX8 RELINK_LINUX_X86_64_
#define X86_FEATURE_CMOV RELINK_LINUX_X86_64_
#define X86_FEATURE_FXSR RELINK_LINUX_X86_64_
#define X86_FEATURE_MMX RELINK_LINUX_X86_64_
#define X86_FEATURE_XMM RELINK_LINUX_X86_64_
#define X86_FEATURE_XMM2 RELINK_LINUX_X86_64_
#define X86_FEATURE_LM RELINK_LINUX_X86_64_

#define boot_cpu_has(feature) RELINK_LINUX_CPU_HAS_(feature)
#define static_cpu_has(feature) RELINK_LINUX_STATIC_CPU_HAS_(feature)
#define cpu_feature_enabled(feature) static_cpu_has(feature)

/*
 * ---- alternatives ----
 *
 * The last of several whose feature is there takes the place of the old text; the place is as long as the longest. ALTERNATIVE
 * and its like are text of an asm statement that has operands (a colon at least), one per statement. The statements:
 *
 *	alternative(old, new, feature)                             clobbers memory
 *	alternative_2(old, new1, feature1, new2, feature2)         the same
 *	alternative_input(old, new, feature, inputs...)            inputs are numbered from 1, or named; no clobber
 *	alternative_io(old, new, feature, output, inputs...)       the output is 0, inputs are numbered from 2, or named
 *	alternative_call(old, new, feature, output, inputs...)     a call of one of two functions, given by their names
 *	alternative_call_2(old, new1, feature1, new2, feature2, output, inputs...)
 *
 * Inputs may be followed by `: clobbers`; ASM_OUTPUT2(a, b) is two outputs, ASM_NO_INPUT_CLOBBER(c) clobbers without an input.
 * Unlike the kernel's code that of programs has a red zone and keeps its stack aligned to 16: files with alternative_call are
 * compiled with -mno-red-zone, and the functions, which the statement does not tell the compiler to be calls, are to be written
 * for it, without need of an aligned stack.
 *
 * LOCK_PREFIX is the text in front of an atomic operation, once per statement: a lock prefix, which is left out while the key
 * `locks` is off.
 */
#define ALTERNATIVE(old, new, feature) RELINK_LINUX_TEXT_1_(old, new, feature)
#define ALTERNATIVE_2(old, new1, feature1, new2, feature2) RELINK_LINUX_TEXT_2_(old, new1, feature1, new2, feature2)
#define ALTERNATIVE_3(old, new1, feature1, new2, feature2, new3, feature3) \
	RELINK_LINUX_TEXT_3_(old, new1, feature1, new2, feature2, new3, feature3)
#define ALTERNATIVE_TERNARY(old, feature, yes, no) ALTERNATIVE_2(old, no, X86_FEATURE_ALWAYS, yes, feature)
#define LOCK_PREFIX RELINK_LINUX_LOCK_

#define alternative(old, new, feature) RELINK_LINUX_ALTERNATIVE_(ALTERNATIVE(old, new, feature))
#define alternative_2(old, new1, feature1, new2, feature2) \
	RELINK_LINUX_ALTERNATIVE_(ALTERNATIVE_2(old, new1, feature1, new2, feature2))
#define alternative_ternary(old, feature, yes, no) RELINK_LINUX_ALTERNATIVE_(ALTERNATIVE_TERNARY(old, feature, yes, no))
/* The other statements are in detail/linux.h: their operands may be lists, which no further macro may see. */
#define ASM_OUTPUT2(...) __VA_ARGS__
#define ASM_NO_INPUT_CLOBBER(...) "i"(0) : __VA_ARGS__

/* ---- what macros call ---- */

enum {
	RELINK_LINUX_INC_,
	RELINK_LINUX_DEC_,
	RELINK_LINUX_ENABLE_,
	RELINK_LINUX_DISABLE_,
	RELINK_LINUX_COUNT_,
	RELINK_LINUX_DEFERRED_INC_,
	RELINK_LINUX_DEFERRED_DEC_,
	RELINK_LINUX_FLUSH_,
};
RELINK_API int relink_linux_key_(struct relink_key *key, struct relink_linux_deferred *d, int what);
RELINK_API void relink_linux_update_(struct relink_call *call, void (*fn)(void), int is_void);
typedef void relink_linux_target(void);
RELINK_API relink_linux_target *relink_linux_query_(const struct relink_call *call);

#include <relink/detail/linux.h>

#endif

#endif
