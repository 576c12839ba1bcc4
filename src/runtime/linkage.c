/* SPDX-License-Identifier: MIT */
/* linkage.c - the functions of relink/linkage.h. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/linkage.h"

#define PAGE 4096u

struct rl_linkage_runtime rl_linkage;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- locks ---- */

typedef int locked_fn(const void *ctx, struct relink_error *err);

struct locked {
	locked_fn *fn;
	const void *ctx;
	struct relink_error *err;
	int result;
};

static int run_locked(const struct rl_loaded *first, void *context)
{
	struct locked *l = context;

	l->result = rl_lock(l->err);
	if (l->result)
		return 1;
	rl_linkage_bury(first->removals);
	rl_linkage_tidy();
	l->result = l->fn(l->ctx, l->err);
	rl_unlock();
	return 1;
}

/* A visitor that calls relink. */
static __thread bool inside __attribute__((tls_model("initial-exec")));

/* The loader's comes first, and keeps all modules where they are. Before it the recorder's work has ended. */
static int with_locks(locked_fn *fn, const void *ctx, struct relink_error *err)
{
	struct locked l = { fn, ctx, err, RELINK_E_CONTEXT };
	bool held;

	if (inside)
		return rl_fail(err, RELINK_E_CONTEXT, 0, "called from a visitor, or from a signal handler that interrupted relink");
	inside = true;
	held = rl_recorder_hold();
	rl_each_loaded(run_locked, &l);
	if (held)
		rl_recorder_release();
	inside = false;
	return l.result;
}

/* ---- start ---- */

static int refuse_closed(struct relink_error *err)
{
	return rl_fail(err, RELINK_E_CONTEXT, 0, "the process has shut itself in (seccomp): nothing is written any more");
}

/* They want to see every call. */
static const char *refused(void)
{
	if (rl_secure())
		return "the process has more rights than its user (AT_SECURE)";
	if (getenv("LD_AUDIT"))
		return "an auditor wants to see calls between libraries (LD_AUDIT is set)";
	if (getenv("LD_PROFILE"))
		return "a profiler wants to see calls between libraries (LD_PROFILE is set)";
	return NULL;
}

/* -Wl,--audit: the program itself says who. */
static bool is_audited(void)
{
	uint64_t unused;

	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		const struct rl_linked *m = rl_linkage.modules[i];

		if (m->main && (rl_view_dynamic(&m->view, DT_AUDIT, false, &unused) || rl_view_dynamic(&m->view, DT_DEPAUDIT, false, &unused)))
			return true;
	}
	return false;
}

static bool take_options(const struct relink_linkage_options *options)
{
	struct relink_linkage_options *mine = &rl_linkage.options;
	char *only = options->only ? strdup(options->only) : NULL, *not_ = options->not_ ? strdup(options->not_) : NULL;

	if ((options->only && !only) || (options->not_ && !not_)) {
		free(only);
		free(not_);
		return false;
	}
	free((char *)(uintptr_t)mine->only);
	free((char *)(uintptr_t)mine->not_);
	*mine = *options;
	rl_linkage.reverted = false;
	mine->only = only;
	mine->not_ = not_;
	return true;
}

static bool are_in_the_way(void)
{
	bool threads = false;

	for (size_t i = 0; i < rl_linkage.link_count; i++) {
		if (rl_linkage.links[i].state == RELINK_LINK_BOUND)
			return false;
		threads |= rl_linkage.links[i].state == RELINK_LINK_THREADS;
	}
	return threads;
}

static int begin(struct relink_error *err)
{
	int r;

	if (!rl_runtime.core.can_write)
		return rl_fail(err, RELINK_E_WRITE, 0, rl_runtime.core.why);
	if (!rl_linkage_look())
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	if (is_audited())
		return rl_fail(err, RELINK_E_CONTEXT, 0, "an auditor wants to see calls between libraries (the program was linked with --audit)");
	rl_text_aside();
	r = rl_links_make_room(0) ? rl_links_bind_new(NULL, err) : rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	if (!rl_linkage_learns())
		rl_linkage_unwatch(NULL, false);
	rl_linkage_watch();
	__atomic_store_n(&rl_linkage.started, true, __ATOMIC_RELEASE);
	if (!r && are_in_the_way())
		r = rl_fail(err, RELINK_E_THREADS, 0, "other threads run, and one store can't change these calls; bind before they start");
	return r;
}

