// test: FLAGS -Wno-c++20-extensions VARIANTS "-O0" "-O2" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/* Operations tables in C++: backends are constants, too, and bound before any constructor of the program runs. */
#include "check.h"
#include "ops/pv.h"

#define PVOP_TABLE pv
#include <relink/pvop.h>

PV_FUNCTIONS(native, 100)
PV_FUNCTIONS(xen, 200)
static const struct pv_ops native_pv = PV_BACKEND(native);
extern const struct pv_ops xen_pv;
constexpr int features = 3;
RELINK_OP_CONST(pv, features, three_features, features);
RELINK_OP_CONST(pv, name, low_name, (const char *)0x1000);
const struct pv_ops xen_pv = { xen_irq_save, RELINK_OP_NOP(pv, irq_restore), xen_cpuid, three_features, RELINK_OP_IDENTITY(pv, make_pte),
			       low_name, nullptr, nullptr };
RELINK_DEFINE_OPS(pv, PV_OPS, native_pv, "in C++");
RELINK_BACKEND(pv, xen_pv, .rank = -1);

namespace {

struct early {
	unsigned long save = pv_irq_save();
} early_object;

relink_error err;

void check_native()
{
	unsigned long flags = 7;

	pv_irq_restore(&flags);
	CHECK(pv_irq_save() == 100 && flags == 107 && pv_features(1, 2) == 103 && pv_make_pte(40, 1) == 141);
	CHECK(!strcmp(pv_name("x"), "native") && pv_clock(2, "") == 200 && !pv_is_guest() && relink_ops_bound(pv) == &native_pv);
}

void check_xen()
{
	unsigned long flags = 7;

	PVOP_VCALL1(irq_restore, &flags);
	CHECK(pv_irq_save() == 200 && flags == 7 && pv_features(1, 2) == 3 && PVOP_CALL2(uint64_t, make_pte, 1ull << 41, 1) == 1ull << 41);
	CHECK(pv_name("x") == (const char *)0x1000 && pv_clock(2, "") == 0 && !pv_is_guest() && relink_ops_bound(pv) == &xen_pv);
	CHECK(pv_cpuid({ 1, 2, 3, 4 }, 2).a == 201);
}

}

int main()
{
	struct relink_commit c = RELINK_COMMIT;

	check_allow_stores();
	CHECK(early_object.save == 100);
	check_native();
	CHECK_CODE(relink_bind_ops(pv, &xen_pv, &err), RELINK_OK, &err);
	check_xen();
	CHECK_CODE(relink_unbind_ops(pv, &err), RELINK_OK, &err);
	check_native();
	relink_set_ops(&c, pv, &xen_pv);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_xen();
	return check_done();
}
