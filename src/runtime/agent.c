/* SPDX-License-Identifier: MIT */
/*
 * agent.c - the agent's life: a socket, and a thread that comes and goes.
 *
 * The thread must not change what the program can do, so it ends whenever somebody needs to be alone or wants all threads
 * to stand still, and a new one goes on afterwards. It is asked for that under the runtime's lock; so it may not wait for the
 * lock while it is asked (rl_lock_unless). Then it blocks every signal and is never parked; and that it is not there is
 * something the kernel confirms, as for any other thread.
 *
 * Order of locks: the runtime's, then `control`. The thread itself never takes `control`.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/agent.h"

#define PAUSE_MS 1000  /* how long a commit waits for the thread to end */
#define STOP_MS 5000
#define EXIT_MS 200
#define TURN_MS 20     /* that the thread has for a turn, where it could not finish the last one */

struct rl_agent rl_agent = { .listener = { .descriptor = -1 }, .event = -1, .files = -1 };

enum { AWAY, RUNNING, LEAVING, LEFT };

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static uint32_t state;      /* a futex: the thread's */
static bool wanted;         /* under control: started, and not stopped */
static unsigned pauses;     /* under control: who needs to be without it */
static bool paused;         /* under the runtime's lock: its owner is one of those */
static pthread_t thread;    /* under control, unless AWAY */
static pid_t process;       /* whose thread it is: a child that no handler of ours has seen is another */
static bool asked;          /* RELINK_AGENT has been looked at */
static __thread bool is_agent __attribute__((tls_model("initial-exec")));

uint64_t rl_agent_now(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

bool rl_agent_must_leave(void)
{
	return __atomic_load_n(&state, __ATOMIC_ACQUIRE) == LEAVING;
}

/*
 * The program may have closed the agent's descriptors. While the thread waits for them the files live on: then a
 * connection that nobody will serve wakes it.
 */
static void wake(void)
{
	int event = __atomic_load_n(&rl_agent.event, __ATOMIC_RELAXED);
	uint64_t one = 1;
	ssize_t unused;

	if (!rl_is_own(event)) {
		rl_knock(&rl_agent.listener);
		return;
	}
	unused = write(event, &one, sizeof(one));
	(void)unused;
}

/* ---- the thread ---- */

static bool moves(uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void *run(void *unused)
{
	is_agent = true;
	rl_lock_unless(rl_agent_must_leave);
	do
		rl_agent_serve();
	while (!moves(LEAVING, LEFT)); /* who wanted that may have given up */
	syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
	return unused;
}

/* What is done to the thread is not interrupted, by a handler or by pthread_cancel; and it inherits the mask. */
struct calm {
	sigset_t mask;
	int cancel;
};

/* Libc leaves out its own signals, which it needs for setuid(2) and pthread_cancel. */
static void calm_down(struct calm *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before->mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before->cancel);
}

static void calm_over(const struct calm *before)
{
	pthread_setcancelstate(before->cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
}

extern void *__libc_malloc(size_t size) __attribute__((weak));

/* The thread runs none of the program's code, unless that is what allocates memory. */
static bool is_ours_alone(void)
{
	return __libc_malloc == malloc;
}

/* Under control, with all signals blocked, which the thread inherits. 0 or an error. */
static int create(void)
{
	int error;

	__atomic_store_n(&state, RUNNING, __ATOMIC_RELEASE);
	rl_locks_ignore(is_ours_alone());
	error = pthread_create(&thread, NULL, run, NULL);
	rl_locks_ignore(false);
	if (error)
		__atomic_store_n(&state, AWAY, __ATOMIC_RELEASE);
#ifdef __GLIBC__
	else
		pthread_setname_np(thread, "relink-agent");
#endif
	return error;
}

static void wait_for_change(uint32_t value, uint64_t ms)
{
	struct timespec limit = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	syscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, value, &limit, NULL, 0);
}

/* Under control. True: there is no thread. */
static bool end_thread(uint64_t ms)
{
	uint64_t now, end = rl_agent_now() + ms;

	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == AWAY)
		return true;
	__atomic_store_n(&state, LEAVING, __ATOMIC_SEQ_CST);
	wake();
	while (rl_agent_must_leave()) {
		now = rl_agent_now();
		if (now >= end && moves(LEAVING, RUNNING))
			return false;
		wait_for_change(LEAVING, now < end ? end - now : 1);
	}
	pthread_join(thread, NULL);
	__atomic_store_n(&state, AWAY, __ATOMIC_RELEASE);
	return true;
}

