// test: LOCKS VARIANTS "-O0" "-O2" "-O2 -fPIC" NOT thread address FLAGS -mno-red-zone
/* SPDX-License-Identifier: MIT */
/* Alternatives, features and the lock prefix under the kernel's names: one test for each thing that its documentation says. */
#include <pthread.h>

#include "check.h"
#include <relink/linux.h>

#ifdef __x86_64__

#define HAVE X86_FEATURE_ALWAYS
#define LACK ALT_NOT(X86_FEATURE_ALWAYS)

/* Alternatives that nobody decides on are the old code. */
static bool decided;
static int want(int new, int old) { return decided ? new : old; }

/* "If the feature is set, the new instruction is there" */
static __attribute__((noinline)) int one(int n)
{
	alternative_io("leal 1(%[n]), %[out]", "leal 2(%[n]), %[out]", HAVE, [out] "=r"(n), [n] "r"(n));
	return n;
}

static __attribute__((noinline)) int not_one(int n)
{
	alternative_io("leal 1(%[n]), %[out]", "leal 2(%[n]), %[out]", LACK, [out] "=r"(n), [n] "r"(n));
	return n;
}

static void test_alternative(void)
{
	CHECKF(one(10) == want(12, 11) && not_one(10) == 11, "%d and %d", one(10), not_one(10));
}

/* ALT_NOT is the absence of a feature, and its absence the feature. */
static __attribute__((noinline)) int by_not(void)
{
	int n;

	__asm__ volatile(ALTERNATIVE("movl $1, %0", "movl $2, %0", ALT_NOT(X86_FEATURE_AVX2)) : "=r"(n));
	return n;
}

static void test_not(void)
{
	CHECK(by_not() == want(boot_cpu_has(X86_FEATURE_AVX2) ? 1 : 2, 1));
	CHECK(boot_cpu_has(ALT_NOT(X86_FEATURE_AVX2)) == !boot_cpu_has(X86_FEATURE_AVX2));
	CHECK(ALT_NOT(ALT_NOT(X86_FEATURE_AVX2)) == X86_FEATURE_AVX2);
}

/* Of several the last one that holds is there. */
#define ORDER(name, f1, f2) \
	static __attribute__((noinline)) int order_##name(void) \
	{ \
		int n; \
		__asm__ volatile(ALTERNATIVE_2("movl $1, %0", "movl $2, %0", f1, "movl $3, %0", f2) : "=r"(n)); \
		return n; \
	}
ORDER(00, LACK, LACK)
ORDER(01, LACK, HAVE)
ORDER(10, HAVE, LACK)
ORDER(11, HAVE, HAVE)
static __attribute__((noinline)) int order_101(void)
{
	int n;

	__asm__ volatile(ALTERNATIVE_3("movl $1, %0", "movl $2, %0", HAVE, "movl $3, %0", HAVE, "movl $4, %0", LACK) : "=r"(n));
	return n;
}

static void test_order(void)
{
	CHECK(order_00() == 1 && order_01() == want(3, 1) && order_10() == want(2, 1) && order_11() == want(3, 1));
	CHECK(order_101() == want(3, 1));
}

/* "If the feature is set, patch in yes, otherwise no": the old text is never left. */
static __attribute__((noinline)) int ternary(bool have)
{
	int n, m;

	__asm__ volatile(ALTERNATIVE_TERNARY("movl $1, %0", HAVE, "movl $2, %0", "movl $3, %0") : "=r"(n));
	__asm__ volatile(ALTERNATIVE_TERNARY("movl $1, %0", LACK, "movl $2, %0", "movl $3, %0") : "=r"(m));
	return have ? n : m;
}

static void test_ternary(void)
{
	CHECK(ternary(true) == want(2, 1) && ternary(false) == want(3, 1));
}

/* "oldinstr is padded at compile time if the new one is longer", and the new one by nops if it is shorter. */
static __attribute__((noinline)) int padded(void)
{
	int n = 0, m = 0;

	__asm__ volatile(ALTERNATIVE("incl %0", "addl $1, %0; addl $0x11111111, %0; subl $0x11111111, %0; incl %0", HAVE) : "+r"(n) : : "cc");
	__asm__ volatile(ALTERNATIVE("addl $1, %0; addl $0x11111111, %0; subl $0x11111111, %0; incl %0", "incl %0", HAVE) : "+r"(m) : : "cc");
	return 10 * n + m;
}

static __attribute__((noinline)) int nothing(void)
{
	int n = 5;

	alternative("", "nop; nop; nop", HAVE);
	__asm__ volatile(ALTERNATIVE("incl %0; incl %0; incl %0", "", HAVE) : "+r"(n) : : "cc");
	return n;
}

static void test_padding(void)
{
	CHECKF(padded() == want(21, 12), "%d", padded());
	CHECKF(nothing() == want(5, 8), "%d", nothing());
}

