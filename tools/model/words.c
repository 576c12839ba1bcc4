/* SPDX-License-Identifier: MIT */
/* words.c - names of kinds and features, as people and scripts write them. */
#include "internal.h"
#include "layout.h"

#define NAME(list, i) ((i) >= 0 && (size_t)(i) < sizeof(list) / sizeof(*(list)) ? (list)[i] : "unknown")

const char *model_choice_kind_name(int kind)
{
	static const char *const names[] = { "key", "call", "option", "ops", "immediate", "sequence", "pointer" };

	return NAME(names, kind);
}

const char *model_site_kind_name(int kind)
{
	static const char *const names[] = { "branch", "call", "tail", "jcc", "trampoline", "lock", "immediate", "alternative",
					     "sequence", "pointer-call", "pointer-tail", "pointer-register", "pointer-got", "pointer-address" };

	return NAME(names, kind);
}

#define F(name) [RELINK_CPU_BIT_##name] = #name
static const char *const features[] = {
	F(never), F(sse3), F(ssse3), F(sse4_1), F(sse4_2), F(popcnt), F(pclmulqdq), F(aes), F(avx), F(f16c), F(fma), F(avx2), F(bmi1),
	F(bmi2), F(lzcnt), F(movbe), F(sha), F(adx), F(rdrand), F(rdseed), F(erms), F(fsrm), F(avx512f), F(avx512dq), F(avx512bw),
	F(avx512vl), F(avx512cd), F(avx512ifma), F(avx512vbmi), F(avx512vbmi2), F(avx512vnni), F(avx512bitalg), F(avx512vpopcntdq),
	F(vaes), F(vpclmulqdq), F(gfni), F(neon), F(arm_aes), F(arm_pmull), F(arm_sha2), F(arm_crc32), F(lse), F(sve), F(sve2), F(rvv),
	F(zba), F(zbb), F(zbc),
};
#undef F

const char *model_feature_name(unsigned bit)
{
	return bit < sizeof(features) / sizeof(*features) ? features[bit] : NULL;
}
