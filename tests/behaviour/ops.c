// test: VARIANTS "-O2" "-O0" "-O2 -fPIC" "-O2 -fcf-protection"
/* SPDX-License-Identifier: MIT */
/* An operations table is bound as a whole: by pointer, by name, in transactions; what members become; what is reported. */
#include "check.h"
#include "ops/pv.h"

#include <relink/pvop.h>

PV_FUNCTIONS(native, 100)
PV_FUNCTIONS(xen, 200)
static const struct pv_ops native_pv = PV_BACKEND(native);
static const struct pv_ops xen_pv = PV_BACKEND(xen);
RELINK_DEFINE_OPS(pv, PV_OPS, native_pv, "interrupts, registers and page tables");
RELINK_BACKEND(pv, xen_pv, .rank = -1);

/* Everything that may stand for a function. */
RELINK_OP_CONST(pv, features, no_features, 0);
RELINK_OP_CONST(pv, name, null_name, NULL);
RELINK_OP_CONST(pv, is_guest, always_guest, true);
static const struct pv_ops marked_pv = {
	.irq_save = native_irq_save,
	.irq_restore = RELINK_OP_NOP(pv, irq_restore),
	.cpuid = xen_cpuid,
	.features = no_features,
	.make_pte = RELINK_OP_IDENTITY(pv, make_pte),
	.name = null_name,
	.clock = xen_clock,
	.is_guest = always_guest,
};
RELINK_BACKEND(pv, marked_pv, .rank = -2);
static const struct pv_ops empty_pv;
RELINK_BACKEND(pv, empty_pv, .rank = -3);
static const struct pv_ops never_pv = PV_BACKEND(xen);
RELINK_BACKEND(pv, never_pv, .needs = RELINK_CPU(never), .rank = 100);

RELINK_KEY_FALSE(companion, "set together with the table");

/* A second table, which follows an option. */
#define DISK_OPS(op) op(int, sectors, (int n)) op(int, read, (int n))
RELINK_DECLARE_OPS(disk, DISK_OPS);
static int ide_sectors(int n) { return n + 1; }
static int ide_read(int n) { return n + 2; }
static int nvme_sectors(int n) { return n + 1001; }
static const struct disk_ops ide_disk = { .sectors = ide_sectors, .read = ide_read };
static const struct disk_ops nvme_disk = { .sectors = nvme_sectors, .read = ide_read };
RELINK_DEFINE_OPS(disk, DISK_OPS, ide_disk, "disks");
RELINK_BACKEND(disk, nvme_disk);
RELINK_OPTION(storage, "what disks are", old, fast);
RELINK_DRIVE(storage, fast, disk, "nvme_disk");

static struct relink_error err;

/* Before any constructor of the program, calls reach the default. */
static unsigned long early_save;
static int early_features;
__attribute__((constructor(101))) static void early(void)
{
	early_save = pv_irq_save();
	early_features = pv_features(1, 1);
}

/* ---- what is bound ---- */

__attribute__((noinline)) static int tail_features(int which, char how) { return pv_features(which + 1, how); }
__attribute__((noinline)) static uint64_t tail_pte(uint64_t value, int level) { return pv_make_pte(value + 1, level); }
__attribute__((noinline)) static void tail_restore(unsigned long *flags) { pv_irq_restore(flags); }

static void check_numbers(unsigned n, const char *name)
{
	unsigned long flags = 7;
	struct regs in = { 1, 2, 3, 4 }, out = pv_cpuid(in, 2.5);

	pv_irq_restore(&flags);
	CHECKF(pv_irq_save() == n && flags == 7 + n, "%s: %lu, %lu", name, pv_irq_save(), flags);
	CHECKF(out.a == 1 + n && out.b == 2 + n && out.c == 3 + n && out.d == 10, "%s: %llu", name, (unsigned long long)out.a);
	CHECK(pv_features(5, 1) == (int)n + 6 && tail_features(5, 1) == (int)n + 7);
	CHECK(pv_make_pte(1ull << 40, 3) == (1ull << 40) + 3 + n && tail_pte(1ull << 40, 3) == (1ull << 40) + 4 + n);
	CHECKF(!strcmp(pv_name("x"), name) && !*pv_name(NULL), "%s, not %s", pv_name("x"), name);
	CHECK(pv_clock(0.5f, "%d", 1) == n / 2.0 && pv_is_guest() == (n != 100));
}

