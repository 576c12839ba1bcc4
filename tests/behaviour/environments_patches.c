// test: TIMEOUT 120 VARIANTS "-O2" "-O2 -fPIC" LOCKS NOT thread undefined address generic
/* SPDX-License-Identifier: MIT */
/*
 * environments_patches.c - docs/environments.md for what has no data to fall back to: sequences, alternatives, numbers, lock prefixes.
 * Where code can't be written they are as they were linked, or as they were last; what asks for anything else fails and says why.
 *
 * Each case is a process of its own: this program, executed again with the case's name.
 */
#include "behaviour/environments/limits.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#ifdef __x86_64__

RELINK_SEQUENCE(twice, "a sequence");
RELINK_TEMPLATE_2(twice, near, out, in1, "lea 1(%\\in1), %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, beside, out, in1,
		  "mov %\\in1, %\\out; add $0x100000, %\\out; add $0x100000, %\\out; add $0x100000, %\\out", .rank = -1);
static uint64_t triple(uint64_t a) { return 3 * a; }
static uint64_t square(uint64_t a) { return a * a; } /* no variant */
RELINK_SEQUENCE_CALL(twice, triple, triple, .rank = -1);
RELINK_KEY_FALSE(arm, "an alternative");
RELINK_IMMEDIATE(uint8_t, narrow, 8, "a byte");
RELINK_IMMEDIATE(uint32_t, middle, 32, "four bytes");
RELINK_IMMEDIATE(int64_t, wide, -64, "eight bytes");

RELINK_DECLARE_CALL(int, varied, (void));
RELINK_FUNCTION(varied, (void), (), "a function", (RELINK_READS_NUMBER(middle, n)), RELINK_FOR(RELINK_IS_NUMBER(middle, 33)))
{
	return (int)n;
}

static struct relink_error err;

/* ---- what sites do ---- */

struct sight {
	uint64_t twice;
	int feature, arm, narrow, middle, varied;
	int64_t wide;
};

static __attribute__((noinline)) void look(struct sight *s)
{
	memset(s, 0, sizeof(*s));
	relink_wrap(twice, "lea (%[in1],%[in1]), %[out]", RELINK_OREG(s->twice), RELINK_IREG1(7), RELINK_CLOBBERS("cc"));
	RELINK_ALTERNATIVE("movl $1, %[n]", "movl $2, %[n]; nop; nop; nop; nop", RELINK_WHEN_LACKS(never), RELINK_OUT([n] "=r"(s->feature)),
			   RELINK_IN(), RELINK_CLOBBERS("cc"));
	RELINK_ALTERNATIVE("movl $1, %[n]", "movl $2, %[n]; nop", RELINK_WHEN_ON(arm), RELINK_OUT([n] "=r"(s->arm)), RELINK_IN(),
			   RELINK_CLOBBERS("cc"));
	s->narrow = relink_immediate(narrow);
	s->middle = (int)relink_immediate(middle);
	s->wide = relink_immediate(wide);
	s->varied = varied();
}

static const struct sight as_linked = { 14, 1, 1, 8, 32, 32, -64 };
static const struct sight at_start = { 14, 2, 1, 8, 32, 32, -64 };

static void check_sight(const struct sight *want, const char *when)
{
	struct sight got;

	look(&got);
	CHECKF(!memcmp(&got, want, sizeof(got)), "%s: twice %llu feature %d arm %d numbers %d %d %lld varied %d", when,
	       (unsigned long long)got.twice, got.feature, got.arm, got.narrow, got.middle, (long long)got.wide, got.varied);
	CHECKF(relink_key_enabled(arm) == (want->arm == 2) && relink_immediate_value(narrow) == want->narrow &&
	       (int)relink_immediate_value(middle) == want->middle && relink_immediate_value(wide) == want->wide, "%s: values", when);
}

/* ---- one change after the other ---- */

static int by_name(const char *name, const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	return relink_commit(&c, RELINK_STARTUP, &err);
}