/* alternative and alternative_2 clobber memory. */
static int number;
static __attribute__((noinline)) int through_memory(int n)
{
	static int *volatile at = &number;
	int sum;

	number = n;
	alternative("nop", "nop; nop", HAVE);
	*at += 1;
	alternative_2("nop", "", LACK, "nop; nop", HAVE);
	sum = number;
	*at += 1;
	alternative_ternary("nop", LACK, "ud2", "nop");
	return 10 * sum + number;
}

static void test_memory(void)
{
	if (decided)
		CHECK(through_memory(1) == 23);
}

/* "Argument numbers start with 1"; inputs may be followed by clobbers. */
static __attribute__((noinline)) int with_input(int n)
{
	int stored = 0;

	alternative_input("movl %1, (%2)", "movl %1, (%2); incl (%2)", HAVE, "r"(n), "r"(&stored) : "memory", "cc");
	alternative_input("nop", "nop; nop", HAVE, ASM_NO_INPUT_CLOBBER("memory"));
	return stored;
}

static void test_input(void)
{
	CHECKF(with_input(6) == want(7, 6), "%d", with_input(6));
}

/* One output, or two. */
static __attribute__((noinline)) int with_outputs(int n)
{
	int a, b;

	alternative_io("movl %[n], %[a]; movl $1, %[b]", "movl $2, %[a]; movl %[n], %[b]", HAVE, ASM_OUTPUT2([a] "=&r"(a), [b] "=&r"(b)),
		       [n] "r"(n));
	return 100 * a + b;
}

static __attribute__((noinline)) int numbered(int n)
{
	int out;

	alternative_io("movl %2, %0", "leal 1(%2), %0", HAVE, "=r"(out), "r"(n));
	return out;
}

static void test_io(void)
{
	CHECKF(with_outputs(7) == want(207, 701), "%d", with_outputs(7));
	CHECKF(numbered(7) == want(8, 7), "%d", numbered(7));
}

/* "Like alternative_io, but for replacing a direct call with another one." */
static __attribute__((noinline)) long call_old(long n) { return n + 1; }
static __attribute__((noinline)) long call_new(long n) { return n + 2; }
__attribute__((noinline)) long call_other(long n);
__attribute__((noinline)) long call_other(long n) { return n + 3; }
#define CALL_CLOBBERS "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc"

static __attribute__((noinline)) long by_call(long n)
{
	long out;

	alternative_call(call_old, call_new, HAVE, "=a"(out), "D"(n) : CALL_CLOBBERS);
	return out;
}

static __attribute__((noinline)) long by_call_2(long n)
{
	long out;

	alternative_call_2(call_old, call_new, HAVE, call_other, HAVE, "=a"(out), "D"(n) : CALL_CLOBBERS);
	return out;
}

static void test_call(void)
{
	CHECKF(by_call(10) == want(12, 11), "%ld", by_call(10));
	CHECKF(by_call_2(10) == want(13, 11), "%ld", by_call_2(10));
}

/* ---- features ---- */

/* static_cpu_has is "used the same as boot_cpu_has", in every place where an expression may be. */
#define FEATURES(F) \
	F(XMM3) F(SSSE3) F(XMM4_1) F(XMM4_2) F(POPCNT) F(PCLMULQDQ) F(AES) F(AVX) F(F16C) F(FMA) F(AVX2) F(BMI1) F(BMI2) F(ABM) F(MOVBE) \
	F(SHA_NI) F(ADX) F(RDRAND) F(RDSEED) F(ERMS) F(FSRM) F(AVX512F) F(AVX512DQ) F(AVX512BW) F(AVX512VL) F(AVX512CD) F(AVX512IFMA) \
	F(AVX512VBMI) F(AVX512_VBMI2) F(AVX512_VNNI) F(AVX512_BITALG) F(AVX512_VPOPCNTDQ) F(VAES) F(VPCLMULQDQ) F(GFNI) F(ALWAYS) F(FPU) \
	F(TSC) F(CX8) F(CMOV) F(FXSR) F(MMX) F(XMM) F(XMM2) F(LM)
