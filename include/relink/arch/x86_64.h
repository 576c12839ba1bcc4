/* SPDX-License-Identifier: MIT */
/*
 * x86_64.h - what the macros emit on x86-64.
 *
 * Branch of a static key, 5 bytes; live changes store the opcode byte alone, the displacement never changes:
 *	a9 imm32   test $imm32,%eax    falls through
 *	e9 rel32   jmp rel32           jumps
 *
 * Trampoline of a static call, 16 bytes, 16-aligned (32 with endbr64 in front, where -fcf-protection asks for it):
 *	a9 imm32   test $imm32,%eax    or e9 rel32  jmp target, or c3  ret
 *	ff 25 ..   jmp *slot(%rip)
 * Born as a9, that is, through the slot. The slot is ordinary initialised data: link-time constant in
 * non-PIC code, otherwise one relative relocation, which is processed before any constructor and any ifunc resolver of
 * the module. The reference to a slot of its own keeps identical-code folding from merging two trampolines.
 */
#ifndef RELINK_ARCH_X86_64_H
#define RELINK_ARCH_X86_64_H

#define RELINK_PATCHES_ 1

/* Can an asm operand name a key directly? Code of shared objects can't (the key may live elsewhere), and clang does not in PIE. */
#if !defined(__PIC__) || (defined(__PIE__) && !defined(__clang__))
#define RELINK_DIRECT_REF_ 4
#else
#define RELINK_DIRECT_REF_ 0
#endif

/* The relocation that does nothing tells identical-code folding that code of two keys differs, though its bytes are the same. */
#define RELINK_BRANCH_RECORD_ \
	".reloc .Lrelink_site%=, R_X86_64_NONE, %c0\n\t" \
	".pushsection relink_branch,\"ao?\",@progbits,.Lrelink_site%=\n\t" \
	".balign 4\n\t.long .Lrelink_site%= - .\n\t.long %c0 + %c1 - .\n\t.popsection"

/* Statement: falls through, or jumps to `label`. `ref` is the key or its reference word, `jumps` the state at link time. */
#define RELINK_BRANCH_GOTO_(ref, flags, jumps, label) \
	__asm__ __inline__ goto(".Lrelink_site%=: .byte %c2\n\t.long %l3 - (. + 4)\n\t" RELINK_BRANCH_RECORD_ \
				: : "i"(ref), "i"(flags), "i"((jumps) ? 0xe9 : 0xa9) : : label)

/* The same without a label, for compilers that allow none here: `out` is 1 where the site jumps. */
#define RELINK_BRANCH_OUT_(ref, flags, jumps, out) \
	__asm__ volatile("movl $1, %3\n.Lrelink_site%=: .byte %c2\n\t.long .Lrelink_out%= - (. + 4)\n\t" \
			 "movl $0, %3\n.Lrelink_out%=:\n\t" RELINK_BRANCH_RECORD_ \
			 : : "i"(ref), "i"(flags), "i"((jumps) ? 0xe9 : 0xa9), "m"(out) : "memory", "cc")

/*
 * A use that is a choice of its own: the same branch, and a record that says where it stands. The relocation that does nothing
 * names the record, of which there is one per use: no two are folded.
 */
#define RELINK_USE_OPERANDS_(ref, use_flags, jumps, file, function, text, line) \
	[relink_ref] "i"(ref), [relink_flags] "i"(use_flags), [relink_opcode] "i"((jumps) ? 0xe9 : 0xa9), [relink_file] "i"(file), \
	[relink_function] "i"(function), [relink_text] "i"(text), [relink_line] "i"(line)
#define RELINK_USE_RECORD_ \
	".reloc .Lrelink_site%=, R_X86_64_NONE, .Lrelink_record%=\n\t" RELINK_USE_ENTRY_(".Lrelink_site%=")
#define RELINK_USE_GOTO_(ref, flags, jumps, file, function, text, line, label) \
	__asm__ __inline__ goto(".Lrelink_site%=: .byte %c[relink_opcode]\n\t.long %l[" #label "] - (. + 4)\n\t" RELINK_USE_RECORD_ \
				: : RELINK_USE_OPERANDS_(ref, flags, jumps, file, function, text, line) : : label)
