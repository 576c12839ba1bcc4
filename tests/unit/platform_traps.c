/* SPDX-License-Identifier: MIT */
/* platform_traps.c - breakpoints: ours are emulated or retried, others go where they went before. */
#include "platform_test.h"

#include <pthread.h>
#include <sys/ptrace.h>

#ifdef HAVE_CODE

#include "arch/port.h"

#define INT3 0xcc

/* ---- sites ---- */

extern uint8_t site_branch[], site_call[], site_tail[], site_foreign[];
extern unsigned run_branch(void), run_call(unsigned), run_tail(void), run_foreign(void), plus_one(unsigned);

__asm__(".pushsection .text\n"
	".balign 64\n"
	"run_branch:\n"
	"	mov $1, %eax\n"
	"site_branch:\n"
	"	.byte 0xa9\n" /* test $.., %eax or jmp 1f */
	"	.long 1f - . - 4\n"
	"	ret\n"
	"1:	mov $2, %eax\n"
	"	ret\n"
	"run_call:\n"
	"	push %rbx\n"
	"	lea -40(%rsp), %rsp\n"
	"	movq $0x5ca1ab1e, (%rsp)\n" /* must survive */
	"	mov (%rsp), %rbx\n"
	"site_call:\n"
	"	.byte 0xe8\n"
	"	.long plus_one - . - 4\n"
	"	xor (%rsp), %rbx\n" /* nothing if nothing went wrong */
	"	add %ebx, %eax\n"
	"	lea 40(%rsp), %rsp\n"
	"	pop %rbx\n"
	"	ret\n"
	"plus_one:\n"
	"	lea 1(%rdi), %eax\n"
	"	ret\n"
	"run_tail:\n"
	"	mov $3, %eax\n"
	"site_tail:\n"
	"	.byte 0xc3, 0, 0, 0, 0\n"
	"run_foreign:\n"
	"	mov $4, %eax\n"
	"site_foreign:\n"
	"	int3\n"
	"	ret\n"
	".popsection\n");

/* ---- a table with one guard, as core would have it ---- */

static struct {
	uintptr_t address;
	int kind;
	uint8_t bytes[8];
} guard;
static unsigned looked_up;
static uint8_t *covered_from = site_branch, *covered_to = site_foreign;

static bool lookup(uintptr_t address, int *kind, uint8_t bytes[8])
{
	__atomic_add_fetch(&looked_up, 1, __ATOMIC_RELAXED);
	if (!address || __atomic_load_n(&guard.address, __ATOMIC_ACQUIRE) != address)
		return false;
	*kind = guard.kind;
	memcpy(bytes, guard.bytes, 8);
	return true;
}

static bool covers(uintptr_t address)
{
	return address >= (uintptr_t)covered_from && address < (uintptr_t)covered_to;
}

static void set_guard(const uint8_t *site, int kind, const uint8_t *bytes)
{
	guard.kind = kind;
	memcpy(guard.bytes, bytes, 5);
	__atomic_store_n(&guard.address, (uintptr_t)site, __ATOMIC_RELEASE);
}

static void write_byte(uint8_t *site, uint8_t byte)
{
	const char *why;
	bool ready = rl_text_begin(&why) == 0;

	if (!ready || rl_text_write((uintptr_t)site, &byte, 1) < 0 || rl_text_barrier() < 0)
		CHECK(!"a byte can be written");
	if (ready)
		rl_text_end();
}

static bool enable(void)
{
	return CHECK(probe()) && CHECK(rl_traps_enable(lookup, covers) == 0);
}

/* ---- ours ---- */

static void emulated(void)
{
	uint8_t bytes[5];

	if (!enable())
		return;
	CHECK(run_branch() == 1 && run_call(6) == 7 && run_tail() == 3);
	memcpy(bytes, site_branch, 5);
	set_guard(site_branch, RL_BRANCH, bytes);
	write_byte(site_branch, INT3);
	CHECK(run_branch() == 1);
	bytes[0] = 0xe9;
	set_guard(site_branch, RL_BRANCH, bytes);
	CHECK(run_branch() == 2);

	memcpy(bytes, site_call, 5);
	set_guard(site_call, RL_CALL, bytes);
	write_byte(site_call, INT3);
	for (unsigned i = 0; i < 1000; i++)
		if (run_call(i) != i + 1)
			CHECK(!"an emulated call returns to its site");
	set_guard(site_call, RL_CALL, (const uint8_t[]){ 0xb8, 44, 1, 0, 0 });
	CHECK(run_call(6) == 300);

	memcpy(bytes, site_tail, 5);
	set_guard(site_tail, RL_TAIL, bytes);
	write_byte(site_tail, INT3);
	CHECK(run_tail() == 3);
	CHECK(looked_up == 1004);
}

static void errno_is_left_alone(void)
{
	uint8_t bytes[5];

	if (!enable())
		return;
	memcpy(bytes, site_call, 5);
	set_guard(site_call, RL_CALL, bytes);
	write_byte(site_call, INT3);
	errno = 4711;
	CHECK(run_call(1) == 2 && errno == 4711);
}

/* The commit has ended by the time that the handler looks. */
static uint8_t byte_of_call;

static bool lookup_too_late(uintptr_t address, int *kind, uint8_t bytes[8])
{
	(void)kind, (void)bytes;
	if (address == (uintptr_t)site_call)
		write_byte(site_call, byte_of_call);
	return false;
}

static void late(void)
{
	if (!CHECK(probe()) || !CHECK(rl_traps_enable(lookup_too_late, covers) == 0))
		return;
	byte_of_call = site_call[0];
	write_byte(site_call, INT3);
	CHECK(run_call(1) == 2);
}

