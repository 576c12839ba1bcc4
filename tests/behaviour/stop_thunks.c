// test: LABELS soak TIMEOUT 60 NOT thread generic VARIANTS "-O2" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/*
 * Sequences change in stop mode while threads run them, between native text, a template in place, templates beside the function, and a
 * function: what its thunk calls changes in the moment in which its place does, and a copy while nobody is in it.
 */
#include "stress.h"

RELINK_SEQUENCE(twice, "the double of its operand");
static uint64_t triple(uint64_t a) { return 3 * a; }
RELINK_SEQUENCE_CALL(twice, triple, triple, .rank = -1);
RELINK_TEMPLATE_2(twice, near, out, in1, "lea 1(%\\in1), %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, beside, out, in1,
		  "mov %\\in1, %\\out; add $0x100000, %\\out; add $0x100000, %\\out; add $0x100000, %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, further, out, in1,
		  "mov %\\in1, %\\out; add $0x200000, %\\out; sub $0x100000, %\\out; add $0x300000, %\\out", .rank = -1);
static const char *const states[] = { "native", "triple", "near", "triple", "beside", "further", "triple" };

static struct relink_error err;
static unsigned long runs;

static __attribute__((noinline)) unsigned wrapped(uint64_t a)
{
	uint64_t r;

	relink_wrap(twice, "lea (%[in1],%[in1]), %[out]", RELINK_OREG(r), RELINK_IREG1(a), RELINK_CLOBBERS("cc"));
	return r == 2 * a || r == 3 * a || r == a + 1 || r == a + 0x300000 || r == a + 0x400000;
}

static void *run(void *unused)
{
	while (running())
		for (uint64_t a = 100; a < 10000; a++) {
			if (!wrapped(a))
				CHECKF(false, "a sequence of %llu is none of its states", (unsigned long long)a);
			__atomic_store_n(&runs, a, __ATOMIC_RELAXED);
		}
	return unused;
}

int main(void)
{
	double end = now() + soak_seconds();
	struct relink_status status = { .size = sizeof(status) };
	unsigned long commits = 0;

	if (relink_get_status(&status) || strncmp(status.mode, "direct", 6))
		check_skip(status.mode);
	relink_stop_timeout(20000);
	for (int i = 0; i < 3; i++)
		start(run, NULL);
	while (now() < end) {
		struct relink_commit c = RELINK_COMMIT;

		relink_set(&c, "twice", states[commits++ % COUNT(states)]);
		CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), RELINK_OK, &err);
		sleep_for(200e-6);
	}
	finish();
	printf("%lu stops\n", commits);
	CHECK(commits > 3 && runs);
	return check_done();
}
