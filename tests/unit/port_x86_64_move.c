/* SPDX-License-Identifier: MIT */
/* test: TIMEOUT 60 */
/*
 * Sequences of x86-64 instructions: moved, padded, cut at boundaries. On x86-64 also as the assembler of this build makes
 * them, and moved sequences are run.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64_decode.h"
#include "port_check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct rl_port *const port = &rl_port_x86_64;

/* ---- move, by hand ---- */

#define FROM 0x401000
#define TO 0x501000 /* 1 MiB behind: an operand that keeps its target shrinks by 0x100000 */
#define GIB ((uint64_t)1 << 30)

static const struct moved {
	const char *text;
	uint64_t from, to;
	size_t count;
	bool can;
	uint8_t bytes[16], out[16];
} moves[] = {
	{ "nothing", FROM, TO, 0, true, { 0 }, { 0 } },
	{ "nothing pc-relative", FROM, TO, 3, true, { 0x90, 0x89, 0xc8 }, { 0x90, 0x89, 0xc8 } },
	{ "call out", FROM, TO, 5, true, { 0xe8, 0, 0, 0x20, 0 }, { 0xe8, 0, 0, 0x10, 0 } },
	{ "call out, back", TO, FROM, 5, true, { 0xe8, 0, 0, 0x20, 0 }, { 0xe8, 0, 0, 0x30, 0 } },
	{ "call out, nowhere else", FROM, FROM, 5, true, { 0xe8, 0, 0, 0x20, 0 }, { 0xe8, 0, 0, 0x20, 0 } },
	{ "jmp out, backwards", FROM, TO, 5, true, { 0xe9, 0, 0, 0xf0, 0xff }, { 0xe9, 0, 0, 0xe0, 0xff } },
	{ "je out", FROM, TO, 7, true, { 0x90, 0x0f, 0x84, 0, 0, 0x20, 0 }, { 0x90, 0x0f, 0x84, 0, 0, 0x10, 0 } },
	{ "data16 data16 rex.W call out", FROM, TO, 8, true, { 0x66, 0x66, 0x48, 0xe8, 0, 0, 0x20, 0 },
	  { 0x66, 0x66, 0x48, 0xe8, 0, 0, 0x10, 0 } },
	{ "mov out(%rip),%eax", FROM, TO, 6, true, { 0x8b, 0x05, 0, 0, 0x20, 0 }, { 0x8b, 0x05, 0, 0, 0x10, 0 } },
	{ "movl $imm32,out(%rip)", FROM, TO, 10, true, { 0xc7, 0x05, 0, 0, 0x20, 0, 1, 2, 3, 4 },
	  { 0xc7, 0x05, 0, 0, 0x10, 0, 1, 2, 3, 4 } },
	{ "vpermq $1,out(%rip),%ymm0", FROM, TO, 10, true, { 0xc4, 0xe3, 0xfd, 0x00, 0x05, 0, 0, 0x20, 0, 1 },
	  { 0xc4, 0xe3, 0xfd, 0x00, 0x05, 0, 0, 0x10, 0, 1 } },
	{ "call to the start", FROM, TO, 5, true, { 0xe8, 0xfb, 0xff, 0xff, 0xff }, { 0xe8, 0xfb, 0xff, 0xff, 0xff } },
	{ "call to before the start", FROM, TO, 5, true, { 0xe8, 0xfa, 0xff, 0xff, 0xff },
	  { 0xe8, 0xfa, 0xff, 0xef, 0xff } },
	{ "call to the end", FROM, TO, 6, true, { 0xe8, 1, 0, 0, 0, 0x90 }, { 0xe8, 1, 0, 0, 0, 0x90 } },
	{ "call to behind the end", FROM, TO, 6, true, { 0xe8, 2, 0, 0, 0, 0x90 }, { 0xe8, 2, 0, 0xf0, 0xff, 0x90 } },
	{ "lea inside(%rip),%rax", FROM, TO, 8, true, { 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0x90 },
	  { 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0x90 } },
	{ "cmpb $0x90,a trailing immediate(%rip)", FROM, TO, 7, true, { 0x80, 0x3d, 0xff, 0xff, 0xff, 0xff, 0x90 },
	  { 0x80, 0x3d, 0xff, 0xff, 0xff, 0xff, 0x90 } },
	{ "je over the next", FROM, TO, 4, true, { 0x74, 1, 0x90, 0x90 }, { 0x74, 1, 0x90, 0x90 } },
	{ "je into the next, past its lock", FROM, TO, 6, true, { 0x74, 1, 0xf0, 0x0f, 0xb1, 0x0e },
	  { 0x74, 1, 0xf0, 0x0f, 0xb1, 0x0e } },
	{ "loop to the start", FROM, TO, 3, true, { 0x90, 0xe2, 0xfd }, { 0x90, 0xe2, 0xfd } },
	{ "jrcxz to the end", FROM, TO, 3, true, { 0xe3, 1, 0x90 }, { 0xe3, 1, 0x90 } },
	{ "jrcxz to behind the end", FROM, TO, 3, false, { 0xe3, 2, 0x90 }, { 0 } },
	{ "the same by a few bytes", FROM, FROM + 1, 3, false, { 0xe3, 2, 0x90 }, { 0 } },
	{ "jmp rel8 to before the start", FROM, TO, 3, false, { 0x90, 0xeb, 0xfc }, { 0 } },
	{ "as far as it reaches", FROM, FROM + GIB, 5, true, { 0xe8, 0, 0, 0, 0xc0 }, { 0xe8, 0, 0, 0, 0x80 } },
	{ "one too far", FROM, FROM + GIB + 1, 5, false, { 0xe8, 0, 0, 0, 0xc0 }, { 0 } },
	{ "as far as it reaches, back", FROM + GIB, FROM, 5, true, { 0xe8, 0xff, 0xff, 0xff, 0x3f },
	  { 0xe8, 0xff, 0xff, 0xff, 0x7f } },
	{ "one too far, back", FROM + GIB + 1, FROM, 5, false, { 0xe8, 0xff, 0xff, 0xff, 0x3f }, { 0 } },
	{ "memory too far", FROM, FROM + 3 * GIB, 6, false, { 0x8b, 0x05, 0, 0, 0, 0x10 }, { 0 } },
	{ "around the address space", FROM, FROM + 0xffffffff00000000, 5, false, { 0xe8, 0, 0, 0x20, 0 }, { 0 } },
	{ "across its end", -(uint64_t)0x1000, 0x1000, 5, true, { 0xe8, 0, 0, 0x20, 0 }, { 0xe8, 0, 0xe0, 0x1f, 0 } },
	{ "nothing pc-relative, far", FROM, FROM + 0x700000000000, 4, true, { 0x74, 1, 0x90, 0x90 },
	  { 0x74, 1, 0x90, 0x90 } },
	{ "mov out(%eip),%eax", FROM, TO, 7, false, { 0x67, 0x8b, 0x05, 0, 0, 0x20, 0 }, { 0 } },
	{ "push %es", FROM, TO, 2, false, { 0x90, 0x06 }, { 0 } },
	{ "cut off", FROM, TO, 4, false, { 0x8b, 0x05, 0, 0, 0x20, 0 }, { 0 } },
	{ "cut off behind a prefix", FROM, TO, 2, false, { 0x90, 0xf0 }, { 0 } },
	{ "two at once", FROM, TO, 11, true, { 0xe8, 0, 0, 0x20, 0, 0xff, 0x25, 0, 0, 0x10, 0 },
	  { 0xe8, 0, 0, 0x10, 0, 0xff, 0x25, 0, 0, 0, 0 } },
};

