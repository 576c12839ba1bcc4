/* test: VARIANTS "-O0" "-O2" "-O2 -fPIC" "-O2 -fomit-frame-pointer -mno-red-zone" "-O3 -march=native" NOT generic thread */
/* SPDX-License-Identifier: MIT */
/* sequences.c - operands in every register, templates that fit and that do not, functions with all registers kept. */
#include <execinfo.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

RELINK_DECLARE_SEQUENCE(plus);
RELINK_SEQUENCE(plus, "the sum of two operands");
RELINK_SEQUENCE(twice, "the double of its operand");
RELINK_SEQUENCE(mark, "has no operands");
RELINK_SEQUENCE(three, "three inputs");

static struct relink_error err;

RELINK_TEMPLATE_2(plus, difference, in1, in2, "sub %\\in2, %\\in1; nop", .rank = -1); /* leaves the output alone */
RELINK_TEMPLATE_2(plus, first, out, in1, "mov %\\in1, %\\out", .rank = -1);
RELINK_TEMPLATE_2(plus, narrow, out, in2, "movl %\\in2d, %\\outd", .rank = -1);
RELINK_TEMPLATE_1(twice, zero, out, "xorl %\\outd, %\\outd", .rank = -1);
RELINK_TEMPLATE_2(twice, long_way, out, in1,
		  "mov %\\in1, %\\out; 1: add $1, %\\out; cmpq $0x12345678, %\\out; jb 1b; add %\\in1, %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, longer_way, out, in1,
		  "mov %\\in1, %\\out; add $0x11111, %\\out; add $0x22222, %\\out; add $0x33333, %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, unknown, out, in1,
		  "mov %\\in1, %\\out; .byte 0x06; add $0x11111, %\\out; add $0x22222, %\\out; nop", .rank = -1);
RELINK_TEMPLATE_0(mark, inc, "incl marks(%rip)", .rank = -1);

__attribute__((used)) int marks;

static uint64_t depth;
static uint64_t product(uint64_t a, uint64_t b) { return a * b; }
static uint64_t triple(uint64_t a) { return 3 * a; }
RELINK_SEQUENCE_CALL(plus, product, product, .rank = -1);
RELINK_SEQUENCE_CALL(twice, triple, triple, .rank = -1);
static void count_call(void) { depth++; }
static uint64_t weigh(uint64_t a, uint64_t b, uint64_t c) { return a + 10 * b + 100 * c; }

static inline __attribute__((always_inline)) uint64_t do_plus(uint64_t a, uint64_t b)
{
	uint64_t r;

	relink_wrap(plus, "lea (%[in1],%[in2]), %[out]", RELINK_OREG(r), RELINK_IREG2(a, b), RELINK_CLOBBERS("cc"));
	return r;
}

static inline __attribute__((always_inline)) uint64_t do_twice(uint64_t a)
{
	uint64_t r;

	relink_wrap(twice, "lea (%[in1],%[in1]), %[out]", RELINK_OREG(r), RELINK_IREG1(a), RELINK_CLOBBERS("cc", "memory"));
	return r;
}

static __attribute__((noinline)) void do_mark(void)
{
	relink_wrap(mark, "nop", RELINK_NO_OUTPUT, RELINK_NO_INPUT, RELINK_CLOBBERS());
}

static __attribute__((noinline)) uint64_t do_three(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t r;

	relink_wrap(three, "mov %[in3], %[out]", RELINK_OREG(r), RELINK_IREG3(a, b, c), RELINK_CLOBBERS("rcx", "r9", "cc"));
	return r;
}

