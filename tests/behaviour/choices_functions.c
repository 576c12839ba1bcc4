// test: NOT thread
/* SPDX-License-Identifier: MIT */
/*
 * Choice functions and drives: once per start, outside all locks, from facts; they may commit. A choice function speaks before a
 * drive, a drive before the best variant, and all of them below file and environment.
 */
#include <pthread.h>
#include <sched.h>

#include "check.h"
#include "choices/run.h"

static struct relink_error err;
static int called, listed_inside, status_inside = 1, commit_inside = 1, transaction_inside = 1, thread_inside = 1;
static struct relink_facts seen;

/* ---- choices and who decides them ---- */

RELINK_KEY_FALSE(by_function, "on, says its function");
RELINK_KEY_TRUE(kept, "no opinion");
RELINK_KEY_FALSE(nonsense, "its function says what is no state");
RELINK_KEY_FALSE(committed, "set by another's choice function");
RELINK_KEY_FALSE(in_transaction, "the same, by a transaction");
RELINK_KEY_FALSE(from_thread, "the same, by a thread that the function waits for");

RELINK_OPTION(gear, "drives others", neutral, forward, reverse);
RELINK_KEY_FALSE(lamp, "on while in reverse");
RELINK_KEY_TRUE(brake, "off while moving");
RELINK_DRIVE(gear, reverse, lamp, "on");
RELINK_DRIVE(gear, forward, brake, "off");
RELINK_DRIVE(gear, reverse, brake, "off");