static void test_moves(void)
{
	for (size_t i = 0; i < COUNT(moves); i++) {
		const struct moved *m = &moves[i];
		uint8_t out[17];
		bool can;

		memset(out, 0x55, sizeof(out));
		can = port->move(m->bytes, m->count, m->from, m->to, out);
		check(can == m->can && (!can || !memcmp(out, m->out, m->count)), "%s: %s, %s", m->text,
		      can ? "moved" : "refused", hex(out, m->count));
		check(out[m->count] == 0x55, "%s: writes behind its end", m->text);
		memcpy(out, m->bytes, sizeof(m->bytes));
		check(port->move(out, m->count, m->from, m->to, out) == m->can && (!can || !memcmp(out, m->out, m->count)),
		      "%s: in place, %s", m->text, hex(out, m->count));
	}
}

/* ---- boundaries and padding ---- */

static void test_boundary(void)
{
	/* endbr64; movl $imm32,disp32(%rip); je .+3; nop; 66 lock nop; push %es */
	static const uint8_t bytes[] = {
		0xf3, 0x0f, 0x1e, 0xfa, 0xc7, 0x05, 1, 2, 3, 4, 0x90, 0x90, 0x90, 0x90, 0x74, 1, 0x90, 0x66, 0xf0, 0x90,
		0x06, 0x90,
	};
	static const bool starts[sizeof(bytes)] = {
		[0] = true, [4] = true, [14] = true, [16] = true, [17] = true, [20] = true,
	};

	for (size_t at = 0; at <= sizeof(bytes) + 1; at++)
		check(port->boundary(bytes, sizeof(bytes), at) == (at < sizeof(bytes) && starts[at]), "boundary at %zu", at);
	/* the sequence's end is one if no instruction is cut off there */
	for (size_t count = 0; count <= 20; count++) {
		check(port->boundary(bytes, count, count) == starts[count], "boundary at the end, %zu", count);
		check(!port->boundary(bytes, count, count + 1), "boundary behind the end, %zu", count);
		check(!port->boundary(bytes, count, SIZE_MAX), "boundary far behind the end, %zu", count);
	}
}