static int set_near(struct sight *s) { s->twice = 8; return by_name("twice", "near"); }
static int set_beside(struct sight *s) { s->twice = 0x300007; return by_name("twice", "beside"); }
static int set_triple(struct sight *s) { s->twice = 21; return by_name("twice", "triple"); }
static int set_square(struct sight *s) { s->twice = 49; return relink_sequence_set(twice, square, &err); }
static int set_native(struct sight *s) { s->twice = 14; return relink_sequence_set(twice, NULL, &err); }
static int set_arm(struct sight *s) { s->arm = 2; return relink_key_enable(arm, &err); }
static int clear_arm(struct sight *s) { s->arm = 1; return relink_key_disable(arm, &err); }
static int set_narrow(struct sight *s) { s->narrow = 255; return relink_immediate_set(narrow, 255, &err); }
static int clear_narrow(struct sight *s) { s->narrow = 8; return relink_immediate_set(narrow, 8, &err); }
static int set_middle(struct sight *s) { s->middle = s->varied = 33; return relink_immediate_set(middle, 33, &err); }
static int clear_middle(struct sight *s) { s->middle = s->varied = 32; return relink_immediate_set(middle, 32, &err); }
static int set_wide(struct sight *s) { s->wide = INT64_MIN; return relink_immediate_set(wide, INT64_MIN, &err); }
static int clear_wide(struct sight *s) { s->wide = -64; return relink_immediate_set(wide, -64, &err); }

static const struct change {
	const char *name;
	int (*make)(struct sight *s);
} changes[] = {
	{ "near", set_near }, { "beside", set_beside }, { "triple", set_triple }, { "square", set_square }, { "native", set_native },
	{ "arm on", set_arm }, { "arm off", clear_arm }, { "narrow", set_narrow }, { "narrow back", clear_narrow }, { "middle", set_middle },
	{ "middle back", clear_middle }, { "wide", set_wide }, { "wide back", clear_wide },
};

enum outcome { NO_CASE, WORKS, INDIRECT, REFUSED };

/* Those that ask for what is there already succeed everywhere. */
static void change_everything(enum outcome outcome, const struct sight *from, const char *word)
{
	struct sight now = *from;

	check_sight(&now, "at first");
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct sight wanted = now;
		int got;

		memset(&err, 0, sizeof(err));
		got = changes[i].make(&wanted);
		if (outcome == WORKS || !memcmp(&wanted, &now, sizeof(now))) {
			CHECKF(got == RELINK_OK, "%s: %s", changes[i].name, relink_error_text(&err));
			now = wanted;
		} else {
			CHECKF(got == RELINK_E_WRITE && strstr(err.text, word), "%s: got %s, %s, not %s", changes[i].name, relink_code_name(got),
			       err.text, word);
		}
		check_sight(&now, changes[i].name);
	}
}

static void check_mode(const char *start, const char *word)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == RELINK_OK);
	CHECKF(!strncmp(status.mode, start, strlen(start)) && strstr(status.mode, word), "mode \"%s\", not \"%s...%s\"", status.mode, start, word);
}

/* ---- lock prefixes ---- */

static long counter;

static void *count(void *unused)
{
	for (int i = 0; i < 100000; i++)
		relink_atomic_inc(&counter);
	return unused;
}

#define STACK 131072

/* A stack of our own, or libc would ask for mprotect. */
static int create(pthread_t *thread)
{
	void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	int r;

	pthread_attr_init(&attributes);
	r = stack == MAP_FAILED ? ENOMEM : pthread_attr_setstack(&attributes, stack, STACK);
	r = r ? r : pthread_create(thread, &attributes, count, NULL);
	pthread_attr_destroy(&attributes);
	return r;
}

/* Two threads, or none at all where the prefixes can't come back. */
static void check_locks(bool possible)
{
	pthread_t threads[2];
	int created = 0;

	counter = 0;
	count(NULL);
	CHECK(counter == 100000);
	for (int i = 0; i < 2; i++) {
		int r = create(&threads[created]);

		CHECKF(r == (possible ? 0 : EAGAIN), "pthread_create: %d", r);
		created += r == 0;
	}
	for (int i = 0; i < created; i++)
		pthread_join(threads[i], NULL);
	CHECKF(counter == 100000 * (1 + created), "%ld with %d threads", counter, created);
}

static void check_prefix(const char *start)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == RELINK_OK);
	CHECKF(!strncmp(status.locks, start, strlen(start)), "locks %s", status.locks);
}

/* ---- cases ---- */

