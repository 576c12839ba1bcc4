// test: LABELS soak TIMEOUT 60 NOT thread
/* SPDX-License-Identifier: MIT */
/*
 * Stop mode in a process that does not hold still: threads that start threads and end, that fork, that are in handlers
 * and handle signals in them, that allocate and load; delays between the steps. Every commit succeeds, nothing hangs,
 * and calls see the state of their time.
 */
#include <dlfcn.h>
#include <sys/wait.h>

#include "stop_subjects.h"

void rl_test_step(void (*step)(int step));

static struct timeline line;
static unsigned long calls, threads, forks, signals_seen, loads;

static void look_once(void)
{
	unsigned long from = timeline_read(&line);
	unsigned seen[] = { (unsigned)which() - 1, relink_unlikely(first) ? 1 : 0, (unsigned)settled() - 1, relink_unlikely(decided) ? 1 : 0 };
	unsigned long to = timeline_read(&line);

	for (size_t i = 0; i < COUNT(seen); i++)
		CHECKF(from != to || (from & 1) || seen[i] == (from / 2 & 1), "subject %zu is %u at %lu", i, seen[i], from);
	calls++;
}

static void *keep_looking(void *unused)
{
	while (running())
		look_once();
	return unused;
}

static void *one_life(void *unused)
{
	look_once();
	free(malloc(10000));
	return unused;
}

static void *chain(void *depth);

/* Detached from the start: of a thread that ends at that moment glibc 2.36 reads in pthread_detach what has been freed. */
static void start_chain(uintptr_t depth)
{
	pthread_attr_t detached;
	pthread_t thread;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_create(&thread, &detached, chain, (void *)depth);
	pthread_attr_destroy(&detached);
}

/* Threads in a chain: each starts the next and ends. */
static void *chain(void *depth)
{
	one_life(NULL);
	if (depth)
		start_chain((uintptr_t)depth - 1);
	__atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *breed(void *unused)
{
	pthread_t t[8];
	size_t n;

	while (running()) {
		for (n = 0; n < COUNT(t) && pthread_create(&t[n], NULL, one_life, NULL) == 0; n++)
			;
		while (n--)
			pthread_join(t[n], NULL);
		__atomic_fetch_add(&threads, COUNT(t), __ATOMIC_RELAXED);
		start_chain(20);
		sleep_for(2e-3);
	}
	return unused;
}

/* The child changes its own code: it has one thread. */
static void *fork_on(void *unused)
{
	while (running()) {
		pid_t child = fork();
		int status = 0;

		if (!child) {
			struct relink_error e;

			alarm(60);
			_exit(set_all(true, RELINK_STOP, &e) == 0 && all_are(true) ? 0 : 1);
		}
		CHECKF(child < 0 || (waitpid(child, &status, 0) == child && status == 0), "child: 0x%x", status);
		forks++;
		sleep_for(1e-3);
	}
	return unused;
}

static void on_signal(int signal)
{
	__atomic_fetch_add(&signals_seen, 1, __ATOMIC_RELAXED);
	look_once();
	if (signal == SIGUSR1)
		raise(SIGUSR2);
}

static pthread_t target;

static void *signal_on(void *unused)
{
	while (running()) {
		pthread_kill(target, SIGUSR1);
		sleep_for(200e-6);
	}
	return unused;
}

static void *allocate(void *unused)
{
	struct chance c = { 7 };

	while (running()) {
		void *some[16];

		for (size_t i = 0; i < COUNT(some); i++)
			some[i] = malloc(draw(&c, 100000));
		for (size_t i = 0; i < COUNT(some); i++)
			free(some[i]);
		look_once();
	}
	return unused;
}

static void *load(void *unused)
{
	while (running()) {
		void *m = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);

		if (m && dlsym(m, "cos"))
			loads++;
		if (m)
			dlclose(m);
		sleep_for(300e-6);
	}
	return unused;
}

static void on_step(int step)
{
	struct timespec t = { 0, 300000 };

	if (step == 2 || step == 6 || step == 9)
		syscall(SYS_nanosleep, &t, NULL);
}

static void *commit_on(void *unused)
{
	struct relink_error e;
	bool on = false;
	unsigned long commits = 0;

	while (running()) {
		on = !on;
		rl_test_step(commits++ & 1 ? on_step : NULL);
		timeline_step(&line);
		CHECK_CODE(set_all(on, RELINK_STOP, &e), RELINK_OK, &e);
		timeline_step(&line);
		if (commits % 8 == 0)
			CHECK_CODE(relink_quiesce(20000, &e), RELINK_OK, &e);
		sleep_for(1e-3);
	}
	rl_test_step(NULL);
	printf("%lu stops\n", commits);
	return unused;
}

int main(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NODEFER };

	relink_stop_timeout(60000);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	start(keep_looking, NULL);
	target = team[0];
	start(breed, NULL);
	if (!SANITIZED) /* a sanitizer's allocator may be locked for ever in the child of a process with threads */
		start(fork_on, NULL);
	start(signal_on, NULL);
	start(allocate, NULL);
	start(load, NULL);
	start(commit_on, NULL);
	sleep_for(soak_seconds());
	finish();
	sleep_for(0.1);
	printf("%lu calls, %lu threads, %lu forks, %lu signals, %lu loads\n", calls, threads, forks, signals_seen, loads);
	return check_done();
}
