/* SPDX-License-Identifier: MIT */
/*
 * sites_x86_64.h - SITES(f): functions in assembly that reach the static call `f` from every address modulo 8, by a call, by a
 * jump, and by a conditional jump of each condition, which compilers emit rarely. `f` takes an integer or pointer.
 */
#ifndef TEST_SITES_X86_64_H
#define TEST_SITES_X86_64_H

#include <stdint.h>

struct site {
	union {
		long (*value)(long n, long flags);
		void (*nothing)(int *n, long flags);
	} fn;
	int kind;      /* enum relink_site_kind */
	int alignment; /* of the instruction, modulo 8 */
	int condition; /* of a conditional jump, as the processor counts them */
	int reserved;
};

#define SITES_COUNT (8 + 8 + 128)
#define SITE_NOT_TAKEN (-1) /* what a conditional jump's function returns when it does not jump */

/* Flags that make a condition true, and false. */
static inline long flags_for(int condition, int taken)
{
	static const uint16_t set[8] = { 0x800, 0x1, 0x40, 0x41, 0x80, 0x4, 0x80, 0x40 }, clear[8] = { 0 };

	return 0x202 | (((condition & 1) != 0) == (taken != 0) ? clear[condition >> 1] : set[condition >> 1]);
}

/* Calls the site's function so that it reaches the static call. */
static inline long site_reach(const struct site *s, long n)
{
	return s->fn.value(n, flags_for(s->condition, 1));
}

#define SITE_ASM_(f) \
	"	.macro site_begin_" f " kind, alignment, condition, before\n" \
	"	.p2align 4, 0xcc\n" \
	"	.skip (\\alignment + 8 - \\before) & 7, 0xcc\n" \
	".Lsite_" f "_\\kind\\()_\\alignment\\()_\\condition:\n" \
	"	.cfi_startproc\n" \
	"	.pushsection .data\n" \
	"	.quad .Lsite_" f "_\\kind\\()_\\alignment\\()_\\condition\n" \
	"	.long \\kind, \\alignment, \\condition, 0\n" \
	"	.popsection\n" \
	"	.endm\n" \
	"	.macro site_jcc_" f " condition, jump\n" \
	"	.irp a, 0, 1, 2, 3, 4, 5, 6, 7\n" \
	"	site_begin_" f " 3, \\a, \\condition, 2\n" \
	"	pushq %rsi\n" \
	"	popfq\n" \
	"	\\jump " f "@PLT\n" \
	"	movq $-1, %rax\n" \
	"	ret\n" \
	"	.cfi_endproc\n" \
	"	.endr\n" \
	"	.endm\n" \
	"	.text\n" \
	"	.pushsection .data\n" \
	"	.balign 8\n" \
	"	.globl sites_" f "\n" \
	"	.hidden sites_" f "\n" \
	"sites_" f ":\n" \
	"	.popsection\n" \
	"	.irp a, 0, 1, 2, 3, 4, 5, 6, 7\n" \
	"	site_begin_" f " 1, \\a, 0, 4\n" \
	"	subq $8, %rsp\n" \
	"	.cfi_adjust_cfa_offset 8\n" \
	"	call " f "@PLT\n" \
	"	addq $8, %rsp\n" \
	"	.cfi_adjust_cfa_offset -8\n" \
	"	ret\n" \
	"	.cfi_endproc\n" \
	"	site_begin_" f " 2, \\a, 0, 0\n" \
	"	jmp " f "@PLT\n" \
	"	.cfi_endproc\n" \
	"	.endr\n" \
	"	site_jcc_" f " 0, jo\n	site_jcc_" f " 1, jno\n	site_jcc_" f " 2, jb\n	site_jcc_" f " 3, jae\n" \
	"	site_jcc_" f " 4, je\n	site_jcc_" f " 5, jne\n	site_jcc_" f " 6, jbe\n	site_jcc_" f " 7, ja\n" \
	"	site_jcc_" f " 8, js\n	site_jcc_" f " 9, jns\n	site_jcc_" f " 10, jp\n	site_jcc_" f " 11, jnp\n" \
	"	site_jcc_" f " 12, jl\n	site_jcc_" f " 13, jge\n	site_jcc_" f " 14, jle\n	site_jcc_" f " 15, jg\n"

#define SITES(f) \
	__asm__(SITE_ASM_(#f)); \
	extern struct site sites_##f[SITES_COUNT] __attribute__((visibility("hidden")))

#endif
