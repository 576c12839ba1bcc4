/* SPDX-License-Identifier: MIT */
/* test: INTERNAL LINK -Wl,--emit-relocs -Wl,-z,now TIMEOUT 90 NOT address thread */
/*
 * copy_on_write.c - memory runs out while a commit writes. The first write to a page copies it, and so does the first one after
 * a fork, in the parent as in the child; here it fails from the n-th page on, for each n. A commit of several phases finds out
 * before the first byte has changed. And also where it can't know that pages are shared again, since a fork had no atfork
 * handlers, everything is restored: what is rolled back was written before, and no other page is touched.
 */
#undef RELINK_INTERNAL /* only the hooks; the program is like any other */
#include "stress_subjects.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runtime/runtime.h"

void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

#if RELINK_PATCHES_

#define PAGE 4096u

/* ---- a key with so many branches that one write of neighbours goes over several pages ---- */

RELINK_KEY_FALSE(dense, "on four pages");

#define BRANCH(n) \
	if (relink_unlikely(dense)) \
		taken++; \
	__asm__ volatile("jmp 9f\n\t.skip 200\n9:" : "+r"(taken));

static __attribute__((noinline)) unsigned dense_site(unsigned x)
{
	unsigned taken = 0;

	(void)x;
	EACH_64(BRANCH)
	return taken == 64 ? 1 : taken ? BROKEN : 0;
}

static int to_dense(unsigned state, struct relink_error *err) { return relink_key_set(dense, state, err); }
static site *const dense_sites[] = { dense_site };
static struct subject dense_subject = { "dense", dense_sites, 1, 2, to_dense, false, { 0 }, 0, 0, 0 };

/* ---- memory ---- */

static uintptr_t own[4096]; /* pages that were copied since the last fork */
static unsigned own_count, spare; /* that may still be copied */
static unsigned failures; /* since the commit began */
static bool changed, changed_before; /* a byte, before the first failure */

static bool is_own(uintptr_t page)
{
	for (unsigned i = 0; i < own_count; i++)
		if (own[i] == page)
			return true;
	return false;
}

static bool copied(uintptr_t page)
{
	if (is_own(page))
		return true;
	if (!spare || own_count == COUNT(own))
		return false;
	spare--;
	own[own_count++] = page;
	return true;
}

/* Page by page, as the kernel does: what comes before the failure is written. */
static int short_of_memory(uintptr_t address, const void *bytes_, size_t length)
{
	const char *bytes = bytes_;

	for (size_t part; length; address += part, bytes += part, length -= part) {
		part = PAGE - address % PAGE < length ? PAGE - address % PAGE : length;
		if (!copied(address / PAGE)) {
			changed_before = failures++ ? changed_before : changed;
			return -ENOMEM;
		}
		changed |= memcmp((const void *)address, bytes, part) != 0;
		if (rl_text_write(address, bytes, part))
			return -EIO;
	}
	return 0;
}

static void all_shared(void)
{
	own_count = 0;
}

/* ---- ways to share them ---- */

static void no_fork(void)
{
	all_shared();
}

static void end(pid_t child)
{
	CHECK(child > 0 && waitpid(child, NULL, 0) == child);
}

static void by_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	end(child);
	all_shared();
}

/* Without a handler that could tell. */
static pid_t raw_fork(void)
{
	return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}

static void by_raw_fork(void)
{
	pid_t child = raw_fork();

	if (!child)
		_exit(0);
	end(child);
	all_shared();
}

/* ---- commits ---- */

static bool may_degrade(void)
{
	struct relink_status status = { .size = sizeof(status) };

	return relink_get_status(&status) || strstr(status.mode, "degraded");
}

