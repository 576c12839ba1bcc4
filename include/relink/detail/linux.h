/* SPDX-License-Identifier: MIT */
/* linux.h - how the kernel's macros expand; read <relink/linux.h> first. */
#ifndef RELINK_DETAIL_LINUX_H
#define RELINK_DETAIL_LINUX_H

#pragma GCC system_header

#include <relink/status.h>

/* ---- keys: the variable comes first, since `static` may stand in front ---- */

#define RELINK_LINUX_KEY_(name, type, init, flags) \
	struct type name RELINK_IN_FILE_ = init; \
	RELINK_KEY_RECORD_(RELINK_CAT_(key_, name), &name.key, RELINK_STR_(name), "static key", flags, 0)
#define RELINK_LINUX_KEYS_(name, n, type, flags) \
	RELINK_LINUX_RANGE_ struct type name[n] RELINK_IN_FILE_ = RELINK_INIT_ALL_(n, (flags) != 0); \
	RELINK_LINUX_RANGE_END_ \
	RELINK_KEY_RECORD_(RELINK_CAT_(key_, name), &name[0].key, RELINK_STR_(name), "static keys", flags, n)
/* __extension__ can't stand behind `static`; clang takes the range for the user's own. */
#ifdef __clang__
#define RELINK_LINUX_RANGE_ _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wgnu-designator\"")
#define RELINK_LINUX_RANGE_END_ _Pragma("clang diagnostic pop")
#else
#define RELINK_LINUX_RANGE_
#define RELINK_LINUX_RANGE_END_
#endif
#define RELINK_LINUX_KEY_DEFERRED_(name, type, init, flags, rl) \
	struct type name RELINK_IN_FILE_ = { init, { (rl), 0 } }; \
	RELINK_KEY_RECORD_(RELINK_CAT_(key_, name), &name.key.key, RELINK_STR_(name), "static key, deferred", flags, 0)

/* 1 if `config` is a macro with the value 1, else 0: only then the pasted word is two arguments, of which the second is 1. */
#define RELINK_LINUX_IS_1_(config) RELINK_LINUX_IS_1_PASTED_(config)
#define RELINK_LINUX_IS_1_PASTED_(value) RELINK_LINUX_SECOND_OF_(RELINK_LINUX_WORD_##value, 0, ~)
#define RELINK_LINUX_WORD_1 ~, 1
#define RELINK_LINUX_SECOND_OF_(...) RELINK_LINUX_SECOND_(__VA_ARGS__)
#define RELINK_LINUX_SECOND_(a, b, ...) b
#define RELINK_LINUX_MAYBE_1(name) DEFINE_STATIC_KEY_TRUE(name)
#define RELINK_LINUX_MAYBE_0(name) DEFINE_STATIC_KEY_FALSE(name)
#define RELINK_LINUX_MAYBE_DECLARE_1(name) DECLARE_STATIC_KEY_TRUE(name)
#define RELINK_LINUX_MAYBE_DECLARE_0(name) DECLARE_STATIC_KEY_FALSE(name)

/* The key is the first member of its type. */
#define RELINK_LINUX_ANY_KEY_(x) \
	(RELINK_CHECK_(RELINK_IS_KEY_(*(x)) || __builtin_types_compatible_p(__typeof__(*(x)), struct relink_key), \
		       "relink: this is not a static key"), \
	 (struct relink_key *)(void *)(x))

/* ---- calls ---- */

#define RELINK_LINUX_SYMBOL_(name) relink_static_##name
#define RELINK_LINUX_OBJECT_(name) relink_call_relink_static_##name
#define RELINK_LINUX_VOID_(name) (sizeof(relink_void_relink_static_##name) - 1)

/* The function's type: `func` is a function, a pointer, or the name of a type of either. */
#define RELINK_LINUX_FN_(func) __typeof__(**(__typeof__(func) *)0)
/* Does it return void? Asked with a function type that says nothing of its parameters. An int, a long ..? */
#define RELINK_LINUX_RETURNS_(type, fn) __builtin_types_compatible_p(fn, type())
#define RELINK_LINUX_RETURNS_NUMBER_(fn) \
	(RELINK_LINUX_RETURNS_(int, fn) || RELINK_LINUX_RETURNS_(unsigned, fn) || RELINK_LINUX_RETURNS_(_Bool, fn) || \
	 RELINK_LINUX_RETURNS_(long, fn) || RELINK_LINUX_RETURNS_(unsigned long, fn) || RELINK_LINUX_RETURNS_(void *, fn))