/* 90, 66 90, and 0f 1f /0 with at most one 66 in front. */
static bool is_nop(const uint8_t *bytes, size_t length)
{
	if (bytes[0] == 0x66 && length > 1) {
		bytes++;
		length--;
	}
	if (length == 1)
		return bytes[0] == 0x90;
	return length > 2 && bytes[0] == 0x0f && bytes[1] == 0x1f && !(bytes[2] & 0x38);
}

static void test_pad(void)
{
	uint8_t out[101];
	struct rl_insn insn;

	for (size_t count = 0; count < sizeof(out); count++) {
		size_t at = 0, length, nops = 0;

		memset(out, 0x55, sizeof(out));
		port->pad(out, count);
		while (at < count && (length = rl_x86_64_length(out + at, count - at, &insn)) && is_nop(out + at, length)) {
			at += length;
			nops++;
		}
		check(at == count && nops == (count + 8) / 9, "%zu bytes of padding: %zu nops, %zu bytes", count, nops, at);
		check(out[count] == 0x55, "%zu bytes of padding: one more", count);
	}
}

static void test_generic(void)
{
	uint8_t nop = 0x90, out = 0x55;

	check(!rl_port_generic.move(&nop, 1, FROM, TO, &out), "generic: moves");
	check(!rl_port_generic.boundary(&nop, 1, 0), "generic: boundary");
	rl_port_generic.pad(&out, 1);
	check(out == 0x55, "generic: pads");
}

#ifdef __x86_64__
#include <sys/mman.h>
#include <unistd.h>

/* The text for the assembler is longer than what compilers must bear. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* ---- what the assembler makes ---- */

enum points { NOWHERE, THERE, ITSELF };

/*
 * X(text, where its pc-relative operand points, branch, ends). "there" is far from all of them; "771b" is the instruction.
 * Nothing here needs a processor that can run it.
 */
