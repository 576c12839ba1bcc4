/* SPDX-License-Identifier: MIT */
/* test: INTERNAL LINK -Wl,--emit-relocs -Wl,-z,now LABELS soak TIMEOUT 60 NOT thread */
/*
 * traps.c - without a declaration no int3 is ever used, so that threads may block SIGTRAP. With RELINK_TRAPS every site is bound
 * and changed; threads that trap do what the site's instruction does, also in a child that a raw fork made in mid-commit;
 * and traps that are not ours go to whom they belong.
 */
#undef RELINK_INTERNAL /* only the hooks; the program is like any other */
#include "stress_subjects.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "runtime/runtime.h"

void rl_test_step(void (*step)(int step));

#if RELINK_PATCHES_

#define INT3 0xcc
#define THREADS 8

/* ---- all sites ---- */

struct place {
	uintptr_t address;
	int kind;
};
static struct place places[4096];
static unsigned place_count;

static int add_place(const struct relink_site_info *site, void *unused)
{
	(void)unused;
	if (place_count < COUNT(places))
		places[place_count++] = (struct place){ site->address, site->kind };
	return 0;
}

static uint8_t byte_at(uintptr_t address)
{
	return *(const volatile uint8_t *)address;
}

static unsigned guards[RELINK_SITE_KINDS]; /* most int3 seen at one time */

static unsigned count_guards(void)
{
	unsigned now[RELINK_SITE_KINDS] = { 0 }, all = 0;

	for (unsigned i = 0; i < place_count; i++)
		now[places[i].kind] += byte_at(places[i].address) == INT3;
	for (unsigned i = 0; i < RELINK_SITE_KINDS; i++) {
		all += now[i];
		if (now[i] > guards[i])
			guards[i] = now[i];
	}
	return all;
}

static void put(uintptr_t address, uint8_t byte)
{
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	CHECK(memory >= 0 && pwrite(memory, &byte, 1, (off_t)address) == 1);
	close(memory);
}

/* ---- stress: everybody looks, everything changes ---- */

static void *spectator(void *unused)
{
	for (unsigned x = 0; running(); x++) {
		look(&subjects[x % SUBJECTS], x % 1024);
		if (x % 16 == 0)
			rest();
	}
	return unused;
}

/*
 * A child that shares our memory. No commit that needs traps begins meanwhile; one that has begun goes on, and the child runs
 * into its guards, with handlers of its own that are copies of ours.
 */
static __attribute__((noinline)) void vfork_and_look(void)
{
	static volatile unsigned broken;
	int status = -1;
	pid_t child = vfork();

	if (!child) {
		for (unsigned i = 0; i < COUNT(route_sites); i++)
			broken += route_sites[i](i) >= subjects[ROUTE].states;
		_exit(7);
	}
	waitpid(child, &status, 0);
	CHECKF(WIFEXITED(status) && WEXITSTATUS(status) == 7 && !broken, "a vfork child ended with %#x, %u sites broken", status, broken);
}

static void *vforker(void *unused)
{
	while (running())
		vfork_and_look();
	return unused;
}

/* On a busy machine a child may live for longer than a commit waits. */
static bool advance_unless_shared(struct subject *s)
{
	unsigned next = (unsigned)((s->timeline.now / 2 + 1) % s->states);
	struct relink_error err;
	int r;

	timeline_step(&s->timeline);
	r = s->to(next, &err);
	if (r == RELINK_E_TRAPS && strstr(relink_error_text(&err), "shares the memory")) {
		timeline_fail(&s->timeline, s->states);
		return true;
	}
	timeline_step(&s->timeline);
	s->commits++;
	return CHECKF(r == RELINK_OK, "%s to state %u: %s: %s", s->name, next, relink_code_name(r), relink_error_text(&err));
}

static void *change(void *argument)
{
	struct subject *s = argument;
	struct chance chance = { s->states };
	unsigned long before = s->commits;

	while (running() && advance_unless_shared(s))
		linger(&chance);
	CHECKF(s->commits > before, "%s: no commit found a moment without a child", s->name);
	return NULL;
}

