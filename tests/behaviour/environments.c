// test: TIMEOUT 300 VARIANTS "-O2" "-O2 -DTRAPS" NOT thread undefined generic
/* SPDX-License-Identifier: MIT */
/*
 * environments.c - the table of docs/environments.md: a program under limits that it was started with, that came before its
 * first commit, between commits, together with the loss of all descriptors, and before a fork.
 *
 * Each case is a process of its own: this program, executed again with the case's name.
 */
#include "behaviour/environments/limits.h"
#include "behaviour/environments/subject.h"

#include <sys/wait.h>

#ifdef __x86_64__

/* ---- the table ---- */

enum outcome {
	NO_CASE,
	WORKS,
	INDIRECT,   /* never writable: calls through data, keys refused */
	REFUSED,    /* writable no more: everything refused */
	NO_BARRIER, /* changes while there is one thread */
};

enum moment {
	EXEC,    /* before the program was executed */
	START,   /* before its first constructor */
	EARLY,   /* in main, before any commit */
	BETWEEN, /* between two commits */
	CLOSED,  /* the same, and all descriptors are closed */
	CHILD,   /* between two commits, then it forks */
	MOMENTS
};
static const char *const moment_names[] = { "exec", "start", "early", "between", "closed", "child" };

struct environment {
	const char *name;
	const char *(*apply)(const struct environment *environment);
	unsigned call, answer;
	enum outcome exec, start, running, closed, child;
	const char *word;  /* in the reason */
	bool countless;    /* whether there is one thread can't be known while it runs */
};

static const char *nothing(const struct environment *e)
{
	return e->name ? NULL : "";
}

static const char *filter(const struct environment *e)
{
	return limit_call(e->call, e->answer);
}

/* Of the two ways to learn that nobody else runs, both. */
static const char *filter_company(const struct environment *e)
{
	const char *why = limit_call(SYS_newfstatat, e->answer);

	return why ? why : limit_call(SYS_unshare, e->answer);
}

static const char *filter_open(const struct environment *e)
{
	return limit_open_to_write(e->answer);
}

static const char *no_root(const struct environment *e)
{
	(void)e;
	return limit_root();
}

static const char *no_user(const struct environment *e)
{
	(void)e;
	return limit_user();
}

static const char *no_files(const struct environment *e)
{
	(void)e;
	return limit_files();
}

static const char *no_gain(const struct environment *e)
{
	(void)e;
	return limit_protection();
}

#define FILTER(name, error) "seccomp " #name " " #error, filter, SYS_##name, REFUSE(error)
#define TRAPPED(name) "seccomp " #name " SIGSYS", filter, SYS_##name, TRAP
#define PLAIN(name, apply) name, apply, 0, 0
#ifdef STATIC_PROGRAM
#define IF_STATIC(outcome) outcome
#else
#define IF_STATIC(outcome) NO_CASE /* the loader needs it */
#endif
#if defined(__clang__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define IF_BARE(outcome) NO_CASE /* the sanitizer needs it */
#else
#define IF_BARE(outcome) outcome
#endif
#define EVERYWHERE(outcome) outcome, outcome, outcome, outcome, outcome

