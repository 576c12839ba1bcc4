/* test: LABELS soak TIMEOUT 60 LINK -Wl,--export-dynamic-symbol=mod_* -Wl,--export-dynamic-symbol=relink_call_mod_* */
/* SPDX-License-Identifier: MIT */
/*
 * modules.c - plugins come and go while threads commit and call: one with a hidden copy of the library, one with librelink.so,
 * beside the program's own copy. One runtime serves all.
 */
#include "modules/modules.h"

#include <dlfcn.h>
#include <sys/wait.h>

#define READERS 4

#define PLUGIN_SHARED RELINK_TEST_PLUGINS "/modules_shared.so"
#define PLUGIN_STATIC RELINK_TEST_PLUGINS "/modules_static.so"

RELINK_KEY_FALSE(mod_key, "flipped all the time");
RELINK_KEY_FALSE(mod_early, "committed by the program's constructor");
RELINK_KEY_FALSE(mod_chosen, "committed by choice functions of plugins");
RELINK_KEY_FALSE(mod_own_chosen, "committed by a choice function of the program");
RELINK_OPTION(mod_option, "chosen by a function that commits", slow, fast);

#define TARGET(n) static unsigned target_##n(unsigned x) { return 16 * x + n; }
#define TARGET_NAME(n) target_##n,
EACH_8(TARGET, 0)
static relink_fn_mod_work *const targets[WORKS] = { EACH_8(TARGET_NAME, 0) };
RELINK_DEFINE_CALL(mod_work, target_00, "led to and fro all the time");
RELINK_DEFINE_CALL(mod_visit, target_01, "led to a plugin's function now and then");
RELINK_DEFINE_CALL(mod_best, target_02, "goes to the best variant there is");
RELINK_DEFINE_CALL(mod_final, target_03, "decided at start", RELINK_FINAL);

static struct timeline key_line, work_line;
static unsigned long opened, commits, looks, questions;

/* Held for reading by who runs a plugin's code, for writing by who closes it. */
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static const struct plugin *present;

/* ---- the program's own constructor and choice function ---- */

static int early_result = -100, chosen_result = -100;
static bool early_seen;

static __attribute__((constructor)) void construct(void)
{
	early_result = relink_key_set(mod_early, true, NULL);
	early_seen = relink_unlikely(mod_early);
}

static const char *choose(const struct relink_facts *facts)
{
	chosen_result = relink_key_set(mod_own_chosen, true, NULL);
	return facts->cpus ? "fast" : "slow";
}
RELINK_CHOOSE(mod_option, choose);

static void check_early(void)
{
	CHECK_CODE(early_result, RELINK_OK, NULL);
	CHECK(early_seen && relink_unlikely(mod_early));
	CHECK_CODE(chosen_result, RELINK_OK, NULL);
	CHECK(relink_unlikely(mod_own_chosen) && relink_option_is(mod_option, fast));
}

/* ---- readers ---- */

static __attribute__((noinline)) unsigned call_work(unsigned x) { unsigned r = mod_work(x); __asm__ volatile("" : "+r"(r)); return r; }
static __attribute__((noinline)) unsigned call_visit(unsigned x) { unsigned r = mod_visit(x); __asm__ volatile("" : "+r"(r)); return r; }
static __attribute__((noinline)) unsigned call_best(unsigned x) { unsigned r = mod_best(x); __asm__ volatile("" : "+r"(r)); return r; }
static __attribute__((noinline)) unsigned call_final(unsigned x) { unsigned r = mod_final(x); __asm__ volatile("" : "+r"(r)); return r; }
static __attribute__((noinline)) bool see_key(void) { return relink_unlikely(mod_key); }

static void look_at_work(unsigned (*work)(unsigned x), unsigned x, const char *whose)
{
	unsigned long before = timeline_read(&work_line);
	unsigned seen = work(x);

	if (seen / 16 != x || seen % 16 >= WORKS || !timeline_allows(before, timeline_read(&work_line), WORKS, seen % 16))
		CHECKF(false, "%s site of mod_work: saw %u, not %u x 16 + %lu", whose, seen, x, before / 2 % WORKS);
}

