/* SPDX-License-Identifier: MIT */
/*
 * arguments.c - every kind of argument and result goes through a call that is recorded, bound, and made again.
 *
 * The callees are exported from this very library, so that its calls of them go through stubs. Those in assembly say what
 * was in every register when they were reached.
 */
#include <alloca.h>
#include <complex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMES 100 /* the recorder binds in between */
#define KEEP __attribute__((noinline, noclone, visibility("default")))

struct small { int a, b; };
struct mixed { double d; long n; };
struct large { long n[9]; };
union both { double d; long n; };

KEEP long integers(char a, short b, int c, long d, unsigned char e, void *f, long g, int h) { return a + b + c + d + e + (long)f + g + h; }
KEEP double doubles(double a, float b, double c, float d, double e, double f, double g, double h, double i, float j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
KEEP long double wide(long double a, int b, long double c) { return a * b - c; }
KEEP __int128 huge(__int128 a, __int128 b) { return a * 3 + b; }
KEEP struct small by_small(struct small s, int n) { return (struct small){ s.b + n, s.a - n }; }
KEEP struct mixed by_mixed(struct mixed m) { return (struct mixed){ m.d * 2, m.n + 1 }; }
KEEP struct large by_large(struct large l, int n) { l.n[n % 9] += n; return l; }
KEEP double complex turned(double complex z, float complex w) { return z * w; }
KEEP _Bool is_odd(int n) { return n & 1; }
KEEP union both through(union both u) { return u; }

KEEP double variadic(int count, ...)
{
	va_list args;
	double sum = 0;

	va_start(args, count);
	for (int i = 0; i < count; i++)
		sum += i % 2 ? va_arg(args, double) : (double)va_arg(args, long);
	va_end(args);
	return sum;
}

/* The compiler calls __tls_get_addr for it. */
__thread int local = 1;
KEEP int *where_local(void) { return &local; }

typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v16 __attribute__((vector_size(64)));
KEEP v4 add4(v4 a, v4 b) { return a + b; }
__attribute__((target("avx"))) KEEP v8 add8(v8 a, v8 b, v8 c, v8 d, v8 e, v8 f, v8 g, v8 h) { return a + b + c + d + e + f + g + h; }
__attribute__((target("avx512f"))) KEEP v16 add16(v16 a, v16 b, v16 c, v16 d, v16 e, v16 f, v16 g, v16 h) { return a + b + c + d + e + f + g + h; }

__attribute__((target("avx"))) static int eight(int n)
{
	v8 v = { n, 1, 2, 3, 4, 5, 6, n }, w = add8(v, v, v, v, v, v, v, v);

	return w[0] == 8 * n && w[7] == 8 * n && w[4] == 32;
}

__attribute__((target("avx512f"))) static int sixteen(int n)
{
	v16 v = { n, 0, 0, 0, 0, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, n }, w = add16(v, v, v, v, v, v, v, v);

	return w[0] == 8 * n && w[8] == 8 * n && w[15] == 8 * n && w[3] == 0;
}

static int vectors(int n)
{
	v4 v = add4((v4){ n, 1, 2, 3 }, (v4){ 1, 2, 3, n });

	if (v[0] != n + 1 || v[3] != n + 3)
		return 0;
	if (__builtin_cpu_supports("avx") && !eight(n))
		return 0;
	return !__builtin_cpu_supports("avx512f") || sixteen(n);
}

#ifdef __x86_64__
/* What a callee finds: 16 general registers, the flags it may expect, MXCSR, the x87 control word, ten vectors of full width. */
struct seen {
	uint64_t general[16];
	uint32_t mxcsr, direction;
	uint16_t control, unused[3];
	uint8_t vectors[16][64] __attribute__((aligned(64)));
};
extern struct seen callee_saw;
struct seen callee_saw __attribute__((visibility("hidden")));
int callee_width __attribute__((visibility("hidden")));
void all_registers(void);

__asm__(".text\n.globl all_registers\n.type all_registers, @function\nall_registers:\n"
	"	.cfi_startproc\n"
	"	mov %rax, 0+callee_saw(%rip); mov %rcx, 8+callee_saw(%rip); mov %rdx, 16+callee_saw(%rip); mov %rbx, 24+callee_saw(%rip)\n"
	"	mov %rsp, 32+callee_saw(%rip); mov %rbp, 40+callee_saw(%rip); mov %rsi, 48+callee_saw(%rip); mov %rdi, 56+callee_saw(%rip)\n"
	"	mov %r8, 64+callee_saw(%rip); mov %r9, 72+callee_saw(%rip); mov %r10, 80+callee_saw(%rip)\n"
	"	mov %r12, 96+callee_saw(%rip); mov %r13, 104+callee_saw(%rip); mov %r14, 112+callee_saw(%rip); mov %r15, 120+callee_saw(%rip)\n"
	"	stmxcsr 128+callee_saw(%rip)\n"
	"	fnstcw 136+callee_saw(%rip)\n"
	"	lea 192+callee_saw(%rip), %r11\n"
	"	cmpl $64, callee_width(%rip)\n	je 3f\n"
	"	cmpl $32, callee_width(%rip)\n	je 2f\n"
	".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n	movups %xmm\\n, \\n*64(%r11)\n.endr\n	ret\n"
	"2:\n.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n	vmovups %ymm\\n, \\n*64(%r11)\n.endr\n	ret\n"
	"3:\n.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n	vmovups %zmm\\n, \\n*64(%r11)\n.endr\n	ret\n"
	"	.cfi_endproc\n.size all_registers, .-all_registers\n");
_Static_assert(__builtin_offsetof(struct seen, vectors) == 192, "the assembly above");

/* Arguments, %al of variadic functions, the static chain of nested ones in %r10, and the registers that callees save. */
static int registers(int n)
{
	static struct {
		uint64_t base;
		uint32_t mxcsr;
		uint16_t control, unused;
		int64_t width;
		uint8_t patterns[16][64];
	} in;
	void *where = &in;
	int ok = 1;

	in.base = 0x1111111111111111u * (unsigned)(n % 15 + 1);
	in.mxcsr = 0x1f80 | (uint32_t)(n % 4) << 13; /* rounding */
	in.control = (uint16_t)(0x037f ^ n % 4 << 8);
	in.width = callee_width = __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx") ? 32 : 16;
	memset(&callee_saw, 0, sizeof(callee_saw));
	for (int i = 0; i < 16 * 64; i++)
		in.patterns[i / 64][i % 64] = (uint8_t)(i * 7 + n);
	__asm__ volatile("sub $128, %%rsp\n	push %%rbx\n	push %%rbp\n	push %%r12\n	push %%r13\n	push %%r14\n	push %%r15\n"
			 "	mov %%rsp, %%rbp\n	sub $16, %%rsp\n	and $-64, %%rsp\n	push %%rbp\n	sub $56, %%rsp\n"
			 "	stmxcsr 8(%%rsp)\n	fnstcw 12(%%rsp)\n"
			 "	ldmxcsr 8(%0)\n	fldcw 12(%0)\n"
			 "	lea 24(%0), %%r11\n"
			 "	cmpl $64, 16(%0)\n	je 3f\n	cmpl $32, 16(%0)\n	je 2f\n"
			 ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n	movups \\n*64(%%r11), %%xmm\\n\n.endr\n	jmp 4f\n"
			 "2:\n.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n	vmovups \\n*64(%%r11), %%ymm\\n\n.endr\n	jmp 4f\n"
			 "3:\n.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n	vmovups \\n*64(%%r11), %%zmm\\n\n.endr\n"
			 "4:	mov (%0), %%rax\n"
			 "	lea 1(%%rax), %%rcx\n	lea 2(%%rax), %%rdx\n	lea 3(%%rax), %%rbx\n	lea 5(%%rax), %%rbp\n"
			 "	lea 6(%%rax), %%rsi\n	lea 7(%%rax), %%rdi\n	lea 8(%%rax), %%r8\n	lea 9(%%rax), %%r9\n	lea 10(%%rax), %%r10\n"
			 "	lea 12(%%rax), %%r12\n	lea 13(%%rax), %%r13\n	lea 14(%%rax), %%r14\n	lea 15(%%rax), %%r15\n"
			 "	call all_registers@PLT\n"
			 "	ldmxcsr 8(%%rsp)\n	fldcw 12(%%rsp)\n"
			 "	add $56, %%rsp\n	pop %%rsp\n"
			 "	pop %%r15\n	pop %%r14\n	pop %%r13\n	pop %%r12\n	pop %%rbp\n	pop %%rbx\n	add $128, %%rsp\n"
			 : "+D"(where)
			 :
			 : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			   "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	for (int i = 0; i < 16; i++) {
		ok &= i == 4 || i == 11 || callee_saw.general[i] == in.base + (uint64_t)i;
		ok &= !memcmp(callee_saw.vectors[i], in.patterns[i], (size_t)in.width);
	}
	return ok && callee_saw.mxcsr == in.mxcsr && callee_saw.control == in.control;
}
#else
static int registers(int n) { return n >= 0; }
#endif

static int all(int n)
{
	struct large l = { { n, 1, 2, 3, 4, 5, 6, 7, 8 } }, m = by_large(l, n);
	struct small s = by_small((struct small){ n, 2 * n }, 1);
	struct mixed x = by_mixed((struct mixed){ n, n });
	int ok = integers((char)(n % 100), 2, 3, 4, 5, (void *)6, 7, n) == n % 100 + 27 + n;

	ok &= doubles(n, 1, 2, 3, 4, 5, 6, 7, 8, 9) == n + 2 + 6 + 12 + 20 + 30 + 42 + 56 + 72 + 90;
	ok &= wide(n, 3, 0.5L) == 3.0L * n - 0.5L;
	ok &= huge((__int128)n << 70, n) == ((__int128)n << 70) * 3 + n;
	ok &= s.a == 2 * n + 1 && s.b == n - 1 && x.d == 2 * n && x.n == n + 1;
	ok &= m.n[n % 9] == l.n[n % 9] + n && m.n[(n + 1) % 9] == l.n[(n + 1) % 9];
	ok &= turned(n + 2.0 * I, 3.0f) == 3.0 * n + 6.0 * I && is_odd(n) == (n & 1);
	ok &= through((union both){ .n = n }).n == n;
	ok &= variadic(5, (long)n, 1.5, 2L, 2.5, 3L) == n + 9 && variadic(1, (long)n) == n;
	local = n;
	ok &= *where_local() == n;
	return ok && vectors(n) && registers(n);
}

int trap_main(int argc, char **argv)
{
	int good = 0;

	for (int n = 0; n < TIMES; n++)
		good += all(n);
	printf("%d of %d\n", good, TIMES);
	return good != TIMES;
}
