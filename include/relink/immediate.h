/* SPDX-License-Identifier: MIT */
/*
 * immediate.h - numbers in the instruction stream: read at the price of a constant, changed by commit.
 *
 *	RELINK_IMMEDIATE(uint32_t, batch, 64, "packets that are taken at once");   // one source file
 *	RELINK_DECLARE_IMMEDIATE(uint32_t, batch, 64);                             // a header, for the other files
 *
 *	for (i = 0; i < relink_immediate(batch); i++) ...                          // mov $64, %eax
 *
 *	relink_immediate_set(batch, 128, &err);            // rewrites every such place, with threads running
 *	relink_set(&c, "batch", "0x100");                  // in a transaction; by name on the command line and in files: batch=256
 *
 * Types are integers of 1 to 8 bytes. Up to 4 bytes an instruction `mov $imm32` is emitted, beyond that `mov $imm64`; each lies so
 * that one store changes it, which programs with threads have to allow: relink_declare(RELINK_WRITABLE_CODE, &err). Else
 * the change is RELINK_E_MODE with threads running, but in stop mode. A number has no list of states; every number that fits the
 * type may be asked for, in decimal or hexadecimal, with a sign if the type has one. Precedence is that of all choices.
 * Threads that read several places see each change at once, and all of them by the time the commit returns.
 */
#ifndef RELINK_IMMEDIATE_H
#define RELINK_IMMEDIATE_H

#include <relink/abi.h>
#include <relink/detail/base.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

/* The value is always what the sites express, or will once the running commit ends. Only the runtime writes it. */
struct relink_immediate {
	uint64_t RELINK_PRIVATE_ value;
	void *RELINK_PRIVATE_ choice;
};

/* The value is the one of the definition: the compiler has to emit what is right before anything has run. */
#define RELINK_DECLARE_IMMEDIATE(type, name, value) RELINK_IMMEDIATE_DECL_(type, name, value)
/* RELINK_IMMEDIATE(type, name, value, doc [, flags]); flags are RELINK_FINAL and RELINK_NONFORCIBLE. */
#define RELINK_IMMEDIATE(type, name, ...) RELINK_IMMEDIATE_DEF_(type, name, __VA_ARGS__, 0u, 0u)

/* The number, as an expression of its type. */
#define relink_immediate(name) RELINK_IMMEDIATE_USE_(name)
/* The number, as an ordinary load: right everywhere. Any thread, any context. */
#define relink_immediate_value(name) ((relink_type_##name)__atomic_load_n(RELINK_FORCED_(const uint64_t, &(name).value), __ATOMIC_RELAXED))

/* Commit of one number, live; from any thread, and not from a signal handler. */
#define relink_immediate_set(name, v, err) relink_immediate_set_(&(name), RELINK_IMMEDIATE_VALUE_(name, v), (err))
/* The program has no opinion any more: lower levels decide. */
#define relink_immediate_clear(name, err) relink_immediate_clear_(&(name), (err))

RELINK_API int relink_immediate_set_(struct relink_immediate *immediate, uint64_t value, struct relink_error *err);
RELINK_API int relink_immediate_clear_(struct relink_immediate *immediate, struct relink_error *err);

RELINK_END_DECLS

#include <relink/detail/immediate.h>

#endif