static void look_at_key(bool (*see)(void), const char *whose)
{
	unsigned long before = timeline_read(&key_line);
	bool seen = see();

	if (!timeline_allows(before, timeline_read(&key_line), 2, seen))
		CHECKF(false, "%s site of mod_key: saw %d at %lu", whose, seen, before);
}

static void look_at_plugin(const struct plugin *p, unsigned x)
{
	for (unsigned i = 0; i < p->work_count; i++)
		look_at_work(p->works[i], x, "a plugin's");
	for (unsigned i = 0; i < p->key_count; i++)
		look_at_key(p->keys[i], "a plugin's");
}

/* While no plugin is there nothing leads to one. */
static void look_at_visits(unsigned x)
{
	bool there = present != NULL;

	CHECKF(call_visit(x) == 16 * x + 1 || (there && call_visit(x) - 16 * x == PLUGIN) || there, "mod_visit leads to %u", call_visit(x));
	CHECKF(call_best(x) == 16 * x + (there ? PLUGIN : 2u), "mod_best leads to %u", call_best(x) - 16 * x);
	CHECKF(call_final(x) == 16 * x + 3, "mod_final leads to %u", call_final(x) - 16 * x);
}

static void *reader(void *unused)
{
	for (unsigned x = 0; running(); x = (x + 1) % 4096) {
		pthread_rwlock_rdlock(&gate);
		look_at_visits(x);
		if (present)
			look_at_plugin(present, x);
		pthread_rwlock_unlock(&gate);
		look_at_work(call_work, x, "the program's");
		look_at_key(see_key, "the program's");
		__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
		if (x % 8 == 0)
			rest();
	}
	return unused;
}

/* ---- committers, and one who asks ---- */

static void *flipper(void *unused)
{
	struct chance chance = { 1 };
	struct relink_error err;

	for (bool on = true; running(); on = !on) {
		timeline_step(&key_line);
		CHECK_CODE(relink_key_set(mod_key, on, &err), RELINK_OK, &err);
		timeline_step(&key_line);
		__atomic_fetch_add(&commits, 1, __ATOMIC_RELAXED);
		linger(&chance);
	}
	return unused;
}

static void *router(void *unused)
{
	struct chance chance = { 2 };
	struct relink_error err;

	for (unsigned to = 1; running(); to = (to + 1) % WORKS) {
		timeline_step(&work_line);
		CHECK_CODE(relink_call_set(mod_work, targets[to], &err), RELINK_OK, &err);
		timeline_step(&work_line);
		__atomic_fetch_add(&commits, 1, __ATOMIC_RELAXED);
		linger(&chance);
	}
	return unused;
}

struct listing {
	bool plugin_choices, plugin_states;
};

static int note_choice(const struct relink_choice_info *info, void *ctx)
{
	struct listing *l = ctx;

	l->plugin_choices |= !strncmp(info->name, "plug_", 5);
	for (size_t i = 0; i < info->count; i++)
		l->plugin_states |= info->usable[i] && !strcmp(info->states[i], "visit");
	return 0;
}

static int count_site(const struct relink_site_info *site, void *count)
{
	*(unsigned long *)count += site->address != 0;
	return 0;
}

static void *asker(void *unused)
{
	struct relink_status status = { .size = sizeof(status) };
	struct listing listing;
	unsigned long sites = 0;

	while (running()) {
		CHECK(relink_each_choice(note_choice, &listing) == 0);
		CHECK(relink_each_site(count_site, &sites) == 0);
		CHECK(relink_get_status(&status) == 0 && status.pending == 0);
		questions++;
		sleep_for(100e-6);
	}
	return unused;
}

/* ---- one plugin ---- */

/* As soon as dlopen has returned, and before. */
static void check_arrival(const struct plugin *p, unsigned long key_before, unsigned long work_before)
{
	CHECK_CODE(p->committed, RELINK_OK, NULL);
	CHECK(p->early);
	CHECK_CODE(p->committed_by_choice, RELINK_OK, NULL);
	CHECK(relink_key_enabled(mod_chosen));
	CHECKF(timeline_allows(key_before, timeline_read(&key_line), 2, p->key_in_constructor), "the constructor saw mod_key as %d",
	       p->key_in_constructor);
	CHECKF(timeline_allows(work_before, timeline_read(&work_line), WORKS, p->work_in_constructor - 48),
	       "the constructor saw mod_work as %u", p->work_in_constructor - 48);
	look_at_plugin(p, 9);
	CHECK(p->own(5) == 1 && !p->own_key());
}

