/* SPDX-License-Identifier: MIT */
/* ops.c - what it costs to exchange the backend of a whole table, in one commit. */
#include "bench.h"
#include "ops.h"

#define ROUNDS 15

static unsigned long first_calls, second_calls;

#define FIRST(ret, member, args) static ret first_##member args { first_calls++; }
#define SECOND(ret, member, args) static ret second_##member args { second_calls++; }
BENCH_OPS(FIRST)
BENCH_OPS(SECOND)
#define FIRST_MEMBER(ret, member, args) .member = first_##member,
#define SECOND_MEMBER(ret, member, args) .member = second_##member,
static const struct bench_ops first = { BENCH_OPS(FIRST_MEMBER) };
static const struct bench_ops second = { BENCH_OPS(SECOND_MEMBER) };
RELINK_DEFINE_OPS(bench, BENCH_OPS, first, "the table that is measured");

static const struct {
	const char *name;
	int mode;
	bool stores; /* RELINK_WRITABLE_CODE is declared, which can't be taken back */
} modes[] = {
	{ "ops.startup.50x1000", RELINK_STARTUP, false },
	{ "ops.live.50x1000", RELINK_LIVE, false },
	{ "ops.live.stores.50x1000", RELINK_LIVE, true },
};
#define MODES (sizeof(modes) / sizeof(*modes))

/* Milliseconds. */
static double bind(const struct bench_ops *backend, int mode)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;
	uint64_t start;

	relink_set_ops(&c, bench, backend);
	start = bench_now();
	if (relink_commit(&c, mode, &err) < 0)
		bench_die("ops: %s", relink_error_text(&err));
	return (double)(bench_now() - start) / 1e6;
}

static void check(const unsigned long *expected)
{
	first_calls = second_calls = 0;
	bench_call_all();
	if (*expected != BENCH_MEMBERS * BENCH_MEMBER_SITES || first_calls + second_calls != *expected)
		bench_die("ops: the code does not do what was asked");
}

static double there_and_back(int mode)
{
	double time = bind(&second, mode);

	check(&second_calls);
	time += bind(&first, mode);
	check(&first_calls);
	return time / 2;
}

static void note_sites(void)
{
	struct relink_status status = { .size = sizeof(status) };

	if (relink_get_status(&status) == 0)
		bench_note("ops: with%s stores %lu of %d calls are bound, the others on their trampolines", status.one_store ? "" : "out",
			   (unsigned long)status.sites[RELINK_SITE_CALL][RELINK_BOUND], BENCH_MEMBERS * BENCH_MEMBER_SITES);
}

static void measure(struct bench_series *series, bool stores)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < MODES; i++)
			if (modes[i].stores == stores)
				bench_add(&series[i], there_and_back(modes[i].mode));
	note_sites();
}

int main(void)
{
	static struct bench_series series[MODES];
	struct relink_error err;

	bench_pin_first();
	measure(series, false);
	if (relink_declare(RELINK_WRITABLE_CODE, &err) < 0)
		bench_die("ops: %s", relink_error_text(&err));
	measure(series, true);
	for (size_t i = 0; i < MODES; i++) {
		__builtin_strcpy(series[i].name, modes[i].name);
		series[i].unit = "ms";
		bench_print(&series[i]);
	}
	return 0;
}