/* With memory for so many pages. Has the commit succeeded? */
static bool commit_with(struct subject *s, unsigned pages, bool found_out)
{
	unsigned from = (unsigned)(s->timeline.now / 2 % s->states), to = (from + 1) % s->states;
	struct relink_error err;
	int result;

	spare = pages;
	changed = changed_before = false;
	failures = 0;
	timeline_step(&s->timeline);
	rl_test_write(short_of_memory);
	result = s->to(to, &err);
	rl_test_write(NULL);
	if (result == RELINK_OK) {
		timeline_step(&s->timeline);
		check_settled(s);
		return true;
	}
	timeline_fail(&s->timeline, s->states);
	CHECK_CODE(result, RELINK_E_WRITE, &err);
	CHECK_HAS(relink_error_text(&err), "out of memory");
	CHECKF(!found_out || !changed_before, "%s to %u: code had changed when memory for page %u was missing", s->name, to, pages);
	CHECKF(failures == 1, "%s to %u: %u writes failed with memory for %u pages", s->name, to, failures, pages);
	CHECKF(!may_degrade(), "%s to %u: degraded with memory for %u pages", s->name, to, pages);
	check_settled(s);
	return false;
}

/* How many pages it takes. */
static unsigned change(struct subject *s, void (*share)(void), bool found_out)
{
	unsigned pages = 0;

	share();
	while (pages < COUNT(own) && !commit_with(s, pages, found_out)) {
		pages++;
		share();
	}
	return pages;
}

/* Does the next change take guards, or operands first? Only then is there something to prepare. */
static bool phased;

static void find_phases(int step)
{
	static uint64_t barriers;

	if (step == RL_STEP_PREPARED)
		barriers = rl_runtime.core.barriers;
	if (step == RL_STEP_OPERAND_BARRIER)
		phased = rl_runtime.core.barriers > barriers;
}

void rl_test_step(void (*step)(int step));

/* From each state to the next, around. */
static void change_all(struct subject *s, void (*share)(void), bool known)
{
	unsigned most = 0, phases = 0;

	for (unsigned i = 0; i < s->states; i++) {
		unsigned pages;

		rl_test_step(find_phases);
		advance(s);
		rl_test_step(NULL);
		for (unsigned k = 1; k < s->states; k++) /* back to where it was */
			advance(s);
		pages = change(s, share, known && phased);
		most = pages > most ? pages : most;
		phases += phased;
	}
	CHECKF(most > 1, "%s: changes write %u pages", s->name, most);
	CHECKF(phases || s == &dense_subject, "%s: no change takes phases", s->name);
}

static void change_subjects(void (*share)(void), bool known)
{
	for (unsigned i = 0; i < SUBJECTS; i++)
		if (!subjects[i].anybody)
			change_all(&subjects[i], share, known);
	change_all(&dense_subject, share, known);
}

/* The child has no page of its own, and knows. */
static void in_child(pid_t (*make)(void))
{
	struct subject *s = &subjects[LEFT];
	int status = -1;
	pid_t child;

	advance(s); /* its parent has had the pages for itself */
	advance(s);
	child = make();
	if (!child) {
		all_shared();
		commit_with(s, 1, true);
		_exit(check_failed_ != 0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECKF(status == 0, "a child ended with %#x", status);
}

static void *bystander(void *unused)
{
	while (running())
		sleep_for(1e-3);
	return unused;
}

int main(void)
{
	struct relink_error err;

	if (!check_allow_stores())
		check_skip("code can't be written by stores here, so that calls stay on their trampolines");
	for (unsigned i = 0; i < SUBJECTS; i++)
		for (unsigned k = 0; k < subjects[i].states && !subjects[i].anybody; k++)
			advance(&subjects[i]);
	change_subjects(by_fork, true);
	change_subjects(by_raw_fork, false);
	change_subjects(no_fork, false);
	in_child(fork);
	in_child(raw_fork);
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
	start(bystander, NULL);
	change_subjects(by_fork, true);
	change_subjects(by_raw_fork, false);
	in_child(fork);
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
	change_subjects(by_fork, true);
	change_subjects(by_raw_fork, false);
	finish();
	return check_done();
}

#else

int main(void)
{
	check_skip("this port rewrites no code");
}

#endif
