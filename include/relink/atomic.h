/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - atomic operations whose lock prefix is a site: it is there once the process has a second thread.
 *
 *	relink_atomic_inc(&requests);                          // lock incq requests, or the same without the prefix
 *	n = relink_atomic_fetch_add(&next_ticket, 1);
 *	while (!relink_atomic_try_cmpxchg(&head, &old, new)) ...
 *	if (relink_ref_put(&object->references))
 *	        free(object);
 *
 * `p` points to an integer of 4 or 8 bytes (for cmpxchg also to a pointer) that lies in memory of this process alone.
 * For memory that another process can see (MAP_SHARED, shm) and for memory that a device reads there is
 * relink_atomic_add_shared and so on: always locked. Do not mix them up: the plain ones say nothing to another
 * process.
 *
 * Order: load acquires, store releases; all others are sequentially consistent, and compilers move no access to
 * memory across them. Without its prefix an operation is still one instruction: a signal handler of the same thread
 * sees all of it or nothing. Exchange has no such form, the processor locks it in any case; where that costs too much
 * use the others.
 *
 * The prefixes follow the key `locks`, which is true (locked) at link time and in every program that does nothing
 * about it. A program that is linked with relink_target(program LOCKS) notices the creation of threads. In it `locks`
 * goes off before main, if nothing else runs in its memory then, and comes on BEFORE the second thread runs: in
 * pthread_create, thrd_create, clone, timer_create and mq_notify with SIGEV_THREAD, aio_read, aio_write, aio_fsync,
 * lio_listio, getaddrinfo_a. Whatever creates threads otherwise (a system call of its own; functions found with
 * dlsym(handle, ..)) must call relink_threads_begin() first.
 *
 * On processors of today the prefix is cheap where nobody competes: expect 2 % of a program at most, and measure.
 */
#ifndef RELINK_ATOMIC_H
#define RELINK_ATOMIC_H

#include <relink/abi.h>
#include <relink/detail/base.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

#define relink_atomic_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define relink_atomic_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define relink_atomic_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

/* Nothing is returned: the shortest instructions. */
#define relink_atomic_add(p, v) RELINK_ATOMIC_VOID_(add, p, v)
#define relink_atomic_sub(p, v) RELINK_ATOMIC_VOID_(sub, p, v)
#define relink_atomic_and(p, v) RELINK_ATOMIC_VOID_(and, p, v)
#define relink_atomic_or(p, v) RELINK_ATOMIC_VOID_(or, p, v)
#define relink_atomic_xor(p, v) RELINK_ATOMIC_VOID_(xor, p, v)
#define relink_atomic_inc(p) RELINK_ATOMIC_UNARY_(inc, p)
#define relink_atomic_dec(p) RELINK_ATOMIC_UNARY_(dec, p)

/* The value before. */
#define relink_atomic_fetch_add(p, v) RELINK_ATOMIC_FETCH_(p, v)
#define relink_atomic_fetch_sub(p, v) RELINK_ATOMIC_FETCH_(p, (uint64_t)0 - (uint64_t)(v))

/* Did that make it zero? */
#define relink_atomic_dec_and_test(p) RELINK_ATOMIC_UNARY_(dec_and_test, p)
#define relink_atomic_sub_and_test(p, v) RELINK_ATOMIC_VOID_(sub_and_test, p, v)

/* Stores `desired` if `expected` is there; returns what was there. */
#define relink_atomic_cmpxchg(p, expected, desired) RELINK_ATOMIC_CMPXCHG_(p, expected, desired)
/* The same; true if it was there, else *expected becomes what was. */
#define relink_atomic_try_cmpxchg(p, expected, desired) RELINK_ATOMIC_TRY_(p, expected, desired)

/* Bit `nr` of *p, counted from the lowest and modulo the width; returns whether it was set. */
#define relink_atomic_test_and_set_bit(p, nr) RELINK_ATOMIC_VOID_(bts, p, nr)
#define relink_atomic_test_and_clear_bit(p, nr) RELINK_ATOMIC_VOID_(btr, p, nr)
#define relink_atomic_test_and_change_bit(p, nr) RELINK_ATOMIC_VOID_(btc, p, nr)