#define CALL(name) \
	RELINK_DECLARE_CALL(int, name, (void)); \
	static int name##_0(void) { return 0; } \
	static int name##_1(void) { return 1; } \
	static int name##_2(void) { return 2; } \
	static int name##_3(void) { return 3; } \
	RELINK_DEFINE_CALL(name, name##_0, ""); \
	RELINK_VARIANT(name, name##_1, .rank = 1); \
	RELINK_VARIANT(name, name##_2, .rank = -1); \
	RELINK_VARIANT(name, name##_3, .rank = -1)
CALL(ranked);
CALL(driven);
RELINK_DRIVE(gear, neutral, driven, "driven_2");
RELINK_DRIVE(gear, forward, driven, "3");
CALL(chosen);
RELINK_DRIVE(gear, neutral, chosen, "chosen_2");
static int never(void) { return 0; }
CALL(impossible);
static int impossible_4(void) { return 4; }
RELINK_VARIANT(impossible, impossible_4, .condition = never, .rank = 9);
RELINK_DRIVE(gear, reverse, impossible, "4");

/* ---- choice functions ---- */

static void *commit_in_thread(void *unused)
{
	thread_inside = relink_key_enable(from_thread, NULL);
	return unused;
}

static int count_choice(const struct relink_choice_info *info, void *unused)
{
	(void)info, (void)unused;
	listed_inside++;
	return 0;
}

/* Does everything that would not work under a lock. */
static const char *choose_by_function(const struct relink_facts *facts)
{
	struct relink_status s = { .size = sizeof(s) };
	struct relink_commit c = RELINK_COMMIT;
	pthread_t thread;

	called++;
	seen = *facts;
	status_inside = relink_get_status(&s);
	relink_each_choice(count_choice, NULL);
	commit_inside = relink_key_enable(committed, NULL);
	relink_set_key(&c, in_transaction, true);
	relink_set_option(&c, gear, neutral);
	transaction_inside = relink_commit(&c, RELINK_LIVE, NULL);
	relink_unset(&c, "gear");
	relink_commit(&c, RELINK_LIVE, NULL);
	if (!pthread_create(&thread, NULL, commit_in_thread, NULL))
		pthread_join(thread, NULL);
	return "on";
}
static const char *no_opinion(const struct relink_facts *facts) { called++; return facts->threads > 1000000 ? "off" : NULL; }
static const char *no_state(const struct relink_facts *facts) { called++; return facts->cpus ? "perhaps" : "on"; }
static const char *choose_three(const struct relink_facts *facts) { called++; return facts->size ? "3" : NULL; }
static const char *choose_impossible(const struct relink_facts *facts) { called++; return facts->size ? "impossible_4" : NULL; }
RELINK_CHOOSE(by_function, choose_by_function);
RELINK_CHOOSE(kept, no_opinion);
RELINK_CHOOSE(nonsense, no_state);
RELINK_CHOOSE(chosen, choose_three);
RELINK_CHOOSE(impossible, choose_impossible);

/* ---- tests ---- */

struct states { int gear; bool lamp, brake; int ranked, driven, chosen, impossible; };

static void check_states(const char *when, struct states want)
{
	bool lamp_now = relink_unlikely(lamp), brake_now = relink_likely(brake);

	CHECKF(relink_option_state(gear) == want.gear, "%s: gear %d", when, relink_option_state(gear));
	CHECKF(lamp_now == want.lamp, "%s: lamp %d", when, lamp_now);
	CHECKF(brake_now == want.brake, "%s: brake %d", when, brake_now);
	CHECKF(ranked() == want.ranked, "%s: ranked %d", when, ranked());
	CHECKF(driven() == want.driven, "%s: driven %d", when, driven());
	CHECKF(chosen() == want.chosen, "%s: chosen %d", when, chosen());
	CHECKF(impossible() == want.impossible, "%s: impossible %d", when, impossible());
}

static void test_functions(void)
{
	cpu_set_t set;

	CHECKF(called == 5, "choice functions ran %d times", called);
	CHECK(status_inside == 0 && listed_inside > 10 && commit_inside == 0 && transaction_inside == 0 && thread_inside == 0);
	CHECK(relink_unlikely(by_function) && relink_likely(kept) && !relink_unlikely(nonsense));
	CHECK(relink_unlikely(committed) && relink_unlikely(in_transaction) && relink_unlikely(from_thread));
	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	CHECKF(seen.cpus == (uint32_t)CPU_COUNT(&set), "facts say %u processors", seen.cpus);
	CHECKF(seen.threads == 1, "facts say %u threads", seen.threads);
	CHECK(seen.size >= sizeof(seen));
}

static void *get_facts(void *facts)
{
	CHECK(relink_get_facts(facts) == 0);
	return NULL;
}

static void test_facts(void)
{
	struct relink_facts facts = { .size = sizeof(facts) }, small = { .size = 4 };
	pthread_t thread;

	CHECK(relink_get_facts(&small) == RELINK_E_ARGUMENT && relink_get_facts(NULL) == RELINK_E_ARGUMENT);
	CHECK(!pthread_create(&thread, NULL, get_facts, &facts) && !pthread_join(thread, NULL));
	CHECKF(facts.threads == 2 && facts.cpus == seen.cpus && facts.cpu == seen.cpu, "%u threads", facts.threads);
#ifdef __x86_64__
	CHECK(!(facts.cpu & RELINK_CPU(never, sve, rvv)));
	__builtin_cpu_init();
	CHECK(!!__builtin_cpu_supports("sse4.2") == !!(facts.cpu & RELINK_CPU(sse4_2)));
	CHECK(!!__builtin_cpu_supports("popcnt") == !!(facts.cpu & RELINK_CPU(popcnt)));
	CHECK(!!__builtin_cpu_supports("avx2") == !!(facts.cpu & RELINK_CPU(avx2)));
	CHECK(!!__builtin_cpu_supports("bmi2") == !!(facts.cpu & RELINK_CPU(bmi2)));
	CHECK(!!__builtin_cpu_supports("avx512f") == !!(facts.cpu & RELINK_CPU(avx512f)));
#endif
}

/* One commit moves an option and what it drives. */
static void test_drives(void)
{
	struct relink_commit c = RELINK_COMMIT;

	check_states("neutral", (struct states){ 0, false, true, 1, 2, 3, 1 });
	CHECK_CODE(relink_option_set(gear, reverse, &err), RELINK_OK, &err);
	check_states("reverse", (struct states){ 2, true, false, 1, 1, 3, 1 });
	CHECK_CODE(relink_option_set(gear, forward, &err), RELINK_OK, &err);
	check_states("forward", (struct states){ 1, false, false, 1, 3, 3, 1 });
	CHECK_CODE(relink_key_enable(lamp, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(driven, driven_0, &err), RELINK_OK, &err);
	check_states("the program says otherwise", (struct states){ 1, true, false, 1, 0, 3, 1 });
	CHECK_CODE(relink_option_set(gear, reverse, &err), RELINK_OK, &err);
	check_states("and goes on saying so", (struct states){ 2, true, false, 1, 0, 3, 1 });
	relink_unset(&c, "lamp");
	relink_unset(&c, "driven");
	relink_set_option(&c, gear, neutral);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_states("neutral again", (struct states){ 0, false, true, 1, 2, 3, 1 });
	relink_set_option(&c, gear, forward);
	relink_set_key(&c, brake, true);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_states("both at once", (struct states){ 1, false, true, 1, 3, 3, 1 });
	relink_unset(&c, "brake");
	relink_set_call(&c, chosen, chosen_0);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_states("withdrawn", (struct states){ 1, false, false, 1, 3, 0, 1 });
	CHECK_CODE(relink_call_clear(chosen, &err), RELINK_OK, &err);
	CHECK_CODE(relink_option_clear(gear, &err), RELINK_OK, &err);
	check_states("cleared", (struct states){ 0, false, true, 1, 2, 3, 1 });
}

/* From outside an option drives as well, and is above what a choice function says. */
static int child(void)
{
	CHECK(!relink_unlikely(by_function) && !relink_likely(kept));
	check_states("environment", (struct states){ 2, false, false, 2, 1, 1, 3 });
	return check_done();
}

static void test_environment(void)
{
	static struct run r = { .argv = { "child" },
		.environment = { "RELINK=by_function=off,kept=off,gear=reverse,lamp=off,ranked=2,chosen=1,impossible=3" } };

	run(&r);
	CHECKF(r.status == 0, "status %d\n%s", r.status, r.output);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return child();
	test_functions();
	test_facts();
	test_drives();
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	CHECKF(called == 5, "choice functions ran %d times", called);
	test_environment();
	return check_done();
}
