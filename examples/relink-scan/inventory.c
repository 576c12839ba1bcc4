/* SPDX-License-Identifier: MIT */
/* inventory.c - a copy of what relink knows of this program's choices, and commits over those that the phases may change. */
#include "inventory.h"

#include <stdlib.h>
#include <string.h>

#include "samples.h"
#include "util.h"

static void copy_states(struct choice *c, const struct relink_choice_info *info)
{
	c->count = info->count;
	c->states = alloc(c->count, sizeof(*c->states));
	c->usable = alloc(c->count, sizeof(*c->usable));
	for (size_t i = 0; i < c->count; i++) {
		c->states[i] = copy_string(info->states[i]);
		c->usable[i] = info->usable[i];
	}
}

/* Called by relink for each choice: only copies. */
static int visit(const struct relink_choice_info *info, void *ctx)
{
	struct inventory *v = ctx;
	struct choice *c;

	v->list = grow(v->list, v->count + 1, sizeof(*v->list));
	c = &v->list[v->count++];
	*c = (struct choice){
		.name = copy_string(info->name),
		.doc = copy_string(info->doc ? info->doc : ""),
		.state = copy_string(info->state),
		.initial = copy_string(info->initial),
		.kind = info->kind,
		.decided_by = info->decided_by,
		.flags = info->flags,
		.bound = info->sites[RELINK_BOUND],
	};
	for (int i = 0; i < RELINK_REASONS; i++)
		c->sites += info->sites[i];
	copy_states(c, info);
	return 0;
}

void inventory_read(struct inventory *v)
{
	*v = (struct inventory){ 0 };
	relink_each_choice(visit, v);
}

void inventory_free(struct inventory *v)
{
	for (size_t i = 0; i < v->count; i++) {
		struct choice *c = &v->list[i];

		for (size_t k = 0; k < c->count; k++)
			free(c->states[k]);
		free(c->states);
		free(c->usable);
		free(c->name);
		free(c->doc);
		free(c->state);
		free(c->initial);
		free(c->why);
	}
	free(v->list);
}

const struct choice *inventory_find(const struct inventory *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->list[i].name, name) == 0)
			return &v->list[i];
	return NULL;
}

struct inventory inventory_of(const struct choice *c)
{
	return (struct inventory){ .list = (struct choice *)c, .count = 1 };
}

static bool can_become(const struct choice *c, size_t state)
{
	return c->usable[state] && strcmp(c->states[state], c->state) != 0;
}

const char *choice_other(const struct choice *c)
{
	const char *other = NULL;

	for (size_t i = 0; i < c->count; i++)
		if (can_become(c, i) && (!other || strcmp(c->states[i], c->initial) == 0))
			other = c->states[i];
	return other;
}

static char *why_not(const struct choice *c)
{
	struct relink_commit commit = RELINK_COMMIT;
	struct relink_error err;
	const char *other = choice_other(c);

	if (c->decided_by == RELINK_BY_FORCE || (c->decided_by >= RELINK_BY_FILE && c->decided_by < RELINK_BY_PROGRAM))
		return join("decided by the ", "", relink_level_name(c->decided_by));
	if (!other)
		return copy_string("no other state is usable here and now");
	relink_set(&commit, c->name, other);
	if (relink_commit(&commit, RELINK_LIVE, &err) < 0)
		return copy_string(relink_error_text(&err));
	relink_unset(&commit, c->name);
	return relink_commit(&commit, RELINK_LIVE, &err) < 0 ? copy_string(relink_error_text(&err)) : NULL;
}

void inventory_try(struct inventory *v)
{
	for (size_t i = 0; i < v->count; i++) {
		v->list[i].why = why_not(&v->list[i]);
		v->list[i].changes = v->list[i].why == NULL;
	}
}

int inventory_set_generic(const struct inventory *v, struct relink_error *err)
{
	struct relink_commit commit = RELINK_COMMIT;

	for (size_t i = 0; i < v->count; i++)
		if (v->list[i].changes && v->list[i].kind == RELINK_CALL)
			relink_set(&commit, v->list[i].name, v->list[i].initial);
	return relink_commit(&commit, RELINK_LIVE, err);
}

int inventory_release(const struct inventory *v, struct relink_error *err)
{
	struct relink_commit commit = RELINK_COMMIT;

	for (size_t i = 0; i < v->count; i++)
		if (v->list[i].changes)
			relink_unset(&commit, v->list[i].name);
	return relink_commit(&commit, RELINK_LIVE, err);
}

static const char *random_state(const struct choice *c, uint64_t *random)
{
	size_t i;

	do
		i = random_next(random) % c->count;
	while (!c->usable[i]);
	return c->states[i];
}

int inventory_set_random(const struct inventory *v, uint64_t *random, uint64_t *ns, struct relink_error *err)
{
	struct relink_commit commit = RELINK_COMMIT;
	uint64_t start;
	int status;

	for (size_t i = 0; i < v->count; i++)
		if (v->list[i].changes)
			relink_set(&commit, v->list[i].name, random_state(&v->list[i], random));
	start = now_ns();
	status = relink_commit(&commit, RELINK_LIVE, err);
	*ns = now_ns() - start;
	return status;
}