/* Every pair of registers that compilers may pick. */
#define IN(reg, value) register uint64_t in_##reg __asm__(#reg) = (value)
#define PAIR(a, b) \
	static __attribute__((noinline)) uint64_t plus_##a##_##b(uint64_t x, uint64_t y) \
	{ \
		uint64_t r; \
		IN(a, x); \
		IN(b, y); \
		__asm__ volatile("" : "+r"(in_##a), "+r"(in_##b)); \
		relink_wrap(plus, "lea (%[in1],%[in2]), %[out]", RELINK_OREG(r), RELINK_IREG2(in_##a, in_##b), RELINK_CLOBBERS("cc")); \
		return r; \
	}
#define EACH_PAIR(M) M(rdi, rsi) M(rsi, rdi) M(rdx, rdi) M(rsi, rdx) M(rax, rcx) M(rbx, r12) M(r13, r8) M(r15, rax) M(r9, r14) M(r11, r10)
EACH_PAIR(PAIR)
#define PAIR_NAME(a, b) { #a " " #b, plus_##a##_##b },
static const struct { const char *name; uint64_t (*fn)(uint64_t x, uint64_t y); } pairs[] = { EACH_PAIR(PAIR_NAME) };

static int set(const char *name, const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	return relink_commit(&c, RELINK_STARTUP, &err);
}

static uint64_t want(const char *state, uint64_t a, uint64_t b)
{
	return !strcmp(state, "native") ? a + b : !strcmp(state, "first") ? a : !strcmp(state, "narrow") ? (uint32_t)b : a * b;
}

static void test_registers(void)
{
	static const char *const states[] = { "native", "first", "narrow", "product", "native", "product", "first", "native" };

	for (unsigned i = 0; i < COUNT(states); i++) {
		CHECK_CODE(set("plus", states[i]), RELINK_OK, &err);
		for (unsigned k = 0; k < COUNT(pairs); k++) {
			uint64_t a = 1000 + k, b = (UINT64_C(7) << 33) + i, r = pairs[k].fn(a, b);

			CHECKF(r == want(states[i], a, b), "%s in %s: %llu", states[i], pairs[k].name, (unsigned long long)r);
		}
		CHECK(do_plus(3, 4) == want(states[i], 3, 4));
	}
}

static void test_copy(void)
{
	CHECK_CODE(set("twice", "long_way"), RELINK_OK, &err);
	CHECK(do_twice(5) == 0x12345678 + 5 && do_twice(0x12345678) == 2 * 0x12345678 + 1u);
	CHECK_CODE(set("twice", "zero"), RELINK_OK, &err);
	CHECK(do_twice(5) == 0);
	CHECK_CODE(set("twice", "long_way"), RELINK_OK, &err);
	CHECK(do_twice(7) == 0x12345678 + 7);
	/* From copy to copy, where the site itself stays. */
	CHECK_CODE(set("twice", "longer_way"), RELINK_OK, &err);
	CHECK(do_twice(7) == 0x66666 + 7);
	CHECK_CODE(set("twice", "long_way"), RELINK_OK, &err);
	CHECK(do_twice(7) == 0x12345678 + 7);
	CHECK_CODE(set("twice", "unknown"), RELINK_E_BYTES, &err);
	CHECK(do_twice(7) == 0x12345678 + 7);
	CHECK_CODE(set("twice", "native"), RELINK_OK, &err);
	CHECK_CODE(set("twice", "unknown"), RELINK_E_BYTES, &err);
	CHECK(do_twice(5) == 10);
}

static void test_mark(void)
{
	do_mark();
	CHECK(marks == 0 && depth == 0);
	CHECK_CODE(set("mark", "inc"), RELINK_OK, &err);
	do_mark();
	do_mark();
	CHECK(marks == 2);
	CHECK_CODE(relink_sequence_set(mark, count_call, &err), RELINK_OK, &err);
	do_mark();
	CHECK(marks == 2 && depth == 1);
	CHECK_CODE(relink_sequence_clear(mark, &err), RELINK_OK, &err);
	do_mark();
	CHECK(marks == 2 && depth == 1);
	CHECK(do_three(1, 2, 3) == 3);
	CHECK_CODE(relink_sequence_set(three, weigh, &err), RELINK_OK, &err);
	CHECK(do_three(1, 2, 3) == 321);
}

/* A leaf keeps its data in the red zone, and values in all registers. */
static __attribute__((noinline)) uint64_t leaf(uint64_t seed)
{
	volatile uint64_t room[12];
	uint64_t sum = 0, a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13;
	double x = (double)seed;

	for (unsigned i = 0; i < 12; i++)
		room[i] = seed + i;
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+x"(x));
	sum += do_twice(seed);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+x"(x));
	for (unsigned i = 0; i < 12; i++)
		sum += room[i];
	return sum + a + b + c + d + e + f + (uint64_t)x;
}

/* Uses the stack as aligned, many registers, and vectors. */
static uint64_t greedy(uint64_t a)
{
	_Alignas(16) volatile unsigned char room[512];
	double sum = 0;

	CHECK(((uintptr_t)room & 15) == 0);
	for (unsigned i = 0; i < sizeof(room); i++)
		room[i] = (unsigned char)(i * a);
	for (unsigned i = 0; i < sizeof(room); i++)
		sum += room[i];
	__asm__ volatile("" : : : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm7", "xmm15", "cc");
	return 2 * a + (sum < 0);
}

/* Values on the floating-point stack, which a function wants to be empty. */
static __attribute__((noinline)) long double floats(long double x, uint64_t seed)
{
	long double a = x * 3, b = x + 5, c = x - 7, d = x * x;
	uint64_t r = do_twice(seed);

	return r + a * b + c * d + (a - d) * (b - c);
}

static uint64_t float_user(uint64_t a)
{
	volatile long double v[9];
	long double product;

	for (unsigned i = 0; i < COUNT(v); i++)
		v[i] = (long double)(a + i);
	product = (v[0] + v[1]) * ((v[2] + v[3]) * ((v[4] + v[5]) * ((v[6] + v[7]) * (v[8] + (v[1] + (v[3] + v[5]))))));
	return 2 * a + (product < 0);
}

static void test_floats(void)
{
	volatile long double x = 11;
	long double native = floats(x, 5);

	CHECK_CODE(relink_sequence_set(twice, float_user, &err), RELINK_OK, &err);
	CHECKF(floats(x, 5) == native, "%Lg, not %Lg", floats(x, 5), native);
	CHECK_CODE(relink_sequence_clear(twice, &err), RELINK_OK, &err);
}

static void test_kept(void)
{
	uint64_t native = leaf(17);

	CHECK_CODE(relink_sequence_set(twice, greedy, &err), RELINK_OK, &err);
	CHECK(leaf(17) == native);
	CHECK_CODE(relink_sequence_clear(twice, &err), RELINK_OK, &err);
	CHECK(leaf(17) == native);
}

/* Backtraces lead through the thunk to the function whose site it serves, and to its callers. */
static void *frames[32];
static int frame_count;

static __attribute__((noinline)) uint64_t look_back(uint64_t a)
{
	frame_count = backtrace(frames, COUNT(frames));
	return a;
}

static __attribute__((noinline)) uint64_t outer(uint64_t x)
{
	uint64_t r = do_twice(x) + 1;

	__asm__ volatile("" : "+r"(r));
	return r;
}

static void test_backtrace(void)
{
	int direct;

	look_back(0);
	direct = frame_count;
	CHECK_CODE(relink_sequence_set(twice, look_back, &err), RELINK_OK, &err);
	frame_count = 0;
	CHECK(outer(4) == 5);
	CHECKF(frame_count == direct + 2, "%d frames, not %d + 2", frame_count, direct);
	CHECK_CODE(relink_sequence_clear(twice, &err), RELINK_OK, &err);
}

static int count_site(const struct relink_site_info *site, void *count)
{
	*(unsigned *)count += site->kind == RELINK_SITE_SEQUENCE && !strcmp(site->choice, "plus") && site->reason == RELINK_BOUND;
	return 0;
}

static void test_listing(void)
{
	unsigned count = 0;

	CHECK(relink_each_site(count_site, &count) == 0);
	CHECKF(count >= COUNT(pairs) + 1, "%u sites", count);
	CHECK_CODE(set("plus", "nothing"), RELINK_E_STATE, &err);
	CHECK(strstr(err.text, "native") && strstr(err.text, "product"));
	/* A template that speaks of an operand that the place does not have. */
	CHECK_CODE(set("plus", "difference"), RELINK_OK, &err);
	CHECK_CODE(set("plus", "native"), RELINK_OK, &err);
}

/* Several instructions: not while somebody may be between them. The native text is there, to the byte, when it is asked for again. */
static void *wait_for(void *flag)
{
	while (!__atomic_load_n((bool *)flag, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static void test_threads(void)
{
	unsigned char before[16], after[16];
	bool flag = false;
	pthread_t thread;

	memcpy(before, (const void *)(uintptr_t)do_mark, sizeof(before));
	pthread_create(&thread, NULL, wait_for, &flag);
	CHECK_CODE(relink_sequence_set(mark, count_call, &err), RELINK_E_MODE, &err);
	CHECK(strstr(err.text, "mark"));
	do_mark();
	CHECK(depth == 1);
	__atomic_store_n(&flag, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	CHECK_CODE(relink_sequence_set(mark, count_call, &err), RELINK_OK, &err);
	do_mark();
	CHECK(depth == 2);
	CHECK_CODE(relink_sequence_clear(mark, &err), RELINK_OK, &err);
	memcpy(after, (const void *)(uintptr_t)do_mark, sizeof(after));
	CHECK(!memcmp(before, after, sizeof(before)));
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == 0);
	if (strncmp(status.mode, "direct", 6)) {
		printf("skipped: %s\n", status.mode);
		return 77;
	}
	CHECK(do_plus(3, 4) == 7 && do_twice(4) == 8 && outer(4) == 9);
	test_registers();
	test_copy();
	test_mark();
	test_kept();
	test_floats();
	test_backtrace();
	test_threads();
	test_listing();
	return check_done();
}