/* The handler looks, finds nothing, and only then a commit begins. */
static bool lookup_too_early(uintptr_t address, int *kind, uint8_t bytes[8])
{
	return lookup(address, kind, bytes) && looked_up > 3;
}

static void early(void)
{
	uint8_t bytes[5];

	if (!CHECK(probe()) || !CHECK(rl_traps_enable(lookup_too_early, covers) == 0))
		return;
	memcpy(bytes, site_call, 5);
	set_guard(site_call, RL_CALL, bytes);
	write_byte(site_call, INT3);
	CHECK(run_call(1) == 2 && looked_up == 4);
}

/* ---- others' ---- */

static volatile uintptr_t trapped_at;
static volatile int traps, code_seen;
static volatile bool blocked_inside;

static void program_handler(int signal, siginfo_t *info, void *context)
{
	sigset_t mask;

	traps++;
	code_seen = info->si_code;
	trapped_at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	sigprocmask(SIG_BLOCK, NULL, &mask);
	blocked_inside = sigismember(&mask, signal) == 1 && sigismember(&mask, SIGUSR1) == 1;
}

static void install(void)
{
	struct sigaction action = { .sa_sigaction = program_handler, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGTRAP, &action, NULL);
}

static void chained_to_a_handler(void)
{
	install();
	if (!enable())
		return;
	CHECK(run_foreign() == 4);
	CHECK(traps == 1 && trapped_at == (uintptr_t)site_foreign + 1 && blocked_inside);
	raise(SIGTRAP);
	CHECK(traps == 2 && code_seen == SI_TKILL);
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq; orl $0x100, (%%rsp); popfq\n\t" /* single steps */
			 "nop\n\t"
			 "pushfq; andl $~0x100, (%%rsp); popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : : : "memory", "cc");
	CHECK(traps > 3 && code_seen == TRAP_TRACE);
	traps = 3;
	covered_to = site_foreign + 1; /* in the middle of ours: still not ours */
	CHECK(run_foreign() == 4 && traps == 4);
}

static void foreign_trap(void)
{
	run_foreign();
}

static void raised(void)
{
	raise(SIGTRAP);
}

static void ignored_but_raised(void)
{
	signal(SIGTRAP, SIG_IGN);
	CHECK(enable());
	raise(SIGTRAP);
}

static void ignored_but_hit(void)
{
	signal(SIGTRAP, SIG_IGN);
	CHECK(enable());
	run_foreign();
}

static bool killed_by_trap(void (*function)(void))
{
	int status = status_of(function);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP;
}

static void chained_to_the_default(void)
{
	CHECK(enable());
	CHECK(killed_by_trap(foreign_trap));
	CHECK(killed_by_trap(raised));
}

static void chained_to_nobody(void)
{
	CHECK(status_of(ignored_but_raised) == 0);
	CHECK(killed_by_trap(ignored_but_hit));
}

/* ---- whether they may be used ---- */

static bool refused_for(const char *reason)
{
	const char *why = rl_traps_refused();

	return why && strstr(why, reason);
}

static void refused(void)
{
	CHECK(refused_for("no SIGTRAP handler"));
	CHECK(enable());
	if (rl_traps_refused()) {
		skip("refusals", rl_traps_refused());
		return;
	}
	CHECK(rl_traps_enable(lookup, covers) == 0);
	CHECK(rl_traps_refused() == NULL);
	install();
	CHECK(refused_for("replaced"));
	CHECK(rl_traps_enable(lookup, covers) == -EBUSY);
}

static void traced(void)
{
	CHECK(enable());
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
		skip("traced", strerror(errno));
		return;
	}
	CHECK(refused_for("tracer"));
}

/* ---- many ---- */

static unsigned stop, wrong, calls;

static void *call_often(void *unused)
{
	unsigned n = 0, bad = 0;

	for (; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++)
		bad += run_call(n) != n + 1;
	__atomic_add_fetch(&wrong, bad, __ATOMIC_RELAXED);
	__atomic_add_fetch(&calls, n, __ATOMIC_RELAXED);
	return unused;
}

/* Guards come and go under running threads: some traps are emulated, some are late. */
static void under_load(void)
{
	pthread_t threads[3];
	uint8_t bytes[5];

	if (!enable())
		return;
	memcpy(bytes, site_call, 5);
	set_guard(site_call, RL_CALL, bytes);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, call_often, NULL);
	for (int i = 0; i < 5000; i++) {
		__atomic_store_n(&guard.address, (uintptr_t)site_call, __ATOMIC_RELEASE);
		write_byte(site_call, INT3);
		write_byte(site_call, bytes[0]);
		__atomic_store_n(&guard.address, 0, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK(wrong == 0 && calls > 0 && looked_up > 0);
}

int main(void)
{
	start_tally();
	RUN(emulated);
	RUN(errno_is_left_alone);
	RUN(late);
	RUN(early);
	RUN(chained_to_a_handler);
	RUN(chained_to_the_default);
	RUN(chained_to_nobody);
	RUN(refused);
	RUN(traced);
	RUN(under_load);
	return report();
}

#else

static bool lookup(uintptr_t address, int *kind, uint8_t bytes[8])
{
	(void)address, (void)kind, (void)bytes;
	return false;
}

static bool covers(uintptr_t address)
{
	(void)address;
	return false;
}

int main(void)
{
	start_tally();
	CHECK(rl_traps_enable(lookup, covers) < 0);
	CHECK(rl_traps_refused() != NULL);
	return report();
}

#endif
