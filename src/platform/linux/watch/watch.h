/* SPDX-License-Identifier: MIT */
/*
 * watch.h - notices that a program creates threads, for relink_threads_begin (relink/atomic.h).
 *
 * Two libraries that a program is linked with, one or the other; nothing of relink itself:
 *
 *	interpose.c  dynamic programs: the program itself defines pthread_create and so on. It comes first in every search for
 *	             a symbol, so that calls of all its libraries and plugins lead here, and from here to whoever is next.
 *	wrap.c       -static: the linker's --wrap turns references to pthread_create into __wrap_pthread_create.
 *
 * Libc's own functions call each other by names of their own, which is why all that create threads are on the list.
 */
#ifndef RL_WATCH_H
#define RL_WATCH_H

#include <aio.h>
#include <errno.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <threads.h>
#include <time.h>

#include <relink/atomic.h>

extern struct relink_watch rl_watch __attribute__((visibility("hidden")));

/* False: lock prefixes could not be brought back, so that there must be no second thread. */
static inline bool may_begin(void)
{
	if (__atomic_load_n(&rl_watch.on, __ATOMIC_SEQ_CST))
		return relink_threads_begin(NULL) >= 0;
	__atomic_store_n(&rl_watch.early, 1, __ATOMIC_SEQ_CST);
	return true;
}

static inline bool may_notify(const struct sigevent *event)
{
	return !event || event->sigev_notify != SIGEV_THREAD || may_begin();
}

/* A child that stops its parent until it is gone never runs at the same time. */
static inline bool may_clone(int flags)
{
	return !(flags & CLONE_VM) || (flags & CLONE_VFORK) || may_begin();
}

static inline int refused(void)
{
	errno = EAGAIN;
	return -1;
}

/* name, result, parameters, arguments, is it permitted, what is returned if not */
#define WATCHED(F) \
	F(pthread_create, int, (pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg), \
	  (thread, attr, fn, arg), may_begin(), EAGAIN) \
	F(thrd_create, int, (thrd_t *thread, thrd_start_t fn, void *arg), (thread, fn, arg), may_begin(), thrd_error) \
	F(timer_create, int, (clockid_t clock, struct sigevent *event, timer_t *timer), (clock, event, timer), \
	  may_notify(event), refused()) \
	F(mq_notify, int, (mqd_t queue, const struct sigevent *event), (queue, event), may_notify(event), refused()) \
	F(aio_read, int, (struct aiocb *cb), (cb), may_begin(), refused()) \
	F(aio_write, int, (struct aiocb *cb), (cb), may_begin(), refused()) \
	F(aio_fsync, int, (int operation, struct aiocb *cb), (operation, cb), may_begin(), refused()) \
	F(lio_listio, int, (int mode, struct aiocb *const list[], int count, struct sigevent *event), \
	  (mode, list, count, event), may_begin(), refused()) \
	WATCHED_GLIBC(F)

#ifdef __GLIBC__
#define WATCHED_GLIBC(F) \
	F(aio_read64, int, (struct aiocb64 *cb), (cb), may_begin(), refused()) \
	F(aio_write64, int, (struct aiocb64 *cb), (cb), may_begin(), refused()) \
	F(aio_fsync64, int, (int operation, struct aiocb64 *cb), (operation, cb), may_begin(), refused()) \
	F(lio_listio64, int, (int mode, struct aiocb64 *const list[], int count, struct sigevent *event), \
	  (mode, list, count, event), may_begin(), refused())
/* The linker warns of it in static programs, so that it is linked where it is used. */
#define WATCHED_LOOKUP(F) \
	F(getaddrinfo_a, int, (int mode, struct gaicb **list, int count, struct sigevent *event), \
	  (mode, list, count, event), may_begin(), EAI_AGAIN)
#else
#define WATCHED_GLIBC(F)
#define WATCHED_LOOKUP(F)
#endif

/* What follows `arg` is read whether it is there or not: registers, and a word of the stack. */
#define WATCHED_CLONE(name, real) \
	int name(int (*fn)(void *), void *stack, int flags, void *arg, ...) \
	{ \
		void *more[3]; \
		va_list args; \
		va_start(args, arg); \
		for (int i = 0; i < 3; i++) \
			more[i] = va_arg(args, void *); \
		va_end(args); \
		return may_clone(flags) ? real(fn, stack, flags, arg, more[0], more[1], more[2]) : refused(); \
	}

#endif
