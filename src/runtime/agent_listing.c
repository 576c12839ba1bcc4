/* SPDX-License-Identifier: MIT */
/*
 * agent_listing.c - choices, sites and status as lines of JSON, some at a time, so that nobody waits long for the lock.
 *
 * Between two parts the lock is let go. Pointers that a listing holds meanwhile are good as long as no module has gone.
 */
#include <string.h>

#include "runtime/agent.h"

#define SITES 512  /* under the lock at a time */
#define CHOICES 64

/* ---- a choice ---- */

static const char *kind_name(int kind)
{
	static const char *const names[] = { "", "key", "call", "option", "ops", "immediate", "pointer" };

	return kind > 0 && (size_t)kind < sizeof(names) / sizeof(*names) ? names[kind] : "";
}

static void add_states(struct rl_json *out, const struct relink_choice_info *info)
{
	rl_json_open(out, "states", '[');
	for (size_t i = 0; i < info->count; i++)
		rl_json_string(out, NULL, info->states[i]);
	rl_json_close(out, ']');
	rl_json_open(out, "usable", '[');
	for (size_t i = 0; i < info->count; i++)
		rl_json_bool(out, NULL, info->usable[i]);
	rl_json_close(out, ']');
}

static void add_asked(struct rl_json *out, const struct relink_choice_info *info)
{
	rl_json_open(out, "asked", '{');
	for (int level = 0; level < RELINK_LEVELS; level++)
		if (info->asked[level])
			rl_json_string(out, relink_level_name(level), info->asked[level]);
	rl_json_close(out, '}');
}

static void add_reasons(struct rl_json *out, const char *key, const uint64_t counts[RELINK_REASONS])
{
	rl_json_open(out, key, '{');
	for (int reason = 0; reason < RELINK_REASONS; reason++)
		if (counts[reason])
			rl_json_number(out, relink_reason_name(reason), counts[reason]);
	rl_json_close(out, '}');
}

/* What every line has, however long the others are. */
static void add_core(struct rl_json *out, const struct relink_choice_info *info, const char *event)
{
	rl_json_begin(out);
	if (event)
		rl_json_string(out, "event", event);
	rl_json_string(out, "choice", info->name);
	rl_json_string(out, "module", info->module);
	rl_json_string(out, "kind", kind_name(info->kind));
	rl_json_string(out, "state", info->state);
	rl_json_string(out, "decided_by", relink_level_name(info->decided_by));
	rl_json_string(out, "default", info->initial);
}

static void add_choice(struct rl_json *out, const struct rl_choice *choice, const char *event)
{
	struct relink_choice_info info;
	size_t mark = out->used;

	rl_describe_choice(choice, &info);
	add_core(out, &info, event);
	rl_json_bool(out, "final", info.flags & RELINK_FINAL);
	rl_json_bool(out, "nonforcible", info.flags & RELINK_NONFORCIBLE);
	add_states(out, &info);
	add_asked(out, &info);
	add_reasons(out, "sites", info.sites);
	rl_json_string(out, "doc", info.doc);
	rl_json_end(out);
	if (!out->full)
		return;
	rl_json_rewind(out, mark);
	add_core(out, &info, event);
	rl_json_bool(out, "shortened", true);
	rl_json_end(out);
	if (out->full)
		rl_json_rewind(out, mark);
}

static bool is_shown(const struct rl_choice *choice)
{
	return !choice->owner && rl_is_listed(&rl_runtime.core, choice);
}