static void stress(void *(*body)(void *), double seconds)
{
	for (unsigned i = 0; i < THREADS; i++)
		start(body, NULL);
	for (unsigned i = 0; i < SUBJECTS; i++)
		if (!subjects[i].anybody)
			start(change, &subjects[i]);
	start(vforker, NULL);
	sleep_for(seconds);
	finish();
	for (unsigned i = 0; i < SUBJECTS; i++)
		if (!subjects[i].anybody)
			check_settled(&subjects[i]);
}

/* ---- without traps ---- */

static unsigned long entered;

static void on_usr1(int signal)
{
	static unsigned turn;

	(void)signal;
	look(&subjects[__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % SUBJECTS], 7);
	__atomic_fetch_add(&entered, 1, __ATOMIC_RELAXED);
}

/* Enters a handler with every signal blocked, over and over. */
static void *masked(void *unused)
{
	while (running()) {
		pthread_kill(pthread_self(), SIGUSR1);
		rest();
	}
	return unused;
}

static void find_no_guard(int step)
{
	unsigned n = count_guards();

	CHECKF(n == 0, "%u int3 at step %d of a commit without traps", n, step);
}

static void without_traps(double seconds)
{
	struct sigaction action = { .sa_handler = on_usr1 };

	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	rl_test_step(find_no_guard);
	stress(masked, seconds);
	rl_test_step(NULL);
	CHECKF(entered > 100, "only %lu handlers were entered", entered);
}

/* ---- who gets a trap ---- */

static volatile unsigned user_traps;
static volatile uintptr_t user_breakpoint; /* to be taken out by the user's handler */
static volatile uint8_t user_byte;

static void on_user_trap(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal, (void)info;
	user_traps++;
	if ((uintptr_t)registers[REG_RIP] - 1 != user_breakpoint)
		return;
	put(user_breakpoint, user_byte);
	registers[REG_RIP]--;
}

static unsigned trap_here(void)
{
	unsigned before = user_traps;

	__asm__ volatile("int3" : : : "memory");
	return user_traps - before;
}

/* What a child that runs into an int3 of its own dies of. */
static int fate(void (*disposition)(int))
{
	struct relink_error err;
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		signal(SIGTRAP, disposition);
		if (relink_declare(RELINK_TRAPS, &err))
			_exit(1);
		__asm__ volatile("int3");
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

/*
 * A trap without an int3 below it. The kernel lets a thread send such a signal to itself. The byte before is the 05 of the
 * system call; a handler that went back to it would run add $0x401f0f,%eax, made with the nop that follows.
 */
static unsigned late_trap(int code)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = code };
	long process = getpid(), thread = syscall(SYS_gettid), result = SYS_rt_tgsigqueueinfo;
	register siginfo_t *fourth __asm__("r10") = &info;

	__asm__ volatile("syscall\n\t.byte 0x0f, 0x1f, 0x40, 0x00"
			 : "+a"(result)
			 : "D"(process), "S"(thread), "d"((long)SIGTRAP), "r"(fourth)
			 : "rcx", "r11", "memory");
	return (unsigned)result;
}

static void others_traps(void)
{
	unsigned before = user_traps;

	CHECK(trap_here() == 1);
	raise(SIGTRAP);
	CHECK(user_traps == before + 2);
	CHECK(late_trap(SI_KERNEL) == 0); /* where no guard has ever been, it is somebody else's */
	CHECK(user_traps == before + 3);
	CHECK(late_trap(TRAP_TRACE) == 0); /* a step of a debugger is no breakpoint */
	CHECK(user_traps == before + 4);
}

