/* SPDX-License-Identifier: MIT */
/*
 * sequence.h - instructions that stay inline, with operands in whatever registers the compiler likes, replaced as a whole.
 *
 *	RELINK_DECLARE_SEQUENCE(SetInterruptMask);                                       // a header
 *	RELINK_SEQUENCE(SetInterruptMask, "writes the interrupt flag");                 // one source file
 *
 *	static inline void local_irq_restore(unsigned long flags)
 *	{
 *		relink_wrap(SetInterruptMask, "push %[in1]; popf", RELINK_NO_OUTPUT, RELINK_IREG1(flags), RELINK_CLOBBERS("cc", "memory"));
 *	}
 *
 * The native text is emitted in place and is what runs until a commit says otherwise. Operands are 64-bit registers: an
 * output is named %[out], inputs %[in1] to %[in3]; what is in memory, and constants, the compiler loads into one. Each place records
 * the registers that the compiler chose, so that a backend may supply code for operands that it has never seen:
 *
 *	RELINK_TEMPLATE_1(SetInterruptMask, hypercall, in1, "mov %\\in1, %gs:8");      // assembled once per register
 *	RELINK_SEQUENCE_CALL(SetInterruptMask, emulated, emulate_popf, .rank = 0);      // void emulate_popf(uint64_t flags)
 *
 *	relink_sequence_set(SetInterruptMask, emulate_popf, &err);                      // any function, also unregistered
 *	relink_set(&c, "SetInterruptMask", "hypercall");                                // by name: native, or a template's, or a function's
 *
 * A template names its operands \\out, \\in1 .. with % in front, and \\outd, \\in1d .. for their 32-bit halves. It uses at most
 * two operands (the table has an entry for every choice of registers), must leave all other registers alone but those that the
 * place says it clobbers, and all of the stack. It is padded with nops; if it is longer than the native text it runs from a
 * copy beside the function, of at most 31 bytes. A function is called with the inputs as its arguments, and its result goes to
 * the output. It is an ordinary C function: the place keeps all registers that it does not clobber, the flags, the red zone
 * and the alignment of the stack.
 *
 * Text that pushes or calls, as the one above, writes below the stack pointer, which the compiler does not know: files with such
 * text, in whatever state, are compiled with -mno-red-zone, and what is called must not need an aligned stack.
 *
 * A sequence is a choice like all others: native, templates and functions are its states, with condition and rank. It is
 * several instructions, and changes at start-up or with all threads parked, RELINK_STOP (RELINK_E_MODE
 * otherwise). Where that has to be decided with threads running, relink_wrap_unless puts a static key in front.
 *
 * Machines whose code is not rewritten keep the native text.
 */
#ifndef RELINK_SEQUENCE_H
#define RELINK_SEQUENCE_H

#include <relink/call.h>
#include <relink/key.h>

RELINK_BEGIN_DECLS

struct relink_sequence {
	struct relink_call call; /* without a trampoline */
	void (*fn)(void);        /* what thunks call */
};

RELINK_END_DECLS

#define RELINK_DECLARE_SEQUENCE(name) RELINK_SEQUENCE_DECL_(name)
/* RELINK_SEQUENCE(name, doc [, flags]) */
#define RELINK_SEQUENCE(name, ...) RELINK_SEQUENCE_DEF_(name, __VA_ARGS__, 0u, 0u)

/* RELINK_TEMPLATE_n(sequence, name, [operands,] text [, .needs = ..] [, .condition = ..] [, .rank = ..]) */
#define RELINK_TEMPLATE_0(sequence, name, ...) RELINK_TEMPLATE_0_(sequence, name, __VA_ARGS__, )
#define RELINK_TEMPLATE_1(sequence, name, a, ...) RELINK_TEMPLATE_1_(sequence, name, a, __VA_ARGS__, )
#define RELINK_TEMPLATE_2(sequence, name, a, b, ...) RELINK_TEMPLATE_2_(sequence, name, a, b, __VA_ARGS__, )
#define RELINK_SEQUENCE_CALL(sequence, name, ...) RELINK_SEQUENCE_CALL_(sequence, name, __VA_ARGS__)

#define RELINK_NO_OUTPUT 0, ()
#define RELINK_OREG(x) 1, ([out] "=&r"(x))
#define RELINK_NO_INPUT 0, ()
#define RELINK_IREG1(a) 1, ([in1] "r"(RELINK_INPUT_(a)),)
#define RELINK_IREG2(a, b) 2, ([in1] "r"(RELINK_INPUT_(a)), [in2] "r"(RELINK_INPUT_(b)),)
#define RELINK_IREG3(a, b, c) 3, ([in1] "r"(RELINK_INPUT_(a)), [in2] "r"(RELINK_INPUT_(b)), [in3] "r"(RELINK_INPUT_(c)),)

#define relink_wrap(sequence, native, ...) RELINK_WRAP_(sequence, native, __VA_ARGS__)
/* In branch form: while `key` is on, `instead` (a statement, out of line) is what runs. A key changes with threads running. */
#define relink_wrap_unless(key, instead, sequence, native, ...) \
	do { \
		if (relink_unlikely(key)) { \
			instead; \
		} else { \
			relink_wrap(sequence, native, __VA_ARGS__); \
		} \
	} while (0)

/* Commit of one sequence to a function of the right prototype, which must stay mapped while it is bound; NULL is native. */
#define relink_sequence_set(sequence, fn, err) relink_call_set_(&(sequence).call, (void (*)(void))(fn), (err))
#define relink_sequence_clear(sequence, err) relink_call_clear_(&(sequence).call, (err))

#include <relink/detail/sequence.h>

#endif
