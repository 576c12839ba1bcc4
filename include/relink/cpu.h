/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - CPU features as facts. RELINK_CPU(sse4_2, avx2) is a mask for `.needs`: all of them.
 *
 * A feature is there when the processor has it and the operating system saves its registers. Names of all
 * architectures exist everywhere, so that variants need no #ifdef; foreign ones are never there.
 */
#ifndef RELINK_CPU_H
#define RELINK_CPU_H

#include <relink/detail/base.h>

enum relink_cpu_bit {
	RELINK_CPU_BIT_never = 0, /* no machine has it */
	/* x86 */
	RELINK_CPU_BIT_sse3, RELINK_CPU_BIT_ssse3, RELINK_CPU_BIT_sse4_1, RELINK_CPU_BIT_sse4_2, RELINK_CPU_BIT_popcnt,
	RELINK_CPU_BIT_pclmulqdq, RELINK_CPU_BIT_aes, RELINK_CPU_BIT_avx, RELINK_CPU_BIT_f16c, RELINK_CPU_BIT_fma,
	RELINK_CPU_BIT_avx2, RELINK_CPU_BIT_bmi1, RELINK_CPU_BIT_bmi2, RELINK_CPU_BIT_lzcnt, RELINK_CPU_BIT_movbe,
	RELINK_CPU_BIT_sha, RELINK_CPU_BIT_adx, RELINK_CPU_BIT_rdrand, RELINK_CPU_BIT_rdseed, RELINK_CPU_BIT_erms,
	RELINK_CPU_BIT_fsrm, RELINK_CPU_BIT_avx512f, RELINK_CPU_BIT_avx512dq, RELINK_CPU_BIT_avx512bw,
	RELINK_CPU_BIT_avx512vl, RELINK_CPU_BIT_avx512cd, RELINK_CPU_BIT_avx512ifma, RELINK_CPU_BIT_avx512vbmi,
	RELINK_CPU_BIT_avx512vbmi2, RELINK_CPU_BIT_avx512vnni, RELINK_CPU_BIT_avx512bitalg,
	RELINK_CPU_BIT_avx512vpopcntdq, RELINK_CPU_BIT_vaes, RELINK_CPU_BIT_vpclmulqdq, RELINK_CPU_BIT_gfni,
	/* arm64 */
	RELINK_CPU_BIT_neon, RELINK_CPU_BIT_arm_aes, RELINK_CPU_BIT_arm_pmull, RELINK_CPU_BIT_arm_sha2,
	RELINK_CPU_BIT_arm_crc32, RELINK_CPU_BIT_lse, RELINK_CPU_BIT_sve, RELINK_CPU_BIT_sve2,
	/* riscv */
	RELINK_CPU_BIT_rvv, RELINK_CPU_BIT_zba, RELINK_CPU_BIT_zbb, RELINK_CPU_BIT_zbc,
};

#define RELINK_CPU(...) (0 RELINK_EACH_(RELINK_CPU_OR_, ~, __VA_ARGS__))
#define RELINK_CPU_OR_(x, i, feature) | (1ull << RELINK_CPU_BIT_##feature)

#endif
