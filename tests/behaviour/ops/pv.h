/* SPDX-License-Identifier: MIT */
/* pv.h - an operations table with members of many kinds, and what tells its backends apart; C and C++. */
#ifndef TEST_OPS_PV_H
#define TEST_OPS_PV_H

#include <stdbool.h>
#include <stdint.h>

#include <relink/relink.h>

struct regs {
	uint64_t a, b, c, d;
};

#define PV_CPU_OPS(op) \
	op(unsigned long, irq_save, (void)) \
	op(void, irq_restore, (unsigned long *flags)) \
	op(struct regs, cpuid, (struct regs in, double scale)) \
	op(int, features, (int which, char how))
#define PV_MMU_OPS(op) \
	op(uint64_t, make_pte, (uint64_t value, int level)) \
	op(const char *, name, (const char *unnamed)) \
	op(double, clock, (float scale, const char *format, ...)) \
	op(bool, is_guest, (void))
#define PV_OPS(op) PV_CPU_OPS(op) PV_MMU_OPS(op)
RELINK_DECLARE_OPS(pv, PV_OPS);

/* Functions of a backend whose results carry a number. */
#define PV_FUNCTIONS(prefix, n) \
	__attribute__((unused)) static unsigned long prefix##_irq_save(void) { return n; } \
	__attribute__((unused)) static void prefix##_irq_restore(unsigned long *flags) { *flags += n; } \
	__attribute__((unused)) static struct regs prefix##_cpuid(struct regs in, double scale) \
	{ \
		struct regs out = { in.a + n, in.b + n, in.c + n, (uint64_t)((double)in.d * scale) }; \
		return out; \
	} \
	__attribute__((unused)) static int prefix##_features(int which, char how) { return which + how + n; } \
	__attribute__((unused)) static uint64_t prefix##_make_pte(uint64_t value, int level) { return value + (uint64_t)level + n; } \
	__attribute__((unused)) static const char *prefix##_name(const char *unnamed) { return unnamed ? #prefix : ""; } \
	__attribute__((unused)) static double prefix##_clock(float scale, const char *format, ...) { return format ? (double)scale * n : -1; } \
	__attribute__((unused)) static bool prefix##_is_guest(void) { return (n) != 100; }
#define PV_BACKEND(prefix) \
	{ prefix##_irq_save, prefix##_irq_restore, prefix##_cpuid, prefix##_features, prefix##_make_pte, prefix##_name, prefix##_clock, \
	  prefix##_is_guest }

#endif