#define RELINK_USE_OUT_(ref, flags, jumps, file, function, text, line, out) \
	__asm__ volatile("movl $1, %[relink_out]\n.Lrelink_site%=: .byte %c[relink_opcode]\n\t.long .Lrelink_out%= - (. + 4)\n\t" \
			 "movl $0, %[relink_out]\n.Lrelink_out%=:\n\t" RELINK_USE_RECORD_ \
			 : : RELINK_USE_OPERANDS_(ref, flags, jumps, file, function, text, line), [relink_out] "m"(out) : "memory", "cc")

#define RELINK_PATCH_RECORD_(site, ref, length, kind) \
	".pushsection relink_patch,\"ao?\",@progbits," site "\n\t.balign 4\n\t" \
	".long " site " - .\n\t.long " ref " - .\n\t.byte " length "\n\t.byte " RELINK_STR_(kind) "\n\t.short 0\n\t.popsection\n\t"
#define RELINK_KIND_LOCK_ 1
#define RELINK_KIND_IMMEDIATE_ 2
#define RELINK_KIND_ALTERNATIVE_ 3

/*
 * The operand lies in one aligned word: 4 bytes of the 5 or 6 from an 8-byte boundary on, 8 bytes behind a nop and an opcode of 2.
 * As with branches, a relocation that does nothing tells code of two numbers apart.
 */
#define RELINK_IMMEDIATE_RECORD_(length) \
	".reloc .Lrelink_site%=, R_X86_64_NONE, %c1\n\t" \
	RELINK_PATCH_RECORD_(".Lrelink_site%=", "%c1", length, RELINK_KIND_IMMEDIATE_)
#define RELINK_IMMEDIATE_4_(ref, initial, out) \
	__asm__ volatile(".balign 8\n\tmovl %2, %k0\n.Lrelink_end%=:\n\t.set .Lrelink_site%=, .Lrelink_end%= - 4\n\t" \
			 RELINK_IMMEDIATE_RECORD_("4") \
			 : "=r"(out) : "i"(ref), "i"(initial))
#define RELINK_IMMEDIATE_8_(ref, initial, out) \
	__asm__ volatile(".balign 8\n\t.byte 0x66, 0x0f, 0x1f, 0x44, 0, 0\n\tmovabsq %2, %q0\n.Lrelink_end%=:\n\t" \
			 ".set .Lrelink_site%=, .Lrelink_end%= - 8\n\t" \
			 RELINK_IMMEDIATE_RECORD_("8") \
			 : "=r"(out) : "i"(ref), "i"(initial))

/* What stands in front of an atomic operation, with its record. */
#define RELINK_LOCK_ \
	".Lrelink_site%=:\n\t" RELINK_PATCH_RECORD_(".Lrelink_site%=", ".", "1", RELINK_KIND_LOCK_) "lock "

/*
 * Alternatives: the code as linked, padded to the longest arm; the arms, as code that never runs where it is; the list of arms;
 * the record. The empty relocation tells identical-code folding that code with other arms differs, though its bytes are the same.
 */
#define RELINK_LONGER_(arm, before) "(" arm "_end%= - " arm "%=) - (" before "%= - .Lrelink_site%=)"
#define RELINK_PAD_(arm, before, after) \
	".skip -((" RELINK_LONGER_(arm, before) ") > 0) * (" RELINK_LONGER_(arm, before) "), 0x90\n" after "%=:\n\t"
#define RELINK_ARM_(n, text) \
	".pushsection relink_arms,\"ao?\",@progbits,.Lrelink_site%=\n" \
	".Lrelink_arm" #n "%=:\n\t" text "\n.Lrelink_arm" #n "_end%=:\n\t.popsection\n\t"
