/* SPDX-License-Identifier: MIT */
/* Who chooses a backend: the best one, a choice function, file and environment, the command line; a final table for good. */
#include "check.h"
#include "choices/run.h"
#include "ops/pv.h"

PV_FUNCTIONS(native, 100)
PV_FUNCTIONS(xen, 200)
PV_FUNCTIONS(kvm, 300)
static const struct pv_ops native_pv = PV_BACKEND(native);
static const struct pv_ops xen_pv = PV_BACKEND(xen);
static const struct pv_ops kvm_pv = PV_BACKEND(kvm);
static int on_xen(void) { return getenv("ON_XEN") != NULL; }
RELINK_DEFINE_OPS(pv, PV_OPS, native_pv, "chosen in many ways");
RELINK_BACKEND(pv, xen_pv, .condition = on_xen, .rank = 5);
RELINK_BACKEND(pv, kvm_pv, .rank = -1);
static const char *choose(const struct relink_facts *facts) { return facts->cpus && getenv("CHOOSE_KVM") ? "kvm_pv" : NULL; }
RELINK_CHOOSE(pv, choose);

#define BUS_OPS(op) op(int, width, (void)) op(int, speed, (int gear))
RELINK_DECLARE_OPS(bus, BUS_OPS);
static int isa_width(void) { return 8; }
static int pci_width(void) { return 32; }
static int any_speed(int gear) { return gear * 33; }
static const struct bus_ops isa_bus = { isa_width, any_speed };
static const struct bus_ops pci_bus = { pci_width, any_speed };
RELINK_DEFINE_OPS(bus, BUS_OPS, isa_bus, "decided once", RELINK_FINAL | RELINK_NONFORCIBLE);
RELINK_BACKEND(bus, pci_bus);

static struct relink_error err;

/* The program that is started: says what it has, and what came of it. */
static int child(int argc, char **argv)
{
	struct relink_status s = { .size = sizeof(s) };
	int r = relink_init(&argc, argv, &err);

	printf("%s: pv %lu features %d bus %d %d argc %d\n", relink_code_name(r), pv_irq_save(), pv_features(0, 0), bus_width(), bus_speed(2),
	       argc);
	printf("error: %s\n", r ? relink_error_text(&err) : "none");
	relink_get_status(&s);
	printf("notes: %s\n", s.notes);
	printf("again: %s\n", relink_code_name(relink_bind_ops(bus, &pci_bus, &err)));
	printf("width: %d\n", bus_width());
	return 0;
}

static const char *output(const char *list, const char *variable, const char *another)
{
	static struct run r;

	r = (struct run){ .argv = { "child", list ? "--relink" : NULL, list }, .environment = { variable, variable ? another : NULL } };
	run(&r);
	CHECKF(r.status == 0, "status %d: %s", r.status, r.output);
	return r.output;
}

static void test_sources(void)
{
	const char *o = output(NULL, NULL, NULL);

	CHECK_HAS(o, "RELINK_OK: pv 100 features 100 bus 8 66 argc 2\n");
	CHECK_HAS(o, "again: RELINK_E_FINAL\nwidth: 8\n");
	CHECK_HAS(output(NULL, "ON_XEN=1", NULL), "pv 200 features 200");
	CHECK_HAS(output(NULL, "CHOOSE_KVM=1", NULL), "pv 300");
	CHECK_HAS(output(NULL, "CHOOSE_KVM=1", "ON_XEN=1"), "pv 300");
	CHECK_HAS(output(NULL, "CHOOSE_KVM=1", "RELINK=pv=native"), "pv 100");
	CHECK_HAS(output(NULL, "RELINK=pv=kvm_pv", NULL), "pv 300");
	CHECK_HAS(output("pv=native_pv", "RELINK=pv=kvm_pv", NULL), "pv 100");
	CHECK_HAS(output("pv=xen_pv,bus=pci", "ON_XEN=1", NULL), "pv 200 features 200 bus 32 66 argc 2\n");
	CHECK_HAS(output("bus=pci_bus", NULL, NULL), "again: RELINK_OK\nwidth: 32\n");
}

static void test_refused(void)
{
	CHECK_HAS(output("pv=xen_pv", NULL, NULL), "RELINK_E_CONDITION: pv 100");
	CHECK_HAS(output("pv=vmware", NULL, NULL), "xen_pv (not on this machine)");
	CHECK_HAS(output("pv_irq_save=x", NULL, NULL), "bind a backend of the table");
	CHECK_HAS(output(NULL, "RELINK=pv_irq_save=x", NULL), "environment: pv_irq_save=x: a member of an operations table");
	CHECK_HAS(output(NULL, "RELINK=pv=vmware", NULL), "environment: pv=vmware: no such state");
}

static void test_nonforcible(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_force(&c, "bus", "pci_bus");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_NONFORCIBLE, &err);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "child"))
		return child(argc, argv);
	test_sources();
	test_refused();
	test_nonforcible();
	return check_done();
}
