// test: NOT thread
/* SPDX-License-Identifier: MIT */
/*
 * Final choices: open until relink_init while the program has one thread, then closed for everybody. Nonforcible ones: force is
 * refused, everything else is not.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "choices/run.h"

RELINK_KEY_FALSE(fkey, "a final key", RELINK_FINAL);
RELINK_OPTION_FINAL(foption, "a final option", one, two, three);
RELINK_DECLARE_CALL(int, fcall, (void));
static int fcall_one(void) { return 1; }
static int fcall_two(void) { return 2; }
static int fcall_custom(void) { return 3; }
RELINK_DEFINE_CALL(fcall, fcall_one, "a final call", RELINK_FINAL);
RELINK_VARIANT(fcall, fcall_two, .rank = -1);
RELINK_KEY_FALSE(driven_final, "a final key that an ordinary option drives", RELINK_FINAL);
RELINK_OPTION(driver, "ordinary", still, turning);
RELINK_DRIVE(driver, turning, driven_final, "on");
RELINK_KEY_FALSE(free_key, "an ordinary key");
RELINK_KEY_TRUE(guarded, "nonforcible", RELINK_NONFORCIBLE);

static struct relink_error err;

/* The number says it all: key, option, call, driven key. */
static int state(void)
{
	return (relink_unlikely(fkey) ? 1000 : 0) + 100 * relink_option_state(foption) + 10 * fcall() + (relink_unlikely(driven_final) ? 1 : 0);
}

static int set(const char *name, const char *to, int mode, bool force)
{
	struct relink_commit c = RELINK_COMMIT;

	if (force)
		relink_force(&c, name, to);
	else
		relink_set(&c, name, to);
	return relink_commit(&c, mode, &err);
}

static bool is_now(const char *name, const char *to)
{
	static const char *const options[] = { "one", "two", "three" };

	if (!strcmp(name, "fkey"))
		return relink_key_enabled(fkey) == !strcmp(to, "on");
	return !strcmp(to, !strcmp(name, "fcall") ? fcall() == 1 ? "one" : "two" : options[relink_option_state(foption)]);
}

static void refused_everywhere(int now)
{
	static const struct { const char *name, *to; } wishes[] = {
		{ "fkey", "on" }, { "fkey", "off" }, { "foption", "one" }, { "foption", "two" }, { "foption", "three" },
		{ "fcall", "one" }, { "fcall", "two" },
	};

	for (size_t i = 0; i < COUNT(wishes); i++)
		for (int how = 0; how < 2 && !is_now(wishes[i].name, wishes[i].to); how++) {
			CHECK_CODE(set(wishes[i].name, wishes[i].to, RELINK_LIVE, how), RELINK_E_FINAL, &err);
			CHECKF(!strcmp(err.choice, wishes[i].name) && state() == now, "%s=%s: state %d, want %d", wishes[i].name, wishes[i].to,
			       state(), now);
		}
	CHECK_CODE(relink_call_set(fcall, fcall_custom, &err), RELINK_E_FINAL, &err);
	CHECK_CODE(relink_option_set(driver, turning, &err), RELINK_E_FINAL, &err);
	CHECK(state() == now && relink_option_is(driver, still));
}

/* With an ordinary choice in the same transaction neither moves. */
static void refused_together(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, free_key, true);
	relink_set_call(&c, fcall, fcall_custom);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_FINAL, &err);
	CHECK(!strcmp(err.choice, "fcall") && !relink_unlikely(free_key));
}

