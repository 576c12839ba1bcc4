/* SPDX-License-Identifier: MIT */
/*
 * entry_points.h - a second thread is started through each entry point that relink/atomic.h names, at a random
 * moment, in a child that had one thread and no prefixes. What it does first is to look at the bytes of all sites;
 * then both count with the same variables, in the program and in a plugin, and not one may be lost.
 */
#include <aio.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

#include "locks.h"

#define TIMES 20000
#define STACK 65536

static uintptr_t sites[512];
static size_t site_count;
static long counter, plugin_counter;
static int seen_unlocked, started, finished; /* by the other thread */
static void (*plugin_count)(long *counter, long times);
static int (*plugin_create)(pthread_t *thread, void *(*fn)(void *), void *arg);

static int note_site(const struct relink_site_info *site, void *ctx)
{
	(void)ctx;
	if (site->kind == RELINK_SITE_LOCK && site_count < COUNT(sites))
		sites[site_count++] = site->address;
	return 0;
}

/* Without a call of libc: some of those that come here share their parent's idea of the current thread. */
static bool look(unsigned byte)
{
	bool all = true;

	for (size_t i = 0; i < site_count; i++)
		all &= *(const volatile unsigned char *)sites[i] == byte;
	return all;
}

static __attribute__((noinline)) void count(void)
{
	for (int i = 0; i < TIMES; i++) {
		long now = relink_atomic_load(&counter);

		relink_atomic_inc(&counter);
		relink_atomic_add(&counter, 2);
		relink_atomic_fetch_add(&counter, 3);
		while (!relink_atomic_try_cmpxchg(&counter, &now, now + 4))
			;
	}
	if (plugin_count)
		plugin_count(&plugin_counter, TIMES);
}

static void other(void)
{
	if (!look(LOCKED))
		__atomic_store_n(&seen_unlocked, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
	count();
	__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
}

/* ---- the entry points ---- */

static void *pthread_other(void *arg)
{
	other();
	return arg;
}

static int thrd_other(void *arg)
{
	(void)arg;
	other();
	return 0;
}

static int clone_other(void *arg)
{
	(void)arg;
	other();
	return 0;
}

static void notified(union sigval value)
{
	(void)value;
	other();
}

static struct sigevent by_thread(void)
{
	struct sigevent e;

	memset(&e, 0, sizeof(e));
	e.sigev_notify = SIGEV_THREAD;
	e.sigev_notify_function = notified;
	return e;
}

static pthread_t thread;
static bool joinable;

static int by_pthread(void)
{
	int r = pthread_create(&thread, NULL, pthread_other, NULL);

	joinable = !r;
	return r;
}

static int by_plugin(void)
{
	int r = plugin_create ? plugin_create(&thread, pthread_other, NULL) : ENOTSUP;

	joinable = !r;
	return r;
}

static int by_thrd(void)
{
	thrd_t t;
	int r = thrd_create(&t, thrd_other, NULL);

	return r == thrd_success ? 0 : r == thrd_error ? EAGAIN : r;
}

static int by_clone_flags(int flags)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return clone(clone_other, stack + STACK, flags, NULL) < 0 ? errno : 0;
}

static int by_clone(void)
{
	return by_clone_flags(CLONE_VM | SIGCHLD);
}

static int by_clone_thread(void)
{
	return by_clone_flags(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM);
}

static int by_timer(void)
{
	struct sigevent e = by_thread();
	const struct itimerspec soon = { { 0, 0 }, { 0, 1000 } };
	timer_t timer;

	return timer_create(CLOCK_MONOTONIC, &e, &timer) || timer_settime(timer, 0, &soon, NULL) ? errno : 0;
}

