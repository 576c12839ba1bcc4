/* test: VARIANTS "-O2" "-O0" NOT generic thread */
/* SPDX-License-Identifier: MIT */
/*
 * sequences_faults.c - a commit of a sequence is all or nothing: each of its writes is made to fail, on the way from every state to
 * every other: native text, a template in place, templates in the copy beside the function, a function. Bytes of others in the copy are found.
 */
#include <errno.h>

#include "check.h"

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

RELINK_SEQUENCE(twice, "the double of its operand");
RELINK_TEMPLATE_2(twice, near, out, in1, "lea 1(%\\in1), %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, beside, out, in1,
		  "mov %\\in1, %\\out; add $0x11111, %\\out; add $0x11111, %\\out; add $0x11111, %\\out", .rank = -1);
RELINK_TEMPLATE_2(twice, further, out, in1,
		  "mov %\\in1, %\\out; add $0x22222, %\\out; add $0x22222, %\\out; add $0x22222, %\\out", .rank = -1);
static uint64_t triple(uint64_t a) { return 3 * a; }
RELINK_SEQUENCE_CALL(twice, triple, triple, .rank = -1);

static const struct { const char *name; uint64_t five; } states[] = {
	{ "native", 10 }, { "near", 6 }, { "beside", 0x33333 + 5 }, { "further", 0x66666 + 5 }, { "triple", 15 },
};

#define PLACE(n) \
	static __attribute__((noinline)) uint64_t twice_##n(uint64_t a) \
	{ \
		uint64_t r; \
		relink_wrap(twice, "lea (%[in1],%[in1]), %[out]", RELINK_OREG(r), RELINK_IREG1(a), RELINK_CLOBBERS("cc")); \
		return r + n; \
	}
PLACE(0)
PLACE(1)
PLACE(2)

static struct relink_error err;
static int writes, fail_at;
static uintptr_t last_of_31; /* where a copy was written to */

static int faulty(uintptr_t address, const void *bytes, size_t length)
{
	if (++writes != fail_at)
		return rl_text_write(address, bytes, length);
	rl_text_write(address, bytes, (length + 1) / 2);
	return -EIO;
}

static int watching(uintptr_t address, const void *bytes, size_t length)
{
	last_of_31 = address;
	return rl_text_write(address, bytes, length);
}

static int set(const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, "twice", state);
	return relink_commit(&c, RELINK_STARTUP, &err);
}

static void check_state(size_t i, const char *when)
{
	CHECKF(twice_0(5) == states[i].five && twice_1(5) == states[i].five + 1 && twice_2(5) == states[i].five + 2, "%s, %s: %llx", when,
	       states[i].name, (unsigned long long)twice_0(5));
}

static void go(size_t from, size_t to)
{
	int r, faults = -1;

	CHECK_CODE(set(states[from].name), RELINK_OK, &err);
	check_state(from, "before");
	for (fail_at = 1; fail_at < 60; fail_at++) {
		writes = 0;
		rl_test_write(faulty);
		r = set(states[to].name);
		rl_test_write(NULL);
		faults++;
		if (r == RELINK_OK)
			break;
		CHECK_CODE(r, RELINK_E_WRITE, &err);
		CHECKF(!strcmp(err.choice, "twice") && err.site, "%s", err.text);
		check_state(from, states[to].name);
	}
	CHECKF((faults > 0) == (from != to), "%d faults from %s to %s", faults, states[from].name, states[to].name);
	check_state(to, "after");
}

/* A byte of the copy that a template runs from. */
static void test_foreign(void)
{
	uint8_t was, other = 0xcc;

	CHECK_CODE(set("beside"), RELINK_OK, &err);
	rl_test_write(watching);
	CHECK_CODE(set("further"), RELINK_OK, &err);
	rl_test_write(NULL);
	if (!CHECK(last_of_31))
		return;
	was = *(const uint8_t *)last_of_31;
	CHECK(rl_text_write(last_of_31, &other, 1) == 0);
	CHECK_CODE(set("beside"), RELINK_E_BREAKPOINT, &err);
	CHECK_CODE(set("native"), RELINK_E_BREAKPOINT, &err);
	CHECK(rl_text_write(last_of_31, &was, 1) == 0);
	check_state(3, "as it was");
	CHECK_CODE(set("native"), RELINK_OK, &err);
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	if (relink_get_status(&status) || strncmp(status.mode, "direct", 6))
		check_skip(status.mode);
	for (size_t from = 0; from < COUNT(states); from++)
		for (size_t to = 0; to < COUNT(states); to++)
			go(from, to);
	test_foreign();
	return check_done();
}