/* `*` and `?`. Only the last star is ever tried again, so that no pattern takes long. */
static bool is_like(const char *name, const char *pattern)
{
	const char *star = NULL, *from = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool matches(const struct rl_client *c, const char *name)
{
	return !*c->pattern || is_like(name, c->pattern);
}

/* ---- lists ---- */

static void done(struct rl_client *c, const char *request, bool lost)
{
	struct rl_json *out = &c->out;

	rl_json_begin(out);
	rl_json_string(out, "done", request);
	rl_json_number(out, "code", 0);
	rl_json_string(out, "name", "RELINK_OK");
	rl_json_string(out, "text", lost ? "incomplete: a module has gone meanwhile; ask again" : "");
	rl_json_number(out, "count", c->count);
	rl_json_bool(out, "complete", !lost);
	rl_json_end(out);
}

static bool has_room(const struct rl_client *c)
{
	return c->out.used - c->sent < RL_AGENT_ENOUGH;
}

/* The choice that the listing goes on with; NULL: the first. */
static enum rl_agent_answer list_choices(struct rl_client *c)
{
	const struct rl_core *core = &rl_runtime.core;
	const struct rl_choice *choice = c->choice ? c->choice : core->choices;
	int n = 0;

	if (c->choice && c->removals != core->removals) {
		done(c, "list", true);
		return RL_ANSWERED;
	}
	for (; choice && n < CHOICES && has_room(c); choice = choice->next, n++)
		if (is_shown(choice) && matches(c, choice->name)) {
			add_choice(&c->out, choice, NULL);
			c->count++;
		}
	c->choice = choice;
	c->removals = core->removals;
	if (choice)
		return RL_MORE;
	done(c, "list", false);
	return RL_ANSWERED;
}

static void add_site(struct rl_json *out, const struct relink_site_info *site)
{
	size_t mark = out->used;

	rl_json_begin(out);
	rl_json_hex(out, "address", site->address);
	rl_json_string(out, "kind", relink_site_kind_name(site->kind));
	rl_json_string(out, "reason", relink_reason_name(site->reason));
	rl_json_string(out, "choice", site->choice);
	rl_json_string(out, "module", site->module);
	rl_json_end(out);
	if (out->full)
		rl_json_rewind(out, mark);
}

static enum rl_agent_answer list_sites(struct rl_client *c)
{
	struct relink_site_info site;

	for (int i = 0; i < SITES && has_room(c); i++) {
		if (!rl_walk_next(&c->walk, &site)) {
			done(c, "sites", c->walk.stage == RL_WALK_LOST);
			return RL_ANSWERED;
		}
		if (matches(c, site.choice)) {
			add_site(&c->out, &site);
			c->count++;
		}
	}
	return RL_MORE;
}

static void add_use(struct rl_json *out, const struct relink_use_info *use)
{
	size_t mark = out->used;

	rl_json_begin(out);
	rl_json_hex(out, "address", use->address);
	rl_json_string(out, "key", use->key);
	rl_json_string(out, "module", use->module);
	rl_json_string(out, "file", use->file);
	rl_json_number(out, "line", use->line);
	rl_json_string(out, "function", use->function);
	rl_json_string(out, "state", use->state ? "on" : "off");
	rl_json_string(out, "decided_by", relink_level_name(use->decided_by));
	rl_json_string(out, "reason", relink_reason_name(use->reason));
	rl_json_string(out, "text", use->text);
	rl_json_end(out);
	if (out->full)
		rl_json_rewind(out, mark);
}

/* Queries without actions, which were understood when they came; what one of them finds is meant, or everything. */
struct selection {
	struct rl_query queries[RL_AGENT_QUERIES];
	struct rl_match matches[RL_AGENT_QUERIES];
	size_t count;
};

static void select_from(struct selection *s, const char *text)
{
	struct rl_queries list = rl_queries_of(text, strlen(text));

	list.selects = true;
	for (s->count = 0; s->count < RL_AGENT_QUERIES && rl_query_next(&list, &s->queries[s->count], NULL) > 0; s->count++)
		s->matches[s->count] = (struct rl_match){ .query = &s->queries[s->count] };
}

static bool is_selected(struct selection *s, const struct rl_walk *walk)
{
	for (size_t i = 0; i < s->count; i++)
		if (rl_match_use(&s->matches[i], walk->group, walk->at - 1))
			return true;
	return !s->count;
}

static enum rl_agent_answer list_uses(struct rl_client *c)
{
	struct selection selection;
	struct relink_use_info use;

	select_from(&selection, c->pattern);
	for (int i = 0; i < SITES && has_room(c); i++) {
		if (!rl_walk_next_use(&c->walk, &use)) {
			done(c, "uses", c->walk.stage == RL_WALK_LOST);
			return RL_ANSWERED;
		}
		if (is_selected(&selection, &c->walk)) {
			add_use(&c->out, &use);
			c->count++;
		}
	}
	return RL_MORE;
}

static const struct {
	const char *request;
	enum rl_agent_answer (*more)(struct rl_client *c);
} listings[] = {
	[RL_LIST_CHOICES] = { "list", list_choices }, [RL_LIST_SITES] = { "sites", list_sites }, [RL_LIST_USES] = { "uses", list_uses },
};

/* The thread has to end: later. Anything else would be the same the next time. */
static enum rl_agent_answer not_locked(struct rl_client *c, const char *request, const struct relink_error *err)
{
	if (rl_agent_must_leave())
		return RL_LATER;
	rl_agent_done(&c->out, request, err->code, relink_error_text(err));
	return RL_ANSWERED;
}

enum rl_agent_answer rl_agent_list_more(struct rl_client *c)
{
	struct relink_error err;
	enum rl_agent_answer answer;

	if (rl_lock(&err))
		return not_locked(c, listings[c->listing].request, &err);
	answer = listings[c->listing].more(c);
	rl_unlock();
	return answer;
}

/* ---- status ---- */

static void add_status(struct rl_json *out, const struct relink_status *s)
{
	rl_json_begin(out);
	rl_json_string(out, "status", s->mode);
	rl_json_number(out, "abi", s->abi);
	rl_json_string(out, "arch", s->arch);
	rl_json_string(out, "writer", s->writer);
	rl_json_string(out, "barrier", s->barrier);
	rl_json_string(out, "notes", s->notes);
	rl_json_string(out, "locks", s->locks);
	rl_json_bool(out, "one_store", s->one_store);
	rl_json_bool(out, "traps", s->traps);
	rl_json_number(out, "modules", s->modules);
	rl_json_number(out, "pending", s->pending);
	rl_json_number(out, "commits", s->commits);
	rl_json_number(out, "barriers", s->barriers);
	rl_json_number(out, "writes", s->writes);
	rl_json_number(out, "memory", s->memory);
	rl_json_open(out, "sites", '{');
	for (int kind = 0; kind < RELINK_SITE_KINDS; kind++)
		add_reasons(out, relink_site_kind_name(kind), s->sites[kind]);
	rl_json_close(out, '}');
	rl_json_end(out);
}

enum rl_agent_answer rl_agent_status(struct rl_client *c)
{
	struct relink_status s = { .size = sizeof(s) };
	int r = rl_get_status(&s);

	if (r && rl_agent_must_leave())
		return RL_LATER;
	if (!r)
		add_status(&c->out, &s);
	rl_agent_done(&c->out, "status", r, r ? "the status can't be had here" : "");
	return RL_ANSWERED;
}

/* ---- events ---- */

static void add_event(struct rl_json *out, const char *event)
{
	rl_json_begin(out);
	rl_json_string(out, "event", event);
	rl_json_end(out);
}

/* A glance without the lock: a change that is missed is looked for again, since whoever made it wakes this thread. */
bool rl_agent_has_events(const struct rl_client *c)
{
	return c->subscribed && (c->choice || !c->ready || __atomic_load_n(&rl_runtime.core.changes, __ATOMIC_RELAXED) != c->seen);
}

static void begin_round(struct rl_client *c)
{
	const struct rl_core *core = &rl_runtime.core;

	if (c->ready && c->seen_removals != core->removals)
		add_event(&c->out, "module-gone");
	c->seen_removals = c->removals = core->removals;
	c->upto = core->changes;
	c->choice = core->choices;
}

static void end_round(struct rl_client *c)
{
	c->seen = c->upto;
	if (!c->ready)
		add_event(&c->out, "ready");
	c->ready = true;
}

/*
 * Rounds through the choices: those that have changed since the last one began are told as they are now. What changes
 * twice before a client has read of it is told once. A round that loses its place begins again.
 */
static void go_on(struct rl_client *c)
{
	const struct rl_choice *choice;
	int n = 0;

	if (!c->choice || c->removals != rl_runtime.core.removals)
		begin_round(c);
	for (choice = c->choice; choice && n < CHOICES && has_room(c); choice = choice->next, n++)
		if (is_shown(choice) && (!c->ready || choice->changed > c->seen))
			add_choice(&c->out, choice, "choice");
	c->choice = choice;
	if (!choice)
		end_round(c);
}

enum rl_agent_answer rl_agent_events(struct rl_client *c)
{
	struct relink_error err;

	if (rl_lock(&err)) {
		c->closing = not_locked(c, "subscribe", &err) == RL_ANSWERED;
		return RL_ANSWERED;
	}
	go_on(c);
	rl_unlock();
	return RL_MORE;
}