static int by_mq(void)
{
	struct sigevent e = by_thread();
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	char name[32];
	mqd_t queue;

	snprintf(name, sizeof(name), "/relink-%d", (int)getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (queue == (mqd_t)-1)
		return ENOTSUP;
	mq_unlink(name);
	return mq_notify(queue, &e) || mq_send(queue, "x", 1, 0) ? errno : 0;
}

static struct aiocb cb;
static char buffer[16];

static void prepare_aio(int operation)
{
	cb.aio_fildes = open("/dev/null", O_RDWR);
	cb.aio_buf = buffer;
	cb.aio_nbytes = sizeof(buffer);
	cb.aio_sigevent = by_thread();
	cb.aio_lio_opcode = operation;
}

static int by_aio_read(void)
{
	prepare_aio(LIO_READ);
	return aio_read(&cb) ? errno : 0;
}

static int by_aio_write(void)
{
	prepare_aio(LIO_WRITE);
	return aio_write(&cb) ? errno : 0;
}

static int by_aio_fsync(void)
{
	prepare_aio(LIO_NOP);
	return aio_fsync(O_SYNC, &cb) ? errno : 0;
}

static int by_lio(void)
{
	struct aiocb *list[] = { &cb };

	prepare_aio(LIO_READ);
	return lio_listio(LIO_NOWAIT, list, 1, NULL) ? errno : 0;
}

#ifdef __GLIBC__
static int by_aio_read64(void)
{
	prepare_aio(LIO_READ);
	return aio_read64((struct aiocb64 *)(void *)&cb) ? errno : 0;
}

static int by_aio_write64(void)
{
	prepare_aio(LIO_WRITE);
	return aio_write64((struct aiocb64 *)(void *)&cb) ? errno : 0;
}

static int by_aio_fsync64(void)
{
	prepare_aio(LIO_NOP);
	return aio_fsync64(O_SYNC, (struct aiocb64 *)(void *)&cb) ? errno : 0;
}

static int by_lio64(void)
{
	struct aiocb64 *list[] = { (struct aiocb64 *)(void *)&cb };

	prepare_aio(LIO_READ);
	return lio_listio64(LIO_NOWAIT, list, 1, NULL) ? errno : 0;
}
#endif

#if defined(__GLIBC__) && !defined(LOCKS_STATIC_PROGRAM)
static int by_lookup(void)
{
	static struct gaicb request;
	struct gaicb *list[] = { &request };
	static struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
	struct sigevent e = by_thread();
	int r;

	request.ar_name = "127.0.0.1";
	request.ar_request = &hints;
	r = getaddrinfo_a(GAI_NOWAIT, list, 1, &e);
	return r == EAI_AGAIN ? EAGAIN : r;
}
#endif

static const struct entry_point { const char *name; int (*start)(void); } entry_points[] = {
	{ "pthread_create", by_pthread }, { "pthread_create in a plugin", by_plugin }, { "thrd_create", by_thrd },
	{ "clone, a process", by_clone }, { "clone, a thread", by_clone_thread }, { "timer_create", by_timer }, { "mq_notify", by_mq },
	{ "aio_read", by_aio_read }, { "aio_write", by_aio_write }, { "aio_fsync", by_aio_fsync }, { "lio_listio", by_lio },
#ifdef __GLIBC__
	{ "aio_read64", by_aio_read64 }, { "aio_write64", by_aio_write64 }, { "aio_fsync64", by_aio_fsync64 },
	{ "lio_listio64", by_lio64 },
#endif
#if defined(__GLIBC__) && !defined(LOCKS_STATIC_PROGRAM)
	{ "getaddrinfo_a", by_lookup },
#endif
};

/* ---- one of them, in a child ---- */

__attribute__((unused)) static void await(const int *flag)
{
	const struct timespec pause = { 0, 200000 };

	for (int i = 0; i < 50000 && !__atomic_load_n(flag, __ATOMIC_SEQ_CST); i++)
		nanosleep(&pause, NULL);
}

/* 0: as it should be; 77: not here. Else what was wrong. */
static const char *problem_of(const struct entry_point *e, unsigned moment, int want)
{
	int r;

	for (unsigned i = 0; i < moment; i++)
		relink_atomic_add(&counter, 1);
	if (!look(UNLOCKED))
		return "locked before";
	r = e->start();
	if (r == ENOTSUP)
		return "not here";
	if (r != want)
		return "failed, or did not";
	if (want)
		return look(UNLOCKED) ? NULL : "locked though refused";
	if (!look(LOCKED))
		return "unlocked with a second thread";
	count();
	await(&finished);
	if (!finished)
		return "it never ran";
	if (seen_unlocked)
		return "it saw sites without prefixes";
	if (counter != 2 * 10L * TIMES + moment)
		return "lost counts";
	return !plugin_count || plugin_counter == 2 * TIMES ? NULL : "lost counts of the plugin";
}

static int in_child(const struct entry_point *e, unsigned moment, int want, void (*before)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		const char *problem;

		if (before)
			before();
		problem = problem_of(e, moment, want);
		if (problem && !strcmp(problem, "not here"))
			_exit(77);
		if (problem)
			printf("%s: %s (locks are %s)\n", e->name, problem, locks_say());
		fflush(stdout);
		_exit(problem != NULL);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

__attribute__((unused)) static bool works_here(const struct entry_point *e, unsigned moment, int want, void (*before)(void))
{
	int status = in_child(e, moment, want, before);

	if (status == 77)
		printf("%s: not here\n", e->name);
	return CHECKF(status == 0 || status == 77, "%s at %u: status %d", e->name, moment, status);
}

__attribute__((unused)) static void prepare(void)
{
	void *plugin = NULL;

#ifndef LOCKS_STATIC_PROGRAM
	plugin = dlopen(RELINK_TEST_PLUGINS "/locks_user.so", RTLD_NOW);
	CHECKF(plugin, "%s", dlerror());
	if (plugin) {
		*(void **)&plugin_count = dlsym(plugin, "plugin_count");
		*(void **)&plugin_create = dlsym(plugin, "plugin_create");
	}
#endif
	(void)plugin;
	relink_each_site(note_site, NULL);
}
