/* SPDX-License-Identifier: MIT */
/*
 * api.c - the public functions. Each goes to the copy of the library that serves the process: the first that was asked.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

static const struct rl_api mine = {
	RELINK_ABI, sizeof(struct rl_api), rl_attach, rl_detach, rl_init, rl_apply, rl_declare, rl_count_key, rl_commit_wishes,
	rl_get_status, rl_get_facts, rl_each_choice, rl_each_site, rl_on_pending, rl_on_missing_op, rl_missing_op,
	rl_linux_key, rl_linux_report, rl_linux_on_error, rl_linux_last_error,
	rl_locks_begin, rl_locks_ended, rl_locks_watch,
	rl_quiesce, rl_stop_timeout, rl_stop_caller, rl_each_use,
	rl_agent_start, rl_agent_stop,
	rl_linkage_start, rl_linkage_revert, rl_linkage_refresh, rl_linkage_arrived, rl_linkage_list,
};

static const struct rl_api *serving;
static bool foreign;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
	const struct rl_api *first = rl_rendezvous((void *)(uintptr_t)&mine);

	if (first == &mine)
		rl_start();
	if (first->abi == RELINK_ABI && first->size >= sizeof(*first))
		__atomic_store_n(&serving, first, __ATOMIC_RELEASE);
	else
		foreign = true;
}

const struct rl_api *rl_api(void)
{
	pthread_once(&once, choose);
	return serving;
}

static int no_runtime(struct relink_error *err)
{
	return rl_fail(err, RELINK_E_RUNTIME, 0, "another version of relink serves this process; calls here go through their pointers");
}

/* What was tried in vain on the way to a success is no error. */
static int done(int r, struct relink_error *err)
{
	if (err && r == RELINK_OK)
		err->code = RELINK_OK;
	return r;
}

void relink_attach(struct relink_module_header *header)
{
	const struct rl_api *api = header->runtime ? 0 : rl_api();

	if (api)
		api->attach(header);
}

void relink_detach(struct relink_module_header *header)
{
	if (header->runtime && rl_api())
		rl_api()->detach(header);
}

int relink_init(int *argc, char **argv, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->init(argc, argv, err) : no_runtime(err), err);
}

int relink_apply(const char *list, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->apply(list, err) : no_runtime(err), err);
}

int relink_declare(unsigned what, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->declare(what, err) : no_runtime(err), err);
}

int relink_get_status(struct relink_status *status)
{
	return rl_api() ? rl_api()->get_status(status) : RELINK_E_RUNTIME;
}

int relink_get_facts(struct relink_facts *facts)
{
	return rl_api() ? rl_api()->get_facts(facts) : RELINK_E_RUNTIME;
}

int relink_each_choice(int (*visit)(const struct relink_choice_info *info, void *ctx), void *ctx)
{
	return rl_api() ? rl_api()->each_choice(visit, ctx) : RELINK_E_RUNTIME;
}

int relink_each_site(int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx)
{
	return rl_api() ? rl_api()->each_site(visit, ctx) : RELINK_E_RUNTIME;
}

int relink_each_use(int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx)
{
	return rl_api() ? rl_api()->each_use(visit, ctx) : RELINK_E_RUNTIME;
}

void relink_on_pending(relink_pending_fn *fn, void *ctx)
{
	if (rl_api())
		rl_api()->on_pending(fn, ctx);
}

void relink_on_missing_op(relink_missing_op_fn *fn, void *ctx)
{
	if (rl_api())
		rl_api()->on_missing_op(fn, ctx);
}

/* Any context. Before anybody serves it is kept for the notes. */
void relink_op_missing_(struct relink_op *op, const void *caller)
{
	const struct rl_api *api = __atomic_load_n(&serving, __ATOMIC_ACQUIRE);

	if (api)
		api->missing_op(op, caller);
	else
		rl_missing_op(op, caller);
}

/* Where another version serves, nothing that this copy's modules have was ever unlocked. */
int relink_threads_begin(struct relink_error *err)
{
	return done(rl_api() ? rl_api()->threads_begin(err) : RELINK_OK, err);
}

int relink_threads_ended(struct relink_error *err)
{
	return done(rl_api() ? rl_api()->threads_ended(err) : no_runtime(err), err);
}

void relink_threads_watch(struct relink_watch *watch)
{
	if (rl_api())
		rl_api()->threads_watch(watch);
}

int relink_agent_start(struct relink_error *err)
{
	return done(rl_api() ? rl_api()->agent_start(err) : no_runtime(err), err);
}

