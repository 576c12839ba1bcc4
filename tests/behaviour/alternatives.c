/* test: VARIANTS "-O0" "-O2" "-O2 -fPIC" "-O2 -fcf-protection" NOT generic thread */
/* SPDX-License-Identifier: MIT */
/* alternatives.c - arms by feature and by key, in their documented order, of every length, with calls and addresses in them. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

RELINK_KEY_FALSE(first, "an arm");
RELINK_KEY_TRUE(second, "another");
RELINK_OPTION(mode, "three arms", none, one, two);

static struct relink_error err;

__attribute__((used)) int alt_number = 77;
__attribute__((used, noinline)) int alt_function(void) { return 55; }
RELINK_DECLARE_CALL(int, alt_call, (void));
static int say_9(void) { return 9; }
static int say_8(void) { return 8; }
RELINK_DEFINE_CALL(alt_call, say_9, "called in an arm");

/* Members of a table are static calls: arms reach what is bound through their trampolines. */
#define ALT_OPS(op) op(int, read, (void)) op(void, note, (void)) op(int, none, (void))
RELINK_DECLARE_OPS(alt, ALT_OPS);
static int notes;
static int read_1(void) { return 1; }
static int read_2(void) { return 2; }
static void note_one(void) { notes++; }
RELINK_OP_CONST(alt, read, always_7, 7);
static const struct alt_ops first_alt = { read_1, note_one, NULL }, second_alt = { read_2, RELINK_OP_NOP(alt, note), read_1 },
			    third_alt = { always_7, NULL, always_7 };
RELINK_DEFINE_OPS(alt, ALT_OPS, first_alt, "called in arms");
RELINK_BACKEND(alt, second_alt, .rank = -1);
RELINK_BACKEND(alt, third_alt, .rank = -1);

static int missed;

static void count_missed(const char *table, const char *member, const void *caller, void *ctx)
{
	CHECK(!strcmp(table, "alt") && caller && ctx == &missed);
	missed += !strcmp(member, "none") ? 1 : 100;
}

static __attribute__((noinline)) int by_member(void)
{
	int n;

	RELINK_ALTERNATIVE_2("call alt_read; movl %%eax, %[n]", "call alt_note; call alt_read; leal 10(%%rax), %[n]", RELINK_WHEN_ON(first),
			     "call alt_none; leal 100(%%rax), %[n]; call alt_note", RELINK_WHEN_OFF(second), RELINK_OUT([n] "=&b"(n)), RELINK_IN(),
			     RELINK_CLOBBERS("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"));
	return n;
}