/* The user's breakpoint on a site: refused, nothing changed, served by the user's handler. */
static void breakpoint_on_site(void)
{
	struct subject *s = &subjects[LEFT];
	unsigned before = user_traps;
	struct relink_error err;
	struct places sites;

	find_places(&sites, "right");
	for (unsigned i = 0; i < place_count && !user_breakpoint; i++)
		if (places[i].kind == RELINK_SITE_BRANCH)
			user_breakpoint = places[i].address;
	user_byte = byte_at(user_breakpoint);
	put(user_breakpoint, INT3);
	CHECK_CODE(to_left(!relink_key_enabled(right), &err), RELINK_E_BREAKPOINT, &err);
	CHECK(err.site == user_breakpoint && strcmp(err.choice, "right") == 0);
	CHECK(byte_at(user_breakpoint) == INT3);
	check_settled(s);
	CHECKF(user_traps > before && byte_at(user_breakpoint) == user_byte, "the user's handler saw %u traps", user_traps - before);
	advance(s);
	check_settled(s);
}

/* ---- emulation ---- */

static struct {
	const struct subject *subject;
	unsigned from, to;
} change_seen;
static unsigned long emulated;

/* The committer itself runs through the guards. */
static void look_at_guards(int step)
{
	const struct subject *s = change_seen.subject;

	if (step < RL_STEP_GUARDED || step > RL_STEP_OPCODE_BARRIER)
		return;
	emulated += count_guards();
	for (unsigned i = 0; i < s->count; i++) {
		unsigned seen = s->sites[i](i);

		CHECKF(alike(s, seen, change_seen.from) || alike(s, seen, change_seen.to), "%s, site %u: saw %u from %u to %u at step %d",
		       s->name, i, seen, change_seen.from, change_seen.to, step);
	}
}

/* From each state to each other, so that every instruction is guarded and made. */
static void emulate(struct subject *s)
{
	struct relink_error err;

	change_seen.subject = s;
	for (unsigned from = 0; from < s->states; from++)
		for (unsigned to = 0; to < s->states; to++) {
			CHECK_CODE(s->to(from, &err), RELINK_OK, &err);
			change_seen.from = from;
			change_seen.to = to;
			rl_test_step(look_at_guards);
			CHECK_CODE(s->to(to, &err), RELINK_OK, &err);
			rl_test_step(NULL);
		}
	CHECK_CODE(s->to((unsigned)(s->timeline.now / 2 % s->states), &err), RELINK_OK, &err);
	check_settled(s);
}

static void emulate_all(void)
{
	for (unsigned i = 0; i < SUBJECTS; i++)
		if (!subjects[i].anybody)
			emulate(&subjects[i]);
}

/* ---- a handler of somebody else ---- */

/* Sites that need a trap can't be changed then; others can. */
static void replaced_handler(bool strict)
{
	struct sigaction other = { .sa_handler = SIG_DFL }, ours;
	struct subject *s = &subjects[ROUTE];
	struct relink_error err;
	unsigned now = (unsigned)(s->timeline.now / 2 % s->states);

	sigaction(SIGTRAP, &other, &ours);
	CHECK_CODE(s->to((now + 1) % s->states, &err), RELINK_E_TRAPS, &err);
	CHECKF(count_guards() == 0, "%u int3 stand after a refusal", count_guards());
	check_settled(s);
	CHECK_CODE(relink_key_set(right, !relink_key_enabled(right), &err), strict ? RELINK_E_TRAPS : RELINK_OK, &err);
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_E_TRAPS, &err);
	sigaction(SIGTRAP, &ours, NULL);
	CHECK_CODE(relink_key_set(right, subjects[LEFT].timeline.now / 2 % 2, &err), RELINK_OK, &err);
	advance(s);
	check_settled(s);
}

/* ---- a raw fork in mid-commit ---- */

static int fork_at;          /* the step */
static bool fork_wanted, forked;
static int fork_status;
static unsigned guards_at_fork;

/* In the child, which may not even print: does all work, and is a commit refused? */
static int raw_child(struct subject *s)
{
	struct relink_error err;

	for (unsigned round = 0; round < 100; round++)
		for (unsigned i = 0; i < s->count; i++) {
			unsigned seen = s->sites[i](round);

			if (!alike(s, seen, change_seen.from) && !alike(s, seen, change_seen.to))
				return 1;
		}
	if ((s != &subjects[LEFT] && s->to(change_seen.to, &err) != RELINK_E_CONTEXT) || relink_key_set(right, true, &err) != RELINK_E_CONTEXT)
		return 2;
	return 42;
}