static const struct environment environments[] = {
	{ PLAIN("ordinary", nothing), EVERYWHERE(WORKS), NULL, false },

	{ FILTER(mprotect, EPERM), NO_CASE, WORKS, WORKS, WORKS, WORKS, NULL, false },
	{ TRAPPED(mprotect), NO_CASE, WORKS, WORKS, WORKS, WORKS, NULL, false },
	{ PLAIN("PR_SET_MDWE", no_gain), EVERYWHERE(WORKS), NULL, false },

	{ FILTER(membarrier, EPERM), EVERYWHERE(NO_BARRIER), "membarrier", false },
	{ FILTER(membarrier, ENOSYS), EVERYWHERE(NO_BARRIER), "membarrier", false },
	{ TRAPPED(membarrier), EVERYWHERE(NO_BARRIER), "membarrier", false },

	{ FILTER(openat, EACCES), IF_STATIC(INDIRECT), INDIRECT, WORKS, REFUSED, REFUSED, "permission denied", false },
	{ TRAPPED(openat), IF_STATIC(INDIRECT), INDIRECT, WORKS, REFUSED, REFUSED, "seccomp", false },
	{ "seccomp openat O_RDWR EACCES", filter_open, 0, REFUSE(EACCES), INDIRECT, INDIRECT, WORKS, REFUSED, REFUSED,
	  "permission denied", false },
	{ "seccomp openat O_RDWR SIGSYS", filter_open, 0, TRAP, INDIRECT, INDIRECT, WORKS, REFUSED, REFUSED, "seccomp", false },

	/* EIO is what a kernel says that has writing through /proc/self/mem forbidden at boot. */
	{ FILTER(pwrite64, EIO), INDIRECT, INDIRECT, REFUSED, REFUSED, REFUSED, "refuses", false },
	{ FILTER(pwrite64, EPERM), INDIRECT, INDIRECT, REFUSED, REFUSED, REFUSED, "refuses", false },
	{ TRAPPED(pwrite64), INDIRECT, INDIRECT, REFUSED, REFUSED, REFUSED, "refuses", false },

	{ FILTER(lseek, EPERM), INDIRECT, INDIRECT, REFUSED, REFUSED, REFUSED, "/proc/self/mem", false },
	{ TRAPPED(lseek), INDIRECT, INDIRECT, REFUSED, REFUSED, REFUSED, "seccomp", false },
	{ FILTER(madvise, EPERM), IF_BARE(INDIRECT), INDIRECT, WORKS, WORKS, WORKS, "MADV_WIPEONFORK", false },
	{ TRAPPED(madvise), IF_BARE(INDIRECT), INDIRECT, WORKS, WORKS, WORKS, "MADV_WIPEONFORK", false },
	{ FILTER(rt_sigaction, EPERM), IF_BARE(WORKS), WORKS, WORKS, WORKS, WORKS, NULL, false },
	{ FILTER(newfstatat, EACCES), IF_STATIC(WORKS), WORKS, WORKS, WORKS, WORKS, NULL, false },
	{ TRAPPED(newfstatat), IF_STATIC(WORKS), WORKS, WORKS, WORKS, WORKS, NULL, false },
	{ FILTER(unshare, EPERM), EVERYWHERE(WORKS), NULL, false },
	{ TRAPPED(unshare), EVERYWHERE(WORKS), NULL, false },
	{ "seccomp newfstatat, unshare EACCES", filter_company, 0, REFUSE(EACCES), IF_STATIC(WORKS), WORKS, WORKS, WORKS, WORKS, NULL,
	  true },
	{ "seccomp newfstatat, unshare SIGSYS", filter_company, 0, TRAP, IF_STATIC(WORKS), WORKS, WORKS, WORKS, WORKS, NULL, true },

	{ PLAIN("chroot without /proc", no_root), NO_CASE, INDIRECT, WORKS, REFUSED, REFUSED, "no /proc", false },
	{ PLAIN("setuid", no_user), WORKS, INDIRECT, WORKS, REFUSED, REFUSED, "permission denied", false },
	/* Who closes descriptors or forks has one again. */
	{ PLAIN("RLIMIT_NOFILE used up", no_files), IF_STATIC(INDIRECT), INDIRECT, WORKS, REFUSED, WORKS, "too many open files", false },
};

/* Started by environments.sh. Emulators may have threads of their own. */
static struct environment emulated = { PLAIN("an emulator", nothing), EVERYWHERE(INDIRECT), "emulator", false };

/* With traps more sites change, and in more steps. */
static bool is_tried(const struct environment *e)
{
#ifdef TRAPS
	return e->call == SYS_membarrier || e->call == SYS_pwrite64 || (!e->word && e->call != SYS_rt_sigaction);
#else
	return e->name;
#endif
}

static enum outcome outcome_at(const struct environment *e, enum moment moment)
{
	const enum outcome outcomes[MOMENTS] = { e->exec, e->start, e->running, e->running, e->closed, e->child };

	return outcomes[moment];
}

/* ---- one change after the other ---- */

/* Where the process is now. */
static const struct environment *here;
static enum outcome outcome;
static bool limited;

enum kind { CALL, FLIP, FINAL, START_UP };

struct change {
	const char *name;
	int (*commit)(struct state *s, struct relink_error *err);
	enum kind kind;
};

#define CHANGE(name) static int name(struct state *s, struct relink_error *err)

CHANGE(set_plain)
{
	s->plain = 1;
	return relink_call_set(plain, plain_1, err);
}

CHANGE(set_plain_custom)
{
	s->plain = 2;
	return relink_call_set(plain, plain_other, err);
}

