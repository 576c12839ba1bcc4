/* SPDX-License-Identifier: MIT */
/*
 * sites.S - SITES branches of one key, STRIDE bytes apart, with their records, as <relink/abi.h> describes them.
 *
 * One function, bench_count: every site counts in %rax unless it jumps, and goes on to the next. Link-ordered once for all sites,
 * because a linker needs minutes for a million link-ordered sections.
 */
	.section .text.bench.sites,"ax",@progbits
	.balign 4096
	.globl bench_sites
	.type bench_sites, @object
bench_sites:
.Lsites:
	.rept SITES
	.byte 0xa9		/* test $imm32, %eax, or jmp over the addition */
	.long 4
	addq $1, %rax
	.byte 0xe9		/* jmp to the next site */
	.long STRIDE - 14
	.skip STRIDE - 14, 0xcc
	.endr
	ret
	.size bench_sites, . - bench_sites

	.globl bench_count
	.type bench_count, @function
bench_count:
	xorl %eax, %eax
	jmp .Lsites
	.size bench_count, . - bench_count

#if SITES > 0
	.section relink_branch,"ao",@progbits,.Lsites
	.balign 4
	.set site, 0
	.rept SITES
	.long .Lsites + STRIDE * site - .
	.long bench_key + 4 - .
	.set site, site + 1
	.endr
#endif
	.section .note.GNU-stack,"",@progbits
