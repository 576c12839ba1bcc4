/* test: VARIANTS "-O0" "-O2" "-O2 -fPIC" */
/* SPDX-License-Identifier: MIT */
/*
 * functions.c - function variants: in every combination of what they read the right variant is in force, and the result is right;
 * who ranks above decides; it is one commit.
 */
#include <pthread.h>

#include "check.h"
#include "functions/functions.h"

/* ThreadSanitizer's own thread blocks all signals and can't be stopped. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define THREADS_STOP 0
#else
#define THREADS_STOP RELINK_PATCHES_
#endif

RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(mode, "an option", slow, fast, odd);
RELINK_IMMEDIATE(uint16_t, depth, 2, "a number");
RELINK_KEY_FALSE(driven, "follows the option");
RELINK_DRIVE(mode, odd, driven, "on");

RELINK_FUNCTION(work, (int x), (x), "reads all three",
		(RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how), RELINK_READS_NUMBER(depth, levels)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, fast), RELINK_IS_NUMBER(depth, 2)),
		RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, fast)),
		RELINK_FOR(RELINK_IS(mode, odd)),
		RELINK_FOR(RELINK_IS_NUMBER(depth, 65535), RELINK_IS_ON(trace)))
{
	return FUNCTIONS_RESULT(tracing, how, levels, x);
}

static unsigned seen;
RELINK_FUNCTION(look, (void), (), "has neither parameters nor a result", (RELINK_READS_KEY(driven, is_driven)),
		RELINK_FOR(RELINK_IS_ON(driven)))
{
	seen = is_driven ? 5 : 4;
}

RELINK_KEY_FALSE(checked, "read by a function that is decided once");
RELINK_DECLARE_CALL(int, decided, (int x));
RELINK_FUNCTION_FINAL(decided, (int x), (x), "is final", (RELINK_READS_KEY(checked, is_checked)), RELINK_FOR(RELINK_IS_ON(checked)))
{
	return is_checked ? x + 1 : x;
}

static struct relink_error err;

/* ---- what is listed ---- */

struct shown {
	const char *name;
	char state[80];
	int by;
	size_t states;
};

static int show(const struct relink_choice_info *info, void *ctx)
{
	struct shown *s = ctx;

	if (strcmp(info->name, s->name))
		return 0;
	snprintf(s->state, sizeof(s->state), "%s", info->state);
	s->by = info->decided_by;
	s->states = info->count;
	return 1;
}

static void check_shown(const char *name, const char *state, int by)
{
	struct shown s = { .name = name };

	CHECK(relink_each_choice(show, &s) == 1);
	CHECKF(!strncmp(s.state, state, strcmp(state, "custom:") ? sizeof(s.state) : 7) && s.by == by, "%s is %s by %s, not %s by %s", name, s.state, relink_level_name(s.by), state,
	       relink_level_name(by));
}

/* ---- all combinations ---- */

static const int numbers[] = { 0, 2, 7, 65535 };
#define COMBINATIONS (2 * 3 * COUNT(numbers))

struct combination {
	bool tracing;
	int how, levels;
};

static struct combination combination(size_t n)
{
	return (struct combination){ n & 1, (int)(n / 2 % 3), numbers[n / 6] };
}

/* The one that names most; then the first. */
static const char *variant_of(struct combination c)
{
	if (!c.tracing && c.how == 1 && c.levels == 2)
		return "trace=off+mode=fast+depth=2";
	if (c.tracing && c.how == 1)
		return "trace=on+mode=fast";
	if (c.tracing && c.levels == 65535)
		return "depth=65535+trace=on";
	return c.how == 2 ? "mode=odd" : "generic";
}

static int commit_combination(struct combination c)
{
	struct relink_commit commit = RELINK_COMMIT;

	relink_set_key(&commit, trace, c.tracing);
	relink_wish_option(&commit, &mode.option, c.how);
	relink_set_immediate(&commit, depth, c.levels);
	return relink_commit(&commit, RELINK_LIVE, &err);
}

static void check_combination(struct combination c)
{
	const char *variant = variant_of(c);
	long want = FUNCTIONS_RESULT(c.tracing, c.how, c.levels, 3);

	CHECKF(work(3) == want, "%d, %d, %d: %ld", c.tracing, c.how, c.levels, work(3));
	check_shown("work", variant, strcmp(variant, "generic") ? RELINK_BY_FUNCTION : RELINK_BY_DEFAULT);
	look();
	CHECKF(seen == (c.how == 2 ? 5 : 4), "with mode %d the option drives a key: %u", c.how, seen);
	check_shown("look", c.how == 2 ? "driven=on" : "generic", c.how == 2 ? RELINK_BY_FUNCTION : RELINK_BY_DEFAULT);
}

