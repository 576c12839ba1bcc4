/* SPDX-License-Identifier: MIT */
/* test: INTERNAL LINK -Wl,--emit-relocs -Wl,-z,now LABELS soak TIMEOUT 60 */
/*
 * delays.c - commits are held up between all their steps, and made to fail at each of their writes, while eight threads run through
 * the sites: without traps, with traps, with nothing but traps. Before the first guard everything is old, after the last
 * barrier everything is new, in between each site is one or the other; after a failed write everything is old.
 */
#undef RELINK_INTERNAL /* only the hooks; the program is like any other */
#include "stress_subjects.h"

#include <errno.h>
#include <sys/wait.h>

#include "runtime/runtime.h"

void rl_test_step(void (*step)(int step));
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));

#define READERS 8
#define ROUNDS_LIMIT 5.0 /* seconds that readers may take for a round */

static struct subject *subject = subjects;
static unsigned long rounds[READERS];

static struct chance chance;
static unsigned held[RL_STEPS];     /* how often all readers went through the sites at this step */
static unsigned steps, hold_at;     /* of the running commit: steps done; the one that is held */
static bool opened, closed;         /* of the running commit: may change code now; has changed all */
static bool may_fail;
static unsigned long failures;
static uint64_t barriers;           /* before the last one of the running commit */

/* ---- readers ---- */

static void *reader(void *number)
{
	unsigned long *mine = number;

	for (unsigned x = 0; running(); x++) {
		look(__atomic_load_n(&subject, __ATOMIC_RELAXED), x % 1024);
		__atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
		rest(); /* so that a round of all takes less than a round of time slices */
	}
	return NULL;
}

/* Waits until each reader has begun and ended a round. */
static void await_rounds(void)
{
	double limit = now() + ROUNDS_LIMIT;
	unsigned long before[READERS];
	bool done;

	for (unsigned i = 0; i < READERS; i++)
		before[i] = __atomic_load_n(&rounds[i], __ATOMIC_RELAXED);
	do {
		sleep_for(100e-6);
		done = true;
		for (unsigned i = 0; i < READERS; i++)
			done &= __atomic_load_n(&rounds[i], __ATOMIC_RELAXED) > before[i] + 1;
	} while (!done && now() < limit);
	CHECKF(done, "readers make no progress");
}

/* ---- the hooks ---- */

static void delay(int step)
{
	if (steps++ == hold_at) {
		await_rounds();
		held[step]++;
	} else if (draw(&chance, 8) == 0) {
		rest();
	} else if (draw(&chance, 8) == 0) {
		sleep_for(1e-6 * draw(&chance, 200));
	}
}

static void on_step(int step)
{
	if (step == RL_STEP_OPCODES)
		barriers = rl_runtime.core.barriers;
	if (step == RL_STEP_OPCODE_BARRIER && !may_fail) {
		CHECKF(rl_runtime.core.barriers == barriers + 1, "the last barrier is missing");
		closed = true;
		timeline_step(&subject->timeline);
	}
	delay(step);
	if (step == RL_STEP_PREPARED) {
		opened = true;
		timeline_step(&subject->timeline);
	}
}

static unsigned writes, fail_at;
static bool for_ever;

/* A write of many bytes may also have done a part. */
static int failing_write(uintptr_t address, const void *bytes, size_t length)
{
	unsigned this = writes++;

	if (this < fail_at || (this > fail_at && !for_ever))
		return rl_text_write(address, bytes, length);
	if (length > 8 && draw(&chance, 2))
		rl_text_write(address, bytes, draw(&chance, (uint32_t)length - 1) + 1);
	return -EIO;
}

/* ---- commits ---- */

static int commit(struct subject *s, struct relink_error *err)
{
	steps = 0;
	opened = closed = false;
	return s->to((unsigned)((s->timeline.now / 2 + 1) % s->states), err);
}

static void pick_subject(struct subject *s)
{
	__atomic_store_n(&subject, s, __ATOMIC_RELAXED);
	await_rounds();
}

/* One commit for each step at which it can be held. */
static void hold_everywhere(struct subject *s, double until)
{
	struct relink_error err;
	bool more = true;

	for (hold_at = 0; more && now() < until; hold_at++) {
		if (!CHECK_CODE(commit(s, &err), RELINK_OK, &err) || !CHECKF(opened && closed, "%s: no code was changed", s->name))
			return;
		more = hold_at < steps;
		s->commits++;
	}
}

