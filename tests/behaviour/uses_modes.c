/* test: NOT generic thread */
/* SPDX-License-Identifier: MIT */
/*
 * uses_modes.c - the same queries in start-up mode, in stop mode, live, and with int3 for every change; with a second thread that
 * runs through the uses; each with writes that fail.
 */
#include <errno.h>
#include <pthread.h>

#include "check.h"

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

RELINK_KEY_FALSE(debug, "a key");
RELINK_KEY_TRUE(checks, "a key");

#define PAGE(n) \
	__attribute__((noinline, aligned(4096))) static int page_##n(void) { return relink_here(debug, "page " #n) ? 1 : 0; } \
	__attribute__((noinline)) static int check_##n(void) { return relink_here_likely(checks, "check " #n) ? 1 : 0; }
PAGE(0)
PAGE(1)
PAGE(2)

static unsigned now(void)
{
	return (unsigned)(page_0() | page_1() << 1 | page_2() << 2 | check_0() << 3 | check_1() << 4 | check_2() << 5);
}
#define DEFAULTS 070u

static struct relink_error err;
static int writes, fail_at;
static bool over;

static int faulty(uintptr_t address, const void *bytes, size_t length)
{
	return ++writes == fail_at ? -EIO : rl_text_write(address, bytes, length);
}

static void *run(void *arg)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		CHECK(now() < 0100);
	return arg;
}

static int query(const char *text, int mode)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_uses(&c, text);
	return relink_commit(&c, mode, &err);
}

static void check_mode(const char *name, int mode)
{
	int r = -1, n;

	printf("%s\n", name);
	CHECK_CODE(query("func page_* +; func page_1 -; func check_2 -", mode), RELINK_OK, &err);
	CHECKF(now() == 035, "%s: %o", name, now());
	CHECK_CODE(query("func page_1 +; func page_0 -", mode), RELINK_OK, &err);
	CHECKF(now() == 036, "%s: %o", name, now());
	CHECK_CODE(query("clear", mode), RELINK_OK, &err);
	CHECKF(now() == DEFAULTS, "%s: %o", name, now());
	for (n = 1; r < 0 && n < 50; n++) {
		writes = 0;
		fail_at = n;
		rl_test_write(faulty);
		r = query("func page_* +; func check_* -", mode);
		rl_test_write(NULL);
		CHECKF(now() == (r < 0 ? DEFAULTS : 07), "%s, write %d: %o (%s)", name, n, now(), r ? err.text : "");
	}
	CHECKF(n > 2 && !r, "%s: %d writes, then %s", name, n, r ? err.text : "done");
	CHECK_CODE(query("clear", mode), RELINK_OK, &err);
	CHECK(now() == DEFAULTS);
}

int main(void)
{
	pthread_t thread;

	check_mode("start-up", RELINK_STARTUP);
	check_mode("stop, alone", RELINK_STOP);
	CHECK(!pthread_create(&thread, NULL, run, NULL));
	check_mode("live", RELINK_LIVE);
	check_mode("stop", RELINK_STOP);
	CHECK_CODE(query("+", RELINK_STARTUP), RELINK_E_THREADS, &err);
	CHECK(now() == DEFAULTS);
	if (relink_declare(RELINK_STRICT_XMC, &err) == RELINK_OK) {
		check_mode("strict", RELINK_LIVE);
		check_mode("strict, stop", RELINK_STOP);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return check_done();
}
