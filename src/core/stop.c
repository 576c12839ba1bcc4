/* SPDX-License-Identifier: MIT */
/*
 * stop.c - stop mode: all other threads stand still while code changes, and none of them inside of what changes.
 *
 * Of one instruction no thread is ever half way through, so that ranges of one are looked at for a pc only. Flips of
 * branches, which are not listed, are such. What parks (see the platform) needs no memory from here on, and nothing
 * here may ask for any: a thread may stand still in the middle of malloc.
 */
#include "core/core.h"

static enum rl_range_kind kind_of(const struct rl_change_record *c)
{
	return c->kind == RL_ALTERNATIVE || c->kind == RL_SEQUENCE ? RL_RANGE_SEVERAL : RL_RANGE_ONE;
}

/* Long sequences are changed in several pieces, one behind the other: a frame between two is inside. Returns how many
 * ranges. */
static size_t list_changes(const struct rl_plan *plan, struct rl_range *list)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->change_count; i++) {
		const struct rl_change_record *c = &plan->changes[i];
		struct rl_range range = { .start = c->address, .stop = c->address + c->length, .kind = kind_of(c) };

		if (c->change == RL_SAME)
			continue;
		if (n && range.kind == RL_RANGE_SEVERAL && list[n - 1].kind == range.kind && list[n - 1].stop == range.start)
			list[n - 1].stop = range.stop;
		else
			list[n++] = range;
	}
	return n;
}

struct thunks {
	struct rl_range *list; /* NULL: they are counted */
	size_t count;
};

/* Up to the room for a copy. The first instruction has left the site, so it is inside. */
static int add_thunk(const struct rl_module *module, const struct relink_patch_record *patch, void *ctx)
{
	const struct relink_sequence_use *use = (const void *)rl_at_field(&patch->ref);
	struct thunks *t = ctx;

	(void)module;
	if (t->list)
		t->list[t->count] = (struct rl_range){ rl_at_field(&use->thunk) - 1, rl_at_field(&use->copy), RL_RANGE_ONE, false };
	t->count++;
	return 0;
}

/*
 * Thunks do not change, but the pointer that they call through does: a thread between the site and that call would find what
 * stands there when no function is bound. Who is in the function already comes back to a thunk as it was.
 */
static size_t list_thunks(const struct rl_plan *plan, struct rl_range *list)
{
	struct thunks t = { list, 0 };

	for (size_t i = 0; i < plan->choice_count; i++)
		if ((plan->choices[i]->flags & RELINK_SEQUENCE_FLAG) && rl_call_moves(plan->choices[i]))
			rl_each_patch(plan->core, plan->choices[i], add_thunk, &t);
	return t.count;
}

static bool list_ranges(const struct rl_plan *plan, struct rl_ranges *ranges)
{
	const struct rl_hooks *hooks = plan->core->hooks;
	struct rl_range *list = hooks->alloc((plan->change_count + list_thunks(plan, 0) + hooks->range_count + 1) * sizeof(*list));

	ranges->list = list;
	if (!list)
		return false;
	ranges->count = list_changes(plan, list);
	ranges->count += list_thunks(plan, list + ranges->count);
	for (size_t i = 0; i < hooks->range_count; i++)
		list[ranges->count++] = hooks->ranges[i];
	rl_ranges_summarise(ranges);
	return true;
}

static int fail_stop(struct rl_plan *plan, const struct rl_ranges *ranges, const char *why)
{
	const struct rl_range *r = ranges->inside;
	char reason[320];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, why);
	rl_text_add(&t, "; nothing has changed");
	return rl_fail_at(plan, RELINK_E_STOP, r ? r->start : 0, r ? r->stop - r->start : 0, reason);
}

static int park(struct rl_plan *plan, struct rl_ranges *ranges)
{
	struct rl_core *core = plan->core;
	char why[256];

	if (ranges->frames && core->foreign_stacks)
		return rl_fail(plan->err, RELINK_E_STOP, 0,
			       "the program has stacks that no thread runs on (RELINK_FOREIGN_STACKS): they may return into code that is to change; nothing has changed");
	return core->hooks->park(ranges, why, sizeof(why)) ? fail_stop(plan, ranges, why) : 0;
}

static bool changes_anything(const struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count && !plan->writes; i++)
		if (rl_call_moves(plan->choices[i]))
			return true;
	return plan->writes;
}

int rl_stop_begin(struct rl_plan *plan)
{
	struct rl_ranges ranges = { 0 };
	int r;

	plan->stop = plan->stop && changes_anything(plan);
	if (!plan->stop)
		return 0;
	if (!list_ranges(plan, &ranges))
		return rl_fail(plan->err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	r = park(plan, &ranges);
	plan->ranges = ranges.list; /* freed when everybody runs again */
	return r;
}

void rl_stop_end(struct rl_plan *plan)
{
	if (plan->stop)
		plan->core->hooks->resume();
}
