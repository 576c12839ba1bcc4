/* SPDX-License-Identifier: MIT */
/* cpu.c - which features the processor has and the operating system lets us use. */
#include <relink/cpu.h>

#include "platform/platform.h"

uint64_t rl_cpu_features(void);

#ifdef __x86_64__
#include <cpuid.h>

struct leaf {
	unsigned a, b, c, d;
};

static struct leaf leaf(unsigned number, unsigned sub)
{
	struct leaf l = { 0, 0, 0, 0 };

	__get_cpuid_count(number, sub, &l.a, &l.b, &l.c, &l.d);
	return l;
}

/* Which register files the kernel saves: XCR0. */
static unsigned saved_state(const struct leaf *one)
{
	unsigned low, high;

	if (!(one->c & (1u << 27))) /* OSXSAVE */
		return 0;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

#define HAS(reg, bit, name) (((reg) >> (bit) & 1) ? RELINK_CPU(name) : 0)

static uint64_t baseline(const struct leaf *one, const struct leaf *seven, const struct leaf *extended)
{
	return HAS(one->c, 0, sse3) | HAS(one->c, 9, ssse3) | HAS(one->c, 19, sse4_1) | HAS(one->c, 20, sse4_2) |
	       HAS(one->c, 23, popcnt) | HAS(one->c, 1, pclmulqdq) | HAS(one->c, 25, aes) | HAS(one->c, 22, movbe) |
	       HAS(one->c, 30, rdrand) | HAS(seven->b, 3, bmi1) | HAS(seven->b, 8, bmi2) | HAS(seven->b, 29, sha) |
	       HAS(seven->b, 19, adx) | HAS(seven->b, 18, rdseed) | HAS(seven->b, 9, erms) | HAS(seven->d, 4, fsrm) |
	       HAS(seven->c, 8, gfni) | HAS(extended->c, 5, lzcnt);
}

static uint64_t with_ymm(const struct leaf *one, const struct leaf *seven)
{
	return HAS(one->c, 28, avx) | HAS(one->c, 29, f16c) | HAS(one->c, 12, fma) | HAS(seven->b, 5, avx2) |
	       HAS(seven->c, 9, vaes) | HAS(seven->c, 10, vpclmulqdq);
}

static uint64_t with_zmm(const struct leaf *seven)
{
	return HAS(seven->b, 16, avx512f) | HAS(seven->b, 17, avx512dq) | HAS(seven->b, 30, avx512bw) | HAS(seven->b, 31, avx512vl) |
	       HAS(seven->b, 28, avx512cd) | HAS(seven->b, 21, avx512ifma) | HAS(seven->c, 1, avx512vbmi) |
	       HAS(seven->c, 6, avx512vbmi2) | HAS(seven->c, 11, avx512vnni) | HAS(seven->c, 12, avx512bitalg) |
	       HAS(seven->c, 14, avx512vpopcntdq);
}

uint64_t rl_cpu_features(void)
{
	struct leaf one = leaf(1, 0), seven = leaf(7, 0), extended = leaf(0x80000001u, 0);
	unsigned saved = saved_state(&one);
	uint64_t features = baseline(&one, &seven, &extended);

	if ((saved & 0x06) == 0x06)
		features |= with_ymm(&one, &seven);
	if ((saved & 0xe6) == 0xe6)
		features |= with_zmm(&seven);
	return features;
}
#else
uint64_t rl_cpu_features(void)
{
	return 0;
}
#endif
