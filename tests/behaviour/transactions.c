// test: VARIANTS "-DQUIET" "-DLIVE" "-DLIVE -DUNDECLARED" "-DTRAPS" "-DSTRICT" "-DLIVE -fPIC" TIMEOUT 120 NOT generic thread
/* SPDX-License-Identifier: MIT */
/*
 * All or nothing. Every write of a commit is made to fail, one after the other, in several ways: each time every byte is as
 * before, the error names a site, and the same commit succeeds when writing works again. Where writing never works again the
 * program lives, and the status says so. A transaction with one member that can't be is refused before anything is written.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"
#include "calls/far.h"
#include "calls/sites_x86_64.h"

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

/* ---- what commits change: keys, an option, and calls at every alignment ---- */

RELINK_KEY_FALSE(key_a, "a key");
RELINK_KEY_TRUE(key_b, "another");
RELINK_KEY_FALSE(driven_key, "follows the option");
RELINK_OPTION(option, "drives", still, moving, gone);
RELINK_DRIVE(option, moving, driven_key, "on");
RELINK_KEY_FALSE(final_key, "decided at start", RELINK_FINAL);
RELINK_KEY_TRUE(free_key, "its owner frees what it guards", RELINK_NONFORCIBLE);

RELINK_DECLARE_CALL(int, value, (long n));
RELINK_DECLARE_CALL(void, effect, (int *n));
SITES(value);
SITES(effect);
static int value_one(long n) { return (int)n + 1; }
static int value_two(long n) { return (int)n + 2; }
static int value_never(long n) { return (int)n + 3; }
static int never(void) { return 0; }
RELINK_DEFINE_CALL(value, value_one, "a value");
RELINK_VARIANT(value, value_two);
RELINK_VARIANT(value, value_never, .condition = never);
RELINK_VARIANT_CONST(value, seven, 7);
static void effect_one(int *n) { *n += 1; }
static void effect_two(int *n) { *n += 2; }
RELINK_DEFINE_CALL(effect, effect_one, "an effect");
RELINK_VARIANT(effect, effect_two);

/* Branches on pages of their own, and several of a key on one page. */
#define ON_PAGE(page) __attribute__((noinline, section(".text.relink_test_" #page), aligned(4096)))
ON_PAGE(1) static int branch_1(void) { return (relink_unlikely(key_a) ? 1 : 0) + (relink_likely(key_b) ? 2 : 0) + (relink_unlikely(key_a) ? 4 : 0); }
ON_PAGE(2) static int branch_2(void) { return (relink_likely(key_a) ? 1 : 0) + (relink_unlikely(driven_key) ? 2 : 0); }
ON_PAGE(3) static int branch_3(void) { return (relink_option_is(option, still) ? 1 : 0) + (relink_option_is(option, moving) ? 2 : 0); }
ON_PAGE(4) static int branch_4(void) { return (relink_unlikely(final_key) ? 1 : 0) + (relink_likely(free_key) ? 2 : 0); }

static struct relink_error err;

/* ---- what is there: the bytes of every site, slots, states, results ---- */

#define SITES_MAX 400
struct picture {
	size_t count;
	struct { uintptr_t address; uint8_t bytes[8]; int reason; } site[SITES_MAX];
	void (*slots[2])(void);
	int states[6];
};

static int add_site(const struct relink_site_info *info, void *ctx)
{
	struct picture *p = ctx;

	if (p->count == SITES_MAX)
		return 1;
	p->site[p->count].address = info->address;
	p->site[p->count].reason = info->reason;
	memcpy(p->site[p->count++].bytes, (const void *)info->address, info->kind == RELINK_SITE_JCC ? 6 : 5);
	return 0;
}

static void take(struct picture *p)
{
	memset(p, 0, sizeof(*p));
	CHECK(relink_each_site(add_site, p) == 0);
	p->slots[0] = *relink_call_value.slot;
	p->slots[1] = *relink_call_effect.slot;
	p->states[0] = key_a.key.state;
	p->states[1] = key_b.key.state;
	p->states[2] = driven_key.key.state;
	p->states[3] = option.option.state;
	p->states[4] = final_key.key.state;
	p->states[5] = free_key.key.state;
}

