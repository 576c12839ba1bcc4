/* SPDX-License-Identifier: MIT */
/* guest.h - a backend that comes with a module, which calls the table's members itself. */
#ifndef TEST_OPS_GUEST_H
#define TEST_OPS_GUEST_H

#include "pv.h"

PV_FUNCTIONS(guest, 700)
RELINK_OP_CONST(pv, features, guest_none, 9);
static const struct pv_ops guest_pv = {
	guest_irq_save, RELINK_OP_NOP(pv, irq_restore), guest_cpuid, guest_none, RELINK_OP_IDENTITY(pv, make_pte), guest_name, guest_clock,
	guest_is_guest
};
RELINK_BACKEND(pv, guest_pv, .rank = 50);

/* Not registered; the program binds it. */
static const struct pv_ops hidden_pv = PV_BACKEND(guest);

struct guest_says {
	unsigned long save, flags;
	int features;
	uint64_t pte;
	const struct pv_ops *hidden;
};
struct guest_says guest_says(void);
struct guest_says guest_says(void)
{
	struct guest_says s = { pv_irq_save(), 7, pv_features(1, 2), pv_make_pte(40, 1), &hidden_pv };

	pv_irq_restore(&s.flags);
	return s;
}

#endif