static void check_native(void) { check_numbers(100, "native"); CHECK(relink_ops_bound(pv) == &native_pv); }
static void check_xen(void) { check_numbers(200, "xen"); CHECK(relink_ops_bound(pv) == &xen_pv); }

static void check_marked(void)
{
	unsigned long flags = 7;
	struct regs in = { 1, 2, 3, 4 };

	pv_irq_restore(&flags);
	tail_restore(&flags);
	CHECK(flags == 7 && pv_irq_save() == 100 && pv_cpuid(in, 1).a == 201 && pv_clock(2, "") == 400);
	CHECK(pv_features(5, 1) == 0 && tail_features(5, 1) == 0 && pv_name("x") == NULL && pv_is_guest());
	CHECK(pv_make_pte(0xfedcba9876543210, 1) == 0xfedcba9876543210 && tail_pte(41, 1) == 42);
	CHECK(relink_ops_bound(pv) == &marked_pv);
}

static void test_binding(void)
{
	check_native();
	CHECK_CODE(relink_bind_ops(pv, &xen_pv, &err), RELINK_OK, &err);
	check_xen();
	CHECK_CODE(relink_bind_ops(pv, &marked_pv, &err), RELINK_OK, &err);
	check_marked();
	CHECK_CODE(relink_bind_ops(pv, &marked_pv, &err), RELINK_OK, &err);
	check_marked();
	CHECK_CODE(relink_bind_ops(pv, &xen_pv, &err), RELINK_OK, &err);
	check_xen();
	CHECK_CODE(relink_unbind_ops(pv, &err), RELINK_OK, &err);
	check_native();
}

/* ---- the listing ---- */

struct listing {
	int tables, members;
	char state[64];
	char states[256];
};

static int list_choice(const struct relink_choice_info *info, void *ctx)
{
	struct listing *l = ctx;

	l->members += !strncmp(info->name, "pv_", 3);
	if (strcmp(info->name, "pv"))
		return 0;
	l->tables++;
	CHECK(info->kind == RELINK_OPS && !strcmp(info->initial, "native_pv") && !strcmp(info->doc, "interrupts, registers and page tables"));
	snprintf(l->state, sizeof(l->state), "%s", info->state);
	for (size_t i = 0; i < info->count; i++) {
		strcat(strcat(l->states, info->states[i]), info->usable[i] ? " " : "! ");
		CHECK(!info->asked[RELINK_BY_FORCE]);
	}
	return 0;
}

static struct listing list(void)
{
	struct listing l = { 0, 0, "", "" };

	CHECK(relink_each_choice(list_choice, &l) == 0);
	CHECKF(l.tables == 1 && l.members == 0, "%d tables, %d members", l.tables, l.members);
	return l;
}

static void test_listing(void)
{
	static const char *const states[] = { "native_pv ", "xen_pv ", "marked_pv ", "empty_pv ", "never_pv! " };
	struct listing l = list();

	for (size_t i = 0; i < COUNT(states); i++)
		CHECK_HAS(l.states, states[i]);
	CHECKF(!strcmp(l.state, "native_pv"), "%s", l.state);
}

/* ---- backends that nobody registered ---- */

static struct pv_ops written = PV_BACKEND(xen);