/* Where another version serves, this one has started none. */
int relink_agent_stop(struct relink_error *err)
{
	return done(rl_api() ? rl_api()->agent_stop(err) : RELINK_OK, err);
}

/* ---- transactions ---- */

static struct relink_wish *new_wish(struct relink_commit *c)
{
	struct relink_wish *grown;
	size_t capacity = c->capacity ? 2 * c->capacity : 8;

	if (c->count == c->capacity) {
		grown = realloc(c->wishes, capacity * sizeof(*grown));
		if (!grown) {
			c->error = RELINK_E_MEMORY;
			return 0;
		}
		c->wishes = grown;
		c->capacity = capacity;
	}
	grown = &c->wishes[c->count++];
	*grown = (struct relink_wish){ .level = RELINK_BY_PROGRAM };
	return grown;
}

void relink_wish_key(struct relink_commit *c, struct relink_key *key, int state)
{
	struct relink_wish *w = new_wish(c);

	if (w) {
		w->key = key;
		w->state = state;
	}
}

void relink_wish_option(struct relink_commit *c, struct relink_option *option, int state)
{
	struct relink_wish *w = new_wish(c);

	if (w) {
		w->option = option;
		w->state = state;
	}
}

void relink_wish_call(struct relink_commit *c, struct relink_call *call, void (*fn)(void))
{
	struct relink_wish *w = new_wish(c);

	if (w) {
		w->call = call;
		w->fn = fn;
	}
}

void relink_wish_pointer(struct relink_commit *c, void *slot, void (*fn)(void))
{
	struct relink_wish *w = new_wish(c);

	if (w) {
		w->pointer = slot;
		w->fn = fn;
	}
}

void relink_wish_immediate(struct relink_commit *c, struct relink_immediate *immediate, uint64_t value)
{
	struct relink_wish *w = new_wish(c);

	if (w) {
		w->immediate = immediate;
		w->value = value;
	}
}

void relink_wish_named(struct relink_commit *c, const char *name, const char *state, int level)
{
	struct relink_wish *w = new_wish(c);

	if (!w)
		return;
	w->name = name ? strdup(name) : 0;
	w->state_name = state ? strdup(state) : 0;
	w->level = level;
	if (!w->name || (state && !w->state_name))
		c->error = name ? RELINK_E_MEMORY : RELINK_E_ARGUMENT;
}

void relink_wish_uses(struct relink_commit *c, const char *query, int level)
{
	struct relink_wish *w = new_wish(c);

	if (!w)
		return;
	w->uses = query ? strdup(query) : 0;
	w->level = level;
	if (!w->uses)
		c->error = query ? RELINK_E_MEMORY : RELINK_E_ARGUMENT;
}

void relink_commit_discard(struct relink_commit *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->wishes[i].name);
		free(c->wishes[i].state_name);
		free(c->wishes[i].uses);
	}
	free(c->wishes);
	*c = (struct relink_commit)RELINK_COMMIT;
}

/* A buffer that was never written to is full of what calls have left there, return addresses among them. */
static void clear(struct relink_error *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}

static void begin_stop(uintptr_t frame, struct relink_error *err)
{
	clear(err);
	rl_api()->stop_caller(frame);
}

int relink_commit(struct relink_commit *c, int mode, struct relink_error *err)
{
	int r;

	if (mode == RELINK_STOP && rl_api())
		begin_stop((uintptr_t)__builtin_frame_address(0), err);
	if (!rl_api())
		r = no_runtime(err);
	else if (c->error)
		r = rl_fail(err, c->error, 0, c->error == RELINK_E_MEMORY ? "out of memory while collecting" : "a wish without a name");
	else if (mode != RELINK_LIVE && mode != RELINK_STARTUP && mode != RELINK_STOP)
		r = rl_fail(err, RELINK_E_ARGUMENT, 0, "unknown mode");
	else
		r = rl_api()->commit(c->wishes, c->count, mode, err);
	relink_commit_discard(c);
	return done(r, err);
}

int relink_quiesce(unsigned timeout_ms, struct relink_error *err)
{
	uintptr_t caller = (uintptr_t)__builtin_frame_address(0);

	clear(err);
	return done(rl_api() ? rl_api()->quiesce(timeout_ms, caller, err) : no_runtime(err), err);
}

void relink_stop_timeout(unsigned timeout_ms)
{
	if (rl_api())
		rl_api()->stop_timeout(timeout_ms);
}

/* ---- one decision ---- */