CHANGE(clear_plain)
{
	s->plain = 0;
	return relink_call_clear(plain, err);
}

CHANGE(set_plain_alone)
{
	struct relink_commit c = RELINK_COMMIT;

	s->plain = 1;
	relink_set_call(&c, plain, plain_1);
	return relink_commit(&c, RELINK_STARTUP, err);
}

CHANGE(set_decided)
{
	s->decided = 1;
	return relink_call_set(decided, decided_1, err);
}

CHANGE(clear_decided)
{
	s->decided = 0;
	return relink_call_clear(decided, err);
}

CHANGE(set_note)
{
	s->note = 1;
	return relink_call_set(note, note_1, err);
}

CHANGE(set_note_null)
{
	s->note = 0;
	return relink_call_set(note, NULL, err);
}

static int set_number(const char *name, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, "number", name);
	return relink_commit(&c, RELINK_LIVE, err);
}

CHANGE(set_number_small)
{
	s->number = 1;
	return set_number("small", err);
}

CHANGE(set_number_huge)
{
	s->number = 2;
	return set_number("huge", err);
}

CHANGE(clear_number)
{
	s->number = 0;
	return set_number(NULL, err);
}

CHANGE(enable_off)
{
	s->off = 1;
	return relink_key_enable(off, err);
}

CHANGE(clear_off)
{
	s->off = 0;
	return relink_key_clear(off, err);
}

CHANGE(disable_on)
{
	s->on = 0;
	return relink_key_disable(on, err);
}

CHANGE(clear_on)
{
	s->on = 1;
	return relink_key_clear(on, err);
}

CHANGE(count_off)
{
	int r = relink_key_inc(off, err);

	s->off = 1;
	CHECK(off.key.count == (r == RELINK_OK));
	return r;
}

CHANGE(discount_off)
{
	s->off = 0;
	return relink_key_dec(off, err);
}

CHANGE(set_way)
{
	s->way = RELINK_STATE(way, straight);
	return relink_option_set(way, straight, err);
}

CHANGE(clear_way)
{
	s->way = 0;
	return relink_option_clear(way, err);
}

CHANGE(set_several)
{
	struct relink_commit c = RELINK_COMMIT;

	*s = (struct state){ .plain = 1, .decided = s->decided, .note = 1, .off = 1, .on = 0, .way = 1 };
	relink_set_call(&c, plain, plain_1);
	relink_set_call(&c, note, note_1);
	relink_set_key(&c, off, true);
	relink_set_key(&c, on, false);
	relink_set_option(&c, way, right);
	return relink_commit(&c, RELINK_LIVE, err);
}

CHANGE(clear_several)
{
	struct relink_commit c = RELINK_COMMIT;

	*s = (struct state){ .decided = s->decided, .on = 1 };
	relink_unset(&c, "plain");
	relink_unset(&c, "note");
	relink_unset(&c, "off");
	relink_unset(&c, "on");
	relink_unset(&c, "way");
	return relink_commit(&c, RELINK_LIVE, err);
}

/* The second of two lines is tried only where the first has changed something. */
static const struct change changes[][2] = {
	{ { "a variant", set_plain, CALL }, { "a call's default", clear_plain, CALL } },
	{ { "a function", set_plain_custom, CALL }, { "no function", clear_plain, CALL } },
	{ { "a call, at start-up", set_plain_alone, START_UP }, { "a call's default", clear_plain, CALL } },
	{ { "a final call", set_decided, FINAL }, { "a final call's default", clear_decided, FINAL } },
	{ { "something", set_note, CALL }, { "NULL", set_note_null, CALL } },
	{ { "a constant", set_number_small, CALL }, { "a function that was a constant", clear_number, CALL } },
	{ { "a large constant", set_number_huge, CALL }, { "a function again", clear_number, CALL } },
	{ { "a key on", enable_off, FLIP }, { "a key's default", clear_off, FLIP } },
	{ { "a key off", disable_on, FLIP }, { "a key's default", clear_on, FLIP } },
	{ { "a key counted", count_off, FLIP }, { "a key discounted", discount_off, FLIP } },
	{ { "an option", set_way, FLIP }, { "an option's default", clear_way, FLIP } },
	{ { "a transaction", set_several, FLIP }, { "a transaction back", clear_several, FLIP } },
};