static int start(const void *options, struct relink_error *err)
{
	uint64_t began = now();
	struct relink_error mine;
	int r = take_options(options) ? begin(&mine) : rl_fail(&mine, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");

	if (r)
		rl_linkage_note(relink_error_text(&mine), "");
	if (r && err)
		*err = mine;
	rl_linkage.began = rl_linkage.looked = began;
	rl_linkage.start_ns += now() - began;
	return r;
}

int rl_linkage_start(const struct relink_linkage_options *options, struct relink_error *err)
{
	const char *why = refused();

	if (!options || options->size != sizeof(*options) || options->policy < 0 || options->policy > RELINK_LINKAGE_CACHED)
		return rl_fail(err, RELINK_E_ARGUMENT, 0, "options are not initialised with RELINK_LINKAGE_OPTIONS, or have an unknown policy");
	if (why)
		return rl_fail(err, RELINK_E_CONTEXT, 0, why);
	if (rl_linkage.closed)
		return refuse_closed(err);
	return with_locks(start, options, err);
}

/* ---- back ---- */

static bool is_asked_for(const struct rl_linked *m, const char *name)
{
	size_t length = strlen(m->name), so = (size_t)(strstr(m->name, ".so") ? strstr(m->name, ".so") - m->name : 0);

	return !name || (strlen(name) == length && !strcmp(m->name, name)) || (so && strlen(name) == so && !strncmp(m->name, name, so));
}

/* Of those links that `wanted` says, which move to the end of nothing: they are copied out and back in. */
struct selection {
	struct rl_link *links;
	uint32_t *at;
	size_t count;
};

typedef bool wanted_link(const struct rl_link *link, const void *ctx);

static bool select_links(wanted_link *wanted, const void *ctx, struct selection *s)
{
	struct rl_linkage_runtime *l = &rl_linkage;

	s->count = 0;
	s->links = calloc(l->link_count + 1, sizeof(*s->links));
	s->at = calloc(l->link_count + 1, sizeof(*s->at));
	if (!s->links || !s->at)
		return false;
	for (size_t i = 0; i < l->link_count; i++)
		if (l->links[i].state == RELINK_LINK_BOUND && !l->modules[l->links[i].module]->gone && wanted(&l->links[i], ctx)) {
			s->at[s->count] = (uint32_t)i;
			s->links[s->count++] = l->links[i];
		}
	return true;
}

static int lead_home(wanted_link *wanted, const void *ctx, int mode, int state, struct relink_error *err)
{
	struct selection s;
	struct rl_link_job job = { .mode = mode };
	size_t stay = 0;
	int r = RELINK_E_MEMORY;

	if (select_links(wanted, ctx, &s) && (job.room = calloc(s.count + 1, sizeof(*job.room)))) {
		job.links = s.links;
		job.count = s.count;
		r = rl_links_commit(&job, err);
		for (size_t i = 0; i < s.count; i++) {
			if (s.links[i].state == RELINK_LINK_HOME)
				s.links[i].state = (uint8_t)state;
			stay += s.links[i].state == RELINK_LINK_BOUND;
			rl_linkage.links[s.at[i]] = s.links[i];
		}
	} else {
		rl_fail(err, r, 0, "out of memory; nothing has changed");
	}
	free(job.room);
	free(s.links);
	free(s.at);
	if (!r && (stay || !rl_stubs_are_home()))
		r = rl_fail(err, RELINK_E_MODE, 0, "some calls stay bound: other threads run, and one store can't change these; "
			    "use RELINK_STOP (relink linkage without --live)");
	return r;
}

static bool is_of_module(const struct rl_link *link, const void *name)
{
	return is_asked_for(rl_linkage.modules[link->module], name);
}

struct reverting {
	const char *name;
	int mode;
};

static int revert(const void *ctx, struct relink_error *err)
{
	const struct reverting *what = ctx;
	bool known = !what->name;

	rl_linkage_look();
	rl_linkage.reverted |= known;
	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		struct rl_linked *m = rl_linkage.modules[i];

		if (m->gone || m->never || !is_asked_for(m, what->name))
			continue;
		known = true;
		rl_linkage_unwatch(m, false);
		m->why = RL_REVERTED;
	}
	if (!known)
		return rl_fail(err, RELINK_E_UNKNOWN, 0, "no module of that name is loaded, or none whose calls could be bound");
	rl_stubs_lead_home(what->mode);
	return lead_home(is_of_module, what->name, what->mode, RELINK_LINK_HOME, err);
}

int rl_linkage_revert(const char *module, int mode, struct relink_error *err)
{
	const struct reverting what = { module, mode };

	if (rl_linkage.closed)
		return refuse_closed(err);
	return with_locks(revert, &what, err);
}

/* ---- what has changed since ---- */

static bool has_changed(const struct rl_linked_slot *slot)
{
	uint8_t state;

	return slot->bound && !rl_slot_module(slot)->gone && rl_slot_target(slot, &state) != slot->bound;
}

static bool is_of_changed(const struct rl_link *link, const void *ctx)
{
	(void)ctx;
	return has_changed(&rl_linkage.slots[link->slot]);
}

static int lead_changed_home(int mode, struct relink_error *err)
{
	int changed = 0, r;

	rl_stubs_follow();
	for (size_t i = 0; i < rl_linkage.slot_count; i++)
		changed += has_changed(&rl_linkage.slots[i]);
	if (!changed)
		return 0;
	r = lead_home(is_of_changed, 0, mode, RELINK_LINK_CHANGED, err);
	for (size_t i = 0; i < rl_linkage.slot_count && !r; i++)
		if (has_changed(&rl_linkage.slots[i]))
			rl_linkage.slots[i].bound = 0;
	return r ? r : changed;
}