static bool same(const struct picture *a, const struct picture *b, const char *when)
{
	bool ok = CHECKF(a->count == b->count && a->count > 2 * SITES_COUNT, "%s: %zu sites, %zu", when, a->count, b->count);

	for (size_t i = 0; ok && i < a->count; i++)
		ok = CHECKF(!memcmp(&a->site[i], &b->site[i], sizeof(a->site[i])), "%s: site %#lx has changed: %02x %02x, %02x %02x; %d %d", when,
			    a->site[i].address, a->site[i].bytes[0], a->site[i].bytes[1], b->site[i].bytes[0], b->site[i].bytes[1],
			    a->site[i].reason, b->site[i].reason);
	ok = CHECKF(!memcmp(a->slots, b->slots, sizeof(a->slots)), "%s: a slot has changed", when) && ok;
	return CHECKF(!memcmp(a->states, b->states, sizeof(a->states)), "%s: a state has changed", when) && ok;
}

static int effect_of(const struct site *s)
{
	int n = 0;

	s->fn.nothing(&n, flags_for(s->condition, 1));
	return n;
}

/* Running code agrees with the states. */
static bool works(int value_adds, int effect_adds)
{
	bool ok = true;

	for (size_t i = 0; i < SITES_COUNT; i++) {
		ok &= (int)site_reach(&sites_value[i], 100) == (value_adds == 7 ? 7 : 100 + value_adds);
		ok &= effect_of(&sites_effect[i]) == effect_adds;
	}
	ok &= branch_1() == (key_a.key.state ? 5 : 0) + (key_b.key.state ? 2 : 0);
	ok &= branch_2() == (key_a.key.state ? 1 : 0) + (driven_key.key.state ? 2 : 0);
	ok &= branch_3() == (option.option.state == 0 ? 1 : option.option.state == 1 ? 2 : 0);
	return ok && branch_4() == 2;
}

/* ---- commits ---- */

static void (*far_value)(void);

struct change {
	const char *what;
	void (*wish)(struct relink_commit *c);
	int value_adds, effect_adds;
};

static void wish_key(struct relink_commit *c) { relink_set_key(c, key_a, true); }
static void wish_keys(struct relink_commit *c)
{
	relink_set_key(c, key_a, true);
	relink_set_key(c, key_b, false);
	relink_set_option(c, option, moving);
}
static void wish_call(struct relink_commit *c) { relink_set_call(c, value, value_two); }
static void wish_constant(struct relink_commit *c) { relink_set(c, "value", "seven"); }
static void wish_null(struct relink_commit *c) { relink_set_call(c, effect, NULL); }
static void wish_far(struct relink_commit *c) { relink_wish_call(c, &relink_call_value, far_value); }
static void wish_all(struct relink_commit *c)
{
	wish_keys(c);
	wish_call(c);
	relink_set_call(c, effect, effect_two);
}
static void wish_mixed(struct relink_commit *c)
{
	wish_keys(c);
	wish_constant(c);
	wish_null(c);
}

static const struct change changes[] = {
	{ "a key", wish_key, 1, 1 }, { "keys and an option", wish_keys, 1, 1 }, { "a call", wish_call, 2, 1 },
	{ "a constant", wish_constant, 7, 1 }, { "NULL", wish_null, 1, 0 }, { "far away", wish_far, 9, 1 },
	{ "keys and calls", wish_all, 2, 2 }, { "keys, NULL and a constant", wish_mixed, 7, 0 },
};

static int commit_change(const struct change *change)
{
	struct relink_commit c = RELINK_COMMIT;

	memset(&err, 0, sizeof(err));
	change->wish(&c);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static int commit_back(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, key_a, false);
	relink_set_key(&c, key_b, true);
	relink_set_option(&c, option, still);
	relink_set_call(&c, value, value_one);
	relink_set_call(&c, effect, effect_one);
	return relink_commit(&c, RELINK_LIVE, &err);
}

/* ---- faults ---- */

static int writes, fail_first, fail_last;
static enum fault { REFUSED, HALF, UNDONE, FAULTS } fault; /* an error; an error after half of it; a lie, which reading back finds */

static int faulty(uintptr_t address, const void *bytes, size_t length)
{
	writes++;
	if (writes < fail_first || writes > fail_last)
		return rl_text_write(address, bytes, length);
	if (fault == REFUSED)
		return -EPERM;
	if (fault == HALF) {
		rl_text_write(address, bytes, (length + 1) / 2);
		return -EIO;
	}
	/* A page that is made private gets the byte that it has: there a lie is no lie. */
	return memcmp((const void *)address, bytes, length) ? 0 : -ENOSPC;
}

