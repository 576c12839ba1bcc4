/* SPDX-License-Identifier: MIT */
/* linkage.c - see linkage.h. One instruction each, so in start-up and stop mode any order will do. */
#include "core/linkage.h"

static struct rl_want want_of(const struct rl_link *link, bool bound)
{
	return (struct rl_want){ .what = bound ? RL_FUNCTION : RL_HOME, .address = link->target };
}

static bool expresses(const struct rl_core *core, const struct rl_link *link, bool bound, const uint8_t *bytes)
{
	struct rl_want want = want_of(link, bound);

	return core->port->expresses((enum rl_kind)link->kind, link->address, link->home, &want, bytes);
}

/* Nobody's memcpy may be called here: it may be what changes. */
static void read_code(const struct rl_core *core, const struct rl_link *link, uint8_t bytes[RL_SITE_MAX])
{
	for (size_t i = 0; i < core->port->length[link->kind]; i++)
		bytes[i] = ((const volatile uint8_t *)link->address)[i];
}

bool rl_link_is_intact(const struct rl_core *core, const struct rl_link *link)
{
	uint8_t bytes[RL_SITE_MAX];

	read_code(core, link, bytes);
	return expresses(core, link, link->state == RELINK_LINK_BOUND, bytes);
}

/* Other threads look on: one store, or not at all. */
static enum relink_linkage_state may_change_live(const struct rl_core *core, const struct rl_change_record *change)
{
	if (change->change != RL_STORE && change->change != RL_OPCODE)
		return RELINK_LINK_THREADS;
	return core->one_store ? RELINK_LINK_BOUND : RELINK_LINK_THREADS;
}

static enum relink_linkage_state plan_link(struct rl_plan *plan, const struct rl_link *link, bool bind,
					   struct rl_change_record *change)
{
	const struct rl_core *core = plan->core;
	struct rl_want want = want_of(link, bind);

	*change = (struct rl_change_record){ .address = link->address, .kind = link->kind, .length = core->port->length[link->kind] };
	read_code(core, link, change->old);
	if (!expresses(core, link, !bind, change->old) && !expresses(core, link, bind, change->old))
		return RELINK_LINK_FOREIGN;
	if (core->port->encode((enum rl_kind)link->kind, link->address, link->home, &want, change->old, change->new) != RL_FITS)
		return RELINK_LINK_OUT_OF_RANGE;
	change->change = (uint8_t)core->port->classify((enum rl_kind)link->kind, link->address, change->old, change->new);
	return change->change == RL_SAME || rl_alone(plan) ? RELINK_LINK_BOUND : may_change_live(core, change);
}

/* A bound site that can't go home now stays bound. */
static void note_refusal(struct rl_link *link, bool bind, enum relink_linkage_state state)
{
	if (bind || state == RELINK_LINK_FOREIGN)
		link->state = (uint8_t)state;
}

static void plan_links(struct rl_plan *plan, const struct rl_link_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct rl_change_record *change = &plan->changes[plan->change_count];
		enum relink_linkage_state state;

		if (!job->bind && job->links[i].state != RELINK_LINK_BOUND)
			continue;
		state = plan_link(plan, &job->links[i], job->bind, change);
		if (state != RELINK_LINK_BOUND) {
			note_refusal(&job->links[i], job->bind, state);
			continue;
		}
		job->links[i].state = RL_LINK_PLANNED;
		plan->change_count++;
		plan->writes |= change->change != RL_SAME;
	}
	plan->others = plan->writes && !job->unused;
}

static void settle(const struct rl_link_job *job, bool bound)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->links[i].state == RL_LINK_PLANNED)
			job->links[i].state = bound ? RELINK_LINK_BOUND : RELINK_LINK_HOME;
}

static int run(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;

	if (core->degraded && plan->writes)
		return rl_fail(plan->err, RELINK_E_DEGRADED, 0, core->degraded_text);
	if (plan->others && !core->can_sync && !rl_alone(plan))
		return rl_fail(plan->err, RELINK_E_BARRIER, 0, core->why);
	return plan->writes ? rl_plan_run(plan) : 0;
}

int rl_commit_links(struct rl_core *core, const struct rl_link_job *job, struct relink_error *err)
{
	struct rl_plan plan = { .core = core, .err = err, .changes = job->room, .change_capacity = job->count };
	int r;

	if (!core->can_write)
		return rl_fail(err, RELINK_E_WRITE, 0, core->why);
	r = rl_plan_mode(&plan, job->mode);
	if (r)
		return r;
	if (job->unused)
		plan.alone = plan.quiet = true;
	plan_links(&plan, job);
	r = run(&plan);
	if (plan.ranges)
		core->hooks->free((void *)(uintptr_t)plan.ranges);
	settle(job, job->bind ? !r : r != 0);
	return r;
}