#if RELINK_PATCHES_
#define RELINK_LINUX_PROTOTYPE_(fn, symbol) extern fn symbol;
#else
#define RELINK_LINUX_PROTOTYPE_(fn, symbol) extern fn *symbol;
#endif

/* sparse takes no typedef of one typeof twice. */
#ifdef __CHECKER__
#define RELINK_LINUX_TYPE_(name) __typeof__(*relink_static_##name)
#define RELINK_LINUX_TYPEDEF_(name, func) RELINK_LINUX_PROTOTYPE_(RELINK_LINUX_FN_(func), RELINK_LINUX_SYMBOL_(name))
#else
#define RELINK_LINUX_TYPE_(name) relink_fn_relink_static_##name
#define RELINK_LINUX_TYPEDEF_(name, func) \
	typedef RELINK_LINUX_FN_(func) RELINK_LINUX_TYPE_(name); \
	RELINK_LINUX_PROTOTYPE_(RELINK_LINUX_TYPE_(name), RELINK_LINUX_SYMBOL_(name))
#endif
#define RELINK_LINUX_CALL_DECL_(name, func) \
	RELINK_LINUX_TYPEDEF_(name, func) \
	extern char relink_void_relink_static_##name[1 + RELINK_LINUX_RETURNS_(void, RELINK_LINUX_TYPE_(name))]; \
	extern struct relink_call RELINK_LINUX_OBJECT_(name)
#define RELINK_LINUX_EXPORT_(name) extern struct relink_call RELINK_LINUX_OBJECT_(name)

#define RELINK_LINUX_CALL_BODY_(name, target, flags) \
	RELINK_CALL_STORAGE_(relink_static_##name, target) \
	RELINK_TRAMPOLINE_(relink_static_##name) \
	static struct relink_choice_record relink_record_call_relink_static_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_CALL, \
		  (flags) | (RELINK_LINUX_VOID_(name) ? RELINK_NULLABLE : 0u) }, \
		#name, "static call", &RELINK_LINUX_OBJECT_(name), RELINK_NULL_, 0 }
/* A record of no kind is skipped. */
#define RELINK_LINUX_VARIANT_(name_, id, state, exists, flags_, fn_) \
	static struct relink_variant_record relink_variant_##id##_relink_static_##name_ RELINK_RECORD_ = { \
		.head = { (uint16_t)sizeof(struct relink_variant_record), (exists) ? RELINK_RECORD_VARIANT : 0, (flags_) }, \
		.call = &RELINK_LINUX_OBJECT_(name_), .name = (state), .fn = (void (*)(void))(fn_) }
#define RELINK_LINUX_RETURN0_(name, exists) \
	RELINK_LINUX_VARIANT_(name, return0, "return0", exists, RELINK_VARIANT_IS_CONST, relink_linux_return0)

