/* SPDX-License-Identifier: MIT */
/*
 * pointer.h - accelerated pointers: an ordinary C function pointer, or a table of them, whose calls become direct calls.
 *
 *	// handler.c; the mark comes first, in front of `static`
 *	RELINK_POINTER int (*handler)(int) = handle_all;
 *	RELINK_POINTER static void (*on_signal[32])(int);
 *	RELINK_POINTER struct codec_ops codec = { .decode = decode_any, .encode = encode_any };
 *
 *	// anywhere: ordinary C; headers need no mark, but see "Checking"
 *	extern int (*handler)(int);
 *	n = handler(3) + codec.decode(p);
 *
 *	// start-up code, before the first commit: ordinary assignment
 *	codec.decode = decode_fast;
 *	relink_pointers_commit(&err);
 *
 *	// later
 *	relink_pointer_set(codec.decode, decode_safe, &err);
 *
 * The mark puts the variable on pages of its own. Until the program's first commit (any of relink_commit, relink_..._set,
 * relink_key_inc and relink_pointers_commit; not relink_init, nor what constructors do) it is a variable like any other. That
 * commit reads it, makes the pages read-only, and binds what code calls through it: `call *handler(%rip)` becomes a direct call
 * of the same length. From then on it is changed by relink_pointer_set and commits alone; an assignment faults where it stands.
 * Variables of a module that is loaded later are of that kind until the next commit.
 *
 * The variable always holds the truth. Code that gets at it in another way, or that can't be rewritten, calls through it as
 * it was compiled, and is counted with its reason (relink_get_status, relink_each_site): loaded into a register first, found
 * through the GOT (a shared object's variable without hidden visibility), or with an index.
 *
 * RELINK_POINTER_INFO(variable, doc [, flags]) at file scope, in the file that defines it, gives it a name in listings even where
 * the file is stripped, a documentation string, and flags:
 *
 *   RELINK_FINAL   decided by the first commit: its calls are bound wherever they lie, if that is made while the process has one
 *                  thread, or with RELINK_STOP. Later changes are refused but with RELINK_STOP.
 *   without        calls are bound where they can be changed with threads running: RELINK_WRITABLE_CODE or RELINK_TRAPS, as for
 *                  static calls (status.h). Without either, they stay as they were compiled.
 *
 * Each word of the variable is a choice of its own, named handler, on_signal[3], codec+8. NULL is allowed: calls then go
 * through the variable again, and what the program does about NULL is its own business.
 *
 * Checking. Assignments that come too late are found in three ways: they fault, with the address and the function in the report
 * of the signal; `relink check` finds them in objects and programs (relink-check(7)); and sparse finds them in source. sparse needs
 * to see the mark in the type, where C has qualifiers, in the definition and in every declaration:
 *
 *	extern int (*RELINK_SEALED handler)(int);
 *	extern void (*RELINK_SEALED on_signal[32])(int);
 *	extern struct codec_ops RELINK_SEALED codec;
 *
 * It is nothing to compilers. sparse then reports assignments, and addresses that lose the mark; reading the variable and calling
 * through it is right and is not reported. What start-up code does on purpose is told to all checkers:
 *
 *	RELINK_INIT_CODE static void choose_codec(void)       // to `relink check`, by the function's section; or see its --init-function
 *	{
 *		relink_pointer_init(codec.decode, decode_fast);   // to sparse; an assignment
 *	}
 *
 * What is marked is a whole variable. In a struct of which only some members are pointers to functions, the others are read as
 * before, and become read-only with them. One member alone can't be marked: the processor protects pages, and a member can't be on
 * other pages than its neighbours. Members that change go into a struct of their own, or the pointer does.
 *
 * A variable can be marked if it has no const and is not thread-local. What an executable copies out of a shared object
 * (R_X86_64_COPY) is no longer in the object's section: relink_pointer_set refuses it. Compile the executable with -fPIC; gcc's
 * -fPIE makes such copies, too. `relink check app libfoo.so` reports them.
 */
#ifndef RELINK_POINTER_H
#define RELINK_POINTER_H

#include <relink/commit.h>

RELINK_BEGIN_DECLS

/* In front of a definition at file scope, or of a static one in a function. */
#define RELINK_POINTER RELINK_PTR_PAGES_ RELINK_PTR_SECTION_

/* In front of a function that runs before the program's first commit, and assigns. */
#define RELINK_INIT_CODE RELINK_PTR_INIT_CODE_
/* An ordinary assignment, before the first commit: of a pointer, an element, a member, or a whole table. */
#define relink_pointer_init(pointer, value) RELINK_PTR_INIT_(pointer, value)

#define RELINK_POINTER_INFO(...) RELINK_PTR_INFO_(__VA_ARGS__, 0u, 0u)

/* Commit of one pointer, live: `pointer` is the variable, an element or a member; `fn` a function of its type, or NULL. It must
 * stay mapped while it is bound. */
#define relink_pointer_set(pointer, fn, err) relink_pointer_set_(RELINK_PTR_SLOT_(pointer), RELINK_PTR_FN_(pointer, fn), (err))
/* Back to what it held at the program's first commit. */
#define relink_pointer_clear(pointer, err) relink_pointer_clear_(RELINK_PTR_SLOT_(pointer), (err))
/* In a transaction. */
#define relink_set_pointer(c, pointer, fn) relink_wish_pointer((c), RELINK_PTR_SLOT_(pointer), RELINK_PTR_FN_(pointer, fn))

/* A commit that changes nothing: what start-up code has assigned is taken over, protected and bound. Errors are those of protecting
 * and binding; pointers are right without. Any thread; not from a signal handler. */
RELINK_API int relink_pointers_commit(struct relink_error *err);

RELINK_API int relink_pointer_set_(void *slot, void (*fn)(void), struct relink_error *err);
RELINK_API int relink_pointer_clear_(void *slot, struct relink_error *err);

RELINK_END_DECLS

#include <relink/detail/pointer.h>

#endif