#define INSTRUCTIONS(X) \
	X("add $5,%al", NOWHERE, 0, 0) X("add $0x1234,%ax", NOWHERE, 0, 0) X("add $0x123456,%eax", NOWHERE, 0, 0) \
	X("add $0x123456,%rax", NOWHERE, 0, 0) X("add $5,%r15w", NOWHERE, 0, 0) \
	X("add $0x1234,%r15w", NOWHERE, 0, 0) X("imul $0x1234,%cx,%dx", NOWHERE, 0, 0) \
	X("imul $5,%cx,%dx", NOWHERE, 0, 0) X("imul $0x123456,there(%rip),%edx", THERE, 0, 0) \
	X("mov $0x12345678,%r9d", NOWHERE, 0, 0) X("mov $0x1234,%r9w", NOWHERE, 0, 0) \
	X("mov $0x12,%r9b", NOWHERE, 0, 0) X("movabs $0x123456789abcdef0,%r9", NOWHERE, 0, 0) \
	X("mov $-1,%r9", NOWHERE, 0, 0) X("movabs 0x123456789abcdef0,%al", NOWHERE, 0, 0) \
	X("movabs %rax,0x123456789abcdef0", NOWHERE, 0, 0) X("movabs %ax,0x123456789abcdef0", NOWHERE, 0, 0) \
	X("push $5", NOWHERE, 0, 0) X("push $0x123456", NOWHERE, 0, 0) X("pushw $0x1234", NOWHERE, 0, 0) \
	X("enter $0x1234,$5", NOWHERE, 0, 0) X("testb $5,there(%rip)", THERE, 0, 0) \
	X("testw $0x1234,there(%rip)", THERE, 0, 0) X("testl $0x123456,there(%rip)", THERE, 0, 0) \
	X("testq $0x123456,there(%rip)", THERE, 0, 0) X("notq there(%rip)", THERE, 0, 0) \
	X("divb there(%rip)", THERE, 0, 0) X("movb $5,there(%rip)", THERE, 0, 0) \
	X("movw $0x1234,there(%rip)", THERE, 0, 0) X("movl $0x123456,there(%rip)", THERE, 0, 0) \
	X("movq $0x123456,there(%rip)", THERE, 0, 0) X("cmpw $5,there(%rip)", THERE, 0, 0) \
	X("cmpw $0x1234,there(%rip)", THERE, 0, 0) X("lock cmpxchg16b there(%rip)", THERE, 0, 0) \
	X("lock addl $5,%fs:there(%rip)", THERE, 0, 0) X("rolw $3,there(%rip)", THERE, 0, 0) \
	X("shld $3,%eax,there(%rip)", THERE, 0, 0) X("btsq $3,there(%rip)", THERE, 0, 0) \
	X("cmovne there(%rip),%r10w", THERE, 0, 0) X("movzbl there(%rip),%r10d", THERE, 0, 0) \
	X("xchg %ax,%r8w", NOWHERE, 0, 0) X("rep movsq", NOWHERE, 0, 0) X("lea 5(%r12),%rax", NOWHERE, 0, 0) \
	X("lea (%r13),%rax", NOWHERE, 0, 0) X("lea (%r13,%r12,8),%rax", NOWHERE, 0, 0) \
	X("lea 0x12345(,%rcx,4),%eax", NOWHERE, 0, 0) X("mov 0x12345,%ecx", NOWHERE, 0, 0) \
	X("mov 5(%eax,%ecx),%ecx", NOWHERE, 0, 0) X("lea there(%rip),%rax", THERE, 0, 0) \
	X("push there(%rip)", THERE, 0, 0) X("pop there(%rip)", THERE, 0, 0) X("fldt there(%rip)", THERE, 0, 0) \
	X("fnstcw there(%rip)", THERE, 0, 0) X("fxsave64 there(%rip)", THERE, 0, 0) \
	X("pshufd $5,there(%rip),%xmm9", THERE, 0, 0) X("movaps there(%rip),%xmm9", THERE, 0, 0) \
	X("psrldq $5,%xmm3", NOWHERE, 0, 0) X("pinsrw $5,there(%rip),%xmm1", THERE, 0, 0) \
	X("palignr $5,there(%rip),%xmm1", THERE, 0, 0) X("pcmpistri $5,there(%rip),%xmm1", THERE, 0, 0) \
	X("roundsd $5,there(%rip),%xmm1", THERE, 0, 0) X("crc32w there(%rip),%eax", THERE, 0, 0) \
	X("movbe there(%rip),%r9", THERE, 0, 0) X("popcnt there(%rip),%rax", THERE, 0, 0) \
	X("aesenc there(%rip),%xmm1", THERE, 0, 0) X("pclmulqdq $5,there(%rip),%xmm1", THERE, 0, 0) \
	X("vmovups there(%rip),%ymm12", THERE, 0, 0) X("vpermq $5,there(%rip),%ymm3", THERE, 0, 0) \
	X("vzeroall", NOWHERE, 0, 0) X("vblendvps %xmm1,there(%rip),%xmm2,%xmm3", THERE, 0, 0) \
	X("vcmppd $5,there(%rip),%ymm2,%ymm3", THERE, 0, 0) X("vfmadd231pd there(%rip),%ymm2,%ymm3", THERE, 0, 0) \
	X("vpgatherdd %ymm1,(%rax,%ymm2,4),%ymm3", NOWHERE, 0, 0) X("rorx $5,there(%rip),%r8", THERE, 0, 0) \
	X("andn there(%rip),%r8,%r9", THERE, 0, 0) X("kmovq there(%rip),%k1", THERE, 0, 0) \
	X("vmovdqu8 there(%rip),%zmm20{%k1}{z}", THERE, 0, 0) \
	X("vpternlogd $5,there(%rip),%zmm20,%zmm21", THERE, 0, 0) \
	X("vpaddd there(%rip){1to16},%zmm20,%zmm21", THERE, 0, 0) \
	X("vpcmpub $5,there(%rip),%zmm20,%k1", THERE, 0, 0) X("vmovups 64(%rax),%zmm1", NOWHERE, 0, 0) \
	X("vmovups 65(%rax),%zmm1", NOWHERE, 0, 0) X("vpsrld $5,there(%rip),%zmm1", THERE, 0, 0) \
	X("vaddps {rz-sae},%zmm1,%zmm2,%zmm3", NOWHERE, 0, 0) X("valignq $1,there(%rip),%zmm1,%zmm2", THERE, 0, 0) \
	X("jmp there", THERE, 1, 1) X("call there", THERE, 1, 0) X("je there", THERE, 1, 0) \
	X("jg there", THERE, 1, 0) X("xbegin there", THERE, 1, 0) X("jmp 771b", ITSELF, 1, 1) \
	X("jno 771b", ITSELF, 1, 0) X("loop 771b", ITSELF, 1, 0) X("jrcxz 771b", ITSELF, 1, 0) \
	X("jecxz 771b", ITSELF, 1, 0) X("call *there(%rip)", THERE, 0, 0) X("jmp *there(%rip)", THERE, 0, 1) \
	X("jmp *%rax", NOWHERE, 0, 1) X("call *8(%rax)", NOWHERE, 0, 0) X("ret", NOWHERE, 0, 1) \
	X("ret $8", NOWHERE, 0, 1) X("iretq", NOWHERE, 0, 1) X("ud2", NOWHERE, 0, 1) X("hlt", NOWHERE, 0, 0) \
	X("mov %cr8,%rax", NOWHERE, 0, 0) X("int $3", NOWHERE, 0, 0) X("int $0x80", NOWHERE, 0, 0) \
	X("in $5,%al", NOWHERE, 0, 0) X("syscall", NOWHERE, 0, 0)