/* Some results that are numbers or pointers are not known to be; then a call of the function is what is bound. */
#define RELINK_LINUX_CALL_DEF_(name, func) \
	RELINK_LINUX_CALL_DECL_(name, func); \
	RELINK_LINUX_CALL_BODY_(name, func, 0u); \
	RELINK_LINUX_VARIANT_(name, default, #func, 1, 0u, func); \
	RELINK_LINUX_RETURN0_(name, RELINK_LINUX_RETURNS_NUMBER_(RELINK_LINUX_TYPE_(name)))
#define RELINK_LINUX_CALL_NULL_(name, func) \
	RELINK_LINUX_CALL_DECL_(name, func); \
	RELINK_LINUX_CALL_BODY_(name, RELINK_LINUX_VOID_(name) ? relink_do_nothing : (void (*)(void))relink_linux_return0, \
				RELINK_LINUX_VOID_(name) ? RELINK_DEFAULT_NULL : 0u); \
	RELINK_LINUX_RETURN0_(name, !RELINK_LINUX_VOID_(name))
#define RELINK_LINUX_CALL_RET0_(name, func) \
	RELINK_LINUX_CALL_DECL_(name, func); \
	RELINK_LINUX_CALL_BODY_(name, relink_linux_return0, 0u); \
	RELINK_LINUX_RETURN0_(name, 1)

/* A function of the type, or what the kernel's examples cast to void *. */
#define RELINK_LINUX_ACCEPTS_(name, func) \
	__builtin_types_compatible_p(__typeof__(*_Generic((func), void *: (RELINK_LINUX_TYPE_(name) *)0, default: (func))), \
				     RELINK_LINUX_TYPE_(name))
#define RELINK_LINUX_CALL_UPDATE_(name, func) \
	__extension__({ \
		RELINK_CHECK_(RELINK_LINUX_ACCEPTS_(name, func), "relink: this function does not have the prototype of the static call"); \
		relink_linux_update_(&RELINK_LINUX_OBJECT_(name), (void (*)(void))(func), RELINK_LINUX_VOID_(name)); \
	})
#define RELINK_LINUX_CALL_QUERY_(name) ((RELINK_LINUX_TYPE_(name) *)relink_linux_query_(&RELINK_LINUX_OBJECT_(name)))

/* ---- features: a bit of cpu.h, and 0x100 for its absence ---- */

#define RELINK_LINUX_FEATURE_(name, bit) \
	_Static_assert((int)X86_FEATURE_##name == (int)RELINK_CPU_BIT_##bit, "relink: features of " #name);
RELINK_LINUX_FEATURE_(XMM3, sse3)
RELINK_LINUX_FEATURE_(SSSE3, ssse3)
RELINK_LINUX_FEATURE_(XMM4_1, sse4_1)
RELINK_LINUX_FEATURE_(XMM4_2, sse4_2)
RELINK_LINUX_FEATURE_(POPCNT, popcnt)
RELINK_LINUX_FEATURE_(PCLMULQDQ, pclmulqdq)
RELINK_LINUX_FEATURE_(AES, aes)
RELINK_LINUX_FEATURE_(AVX, avx)
RELINK_LINUX_FEATURE_(F16C, f16c)
RELINK_LINUX_FEATURE_(FMA, fma)
RELINK_LINUX_FEATURE_(AVX2, avx2)
RELINK_LINUX_FEATURE_(BMI1, bmi1)
RELINK_LINUX_FEATURE_(BMI2, bmi2)
RELINK_LINUX_FEATURE_(ABM, lzcnt)
RELINK_LINUX_FEATURE_(MOVBE, movbe)
RELINK_LINUX_FEATURE_(SHA_NI, sha)
RELINK_LINUX_FEATURE_(ADX, adx)
RELINK_LINUX_FEATURE_(RDRAND, rdrand)
RELINK_LINUX_FEATURE_(RDSEED, rdseed)
RELINK_LINUX_FEATURE_(ERMS, erms)
RELINK_LINUX_FEATURE_(FSRM, fsrm)
RELINK_LINUX_FEATURE_(AVX512F, avx512f)
RELINK_LINUX_FEATURE_(AVX512DQ, avx512dq)
RELINK_LINUX_FEATURE_(AVX512BW, avx512bw)
RELINK_LINUX_FEATURE_(AVX512VL, avx512vl)
RELINK_LINUX_FEATURE_(AVX512CD, avx512cd)
RELINK_LINUX_FEATURE_(AVX512IFMA, avx512ifma)
RELINK_LINUX_FEATURE_(AVX512VBMI, avx512vbmi)
RELINK_LINUX_FEATURE_(AVX512_VBMI2, avx512vbmi2)
RELINK_LINUX_FEATURE_(AVX512_VNNI, avx512vnni)
RELINK_LINUX_FEATURE_(AVX512_BITALG, avx512bitalg)
RELINK_LINUX_FEATURE_(AVX512_VPOPCNTDQ, avx512vpopcntdq)
RELINK_LINUX_FEATURE_(VAES, vaes)
RELINK_LINUX_FEATURE_(VPCLMULQDQ, vpclmulqdq)
RELINK_LINUX_FEATURE_(GFNI, gfni)

/* Features as in struct relink_facts, and bit 0, which is no feature, once they are known. */
static inline __attribute__((unused)) uint64_t relink_linux_cpu_(void)
{
	static uint64_t known;
	struct relink_facts facts = { .size = sizeof(facts) };
	uint64_t cpu = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (!cpu && !relink_get_facts(&facts)) {
		cpu = facts.cpu | 1;
		__atomic_store_n(&known, cpu, __ATOMIC_RELAXED);
	}
	return cpu & ~(uint64_t)1;
}

#define RELINK_LINUX_BIT_OF_(feature) ((feature) & 0xff)
#define RELINK_LINUX_IS_NOT_(feature) ((feature) >> 8 & 1)
#define RELINK_LINUX_CPU_HAS_(feature) \
	((relink_linux_cpu_() >> RELINK_LINUX_BIT_OF_(feature) & 1) != (uint64_t)RELINK_LINUX_IS_NOT_(feature))

#if !RELINK_PATCHES_
#define RELINK_LINUX_STATIC_CPU_HAS_(feature) RELINK_LINUX_CPU_HAS_(feature)
#elif !defined(__clang__)
#define RELINK_LINUX_STATIC_CPU_HAS_(feature) \
	__extension__({ \
		__label__ relink_ask_, relink_no_; \
		_Bool relink_r_ = 1; \
		RELINK_WORD_DEF_(1, 0) \
		RELINK_FEATURE_GOTO_(RELINK_WORD_OF_(1), RELINK_LINUX_BIT_OF_(feature), RELINK_LINUX_IS_NOT_(feature), relink_ask_, relink_no_); \
		if (0) { relink_ask_: relink_r_ = RELINK_LINUX_CPU_HAS_(feature); } \
		if (0) { relink_no_: relink_r_ = 0; } \
		relink_r_; \
	})
#elif defined(__OPTIMIZE__)
/* As for keys: clang takes the label in a function that is always inlined, if it optimises. */
static inline __attribute__((always_inline, unused)) _Bool relink_linux_static_cpu_has_(unsigned feature)
{
	RELINK_WORD_DEF_(1, 0)
	RELINK_FEATURE_GOTO_(RELINK_WORD_OF_(1), RELINK_LINUX_BIT_OF_(feature), RELINK_LINUX_IS_NOT_(feature), ask, no);
	return 1;
ask:
	return RELINK_LINUX_CPU_HAS_(feature);
no:
	return 0;
}
#define RELINK_LINUX_STATIC_CPU_HAS_(feature) relink_linux_static_cpu_has_(feature)
#else
#define RELINK_LINUX_STATIC_CPU_HAS_(feature) \
	__extension__({ \
		int relink_r_; \
		RELINK_WORD_DEF_(1, 0) \
		RELINK_FEATURE_OUT_(RELINK_WORD_OF_(1), RELINK_LINUX_BIT_OF_(feature), RELINK_LINUX_IS_NOT_(feature), relink_r_); \
		relink_r_ == 2 ? RELINK_LINUX_CPU_HAS_(feature) : relink_r_ != 0; \
	})
#endif

/* ---- alternatives ---- */

#if RELINK_PATCHES_
#define RELINK_LINUX_TEXT_1_(old, a, af) RELINK_FEATURE_TEXT_1_(old, a, RELINK_STR_(af))
#define RELINK_LINUX_TEXT_2_(old, a, af, b, bf) RELINK_FEATURE_TEXT_2_(old, a, RELINK_STR_(af), b, RELINK_STR_(bf))
#define RELINK_LINUX_TEXT_3_(old, a, af, b, bf, c, cf) \
	RELINK_FEATURE_TEXT_3_(old, a, RELINK_STR_(af), b, RELINK_STR_(bf), c, RELINK_STR_(cf))
#define RELINK_LINUX_LOCK_ RELINK_LOCK_
#else
#define RELINK_LINUX_TEXT_1_(old, a, af) old
#define RELINK_LINUX_TEXT_2_(old, a, af, b, bf) old
#define RELINK_LINUX_TEXT_3_(old, a, af, b, bf, c, cf) old
#if defined(__x86_64__) || defined(__i386__)
#define RELINK_LINUX_LOCK_ "lock "
#else
#define RELINK_LINUX_LOCK_ ""
#endif
#endif

#define RELINK_LINUX_ALTERNATIVE_(text) __asm__ volatile(text : : : "memory")
/* Operand 0 is unused, for the sake of code that counts from 1. */
#define alternative_input(old, new, feature, ...) \
	__asm__ volatile(ALTERNATIVE(old, new, feature) : : "i"(0), ##__VA_ARGS__)
#define alternative_io(old, new, feature, output, ...) \
	__asm__ volatile(ALTERNATIVE(old, new, feature) : output : "i"(0), ##__VA_ARGS__)

/* Names in a text are nothing that a compiler sees. */
#define RELINK_LINUX_USES_(...) \
	static void (*const relink_used_[])(void) __attribute__((used)) = { __VA_ARGS__ }
#define RELINK_LINUX_PLAIN_(f) (void (*)(void))(f)
#define alternative_call(old, new, feature, output, ...) \
	do { \
		RELINK_LINUX_USES_(RELINK_LINUX_PLAIN_(old), RELINK_LINUX_PLAIN_(new)); \
		__asm__ volatile(ALTERNATIVE("call " #old, "call " #new, feature) : output : "i"(0), ##__VA_ARGS__); \
	} while (0)
#define alternative_call_2(old, a, af, b, bf, output, ...) \
	do { \
		RELINK_LINUX_USES_(RELINK_LINUX_PLAIN_(old), RELINK_LINUX_PLAIN_(a), RELINK_LINUX_PLAIN_(b)); \
		__asm__ volatile(ALTERNATIVE_2("call " #old, "call " #a, af, "call " #b, bf) : output : "i"(0), ##__VA_ARGS__); \
	} while (0)

#endif