static bool known_to_be_alone(void)
{
	return !running && !(limited && here->countless);
}

static int expected(enum kind kind)
{
	if (kind == START_UP && !known_to_be_alone())
		return RELINK_E_THREADS;
	if (kind == FINAL && !known_to_be_alone())
		return RELINK_E_FINAL;
	switch (outcome) {
	case INDIRECT:
		return kind == FLIP ? RELINK_E_WRITE : RELINK_OK;
	case REFUSED:
		return RELINK_E_WRITE;
	case NO_BARRIER:
		return known_to_be_alone() ? RELINK_OK : RELINK_E_BARRIER;
	default:
		return RELINK_OK;
	}
}

static bool is_about_code(int code)
{
	return code == RELINK_E_WRITE || code == RELINK_E_BARRIER;
}

/* Everything that ends well, or badly, as it should. */
static bool try(const struct change *change)
{
	struct relink_error err = { .text = "" };
	struct state before = told(), wanted = before;
	int got = change->commit(&wanted, &err), want = expected(change->kind);

	CHECKF(got == want, "%s: got %s (%s), want %s", change->name, relink_code_name(got), err.text, relink_code_name(want));
	if (got == want && is_about_code(got))
		CHECK_HAS(err.text, here->word);
	check_state(got == RELINK_OK ? &wanted : &before, change->name);
	return got == RELINK_OK;
}

static void check_mode(const char *start, bool because)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == RELINK_OK);
	CHECKF(strncmp(status.mode, start, strlen(start)) == 0, "mode \"%s\", want \"%s...\"", status.mode, start);
	CHECKF(because || !strcmp(status.mode, start), "mode \"%s\", want \"%s\"", status.mode, start);
	if (because)
		CHECK_HAS(status.mode, here->word);
	CHECKF(status.pending == 0 && !strstr(status.mode, "degraded"), "%u pending, mode %s", status.pending, status.mode);
}

static void check_sites(void)
{
	struct relink_status status = { .size = sizeof(status) };
	bool any;

	CHECK(relink_get_status(&status) == RELINK_OK);
	any = status.sites[RELINK_SITE_TRAMPOLINE][RELINK_BOUND] + status.sites[RELINK_SITE_CALL][RELINK_BOUND] != 0;
	CHECKF(any == (outcome != INDIRECT), "calls are %sbound", any ? "" : "not ");
}

/* A command line that can't be obeyed is left as it was. */
static void refuse_arguments(void)
{
	char name[] = "program", option[] = "--relink", list[] = "plain=plain_1,off=on";
	char *argv[] = { name, option, list, NULL };
	struct relink_error err;
	int argc = 3;

	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_E_WRITE, &err);
	CHECK_HAS(err.text, here->word);
	CHECK(argc == 3 && argv[1] == option && argv[2] == list);
	check_state(&as_linked, "after a command line that was refused");
}

static void change_everything(enum outcome now, bool at_start)
{
	outcome = now;
	check_state(&as_linked, "at first");
	for (size_t i = 0; i < COUNT(changes); i++)
		if (try(&changes[i][0]))
			try(&changes[i][1]);
	check_state(&as_linked, "at last");
	check_sites();
	if (now == INDIRECT)
		refuse_arguments();
	if (now == INDIRECT)
		check_mode("indirect: ", true);
	else if (now == NO_BARRIER && at_start)
		check_mode("direct at start-up only: ", true);
	else if (now == REFUSED || (now == NO_BARRIER && !known_to_be_alone()))
		check_mode("direct until now: ", true);
	else
		check_mode("direct", false);
}

/* Also a state that is not the one of the link is kept. */
static void keep_states(void)
{
	struct relink_error err;
	struct state kept = as_linked;

	outcome = WORKS;
	CHECK_CODE(set_several(&kept, &err), RELINK_OK, &err);
	check_state(&kept, "before the limit");
}

/* False: they could be changed back. */
static bool keeps(enum outcome now)
{
	static const struct change back = { "back to the defaults", clear_several, FLIP };

	outcome = now;
	if (try(&back))
		return false;
	try(&back);
	check_mode("direct until now: ", true);
	return true;
}

/* ---- one case ---- */

#define SKIPPED 77

static void apply(void)
{
	const char *why = here->apply(here);

	limited = true;
	if (!why)
		return;
	printf("skipped: %s: %s\n", here->name, why);
	fflush(stdout);
	_exit(SKIPPED);
}

