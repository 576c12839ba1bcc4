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