static int refresh(const void *mode, struct relink_error *err)
{
	int changed = rl_linkage_look() ? lead_changed_home(*(const int *)mode, err) : rl_fail(err, RELINK_E_MEMORY, 0, "out of memory");

	if (changed >= 0 && rl_linkage.started) {
		rl_links_bind_new(NULL, 0);
		rl_linkage_watch();
	}
	return changed;
}

int rl_linkage_refresh(int mode, struct relink_error *err)
{
	if (rl_linkage.closed)
		return refuse_closed(err);
	return with_locks(refresh, &mode, err);
}

/* ---- what happens to the process ---- */

/* Each module calls for itself: others that are new may be in use. */
static int arrive(const void *caller, struct relink_error *err)
{
	size_t before = rl_linkage.module_count;

	if (rl_linkage_look() && before < rl_linkage.module_count) {
		rl_links_bind_new(rl_linked_at((uintptr_t)caller), err);
		rl_linkage_watch();
	}
	return lead_changed_home(RELINK_LIVE, err);
}

void rl_linkage_arrived(const void *caller)
{
	if (__atomic_load_n(&rl_linkage.started, __ATOMIC_ACQUIRE) && !rl_linkage.closed)
		with_locks(arrive, caller, 0);
}

void rl_linkage_before_fork(void)
{
	rl_linkage.had_threads = !rl_recorder_is_single();
}

void rl_linkage_after_fork(void)
{
	rl_linkage.orphan |= rl_linkage.had_threads;
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		rl_linkage.modules[i]->news = false;
}

static int finish(const void *unused, struct relink_error *err)
{
	(void)unused, (void)err;
	rl_linkage_remember();
	rl_hot_save();
	return 0;
}

void rl_linkage_at_exit(void)
{
	if (rl_linkage.started && !rl_linkage.closed && !rl_linkage.orphan)
		with_locks(finish, 0, 0);
}

/* ---- listing ---- */

static bool differs(const struct rl_link *link)
{
	uint8_t state;

	return link->state == RELINK_LINK_BOUND &&
	       (!rl_link_is_intact(&rl_runtime.core, link) || rl_slot_target(&rl_linkage.slots[link->slot], &state) != link->target);
}

static void describe(const struct rl_linked *m, struct relink_linkage_info *info)
{
	const struct rl_linkage_runtime *l = &rl_linkage;

	*info = (struct relink_linkage_info){ .size = sizeof(*info), .module = m->name, .path = m->path, .why = m->why,
					      .learned = m->learned, .pages = m->pages, .decoded = m->decoded };
	for (size_t i = m->first; i < m->first + m->count; i++) {
		uint8_t state = RELINK_LINK_HOME;

		info->slots++;
		info->lazy += !rl_slot_target(&l->slots[i], &state) && state == RELINK_LINK_LAZY;
	}
	for (size_t i = 0; i < l->link_count; i++) {
		const struct rl_link *link = &l->links[i];

		if (l->modules[link->module] != m)
			continue;
		info->found++;
		info->calls[link->state]++;
		info->differ += l->options.flags & RELINK_LINKAGE_VERIFY && differs(link);
	}
	info->found = m->decoded ? m->found : info->found;
}

static void describe_all(struct relink_linkage_status *status)
{
	const struct rl_linkage_runtime *l = &rl_linkage;
	struct rl_text notes = rl_text_into(status->notes, sizeof(status->notes));

	status->policy = l->started ? l->options.policy : -1;
	status->closed = l->closed;
	status->start_ns = l->start_ns;
	status->learn_ns = l->learn_ns;
	status->recorded = rl_recorder_total();
	status->watching = 0;
	for (size_t i = 0; i < l->slot_count; i++)
		status->watching += l->slots[i].watch && !l->modules[l->slots[i].module]->gone && l->slots[i].watch->state != RL_WATCH_OFF;
	rl_text_add(&notes, l->notes);
}

struct visit {
	struct relink_linkage_status *status;
	int (*visit)(const struct relink_linkage_info *info, void *ctx);
	void *ctx;
};

static int list(const void *ctx, struct relink_error *err)
{
	const struct visit *v = ctx;
	int r = 0;

	(void)err;
	if (v->status)
		describe_all(v->status);
	if (!rl_linkage.started)
		return 0;
	rl_linkage_look();
	for (size_t i = 0; i < rl_linkage.module_count && !r; i++) {
		struct relink_linkage_info info;

		if (rl_linkage.modules[i]->gone)
			continue;
		describe(rl_linkage.modules[i], &info);
		r = v->visit(&info, v->ctx);
	}
	return r;
}

int rl_linkage_list(struct relink_linkage_status *status, int (*visit)(const struct relink_linkage_info *info, void *ctx), void *ctx)
{
	const struct visit v = { status, visit, ctx };

	/* Even a lock may ask the kernel for something that a sandbox kills for. */
	if (!visit) {
		if (status)
			status->closed = rl_linkage.closed;
		return 0;
	}
	return with_locks(list, &v, 0);
}
