// test: LABELS soak TIMEOUT 120 NOT thread generic
/* SPDX-License-Identifier: MIT */
/*
 * Threads that are inside of a sequence most of the time: they sleep in what they call from it. A stop has to let them on
 * until they come out, and must let them run for that. A sleep that a signal cuts short is resumed with what is left of
 * it, and the kernel rounds that up: who is sent signals too fast sleeps longer and longer. On an idle machine that
 * is fastest; on a busy one a thread may not have run at all when its time is over.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "stress.h"

#define NAP 5000000L /* ns; one signal may add 50 us */

RELINK_KEY_FALSE(longer, "which text");

static struct relink_error err;
static unsigned long naps, cut_short;
static long longest_rest;

static void note(long rest)
{
	long before = __atomic_load_n(&longest_rest, __ATOMIC_RELAXED);

	__atomic_fetch_add(&cut_short, 1, __ATOMIC_RELAXED);
	while (rest > before && !__atomic_compare_exchange_n(&longest_rest, &before, rest, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

__attribute__((used, noinline, force_align_arg_pointer)) void nap(void)
{
	struct timespec rest = { 0, NAP };

	while (nanosleep(&rest, &rest) < 0)
		note(rest.tv_sec * 1000000000L + rest.tv_nsec);
	__atomic_fetch_add(&naps, 1, __ATOMIC_RELAXED);
}

#define ALL "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"

static __attribute__((noinline)) void nap_inside(void)
{
	long keep = 0;

	__asm__ volatile("subq $128, %%rsp" : : : "memory", "cc"); /* the red zone */
	RELINK_ALTERNATIVE("call nap", "nop; call nap", RELINK_WHEN_ON(longer), RELINK_OUT([keep] "+b"(keep)),
			   RELINK_IN(), RELINK_CLOBBERS(ALL));
	__asm__ volatile("addq $128, %%rsp" : : : "memory", "cc");
}

static void *run(void *unused)
{
	while (running()) {
		nap_inside();
		sleep_for(3e-3);
	}
	return unused;
}

/* ---- a busy machine: processes, since threads would stand still with the others ---- */

static pid_t burners[8];

static void burn(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		burners[i] = fork();
		if (burners[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			__asm__ volatile("" : : : "memory");
	}
}

static void stop_burning(void)
{
	for (size_t i = 0; i < COUNT(burners); i++) {
		if (burners[i] > 0 && kill(burners[i], SIGKILL) == 0)
			waitpid(burners[i], NULL, 0);
		burners[i] = 0;
	}
}

/* ---- stops ---- */

static void commit_for(double seconds)
{
	double start = now(), worst = 0, sum = 0;
	unsigned commits = 0;
	bool on = false;

	while (now() < start + seconds || commits < 8) {
		struct relink_commit c = RELINK_COMMIT;
		double before = now(), took;

		on = !on;
		relink_set_key(&c, longer, on);
		if (!CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), RELINK_OK, &err))
			break;
		took = now() - before;
		sum += took;
		worst = took > worst ? took : worst;
		commits++;
		sleep_for(2e-3);
	}
	printf("%u stops of %.1f ms, at most %.1f ms; %lu naps, %lu signals in them, at most %.2f ms left\n", commits,
	       1e3 * sum / commits, 1e3 * worst, naps, cut_short, 1e-6 * (double)longest_rest);
	CHECKF(longest_rest < NAP + NAP / 5, "a nap has grown to %.2f ms", 1e-6 * (double)longest_rest);
}

static void round_of(unsigned threads, unsigned processes)
{
	naps = cut_short = 0;
	burn(processes);
	while (threads--)
		start(run, NULL);
	commit_for(soak_seconds() / 2);
	finish();
	stop_burning();
}

int main(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	relink_stop_timeout(20000);
	nap_inside();
	round_of(6, 0);
	round_of(12, processors < (long)COUNT(burners) ? (unsigned)processors : (unsigned)COUNT(burners));
	return check_done();
}
