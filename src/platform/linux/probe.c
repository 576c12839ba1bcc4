/* SPDX-License-Identifier: MIT */
/*
 * probe.c - finds out what works by doing it: under an emulator the new bytes can be read while the old code runs.
 *
 * The code that is rewritten for it is this library's own, on a page like every other page of code.
 */
#include "../platform.h"
#include "system.h"

#include <stdio.h>

#ifdef RL_X86_64

/* One aligned word. The function starts at its second byte; of its eight, six differ between the two forms. */
#define FORM_A { 0x00, 0xb8, 0x11, 0x11, 0x11, 0x11, 0xc3, 0x00 } /* mov $0x11111111, %eax; ret */
#define FORM_B { 0xff, 0xb8, 0xee, 0xee, 0xee, 0xee, 0xc3, 0xff }
#define RESULT_A 0x11111111U
#define RESULT_B 0xeeeeeeeeU

extern const volatile uint64_t rl_probe_word RL_HIDDEN;
extern unsigned int rl_probe_function(void) RL_HIDDEN;

/* Alone in its cache line, so that no other code runs from where it changes. */
__asm__(".pushsection .text\n"
	".balign 64, 0xcc\n"
	".globl rl_probe_word, rl_probe_function\n"
	".hidden rl_probe_word, rl_probe_function\n"
	".type rl_probe_function, @function\n"
	"rl_probe_word:\n"
	"	.byte	0x00\n"
	"rl_probe_function:\n"
	"	.cfi_startproc\n"
	"	.byte	0xb8, 0x11, 0x11, 0x11, 0x11, 0xc3\n"
	"	.cfi_endproc\n"
	".size rl_probe_function, . - rl_probe_function\n"
	"	.byte	0x00\n"
	".balign 64, 0xcc\n"
	".popsection\n");

static const uint8_t form_a[8] = FORM_A, form_b[8] = FORM_B;

#define WORD ((uintptr_t)&rl_probe_word)

/* ---- writing and running ---- */

/* Without a barrier this still proves the writer: the calling thread serialises itself. */
RL_RAW static bool becomes(const uint8_t form[8], unsigned int result)
{
	if (rl_text_write(WORD, form, 8) < 0)
		return false;
	rl_barrier_careful();
	return rl_probe_function() == result;
}

/*
 * Always at the same place, and first without a change: an emulator that translates a call together with what it calls
 * would else seem to notice what was written.
 */
RL_RAW static bool alternates(void)
{
	bool seen = true;

	for (int i = 0; i < 5 && seen; i++)
		seen = becomes(i & 1 ? form_b : form_a, i & 1 ? RESULT_B : RESULT_A);
	return seen;
}

/* The first comparison is for emulators, where the address may be one of theirs. */
RL_RAW static const char *prove_writer(void)
{
	if (rl_probe_function() != RESULT_A || !rl_writer_reads(WORD, form_a))
		return "/proc/self/mem does not show this program's code (an emulator?)";
	if (rl_text_write(WORD, form_a, 8) < 0)
		return "/proc/self/mem refuses to write code (by proc_mem.force_override, or a seccomp filter?)";
	if (alternates())
		return NULL;
	rl_text_write(WORD, form_a, 8);
	return "code written through /proc/self/mem is not what runs (valgrind, or an emulator?)";
}

static const char *probe_writer(void)
{
	const char *why;
	int error = rl_writer_open();

	if (error < 0)
		return rl_writer_reason(error);
	why = prove_writer();
	if (why)
		rl_writer_close();
	return why;
}

void rl_text_probe(struct rl_text_abilities *abilities)
{
	const char *write_why, *barrier_why;

	*abilities = (struct rl_text_abilities){ .writer = "none", .barrier_name = "none" };
	rl_window_open();
	if (rl_marker_create() < 0) {
		rl_window_close();
		snprintf(abilities->why, sizeof(abilities->why), "%s",
			 "the kernel has no memory that forks empty (MADV_WIPEONFORK, Linux 4.14)");
		return;
	}
	rl_writer_close(); /* of an earlier probe */
	barrier_why = rl_barrier_probe();
	write_why = probe_writer();
	rl_window_close();
	abilities->write = !write_why;
	abilities->barrier = !barrier_why;
	if (!write_why)
		abilities->writer = "/proc/self/mem";
	else
		rl_marker_remove();
	if (!barrier_why)
		abilities->barrier_name = "membarrier";
	if (write_why || barrier_why)
		snprintf(abilities->why, sizeof(abilities->why), "%s", write_why ? write_why : barrier_why);
}

/* ---- words ---- */

RL_RAW static int store_both(bool *runs)
{
	int error = rl_text_store(WORD, form_b);

	if (error < 0)
		return error;
	rl_barrier_careful();
	*runs = rl_probe_function() == RESULT_B;
	error = rl_text_store(WORD, form_a);
	rl_barrier_careful();
	*runs &= rl_probe_function() == RESULT_A;
	return error;
}

const char *rl_text_probe_store(void)
{
	const char *why = NULL;
	bool runs = false;
	int error = rl_text_begin(&why);

	if (error < 0)
		return why;
	error = store_both(&runs);
	rl_text_end();
	if (error < 0)
		return "code can't be made writable (by mprotect; PR_SET_MDWE, SELinux or a seccomp filter forbids it?)";
	return runs ? NULL : "code written by a store is not what runs (valgrind, or an emulator?)";
}

#else

void rl_text_probe(struct rl_text_abilities *abilities)
{
	*abilities = (struct rl_text_abilities){ .writer = "none", .barrier_name = "none" };
	snprintf(abilities->why, sizeof(abilities->why), "no port for rewriting this architecture's code");
}

const char *rl_text_probe_store(void)
{
	return "no port for rewriting this architecture's code";
}

#endif
