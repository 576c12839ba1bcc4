/* SPDX-License-Identifier: MIT */
/* lock.c - the runtime's lock: across fork, and refused where waiting would never end. */
#include <pthread.h>

#include "runtime/runtime.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *owner;      /* address of the owning thread's `self` */
static bool torn;        /* a raw fork copied us in mid-commit: this process can't commit any more */
static __thread char self __attribute__((tls_model("initial-exec")));

static int refuse(struct relink_error *err, const char *why)
{
	return rl_fail(err, RELINK_E_CONTEXT, 0, why);
}

static int after_raw_fork(struct relink_error *err)
{
	torn = __atomic_load_n(&owner, __ATOMIC_RELAXED) != 0;
	if (torn)
		return refuse(err, "this process was forked without its atfork handlers, in the middle of a commit");
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	rl_text_after_fork();
	return 0;
}

static int check_context(struct relink_error *err)
{
	if (__atomic_load_n(&owner, __ATOMIC_RELAXED) == &self)
		return refuse(err, "called from a signal handler that interrupted relink, or from a visitor");
	if (torn)
		return refuse(err, "this process was forked without its atfork handlers, in the middle of a commit");
	switch (rl_text_context()) {
	case RL_TEXT_VFORK_CHILD:
		return refuse(err, "a vfork child shares its parent's code; commit in the parent, or after exec");
	case RL_TEXT_FORK_CHILD:
		return after_raw_fork(err);
	default:
		return 0;
	}
}

int rl_lock(struct relink_error *err)
{
	int r = check_context(err);

	if (r)
		return r;
	pthread_mutex_lock(&lock);
	__atomic_store_n(&owner, &self, __ATOMIC_RELAXED);
	return 0;
}

void rl_unlock(void)
{
	__atomic_store_n(&owner, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
}

/* fork() waits for a running commit, so that the child never starts with half of one. */
static void before_fork(void)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&owner, &self, __ATOMIC_RELAXED);
}

static void after_fork_in_child(void)
{
	rl_text_after_fork();
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	__atomic_store_n(&owner, 0, __ATOMIC_RELAXED);
}

void rl_lock_init(void)
{
	pthread_atfork(before_fork, rl_unlock, after_fork_in_child);
}
