/* SPDX-License-Identifier: MIT */
/* x86_64_decode.h - how long an instruction is, and which of its bytes count from where it stands. A pure function. */
#ifndef RL_ARCH_X86_64_DECODE_H
#define RL_ARCH_X86_64_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pc-relative operand counts from the end of the instruction, which need not be the operand's own end. */
struct rl_insn {
	uint8_t length;
	uint8_t operand; /* offset of the pc-relative operand */
	uint8_t size;    /* its bytes: 0 (there is none), 1 or 4 */
	bool branch;     /* the operand is where the instruction may go, not memory: jmp, jcc, call, loop, jrcxz, xbegin */
	bool call;       /* pushes a return address, be it direct or indirect */
	bool ends;       /* nothing goes on behind it: jmp, ret, ud2 and the like, but not hlt, which interrupts end */
	bool narrow;     /* the operand's sum is cut to 32 bits: memory at disp32(%eip) */
};

/*
 * The length of the instruction of 64-bit mode at `bytes`, at most 15 and at most `count`; no byte behind that is read.
 * 0, and nothing in `insn`: truncated, or not an instruction. Refused as well is what vendors disagree about (direct
 * branches with 16-bit operands; ud0) and what came with extensions that are rare or not out yet (PadLock, APX).
 *
 * Within the maps behind 0f 38, 0f 3a, VEX, EVEX and XOP every opcode is taken for one, since the map alone says what
 * follows it. Nothing is said about the sense of prefixes and registers.
 */
size_t rl_x86_64_length(const uint8_t *bytes, size_t count, struct rl_insn *insn);

#endif