/* A length has one byte in the records. GNU as refuses larger ones itself; clang takes their low byte, but shows this line. */
#ifdef __clang__
#define RELINK_CHECK_LENGTH_(stop, start) ".skip ((" stop ") - (" start ") > 255) # relink: more than 255 bytes in an alternative\n\t"
#else
#define RELINK_CHECK_LENGTH_(stop, start)
#endif
#define RELINK_ARM_ENTRY_(n, last) \
	RELINK_CHECK_LENGTH_(".Lrelink_arm" #n "_end%=", ".Lrelink_arm" #n "%=") \
	".long .Lrelink_arm" #n "%= - .\n\t.long %c[relink_word" #n "] - .\n\t" \
	".byte .Lrelink_arm" #n "_end%= - .Lrelink_arm" #n "%=\n\t.byte %c[relink_feature" #n "]\n\t" \
	".byte %c[relink_flags" #n "] + " last "\n\t.byte 0\n\t"
#define RELINK_ARM_LIST_(entries) \
	".pushsection relink_arm_lists,\"ao?\",@progbits,.Lrelink_site%=\n\t.balign 4\n.Lrelink_list%=:\n\t" entries ".popsection\n\t"
#define RELINK_ALTERNATIVE_TEXT_(native, arms, pads, last_pad, entries) \
	".Lrelink_site%=:\n\t" native "\n.Lrelink_pad0%=:\n\t" pads arms \
	RELINK_ARM_LIST_(RELINK_CHECK_LENGTH_(last_pad "%=", ".Lrelink_site%=") entries) ".reloc .Lrelink_site%=, R_X86_64_NONE, .Lrelink_list%=\n\t" \
	RELINK_PATCH_RECORD_(".Lrelink_site%=", ".Lrelink_list%=", last_pad "%= - .Lrelink_site%=", RELINK_KIND_ALTERNATIVE_)
#define RELINK_ALTERNATIVE_TEXT_1_(native, a) \
	RELINK_ALTERNATIVE_TEXT_(native, RELINK_ARM_(1, a), RELINK_PAD_(".Lrelink_arm1", ".Lrelink_pad0", ".Lrelink_pad1"), \
				 ".Lrelink_pad1", RELINK_ARM_ENTRY_(1, "4"))
#define RELINK_ALTERNATIVE_TEXT_2_(native, a, b) \
	RELINK_ALTERNATIVE_TEXT_(native, RELINK_ARM_(1, a) RELINK_ARM_(2, b), \
				 RELINK_PAD_(".Lrelink_arm1", ".Lrelink_pad0", ".Lrelink_pad1") \
				 RELINK_PAD_(".Lrelink_arm2", ".Lrelink_pad1", ".Lrelink_pad2"), \
				 ".Lrelink_pad2", RELINK_ARM_ENTRY_(1, "0") RELINK_ARM_ENTRY_(2, "4"))
#define RELINK_ALTERNATIVE_TEXT_3_(native, a, b, c) \
	RELINK_ALTERNATIVE_TEXT_(native, RELINK_ARM_(1, a) RELINK_ARM_(2, b) RELINK_ARM_(3, c), \
				 RELINK_PAD_(".Lrelink_arm1", ".Lrelink_pad0", ".Lrelink_pad1") \
				 RELINK_PAD_(".Lrelink_arm2", ".Lrelink_pad1", ".Lrelink_pad2") \
				 RELINK_PAD_(".Lrelink_arm3", ".Lrelink_pad2", ".Lrelink_pad3"), \
				 ".Lrelink_pad3", RELINK_ARM_ENTRY_(1, "0") RELINK_ARM_ENTRY_(2, "0") RELINK_ARM_ENTRY_(3, "4"))

/* The same where all arms are on features, given as text: a number, and 0x100 for its absence. No operand is needed. */
#define RELINK_FEATURE_ENTRY_(n, feature, last) \
	".long .Lrelink_arm" #n "%= - .\n\t.long 0\n\t.byte .Lrelink_arm" #n "_end%= - .Lrelink_arm" #n "%=\n\t" \
	".byte (" feature ") & 0xff\n\t.byte (((" feature ") >> 8) & 1) + " last "\n\t.byte 0\n\t"
#define RELINK_FEATURE_TEXT_1_(native, a, af) \
	RELINK_ALTERNATIVE_TEXT_(native, RELINK_ARM_(1, a), RELINK_PAD_(".Lrelink_arm1", ".Lrelink_pad0", ".Lrelink_pad1"), \
				 ".Lrelink_pad1", RELINK_FEATURE_ENTRY_(1, af, "4"))
#define RELINK_FEATURE_TEXT_2_(native, a, af, b, bf) \
	RELINK_ALTERNATIVE_TEXT_(native, RELINK_ARM_(1, a) RELINK_ARM_(2, b), \
				 RELINK_PAD_(".Lrelink_arm1", ".Lrelink_pad0", ".Lrelink_pad1") \
				 RELINK_PAD_(".Lrelink_arm2", ".Lrelink_pad1", ".Lrelink_pad2"), \
				 ".Lrelink_pad2", RELINK_FEATURE_ENTRY_(1, af, "0") RELINK_FEATURE_ENTRY_(2, bf, "4"))
#define RELINK_FEATURE_TEXT_3_(native, a, af, b, bf, c, cf) \
	RELINK_ALTERNATIVE_TEXT_(native, RELINK_ARM_(1, a) RELINK_ARM_(2, b) RELINK_ARM_(3, c), \
				 RELINK_PAD_(".Lrelink_arm1", ".Lrelink_pad0", ".Lrelink_pad1") \
				 RELINK_PAD_(".Lrelink_arm2", ".Lrelink_pad1", ".Lrelink_pad2") \
				 RELINK_PAD_(".Lrelink_arm3", ".Lrelink_pad2", ".Lrelink_pad3"), \
				 ".Lrelink_pad3", RELINK_FEATURE_ENTRY_(1, af, "0") RELINK_FEATURE_ENTRY_(2, bf, "0") \
				 RELINK_FEATURE_ENTRY_(3, cf, "4"))

/*
 * Statement: jumps to `ask` until it is decided, then to `no` where the feature is not what is asked for, or falls through. Long jumps,
 * since an arm's jumps out of it have to reach from elsewhere.
 */
#define RELINK_FEATURE_OPERANDS_(ref, feature, lacks) \
	[relink_word1] "i"(ref), [relink_feature1] "i"(feature), [relink_flags1] "i"(!(lacks)), \
	[relink_word2] "i"(ref), [relink_feature2] "i"(feature), [relink_flags2] "i"(lacks)
#define RELINK_FEATURE_GOTO_(ref, feature, lacks, ask, no) \
	__asm__ __inline__ goto(RELINK_ALTERNATIVE_TEXT_2_(".byte 0xe9\n\t.long %l[" #ask "] - (. + 4)", \
							   ".byte 0xe9\n\t.long %l[" #no "] - (. + 4)", "") \
				: : RELINK_FEATURE_OPERANDS_(ref, feature, lacks) : : ask, no)
/* The same without labels: `out` is 2, 0 or 1. */
#define RELINK_FEATURE_OUT_(ref, feature, lacks, out) \
	__asm__ volatile(RELINK_ALTERNATIVE_TEXT_2_("movl $2, %[relink_out]", "movl $0, %[relink_out]", "movl $1, %[relink_out]") \
			 : [relink_out] "=r"(out) : RELINK_FEATURE_OPERANDS_(ref, feature, lacks))

/*
 * Sequences: the native text, at least as long as a jump; the list of its operands' registers; and out of line a thunk that
 * calls the sequence's function, and room for a template that is longer than the text.
 *
 * The thunk's frame, below the red zone of the function that it interrupts, from its lowest word on: a return address that leads
 * behind the site, for unwinders and for the end; the result; flags; ten registers. Unwinders find the site's function
 * through a hand-written table: .cfi directives can't describe a second function from within the first with clang.
 */
#define RELINK_KIND_SEQUENCE_ 4
#define RELINK_REGISTER_IS_(operand, name, number) ".ifc %%" name "," operand "\n\t.byte " number "\n\t.endif\n\t"
#define RELINK_REGISTER_(operand) \
	RELINK_REGISTER_IS_(operand, "rax", "0") \
	RELINK_REGISTER_IS_(operand, "rcx", "1") \
	RELINK_REGISTER_IS_(operand, "rdx", "2") \
	RELINK_REGISTER_IS_(operand, "rbx", "3") \
	RELINK_REGISTER_IS_(operand, "rsp", "4") \
	RELINK_REGISTER_IS_(operand, "rbp", "5") \
	RELINK_REGISTER_IS_(operand, "rsi", "6") \
	RELINK_REGISTER_IS_(operand, "rdi", "7") \
	RELINK_REGISTER_IS_(operand, "r8", "8") \
	RELINK_REGISTER_IS_(operand, "r9", "9") \
	RELINK_REGISTER_IS_(operand, "r10", "10") \
	RELINK_REGISTER_IS_(operand, "r11", "11") \
	RELINK_REGISTER_IS_(operand, "r12", "12") \
	RELINK_REGISTER_IS_(operand, "r13", "13") \
	RELINK_REGISTER_IS_(operand, "r14", "14") \
	RELINK_REGISTER_IS_(operand, "r15", "15")
#define RELINK_OUT_0_ ".byte 255\n\t"
#define RELINK_OUT_1_ RELINK_REGISTER_("%q[out]")
#define RELINK_IN1_0_ ".byte 255\n\t"
#define RELINK_IN1_1_ RELINK_REGISTER_("%q[in1]")
#define RELINK_IN1_2_ RELINK_IN1_1_
#define RELINK_IN1_3_ RELINK_IN1_1_
#define RELINK_IN2_0_ ".byte 255\n\t"
#define RELINK_IN2_1_ ".byte 255\n\t"
#define RELINK_IN2_2_ RELINK_REGISTER_("%q[in2]")
#define RELINK_IN2_3_ RELINK_IN2_2_
#define RELINK_IN3_0_ ".byte 255\n\t"
#define RELINK_IN3_1_ ".byte 255\n\t"
#define RELINK_IN3_2_ ".byte 255\n\t"
#define RELINK_IN3_3_ RELINK_REGISTER_("%q[in3]")

#define RELINK_CLOBBER_IS_(name, bit) ".ifc \\relink_c," name "\n\t.set .Lrelink_clobbers%=, .Lrelink_clobbers%= | " bit "\n\t.endif\n\t"
#define RELINK_CLOBBERED_(list) \
	".set .Lrelink_clobbers%=, 0\n\t.irp relink_c, " list "\n\t" \
	RELINK_CLOBBER_IS_("rax", "0x1") \
	RELINK_CLOBBER_IS_("rcx", "0x2") \
	RELINK_CLOBBER_IS_("rdx", "0x4") \
	RELINK_CLOBBER_IS_("rbx", "0x8") \
	RELINK_CLOBBER_IS_("rsp", "0x10") \
	RELINK_CLOBBER_IS_("rbp", "0x20") \
	RELINK_CLOBBER_IS_("rsi", "0x40") \
	RELINK_CLOBBER_IS_("rdi", "0x80") \
	RELINK_CLOBBER_IS_("r8", "0x100") \
	RELINK_CLOBBER_IS_("r9", "0x200") \
	RELINK_CLOBBER_IS_("r10", "0x400") \
	RELINK_CLOBBER_IS_("r11", "0x800") \
	RELINK_CLOBBER_IS_("r12", "0x1000") \
	RELINK_CLOBBER_IS_("r13", "0x2000") \
	RELINK_CLOBBER_IS_("r14", "0x4000") \
	RELINK_CLOBBER_IS_("r15", "0x8000") \
	RELINK_CLOBBER_IS_("cc", "0x10000") \
	RELINK_CLOBBER_IS_("memory", "0x20000") \
	".endr\n\t"

/* The inputs go through memory, since each may be in the register that another has to go to. */
#define RELINK_TAKE_0_ ""
#define RELINK_TAKE_1_ "movq %q[in1], 104(%%rsp)\n\tmovq 104(%%rsp), %%rdi\n\t"
#define RELINK_TAKE_2_ \
	"movq %q[in1], 104(%%rsp)\n\tmovq %q[in2], 112(%%rsp)\n\tmovq 104(%%rsp), %%rdi\n\tmovq 112(%%rsp), %%rsi\n\t"
#define RELINK_TAKE_3_ \
	"movq %q[in1], 104(%%rsp)\n\tmovq %q[in2], 112(%%rsp)\n\tmovq %q[in3], 120(%%rsp)\n\t" \
	"movq 104(%%rsp), %%rdi\n\tmovq 112(%%rsp), %%rsi\n\tmovq 120(%%rsp), %%rdx\n\t"
#define RELINK_GIVE_0_ ""
#define RELINK_GIVE_1_ "movq 8(%%rsp), %q[out]\n\t"

/* The function may use all vector registers, and the floating-point stack, which has to be empty when it is called. */
#define RELINK_SSE_ \
	, "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", \
	"xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#if defined(__AVX512F__)
#define RELINK_VECTORS_ \
	RELINK_SSE_, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
	"xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#elif defined(__SSE__)
#define RELINK_VECTORS_ RELINK_SSE_
#else
#define RELINK_VECTORS_
#endif

#define RELINK_THUNK_(take, give) \
	".pushsection relink_thunks,\"axo?\",@progbits,.Lrelink_site%=\n.Lrelink_thunk%=:\n\t" \
	"leaq -256(%%rsp), %%rsp\n.Lrelink_row1%=:\n\t" \
	"movq %%rax, 24(%%rsp)\n\t" \
	"movq %%rcx, 32(%%rsp)\n\t" \
	"movq %%rdx, 40(%%rsp)\n\t" \
	"movq %%rsi, 48(%%rsp)\n\t" \
	"movq %%rdi, 56(%%rsp)\n\t" \
	"movq %%r8, 64(%%rsp)\n\t" \
	"movq %%r9, 72(%%rsp)\n\t" \
	"movq %%r10, 80(%%rsp)\n\t" \
	"movq %%r11, 88(%%rsp)\n\t" \
	"movq %%rbp, 96(%%rsp)\n\t" \
	take "leaq .Lrelink_stop%=(%%rip), %%rax\n\tmovq %%rax, (%%rsp)\n.Lrelink_row2%=:\n\t" \
	"pushfq\n\tpopq 16(%%rsp)\n\tcld\n\tmovq %%rsp, %%rbp\n.Lrelink_row3%=:\n\tandq $-16, %%rsp\n\t" \
	"movq %c[relink_word](%%rip), %%rax\n\tmovq (%%rax), %%rax\n\tcall *(%%rax)\n\t" \
	"movq %%rbp, %%rsp\n.Lrelink_row4%=:\n\tmovq %%rax, 8(%%rsp)\n\tpushq 16(%%rsp)\n\tpopfq\n\t" \
	"movq 24(%%rsp), %%rax\n\t" \
	"movq 32(%%rsp), %%rcx\n\t" \
	"movq 40(%%rsp), %%rdx\n\t" \
	"movq 48(%%rsp), %%rsi\n\t" \
	"movq 56(%%rsp), %%rdi\n\t" \
	"movq 64(%%rsp), %%r8\n\t" \
	"movq 72(%%rsp), %%r9\n\t" \
	"movq 80(%%rsp), %%r10\n\t" \
	"movq 88(%%rsp), %%r11\n\t" \
	"movq 96(%%rsp), %%rbp\n.Lrelink_row5%=:\n\t" \
	give "leaq 256(%%rsp), %%rsp\n.Lrelink_row6%=:\n\tjmp .Lrelink_stop%=\n.Lrelink_thunk_end%=:\n\t" \
	".balign 8, 0xcc\n.Lrelink_copy%=:\n\t.skip " RELINK_STR_(RELINK_COPY_SIZE) ", 0xcc\n\tjmp .Lrelink_stop%=\n\t.popsection\n\t"

/*
 * Common information: code alignment 1, data alignment -8, return address in column 16, pointers relative and 4 bytes long, the
 * frame is rsp + 0 and the return address unknown. Then how that changes: DW_CFA_advance_loc4 (4), def_cfa (12, register, offset),
 * def_cfa_offset (14), offset (128 + register, in words below the frame), restore (192 + register), undefined (7, register).
 */
#define RELINK_ADVANCE_(from, to) ".byte 4\n\t.long .Lrelink_" to "%= - .Lrelink_" from "%=\n\t"
#define RELINK_UNWIND_ \
	".pushsection .eh_frame,\"a\",@unwind\n.Lrelink_cie%=:\n\t.long .Lrelink_cie_end%= - .Lrelink_cie_id%=\n.Lrelink_cie_id%=:\n\t" \
	".long 0\n\t.byte 1\n\t.asciz \"zR\"\n\t.byte 1, 0x78, 16, 1, 0x1b\n\t.byte 12, 7, 0, 7, 16\n\t.balign 8\n.Lrelink_cie_end%=:\n\t" \
	".long .Lrelink_fde_end%= - .Lrelink_fde%=\n.Lrelink_fde%=:\n\t.long . - .Lrelink_cie%=\n\t" \
	".long .Lrelink_thunk%= - .\n\t.long .Lrelink_thunk_end%= - .Lrelink_thunk%=\n\t.byte 0\n\t" \
	RELINK_ADVANCE_("thunk", "row1") ".byte 14, 0x80, 2\n\t" \
	RELINK_ADVANCE_("row1", "row2") ".byte 0x80 + 16, 32, 0x80 + 6, 20\n\t" \
	RELINK_ADVANCE_("row2", "row3") ".byte 12, 6, 0x80, 2\n\t" \
	RELINK_ADVANCE_("row3", "row4") ".byte 12, 7, 0x80, 2\n\t" \
	RELINK_ADVANCE_("row4", "row5") ".byte 0xc0 + 6\n\t" \
	RELINK_ADVANCE_("row5", "row6") ".byte 14, 0, 7, 16\n\t" \
	".balign 8\n.Lrelink_fde_end%=:\n\t.popsection\n\t"

#define RELINK_SEQUENCE_TEXT_(native, out, in1, in2, in3, take, give, clobbers) \
	".Lrelink_site%=:\n\t" native "\n.Lrelink_native%=:\n\t" \
	".fill -((5 - (.Lrelink_native%= - .Lrelink_site%=)) > 0) * (5 - (.Lrelink_native%= - .Lrelink_site%=)), 1, 0x90\n.Lrelink_stop%=:\n\t" \
	RELINK_CLOBBERED_(clobbers) \
	".pushsection relink_uses,\"ao?\",@progbits,.Lrelink_site%=\n\t.balign 4\n.Lrelink_use%=:\n\t" \
	".long %c[relink_word] - .\n\t.long .Lrelink_thunk%= - .\n\t.long .Lrelink_copy%= - .\n\t" out in1 in2 in3 \
	".long .Lrelink_clobbers%=\n\t.popsection\n\t" \
	".reloc .Lrelink_site%=, R_X86_64_NONE, .Lrelink_use%=\n\t" \
	RELINK_PATCH_RECORD_(".Lrelink_site%=", ".Lrelink_use%=", ".Lrelink_stop%= - .Lrelink_site%=", RELINK_KIND_SEQUENCE_) \
	RELINK_THUNK_(take, give) RELINK_UNWIND_

/* Templates: the text once for every register, or for every two. No operand is in the stack pointer. */
#define RELINK_TEMPLATE_BEGIN_(table) \
	".pushsection .rodata.relink,\"a\",@progbits\n\t.balign 8\n\t.globl " table "\n\t.hidden " table "\n\t" \
	".type " table ",@object\n" table ":\n\t"
#define RELINK_TEMPLATE_END_(table) "\t.size " table ", . - " table "\n\t.popsection\n"
#define RELINK_TEMPLATE_ENTRY_(text) "990:\n\t" text "\n991:\n\t.org 990b + 31, 0x90\n\t.byte 991b - 990b\n\t"
#define RELINK_TEMPLATE_0_TEXT_(table, text) RELINK_TEMPLATE_BEGIN_(table) RELINK_TEMPLATE_ENTRY_(text) RELINK_TEMPLATE_END_(table)
#define RELINK_NO_TEMPLATE_ ".skip 31\n\t.byte 255\n\t"
/* `none`: what stands for the stack pointer. */
#define RELINK_EACH_REGISTER_(macro, none) \
	macro " rax, eax\n\t" \
	macro " rcx, ecx\n\t" \
	macro " rdx, edx\n\t" \
	macro " rbx, ebx\n\t" \
	none \
	macro " rbp, ebp\n\t" \
	macro " rsi, esi\n\t" \
	macro " rdi, edi\n\t" \
	macro " r8, r8d\n\t" \
	macro " r9, r9d\n\t" \
	macro " r10, r10d\n\t" \
	macro " r11, r11d\n\t" \
	macro " r12, r12d\n\t" \
	macro " r13, r13d\n\t" \
	macro " r14, r14d\n\t" \
	macro " r15, r15d\n\t"
#define RELINK_EACH_REGISTER_2_(macro) \
	macro " \\relink_a, \\relink_ad, rax, eax\n\t" \
	macro " \\relink_a, \\relink_ad, rcx, ecx\n\t" \
	macro " \\relink_a, \\relink_ad, rdx, edx\n\t" \
	macro " \\relink_a, \\relink_ad, rbx, ebx\n\t" \
	RELINK_NO_TEMPLATE_ \
	macro " \\relink_a, \\relink_ad, rbp, ebp\n\t" \
	macro " \\relink_a, \\relink_ad, rsi, esi\n\t" \
	macro " \\relink_a, \\relink_ad, rdi, edi\n\t" \
	macro " \\relink_a, \\relink_ad, r8, r8d\n\t" \
	macro " \\relink_a, \\relink_ad, r9, r9d\n\t" \
	macro " \\relink_a, \\relink_ad, r10, r10d\n\t" \
	macro " \\relink_a, \\relink_ad, r11, r11d\n\t" \
	macro " \\relink_a, \\relink_ad, r12, r12d\n\t" \
	macro " \\relink_a, \\relink_ad, r13, r13d\n\t" \
	macro " \\relink_a, \\relink_ad, r14, r14d\n\t" \
	macro " \\relink_a, \\relink_ad, r15, r15d\n\t"
#define RELINK_TEMPLATE_1_TEXT_(table, a, text) \
	".macro " table "_m " a ", " a "d\n\t" RELINK_TEMPLATE_ENTRY_(text) ".endm\n\t" \
	RELINK_TEMPLATE_BEGIN_(table) RELINK_EACH_REGISTER_(table "_m", RELINK_NO_TEMPLATE_) RELINK_TEMPLATE_END_(table)
#define RELINK_TEMPLATE_2_TEXT_(table, a, b, text) \
	".macro " table "_m " a ", " a "d, " b ", " b "d\n\t" RELINK_TEMPLATE_ENTRY_(text) ".endm\n\t" \
	".macro " table "_n relink_a, relink_ad\n\t" RELINK_EACH_REGISTER_2_(table "_m") ".endm\n\t" \
	RELINK_TEMPLATE_BEGIN_(table) RELINK_EACH_REGISTER_(table "_n", ".rept 16\n\t" RELINK_NO_TEMPLATE_ ".endr\n\t") \
	RELINK_TEMPLATE_END_(table)

#if defined(__CET__) && (__CET__ & 1)
/* endbr64 ends on an 8-byte boundary, so that the jump that is rewritten starts on one. */
#define RELINK_TRAMPOLINE_ENTRY_ ".balign 16, 0xcc\n\t.skip 4, 0xcc\n"
#define RELINK_TRAMPOLINE_MARK_ "\tendbr64\n"
#else
#define RELINK_TRAMPOLINE_ENTRY_ ".balign 16, 0xcc\n"
#define RELINK_TRAMPOLINE_MARK_ ""
#endif

#define RELINK_TRAMPOLINE_(name) \
	__asm__(".pushsection .text.relink." #name ",\"ax\",@progbits\n\t" RELINK_TRAMPOLINE_ENTRY_ \
		"\t.globl " #name "\n\t.type " #name ",@function\n" \
		"\t.globl relink_entry_" #name "\n\t.hidden relink_entry_" #name "\n\t.type relink_entry_" #name ",@function\n" \
		#name ":\nrelink_entry_" #name ":\n" RELINK_TRAMPOLINE_MARK_ \
		"\t.byte 0xa9\n\t.long 0\n\tjmp *relink_slot_" #name "(%rip)\n\t.size " #name ", . - " #name "\n\t" \
		".balign 16, 0xcc\n\t.popsection");

/* The first target of a member of an ops table: what `relink_at_name` points to, or `relink_missing_name` if that is NULL. */
#define RELINK_EARLY_(name) \
	__asm__(".pushsection .text.relink.early." #name ",\"ax\",@progbits\n\t.balign 16, 0xcc\n\t" \
		".globl relink_early_" #name "\n\t.hidden relink_early_" #name "\n\t.type relink_early_" #name ",@function\n" \
		"relink_early_" #name ":\n" RELINK_TRAMPOLINE_MARK_ "\tmov relink_at_" #name "(%rip), %r11\n\tmov (%r11), %r11\n\t" \
		"test %r11, %r11\n\tjz relink_missing_" #name "\n\tjmp *%r11\n\t" \
		".size relink_early_" #name ", . - relink_early_" #name "\n\t.popsection");

#endif