#define ROW(text, points, branch, ends) { text, points, branch, ends },
#define EMIT(text, points, branch, ends) \
	"771:\t" text "\n772:\t.pushsection .rodata.lengths,\"a\",@progbits\n\t.byte 772b - 771b\n\t.popsection\n"

static const struct {
	const char *text;
	enum points points;
	bool branch, ends;
} rows[] = { INSTRUCTIONS(ROW) };

__asm__("\t.pushsection .rodata.lengths,\"a\",@progbits\nrow_lengths:\n\t.popsection\n"
	"\t.pushsection .text\nrow_start:\n" INSTRUCTIONS(EMIT) "\t.skip 256,0x90\nthere:\t.skip 64,0x90\n\t.popsection\n");

extern const uint8_t row_lengths[] __attribute__((visibility("hidden")));
extern const uint8_t row_start[] __attribute__((visibility("hidden")));
extern const uint8_t there[] __attribute__((visibility("hidden")));

static uint64_t pointed_to(const uint8_t *at, const struct rl_insn *insn)
{
	int32_t distance = (int8_t)at[insn->operand];

	if (insn->size == 4)
		memcpy(&distance, at + insn->operand, 4);
	return (uint64_t)(uintptr_t)at + insn->length + (uint64_t)(int64_t)distance;
}

static void test_assembled(void)
{
	const uint8_t *at = row_start;

	for (size_t i = 0; i < COUNT(rows); at += row_lengths[i++]) {
		const uint8_t *points = rows[i].points == THERE ? there : at;
		struct rl_insn insn = { 0 };
		size_t length = rl_x86_64_length(at, 15, &insn);

		check(length == row_lengths[i], "%s: %s: length %zu", rows[i].text, hex(at, row_lengths[i]), length);
		check(insn.size == (rows[i].points == THERE ? 4 : rows[i].points == ITSELF ? 1 : 0),
		      "%s: operand of %u bytes", rows[i].text, insn.size);
		check(!insn.size || pointed_to(at, &insn) == (uintptr_t)points, "%s: points elsewhere", rows[i].text);
		check(insn.branch == rows[i].branch && insn.ends == rows[i].ends, "%s: branch %d, ends %d", rows[i].text,
		      insn.branch, insn.ends);
		check(insn.call == !strncmp(rows[i].text, "call", 4) && !insn.narrow, "%s: call %d",
		      rows[i].text, insn.call);
	}
}

