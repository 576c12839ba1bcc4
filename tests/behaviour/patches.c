/* test: VARIANTS "-DQUIET" "-DLIVE" "-DTRAPS" "-DSTRICT" "-DQUIET -fPIC" TIMEOUT 120 NOT generic thread */
/* SPDX-License-Identifier: MIT */
/*
 * patches.c - immediates and alternatives are all or nothing: every write of a commit is made to fail, one after the other; bytes of
 * others and breakpoints are found before anything is written; and what can't be changed while threads run is refused.
 */
#include <errno.h>
#include <pthread.h>

#include "check.h"

#ifndef LIVE
#define LIVE 0
#else
#undef LIVE
#define LIVE 1
#endif

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

RELINK_IMMEDIATE(uint8_t, one, 1, "a byte");
RELINK_IMMEDIATE(int16_t, two, -2, "two");
RELINK_IMMEDIATE(uint32_t, four, 4, "four");
RELINK_IMMEDIATE(uint64_t, eight, 8, "eight");
RELINK_KEY_FALSE(arm, "an arm, and a branch");
RELINK_DECLARE_CALL(int, call, (void));
static int call_1(void) { return 1; }
static int call_2(void) { return 2; }
RELINK_DEFINE_CALL(call, call_1, "a call");
RELINK_VARIANT(call, call_2);

static struct relink_error err;

