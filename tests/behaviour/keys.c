// test: SOURCES behaviour/keys/other.c VARIANTS "-O0" "-O2" "-O3" "-O0 -fPIC" "-O2 -fPIC" LINK -Wl,--no-as-needed $<TARGET_FILE:plugin_keys_home> $<TARGET_FILE:plugin_keys_home_o0>
/* SPDX-License-Identifier: MIT */
/*
 * Every initial value x branch kind x home of the key x place of the branch: verified, inverted, verified, inverted back. A key
 * that many rows share is inverted once.
 */
#include "check.h"
#include "keys/keys.h"

KEYS_DEFINE(here);

/* Two uses on one line, also of one key. */
#define TWO(k, l) ((relink_unlikely(k) ? 1 : 0) + (relink_likely(l) ? 2 : 0) + (relink_unlikely(k) ? 4 : 0))
__attribute__((noinline)) static int two_keys(void) { return TWO(here_false, here_true); }
__attribute__((noinline)) static int one_key(void) { return TWO(here_falses[1], here_falses[1]); }

/* Inlined into several callers, and several times into one. */
static inline __attribute__((always_inline)) int inlined(int value)
{
	if (relink_unlikely(here_falses[2]))
		value += 10;
	if (relink_likely(here_trues[2]))
		value += 100;
	return value;
}
__attribute__((noinline)) static int caller(void) { return inlined(1); }
__attribute__((noinline)) static int caller_of_many(void)
{
	int sum = 0;

	for (int i = 0; i < 3; i++)
		sum += inlined(i);
	return sum + inlined(sum) + inlined(7);
}

KEYS_ROWS(here);

static const struct rows *const tables[] = { &here_rows, &other_rows, &shared_rows, &shared_o0_rows };

#define KEYS_MAX 256
static struct relink_key *keys[KEYS_MAX];
static bool initial[KEYS_MAX];
static size_t key_count;

static void add_key(struct relink_key *key, bool value)
{
	for (size_t i = 0; i < key_count; i++)
		if (keys[i] == key)
			return;
	keys[key_count] = key;
	initial[key_count++] = value;
}

static void list_keys(void)
{
	for (size_t t = 0; t < COUNT(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			add_key(tables[t]->row[i].key, tables[t]->row[i].initial);
	add_key(&here_falses[1].key, false);
	add_key(&here_falses[2].key, false);
	add_key(&here_trues[2].key, true);
	CHECK(key_count > 40 && key_count < KEYS_MAX);
}

static void verify_rows(const struct rows *rows, bool inverted, const char *when)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *r = &rows->row[i];
		bool want = r->initial != inverted;

		CHECKF(r->key->state == want, "%s: state of %s is %d, want %d", when, r->key_name, r->key->state, want);
		CHECKF(r->branch() == want, "%s: %s(%s) in %s is %d, want %d", when, r->kind, r->key_name, r->place, !want, want);
	}
}

static void verify(bool inverted, const char *when)
{
	int two = inverted ? 5 : 2, one = inverted ? 7 : 0;
	int extra = inverted ? 10 : 100;

	for (size_t t = 0; t < COUNT(tables); t++)
		verify_rows(tables[t], inverted, when);
	CHECKF(two_keys() == two, "%s: two keys on one line: %d, want %d", when, two_keys(), two);
	CHECKF(one_key() == one, "%s: one key twice on one line: %d, want %d", when, one_key(), one);
	CHECKF(caller() == 1 + extra, "%s: inlined once: %d, want %d", when, caller(), 1 + extra);
	CHECKF(caller_of_many() == 2 * (3 + 3 * extra) + 7 + 2 * extra, "%s: inlined many times: %d", when, caller_of_many());
}

static void invert_one_by_one(bool inverted)
{
	struct relink_error err;

	for (size_t i = 0; i < key_count; i++)
		CHECK_CODE(relink_key_set_(keys[i], initial[i] != inverted, &err), RELINK_OK, &err);
}

static void invert_together(bool inverted)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	for (size_t i = 0; i < key_count; i++)
		relink_wish_key(&c, keys[i], initial[i] != inverted);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
}

/* Flips of branches take one barrier, however many they are. */
static void check_cost(uint64_t barriers_before)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	if (strcmp(s.arch, "generic"))
		CHECKF(s.barriers - barriers_before == 1, "%llu barriers", (unsigned long long)(s.barriers - barriers_before));
}

static uint64_t barriers(void)
{
	struct relink_status s = { .size = sizeof(s) };

	relink_get_status(&s);
	return s.barriers;
}

/* Every branch is a site that expresses its key. */
static void check_sites(void)
{
	struct relink_status s = { .size = sizeof(s) };
	size_t rows = 0;

	for (size_t t = 0; t < COUNT(tables); t++)
		rows += tables[t]->count;
	CHECK(relink_get_status(&s) == 0);
	if (!strcmp(s.arch, "generic"))
		return;
	CHECKF(s.sites[RELINK_SITE_BRANCH][RELINK_BOUND] >= rows, "%llu sites for %zu rows",
	       (unsigned long long)s.sites[RELINK_SITE_BRANCH][RELINK_BOUND], rows);
	for (int reason = RELINK_BOUND + 1; reason < RELINK_REASONS; reason++)
		CHECKF(!s.sites[RELINK_SITE_BRANCH][reason], "branches are %s", relink_reason_name(reason));
	CHECKF(!strcmp(s.mode, "direct"), "mode is %s", s.mode);
}

int main(void)
{
	uint64_t before;

	list_keys();
	verify(false, "at start");
	invert_one_by_one(true);
	verify(true, "inverted");
	invert_one_by_one(false);
	verify(false, "inverted back");
	before = barriers();
	invert_together(true);
	check_cost(before);
	verify(true, "inverted together");
	before = barriers();
	invert_together(false);
	check_cost(before);
	verify(false, "inverted back together");
	check_sites();
	return check_done();
}
