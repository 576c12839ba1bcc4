/* SPDX-License-Identifier: MIT */
/*
 * Rank and condition: the best variant whose condition holds is picked at start. A variant whose condition fails can't be selected
 * by anybody.
 */
#include "check.h"
#include "choices/run.h"

static int asked[8];
#define CONDITION(n, holds) static int condition_##n(void) { asked[n]++; return holds; }
CONDITION(0, 0)
CONDITION(1, 1)
CONDITION(2, -1)
CONDITION(3, 0)
CONDITION(4, 1)

#define CALL(name) \
	RELINK_DECLARE_CALL(int, name, (void)); \
	static int name##_0(void) { return 0; } \
	__attribute__((unused)) static int name##_1(void) { return 1; } \
	__attribute__((unused)) static int name##_2(void) { return 2; } \
	__attribute__((unused)) static int name##_3(void) { return 3; } \
	RELINK_DEFINE_CALL(name, name##_0, "")

/* Each call's name says what is special; the default target has rank 0. */
CALL(alone);
CALL(above); RELINK_VARIANT(above, above_1, .rank = 1);
CALL(equal); RELINK_VARIANT(equal, equal_1, .rank = 0);
CALL(unranked); RELINK_VARIANT(unranked, unranked_1);
CALL(below); RELINK_VARIANT(below, below_1, .rank = -1);
CALL(highest); RELINK_VARIANT(highest, highest_1, .rank = 10); RELINK_VARIANT(highest, highest_2, .rank = 30);
	RELINK_VARIANT(highest, highest_3, .rank = 20);
CALL(large); RELINK_VARIANT(large, large_1, .rank = INT64_MAX - 1); RELINK_VARIANT(large, large_2, .rank = INT64_MAX);
	RELINK_VARIANT(large, large_3, .rank = INT64_MIN);
CALL(refused); RELINK_VARIANT(refused, refused_1, .condition = condition_0, .rank = 9);
CALL(next_best); RELINK_VARIANT(next_best, next_best_1, .rank = 5); RELINK_VARIANT(next_best, next_best_2, .condition = condition_3, .rank = 9);
CALL(holds); RELINK_VARIANT(holds, holds_1, .condition = condition_1, .rank = 1);
CALL(any_number); RELINK_VARIANT(any_number, any_number_1, .condition = condition_2, .rank = 1);
CALL(no_cpu); RELINK_VARIANT(no_cpu, no_cpu_1, .needs = RELINK_CPU(never), .rank = 9);
CALL(foreign); RELINK_VARIANT(foreign, foreign_1, .needs = RELINK_CPU(sve, rvv, avx2), .rank = 9);
CALL(constant); RELINK_VARIANT_CONST(constant, four, 4, .rank = 3); RELINK_VARIANT_CONST(constant, five, 5, .needs = RELINK_CPU(never), .rank = 4);
/* Both must hold, and the condition isn't asked where the processor lacks what it may use. */
CALL(both); RELINK_VARIANT(both, both_1, .needs = RELINK_CPU(never), .condition = condition_4, .rank = 2);

/* Features against what the compiler's own test says. */
CALL(features);
RELINK_VARIANT(features, features_1, .needs = RELINK_CPU(sse4_2), .rank = 1);
RELINK_VARIANT(features, features_2, .needs = RELINK_CPU(avx2, bmi2), .rank = 2);
RELINK_VARIANT(features, features_3, .needs = RELINK_CPU(avx512f, avx512bw), .rank = 3);

/* A call that does nothing at first has rank 0 as well. */
RELINK_DECLARE_CALL(void, quiet, (int *n));
static void quiet_counts(int *n) { ++*n; }
RELINK_DEFINE_CALL_NULL(quiet, "");
RELINK_VARIANT(quiet, quiet_counts, .rank = 1);

static struct relink_error err;

static int call_features(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
		return 3;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return 2;
	return __builtin_cpu_supports("sse4.2") ? 1 : 0;
#else
	return 0;
#endif
}

static void test_table(void)
{
	const struct { const char *name; int got, want; } table[] = {
		{ "alone", alone(), 0 }, { "above", above(), 1 }, { "equal", equal(), 0 }, { "unranked", unranked(), 0 },
		{ "below", below(), 0 }, { "highest", highest(), 2 }, { "large", large(), 2 }, { "refused", refused(), 0 },
		{ "next_best", next_best(), 1 }, { "holds", holds(), 1 }, { "any_number", any_number(), 1 }, { "no_cpu", no_cpu(), 0 },
		{ "foreign", foreign(), 0 }, { "constant", constant(), 4 }, { "both", both(), 0 }, { "features", features(), call_features() },
	};
	int n = 0;

	for (size_t i = 0; i < COUNT(table); i++)
		CHECKF(table[i].got == table[i].want, "%s: variant %d, want %d", table[i].name, table[i].got, table[i].want);
	quiet(&n);
	CHECK(n == 1);
}

static void test_conditions_asked_once(void)
{
	static const int want[] = { 1, 1, 1, 1, 0 };

	for (size_t i = 0; i < COUNT(want); i++)
		CHECKF(asked[i] == want[i], "condition %zu was asked %d times", i, asked[i]);
}

/* ---- listing ---- */

static int check_listed(const struct relink_choice_info *info, void *unused)
{
	(void)unused;
	if (!strcmp(info->name, "next_best")) {
		CHECK(info->count == 3 && info->decided_by == RELINK_BY_FUNCTION && !strcmp(info->initial, "next_best_0"));
		for (size_t i = 0; i < info->count; i++)
			CHECK(info->usable[i] == (strcmp(info->states[i], "next_best_2") != 0));
	}
	if (!strcmp(info->name, "alone"))
		CHECK(info->count == 1 && info->decided_by == RELINK_BY_DEFAULT && !strcmp(info->state, "alone_0"));
	return 0;
}

/* ---- nobody selects what its condition rules out ---- */

static int ask(const char *name, const char *state, bool force)
{
	struct relink_commit c = RELINK_COMMIT;

	if (force)
		relink_force(&c, name, state);
	else
		relink_set(&c, name, state);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static void test_refused(void)
{
	CHECK_CODE(ask("refused", "refused_1", false), RELINK_E_CONDITION, &err);
	CHECK(!strcmp(err.choice, "refused"));
	CHECK_CODE(ask("refused", "1", true), RELINK_E_CONDITION, &err);
	CHECK_CODE(ask("no_cpu", "no_cpu_1", false), RELINK_E_CONDITION, &err);
	CHECK_CODE(ask("constant", "five", true), RELINK_E_CONDITION, &err);
	CHECK_CODE(relink_call_set(refused, refused_1, &err), RELINK_E_CONDITION, &err);
	CHECK_CODE(relink_call_set(no_cpu, no_cpu_1, &err), RELINK_E_CONDITION, &err);
	CHECK_CODE(relink_apply("refused=1", &err), RELINK_E_CONDITION, &err);
	CHECK(refused() == 0 && no_cpu() == 0 && constant() == 4);
	/* An unknown state names the ones that there are, and which of them are out of question. */
	CHECK_CODE(ask("next_best", "worst", false), RELINK_E_STATE, &err);
	CHECK_HAS(err.text, "next_best_0");
	CHECK_HAS(err.text, "next_best_1");
	CHECK_HAS(err.text, "next_best_2 (not on this machine)");
	/* The default is always there, whatever the rank of others. */
	CHECK_CODE(ask("highest", "0", false), RELINK_OK, &err);
	CHECK(highest() == 0);
	CHECK_CODE(relink_call_clear(highest, &err), RELINK_OK, &err);
	CHECK(highest() == 2);
}

/* From outside: a note, and the best one remains. */
static int child(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	CHECK(refused() == 0 && no_cpu() == 0 && next_best() == 1 && highest() == 3 && below() == 1);
	CHECK_HAS(s.notes, "environment: refused=refused_1");
	CHECK_HAS(s.notes, "environment: no_cpu=1");
	CHECK(!strstr(s.notes, "highest") && !strstr(s.notes, "below"));
	return check_done();
}

static void test_environment(void)
{
	static struct run r = { .argv = { "child" }, .environment = { "RELINK=refused=refused_1,no_cpu=1 highest=3,below=below_1" } };

	run(&r);
	CHECKF(r.status == 0, "status %d\n%s", r.status, r.output);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return child();
	test_table();
	test_conditions_asked_once();
	CHECK(relink_each_choice(check_listed, NULL) == 0);
	test_refused();
	test_table();
	test_environment();
	return check_done();
}