static void inject(int first, int last, enum fault how)
{
	writes = 0;
	fail_first = first;
	fail_last = last;
	fault = how;
	rl_test_write(first ? faulty : NULL);
}

static void check_error(const char *what, int nth)
{
	CHECKF(err.site && *err.choice && strstr(err.module, "behaviour.transactions") && strstr(err.text, err.choice) &&
	       strstr(err.text, "site 0x") && strstr(err.text, "nothing has changed"),
	       "%s, write %d: the error is \"%s\", site %#lx, choice \"%s\", module \"%s\"", what, nth, err.text, err.site, err.choice,
	       err.module);
}

static struct relink_status status(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	return s;
}

/* The nth write fails, the others don't. False: there are not as many. */
static bool fail_nth(const struct change *change, int nth, enum fault how)
{
	struct picture before, after;
	int r;

	take(&before);
	inject(nth, nth, how);
	r = commit_change(change);
	inject(0, 0, how);
	if (r == RELINK_OK)
		return false;
	CHECK_CODE(r, RELINK_E_WRITE, &err);
	check_error(change->what, nth);
	take(&after);
	same(&before, &after, change->what);
	CHECKF(works(1, 1), "%s, write %d: code does not do what it should", change->what, nth);
	CHECK(!strstr(status().mode, "degraded"));
	return true;
}

/* And again without faults, there and back; every byte is as it was in the end. */
static void redo(const struct change *change, const struct picture *first)
{
	struct picture last;

	CHECK_CODE(commit_change(change), RELINK_OK, &err);
	CHECKF(works(change->value_adds, change->effect_adds), "%s: done, but code does something else", change->what);
	CHECK_CODE(commit_back(), RELINK_OK, &err);
	CHECKF(works(1, 1), "%s: and back", change->what);
	take(&last);
	CHECKF(!memcmp(first->states, last.states, sizeof(last.states)), "%s: states after the way back", change->what);
	CHECK(!strcmp(status().mode, "direct"));
}

/* Every write with the plainest fault. With the others, and where each costs a process, later ones are sampled. */
static int next(int nth, bool every)
{
	return nth + 1 + (every || nth < 16 ? 0 : nth / 6);
}

static void fail_every_write(const struct change *change)
{
	struct picture first;
	int total = 0;

	take(&first);
	for (int how = 0; how < FAULTS; how++) {
		for (int nth = 1; fail_nth(change, nth, how); nth = next(nth, how == REFUSED))
			total++;
		CHECKF(works(change->value_adds, change->effect_adds), "%s: after faults", change->what);
		CHECK_CODE(commit_back(), RELINK_OK, &err);
		redo(change, &first);
	}
	CHECKF(total >= 3, "%s: only %d faults", change->what, total);
}

/* ---- a transaction with one member that can't be ---- */

static void bad_name(struct relink_commit *c) { relink_set(c, "no_such_choice", "on"); }
static void bad_state(struct relink_commit *c) { relink_set(c, "option", "sideways"); }
static void bad_condition(struct relink_commit *c) { relink_set(c, "value", "never"); }
static void bad_final(struct relink_commit *c) { relink_set_key(c, final_key, true); }
static void bad_force(struct relink_commit *c) { relink_force(c, "free_key", "off"); }
static void bad_null(struct relink_commit *c) { relink_wish_call(c, &relink_call_value, NULL); }
static void bad_object(struct relink_commit *c) { relink_wish_key(c, &option.first.key, 0); }
static void bad_nothing(struct relink_commit *c) { relink_set(c, NULL, "on"); }
static void bad_level(struct relink_commit *c) { relink_wish_named(c, "key_a", "on", RELINK_LEVELS); }
static void bad_low_level(struct relink_commit *c) { relink_wish_named(c, "key_a", "on", -1); }
static const struct { const char *what; void (*wish)(struct relink_commit *c); int code; } bad[] = {
	{ "an unknown name", bad_name, RELINK_E_UNKNOWN }, { "an unknown state", bad_state, RELINK_E_STATE },
	{ "a condition that fails", bad_condition, RELINK_E_CONDITION }, { "a final choice", bad_final, RELINK_E_FINAL },
	{ "force on what is nonforcible", bad_force, RELINK_E_NONFORCIBLE }, { "NULL for a value", bad_null, RELINK_E_STATE },
	{ "an option's key", bad_object, RELINK_E_ARGUMENT }, { "no name", bad_nothing, RELINK_E_ARGUMENT },
	{ "no level", bad_level, RELINK_E_ARGUMENT }, { "a level below all", bad_low_level, RELINK_E_ARGUMENT },
};