/* Each copy of the library speaks for all modules. */
static void check_copies(const struct plugin *p)
{
	struct relink_status status = { .size = sizeof(status) };
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;
	bool on = relink_key_enabled(mod_chosen);

	CHECK(relink_get_status(&status) == 0);
	CHECKF(status.modules == p->modules() && status.modules >= 2, "%u modules here, %u there", status.modules, p->modules());
	CHECK_CODE(p->set("mod_chosen", on ? "off" : "on", &err), RELINK_OK, &err);
	CHECK(relink_unlikely(mod_chosen) == !on);
	relink_set(&c, "plug_key", "on");
	relink_set(&c, "plug_own", "own_two");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(p->own(5) == 2 && p->own_key());
}

/* A function of the plugin as target, by name or by address. */
static void check_visit(const struct plugin *p, bool by_name)
{
	struct relink_error err;

	if (by_name)
		CHECK_CODE(p->set("mod_visit", "visit", &err), RELINK_OK, &err);
	else
		CHECK_CODE(relink_call_set(mod_visit, p->visit, &err), RELINK_OK, &err);
	CHECK(call_visit(8) == 8 * 16 + PLUGIN);
}

/* The calls that led to it lead back; its choices and states are gone. */
static void check_departure(void)
{
	struct listing listing = { false, false };
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	CHECK(call_visit(8) == 8 * 16 + 1 && call_best(8) == 8 * 16 + 2 && call_final(8) == 8 * 16 + 3);
	CHECK(relink_each_choice(note_choice, &listing) == 0);
	CHECK(!listing.plugin_choices && !listing.plugin_states);
	relink_set(&c, "plug_key", "on");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_UNKNOWN, &err);
	relink_set(&c, "mod_visit", "visit");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_STATE, &err);
}

static void *open_plugin(const char *path)
{
	unsigned long key_before = timeline_read(&key_line), work_before = timeline_read(&work_line);
	void *module;

	pthread_rwlock_wrlock(&gate); /* its variant of mod_best is bound before we can say that it is there */
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (CHECKF(module, "dlopen: %s", dlerror())) {
		present = dlsym(module, "plugin");
		check_arrival(present, key_before, work_before);
	}
	pthread_rwlock_unlock(&gate);
	return module;
}

static void close_plugin(void *module)
{
	pthread_rwlock_wrlock(&gate);
	CHECK(dlclose(module) == 0);
	present = NULL;
	CHECK(dlopen(PLUGIN_STATIC, RTLD_NOW | RTLD_NOLOAD) == NULL); /* gone indeed */
	check_departure();
	pthread_rwlock_unlock(&gate);
}

static void visit_plugin(const char *path)
{
	void *module = open_plugin(path);

	if (!module)
		return;
	check_copies(present);
	check_visit(present, opened % 2);
	if (opened % 4 < 2)
		sleep_for(500e-6);
	close_plugin(module);
	opened++;
}

/* ---- a plugin whose function was made final ---- */

/* With one thread a final choice can still be decided. Its target stays for good then, whoever closes the module. */
static void close_final(const char *path)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	unsigned seen;

	if (!CHECKF(module, "dlopen: %s", dlerror()))
		return;
	seen = call_final(8);
	CHECKF(seen == 8 * 16 + PLUGIN || seen == 8 * 16 + 3, "mod_final leads to %u", seen); /* a sanitizer may have a thread */
	start(asker, NULL);
	CHECK(dlclose(module) == 0);
	CHECKF(call_final(8) == seen, "mod_final leads to %u", call_final(8));
	finish();
}