/* ---- moved and run ---- */

enum needs { ANY, AVX2, BMI2, AVX512 };

/* X(what the processor must know, text): takes %edi, returns %eax, may use caller-saved registers, falls off its end. */
#define SEQUENCES(X) \
	X(ANY, "mov number(%rip),%eax; add %edi,%eax") \
	X(ANY, "xor %eax,%eax; cmpl $77,number(%rip); sete %al; add %edi,%eax") \
	X(ANY, "movl $0x1234567,scratch(%rip); movw $0x4321,scratch+2(%rip); mov scratch(%rip),%eax; add %edi,%eax") \
	X(ANY, "xor %eax,%eax; testw $0x40,number(%rip); setne %al; addb $5,number(%rip); " \
	  "add number(%rip),%eax; subb $5,number(%rip)") \
	X(ANY, "call twice; inc %eax; call twice") \
	X(ANY, "call *slot(%rip); lea (%rax,%rdi),%eax") \
	X(ANY, "mov %edi,%eax; jmp *exit_slot(%rip)") \
	X(ANY, "mov %edi,%eax; cmp $5,%edi; je exit_sequence; add $3,%eax; jmp 773f; ud2; 773: add $4,%eax") \
	X(ANY, "mov $1,%eax; lea 2(%rdi),%ecx; 773: add %eax,%eax; loop 773b; jrcxz 774f; ud2; 774:") \
	X(ANY, "mov %edi,%eax; test $1,%al; je 773f; lea 9(%rax),%eax; 773:") \
	X(ANY, "lea 773f(%rip),%rdx; mov %edi,%eax; jmp *%rdx; ud2; 773: not %eax; test %edi,%edi; " \
	  "js 774f; call twice; 774:") \
	X(ANY, "mov %edi,scratch(%rip); mov $3,%eax; cmp $4,%edi; jb 773f; lock; " \
	  "773: xadd %eax,scratch(%rip); add scratch(%rip),%eax") \
	X(ANY, "movabs $0x123456789abcdef0,%rax; shr $13,%rax; xor number(%rip),%eax; " \
	  "add %edi,%eax; add $0x1234,%ax") \
	X(ANY, "pshufd $0x1b,vector(%rip),%xmm0; movd %xmm0,%eax; pinsrw $1,number(%rip),%xmm0; " \
	  "movd %xmm0,%ecx; xor %ecx,%eax") \
	X(AVX2, "vpermq $0x1b,vector(%rip),%ymm0; vpalignr $5,vector+32(%rip),%ymm0,%ymm0; " \
	  "vmovd %xmm0,%eax; vzeroupper") \
	X(BMI2, "rorx $7,number(%rip),%eax; add %edi,%eax") \
	X(AVX512, "vmovdqu32 vector(%rip),%zmm0; vpternlogd $0x96,vector+4(%rip){1to16},%zmm0,%zmm0; " \
	  "vmovd %xmm0,%eax; vzeroupper")

#define SEQUENCE(needs, text) { needs, text },
#define EMIT_SEQUENCE(needs, text) \
	"775:\t" text "\n776:\tret\n\t.skip 160,0xcc\n" \
	"\t.pushsection .data.sequences,\"aw\",@progbits\n\t.quad 775b, 776b\n\t.popsection\n"

static const struct {
	enum needs needs;
	const char *text;
} sequences[] = { SEQUENCES(SEQUENCE) };