/* ---- away for a moment ---- */

bool rl_agent_end_pause(void)
{
	bool was = paused;

	paused = false;
	return was;
}

bool rl_agent_pause(void)
{
	struct calm before;

	if (paused)
		return true;
	if (is_agent || !__atomic_load_n(&wanted, __ATOMIC_ACQUIRE) || process != getpid())
		return false;
	calm_down(&before);
	pthread_mutex_lock(&control);
	paused = wanted && end_thread(PAUSE_MS);
	pauses += paused;
	pthread_mutex_unlock(&control);
	calm_over(&before);
	return paused;
}

void rl_agent_turn_is_over(void)
{
	__atomic_store_n(&rl_agent.owed, false, __ATOMIC_RELAXED);
	__atomic_fetch_add(&rl_agent.turns, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &rl_agent.turns, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* Who pauses it again and again must let it do something in between. */
static void give_turn(uint32_t turns)
{
	struct timespec limit = { 0, TURN_MS * 1000000 };

	if (__atomic_load_n(&rl_agent.turns, __ATOMIC_ACQUIRE) == turns)
		syscall(SYS_futex, &rl_agent.turns, FUTEX_WAIT_PRIVATE, turns, &limit, NULL, 0);
}

/* If there can be no thread now, the next one who was without it tries again. */
void rl_agent_resume(void)
{
	uint32_t turns = __atomic_load_n(&rl_agent.turns, __ATOMIC_ACQUIRE);
	bool owed = __atomic_load_n(&rl_agent.owed, __ATOMIC_RELAXED), created = false;
	struct calm before;

	calm_down(&before);
	pthread_mutex_lock(&control);
	pauses--;
	if (!pauses && wanted && !__atomic_load_n(&rl_runtime.exiting, __ATOMIC_RELAXED) &&
	    __atomic_load_n(&state, __ATOMIC_ACQUIRE) == AWAY)
		created = !create();
	pthread_mutex_unlock(&control);
	calm_over(&before);
	if (created && owed)
		give_turn(turns);
}

unsigned rl_agent_threads(void)
{
	return __atomic_load_n(&state, __ATOMIC_ACQUIRE) != AWAY;
}

/* The agent looks for what has changed by itself, if somebody wants to know. */
void rl_agent_tell(void)
{
	static unsigned long told;

	if (rl_runtime.core.changes == told)
		return;
	told = rl_runtime.core.changes;
	if (__atomic_load_n(&rl_agent.subscribers, __ATOMIC_RELAXED) && !is_agent)
		wake();
}

/* ---- start and stop ---- */

static int fail(struct relink_error *err, const char *what, const char *why)
{
	char reason[320];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, what);
	rl_text_add(&t, why);
	return rl_fail(err, RELINK_E_AGENT, 0, reason);
}

static void close_all(void)
{
	rl_agent_hang_up();
	rl_agent_files_stop();
	rl_unlisten(&rl_agent.listener);
	rl_close_own(rl_agent.event);
	rl_agent.event = -1;
}

bool rl_agent_new_event(void)
{
	__atomic_store_n(&rl_agent.event, rl_mark_own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), __ATOMIC_RELAXED);
	return rl_agent.event >= 0;
}

/* Under both locks: a fork by another thread must not inherit a socket that nobody has noted. */
static int open_all(struct relink_error *err)
{
	char why[256];

	if (!rl_agent_new_event())
		return fail(err, "the agent can't be started: ", "no descriptor is free");
	if (rl_listen(&rl_agent.listener, why, sizeof(why))) {
		close_all();
		return fail(err, "the agent can't be started: ", why);
	}
	rl_agent_files_start();
	process = getpid();
	return 0;
}

