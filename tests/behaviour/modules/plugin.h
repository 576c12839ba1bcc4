/* SPDX-License-Identifier: MIT */
/* plugin.h - the plugins of modules.c, which differ in how they are linked. */
#include "modules.h"

RELINK_STATIC_KEY_FALSE(plug_key, "a key that comes and goes");
RELINK_STATIC_KEY_FALSE(plug_early, "committed by a constructor");
RELINK_OPTION(plug_option, "chosen by a function that commits", slow, fast);
RELINK_DECLARE_CALL(unsigned, plug_own, (unsigned x));

static unsigned own_one(unsigned x) { return 16 * x + 1; }
static unsigned own_two(unsigned x) { return 16 * x + 2; }
RELINK_DEFINE_CALL(plug_own, own_one, "a static call that comes and goes");
RELINK_VARIANT(plug_own, own_two);

#ifdef HAS_PROGRAM
static unsigned visit(unsigned x) { return 16 * x + PLUGIN; }
static unsigned best(unsigned x) { return 16 * x + PLUGIN; }
static unsigned final(unsigned x) { return 16 * x + PLUGIN; }
RELINK_VARIANT(mod_visit, visit, .rank = -1);
RELINK_VARIANT(mod_best, best, .rank = 10);
RELINK_VARIANT(mod_final, final, .rank = 10);

#define WORK(n) \
	static __attribute__((noinline)) unsigned work_##n(unsigned x) \
	{ \
		SKIP_TO(64, n); \
		unsigned r = mod_work(x); \
		__asm__ volatile("" : "+r"(r)); \
		return r; \
	} \
	static __attribute__((noinline)) bool key_##n(void) \
	{ \
		SKIP_TO(64, n); \
		return relink_unlikely(mod_key); \
	}
#define WORK_NAME(n) work_##n,
#define KEY_NAME(n) key_##n,
EACH_16(WORK)
static unsigned call_final(unsigned x) { return mod_final(x) - 16 * x; }
static unsigned (*const works[])(unsigned x) = { EACH_16(WORK_NAME) };
static bool (*const keys[])(void) = { EACH_16(KEY_NAME) };
#endif

static unsigned own(unsigned x) { return plug_own(x) - 16 * x; }
static bool own_key(void) { return relink_unlikely(plug_key); }

static int set(const char *name, const char *state, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	return relink_commit(&c, RELINK_LIVE, err);
}

static unsigned modules(void)
{
	struct relink_status status = { .size = sizeof(status) };

	return relink_get_status(&status) ? 0 : status.modules;
}

extern struct plugin plugin __attribute__((visibility("default")));
struct plugin plugin = {
	.own = own, .own_key = own_key, .set = set, .modules = modules,
#ifdef HAS_PROGRAM
	.visit = visit, .works = works, .keys = keys, .work_count = COUNT(works), .key_count = COUNT(keys),
	.call_final = call_final,
#endif
	.committed = -100, .committed_by_choice = -100,
};

#ifdef HAS_PROGRAM
/* Somebody else runs by the time the program's constructors do. */
static void *run_for_ever(void *unused)
{
	for (unsigned x = 0;; x++) {
		unsigned target = call_final(x);

		if (target != PLUGIN && target != 3)
			abort();
	}
	return unused;
}

static void start_thread(void)
{
	pthread_t thread;

	if (getenv("MODULES_THREAD") && pthread_create(&thread, NULL, run_for_ever, NULL) == 0)
		pthread_detach(thread);
}
#endif

static __attribute__((constructor)) void construct(void)
{
#ifdef HAS_PROGRAM
	start_thread();
#endif
	plugin.committed = relink_key_set(plug_early, true, NULL);
	plugin.early = relink_unlikely(plug_early);
#ifdef HAS_PROGRAM
	plugin.key_in_constructor = keys[0]();
	plugin.work_in_constructor = works[0](3);
#endif
}

static const char *choose(const struct relink_facts *facts)
{
	struct relink_error err;

	plugin.committed_by_choice = set("mod_chosen", "on", &err);
	return facts->cpus ? "fast" : "slow";
}
RELINK_CHOOSE(plug_option, choose);