/* fork without libc knowing; by another thread than the committer. */
static void *raw_forker(void *argument)
{
	pid_t child;

	while (!__atomic_load_n(&fork_wanted, __ATOMIC_ACQUIRE))
		rest();
	child = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	if (child == 0)
		_exit(raw_child(argument));
	waitpid(child, &fork_status, 0);
	__atomic_store_n(&forked, true, __ATOMIC_RELEASE);
	return NULL;
}

static void fork_at_step(int step)
{
	if (step != fork_at || fork_wanted)
		return;
	guards_at_fork = count_guards();
	__atomic_store_n(&fork_wanted, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&forked, __ATOMIC_ACQUIRE))
		rest();
}

static void raw_fork(struct subject *s, int step)
{
	struct relink_error err;

	change_seen.from = (unsigned)(s->timeline.now / 2 % s->states);
	change_seen.to = (change_seen.from + 1) % s->states;
	fork_at = step;
	fork_wanted = forked = false;
	start(raw_forker, s);
	rl_test_step(fork_at_step);
	timeline_step(&s->timeline);
	CHECK_CODE(s->to(change_seen.to, &err), RELINK_OK, &err);
	timeline_step(&s->timeline);
	rl_test_step(NULL);
	finish();
	CHECKF(WIFEXITED(fork_status) && WEXITSTATUS(fork_status) == 42, "%s: the raw child made at step %d ended with %#x", s->name, step,
	       fork_status);
	check_settled(s);
}

static unsigned raw_forks(void)
{
	unsigned with_guards = 0;

	for (unsigned i = 0; i < SUBJECTS; i++)
		for (int step = RL_STEP_PREPARED; step <= RL_STEP_OPCODE_BARRIER; step++) {
			if (subjects[i].anybody)
				continue;
			raw_fork(&subjects[i], step);
			with_guards += guards_at_fork > 0;
		}
	return with_guards;
}

/* ---- all together ---- */

/* With one thread alone nobody needs a trap. */
static void *bystander(void *unused)
{
	while (running())
		sleep_for(1e-3);
	return unused;
}

static unsigned on_trampoline(void)
{
	struct places all;

	find_places(&all, NULL);
	return all.reasons[RELINK_UNALIGNED] + all.reasons[RELINK_UNDECLARED];
}

static void with_traps(bool strict, double seconds)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == 0 && status.traps == 1);
	CHECKF(on_trampoline() == 0, "%u sites wait on their trampoline", on_trampoline());
	memset(guards, 0, sizeof(guards));
	start(bystander, NULL);
	emulate_all();
	CHECK(guards[RELINK_SITE_CALL] && guards[RELINK_SITE_TAIL] && guards[RELINK_SITE_JCC]);
	CHECKF(!guards[RELINK_SITE_BRANCH] == !strict, "%u int3 on branches", guards[RELINK_SITE_BRANCH]);
	CHECKF(!guards[RELINK_SITE_TRAMPOLINE] == !strict, "%u int3 on trampolines", guards[RELINK_SITE_TRAMPOLINE]);
	CHECK(emulated > 100);
	others_traps();
	breakpoint_on_site();
	replaced_handler(strict);
	finish();
	CHECK(raw_forks() > 2);
	stress(spectator, seconds);
	others_traps();
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_user_trap, .sa_flags = SA_SIGINFO };
	double seconds = soak_seconds() / 3;
	struct relink_error err;
	int status;

	CHECK(relink_each_site(add_place, NULL) == 0 && place_count < COUNT(places));
	CHECKF(on_trampoline() > 0, "no site needs a trap");
	without_traps(seconds);
	status = fate(SIG_DFL);
	CHECKF(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP, "int3 by default: %#x", status);
	status = fate(SIG_IGN);
	CHECKF(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP, "int3 ignored: %#x", status);

	sigaction(SIGTRAP, &action, NULL);
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
	with_traps(false, seconds);
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
	with_traps(true, seconds);
	return check_done();
}

#else

int main(void)
{
	check_skip("this port rewrites no code");
}

#endif
