/* SPDX-License-Identifier: MIT */
/* signals.c - handlers that come in the middle of recording, that never return to it, or have little stack; and coroutines. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "subject.h"

static volatile sig_atomic_t came, wrong;

static void on_alarm(int number)
{
	came++;
	wrong += work(5) != 5 * 4 + 15 + (7 + 6 + 1 + 0 + 3) || more_work(2) != 3 + 4 + 14;
}

static void ticks(int on)
{
	struct itimerval timer = { { 0, on ? 50 : 0 }, { 0, on ? 50 : 0 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void catch(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGALRM, &action, NULL);
}

static int calls(void)
{
	long sum = 0;

	catch(on_alarm, SA_RESTART);
	ticks(1);
	for (int i = 0; i < 20000 || came < 200; i++)
		sum += (work(30) != work(30)) + (more_work(20) != more_work(20));
	ticks(0);
	printf("wrong %d, sum %ld\n", (int)wrong, sum);
	return 0;
}

static sigjmp_buf back;

static void on_alarm_jump(int number)
{
	came++;
	siglongjmp(back, 1);
}

static int jumps(void)
{
	volatile long rounds = 0;
	sigset_t mask;

	catch(on_alarm_jump, SA_NODEFER);
	sigsetjmp(back, 1);
	if (came < 500) {
		ticks(1);
		for (;;)
			rounds += work(11) != more_work(3);
	}
	ticks(0);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("blocked %d, %d, sum %d\n", sigismember(&mask, SIGALRM), sigismember(&mask, SIGUSR1), work(1000));
	return rounds == 0;
}

/* As small as the kernel lets it be, and a page that must not be touched below. */
static int small_stack(void)
{
	unsigned long least = getauxval(51 /* AT_MINSIGSTKSZ */), size = ((least > 2048 ? least : 2048) + 1024 + 4095) & ~4095ul;
	char *memory = mmap(0, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = { .ss_sp = memory + 4096 + size - (least > 2048 ? least : 2048) - 1024, .ss_size = (least > 2048 ? least : 2048) + 1024 };

	mprotect(memory, 4096, PROT_NONE);
	if (sigaltstack(&stack, NULL) < 0)
		return 77;
	catch(on_alarm, SA_RESTART | SA_ONSTACK);
	for (int i = 0; i < 2000; i++)
		raise(SIGALRM);
	printf("came %d, wrong %d\n", (int)came, (int)wrong);
	return 0;
}

/* ---- coroutines ---- */

#define COROUTINES 16
#define ROUNDS 400

static ucontext_t scheduler, contexts[COROUTINES];
static int done, total;

static void coroutine(int self)
{
	for (int i = 0; i < ROUNDS; i++) {
		total += work(self % 5 + 1) == work(self % 5 + 1) && more_work(2) == 21;
		swapcontext(&contexts[self], &scheduler);
	}
	done++;
}

static int coroutines(void)
{
	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = mmap(0, 16 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		contexts[i].uc_stack.ss_size = 16 << 10;
		contexts[i].uc_link = &scheduler;
		makecontext(&contexts[i], (void (*)(void))coroutine, 1, i);
	}
	while (done < COROUTINES)
		for (int i = 0; i < COROUTINES; i++)
			if (total < COROUTINES * ROUNDS || done < COROUTINES)
				swapcontext(&scheduler, &contexts[i]);
	printf("total %d\n", total);
	return 0;
}

/* What a call did not set stays as the caller left it. */
static int error_number(void)
{
	int changed = 0;

	for (int i = 0; i < 500; i++) {
		errno = 0;
		changed += work(1) < 0 || errno != 0;
		errno = 12345;
		changed += more_work(1) < 0 || errno != 12345;
	}
	printf("changed %d\n", changed);
	return 0;
}

/* Functions that return more than once, or into the middle of others. */
static int twice(void)
{
	int came_back = 0;

	for (volatile int i = 0; i < 100; i++) {
		volatile int times = 0;
		ucontext_t here;
		jmp_buf there;

		if (setjmp(there) < 3)
			longjmp(there, ++times + 0 * work(1));
		came_back += times;
		times = 0;
		getcontext(&here);
		if (times++ < 2)
			setcontext(&here);
		came_back += times;
	}
	printf("came back %d, sum %d\n", came_back, work(100));
	return 0;
}

/* Somebody has cancelled the thread: it ends where it says that it may, not where relink calls something. */
static volatile int ready, cancelled, passed;

static void *is_cancelled(void *unused)
{
	char *none[] = { "none", 0 };

	ready = 1;
	while (!cancelled)
		;
	execv("/nonexistent/program", none);
	passed = errno == ENOENT;
	pthread_testcancel();
	return unused;
}

static int cancel(void)
{
	pthread_t thread;
	void *result;
	int sum = work(1000);

	pthread_create(&thread, NULL, is_cancelled, NULL);
	while (!ready)
		;
	pthread_cancel(thread);
	cancelled = 1;
	pthread_join(thread, &result);
	printf("passed %d, cancelled %d, sum %d\n", passed, result == PTHREAD_CANCELED, sum + more_work(100));
	return 0;
}

int trap_main(int argc, char **argv)
{
	if (is(argc, argv, "calls"))
		return calls();
	if (is(argc, argv, "jumps"))
		return jumps();
	if (is(argc, argv, "small"))
		return small_stack();
	if (is(argc, argv, "cancel"))
		return cancel();
	if (is(argc, argv, "twice"))
		return twice();
	if (is(argc, argv, "errno"))
		return error_number();
	return coroutines();
}