__asm__("\t.pushsection .data.sequences,\"aw\",@progbits\n\t.balign 8\nsequence_bounds:\n\t.popsection\n"
	"\t.pushsection .text\n"
	"twice:\tlea (%rdi,%rax,2),%eax\n\tret\n"
	"plain:\tmov $5,%eax\n\tret\n"
	"exit_sequence:\tadd $1000,%eax\n\tret\n"
	"\t.skip 160,0xcc\n" SEQUENCES(EMIT_SEQUENCE) "\t.popsection\n"
	"\t.pushsection .data\n\t.balign 64\n"
	"vector:\t.byte 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32\n"
	"\t.byte 33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64\n"
	"number:\t.long 77\nscratch:\t.long 0,0\n\t.balign 8\nslot:\t.quad plain\nexit_slot:\t.quad exit_sequence\n"
	"\t.popsection\n");

extern const uint8_t *const sequence_bounds[][2] __attribute__((visibility("hidden")));

static bool can_run(enum needs needs)
{
	switch (needs) {
	case ANY: return true;
	case AVX2: return __builtin_cpu_supports("avx2");
	case BMI2: return __builtin_cpu_supports("bmi2");
	case AVX512: return __builtin_cpu_supports("avx512f");
	}
	return false;
}

/* %eax is an argument, too, for sequences that read it before they write it. */
static uint32_t run(const uint8_t *code, uint32_t argument)
{
	uint32_t result = 0;
	uint64_t di = argument;

	/* the sequence may call: keep off the red zone */
	__asm__ volatile("sub $136,%%rsp\n\tcall *%2\n\tadd $136,%%rsp"
			 : "+a"(result), "+D"(di)
			 : "b"(code)
			 : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0", "memory", "cc");
	return result;
}

/* Pages near the program's text, so that its data is in reach of the copies. */
static uint8_t *map_near(size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), text = (uintptr_t)row_start & -page;

	for (uintptr_t away = (uintptr_t)16 << 20; away < GIB; away += (uintptr_t)16 << 20)
		for (int back = 0; back < 2; back++) {
			uintptr_t hint = back ? text - away : text + away;
			uint8_t *map = mmap((void *)hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (map == MAP_FAILED)
				continue;
			if ((uint64_t)(uintptr_t)map - text + GIB < 2 * GIB)
				return map;
			munmap(map, size);
		}
	return NULL;
}

static void check_runs(const char *text, const uint8_t *original, const uint8_t *copy)
{
	for (uint32_t argument = 0; argument < 10; argument++) {
		uint32_t must = run(original, argument), is = run(copy, argument);

		check(is == must, "%s: %u gives %u, moved %u", text, argument, must, is);
	}
}

/* The copy, then padding, then ret. Padding is executed, too. */
static bool place_sequence(size_t i, uint8_t *to, size_t padding)
{
	const uint8_t *start = sequence_bounds[i][0];
	size_t count = (size_t)(sequence_bounds[i][1] - start);
	uint8_t back[256];

	if (!check(port->move(start, count, (uintptr_t)start, (uintptr_t)to, to), "%s: refused", sequences[i].text))
		return false;
	port->pad(to + count, padding);
	to[count + padding] = 0xc3;
	check(port->move(to, count, (uintptr_t)to, (uintptr_t)start, back) && !memcmp(back, start, count),
	      "%s: moved forth and back is %s", sequences[i].text, hex(back, count));
	return true;
}

static void test_runs(void)
{
	size_t size = 65536, run_here = 0;
	uint8_t *map = map_near(size);

	if (!map) {
		printf("no pages near the text\n");
		return;
	}
	for (size_t i = 0; i < COUNT(sequences); i++) {
		if (!can_run(sequences[i].needs))
			continue;
		run_here++;
		for (size_t align = 0; align < 8; align++) {
			uint8_t *to = map + 4096 * align + align;

			if (mprotect(map, size, PROT_READ | PROT_WRITE) || !place_sequence(i, to, 13 * align))
				return;
			if (!check(!mprotect(map, size, PROT_READ | PROT_EXEC), "mprotect"))
				return;
			check_runs(sequences[i].text, sequence_bounds[i][0], to);
		}
	}
	printf("%zu of %zu sequences run\n", run_here, COUNT(sequences));
	munmap(map, size);
}

static void test_here(void)
{
	test_assembled();
	test_runs();
}
#else
static void test_here(void)
{
	printf("no assembler for x86-64 in this build\n");
}
#endif

int main(void)
{
	test_moves();
	test_boundary();
	test_pad();
	test_generic();
	test_here();
	return check_summary();
}
