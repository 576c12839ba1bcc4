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

#define RELINK_PATCH_RECORD_(site, ref, length, kind) \
	".pushsection relink_patch,\"ao?\",@progbits," site "\n\t.balign 4\n\t" \
	".long " site " - .\n\t.long " ref " - .\n\t.byte " length "\n\t.byte " RELINK_STR_(kind) "\n\t.short 0\n\t.popsection\n\t"
#define RELINK_KIND_LOCK_ 1
#define RELINK_KIND_IMMEDIATE_ 2
#define RELINK_KIND_ALTERNATIVE_ 3

/* The operand lies in one aligned word: 4 bytes of the 5 or 6 from an 8-byte boundary on, 8 bytes behind a nop and an opcode of 2. */
#define RELINK_IMMEDIATE_4_(ref, initial, out) \
	__asm__ volatile(".balign 8\n\tmovl %2, %k0\n.Lrelink_end%=:\n\t.set .Lrelink_site%=, .Lrelink_end%= - 4\n\t" \
			 RELINK_PATCH_RECORD_(".Lrelink_site%=", "%c1", "4", RELINK_KIND_IMMEDIATE_) \
			 : "=r"(out) : "i"(ref), "i"(initial))
#define RELINK_IMMEDIATE_8_(ref, initial, out) \
	__asm__ volatile(".balign 8\n\t.byte 0x66, 0x0f, 0x1f, 0x44, 0, 0\n\tmovabsq %2, %q0\n.Lrelink_end%=:\n\t" \
			 ".set .Lrelink_site%=, .Lrelink_end%= - 8\n\t" \
			 RELINK_PATCH_RECORD_(".Lrelink_site%=", "%c1", "8", RELINK_KIND_IMMEDIATE_) \
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
#define RELINK_ARM_ENTRY_(n, last) \
	".long .Lrelink_arm" #n "%= - .\n\t.long %c[relink_word" #n "] - .\n\t" \
	".byte .Lrelink_arm" #n "_end%= - .Lrelink_arm" #n "%=\n\t.byte %c[relink_feature" #n "]\n\t" \
	".byte %c[relink_flags" #n "] + " last "\n\t.byte 0\n\t"
#define RELINK_ARM_LIST_(entries) \
	".pushsection relink_arm_lists,\"ao?\",@progbits,.Lrelink_site%=\n\t.balign 4\n.Lrelink_list%=:\n\t" entries ".popsection\n\t"
#define RELINK_ALTERNATIVE_TEXT_(native, arms, pads, last_pad, entries) \
	".Lrelink_site%=:\n\t" native "\n.Lrelink_pad0%=:\n\t" pads arms \
	RELINK_ARM_LIST_(entries) ".reloc .Lrelink_site%=, R_X86_64_NONE, .Lrelink_list%=\n\t" \
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

#endif