struct environment {
	const char *name;
	const char *(*apply)(const struct environment *e);
	unsigned call, answer;
	enum outcome start, running;
	const char *word;
};
static const struct environment *here;
static bool between;

static const char *nothing(const struct environment *e) { return e->name ? NULL : ""; }
static const char *filter(const struct environment *e) { return limit_call(e->call, e->answer); }
static const char *filter_open(const struct environment *e) { return limit_open_to_write(e->answer); }
static const char *no_root(const struct environment *e) { (void)e; return limit_root(); }
static const char *no_user(const struct environment *e) { (void)e; return limit_user(); }

#define REFUSED_CALL(name, error) "seccomp " #name " " #error, filter, SYS_##name, REFUSE(error)
static const struct environment environments[] = {
	{ "ordinary", nothing, 0, 0, WORKS, WORKS, "" },
	{ REFUSED_CALL(mprotect, EPERM), WORKS, WORKS, "" },
	{ REFUSED_CALL(membarrier, ENOSYS), WORKS, WORKS, "" },
	{ REFUSED_CALL(pwrite64, EIO), INDIRECT, REFUSED, "refuses" },
	{ "seccomp pwrite64 SIGSYS", filter, SYS_pwrite64, TRAP, INDIRECT, REFUSED, "refuses" },
	{ REFUSED_CALL(lseek, EPERM), INDIRECT, REFUSED, "/proc/self/mem" },
	{ "seccomp openat O_RDWR EACCES", filter_open, 0, REFUSE(EACCES), INDIRECT, WORKS, "permission denied" },
	{ "chroot without /proc", no_root, 0, 0, INDIRECT, WORKS, "no /proc" },
	{ "setuid", no_user, 0, 0, INDIRECT, WORKS, "permission denied" },
};

static void apply(void)
{
	const char *why = here->apply(here);

	if (!why)
		return;
	printf("skipped: %s: %s\n", here->name, why);
	fflush(stdout);
	_exit(77);
}

static void run_case(void)
{
	struct sight kept = at_start;

	if (!between) {
		check_prefix(here->start == INDIRECT ? "on: " : "off: ");
		change_everything(here->start, here->start == INDIRECT ? &as_linked : &at_start, here->word);
		check_mode(here->start == INDIRECT ? "indirect: " : "direct", here->word);
		check_locks(true);
		return;
	}
	change_everything(WORKS, &at_start, "");
	CHECK_CODE(set_beside(&kept), RELINK_OK, &err);
	CHECK_CODE(set_arm(&kept), RELINK_OK, &err);
	CHECK_CODE(set_middle(&kept), RELINK_OK, &err);
	CHECK_CODE(set_wide(&kept), RELINK_OK, &err);
	apply();
	change_everything(here->running, &kept, here->word);
	check_mode(here->running == REFUSED ? "direct until now: " : "direct", here->word[0] && here->running == REFUSED ? here->word : "");
	check_locks(here->running != REFUSED);
}

/* Before all constructors, this library's included. */
static void find_case(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "--case"))
		return;
	here = &environments[atoi(argv[2])];
	between = atoi(argv[3]) != 0;
	if (!between)
		apply();
}

typedef void first_function(int argc, char **argv);
static first_function *const first __attribute__((section(".preinit_array"), used)) = find_case;

static unsigned passed, failed, skipped;

static void run(size_t which, int moment)
{
	char number[16];
	char *argv[] = { (char *)(uintptr_t)"environments_patches", (char *)(uintptr_t)"--case", number,
			 (char *)(uintptr_t)(moment ? "1" : "0"), NULL };
	int status = -1;
	pid_t child;

	snprintf(number, sizeof(number), "%zu", which);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	passed += status == 0;
	skipped += WIFEXITED(status) && WEXITSTATUS(status) == 77;
	if (status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 77))
		return;
	failed++;
	printf("FAILED %s, %s: status %#x\n", environments[which].name, moment ? "between" : "start", (unsigned)status);
}

int main(void)
{
	if (here) {
		run_case();
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	for (size_t i = 0; i < COUNT(environments); i++)
		for (int moment = 0; moment < 2; moment++)
			run(i, moment);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : passed ? 0 : 77;
}

#else

int main(void)
{
	printf("skipped: no code is written on this architecture\n0 passed, 0 failed, 1 skipped\n");
	return 77;
}

#endif
