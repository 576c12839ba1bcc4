/* SPDX-License-Identifier: MIT */
/* lock.c - the runtime's lock: across fork, and refused where waiting would never end. */
#include <pthread.h>
#include <time.h>

#include "runtime/runtime.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *owner;      /* address of the owning thread's `self` */
static bool torn;        /* a fork copied us in mid-commit: this process can't commit any more */
/* 1 from before this thread waits for the lock until after it has let it go; one more in each fork by a signal handler
 * that interrupted that. */
static __thread volatile char self __attribute__((tls_model("initial-exec")));

static int refuse(struct relink_error *err, const char *why)
{
	return rl_fail(err, RELINK_E_CONTEXT, 0, why);
}

static int refuse_torn(struct relink_error *err)
{
	return refuse(err, "this process was forked without its atfork handlers, in the middle of a commit");
}

/* Not the pages themselves: a handler's fork may have interrupted whoever is about to change their list. */
static void note_fork(void)
{
	__atomic_fetch_add(&rl_runtime.core.forks, 1, __ATOMIC_RELAXED);
}

static int after_raw_fork(struct relink_error *err)
{
	torn = __atomic_load_n(&owner, __ATOMIC_RELAXED) != 0;
	if (torn)
		return refuse_torn(err);
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	rl_text_after_fork();
	rl_agent_after_fork();
	note_fork();
	return 0;
}

static int check_context(struct relink_error *err)
{
	if (self)
		return refuse(err, "called from a signal handler that interrupted relink, or from a visitor");
	if (torn)
		return refuse_torn(err);
	switch (rl_text_context()) {
	case RL_TEXT_VFORK_CHILD:
		return refuse(err, "a vfork child shares its parent's code; commit in the parent, or after exec");
	case RL_TEXT_FORK_CHILD:
		return after_raw_fork(err);
	default:
		return 0;
	}
}

static __thread bool (*give_up)(void) __attribute__((tls_model("initial-exec")));

void rl_lock_unless(bool (*ask)(void))
{
	give_up = ask;
}

/* Who may be waited for by the owner of the lock can't wait for the lock. */
static bool wait_patiently(void)
{
	struct timespec pause = { 0, 20000 };

	while (pthread_mutex_trylock(&lock)) {
		if (give_up())
			return false;
		nanosleep(&pause, 0);
		if (pause.tv_nsec < 500000)
			pause.tv_nsec *= 2;
	}
	return true;
}

/* Handlers of this thread see `self` before anything that they could wait for. */
static bool take(void)
{
	bool taken = true;

	self = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (give_up)
		taken = wait_patiently();
	else
		pthread_mutex_lock(&lock);
	if (taken)
		__atomic_store_n(&owner, (char *)&self, __ATOMIC_RELAXED);
	else
		self = 0;
	return taken;
}

static void let_go(void)
{
	__atomic_store_n(&owner, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self = 0;
}

void rl_unlock(void)
{
	bool paused = rl_agent_end_pause();

	rl_agent_tell();
	let_go();
	if (paused)
		rl_agent_resume();
}

int rl_lock(struct relink_error *err)
{
	int r = check_context(err);

	if (r)
		return r;
	if (!take())
		return refuse(err, "the agent's thread has to end");
	if (!torn) /* while we waited, by a handler's fork */
		return 0;
	let_go();
	return refuse_torn(err);
}

bool rl_try_lock(void)
{
	if (check_context(0))
		return false;
	self = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (pthread_mutex_trylock(&lock)) {
		self = 0;
		return false;
	}
	__atomic_store_n(&owner, (char *)&self, __ATOMIC_RELAXED);
	return true;
}

/* fork() waits for a running commit, so that the child never starts with half of one. A handler that interrupted one can't wait. */
static void before_fork(void)
{
	rl_linkage_before_fork();
	if (self)
		self++;
	else
		take();
}

static void after_fork_in_parent(void)
{
	note_fork();
	if (self > 1)
		self--;
	else
		let_go();
}

/* The child of such a handler goes on with what it interrupted, unless that was waiting for another thread. */
static void after_handler_forked(void)
{
	char *holder = __atomic_load_n(&owner, __ATOMIC_RELAXED);

	self--;
	if (holder == &self)
		return;
	torn |= holder != 0;
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void after_fork_in_child(void)
{
	rl_text_after_fork();
	rl_agent_after_fork();
	rl_recorder_after_fork();
	rl_linkage_after_fork();
	note_fork();
	if (self > 1) {
		after_handler_forked();
		return;
	}
	let_go();
}

void rl_lock_init(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