static void in_child(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		running = 0;
		change_everything(here->child, false);
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECKF(status == 0, "the child of a fork ended with status %#x", (unsigned)status);
}

/* True: a state is kept that is not the one of the link. */
static bool limit_between_commits(enum moment moment)
{
	bool kept = false;

	change_everything(WORKS, false);
	if (moment == BETWEEN)
		keep_states();
	if (moment == CLOSED)
		close_descriptors();
	apply();
	if (moment == BETWEEN)
		kept = keeps(here->running);
	if (moment == CHILD)
		in_child();
	return kept;
}

static void declare(enum outcome now)
{
#ifdef TRAPS
	struct relink_error err;

	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), now == INDIRECT ? RELINK_E_WRITE : RELINK_OK, &err);
#else
	(void)now;
#endif
}

static void run_case(enum moment moment, bool threads)
{
	enum outcome now = moment == CHILD ? here->running : outcome_at(here, moment);
	bool at_start = moment == EXEC || moment == START, kept = false;

	declare(at_start ? now : WORKS);
	if (threads && !CHECK(start_workers()))
		return;
	if (moment == EARLY)
		apply();
	if (moment >= BETWEEN)
		kept = limit_between_commits(moment);
	if (!kept)
		change_everything(now, at_start);
	end_workers();
	if (now == NO_BARRIER && (!kept || !keeps(now)))
		change_everything(now, at_start);
}

/* The case's name: number, moment, threads. Before all constructors, this library's included. */
static enum moment this_moment;
static bool these_threads;

static void find_case(int argc, char **argv)
{
	this_moment = START;
	if (argc == 2 && !strcmp(argv[1], "--emulated")) {
		here = &emulated;
		limited = true;
	}
	if (argc != 5 || strcmp(argv[1], "--case"))
		return;
	here = &environments[atoi(argv[2])];
	this_moment = (enum moment)atoi(argv[3]);
	these_threads = atoi(argv[4]) != 0;
	limited = this_moment == EXEC;
	if (this_moment == START)
		apply();
}

typedef void first_function(int argc, char **argv);
static first_function *const first __attribute__((section(".preinit_array"), used)) = find_case;

/* ---- all cases ---- */

static unsigned passed, failed, skipped;

static void execute(const struct environment *e, enum moment moment, bool threads)
{
	char number[16], when[16];
	char *argv[] = { (char *)(uintptr_t)"/proc/self/exe", (char *)(uintptr_t)"--case", number, when,
			 (char *)(uintptr_t)(threads ? "1" : "0"), NULL };
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length <= 0)
		_exit(127);
	snprintf(number, sizeof(number), "%d", (int)(e - environments));
	snprintf(when, sizeof(when), "%d", (int)moment);
	here = e;
	if (moment == EXEC)
		apply();
	execv(path, argv);
	if (errno == EACCES && moment == EXEC) {
		printf("skipped: %s: this program can't be executed any more from where it is\n", e->name);
		fflush(stdout);
		_exit(SKIPPED);
	}
	_exit(127);
}

static void run(const struct environment *e, enum moment moment, bool threads)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		execute(e, moment, threads);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0) {
		passed++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
		skipped++;
	} else {
		failed++;
		printf("FAILED %s, %s, %s: status %#x\n", e->name, moment_names[moment], threads ? "threads" : "one thread",
		       (unsigned)status);
	}
}

/* An argument picks the environments whose name it is part of. */
int main(int argc, char **argv)
{
	if (here) {
		struct relink_facts facts = { .size = sizeof(facts) };

		emulated.countless = relink_get_facts(&facts) == RELINK_OK && facts.threads != 1;
		run_case(this_moment, these_threads);
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	for (size_t i = 0; i < COUNT(environments); i++)
		for (int moment = 0; moment < MOMENTS; moment++)
			for (int threads = 0; threads < 2; threads++)
				if (is_tried(&environments[i]) && outcome_at(&environments[i], (enum moment)moment) &&
				    (argc < 2 || strstr(environments[i].name, argv[1])))
					run(&environments[i], (enum moment)moment, threads);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	if (failed)
		return 1;
	return passed ? 0 : SKIPPED;
}

#else

int main(void)
{
	printf("skipped: no code is written on this architecture\n0 passed, 0 failed, 1 skipped\n");
	return 77;
}

#endif