static void refuse(size_t i, bool first)
{
	struct relink_commit c = RELINK_COMMIT;
	struct picture before, after;
	int r;

	take(&before);
	if (first)
		bad[i].wish(&c);
	wish_all(&c);
	if (!first)
		bad[i].wish(&c);
	inject(1, 1, REFUSED); /* to count them */
	r = relink_commit(&c, RELINK_LIVE, &err);
	CHECKF(r == bad[i].code, "%s: %s (%s)", bad[i].what, relink_code_name(r), relink_error_text(&err));
	CHECKF(writes == 0, "%s: %d writes", bad[i].what, writes);
	CHECK(c.count == 0 && c.wishes == NULL);
	inject(0, 0, REFUSED);
	take(&after);
	same(&before, &after, bad[i].what);
	CHECKF(works(1, 1), "%s", bad[i].what);
}

/* ---- somebody else's bytes on a site ---- */

static void poke(uintptr_t address, uint8_t byte)
{
	FILE *mem = fopen("/proc/self/mem", "r+");

	CHECK(mem && !fseek(mem, (long)address, SEEK_SET) && fwrite(&byte, 1, 1, mem) == 1 && !fclose(mem));
}

struct foreign {
	const char *choice;
	int kind;
	uintptr_t address;
};

static int find_bound(const struct relink_site_info *info, void *ctx)
{
	struct foreign *f = ctx;

	if (strcmp(info->choice, f->choice) || info->kind != f->kind || info->reason != RELINK_BOUND)
		return 0;
	f->address = info->address;
	return 1;
}

static void refuse_foreign(const struct foreign *f, uint8_t byte, int code)
{
	uint8_t own = *(const uint8_t *)f->address;
	struct picture before, after;

	poke(f->address, byte);
	take(&before);
	inject(1, 1, REFUSED); /* to count them */
	CHECK_CODE(commit_change(&changes[COUNT(changes) - 2]), code, &err);
	CHECKF(err.site == f->address && !strcmp(err.choice, f->choice) && strstr(err.text, err.module), "the error is \"%s\"", err.text);
	CHECKF(!writes, "%d writes", writes);
	inject(0, 0, REFUSED);
	take(&after);
	same(&before, &after, "foreign bytes");
	poke(f->address, own);
	CHECK_CODE(commit_change(&changes[COUNT(changes) - 2]), RELINK_OK, &err);
	CHECK_CODE(commit_back(), RELINK_OK, &err);
	CHECK(works(1, 1));
}

static void test_foreign(void)
{
	static const struct foreign sites[] = {
		{ "key_a", RELINK_SITE_BRANCH, 0 }, { "driven_key", RELINK_SITE_BRANCH, 0 }, { "option", RELINK_SITE_BRANCH, 0 },
		{ "value", RELINK_SITE_CALL, 0 }, { "value", RELINK_SITE_TAIL, 0 }, { "value", RELINK_SITE_JCC, 0 },
		{ "value", RELINK_SITE_TRAMPOLINE, 0 }, { "effect", RELINK_SITE_CALL, 0 },
	};

	for (size_t i = 0; i < COUNT(sites); i++) {
		struct foreign f = sites[i];

		if (!relink_each_site(find_bound, &f)) {
			CHECKF(!status().one_store && f.kind != RELINK_SITE_BRANCH, "no site of %s is bound", f.choice);
			continue;
		}
		refuse_foreign(&f, 0xcc, RELINK_E_BREAKPOINT);
		refuse_foreign(&f, 0x90, RELINK_E_BYTES);
	}
}

/* A later wish for the same choice wins; a transaction can be thrown away. */
static void test_collecting(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct picture before, after;

	take(&before);
	relink_set_key(&c, key_a, true);
	relink_set_call(&c, value, value_two);
	relink_set_key(&c, key_a, false);
	relink_set_call(&c, value, value_one);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	relink_set_key(&c, key_a, true);
	relink_commit_discard(&c);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK_CODE(relink_commit(&c, 77, &err), RELINK_E_ARGUMENT, &err);
	take(&after);
	same(&before, &after, "nothing in the end");
}

/* ---- what a commit costs ---- */

