/* SPDX-License-Identifier: MIT */
/*
 * stores.S - kinds of instructions that have memory as an operand: those that write are found, those that read are not. Capstone 4
 * does not know mask registers; that is said.
 */
	.section relink_pointers, "aw", @progbits
	.balign 4096
	.globl words
	.hidden words
	.type words, @object
	.size words, 128
words:	.zero 128

	.text
	.globl stores
	.type stores, @function
stores:
	mov %rax, words(%rip) // expect: 401
	mov %eax, words+4(%rip) // expect: 401
	mov %ax, words(%rip) // expect: 401
	mov %al, words(%rip) // expect: 401
	movq $5, words(%rip) // expect: 401
	movb $5, words+127(%rip) // expect: 401
	movnti %rax, words(%rip) // expect: 401
	movbe %rax, words(%rip) // expect: 401
	sete words(%rip) // expect: 401
	pop words(%rip) // expect: 401
	fstpl words(%rip) // expect: 401
	fistpll words(%rip) // expect: 401
	fnstcw words(%rip) // expect: 401
	stmxcsr words(%rip) // expect: 401
	add %rax, words(%rip) // expect: 402
	subq $8, words(%rip) // expect: 402
	orl $1, words(%rip) // expect: 402
	incq words(%rip) // expect: 402
	negq words(%rip) // expect: 402
	shlq $1, words(%rip) // expect: 402
	rorl $3, words(%rip) // expect: 402
	shld $3, %rax, words(%rip) // expect: 402
	btsq $3, words(%rip) // expect: 402
	xchg %rax, words(%rip) // expect: 402
	lock xadd %rax, words(%rip) // expect: 402
	lock cmpxchg %rcx, words(%rip) // expect: 402
	lock cmpxchg16b words(%rip) // expect: 402
	lock andq $1, words(%rip) // expect: 402
	movups %xmm0, words(%rip) // expect: 403
	movdqa %xmm0, words(%rip) // expect: 403
	movntdq %xmm0, words(%rip) // expect: 403
	movq %xmm0, words(%rip) // expect: 403
	movd %xmm0, words(%rip) // expect: 403
	movsd %xmm0, words(%rip) // expect: 403
	movss %xmm0, words(%rip) // expect: 403
	movlps %xmm0, words(%rip) // expect: 403
	movhpd %xmm0, words(%rip) // expect: 403
	pextrq $1, %xmm0, words(%rip) // expect: 403
	pextrb $1, %xmm0, words(%rip) // expect: 403
	extractps $1, %xmm0, words(%rip) // expect: 403
	vmovdqu %ymm0, words(%rip) // expect: 403
	vmovaps %ymm0, words(%rip) // expect: 403
	vextracti128 $1, %ymm0, words(%rip) // expect: 403
	vmaskmovps %ymm0, %ymm1, words(%rip) // expect: 403
	vmovdqu64 %zmm0, words(%rip) // expect: 403
	vmovdqu8 %zmm17, words(%rip) // expect: 403
	vpcompressq %zmm0, words(%rip){%k1} // expect: 403
	vpmovqd %zmm0, words(%rip) // expect: 403
	kmovq %k1, words(%rip) // expect: 401 421
	lea words+8(%rip), %rdi
	stosq // expect: 404
	lea words(%rip), %rdi
	rep movsb // expect: 404
	lea words(%rip), %rdx
	mov %rax, 8(%rdx,%rcx,8) // expect: 405
	add $16, %rdx
	mov %rax, (%rdx) // expect: 405
	mov %rdx, %r15
	push %r15
	xor %edx, %edx
	pop %rcx
	mov %rax, -8(%rcx) // expect: 405
	xchg %rcx, %rbx
	mov %rax, (%rbx) // expect: 405
	ret
	.size stores, . - stores

	.globl loads
	.type loads, @function
loads:
	mov words(%rip), %rax
	cmp %rax, words(%rip)
	cmpq $0, words(%rip)
	test %rax, words(%rip)
	testb $1, words(%rip)
	btq $3, words(%rip)
	push words(%rip)
	imul words(%rip), %rax
	mulq words(%rip)
	divl words(%rip)
	add words(%rip), %rax
	cmove words(%rip), %rax
	movzbl words(%rip), %eax
	movbe words(%rip), %rax
	prefetcht0 words(%rip)
	prefetchw words(%rip)
	clflush words(%rip)
	nopl words(%rip)
	fldl words(%rip)
	fildll words(%rip)
	fldcw words(%rip)
	faddl words(%rip)
	fcompl words(%rip)
	ldmxcsr words(%rip)
	movups words(%rip), %xmm0
	movsd words(%rip), %xmm0
	paddq words(%rip), %xmm0
	ucomisd words(%rip), %xmm0
	vmovdqu words(%rip), %ymm0
	vmaskmovps words(%rip), %ymm0, %ymm1
	vptest words(%rip), %ymm0
	vmovdqu64 words(%rip), %zmm0
	vpcmpeqd words(%rip), %zmm0, %k1
	lea words(%rip), %rsi
	lodsq
	lea words(%rip), %rsi
	lea -64(%rsp), %rdi
	movsq
	lea words(%rip), %rsi
	cmpsb
	call *words(%rip)
	mov %rax, words+128(%rip)
	mov %rax, words-8(%rip)
	lea words(%rip), %rcx
	mov (%rcx), %rcx
	mov %rax, (%rcx)
	lea words(%rip), %rcx
	xor %ecx, %ecx
	mov %rax, (%rcx)
	jmp *words+8(%rip)
	.size loads, . - loads
