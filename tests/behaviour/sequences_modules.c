/* test: LINK -rdynamic VARIANTS "-O2" "-O0" NOT generic thread */
/* SPDX-License-Identifier: MIT */
/*
 * sequences_modules.c - a plugin whose template or function a sequence is bound to is unloaded, with and without threads: the code as
 * it was compiled is there again before the plugin has gone, and nobody stays bound to what is not mapped any more.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "check.h"

RELINK_SEQUENCE(twice, "the double of its operand");
RELINK_DECLARE_CALL(int, number, (void));
static int host_number(void) { return 1; }
RELINK_DEFINE_CALL(number, host_number, "the plugin has a better one");

static struct relink_error err;

static __attribute__((noinline)) uint64_t do_twice(uint64_t a)
{
	uint64_t r;

	relink_wrap(twice, "lea (%[in1],%[in1]), %[out]", RELINK_OREG(r), RELINK_IREG1(a), RELINK_CLOBBERS("cc"));
	return r;
}

static bool stop;

/* Not in the sequence: a plugin must not go while somebody is in its functions. */
static void *run(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		usleep(100);
	return unused;
}

static void check_mode(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	CHECKF(!strncmp(s.mode, "direct", 6), "mode %s", s.mode);
}

static void come_and_go(const char *state, uint64_t more)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/sequences_guest.so", RTLD_NOW);
	struct relink_commit c = RELINK_COMMIT;

	if (!CHECKF(plugin, "%s", dlerror()))
		return;
	relink_set(&c, "twice", state);
	CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), RELINK_OK, &err);
	CHECKF(do_twice(5) == 5 + more && number() == 2, "%s: %d", state, (int)do_twice(5));
	dlclose(plugin);
	CHECKF(do_twice(5) == 10 && number() == 1, "without %s: %d", state, (int)do_twice(5));
	/* Or the next plugin that has it would bring it back. */
	CHECK_CODE(relink_sequence_clear(twice, &err), RELINK_OK, &err);
	check_mode();
}

int main(void)
{
	struct relink_status s = { .size = sizeof(s) };
	pthread_t thread;

	if (relink_get_status(&s) || strncmp(s.mode, "direct", 6))
		check_skip(s.mode);
	come_and_go("guest_template", 1000);
	come_and_go("guest_function", 2000);
	CHECK(pthread_create(&thread, NULL, run, NULL) == 0);
	for (int i = 0; i < 20; i++) {
		come_and_go("guest_template", 1000);
		come_and_go("guest_function", 2000);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return check_done();
}
