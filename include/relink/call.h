/* SPDX-License-Identifier: MIT */
/*
 * call.h - static calls: an ordinary C call whose target is decided at run time.
 *
 *	// checksum.h
 *	RELINK_DECLARE_CALL(uint32_t, crc32c, (const void *data, size_t size));
 *
 *	// checksum.c: the default target must always be valid
 *	RELINK_DEFINE_CALL(crc32c, crc32c_table, "CRC-32C of a buffer", RELINK_FINAL);
 *	RELINK_VARIANT(crc32c, crc32c_sse42, .needs = RELINK_CPU(sse4_2), .rank = 10);
 *
 *	// anywhere
 *	sum = crc32c(buf, n);
 *
 * The call is plain C: the compiler emits a direct call to the symbol `crc32c`, which is a trampoline that relink
 * owns, so every signature works. The trampoline jumps through a pointer, which is right from the first
 * instruction of the program on. Programs linked with --emit-relocs (relink_target() in CMake, `pkg-config --libs`)
 * get every call and tail call rewritten to go straight to the target.
 *
 * NULL is a target of calls that return nothing: the call becomes an instruction that does nothing (arguments are
 * still evaluated). For a call that returns a value, or never returns, NULL does not compile. Calls that never
 * return are declared with RELINK_DECLARE_CALL_NORETURN.
 *
 * Static calls have C linkage, also in C++; targets and variants may be any function, static ones included.
 */
#ifndef RELINK_CALL_H
#define RELINK_CALL_H

#include <relink/abi.h>
#include <relink/cpu.h>
#include <relink/detail/base.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

/* Describes one static call; relink_call_NAME. Read-only for programs. */
struct relink_call {
	void (**RELINK_PRIVATE_ slot)(void); /* the pointer that the trampoline jumps through */
	void (*RELINK_PRIVATE_ trampoline)(void); /* the function that callers see */
	void *RELINK_PRIVATE_ choice; /* owned by the runtime */
};

#define RELINK_DECLARE_CALL(ret, name, args) RELINK_CALL_DECL_(ret, name, args)
#define RELINK_DECLARE_CALL_NORETURN(name, args) RELINK_CALL_DECL_NORETURN_(name, args)

/* RELINK_DEFINE_CALL(name, default_function, doc [, flags]) in one source file. */
#define RELINK_DEFINE_CALL(...) RELINK_CALL_DEF_(__VA_ARGS__, 0u, 0u)
/* RELINK_DEFINE_CALL_NULL(name, doc [, flags]): does nothing until a target is set. */
#define RELINK_DEFINE_CALL_NULL(...) RELINK_CALL_DEF_NULL_(__VA_ARGS__, 0u, 0u)

/* RELINK_VARIANT(call, function [, .needs = RELINK_CPU(..)] [, .condition = f] [, .rank = n]); any source file, any
 * module, loaded before or after the one that defines the call. The best variant whose condition holds is bound at
 * start-up unless something of higher precedence speaks. */
#define RELINK_VARIANT(call, ...) RELINK_VARIANT_EXPAND_(call, RELINK_FIRST_(__VA_ARGS__, ~), __VA_ARGS__)
/* RELINK_VARIANT_CONST(call, name, value [, ...]): a variant that returns a constant; for integer and pointer results. Where
 * the value fits 32 bits unsigned, a call site becomes one `mov`. */
#define RELINK_VARIANT_CONST(call, name, ...) RELINK_VARIANT_CONST_(call, name, RELINK_FIRST_(__VA_ARGS__, ~), __VA_ARGS__)

/* The function that calls reach now. Any thread, any context. */
#define relink_call_target(name) ((relink_fn_##name *)__atomic_load_n(*RELINK_FORCED_(void (**)(void), &relink_call_##name.slot), __ATOMIC_ACQUIRE))

/* Commit of one call, live: `fn` is a function of the right prototype, or NULL where that is allowed. A function
 * that is not a registered variant is shown as custom:symbol; it must stay mapped while it is bound. */
#define relink_call_set(name, fn, err) relink_call_set_(&relink_call_##name, RELINK_FN_(name, fn), (err))
/* The program has no opinion any more: lower levels decide. */
#define relink_call_clear(name, err) relink_call_clear_(&relink_call_##name, (err))

RELINK_API int relink_call_set_(struct relink_call *call, void (*fn)(void), struct relink_error *err);
RELINK_API int relink_call_clear_(struct relink_call *call, struct relink_error *err);
/* What a NULL target is in the slot: a function that returns. */
RELINK_API void relink_do_nothing(void);

RELINK_END_DECLS

#include <relink/detail/call.h>

#endif
