/* SPDX-License-Identifier: MIT */
/* call-sites.S - SITES calls of one static call, 64 bytes apart. The linker keeps a relocation for each. */
	.section .text.bench.sites,"ax",@progbits
	.balign 4096
	.globl bench_sites
	.type bench_sites, @function
bench_sites:
	.rept SITES
	call bench_called
	.byte 0xe9
	.long 64 - 10
	.skip 64 - 10, 0xcc
	.endr
	ret
	.size bench_sites, . - bench_sites
	.section .note.GNU-stack,"",@progbits