static int commit_one(const struct relink_wish *wish, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->commit(wish, 1, RELINK_LIVE, err) : no_runtime(err), err);
}

int relink_uses_query_by(int level, const char *query, struct relink_error *err)
{
	struct relink_wish w = { .uses = (char *)(uintptr_t)query, .level = level };

	if (!query)
		return rl_fail(err, RELINK_E_ARGUMENT, 0, "a NULL query");
	return commit_one(&w, err);
}

int relink_key_set_(struct relink_key *key, int state, struct relink_error *err)
{
	struct relink_wish w = { .key = key, .state = state, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_key_count_(struct relink_key *key, int by, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->key_count(key, by, err) : no_runtime(err), err);
}

int relink_option_set_(struct relink_option *option, int state, struct relink_error *err)
{
	struct relink_wish w = { .option = option, .state = state, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_call_set_(struct relink_call *call, void (*fn)(void), struct relink_error *err)
{
	struct relink_wish w = { .call = call, .fn = fn, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_call_clear_(struct relink_call *call, struct relink_error *err)
{
	struct relink_wish w = { .call = call, .state = RL_NONE, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_pointer_set_(void *slot, void (*fn)(void), struct relink_error *err)
{
	struct relink_wish w = { .pointer = slot, .fn = fn, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_pointer_clear_(void *slot, struct relink_error *err)
{
	struct relink_wish w = { .pointer = slot, .state = RL_NONE, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_pointers_commit(struct relink_error *err)
{
	return done(rl_api() ? rl_api()->commit(0, 0, RELINK_LIVE, err) : no_runtime(err), err);
}

int relink_immediate_set_(struct relink_immediate *immediate, uint64_t value, struct relink_error *err)
{
	struct relink_wish w = { .immediate = immediate, .value = value, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

int relink_immediate_clear_(struct relink_immediate *immediate, struct relink_error *err)
{
	struct relink_wish w = { .immediate = immediate, .state = RL_NONE, .level = RELINK_BY_PROGRAM };

	return commit_one(&w, err);
}

/* ---- the kernel's names ---- */

static void report(int r, const struct relink_error *err)
{
	if (r && rl_api())
		rl_api()->linux_report(err);
}

int relink_linux_key_(struct relink_key *key, struct relink_linux_deferred *d, int what)
{
	struct relink_error err;
	int r = rl_api() ? rl_api()->linux_key(key, d, what, &err) : no_runtime(&err);

	if (what == RELINK_LINUX_COUNT_ && r >= 0)
		return r;
	report(r, &err);
	return what == RELINK_LINUX_COUNT_ ? 0 : r;
}

void relink_linux_update_(struct relink_call *call, void (*fn)(void), int is_void)
{
	struct relink_error err;

	if (!fn && !is_void)
		fn = (void (*)(void))relink_linux_return0;
	report(relink_call_set_(call, fn, &err), &err);
}

relink_linux_target *relink_linux_query_(const struct relink_call *call)
{
	void (*fn)(void) = __atomic_load_n(call->slot, __ATOMIC_ACQUIRE);

	return fn == relink_do_nothing ? 0 : fn;
}

long relink_linux_return0(void)
{
	return 0;
}

void relink_linux_on_error(relink_linux_error_fn *fn, void *ctx)
{
	if (rl_api())
		rl_api()->linux_on_error(fn, ctx);
}

int relink_linux_last_error(struct relink_error *err)
{
	return rl_api() ? rl_api()->linux_last_error(err) : no_runtime(err);
}

int relink_linkage(const struct relink_linkage_options *options, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->linkage(options, err) : no_runtime(err), err);
}

int relink_linkage_revert(const char *module, int mode, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->linkage_revert(module, mode, err) : no_runtime(err), err);
}

int relink_linkage_refresh(int mode, struct relink_error *err)
{
	return done(rl_api() ? rl_api()->linkage_refresh(mode, err) : no_runtime(err), err);
}

/* The loader is about to run a module's constructors. It may do so before there is a runtime; then that looks for itself. */
void relink_linkage_arrived_(const void *caller)
{
	const struct rl_api *api = __atomic_load_n(&serving, __ATOMIC_ACQUIRE);

	if (api)
		api->linkage_arrived(caller);
}

int relink_each_linkage(struct relink_linkage_status *status, int (*visit)(const struct relink_linkage_info *info, void *ctx), void *ctx)
{
	return rl_api() ? rl_api()->linkage_each(status, visit, ctx) : RELINK_E_RUNTIME;
}