static void test_custom(void)
{
	written.make_pte = RELINK_OP_IDENTITY(pv, make_pte);
	written.features = no_features;
	written.name = NULL;
	CHECK_CODE(relink_bind_ops(pv, &written, &err), RELINK_OK, &err);
	CHECK(relink_ops_bound(pv) == &written && pv_irq_save() == 200 && pv_make_pte(77, 1) == 77 && pv_features(1, 1) == 0 && !pv_name("x"));
	CHECKF(!strncmp(list().state, "custom:", 7), "%s", list().state);
	/* It is read when it is bound. */
	written.make_pte = native_make_pte;
	CHECK_CODE(relink_bind_ops(disk, &nvme_disk, &err), RELINK_OK, &err);
	CHECK(pv_make_pte(77, 1) == 77);
	CHECK_CODE(relink_unbind_ops(disk, &err), RELINK_OK, &err);
	CHECK_CODE(relink_bind_ops(pv, &native_pv, &err), RELINK_OK, &err);
	CHECK_CODE(relink_bind_ops(pv, &written, &err), RELINK_OK, &err);
	CHECK(pv_make_pte(77, 1) == 178);
	CHECK_CODE(relink_unbind_ops(pv, &err), RELINK_OK, &err);
	check_native();
}

/* ---- by name, together, and refused ---- */

static int set_named(const char *name, const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static void test_names(void)
{
	CHECK_CODE(set_named("pv", "xen_pv"), RELINK_OK, &err);
	check_xen();
	CHECK_CODE(set_named("pv", "native"), RELINK_OK, &err);
	check_native();
	CHECK_CODE(set_named("pv", "marked"), RELINK_OK, &err);
	check_marked();
	CHECK_CODE(set_named("pv", "nobody"), RELINK_E_STATE, &err);
	CHECK_HAS(err.text, "xen_pv");
	CHECK_HAS(err.text, "never_pv (not on this machine)");
	CHECK_CODE(set_named("pv", "never_pv"), RELINK_E_CONDITION, &err);
	CHECK_CODE(set_named("pv", "_pv"), RELINK_E_STATE, &err);
	check_marked();
	CHECK_CODE(set_named("pv", NULL), RELINK_OK, &err);
	check_native();
}

static void test_members_alone(void)
{
	CHECK_CODE(set_named("pv_irq_save", "xen_irq_save"), RELINK_E_ARGUMENT, &err);
	CHECK_HAS(err.text, "bind a backend of the table");
	CHECK_HAS(err.text, "pv_irq_save");
	CHECK_CODE(relink_call_set(pv_irq_save, xen_irq_save, &err), RELINK_E_ARGUMENT, &err);
	CHECK_HAS(err.text, "table pv");
	CHECK_CODE(relink_call_clear(pv_irq_save, &err), RELINK_E_ARGUMENT, &err);
	CHECK_CODE(relink_apply("pv_irq_save=xen_irq_save", &err), RELINK_E_ARGUMENT, &err);
	CHECK_CODE(set_named("pv_nothing", "x"), RELINK_E_UNKNOWN, &err);
	CHECKF(!strstr(err.text, "pv_irq"), "%s", err.text);
	check_native();
}

static void test_all_or_nothing(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_ops(&c, pv, &xen_pv);
	relink_set_key(&c, companion, true);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_xen();
	CHECK(relink_key_enabled(companion));
	relink_set_ops(&c, pv, &marked_pv);
	relink_set_key(&c, companion, false);
	relink_set(&c, "disk", "tape");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_STATE, &err);
	check_xen();
	CHECK(relink_key_enabled(companion));
	relink_unset(&c, "pv");
	relink_unset(&c, "companion");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_native();
}

static void test_precedence(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_force(&c, "pv", "xen");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK_CODE(relink_bind_ops(pv, &marked_pv, &err), RELINK_OVERRIDDEN, &err);
	CHECK_HAS(err.text, "xen_pv");
	check_xen();
	relink_release(&c, "pv");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_marked();
	CHECK_CODE(relink_unbind_ops(pv, &err), RELINK_OK, &err);
	CHECK_CODE(relink_option_set(storage, fast, &err), RELINK_OK, &err);
	CHECK(disk_sectors(1) == 1002 && disk_read(1) == 3 && relink_ops_bound(disk) == &nvme_disk);
	CHECK_CODE(relink_option_clear(storage, &err), RELINK_OK, &err);
	CHECK(disk_sectors(1) == 2 && disk_read(1) == 3);
}