#define ON_PAGE(page) __attribute__((noinline, section(".text.relink_test_" #page), aligned(4096)))
ON_PAGE(1) static uint64_t read_one(void) { return relink_immediate(one); }
ON_PAGE(2) static uint64_t read_two(void) { return (uint64_t)relink_immediate(two) + relink_immediate(four); }
ON_PAGE(3) static uint64_t read_eight(void) { return relink_immediate(eight); }
/* Longer than what a change record holds, so that it is several. */
ON_PAGE(4) static uint64_t read_arm(void)
{
	uint64_t n;

	RELINK_ALTERNATIVE("movl $1, %k[n]", "movabsq $0x1122334455667788, %[n]; movabsq $0x1122334455667700, %[n]; subq $1, %[n]",
			   RELINK_WHEN_ON(arm), RELINK_OUT([n] "=r"(n)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	return n;
}
ON_PAGE(5) static uint64_t read_key(void) { return relink_unlikely(arm) ? 1 : 0; }

/* ---- what is there ---- */

struct picture {
	size_t count;
	struct { uintptr_t address; uint8_t bytes[24]; } site[40];
	uint64_t values[5];
};

static int add_site(const struct relink_site_info *info, void *ctx)
{
	struct picture *p = ctx;

	if (info->kind == RELINK_SITE_TRAMPOLINE)
		return 0;
	if (p->count == COUNT(p->site))
		return 1;
	p->site[p->count].address = info->address;
	memcpy(p->site[p->count++].bytes, (const void *)info->address, info->kind == RELINK_SITE_ALTERNATIVE ? 24 : 4);
	return 0;
}

static struct picture take(void)
{
	struct picture p = { 0 };

	CHECK(relink_each_site(add_site, &p) == 0);
	p.values[0] = relink_immediate_value(one);
	p.values[1] = (uint64_t)relink_immediate_value(two);
	p.values[2] = relink_immediate_value(four);
	p.values[3] = relink_immediate_value(eight);
	p.values[4] = relink_key_enabled(arm);
	return p;
}

static bool same(const struct picture *a, const struct picture *b, const char *what)
{
	bool ok = CHECKF(a->count == b->count && a->count >= 6, "%s: %zu and %zu sites", what, a->count, b->count);

	for (size_t i = 0; ok && i < a->count; i++)
		ok = CHECKF(!memcmp(&a->site[i], &b->site[i], sizeof(a->site[i])), "%s: site %#lx has changed", what, a->site[i].address);
	return CHECKF(!memcmp(a->values, b->values, sizeof(a->values)), "%s: values have changed", what) && ok;
}

static bool works(void)
{
	return read_one() == relink_immediate_value(one) &&
	       read_two() == (uint64_t)relink_immediate_value(two) + relink_immediate_value(four) &&
	       read_eight() == relink_immediate_value(eight) && read_arm() == (relink_key_enabled(arm) ? 0x11223344556676ffu : 1) &&
	       read_key() == (uint64_t)relink_key_enabled(arm);
}

/* ---- commits ---- */

static void wish(struct relink_commit *c, bool there)
{
	relink_set_immediate(c, one, there ? 255 : 1);
	relink_set_immediate(c, two, there ? -30000 : -2);
	relink_set_immediate(c, four, there ? 0x12345678 : 4);
	relink_set_immediate(c, eight, there ? 0xfedcba9876543210u : 8);
	if (there)
		relink_set_call(c, call, call_2);
	else
		relink_set_call(c, call, call_1);
	if (!LIVE)
		relink_set_key(c, arm, there);
}

static int commit(bool there)
{
	struct relink_commit c = RELINK_COMMIT;

	memset(&err, 0, sizeof(err));
	wish(&c, there);
	return relink_commit(&c, LIVE ? RELINK_LIVE : RELINK_STARTUP, &err);
}

/* ---- faults ---- */

static int writes, fail_at;
static enum fault { REFUSED, HALF, UNDONE, FAULTS } fault;

static int faulty(uintptr_t address, const void *bytes, size_t length)
{
	if (++writes != fail_at)
		return rl_text_write(address, bytes, length);
	if (fault == HALF) {
		rl_text_write(address, bytes, (length + 1) / 2);
		return -EIO;
	}
	return fault == REFUSED ? -EPERM : memcmp((const void *)address, bytes, length) ? 0 : -ENOSPC;
}

/* False: there are not as many writes. */
static bool fail_nth(int nth, enum fault how)
{
	struct picture before = take(), after;
	int r;

	writes = 0;
	fail_at = nth;
	fault = how;
	rl_test_write(faulty);
	r = commit(true);
	rl_test_write(NULL);
	if (r == RELINK_OK)
		return false;
	CHECK_CODE(r, RELINK_E_WRITE, &err);
	CHECKF(err.site && strstr(err.module, "behaviour.patches") && strstr(err.text, "nothing has changed"), "write %d: %s", nth, err.text);
	CHECKF(*err.choice, "write %d: of no choice: %s", nth, err.text);
	after = take();
	same(&before, &after, "after a fault");
	CHECKF(works(), "after a fault of write %d", nth);
	return true;
}

static void test_faults(void)
{
	for (int how = 0; how < FAULTS; how++) {
		struct picture first = take(), last;
		int total = 0;

		for (int nth = 1; nth < 60 && fail_nth(nth, how); nth++)
			total++;
		CHECKF(total >= 3, "only %d faults", total);
		CHECK(works() && read_one() == 255 && call() == 2);
		CHECK_CODE(commit(false), RELINK_OK, &err);
		last = take();
		same(&first, &last, "there and back");
		CHECK(works());
	}
}

/* ---- bytes of others ---- */

static uintptr_t found;
static const char *looked_for;

static int find(const struct relink_site_info *info, void *ctx)
{
	if (info->kind == *(int *)ctx && !strcmp(info->choice, looked_for))
		found = info->address;
	return 0;
}

static void foreign(int kind, const char *choice, size_t at, uint8_t byte, int code)
{
	struct picture before, after;
	uint8_t old;

	found = 0;
	looked_for = choice;
	relink_each_site(find, &kind);
	if (!CHECKF(found, "no site of %s", choice))
		return;
	found += at;
	old = *(uint8_t *)found;
	CHECK(rl_text_write(found, &byte, 1) == 0);
	before = take();
	CHECK_CODE(commit(true), code, &err);
	CHECKF(strstr(err.text, choice) && err.site >= found - at && err.site <= found, "%s", err.text);
	after = take();
	same(&before, &after, choice);
	CHECK(rl_text_write(found, &old, 1) == 0);
	CHECK(works());
}

static void test_foreign(void)
{
	foreign(RELINK_SITE_IMMEDIATE, "one", 0, 9, RELINK_E_BYTES);
	foreign(RELINK_SITE_IMMEDIATE, "eight", 7, 9, RELINK_E_BYTES);
	if (LIVE)
		return;
	foreign(RELINK_SITE_ALTERNATIVE, "arm", 0, 0x90, RELINK_E_BYTES);
	foreign(RELINK_SITE_ALTERNATIVE, "arm", 23, 0x42, RELINK_E_BYTES);
	foreign(RELINK_SITE_ALTERNATIVE, "arm", 0, 0xcc, RELINK_E_BREAKPOINT);
	foreign(RELINK_SITE_ALTERNATIVE, "arm", 5, 0xcc, RELINK_E_BREAKPOINT); /* a debugger's, on the next instruction */
}

/* ---- with threads ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_here(void *unused)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return unused;
}

static void test_threads(void)
{
	struct picture before, after;
	pthread_t thread;
	int r;

	pthread_mutex_lock(&gate);
	pthread_create(&thread, NULL, wait_here, NULL);
	before = take();
	CHECK_CODE(relink_key_set(arm, true, &err), RELINK_E_MODE, &err);
	CHECKF(!strcmp(err.choice, "arm") && err.site, "%s", err.text);
	after = take();
	same(&before, &after, "an alternative with threads");
	r = relink_immediate_set(eight, 0x1000200030004000u, &err);
#ifdef STRICT
	CHECK_CODE(r, RELINK_E_MODE, &err);
	after = take();
	same(&before, &after, "a number with threads, and int3 asked for");
#else
	CHECK_CODE(r, RELINK_OK, &err);
	CHECK(read_eight() == 0x1000200030004000u);
	CHECK_CODE(relink_immediate_set(eight, 8, &err), RELINK_OK, &err);
#endif
	CHECK(works());
	pthread_mutex_unlock(&gate);
	pthread_join(thread, NULL);
}

int main(void)
{
	pthread_t thread;

	if (!check_allow_stores())
		check_skip("code can't be written by stores here");
#ifdef TRAPS
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
#elif defined(STRICT)
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
#endif
	test_threads();
	if (LIVE) {
		pthread_mutex_lock(&gate);
		pthread_create(&thread, NULL, wait_here, NULL);
	}
	CHECK(works());
	test_faults();
	test_foreign();
	return check_done();
}
