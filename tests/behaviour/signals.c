/* SPDX-License-Identifier: MIT */
/* test: INTERNAL LINK -Wl,--emit-relocs -Wl,-z,now -lrt LABELS soak TIMEOUT 60 NOT thread */
/*
 * signals.c - a storm of timer signals falls on a committer: none is handled while code changes, a commit from a handler that
 * interrupted one is refused, a fork from there works, and nothing waits for ever.
 */
#undef RELINK_INTERNAL /* only the hooks; the program is like any other */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "core/core.h"

void rl_test_step(void (*step)(int step));

#define INTERVAL 50000 /* ns */
#define PATIENCE 20    /* s */

RELINK_KEY_FALSE(storm, "changed by the one who is interrupted");
RELINK_KEY_FALSE(squall, "changed by handlers");

RELINK_DECLARE_CALL(int, gale, (void));
static int calm(void) { return 0; }
static int strong(void) { return 1; }
RELINK_DEFINE_CALL(gale, calm, "led elsewhere in several phases");

static pthread_t committer;
static sigset_t mask; /* its */
static volatile bool inside;    /* between the hooks of a commit, where signals are to be blocked */
static volatile bool in_commit; /* in a call of the library */
static volatile bool calling;   /* that changes a call */
static volatile unsigned long signals, early, refusals, grants, others, forks, lost;
static volatile int first_other, last_lost;
static unsigned long commits;
static bool forking, done;

static void on_step(int step)
{
	if (step == RL_STEP_PREPARED)
		inside = true;
	if (step == RL_STEP_OPCODE_BARRIER)
		inside = false;
}

/* What a handler does that has no business to. */
static void commit_here(void)
{
	int r = relink_key_set(squall, signals & 1, NULL);

	if (r == RELINK_E_CONTEXT)
		refusals++;
	else if (r == RELINK_OK)
		grants++;
	else if (!others++)
		first_other = r;
}

static void reap(int options)
{
	int status;

	while (waitpid(-1, &status, options) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			lost++;
			last_lost = status;
		}
}

/* A child that does the same as its parent, for a while. */
static void fork_here(void)
{
	pid_t child = fork();

	if (!child) {
		check_failed_ = 0;
		forking = false;
		setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
		commits = 0;
		__atomic_store_n(&over, true, __ATOMIC_RELAXED); /* ends with the commit that was interrupted */
		return;
	}
	forks += child > 0;
	reap(WNOHANG);
}

static void on_signal(int signal)
{
	int saved = errno;

	(void)signal;
	signals++;
	if (inside && pthread_equal(pthread_self(), committer))
		early++;
	if (in_commit && pthread_equal(pthread_self(), committer)) {
		commit_here();
		if (forking && !calling && signals % 64 == 0) /* not where malloc may have been interrupted */
			fork_here();
	}
	errno = saved;
}

static bool right_now(void)
{
	return relink_unlikely(storm);
}

/* The mask of the committer is what it was. */
static void check_mask(void)
{
	sigset_t now;

	CHECK(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
	for (int i = 1; i < 32; i++)
		CHECKF(sigismember(&now, i) == sigismember(&mask, i), "signal %d is %sblocked now", i, sigismember(&now, i) ? "" : "un");
}

static bool change(bool on)
{
	struct relink_error err;
	bool ok;

	in_commit = true;
	ok = CHECK_CODE(relink_key_set(storm, on, &err), RELINK_OK, &err);
	calling = true;
	ok &= CHECK_CODE(relink_call_set(gale, on ? strong : calm, &err), RELINK_OK, &err);
	in_commit = calling = false;
	return ok && CHECK(right_now() == on) && CHECK(gale() == on);
}

static void change_in_storm(void)
{
	pid_t me = getpid();
	bool on = relink_key_enabled(storm);

	while (running()) {
		on = !on;
		if (!change(on))
			break;
		__atomic_fetch_add(&commits, 1, __ATOMIC_RELAXED);
	}
	check_mask();
	if (getpid() == me)
		return;
	change(!on); /* a child, after what it was forked in */
	_exit(check_failed_ != 0);
}

/* Ends the storm; says it if somebody waits for ever. */
static void *watch(void *argument)
{
	double end = now() + *(double *)argument, last = now();
	unsigned long before = 0;

	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		unsigned long count = __atomic_load_n(&commits, __ATOMIC_RELAXED);

		if (count != before)
			last = now();
		before = count;
		if (now() > last + PATIENCE) {
			printf("FAILED no commit in %d s after %lu commits and %lu signals: somebody waits for ever\n", PATIENCE, count,
			       signals);
			fflush(stdout);
			_exit(1);
		}
		usleep(10000);
		if (now() > end)
			__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Directed at this thread. */
static timer_t start_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec time = { { 0, INTERVAL }, { 0, INTERVAL } };
	timer_t timer = 0;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &time, NULL) == 0);
	return timer;
}

static void storm_for(double seconds, bool with_forks)
{
	timer_t timer;

	forking = with_forks;
	commits = 0;
	done = false;
	start(watch, &seconds);
	timer = start_timer();
	change_in_storm();
	timer_delete(timer);
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	finish();
	reap(0);
	CHECKF(!lost, "%lu children that a handler forked failed, one ended with %#x", lost, last_lost);
}

/* Of the whole process, restarting nothing. */
static void process_storm(double seconds)
{
	struct itimerval time = { { 0, INTERVAL / 1000 }, { 0, INTERVAL / 1000 } }, none = { { 0, 0 }, { 0, 0 } };

	forking = false;
	commits = 0;
	done = false;
	start(watch, &seconds);
	setitimer(ITIMER_REAL, &time, NULL);
	change_in_storm();
	setitimer(ITIMER_REAL, &none, NULL);
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	finish();
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	double seconds = soak_seconds() / 3;

	committer = pthread_self();
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	rl_test_step(on_step);
	storm_for(seconds, false);
	process_storm(seconds);
	storm_for(seconds, true);
	rl_test_step(NULL);
	CHECKF(!early, "%lu signals were handled while code changed", early);
	CHECKF(!others, "%lu commits in handlers ended with %s", others, relink_code_name(first_other));
	CHECKF(signals > 100 && refusals > 0, "only %lu signals, %lu refusals", signals, refusals);
	CHECKF(forks > 0, "no handler forked");
	printf("%lu signals; commits in handlers: %lu refused, %lu granted; %lu forks\n", signals, refusals, grants, forks);
	return check_done();
}
