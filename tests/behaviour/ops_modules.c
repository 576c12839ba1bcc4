// test: VARIANTS "-O2" "-O0" LINK -rdynamic
/* SPDX-License-Identifier: MIT */
/* Backends that come and go with their module: registered ones are the best while they are there, others are forgotten. */
#include <dlfcn.h>

#include "check.h"
#include "ops/pv.h"

PV_FUNCTIONS(native, 100)
PV_FUNCTIONS(xen, 200)
static const struct pv_ops native_pv = PV_BACKEND(native);
static const struct pv_ops xen_pv = PV_BACKEND(xen);
RELINK_DEFINE_OPS(pv, PV_OPS, native_pv, "of the program");
RELINK_BACKEND(pv, xen_pv, .rank = 5);

struct guest_says {
	unsigned long save, flags;
	int features;
	uint64_t pte;
	const struct pv_ops *hidden;
};

static struct relink_error err;
static struct guest_says (*says)(void);

static void check_is(const char *when, unsigned n)
{
	unsigned long flags = 7;

	pv_irq_restore(&flags);
	CHECKF(pv_irq_save() == n && flags == 7 + n && pv_features(1, 2) == (int)n + 3 && pv_make_pte(40, 1) == 41 + n, "%s: %lu, not %u",
	       when, pv_irq_save(), n);
	if (says) {
		struct guest_says s = says();

		CHECKF(s.save == n && s.flags == 7 + n && s.features == (int)n + 3 && s.pte == 41 + n, "%s, in the module: %lu, not %u", when,
		       s.save, n);
	}
}

static void check_is_guest(const char *when)
{
	unsigned long flags = 7;
	struct guest_says s = says();

	pv_irq_restore(&flags);
	CHECKF(pv_irq_save() == 700 && flags == 7 && pv_features(1, 2) == 9 && pv_make_pte(40, 1) == 40, "%s: %lu", when, pv_irq_save());
	CHECKF(s.save == 700 && s.flags == 7 && s.features == 9 && s.pte == 40, "%s, in the module: %lu", when, s.save);
}

/* Markers are instructions also where they come from another copy of the library. */
static int check_marked(const struct relink_site_info *site, void *ctx)
{
	const uint8_t *bytes = (const uint8_t *)site->address;
	int *marked = ctx;

	if (site->kind == RELINK_SITE_CALL && site->reason == RELINK_BOUND && site->address % 8 <= 3) {
		*marked += !strcmp(site->choice, "pv_make_pte") && bytes[0] == 0x66;
		*marked += !strcmp(site->choice, "pv_features") && bytes[0] == 0xb8;
		if (!strcmp(site->choice, "pv_make_pte"))
			CHECKF(bytes[0] == 0x66, "make_pte is %02x", bytes[0]);
		if (!strcmp(site->choice, "pv_features"))
			CHECKF(bytes[0] == 0xb8, "features is %02x", bytes[0]);
	}
	if (!strcmp(site->choice, "pv_irq_restore") && site->kind == RELINK_SITE_TRAMPOLINE && site->reason == RELINK_BOUND)
		CHECKF(bytes[0] == 0xc3, "irq_restore's trampoline is %02x", bytes[0]);
	return 0;
}

static void test_module(const char *file)
{
	char path[512];
	void *module;
	int marked = 0;

	snprintf(path, sizeof(path), "%s/%s", RELINK_TEST_PLUGINS, file);
	module = dlopen(path, RTLD_NOW);
	if (!CHECKF(module != NULL, "%s", dlerror()))
		return;
	*(void **)&says = dlsym(module, "guest_says");
	check_is_guest("loaded");
	CHECK(relink_each_site(check_marked, &marked) == 0);
	printf("%s: %d calls are instructions\n", file, marked);
	CHECK_CODE(relink_bind_ops(pv, &native_pv, &err), RELINK_OK, &err);
	check_is("native", 100);
	CHECK_CODE(relink_unbind_ops(pv, &err), RELINK_OK, &err);
	check_is_guest("unbound");
	says = NULL;
	CHECK(dlclose(module) == 0);
	check_is("unloaded", 200);
	CHECK(relink_ops_bound(pv) == &xen_pv);
}

/* What the program has bound leaves with its module, and the program's opinion with it. */
static void test_custom(const char *file)
{
	char path[512];
	void *module;
	const struct pv_ops *hidden;

	snprintf(path, sizeof(path), "%s/%s", RELINK_TEST_PLUGINS, file);
	module = dlopen(path, RTLD_NOW);
	if (!CHECKF(module != NULL, "%s", dlerror()))
		return;
	*(void **)&says = dlsym(module, "guest_says");
	hidden = says().hidden;
	CHECK_CODE(relink_bind_ops(pv, hidden, &err), RELINK_OK, &err);
	check_is("custom", 700);
	CHECK(relink_ops_bound(pv) == hidden);
	says = NULL;
	CHECK(dlclose(module) == 0);
	check_is("custom unloaded", 200);
	CHECK(relink_ops_bound(pv) == &xen_pv);
}

/* Named on the command line before it is there. */
static void test_kept(void)
{
	void *module;

	CHECK_CODE(relink_apply("pv=native", &err), RELINK_OK, &err);
	module = dlopen(RELINK_TEST_PLUGINS "/ops_guest.so", RTLD_NOW);
	if (!CHECKF(module != NULL, "%s", dlerror()))
		return;
	check_is("the command line says native", 100);
	CHECK_CODE(relink_apply("pv=guest", &err), RELINK_OK, &err);
	CHECK(pv_irq_save() == 700);
	CHECK(dlclose(module) == 0);
	check_is("what the command line says has left", 200);
}

int main(void)
{
	check_allow_stores();
	check_is("at first", 200);
	for (int i = 0; i < 3; i++) {
		test_module("ops_guest.so");
		test_module("ops_guest_static.so");
		test_custom("ops_guest.so");
	}
	test_kept();
	return check_done();
}