static void test_combinations(void)
{
	for (size_t from = 0; from < COMBINATIONS; from++)
		for (size_t to = 0; to < COMBINATIONS; to++) {
			CHECK_CODE(commit_combination(combination(from)), RELINK_OK, &err);
			CHECK_CODE(commit_combination(combination(to)), RELINK_OK, &err);
			check_combination(combination(to));
		}
}

/* ---- who decides ---- */

static long mine(int x) { return -x; }

static int set(const char *name, const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static void test_precedence(void)
{
	const struct combination fast = { false, 1, 2 }, other = { true, 0, 7 };

	commit_combination(fast);
	CHECK_CODE(relink_call_set(work, mine, &err), RELINK_OK, &err);
	CHECK(work(3) == -3);
	commit_combination(other); /* what it reads moves, and it stays */
	CHECK(work(3) == -3);
	check_shown("work", "custom:", RELINK_BY_PROGRAM);
	CHECK_CODE(relink_call_clear(work, &err), RELINK_OK, &err);
	check_combination(other);
	CHECK_CODE(set("work", "generic"), RELINK_OK, &err);
	commit_combination(fast);
	check_shown("work", "generic", RELINK_BY_PROGRAM);
	CHECK(work(3) == FUNCTIONS_RESULT(0, 1, 2, 3));
	CHECK_CODE(relink_call_clear(work, &err), RELINK_OK, &err);
	check_combination(fast);
	CHECK_CODE(relink_apply("work=mode=odd", &err), RELINK_OK, &err); /* asked for: a variant for other states */
	check_shown("work", "mode=odd", RELINK_BY_COMMAND_LINE);
	CHECK(work(3) == FUNCTIONS_RESULT(0, 2, 2, 3));
	CHECK_CODE(relink_call_set(work, mine, &err), RELINK_OK, &err);
	CHECK(work(3) == -3);
	CHECK_CODE(set("work", "trace=on"), RELINK_E_STATE, &err);
	CHECK_HAS(err.text, "trace=off+mode=fast+depth=2");
}

/* Together with what it reads, or not at all. */
static void test_transaction(void)
{
	const struct combination before = { true, 0, 7 };
	struct relink_commit c = RELINK_COMMIT;

	relink_call_clear(work, NULL);
	relink_unset(&c, "work");
	commit_combination(before);
	relink_apply("work=generic", &err);
	relink_set_option(&c, mode, fast);
	relink_set(&c, "depth", "70000");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_STATE, &err);
	CHECK(work(3) == FUNCTIONS_RESULT(1, 0, 7, 3));
	relink_set_option(&c, mode, fast);
	relink_set_call(&c, work, mine);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(work(3) == -3 && relink_option_state(mode) == RELINK_STATE(mode, fast));
}

/* The program's word ranks above; a force of the option takes the function along. */
static void test_force(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_force(&c, "work", "mode=odd");
	relink_force(&c, "mode", "odd");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_shown("work", "mode=odd", RELINK_BY_FORCE);
	CHECK(work(3) == FUNCTIONS_RESULT(1, 2, 7, 3));
	relink_release(&c, "work");
	relink_release(&c, "mode");
	relink_call_clear(work, &err);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
}

/* What a final function reads can't move without it. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_here(void *unused)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return unused;
}

static void test_final(void)
{
	struct relink_commit c = RELINK_COMMIT;
	pthread_t thread;

	CHECK(decided(3) == 3);
	CHECK_CODE(relink_key_set(checked, true, &err), RELINK_OK, &err);
	CHECK(decided(3) == 4);
	check_shown("decided", "checked=on", RELINK_BY_FUNCTION);
	pthread_mutex_lock(&gate);
	CHECK(pthread_create(&thread, NULL, wait_here, NULL) == 0);
	CHECK_CODE(relink_key_set(checked, false, &err), RELINK_E_FINAL, &err);
	CHECK_HAS(relink_error_text(&err), "decided");
	CHECK(relink_key_enabled(checked) && decided(3) == 4);
	relink_set_key(&c, checked, false);
	if (THREADS_STOP) {
		CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), RELINK_OK, &err);
		CHECK(!relink_key_enabled(checked) && decided(3) == 3);
	}
	relink_commit_discard(&c);
	pthread_mutex_unlock(&gate);
	pthread_join(thread, NULL);
}

int main(void)
{
	check_combination((struct combination){ false, 0, 2 });
	test_combinations();
	test_precedence();
	test_transaction();
	test_force();
	test_final();
	return check_done();
}