static void test_open(void)
{
	CHECK(state() == 10);
	CHECK_CODE(relink_key_enable(fkey, &err), RELINK_OK, &err);
	CHECK_CODE(relink_option_set(foption, three, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(fcall, fcall_custom, &err), RELINK_OK, &err);
	CHECK_CODE(relink_option_set(driver, turning, &err), RELINK_OK, &err);
	CHECK(state() == 1231);
	CHECK_CODE(set("fkey", "off", RELINK_STARTUP, false), RELINK_OK, &err);
	CHECK_CODE(set("foption", "two", RELINK_STARTUP, false), RELINK_OK, &err);
	CHECK_CODE(set("fcall", "two", RELINK_STARTUP, false), RELINK_OK, &err);
	CHECK_CODE(relink_option_clear(driver, &err), RELINK_OK, &err);
	CHECK(state() == 120);
}

static void *wait_for_end(void *mutex)
{
	pthread_mutex_lock(mutex);
	pthread_mutex_unlock(mutex);
	return NULL;
}

/* Somebody else may be running what is final. */
static void test_second_thread(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	pthread_mutex_lock(&mutex);
	CHECK(!pthread_create(&thread, NULL, wait_for_end, &mutex));
	refused_everywhere(120);
	CHECK_CODE(set("free_key", "on", RELINK_STARTUP, false), RELINK_E_THREADS, &err);
	CHECK(!relink_unlikely(free_key));
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	CHECK_CODE(set("fkey", "on", RELINK_LIVE, false), RELINK_OK, &err);
	CHECK_CODE(relink_key_clear(fkey, &err), RELINK_OK, &err);
	CHECK(state() == 120);
}

/* ---- a thread that has been joined, and is counted until its tracer has heard of it ---- */

static int thread_id;

static void *tell_and_wait(void *mutex)
{
	__atomic_store_n(&thread_id, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	return wait_for_end(mutex);
}

/* Whether it works is said through the pipe. */
static void trace(int thread, int say)
{
	siginfo_t info;
	bool works = ptrace(PTRACE_SEIZE, thread, NULL, NULL) == 0;

	if (write(say, works ? "y" : "n", 1) != 1 || !works)
		_exit(0);
	waitid(P_PID, (id_t)thread, &info, WEXITED | WNOWAIT | __WALL);
	usleep(30000);
	waitpid(thread, NULL, __WALL);
	_exit(0);
}

static pid_t start_tracer(void)
{
	int ends[2];
	char answer = 'n';
	pid_t tracer;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* for Yama, if it is there */
	if (pipe(ends) < 0 || (tracer = fork()) < 0)
		return -1;
	if (!tracer)
		trace(__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE), ends[1]);
	close(ends[1]);
	if (read(ends[0], &answer, 1) != 1 || answer != 'y') {
		waitpid(tracer, NULL, 0);
		tracer = -1;
	}
	close(ends[0]);
	return tracer;
}

static void after_joining(pthread_t thread, const char *name, const char *to, int mode)
{
	pthread_join(thread, NULL);
	CHECK_CODE(set(name, to, mode, false), RELINK_OK, &err);
}

static void test_joined_thread(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	pid_t tracer;

	for (int i = 0; i < 4; i++) {
		thread_id = 0;
		pthread_mutex_lock(&mutex);
		CHECK(!pthread_create(&thread, NULL, tell_and_wait, &mutex));
		while (!__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE))
			usleep(100);
		tracer = start_tracer();
		pthread_mutex_unlock(&mutex);
		after_joining(thread, i & 1 ? "free_key" : "fkey", i & 2 ? NULL : "on", i & 1 ? RELINK_STARTUP : RELINK_LIVE);
		if (tracer > 0)
			waitpid(tracer, NULL, 0);
		else
			printf("skipped: a thread can't be traced here\n");
	}
	CHECK(state() == 120 && !relink_unlikely(free_key));
}

/* ---- a first thread that has ended is counted for ever: nobody waits for that ---- */

static void *commit_alone(void *first)
{
	struct timespec from, to;

	pthread_join(*(pthread_t *)first, NULL);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 20; i++)
		CHECK_CODE(set("free_key", "on", RELINK_STARTUP, false), RELINK_E_THREADS, &err);
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECKF(to.tv_sec - from.tv_sec < 5, "20 refusals take %ld seconds", (long)(to.tv_sec - from.tv_sec));
	fflush(stdout);
	_exit(check_failed_ != 0);
}

static void test_first_thread_ended(void)
{
	static pthread_t first;
	pthread_t second;
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		check_failed_ = 0;
		first = pthread_self();
		if (pthread_create(&second, NULL, commit_alone, &first))
			_exit(1);
		pthread_exit(NULL);
	}
	waitpid(pid, &status, 0);
	CHECK(status == 0);
}

static void test_nonforcible(void)
{
	CHECK_CODE(set("guarded", "off", RELINK_LIVE, true), RELINK_E_NONFORCIBLE, &err);
	CHECK(!strcmp(err.choice, "guarded") && relink_likely(guarded));
	CHECK_CODE(set("guarded", "on", RELINK_LIVE, true), RELINK_E_NONFORCIBLE, &err);
	CHECK_CODE(set("guarded", NULL, RELINK_LIVE, true), RELINK_OK, &err);
	CHECK_CODE(set("guarded", "off", RELINK_LIVE, false), RELINK_OK, &err);
	CHECK(!relink_likely(guarded));
	CHECK_CODE(relink_key_clear(guarded, &err), RELINK_OK, &err);
	CHECK(relink_likely(guarded));
}

/* From outside; relink_init closes. */
static int child(int argc, char **argv)
{
	CHECK(state() == 1010);
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	CHECK(state() == 1220);
	refused_everywhere(1220);
	CHECK_CODE(relink_apply("free_key,foption=one", &err), RELINK_E_FINAL, &err);
	CHECK(state() == 1220 && !relink_unlikely(free_key));
	return check_done();
}

static void test_command_line(void)
{
	static struct run r = { .argv = { "child", "--relink", "foption=three,fcall=two" }, .environment = { "RELINK=fkey" } };

	run(&r);
	CHECKF(r.status == 0, "status %d\n%s", r.status, r.output);
}

/* With threads relink_init can't decide what is final any more: an error, and nothing has changed. */
static void late_init(void)
{
	const char *argv[] = { "p", "--relink", "fkey,free_key", NULL };
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	int argc = 3;

	pthread_mutex_lock(&mutex);
	CHECK(!pthread_create(&thread, NULL, wait_for_end, &mutex));
	CHECK_CODE(relink_init(&argc, (char **)(uintptr_t)argv, &err), RELINK_E_FINAL, &err);
	CHECK(argc == 3 && !relink_unlikely(fkey) && !relink_unlikely(free_key));
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
}

static void test_late_init(void)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		check_failed_ = 0;
		late_init();
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	waitpid(pid, &status, 0);
	CHECK(status == 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argc, argv);
	test_command_line();
	test_open();
	test_second_thread();
	test_joined_thread();
	test_first_thread_ended();
	test_nonforcible();
	test_late_init();
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	refused_everywhere(120);
	refused_together();
	test_nonforcible();
	return check_done();
}