/* Counted references: one to begin with; put is true for the last one, get_unless_zero false once that has gone. */
#define relink_ref_get(p) relink_atomic_inc(p)
#define relink_ref_put(p) relink_atomic_dec_and_test(p)
#define relink_ref_get_unless_zero(p) RELINK_REF_UNLESS_ZERO_(relink_atomic_try_cmpxchg, p)

/* For memory that others than this process's threads look at: always locked. */
#define relink_atomic_add_shared(p, v) RELINK_SHARED_VOID_(add, p, v)
#define relink_atomic_sub_shared(p, v) RELINK_SHARED_VOID_(sub, p, v)
#define relink_atomic_and_shared(p, v) RELINK_SHARED_VOID_(and, p, v)
#define relink_atomic_or_shared(p, v) RELINK_SHARED_VOID_(or, p, v)
#define relink_atomic_xor_shared(p, v) RELINK_SHARED_VOID_(xor, p, v)
#define relink_atomic_inc_shared(p) RELINK_SHARED_VOID_(add, p, 1)
#define relink_atomic_dec_shared(p) RELINK_SHARED_VOID_(sub, p, 1)
#define relink_atomic_fetch_add_shared(p, v) RELINK_SHARED_FETCH_(add, p, v)
#define relink_atomic_fetch_sub_shared(p, v) RELINK_SHARED_FETCH_(sub, p, v)
#define relink_atomic_dec_and_test_shared(p) RELINK_SHARED_TEST_(p, 1)
#define relink_atomic_sub_and_test_shared(p, v) RELINK_SHARED_TEST_(p, v)
#define relink_atomic_cmpxchg_shared(p, expected, desired) RELINK_SHARED_CMPXCHG_(p, expected, desired)
#define relink_atomic_try_cmpxchg_shared(p, expected, desired) RELINK_SHARED_TRY_(p, expected, desired)
#define relink_atomic_test_and_set_bit_shared(p, nr) RELINK_SHARED_BIT_(or, p, nr)
#define relink_atomic_test_and_clear_bit_shared(p, nr) RELINK_SHARED_BIT_(and, p, nr)
#define relink_atomic_test_and_change_bit_shared(p, nr) RELINK_SHARED_BIT_(xor, p, nr)
#define relink_ref_get_shared(p) relink_atomic_inc_shared(p)
#define relink_ref_put_shared(p) relink_atomic_dec_and_test_shared(p)
#define relink_ref_get_unless_zero_shared(p) RELINK_REF_UNLESS_ZERO_(relink_atomic_try_cmpxchg_shared, p)

/*
 * Says that a second thread is about to run; lock prefixes are there, and stay, when this has returned 0. Otherwise
 * none may be started: RELINK_E_WRITE and others if code could not be written (the entry points named above fail with
 * EAGAIN then), RELINK_E_CONTEXT in a signal handler that interrupted relink, and in a vfork child. It overrides
 * whoever asked for locks=off. Any thread; not from a signal handler. Where threads run already, or never mattered,
 * it costs one load.
 */
RELINK_API int relink_threads_begin(struct relink_error *err);

/*
 * Says that they have all been joined: prefixes may go again. RELINK_E_THREADS, and nothing has changed, if the
 * process has another thread (helpers of libc's timers and aio stay for ever), shares its memory, or was not linked
 * to notice threads. RELINK_OVERRIDDEN if somebody asked for locks=on. The child of a fork has one thread; it may
 * call this, too.
 */
RELINK_API int relink_threads_ended(struct relink_error *err);

/* What relink_target(program LOCKS) links to the program hands itself in with this. */
struct relink_watch {
	uint32_t size;
	uint32_t on;     /* set by the runtime: threads are to be announced with relink_threads_begin */
	uint32_t early;  /* a thread was created before that */
	uint32_t reserved;
	const char *why; /* NULL: every entry point leads here. May become a reason later, before relink_threads_begin */
};
RELINK_API void relink_threads_watch(struct relink_watch *watch);

RELINK_END_DECLS

#include <relink/detail/atomic.h>

#endif
