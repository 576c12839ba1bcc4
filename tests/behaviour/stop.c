// test: NOT thread
/* SPDX-License-Identifier: MIT */
/*
 * Stop mode: what changes, whom it stops, whom it reports and why; what it does to system calls that others wait in.
 * The thread sanitizer's runtime has locks of its own, which a parked thread may hold.
 */
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "stop_subjects.h"

/* ---- finals, one thread and more ---- */

static void spin(struct sleeper *s)
{
	say(&s->ready);
	while (!s->go)
		;
}

static void change_and_back(void)
{
	for (int i = 0; i < 4; i++) {
		CHECK_CODE(set_all(!(i & 1), RELINK_STOP, &err), RELINK_OK, &err);
		CHECK(all_are(!(i & 1)) && finals_are(!(i & 1)));
	}
}

static void test_finals(void)
{
	struct sleeper s;
	struct relink_commit c = RELINK_COMMIT;

	change_and_back();
	start_sleeper(&s, spin);
	change_and_back();
	relink_set_key(&c, decided, true);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_FINAL, &err);
	CHECK(finals_are(false));
	end_sleeper(&s);
}

/* ---- system calls: which ones say EINTR ---- */

static void in_read(struct sleeper *s)
{
	char byte;

	say(&s->ready);
	s->result = (int)read(s->pipe[0], &byte, 1);
	s->error = errno;
}

static void in_poll(struct sleeper *s)
{
	struct pollfd p = { .fd = s->pipe[0], .events = POLLIN };

	say(&s->ready);
	s->result = poll(&p, 1, 20000);
	s->error = errno;
}

static void in_epoll(struct sleeper *s)
{
	int e = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };

	epoll_ctl(e, EPOLL_CTL_ADD, s->pipe[0], &event);
	say(&s->ready);
	s->result = epoll_wait(e, &event, 1, 20000);
	s->error = errno;
	close(e);
}

static void in_nanosleep(struct sleeper *s)
{
	struct timespec t = { 20, 0 };

	say(&s->ready);
	s->result = nanosleep(&t, NULL);
	s->error = errno;
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void in_mutex(struct sleeper *s)
{
	say(&s->ready);
	s->result = pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
}

static sem_t never;

static void in_semaphore(struct sleeper *s)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 20;
	say(&s->ready);
	s->result = sem_timedwait(&never, &t);
	s->error = errno;
}

static void in_pause(struct sleeper *s)
{
	say(&s->ready);
	s->result = pause();
	s->error = errno;
}

/* result: what the call returns once its time has come; here, after one stop and the pipe's end. */
static const struct {
	const char *name;
	void (*body)(struct sleeper *s);
	int result, error;
} calls[] = {
	{ "read", in_read, 0, 0 },
	{ "poll", in_poll, -1, EINTR },
	{ "epoll_wait", in_epoll, -1, EINTR },
	{ "nanosleep", in_nanosleep, -1, EINTR },
	{ "mutex", in_mutex, 0, 0 },
	{ "sem_timedwait", in_semaphore, -1, EINTR },
	{ "pause", in_pause, -1, EINTR },
};

static void test_system_calls(void)
{
	struct sleeper s[COUNT(calls)];

	sem_init(&never, 0, 0);
	pthread_mutex_lock(&held);
	for (size_t i = 0; i < COUNT(calls); i++)
		start_sleeper(&s[i], calls[i].body);
	for (size_t i = 0; i < COUNT(calls); i++)
		wait_until_asleep(s[i].id);
	CHECK_CODE(set_all(true, RELINK_STOP, &err), RELINK_OK, &err);
	CHECK(all_are(true) && finals_are(true));
	pthread_mutex_unlock(&held);
	for (size_t i = 0; i < COUNT(calls) && RELINK_PATCHES_; i++) {
		end_sleeper(&s[i]);
		CHECKF(s[i].result == calls[i].result && (!calls[i].error || s[i].error == calls[i].error),
		       "%s: result %d, errno %d", calls[i].name, s[i].result, s[i].error);
	}
	CHECK_CODE(set_all(false, RELINK_STOP, &err), RELINK_OK, &err);
}

/* ---- threads that can't be stopped ---- */

