/* SPDX-License-Identifier: MIT */
/* platform_seccomp.c - filters that refuse a system call or raise SIGSYS for it, before the probe and at any time after. */
#include "platform_test.h"

#include <pthread.h>
#include <ucontext.h>

#ifdef HAVE_CODE

static bool sigsys_is_default(void)
{
	struct sigaction action;

	return sigaction(SIGSYS, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/* ---- before the probe ---- */

static struct rl_text_abilities probe_under(unsigned number, unsigned answer)
{
	struct rl_text_abilities abilities;

	filter(number, answer);
	rl_text_probe(&abilities);
	CHECK(sigsys_is_default());
	CHECK(subject() == 1);
	return abilities;
}

static void without_membarrier(unsigned answer)
{
	struct rl_text_abilities abilities = probe_under(SYS_membarrier, answer);
	const char *why;
	unsigned two = 2;

	CHECK(abilities.write && !abilities.barrier && strstr(abilities.why, "membarrier"));
	CHECK(strcmp(abilities.barrier_name, "none") == 0);
	CHECK(rl_text_begin(&why) == 0);
	CHECK(rl_text_write((uintptr_t)subject_code, &two, sizeof(two)) == 0);
	CHECK(rl_text_barrier() < 0);
	rl_text_end();
	CHECK(subject() == 2); /* this thread has serialised itself */
}

static void probe_membarrier_refused(void)
{
	without_membarrier(REFUSE);
}

static void probe_membarrier_trapped(void)
{
	without_membarrier(TRAP);
}

static void without_writer(unsigned number, unsigned answer)
{
	struct rl_text_abilities abilities = probe_under(number, answer);
	const char *why = NULL;

	CHECK(!abilities.write && abilities.barrier && strstr(abilities.why, "/proc/self/mem"));
	CHECK(rl_text_begin(&why) < 0 && why);
	CHECK(rl_text_context() == RL_TEXT_OK);
}

static void probe_openat_refused(void)
{
	without_writer(SYS_openat, REFUSE);
}

static void probe_openat_trapped(void)
{
	without_writer(SYS_openat, TRAP);
}

static void probe_pwrite_refused(void)
{
	without_writer(SYS_pwrite64, REFUSE);
}

static void probe_pwrite_trapped(void)
{
	without_writer(SYS_pwrite64, TRAP);
}

static void probe_lseek_trapped(void)
{
	without_writer(SYS_lseek, TRAP);
}

static void probe_store_trapped(void)
{
	const char *why;

	CHECK(probe());
	filter(SYS_mprotect, TRAP);
	why = rl_text_probe_store();
	CHECK(why && strstr(why, "mprotect"));
	CHECK(sigsys_is_default() && changes(2));
}

/* ---- after the probe ---- */

static void barrier_lost(unsigned answer, int error)
{
	const char *why;

	CHECK(probe() && changes(3));
	filter(SYS_membarrier, answer);
	CHECK(rl_text_begin(&why) == 0);
	CHECK(rl_text_barrier() == error);
	rl_text_end();
	CHECK(sigsys_is_default());
}

static void membarrier_refused(void)
{
	barrier_lost(REFUSE, -EPERM);
}

static void membarrier_trapped(void)
{
	barrier_lost(TRAP, -ENOSYS);
}

static void write_lost(void)
{
	unsigned number = 4;
	const char *why;

	CHECK(probe() && changes(3));
	filter(SYS_pwrite64, TRAP);
	CHECK(rl_text_begin(&why) == 0);
	CHECK(rl_text_write((uintptr_t)subject_code, &number, sizeof(number)) == -ENOSYS);
	rl_text_end();
	CHECK(subject() == 3 && sigsys_is_default());
}

static void position_lost(void)
{
	const char *why = NULL;

	CHECK(probe() && changes(3));
	filter(SYS_lseek, TRAP);
	CHECK(rl_text_begin(&why) == -ENOSYS && why);
	CHECK(sigsys_is_default());
}

/* Opening is not needed while the descriptor is there. */
static void open_lost(unsigned answer, int error)
{
	const char *why = NULL;
	int descriptor = -1;

	CHECK(probe());
	CHECK(memory_descriptors(&descriptor) == 1);
	filter(SYS_openat, answer);
	CHECK(changes(5));
	close(descriptor);
	CHECK(rl_text_begin(&why) == error && strstr(why, "/proc/self/mem"));
	CHECK(rl_text_begin(&why) == error);
	CHECK(subject() == 5 && sigsys_is_default());
}

static void openat_refused(void)
{
	open_lost(REFUSE, -EPERM);
}

static void openat_trapped(void)
{
	open_lost(TRAP, -ENOSYS);
}

static void trapped_with_sigsys_blocked(void)
{
	sigset_t mask;
	const char *why;

	CHECK(probe());
	sigemptyset(&mask);
	sigaddset(&mask, SIGSYS);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	filter(SYS_membarrier, TRAP);
	CHECK(rl_text_begin(&why) == 0);
	CHECK(rl_text_barrier() == -ENOSYS);
	rl_text_end();
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(sigismember(&mask, SIGSYS) == 1);
}

/* ---- whose SIGSYS it is ---- */

#define ANSWER 4711

static unsigned answered, done;

/* A sandbox that answers for the kernel, as browsers do. */
static void sandbox(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	if (info->si_syscall != SYS_getppid)
		return;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = ANSWER;
	__atomic_add_fetch(&answered, 1, __ATOMIC_RELAXED);
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigaction(SIGSYS, &action, NULL);
}

#define CALLS 20000

static void *call_often(void *unused)
{
	unsigned right = 0;

	filter(SYS_getppid, TRAP);
	for (int i = 0; i < CALLS; i++)
		right += syscall(SYS_getppid) == ANSWER;
	CHECK(right == CALLS);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	return unused;
}

static void other_threads_keep_their_handler(void)
{
	struct sigaction after;
	pthread_t thread;
	const char *why;

	CHECK(probe());
	install(sandbox, 0);
	pthread_create(&thread, NULL, call_often, NULL);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		if (rl_text_begin(&why) < 0)
			break;
		rl_text_barrier();
		rl_text_end();
	}
	pthread_join(thread, NULL);
	CHECK(answered == CALLS);
	sigaction(SIGSYS, NULL, &after);
	CHECK(after.sa_sigaction == sandbox);
}

/* Ours answers for our calls only, in the window and for the committer too. */
static void own_calls_go_to_the_sandbox(void)
{
	const char *why;

	CHECK(probe());
	install(sandbox, SA_NODEFER);
	filter(SYS_getppid, TRAP);
	filter(SYS_membarrier, TRAP);
	CHECK(rl_text_begin(&why) == 0);
	CHECK(syscall(SYS_getppid) == ANSWER);
	CHECK(rl_text_barrier() == -ENOSYS);
	CHECK(syscall(SYS_getppid) == ANSWER);
	rl_text_end();
	CHECK(syscall(SYS_getppid) == ANSWER && answered == 3);
}

static void set_in_the_window(void)
{
	struct sigaction after;
	const char *why;

	CHECK(probe());
	CHECK(rl_text_begin(&why) == 0);
	install(sandbox, 0);
	rl_text_end();
	sigaction(SIGSYS, NULL, &after);
	CHECK(after.sa_sigaction == sandbox && (after.sa_flags & SA_SIGINFO));
	CHECK(changes(6));
}

/* Learns our handler in the window and passes everything on to it: must not go round in circles. */
static struct sigaction learned;

static void polite(int signal, siginfo_t *info, void *context)
{
	learned.sa_sigaction(signal, info, context);
}

static void circle(void)
{
	struct sigaction action = { .sa_sigaction = polite, .sa_flags = SA_SIGINFO };
	const char *why;

	rl_text_begin(&why);
	sigaction(SIGSYS, &action, &learned);
	rl_text_end();
	filter(SYS_getppid, TRAP);
	rl_text_begin(&why);
	syscall(SYS_getppid);
	_exit(3);
}

static void nobody_wants_it(void)
{
	const char *why;

	filter(SYS_getppid, TRAP);
	rl_text_begin(&why);
	syscall(SYS_getppid);
	_exit(3);
}

static void ignored(void)
{
	const char *why;

	signal(SIGSYS, SIG_IGN);
	rl_text_begin(&why);
	raise(SIGSYS);
	rl_text_end();
}

static bool killed_by_sigsys(void (*function)(void))
{
	int status = status_of(function);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void what_is_not_ours_kills(void)
{
	CHECK(probe());
	CHECK(killed_by_sigsys(nobody_wants_it));
	CHECK(killed_by_sigsys(circle));
	CHECK(status_of(ignored) == 0);
}

/* Another thread forks in the window; the child has our handler, and gives it back. */
static unsigned open_window;

static void *fork_in_window(void *unused)
{
	pid_t child;
	int status;

	while (!__atomic_load_n(&open_window, __ATOMIC_ACQUIRE))
		;
	child = fork();
	if (child == 0) {
		CHECK(!sigsys_is_default());
		rl_text_after_fork();
		CHECK(sigsys_is_default());
		CHECK(changes(7) && sigsys_is_default());
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	return unused;
}

static void fork_while_open(void)
{
	pthread_t thread;
	const char *why;

	CHECK(probe());
	pthread_create(&thread, NULL, fork_in_window, NULL);
	CHECK(rl_text_begin(&why) == 0);
	__atomic_store_n(&open_window, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		;
	rl_text_end();
	pthread_join(thread, NULL);
	CHECK(sigsys_is_default() && subject() == 1);
}

static void can_filter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_SECCOMP) < 0)
		_exit(77);
}

int main(void)
{
	start_tally();
	if (status_of(can_filter) != 0) {
		printf("no seccomp filters here\n");
		return 77;
	}
	RUN(probe_membarrier_refused);
	RUN(probe_membarrier_trapped);
	RUN(probe_openat_refused);
	RUN(probe_openat_trapped);
	RUN(probe_pwrite_refused);
	RUN(probe_pwrite_trapped);
	RUN(probe_lseek_trapped);
	RUN(probe_store_trapped);
	RUN(membarrier_refused);
	RUN(membarrier_trapped);
	RUN(write_lost);
	RUN(position_lost);
	RUN(openat_refused);
	RUN(openat_trapped);
	RUN(trapped_with_sigsys_blocked);
	RUN(other_threads_keep_their_handler);
	RUN(own_calls_go_to_the_sandbox);
	RUN(set_in_the_window);
	RUN(what_is_not_ours_kills);
	RUN(fork_while_open);
	return report();
}

#else

int main(void)
{
	printf("no code is written on this architecture\n");
	return 77;
}

#endif