/* In a child, because there is no way back. */
static void check_final(void)
{
	const char *const paths[] = { PLUGIN_SHARED, PLUGIN_STATIC };

	for (unsigned i = 0; i < COUNT(paths); i++) {
		pid_t child = fork();
		int status = -1;

		if (!child) {
			close_final(paths[i]);
			_exit(check_failed_ != 0);
		}
		waitpid(child, &status, 0);
		CHECKF(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child that closed a final target ended with %#x", status);
	}
}

/* ---- a shared object that is there from the start ---- */

static void check_preloaded(const char *self)
{
	static const char *const with[] = { "", "MODULES_THREAD=1" };
	char command[4096];
	int status;

	for (unsigned i = 0; i < COUNT(with); i++) {
		snprintf(command, sizeof(command), "%s ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=%s '%s' preloaded", with[i],
			 PLUGIN_SHARED, self);
		status = system(command);
		CHECKF(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the program with a preloaded module (%s) ended with %#x",
		       with[i], status);
	}
}

/* Its constructor came before the program's: what its variants are of was not known then. */
static void check_preloaded_variants(const struct plugin *p)
{
	CHECKF(call_best(8) == 8 * 16 + PLUGIN && call_final(8) == 8 * 16 + PLUGIN, "mod_best leads to %u, mod_final to %u",
	       call_best(8) - 8 * 16, call_final(8) - 8 * 16);
	check_visit(p, true);
	check_visit(p, false);
}

struct tally {
	unsigned bound, far, others;
};

static int tally_site(const struct relink_site_info *site, void *ctx)
{
	struct tally *t = ctx;

	if (strncmp(site->module, "modules_shared", 14) || strcmp(site->choice, "mod_work"))
		return 0;
	t->bound += site->reason == RELINK_BOUND;
	t->far += site->reason == RELINK_OUT_OF_RANGE;
	t->others += site->reason != RELINK_BOUND && site->reason != RELINK_OUT_OF_RANGE;
	return 0;
}

static struct tally tally_work(void)
{
	struct tally t = { 0, 0, 0 };

	CHECK(relink_each_site(tally_site, &t) == 0);
	return t;
}

/* Nor were its calls known. The program's functions are far away, its own are not. */
static void check_preloaded_sites(const struct plugin *p)
{
	struct relink_status status = { .size = sizeof(status) };
	struct relink_error err;
	struct tally t = tally_work();

	CHECK(relink_get_status(&status) == 0);
	if (strncmp(status.mode, "direct", 6))
		return;
	CHECK(!status.pending && p->call_final(3) == PLUGIN);
	CHECKF(t.bound + t.far + t.others == p->work_count, "%u + %u + %u sites of mod_work, not %u", t.bound, t.far, t.others,
	       p->work_count);
	CHECK_CODE(relink_call_set(mod_work, p->visit, &err), RELINK_OK, &err);
	t = tally_work();
	CHECKF(!t.far && (t.bound || !status.one_store), "%u sites of mod_work are bound, %u too far, %u others", t.bound, t.far, t.others);
	for (unsigned i = 0; i < p->work_count; i++)
		CHECK(p->works[i](7) == 7 * 16 + PLUGIN);
	CHECK_CODE(relink_call_set(mod_work, target_00, &err), RELINK_OK, &err);
	look_at_plugin(p, 9);
}

static int be_preloaded(void)
{
	const struct plugin *p = dlsym(RTLD_DEFAULT, "plugin");

	check_early();
	if (CHECK(p != NULL)) {
		CHECK_CODE(p->committed, RELINK_OK, NULL);
		CHECK(p->early);
		CHECK(!p->key_in_constructor && p->work_in_constructor == 48);
		look_at_plugin(p, 9);
		check_copies(p);
		check_preloaded_variants(p);
		check_preloaded_sites(p);
	}
	return check_done();
}

int main(int argc, char **argv)
{
	double seconds = soak_seconds();
	double end;

	if (argc > 1)
		return be_preloaded();
	check_early();
	check_final();
	check_preloaded(argv[0]);
	for (unsigned i = 0; i < READERS; i++)
		start(reader, NULL);
	start(flipper, NULL);
	start(router, NULL);
	start(asker, NULL);
	end = now() + seconds;
	while (now() < end) {
		visit_plugin(PLUGIN_SHARED);
		visit_plugin(PLUGIN_STATIC);
	}
	finish();
	CHECKF(opened > 10 && commits > 100 && looks > 100 && questions > 10, "%lu modules, %lu commits, %lu looks, %lu questions", opened,
	       commits, looks, questions);
	printf("%lu modules came and went, %lu commits, %lu looks\n", opened, commits, looks);
	return check_done();
}