static void with_signals_blocked(struct sleeper *s)
{
	sigset_t all;
	char byte;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	say(&s->ready);
	s->result = (int)read(s->pipe[0], &byte, 1);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

/* It is this thread, or nobody's. */
static void refused(pid_t thread, const char *words)
{
	double start, took;
	int r, tries = 10;

	relink_stop_timeout(120);
	do { /* on a busy machine another thread may be named now and then */
		start = now();
		r = set_all(true, RELINK_STOP, &err);
		took = now() - start;
	} while (thread && r == RELINK_E_STOP && !names(&err, thread) && tries--);
	CHECK_CODE(r, RELINK_E_STOP, &err);
	CHECKF(took >= 0.1 && took < (SANITIZED ? 20 : 5), "took %.3f s", took);
	CHECKF((!thread || names(&err, thread)) && strstr(err.text, words) && strstr(err.text, "nothing has changed"), "%s", err.text);
	CHECK(all_are(false) && finals_are(false));
	relink_stop_timeout(20000);
}

static void test_blocked_signals(void)
{
	struct sleeper s, other;

	start_sleeper(&other, spin);
	start_sleeper(&s, with_signals_blocked);
	refused(s.id, "blocks signal");
	refused(s.id, "blocks signal");
	end_sleeper(&s);
	CHECK(s.result == 0);
	change_and_back();
	end_sleeper(&other);
}

/* No time at all is one attempt: all, or nothing. */
static void test_no_time(void)
{
	struct sleeper s;
	double start;

	start_sleeper(&s, in_read);
	wait_until_asleep(s.id);
	relink_stop_timeout(0);
	for (int i = 0; i < 20; i++) {
		int r = set_all(true, RELINK_STOP, &err);

		CHECKF(r == RELINK_OK || r == RELINK_E_STOP, "%s", relink_error_text(&err));
		CHECK(all_are(r == RELINK_OK) && finals_are(r == RELINK_OK));
		relink_stop_timeout(20000);
		CHECK_CODE(set_all(false, RELINK_STOP, &err), RELINK_OK, &err);
		relink_stop_timeout(0);
	}
	end_sleeper(&s);
	start_sleeper(&s, with_signals_blocked);
	start = now();
	CHECK_CODE(set_all(true, RELINK_STOP, &err), RELINK_E_STOP, &err);
	CHECKF(now() - start < (SANITIZED ? 20 : 5), "took %.3f s", now() - start);
	CHECK(all_are(false) && finals_are(false));
	relink_stop_timeout(20000);
	end_sleeper(&s);
}

/* A thread that gets out of it within the time. */
static void *unblock_later(void *argument)
{
	sleep_for(0.1);
	close(((struct sleeper *)argument)->pipe[1]);
	((struct sleeper *)argument)->pipe[1] = -1;
	return NULL;
}

static void test_unblocked_in_time(void)
{
	struct sleeper s;
	pthread_t t;

	start_sleeper(&s, with_signals_blocked);
	pthread_create(&t, NULL, unblock_later, &s);
	CHECK_CODE(set_all(true, RELINK_STOP, &err), RELINK_OK, &err);
	pthread_join(t, NULL);
	end_sleeper(&s);
	CHECK_CODE(set_all(false, RELINK_STOP, &err), RELINK_OK, &err);
}

static void in_vfork(struct sleeper *s)
{
	char byte;

	say(&s->ready);
	if (vfork() == 0) {
		close(s->pipe[1]); /* its descriptors are its own */
		_exit(read(s->pipe[0], &byte, 1) ? 1 : 0);
	}
	wait(NULL);
}

static void test_vfork(void)
{
	struct sleeper s;

	start_sleeper(&s, in_vfork);
	wait_until_asleep(s.id);
	refused(0, "shares its memory");
	close(s.pipe[1]);
	s.pipe[1] = -1;
	change_and_back();
	end_sleeper(&s);
}

/* One thread of ours, stopped by another process. */
static pid_t trace(pid_t thread)
{
	int told[2];
	char byte = 0;
	pid_t tracer;

	CHECK(pipe(told) == 0);
	tracer = fork();
	if (!tracer) {
		int status;

		byte = ptrace(PTRACE_SEIZE, thread, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0 &&
		       waitpid(thread, &status, __WALL) == thread;
		_exit(write(told[1], &byte, 1) == 1 && byte && pause() ? 0 : 1);
	}
	CHECK(read(told[0], &byte, 1) == 1);
	close(told[0]);
	close(told[1]);
	return byte ? tracer : (waitpid(tracer, NULL, 0), 0);
}

static void test_traced(void)
{
	struct sleeper s;
	pid_t tracer;

	start_sleeper(&s, in_read);
	tracer = trace(s.id);
	if (tracer) {
		refused(s.id, "debugger");
		kill(tracer, SIGKILL);
		waitpid(tracer, NULL, 0);
	} else
		printf("no ptrace here\n");
	change_and_back();
	end_sleeper(&s);
}

/* ---- handlers ---- */

static struct sleeper *in_handler;
static volatile int handlers;

static void wait_in_handler(int signal)
{
	(void)signal;
	if (handlers++ == 0)
		raise(SIGUSR2);
	say(&in_handler->ready);
	while (!in_handler->go)
		sleep_for(1e-3);
}

static void with_handlers(struct sleeper *s)
{
	stack_t other = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };

	sigaltstack(&other, NULL);
	in_handler = s;
	raise(SIGUSR1);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
	free(other.ss_sp);
}

/* A handler within a handler, on a stack of their own. */
static void test_handlers(void)
{
	struct sigaction a = { .sa_handler = wait_in_handler, .sa_flags = SA_ONSTACK };
	struct sleeper s;

	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	start_sleeper(&s, with_handlers);
	change_and_back();
	end_sleeper(&s);
}

/* ---- the program uses real-time signals itself ---- */

static volatile int own_signals;

static void on_own(int signal)
{
	(void)signal;
	own_signals++;
}

/* Stop mode has its signal; the program takes them all. Then none is left, and that is said. */
static void take_all_signals(void)
{
	struct sigaction a = { .sa_handler = on_own };
	struct sleeper s;

	change_and_back();
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		sigaction(signal, &a, NULL);
	start_sleeper(&s, spin);
	CHECK_CODE(set_all(true, RELINK_STOP, &err), RELINK_E_STOP, &err);
	CHECK(strstr(err.text, "real-time signals are in use"));
	signal(SIGRTMIN + 7, SIG_DFL);
	change_and_back();
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		if (signal != SIGRTMIN + 7)
			raise(signal);
	CHECK(own_signals == SIGRTMAX - SIGRTMIN);
	end_sleeper(&s);
}

/* The main thread has ended; the process goes on. */
static void *after_main(void *unused)
{
	struct sleeper s;

	sleep_for(0.05);
	start_sleeper(&s, spin);
	change_and_back();
	end_sleeper(&s);
	(void)unused;
	_exit(check_done());
}

static void leave_main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, after_main, NULL);
	pthread_exit(NULL);
}