static void test_barriers(void)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		uint64_t before = status().barriers;

		CHECK_CODE(commit_change(&changes[i]), RELINK_OK, &err);
		CHECKF(status().barriers - before <= 3, "%s: %llu barriers", changes[i].what,
		       (unsigned long long)(status().barriers - before));
		before = status().barriers;
		CHECK_CODE(commit_back(), RELINK_OK, &err);
		CHECKF(status().barriers - before <= 3, "%s, back: %llu barriers", changes[i].what,
		       (unsigned long long)(status().barriers - before));
	}
}

/* ---- writing stops working for good ---- */

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* The mode that this program is a test of; again in a child, which has one thread. */
static void enter_mode(bool declare)
{
#ifndef QUIET
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, sleep_for_ever, NULL));
#else
	(void)sleep_for_ever;
#endif
#ifdef TRAPS
	if (declare)
		CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
#endif
#ifdef STRICT
	if (declare)
		CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
#endif
	(void)declare;
}

/* Whatever stands at a site now, it leads to the old target or to the new one, and never kills. */
static void check_alive(const struct change *change)
{
	for (size_t i = 0; i < SITES_COUNT; i++) {
		int value = (int)site_reach(&sites_value[i], 100), effect = effect_of(&sites_effect[i]);

		CHECKF(value == 101 || value == (change->value_adds == 7 ? 7 : 100 + change->value_adds), "%s: %d", change->what, value);
		CHECKF(effect == 1 || effect == change->effect_adds, "%s: effect %d", change->what, effect);
	}
	CHECK(branch_1() >= 0 && branch_2() >= 0 && branch_3() >= 0);
}

/* Exit status of the child: 0 nothing had been written, 1 failed checks, 2 degraded, 3 the commit succeeded. */
static int fail_for_good(const struct change *change, int nth)
{
	struct picture before, after;
	int r;

	check_failed_ = 0;
	enter_mode(false);
	take(&before);
	inject(nth, 1 << 30, REFUSED);
	r = commit_change(change);
	if (r == RELINK_OK)
		return 3;
	check_alive(change);
	if (r == RELINK_E_WRITE) {
		take(&after);
		same(&before, &after, change->what);
		return check_failed_ != 0;
	}
	CHECK_CODE(r, RELINK_E_DEGRADED, &err);
	CHECKF(!strncmp(status().mode, "degraded: ", 10), "mode is %s", status().mode);
	CHECK_CODE(commit_change(change), RELINK_E_DEGRADED, &err);
	inject(0, 0, REFUSED);
	CHECK_CODE(commit_change(change), RELINK_E_DEGRADED, &err);
	check_alive(change);
	return check_failed_ ? 1 : 2;
}

static int in_child(const struct change *change, int nth)
{
	int result = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(fail_for_good(change, nth));
	if (child < 0 || waitpid(child, &result, 0) != child)
		return -1;
	return WIFEXITED(result) ? WEXITSTATUS(result) : 1000 + WTERMSIG(result);
}

static void test_for_good(const struct change *change)
{
	int r = 0, degraded = 0;

	for (int nth = 1; r != 3 && nth < 500; nth = next(nth, false)) {
		r = in_child(change, nth);
		CHECKF(r == 0 || r == 2 || r == 3, "%s, nothing written from %d on: child's result is %d", change->what, nth, r);
		degraded += r == 2;
	}
	CHECK(r == 3);
	printf("%s: degraded after %d of the writes\n", change->what, degraded);
}

int main(int argc, char **argv)
{
	static const uint8_t add_nine[] = { 0x8d, 0x47, 0x09, 0xc3 }; /* lea 9(%rdi),%eax; ret */

#ifndef UNDECLARED
	check_allow_stores();
#endif
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err); /* from here on final is final */
	*(void **)&far_value = far_code(add_nine, sizeof(add_nine));
	for (size_t i = 0; i < COUNT(changes); i++)
		test_for_good(&changes[i]);
	enter_mode(true);
	CHECK(works(1, 1));
	for (size_t i = 0; i < COUNT(changes); i++)
		fail_every_write(&changes[i]);
	for (size_t i = 0; i < COUNT(bad); i++) {
		refuse(i, true);
		refuse(i, false);
	}
	test_foreign();
	test_collecting();
	test_barriers();
	for (size_t i = 0; i < COUNT(changes); i++)
		test_for_good(&changes[i]);
	return check_done();
}