static bool fail_once(struct subject *s)
{
	struct relink_error err;
	int result;

	writes = 0;
	may_fail = true;
	rl_test_write(failing_write);
	result = commit(s, &err);
	rl_test_write(NULL);
	may_fail = false;
	if (fail_at >= writes) {
		timeline_step(&s->timeline);
		CHECK_CODE(result, RELINK_OK, &err);
		return false;
	}
	CHECKF(result == RELINK_E_WRITE, "%s: write %u failed and the commit says %s", s->name, fail_at, relink_error_text(&err));
	if (opened)
		timeline_fail(&s->timeline, s->states);
	failures++;
	return true;
}

/* One commit for each write that can fail. */
static void fail_everywhere(struct subject *s, double until)
{
	struct relink_status status = { .size = sizeof(status) };

	for (fail_at = 0; now() < until; fail_at++) {
		hold_at = draw(&chance, 24);
		if (!fail_once(s))
			break;
		await_rounds();
	}
	CHECK(relink_get_status(&status) == 0);
	CHECKF(strncmp(status.mode, "direct", 6) == 0, "%s: status is %s", s->name, status.mode);
}

/* ---- when even the roll-back fails ---- */

/* Nothing can be written any more from some write on: the process lives, and every site is still the old or the new one. */
static int degrade(struct subject *s)
{
	struct relink_status status = { .size = sizeof(status) };
	struct relink_error err;
	int result;

	for (unsigned i = 0; i < READERS; i++)
		start(reader, &rounds[i]);
	pick_subject(s);
	hold_at = 0;
	writes = 0;
	fail_at = UINT32_MAX;
	rl_test_write(failing_write);
	CHECK_CODE(commit(s, &err), RELINK_OK, &err);
	fail_at = writes > 1 ? 1 + draw(&chance, writes - 1) : 1;
	writes = 0;
	may_fail = for_ever = true;
	result = commit(s, &err);
	rl_test_write(NULL);
	if (result == RELINK_OK)
		timeline_step(&s->timeline);
	await_rounds();
	CHECK(relink_get_status(&status) == 0);
	if (result == RELINK_E_DEGRADED) {
		CHECK_HAS(status.mode, "degraded: ");
		CHECK_CODE(commit(s, &err), RELINK_E_DEGRADED, &err);
		await_rounds();
	} else {
		CHECKF(result == RELINK_OK || result == RELINK_E_WRITE, "%s", relink_error_text(&err));
	}
	finish();
	return check_failed_ ? 1 : result == RELINK_E_DEGRADED ? 0 : 2;
}

/* In children, because there is no way back. */
static unsigned degrade_all(void)
{
	unsigned degraded = 0;

	for (unsigned i = 0; i < 4 * SUBJECTS; i++) {
		pid_t child;
		int status = -1;

		if (subjects[i % SUBJECTS].anybody)
			continue;
		fflush(stdout);
		child = fork();
		if (!child) {
			chance.state += i;
			check_failed_ = 0;
			_exit(degrade(&subjects[i % SUBJECTS]));
		}
		waitpid(child, &status, 0);
		CHECKF(WIFEXITED(status) && WEXITSTATUS(status) != 1, "%s: the child ended with %#x", subjects[i % SUBJECTS].name, status);
		degraded += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return degraded;
}

/* `least`: children in which even the roll-back fails; single bytes leave little to fail. */
static void run(const char *mode, double seconds, unsigned least)
{
	unsigned degraded;
	double until = now() + seconds;

	for (unsigned i = 0; i < READERS; i++)
		start(reader, &rounds[i]);
	rl_test_step(on_step);
	while (now() < until)
		for (unsigned i = 0; i < SUBJECTS && now() < until; i++) {
			if (subjects[i].anybody)
				continue;
			pick_subject(&subjects[i]);
			hold_everywhere(&subjects[i], until);
			fail_everywhere(&subjects[i], until);
		}
	finish();
	degraded = degrade_all();
	rl_test_step(NULL);
	for (unsigned i = 0; i < SUBJECTS; i++)
		if (!subjects[i].anybody)
			check_settled(&subjects[i]);
	printf("%s: held", mode);
	for (unsigned i = 0; i < RL_STEPS; i++)
		printf(" %u", held[i]);
	printf(" times by step, failed %lu times; %u children degraded\n", failures, degraded);
	CHECKF(degraded >= least, "only %u children degraded", degraded);
}

int main(void)
{
	double seconds = soak_seconds() / 4;
	struct relink_error err;

	if (!RELINK_PATCHES_)
		check_skip("this port rewrites no code");
	run("by bytes", seconds, 1);
	if (check_allow_stores())
		run("by stores", seconds, 5);
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
	run("with traps", seconds, 5);
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
	run("strictly", seconds, 5);
	for (int i = 0; i < RL_STEPS; i++)
		CHECKF(held[i] > 0, "no commit was held at step %d", i);
	CHECKF(failures > 10, "only %lu commits failed", failures);
	return check_done();
}