/* No /proc that lists threads: all descriptors are in use. */
static void without_descriptors(void)
{
	struct sleeper s;
	int last = 0, next;

	start_sleeper(&s, spin);
	while ((next = dup(0)) >= 0)
		last = next;
	CHECK_CODE(set_all(true, RELINK_STOP, &err), RELINK_E_STOP, &err);
	CHECK(all_are(false) && finals_are(false));
	close(last);
	close(last - 1);
	change_and_back();
	end_sleeper(&s);
}

static void in_child(const char *name, void (*body)(void))
{
	pid_t child;
	int status = -1;

	fflush(stdout);
	child = fork();
	if (!child) {
		body();
		_exit(check_done());
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECKF(status == 0, "%s: status 0x%x", name, status);
}

int main(void)
{
	relink_stop_timeout(20000);
	CHECK(relink_init(NULL, NULL, &err) <= 0);
	test_finals();
	test_system_calls();
	test_unblocked_in_time();
	test_handlers();
	if (RELINK_PATCHES_) {
		test_blocked_signals();
		test_no_time();
		test_vfork();
		test_traced();
		in_child("take_all_signals", take_all_signals);
		in_child("without_descriptors", without_descriptors);
	}
	in_child("leave_main", leave_main);
	in_child("change_and_back", change_and_back);
	return check_done();
}