/* ---- members that a backend has not ---- */

struct report {
	char table[16], member[32];
	const void *caller;
	int count;
};

static void on_missing(const char *table, const char *member, const void *caller, void *ctx)
{
	struct report *r = ctx;

	snprintf(r->table, sizeof(r->table), "%s", table);
	snprintf(r->member, sizeof(r->member), "%s", member);
	r->caller = caller;
	r->count++;
}

static const char *notes(void)
{
	static struct relink_status s;

	s.size = sizeof(s);
	CHECK(relink_get_status(&s) == 0);
	return s.notes;
}

__attribute__((noinline)) static unsigned long call_save(void)
{
	unsigned long flags = pv_irq_save();

	__asm__ volatile("" : "+r"(flags));
	return flags + 5;
}

static void test_missing(void)
{
	struct regs in = { 1, 2, 3, 4 }, out;
	unsigned long flags = 7;
	struct report r = { "", "", NULL, 0 };

	CHECK_CODE(relink_bind_ops(pv, &empty_pv, &err), RELINK_OK, &err);
	CHECK(!strstr(notes(), "irq_save"));
	CHECK(call_save() == 5 && call_save() == 5);
	CHECK_HAS(notes(), "pv: irq_save was called from 0x");
	relink_on_missing_op(on_missing, &r);
	out = pv_cpuid(in, 2);
	CHECK(out.a == 0 && out.b == 0 && out.c == 0 && out.d == 0 && !strcmp(r.member, "cpuid") && !strcmp(r.table, "pv"));
	CHECK(pv_clock(1, "") == 0 && !strcmp(r.member, "clock") && !pv_name("x") && !pv_is_guest() && !strcmp(r.member, "is_guest"));
	pv_irq_restore(&flags);
	CHECK(flags == 7 && !strcmp(r.member, "irq_restore") && r.count == 5);
	CHECK(call_save() == 5 && !strcmp(r.member, "irq_save"));
	CHECKF((uintptr_t)r.caller - (uintptr_t)call_save < 128, "called from %p, not %p", r.caller, (void *)(uintptr_t)call_save);
	relink_on_missing_op(NULL, NULL);
	CHECK(pv_make_pte(1, 1) == 0 && r.count == 6);
	CHECK_HAS(notes(), "pv: make_pte was called from 0x");
	CHECK(!strstr(notes(), "cpuid"));
	CHECK_CODE(relink_unbind_ops(pv, &err), RELINK_OK, &err);
	check_native();
}

/* ---- the old spelling ---- */

static void test_pvop(void)
{
	unsigned long flags = 7;

	PVOP_VCALL1(irq_restore, &flags);
	CHECK(flags == 107 && PVOP_CALL0(unsigned long, irq_save) == 100 && PVOP_CALL2(int, features, 1, 2) == 103);
	CHECK(PVOP_CALL2(uint64_t, make_pte, 1, 2) == 103 && !strcmp(PVOP_CALL1(const char *, name, "x"), "native"));
#undef PVOP_TABLE
#define PVOP_TABLE disk
	CHECK(PVOP_CALL1(int, read, 1) == 3);
#undef PVOP_TABLE
#define PVOP_TABLE pv
}

int main(void)
{
	check_allow_stores();
#if RELINK_PATCHES_
	CHECKF(early_save == 100 && early_features == 102, "early: %lu %d", early_save, early_features);
#endif
	test_listing();
	test_binding();
	test_custom();
	test_names();
	test_members_alone();
	test_all_or_nothing();
	test_precedence();
	test_missing();
	test_pvop();
	return check_done();
}
