/* SPDX-License-Identifier: MIT */
/* test: TIMEOUT 60 */
/*
 * The length of x86-64 instructions: bytes written down by hand, and any bytes at all in front of a page that can't be
 * read. With the argument "objdump", compares what `objdump -d -w` says on standard input; port_x86_64_objdump.sh does that.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/x86_64_decode.h"
#include "port_check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LONGEST 15

/* ---- by hand ---- */

enum { BRANCH = 1, CALL = 2, ENDS = 4, NARROW = 8 };

static const struct row {
	const char *text;
	uint8_t length, operand, size, flags;
	uint8_t bytes[16];
} rows[] = {
	{ "nop", 1, 0, 0, 0, { 0x90 } },
	{ "pause", 2, 0, 0, 0, { 0xf3, 0x90 } },
	{ "add $5,%al", 2, 0, 0, 0, { 0x04, 5 } },
	{ "add $5,%ax", 4, 0, 0, 0, { 0x66, 0x05, 5, 0 } },
	{ "add $5,%eax", 5, 0, 0, 0, { 0x05, 5, 0, 0, 0 } },
	{ "add $5,%rax", 6, 0, 0, 0, { 0x48, 0x05, 5, 0, 0, 0 } },
	{ "66 in front of REX.W counts for nothing", 7, 0, 0, 0, { 0x66, 0x48, 0x05, 5, 0, 0, 0 } },
	{ "REX.W in front of 66 counts for nothing", 5, 0, 0, 0, { 0x48, 0x66, 0x05, 5, 0 } },
	{ "the last REX counts", 6, 0, 0, 0, { 0x66, 0x48, 0x40, 0x05, 5, 0 } },
	{ "mov $imm64,%rax", 10, 0, 0, 0, { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "mov $imm16,%ax", 4, 0, 0, 0, { 0x66, 0xb8, 1, 2 } },
	{ "mov $imm32,%r8d", 6, 0, 0, 0, { 0x41, 0xb8, 1, 2, 3, 4 } },
	{ "mov $imm8,%r8b", 3, 0, 0, 0, { 0x41, 0xb0, 1 } },
	{ "movabs addr64,%al", 9, 0, 0, 0, { 0xa0, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "movabs addr64,%rax", 10, 0, 0, 0, { 0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "movabs addr64,%ax", 10, 0, 0, 0, { 0x66, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "mov addr32,%eax", 6, 0, 0, 0, { 0x67, 0xa1, 1, 2, 3, 4 } },
	{ "enter", 4, 0, 0, 0, { 0xc8, 1, 2, 3 } },
	{ "push $imm16", 4, 0, 0, 0, { 0x66, 0x68, 1, 2 } },
	{ "test $imm8,%cl", 3, 0, 0, 0, { 0xf6, 0xc1, 1 } },
	{ "not %cl", 2, 0, 0, 0, { 0xf6, 0xd1 } },
	{ "test $imm32,%ecx", 6, 0, 0, 0, { 0xf7, 0xc1, 1, 2, 3, 4 } },
	{ "its other form", 6, 0, 0, 0, { 0xf7, 0xc9, 1, 2, 3, 4 } },
	{ "test $imm16,%cx", 5, 0, 0, 0, { 0x66, 0xf7, 0xc1, 1, 2 } },
	{ "testq $imm32,disp32(%rip)", 11, 3, 4, 0, { 0x48, 0xf7, 0x05, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "negl disp32(%rip)", 6, 2, 4, 0, { 0xf7, 0x1d, 1, 2, 3, 4 } },
	{ "mov (%rsp),%eax", 3, 0, 0, 0, { 0x8b, 0x04, 0x24 } },
	{ "mov disp32,%eax", 7, 0, 0, 0, { 0x8b, 0x04, 0x25, 1, 2, 3, 4 } },
	{ "mov (%r13),%eax", 4, 0, 0, 0, { 0x41, 0x8b, 0x45, 0 } },
	{ "mov disp8(%r12),%eax", 5, 0, 0, 0, { 0x41, 0x8b, 0x44, 0x24, 1 } },
	{ "mov disp32(%rbx),%eax", 6, 0, 0, 0, { 0x8b, 0x83, 1, 2, 3, 4 } },
	{ "mov disp32(%rsp),%eax", 7, 0, 0, 0, { 0x8b, 0x84, 0x24, 1, 2, 3, 4 } },
	{ "mov disp32(,%rcx,8),%eax", 7, 0, 0, 0, { 0x8b, 0x04, 0xcd, 1, 2, 3, 4 } },
	{ "mov disp32(%rip),%eax", 6, 2, 4, 0, { 0x8b, 0x05, 1, 2, 3, 4 } },
	{ "REX.B doesn't change that", 7, 3, 4, 0, { 0x41, 0x8b, 0x05, 1, 2, 3, 4 } },
	{ "mov disp32(%eip),%eax", 7, 3, 4, NARROW, { 0x67, 0x8b, 0x05, 1, 2, 3, 4 } },
	{ "mov %fs:(%eax),%eax", 4, 0, 0, 0, { 0x64, 0x67, 0x8b, 0x00 } },
	{ "movw $imm16,disp32(%rip)", 9, 3, 4, 0, { 0x66, 0xc7, 0x05, 1, 2, 3, 4, 5, 6 } },
	{ "movabs, longest", 15, 0, 0, 0, { 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "pop mem", 2, 0, 0, 0, { 0x8f, 0x00 } },
	{ "lea", 7, 3, 4, 0, { 0x48, 0x8d, 0x05, 1, 2, 3, 4 } },
	{ "mov %cr0,%rax", 3, 0, 0, 0, { 0x0f, 0x20, 0xc0 } },
	{ "the same, with a ModRM that looks like memory", 3, 0, 0, 0, { 0x0f, 0x20, 0x05 } },
	{ "xabort", 3, 0, 0, 0, { 0xc6, 0xf8, 1 } },
	{ "xbegin", 6, 2, 4, BRANCH, { 0xc7, 0xf8, 1, 2, 3, 4 } },
	{ "jmp rel8", 2, 1, 1, BRANCH | ENDS, { 0xeb, 1 } },
	{ "jmp rel32", 5, 1, 4, BRANCH | ENDS, { 0xe9, 1, 2, 3, 4 } },
	{ "bnd jmp rel32", 6, 2, 4, BRANCH | ENDS, { 0xf2, 0xe9, 1, 2, 3, 4 } },
	{ "call rel32", 5, 1, 4, BRANCH | CALL, { 0xe8, 1, 2, 3, 4 } },
	{ "addr32 call", 6, 2, 4, BRANCH | CALL, { 0x67, 0xe8, 1, 2, 3, 4 } },
	{ "data16 data16 rex.W call", 8, 4, 4, BRANCH | CALL, { 0x66, 0x66, 0x48, 0xe8, 1, 2, 3, 4 } },
	{ "je rel8", 2, 1, 1, BRANCH, { 0x74, 1 } },
	{ "je rel32", 6, 2, 4, BRANCH, { 0x0f, 0x84, 1, 2, 3, 4 } },
	{ "je rel32,pt", 7, 3, 4, BRANCH, { 0x3e, 0x0f, 0x84, 1, 2, 3, 4 } },
	{ "loop", 2, 1, 1, BRANCH, { 0xe2, 1 } },
	{ "jrcxz", 2, 1, 1, BRANCH, { 0xe3, 1 } },
	{ "jecxz", 3, 2, 1, BRANCH, { 0x67, 0xe3, 1 } },
	{ "call *%rax", 2, 0, 0, CALL, { 0xff, 0xd0 } },
	{ "call *disp32(%rip)", 6, 2, 4, CALL, { 0xff, 0x15, 1, 2, 3, 4 } },
	{ "jmp *disp32(%rip)", 6, 2, 4, ENDS, { 0xff, 0x25, 1, 2, 3, 4 } },
	{ "jmp *%r11", 3, 0, 0, ENDS, { 0x41, 0xff, 0xe3 } },
	{ "ljmp *(%rax)", 3, 0, 0, ENDS, { 0x48, 0xff, 0x28 } },
	{ "push disp32(%rip)", 6, 2, 4, 0, { 0xff, 0x35, 1, 2, 3, 4 } },
	{ "ret", 1, 0, 0, ENDS, { 0xc3 } },
	{ "ret $8", 3, 0, 0, ENDS, { 0xc2, 8, 0 } },
	{ "lretq", 2, 0, 0, ENDS, { 0x48, 0xcb } },
	{ "iretq", 2, 0, 0, ENDS, { 0x48, 0xcf } },
	{ "sysretq", 3, 0, 0, ENDS, { 0x48, 0x0f, 0x07 } },
	{ "ud2", 2, 0, 0, ENDS, { 0x0f, 0x0b } },
	{ "ud1 (%eax),%edx", 4, 0, 0, ENDS, { 0x67, 0x0f, 0xb9, 0x10 } },
	{ "hlt", 1, 0, 0, 0, { 0xf4 } },
	{ "int3", 1, 0, 0, 0, { 0xcc } },
	{ "int $0x80", 2, 0, 0, 0, { 0xcd, 0x80 } },
	{ "syscall", 2, 0, 0, 0, { 0x0f, 0x05 } },
	{ "endbr64", 4, 0, 0, 0, { 0xf3, 0x0f, 0x1e, 0xfa } },
	{ "popcnt disp32(%rip),%eax", 8, 4, 4, 0, { 0xf3, 0x0f, 0xb8, 0x05, 1, 2, 3, 4 } },
	{ "vmread", 3, 0, 0, 0, { 0x0f, 0x78, 0xc0 } },
	{ "extrq $1,$2,%xmm0", 6, 0, 0, 0, { 0x66, 0x0f, 0x78, 0xc0, 2, 1 } },
	{ "the same, whatever REX.W", 7, 0, 0, 0, { 0x66, 0x48, 0x0f, 0x78, 0xc0, 2, 1 } },
	{ "insertq $1,$2,%xmm0,%xmm0", 6, 0, 0, 0, { 0xf2, 0x0f, 0x78, 0xc0, 2, 1 } },
	{ "pshufb disp32(%rip),%xmm0", 9, 5, 4, 0, { 0x66, 0x0f, 0x38, 0x00, 0x05, 1, 2, 3, 4 } },
	{ "crc32w disp32(%rip),%eax", 10, 6, 4, 0, { 0x66, 0xf2, 0x0f, 0x38, 0xf1, 0x05, 1, 2, 3, 4 } },
	{ "palignr $1,disp32(%rip),%xmm0", 10, 5, 4, 0, { 0x66, 0x0f, 0x3a, 0x0f, 0x05, 1, 2, 3, 4, 5 } },
	{ "pfadd disp32(%rip),%mm0", 8, 3, 4, 0, { 0x0f, 0x0f, 0x05, 1, 2, 3, 4, 0x9e } },
	{ "femms", 2, 0, 0, 0, { 0x0f, 0x0e } },
	{ "vzeroupper", 3, 0, 0, 0, { 0xc5, 0xf8, 0x77 } },
	{ "vmovaps disp32(%rip),%xmm0", 8, 4, 4, 0, { 0xc5, 0xf8, 0x28, 0x05, 1, 2, 3, 4 } },
	{ "vpshufd $1,disp32(%rip),%xmm0", 9, 4, 4, 0, { 0xc5, 0xf9, 0x70, 0x05, 1, 2, 3, 4, 5 } },
	{ "vcmpps $1,(%rax),%xmm0,%xmm0", 5, 0, 0, 0, { 0xc5, 0xf8, 0xc2, 0x00, 1 } },
	{ "vpshufb disp32(%rip),%xmm0,%xmm0", 9, 5, 4, 0, { 0xc4, 0xe2, 0x79, 0x00, 0x05, 1, 2, 3, 4 } },
	{ "vpermq $1,disp32(%rip),%ymm0", 10, 5, 4, 0, { 0xc4, 0xe3, 0xfd, 0x00, 0x05, 1, 2, 3, 4, 5 } },
	{ "rorx $1,disp32(%rip),%eax", 10, 5, 4, 0, { 0xc4, 0xe3, 0x7b, 0xf0, 0x05, 1, 2, 3, 4, 5 } },
	{ "kmovw (%rax),%k1", 4, 0, 0, 0, { 0xc5, 0xf8, 0x90, 0x08 } },
	{ "tilerelease", 5, 0, 0, 0, { 0xc4, 0xe2, 0x78, 0x49, 0xc0 } },
	{ "vprotd $1,%xmm4,%xmm5", 6, 0, 0, 0, { 0x8f, 0xe8, 0x78, 0xc2, 0xec, 1 } },
	{ "vpperm %xmm6,disp32(%rip),%xmm3,%xmm0", 10, 5, 4, 0, { 0x8f, 0xe8, 0xe0, 0xa3, 0x05, 1, 2, 3, 4, 0x60 } },
	{ "vphaddwq %xmm3,%xmm3", 5, 0, 0, 0, { 0x8f, 0xe9, 0x78, 0xc7, 0xdb } },
	{ "bextr $imm32,disp32(%rip),%eax", 13, 5, 4, 0, { 0x8f, 0xea, 0x78, 0x10, 0x05, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "vmovups disp8*64(%rax),%zmm0", 7, 0, 0, 0, { 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x40, 1 } },
	{ "vmovups disp32(%rip),%zmm0", 10, 6, 4, 0, { 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x05, 1, 2, 3, 4 } },
	{ "vpternlogd $1,disp32(%rip),%zmm0,%zmm0", 11, 6, 4, 0, { 0x62, 0xf3, 0x7d, 0x48, 0x25, 0x05, 1, 2, 3, 4, 5 } },
	{ "vpsrld $1,disp32(%rip),%zmm0", 11, 6, 4, 0, { 0x62, 0xf1, 0x7d, 0x48, 0x72, 0x15, 1, 2, 3, 4, 5 } },
	{ "vcvttps2udq (%rax),%zmm0", 6, 0, 0, 0, { 0x62, 0xf1, 0x7c, 0x48, 0x78, 0x00 } },
	{ "vcvtqq2ps", 6, 0, 0, 0, { 0x62, 0xf1, 0xff, 0x48, 0x7a, 0x00 } },
	{ "vaddph disp32(%rip),%zmm0,%zmm0", 10, 6, 4, 0, { 0x62, 0xf5, 0x7c, 0x48, 0x58, 0x05, 1, 2, 3, 4 } },
	{ "vfmadd132ph (%rax),%zmm0,%zmm0", 6, 0, 0, 0, { 0x62, 0xf6, 0x7d, 0x48, 0x98, 0x00 } },
};

static uint8_t flags_of(const struct rl_insn *insn)
{
	return (insn->branch ? BRANCH : 0) | (insn->call ? CALL : 0) | (insn->ends ? ENDS : 0) | (insn->narrow ? NARROW : 0);
}

/* The instruction with everything behind it, alone, and short of its last bytes, in front of unreadable memory. */
static void check_row(const struct row *row, uint8_t *end)
{
	struct rl_insn insn;

	for (size_t count = 0; count <= sizeof(row->bytes); count++) {
		uint8_t *at = end - count;
		size_t length, must = count < row->length ? 0 : row->length;

		memcpy(at, row->bytes, count);
		memset(&insn, 0, sizeof(insn));
		length = rl_x86_64_length(at, count, &insn);
		check(length == must && insn.length == must, "%s: %zu of its bytes: length %zu", row->text, count, length);
	}
	check(insn.operand == row->operand && insn.size == row->size && flags_of(&insn) == row->flags,
	      "%s: operand of %u bytes at %u, flags %u", row->text, insn.size, insn.operand, flags_of(&insn));
}

static const struct {
	const char *text;
	uint8_t bytes[16];
} refused[] = {
	{ "push %es", { 0x06 } }, { "pop %es", { 0x07 } }, { "push %cs", { 0x0e } }, { "daa", { 0x27 } },
	{ "das", { 0x2f } }, { "aaa", { 0x37 } }, { "aas", { 0x3f } }, { "pusha", { 0x60 } }, { "popa", { 0x61 } },
	{ "group 1's copy", { 0x82 } },
	{ "lcall", { 0x9a } }, { "into", { 0xce } }, { "aam", { 0xd4 } }, { "aad, REX2", { 0xd5 } }, { "salc", { 0xd6 } },
	{ "ljmp", { 0xea } },
	{ "jmp rel16", { 0x66, 0xe9 } }, { "call rel16", { 0x66, 0xe8 } }, { "je rel16", { 0x66, 0x0f, 0x84 } },
	{ "data16 jmp rel8", { 0x66, 0xeb } }, { "data16 jne rel8", { 0x66, 0x75 } }, { "data16 loop", { 0x66, 0xe2 } },
	{ "REX.W too early", { 0x48, 0x66, 0xe9 } }, { "xbegin rel16", { 0x66, 0xc7, 0xf8 } },
	{ "lea of a register", { 0x8d, 0xc0 } }, { "pop mem with REX.R's bit", { 0x8f, 0x20 } },
	{ "XOP behind 66", { 0x66, 0x8f, 0xe8, 0x78 } }, { "XOP map 11", { 0x8f, 0xeb, 0x78 } }, { "c6 /1", { 0xc6, 0x08 } },
	{ "c7 f9", { 0xc7, 0xf9 } }, { "fe /2", { 0xfe, 0x10 } }, { "ff /7", { 0xff, 0x38 } },
	{ "ff /3 register", { 0xff, 0xd8 } },
	{ "0f 04", { 0x0f, 0x04 } }, { "PadLock", { 0x0f, 0xa7, 0xc0 } }, { "0f 24", { 0x0f, 0x24 } },
	{ "0f 39", { 0x0f, 0x39 } }, { "popcnt without f3", { 0x0f, 0xb8, 0xc0 } }, { "ud0", { 0x0f, 0xff } },
	{ "VEX behind 66", { 0x66, 0xc5, 0xf8, 0x77 } }, { "VEX behind REX", { 0x40, 0xc5, 0xf8, 0x77 } },
	{ "VEX behind lock", { 0xf0, 0xc5, 0xf8, 0x77 } }, { "VEX behind f3", { 0xf3, 0xc5, 0xf8, 0x77 } },
	{ "EVEX behind f2", { 0xf2, 0x62, 0xf1, 0x7c, 0x48, 0x10 } }, { "VEX map 0", { 0xc4, 0xe0, 0x78, 0x77 } },
	{ "VEX map 5", { 0xc4, 0xe5, 0x78, 0x58 } }, { "VEX ud2", { 0xc5, 0xf8, 0x0b } }, { "VEX je", { 0xc5, 0xf8, 0x84 } },
	{ "EVEX vzeroupper", { 0x62, 0xf1, 0x7c, 0x08, 0x77 } }, { "EVEX map 4", { 0x62, 0xf4, 0x7c, 0x08, 0x01 } },
	{ "EVEX map 0", { 0x62, 0xf0, 0x7c, 0x08, 0x01 } }, { "EVEX with B4", { 0x62, 0xf9, 0x7c, 0x48, 0x10 } },
	{ "EVEX with X4", { 0x62, 0xf1, 0x78, 0x48, 0x10 } },
	{ "prefixes without end",
	  { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 } },
	{ "16 bytes", { 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },
};

static void test_rows(uint8_t *end)
{
	struct rl_insn insn;

	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i], end);
	for (size_t i = 0; i < COUNT(refused); i++) {
		memset(&insn, 0x55, sizeof(insn));
		check(!rl_x86_64_length(refused[i].bytes, 16, &insn) && insn.length == 0x55, "%s is an instruction",
		      refused[i].text);
	}
}

/* ---- any bytes ---- */

static uint64_t state = 0x9e3779b97f4a7c15;

static uint32_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

/* Prefixes and escapes lead to places that evenly spread bytes seldom see. */
static void any_bytes(uint8_t *bytes, size_t count)
{
	static const uint8_t likely[] = {
		0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x48, 0x41, 0x0f, 0x38, 0x3a, 0xc4, 0xc5, 0x62, 0xf7, 0xff, 0x05,
		0x04, 0x25,
	};

	for (size_t i = 0; i < count; i++) {
		uint32_t r = any();

		bytes[i] = (r & 0x300) ? (uint8_t)r : likely[r % COUNT(likely)];
	}
}

/* What is known of any answer: it depends on the bytes of the instruction alone, each of which is there. */
static void check_any(const uint8_t *bytes, size_t count)
{
	struct rl_insn insn, again;
	uint8_t copy[LONGEST + 1];
	size_t length = rl_x86_64_length(bytes, count, &insn);

	if (!length)
		return;
	if (!check(length <= count && length <= LONGEST && insn.length == length, "%s: length %zu of %zu",
		   hex(bytes, count), length, count))
		return;
	check(insn.size == 0 || ((insn.size == 1 || insn.size == 4) && insn.operand && insn.operand + insn.size <= length),
	      "%s: operand of %u at %u", hex(bytes, length), insn.size, insn.operand);
	check(insn.size || !(insn.branch || insn.narrow), "%s: no operand, flags %u", hex(bytes, length), flags_of(&insn));
	check(insn.size != 1 || insn.branch, "%s: memory at disp8(%%rip)", hex(bytes, length));
	check(!rl_x86_64_length(bytes, length - 1, &again), "%s: whole without its last byte", hex(bytes, length));
	memset(copy, (int)any(), sizeof(copy));
	memcpy(copy, bytes, length);
	check(rl_x86_64_length(copy, sizeof(copy), &again) == length && !memcmp(&insn, &again, sizeof(insn)),
	      "%s: depends on what is behind", hex(bytes, length));
}

static void test_any(uint8_t *end, unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		size_t count = any() % 20;

		any_bytes(end - count, count);
		check_any(end - count, count);
	}
}

/* Every pair of first bytes, every truncation. */
static void test_pairs(uint8_t *end)
{
	for (unsigned pair = 0; pair < 0x10000; pair++)
		for (size_t count = 0; count <= LONGEST; count++) {
			uint8_t *bytes = end - count;

			any_bytes(bytes, count);
			if (count > 0)
				bytes[0] = (uint8_t)(pair >> 8);
			if (count > 1)
				bytes[1] = (uint8_t)pair;
			check_any(bytes, count);
		}
}

/* The end of a page with an inaccessible one behind it. */
static uint8_t *edge(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, page, PROT_NONE)) {
		perror("mmap");
		exit(1);
	}
	return map + page;
}

/* ---- objdump ---- */

struct listed {
	uint64_t address, target;
	bool has_target;
	uint8_t bytes[64];
	size_t count;
	const char *text;
};

static bool is_branch_name(const char *text)
{
	return (text[0] == 'j' && text[1]) || !strncmp(text, "call", 4) || !strncmp(text, "loop", 4) ||
	       !strncmp(text, "xbegin", 6);
}

/* Prefixes that objdump prints in front of the name. */
static const char *skip_prefix_names(const char *text)
{
	static const char *const names[] = {
		"data16 ", "addr32 ", "bnd ", "notrack ", "cs ", "ds ", "es ", "ss ", "fs ", "gs ", "lock ", "repz ",
		"repnz ", "xacquire ", "xrelease ",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strncmp(text, names[i], strlen(names[i])))
			return skip_prefix_names(text + strlen(names[i]));
	if (!strncmp(text, "rex", 3) && strchr(text, ' '))
		return skip_prefix_names(strchr(text, ' ') + 1);
	return text;
}

/* Where objdump says that the operand points: "# address" for memory, the operand itself for branches. */
static void read_target(struct listed *l)
{
	const char *name = skip_prefix_names(l->text), *comment = strstr(l->text, "# "), *operand = strchr(name, ' ');
	char *end;

	l->has_target = false;
	if (strstr(l->text, "ip)") && comment) {
		l->target = strtoull(comment + 2, NULL, 16);
		l->has_target = true;
	} else if (is_branch_name(name) && operand) {
		operand += strspn(operand, " ");
		l->target = strtoull(operand, &end, 16);
		l->has_target = end != operand && (*end == ' ' || *end == '\n' || !*end) && *operand != '*';
	}
}

/* A line is "  address:\tbytes\ttext". */
static bool read_line(char *line, struct listed *l)
{
	char *at, *end;

	l->address = strtoull(line, &at, 16);
	if (at == line || at[0] != ':' || at[1] != '\t')
		return false;
	at += 2;
	for (l->count = 0; l->count < sizeof(l->bytes) && *at != '\t'; l->count++) {
		unsigned long byte = strtoul(at, &end, 16);

		if (end == at)
			break;
		l->bytes[l->count] = (uint8_t)byte;
		at = end + strspn(end, " ");
	}
	l->text = *at == '\t' ? at + 1 : "";
	return l->count && *l->text;
}

static bool is_prefix(uint8_t b)
{
	return (b >= 0x64 && b <= 0x67) || b >> 4 == 4 || (b & 0xe7) == 0x26 || b == 0xf0 || b == 0xf2 || b == 0xf3;
}

static size_t count_prefixes(const struct listed *l)
{
	size_t n = 0;

	while (n < l->count && is_prefix(l->bytes[n]))
		n++;
	return n;
}

/* objdump has no name for these bytes, or names prefixes alone that belong to the next instruction. */
static bool is_nothing(const struct listed *l)
{
	return strstr(l->text, "(bad)") || !strncmp(l->text, ".byte", 5) || count_prefixes(l) == l->count;
}

/* What objdump finds in data, and we mean to refuse: see x86_64_decode.h, and prefixes in front of VEX and its like. */
static bool is_to_be_refused(const struct listed *l)
{
	const char *name = skip_prefix_names(l->text);
	size_t prefixes = count_prefixes(l);
	const uint8_t *opcode = l->bytes + prefixes;

	if (*opcode == 0xc4 || *opcode == 0xc5 || *opcode == 0x62 || (*opcode == 0x8f && name[0] == 'v'))
		return prefixes > 0;
	if (is_branch_name(name) && !strchr(name, '*'))
		return memchr(l->bytes, 0x66, prefixes);
	return !strncmp(name, "ud0", 3) || (opcode[0] == 0x0f && (opcode[1] == 0xa6 || opcode[1] == 0xa7));
}

/* objdump takes fwait (9b) and the instruction behind it for one where they have a name together. */
static void split_fwait(struct listed *l)
{
	struct rl_insn insn;

	if (l->bytes[0] == 0x9b && l->count > 1 && rl_x86_64_length(l->bytes, l->count, &insn) == 1) {
		memmove(l->bytes, l->bytes + 1, --l->count);
		l->address++;
	}
}

static bool agrees(const struct listed *l)
{
	struct rl_insn insn;
	uint64_t target = 0;
	size_t length = rl_x86_64_length(l->bytes, l->count, &insn);

	if (!length)
		return is_to_be_refused(l);
	if (length != l->count || (insn.size != 0) != l->has_target)
		return false;
	if (!insn.size)
		return true;
	for (unsigned i = insn.size; i-- > 0;)
		target = target << 8 | l->bytes[insn.operand + i];
	if (target >> (8 * insn.size - 1))
		target |= ~(uint64_t)0 << 8 * insn.size;
	target += l->address + l->count;
	return insn.narrow ? (uint32_t)target == (uint32_t)l->target : target == l->target;
}

static int compare_with_objdump(void)
{
	static char line[4096];
	unsigned long compared = 0, different = 0, unnamed = 0, refused_too = 0, vex = 0, evex = 0, relative = 0;
	struct rl_insn insn;
	struct listed l;

	while (fgets(line, sizeof(line), stdin)) {
		if (!read_line(line, &l))
			continue;
		if (is_nothing(&l)) {
			unnamed++;
			continue;
		}
		split_fwait(&l);
		read_target(&l);
		compared++;
		vex += l.bytes[0] == 0xc4 || l.bytes[0] == 0xc5;
		evex += l.bytes[0] == 0x62;
		relative += l.has_target;
		refused_too += !rl_x86_64_length(l.bytes, l.count, &insn);
		if (!agrees(&l) && different++ < 20)
			printf("differs: %s", line);
	}
	printf("%lu instructions, %lu pc-relative, %lu VEX, %lu EVEX, %lu refused, %lu without a name, %lu different\n",
	       compared, relative, vex, evex, refused_too, unnamed, different);
	return different || !compared;
}

int main(int argc, char **argv)
{
	uint8_t *end = edge();

	if (argc > 1 && !strcmp(argv[1], "objdump"))
		return compare_with_objdump();
	test_rows(end);
	test_pairs(end);
	test_any(end, argc > 1 ? strtoul(argv[1], NULL, 0) : 500000);
	return check_summary();
}