static void set_wanted(bool value)
{
	__atomic_store_n(&wanted, value, __ATOMIC_RELEASE);
}

/* Under control. Who stops all threads in between waits for that, and then for the new thread's end. */
static int create_first(struct relink_error *err)
{
	if (!create())
		return RELINK_OK;
	set_wanted(false);
	close_all();
	return fail(err, "the agent can't be started: ", "no thread can be made");
}

/* Who waits for the lock can be stopped: signals are blocked later. */
static int start(struct relink_error *err)
{
	struct calm before;
	bool running;
	int r = rl_lock(err);

	if (r)
		return r;
	calm_down(&before);
	pthread_mutex_lock(&control);
	running = wanted;
	if (!running)
		r = open_all(err);
	set_wanted(!r);
	rl_unlock();
	if (!r && !running)
		r = create_first(err);
	pthread_mutex_unlock(&control);
	calm_over(&before);
	return r;
}

int rl_agent_start(struct relink_error *err)
{
	if (rl_runtime.secure)
		return rl_fail(err, RELINK_E_CONTEXT, 0, "a process with more rights than its user (AT_SECURE) has no agent");
	if (!rl_files_allowed())
		return fail(err, "the agent can't be started: ", "a seccomp filter forbids to open files");
	return start(err);
}

/* Under the lock too, since commits look at what is closed here. */
int rl_agent_stop(struct relink_error *err)
{
	struct calm before;
	int r = rl_lock(err);

	if (r)
		return r;
	calm_down(&before);
	pthread_mutex_lock(&control);
	if (wanted && end_thread(STOP_MS)) {
		set_wanted(false);
		close_all();
	}
	if (wanted)
		r = fail(err, "the agent does not end: ", "it is in the middle of a request");
	pthread_mutex_unlock(&control);
	rl_unlock();
	calm_over(&before);
	return r;
}

/* Whoever is starting or stopping it meanwhile need not be waited for. The descriptors go with the process. Without an agent there is
 * nothing to ask the kernel for: a sandbox may allow writing and no more. */
void rl_agent_at_exit(void)
{
	struct calm before;

	if (!__atomic_load_n(&wanted, __ATOMIC_RELAXED))
		return;
	calm_down(&before);
	if (!pthread_mutex_trylock(&control)) {
		if (wanted && process == getpid()) {
			end_thread(EXIT_MS);
			unlink(rl_agent.listener.path);
		}
		pthread_mutex_unlock(&control);
	}
	calm_over(&before);
}

static bool is_asked_for(void)
{
	const char *value = rl_runtime.secure ? NULL : getenv("RELINK_AGENT");

	return value && *value && strcmp(value, "0");
}

/* A watcher that has not come yet would take its thread for one of the program's. */
void rl_agent_start_if_asked(void)
{
	struct relink_error err;

	if (rl_locks_expect_watch() || __atomic_exchange_n(&asked, true, __ATOMIC_ACQ_REL))
		return;
	if (!is_asked_for() || rl_agent_start(&err) == RELINK_OK || rl_lock(0))
		return;
	rl_remark(err.text);
	rl_unlock();
}

/* ---- fork ---- */

/* Its thread is not here, and its socket is the parent's. Nothing is freed that the thread may have been in the middle of. */
void rl_agent_after_fork(void)
{
	control = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	state = AWAY;
	wanted = paused = false;
	pauses = 0;
	rl_close_own(rl_agent.listener.descriptor);
	rl_close_own(rl_agent.event);
	rl_close_own(rl_agent.files);
	for (size_t i = 0; i < RL_AGENT_CLIENTS; i++)
		if (rl_agent.clients[i]) {
			rl_close_own(rl_agent.clients[i]->descriptor);
			munmap(rl_agent.clients[i], sizeof(*rl_agent.clients[i]));
		}
	rl_agent = (struct rl_agent){ .listener = { .descriptor = -1 }, .event = -1, .files = -1 };
}