#define SAME(f) \
	CHECKF(static_cpu_has(X86_FEATURE_##f) == boot_cpu_has(X86_FEATURE_##f), "X86_FEATURE_" #f); \
	CHECKF(static_cpu_has(ALT_NOT(X86_FEATURE_##f)) != boot_cpu_has(X86_FEATURE_##f), "ALT_NOT(X86_FEATURE_" #f ")"); \
	CHECKF(cpu_feature_enabled(X86_FEATURE_##f) == boot_cpu_has(X86_FEATURE_##f), "X86_FEATURE_" #f);

static void test_features(void)
{
	FEATURES(SAME)
}

static __attribute__((noinline)) int has(void)
{
	if (static_cpu_has(X86_FEATURE_XMM2))
		return 1;
	return 2;
}

static __attribute__((noinline)) int has_not(void)
{
	if (!static_cpu_has(X86_FEATURE_ALWAYS) || static_cpu_has(LACK))
		return 1;
	return static_cpu_has(X86_FEATURE_LM) && !static_cpu_has(ALT_NOT(X86_FEATURE_LM)) ? 2 : 3;
}

/* Features of the processor, as the compiler's own test says. */
static void test_processor(void)
{
	CHECK(has() == 1 && has_not() == 2);
	CHECK(boot_cpu_has(X86_FEATURE_XMM4_2) == !!__builtin_cpu_supports("sse4.2"));
	CHECK(boot_cpu_has(X86_FEATURE_POPCNT) == !!__builtin_cpu_supports("popcnt"));
	CHECK(boot_cpu_has(X86_FEATURE_AVX2) == !!__builtin_cpu_supports("avx2"));
	CHECK(!boot_cpu_has(LACK) && boot_cpu_has(X86_FEATURE_ALWAYS));
}

/* Before anything is decided it asks. This runs before relink's own constructors. */
static int early = -1;
static void __attribute__((constructor(101))) ask_early(void)
{
	early = 10 * has() + has_not();
}

static void test_early(void)
{
	CHECKF(early == 12, "%d", early);
}

struct sites {
	unsigned all, bound, locks;
	unsigned char lock;
};

static int count_sites(const struct relink_site_info *site, void *ctx)
{
	struct sites *s = ctx;

	if (site->kind == RELINK_SITE_ALTERNATIVE) {
		s->all++;
		s->bound += site->reason == RELINK_BOUND;
	}
	if (site->kind == RELINK_SITE_LOCK) {
		s->locks++;
		s->lock = *(const volatile unsigned char *)site->address;
	}
	return 0;
}

/* "It statically patches the target code": nothing is left to ask, and one instruction of 5 bytes to run. */
static __attribute__((noinline)) int falls(void) { return static_cpu_has(X86_FEATURE_ALWAYS) ? 1 : 2; }
static __attribute__((noinline)) int jumps(void) { return static_cpu_has(LACK) ? 1 : 2; }

static int first_byte(const struct relink_site_info *site, void *ctx)
{
	uintptr_t in = *(uintptr_t *)ctx;

	if (site->kind != RELINK_SITE_ALTERNATIVE || site->address < in || site->address > in + 48)
		return 0;
	return *(const volatile unsigned char *)site->address;
}

static void test_sites(void)
{
	struct sites s = { 0, 0, 0, 0 };
	uintptr_t in_falls = (uintptr_t)falls, in_jumps = (uintptr_t)jumps;

	CHECK(falls() == 1 && jumps() == 2);
	relink_each_site(count_sites, &s);
	CHECKF(!RELINK_PATCHES_ || (s.all > 30 && (!decided || s.bound == s.all)), "%u of %u", s.bound, s.all);
#ifdef __OPTIMIZE__
	if (decided) {
		CHECKF(relink_each_site(first_byte, &in_falls) == 0x0f, "%02x", (unsigned)relink_each_site(first_byte, &in_falls));
		CHECKF(relink_each_site(first_byte, &in_jumps) == 0xe9, "%02x", (unsigned)relink_each_site(first_byte, &in_jumps));
	}
#else
	(void)first_byte, (void)in_falls, (void)in_jumps;
#endif
}

/* ---- the lock prefix ---- */

static int shared;
static inline void add_one(int *v)
{
	__asm__ volatile(LOCK_PREFIX "incl %0" : "+m"(*v) : : "cc");
}

static inline int fetch_add(int *v, int n)
{
	__asm__ volatile(LOCK_PREFIX "xaddl %0, %1" : "+r"(n), "+m"(*v) : : "memory", "cc");
	return n;
}

static void *count_up(void *unused)
{
	for (int i = 0; i < 100000; i++) {
		add_one(&shared);
		fetch_add(&shared, 1);
	}
	return unused;
}

/* Atomic between threads. */
static void test_lock(void)
{
	pthread_t threads[2];
	struct sites s = { 0, 0, 0, 0 };

	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, count_up, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	CHECKF(shared == 400000, "%d", shared);
	relink_each_site(count_sites, &s);
	CHECKF(!RELINK_PATCHES_ || (s.locks >= 2 && s.lock == 0xf0), "%u, %02x", s.locks, s.lock);
}

/* One processor, or one thread, needs none: the instruction does the same without it. */
static void test_no_lock(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct sites s = { 0, 0, 0, 0 };
	struct relink_error err;

	if (!decided)
		return;
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err); /* of the tests before */
	relink_set(&c, "locks", "off");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	relink_each_site(count_sites, &s);
	CHECKF(s.locks >= 2 && s.lock != 0xf0, "%u, %02x", s.locks, s.lock);
	shared = 5;
	add_one(&shared);
	CHECK(fetch_add(&shared, 3) == 6 && shared == 9);
	relink_unset(&c, "locks");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == 0);
	decided = RELINK_PATCHES_ && !strncmp(status.mode, "direct", 6);
	test_alternative();
	test_not();
	test_order();
	test_ternary();
	test_padding();
	test_memory();
	test_input();
	test_io();
	test_call();
	test_features();
	test_processor();
	test_early();
	test_sites();
	test_lock();
	test_no_lock();
	return check_done();
}

#else

int main(void)
{
	check_skip("instructions of x86-64");
}

#endif