static __attribute__((noinline)) int by_feature(void)
{
	int n;

	RELINK_ALTERNATIVE("movl $1, %[n]", "movl $2, %[n]", RELINK_WHEN_HAS(sse3), RELINK_OUT([n] "=r"(n)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	return n;
}

static __attribute__((noinline)) int by_missing(void)
{
	int n;

	RELINK_ALTERNATIVE_2("movl $1, %[n]", "movl $2, %[n]", RELINK_WHEN_LACKS(sse3), "movl $3, %[n]", RELINK_WHEN_LACKS(never),
			     RELINK_OUT([n] "=r"(n)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	return n;
}

static __attribute__((noinline)) int by_key(int x)
{
	int n;

	RELINK_ALTERNATIVE_2("leal 1(%[x]), %[n]", "movl %[x], %[n]; addl $2, %[n]; nop; nop; nop; nop", RELINK_WHEN_ON(first),
			     "leal 3(%[x]), %[n]", RELINK_WHEN_OFF(second), RELINK_OUT([n] "=&r"(n)), RELINK_IN([x] "r"(x)),
			     RELINK_CLOBBERS("cc"));
	return n;
}

/* A short first text, and arms that are longer than it: a call, an address, a loop. */
static __attribute__((noinline)) int by_state(int x)
{
	int n;

	RELINK_ALTERNATIVE_3("movl %[x], %[n]", "call alt_function; movl %%eax, %[n]", RELINK_WHEN_ON(mode.rest[0]),
			     "movl alt_number(%%rip), %[n]", RELINK_WHEN_ON(mode.rest[1]),
			     "xorl %[n], %[n]; 1: addl $2, %[n]; cmpl $20, %[n]; jb 1b; call alt_call; addl %%eax, %[n]", RELINK_WHEN_ON(first),
			     RELINK_OUT([n] "=&b"(n)), RELINK_IN([x] "r"(x)),
			     RELINK_CLOBBERS("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"));
	return n;
}

static void test_features(void)
{
	struct relink_facts facts = { .size = sizeof(facts) };
	int want;

	CHECK(relink_get_facts(&facts) == 0);
	want = facts.cpu & RELINK_CPU(sse3) ? 2 : 1;
	CHECKF(by_feature() == want, "%d", by_feature());
	CHECKF(by_missing() == 3, "%d", by_missing());
}

static int set_all(bool one, bool two, int state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, first, one);
	relink_set_key(&c, second, two);
	relink_wish_option(&c, &mode.option, state);
	return relink_commit(&c, RELINK_STARTUP, &err);
}

/* The last arm whose condition holds. */
static void test_order(void)
{
	static const int states[] = { 5, 55, 77 };

	for (unsigned i = 0; i < 60; i++) {
		bool one = i & 1, two = i & 2;
		int state = (int)(i / 4 % 3), want = one ? 29 : states[state];

		CHECK_CODE(set_all(one, two, state), RELINK_OK, &err);
		CHECKF(by_key(5) == 5 + (!two ? 3 : one ? 2 : 1), "first %d, second %d: %d", one, two, by_key(5) - 5);
		CHECKF(by_state(5) == want, "first %d, mode %d: %d, not %d", one, state, by_state(5), want);
	}
	CHECK_CODE(relink_call_set(alt_call, say_8, &err), RELINK_OK, &err);
	CHECK_CODE(set_all(true, true, 0), RELINK_OK, &err);
	CHECK(by_state(5) == 28);
}

/* `n` more calls of note, `m` of what is missing. */
static void check_member(bool one, bool two, int want, int n, int m)
{
	int notes_before = notes, missed_before = missed, got;

	CHECK_CODE(set_all(one, two, 0), RELINK_OK, &err);
	got = by_member();
	CHECKF(got == want && notes - notes_before == n && missed - missed_before == m, "%d %d: %d, %d notes, %d missed", one, two, got,
	       notes - notes_before, missed - missed_before);
}

static void test_members(void)
{
	relink_on_missing_op(count_missed, &missed);
	for (int i = 0; i < 2; i++) {
		check_member(false, true, 1, 0, 0);
		check_member(true, true, 11, 1, 0);
		check_member(true, false, 100, 1, 1);
		CHECK_CODE(relink_bind_ops(alt, &second_alt, &err), RELINK_OK, &err);
		CHECK(by_member() == 101);
		check_member(false, true, 2, 0, 0);
		check_member(true, true, 12, 0, 0);
		check_member(false, false, 101, 0, 0);
		CHECK_CODE(relink_bind_ops(alt, &third_alt, &err), RELINK_OK, &err);
		check_member(false, true, 7, 0, 0);
		check_member(true, true, 17, 0, 100);
		check_member(false, false, 107, 0, 100);
		CHECK_CODE(relink_bind_ops(alt, &first_alt, &err), RELINK_OK, &err);
	}
	relink_on_missing_op(NULL, NULL);
}

struct tally {
	unsigned first, features;
};

static int tally_site(const struct relink_site_info *site, void *ctx)
{
	struct tally *t = ctx;

	if (site->kind == RELINK_SITE_ALTERNATIVE) {
		CHECK(site->reason == RELINK_BOUND);
		t->first += !strcmp(site->choice, "first");
		t->features += !*site->choice;
	}
	return 0;
}

static void test_listing(void)
{
	struct relink_status status = { .size = sizeof(status) };
	struct tally t = { 0, 0 };

	CHECK(relink_each_site(tally_site, &t) == 0);
	CHECKF(t.first == 3 && t.features == 2, "%u and %u", t.first, t.features);
	CHECK(relink_get_status(&status) == 0 && status.sites[RELINK_SITE_ALTERNATIVE][RELINK_BOUND] > 0);
}

/* Several instructions: not while somebody may be between them. */
static void *wait_for(void *flag)
{
	while (!__atomic_load_n((bool *)flag, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static void test_threads(void)
{
	bool flag = false;
	pthread_t thread;
	bool before;

	CHECK_CODE(set_all(false, true, 0), RELINK_OK, &err);
	before = relink_key_enabled(first);
	pthread_create(&thread, NULL, wait_for, &flag);
	CHECK_CODE(relink_key_set(first, true, &err), RELINK_E_MODE, &err);
	CHECK(strstr(err.text, "first") && relink_key_enabled(first) == before && by_state(5) == 5);
	__atomic_store_n(&flag, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	CHECK_CODE(relink_key_set(first, true, &err), RELINK_OK, &err);
	CHECK(by_state(5) == 28);
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == 0);
	if (strncmp(status.mode, "direct", 6)) {
		printf("skipped: %s\n", status.mode);
		return 77;
	}
	test_features();
	test_order();
	test_members();
	test_listing();
	test_threads();
	return check_done();
}
