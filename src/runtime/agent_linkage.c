/* SPDX-License-Identifier: MIT */
/* agent_linkage.c - calls between modules, for clients: what is bound, and back. */
#include <string.h>

#include <relink/linkage.h>

#include "runtime/agent.h"

struct listing {
	struct rl_client *client;
	bool full;
};

static void add_calls(struct rl_json *out, const struct relink_linkage_info *info)
{
	rl_json_open(out, "calls", '{');
	for (int state = 0; state < RELINK_LINK_STATES; state++)
		if (info->calls[state])
			rl_json_number(out, relink_linkage_state_name(state), info->calls[state]);
	rl_json_close(out, '}');
}

static int add_module(const struct relink_linkage_info *info, void *ctx)
{
	struct listing *l = ctx;
	struct rl_json *out = &l->client->out;
	size_t mark = out->used;

	rl_json_begin(out);
	rl_json_string(out, "module", info->module);
	rl_json_string(out, "path", info->path);
	rl_json_number(out, "slots", info->slots);
	rl_json_number(out, "lazy", info->lazy);
	rl_json_number(out, "found", info->found);
	rl_json_bool(out, "decoded", info->decoded);
	rl_json_number(out, "learned", info->learned);
	rl_json_number(out, "pages", info->pages);
	rl_json_number(out, "differ", info->differ);
	add_calls(out, info);
	if (info->why)
		rl_json_string(out, "why", info->why);
	rl_json_end(out);
	if (out->full)
		rl_json_rewind(out, mark);
	l->full |= out->full;
	return l->full;
}

static void add_status(struct rl_json *out, const struct relink_linkage_status *status)
{
	static const char *const policies[] = { "hot", "all", "learn", "cached" };
	size_t mark = out->used;

	rl_json_begin(out);
	rl_json_string(out, "policy", policies[status->policy & 3]);
	rl_json_number(out, "start_ns", status->start_ns);
	rl_json_number(out, "learn_ns", status->learn_ns);
	rl_json_number(out, "recorded", status->recorded);
	rl_json_number(out, "watching", status->watching);
	rl_json_string(out, "notes", status->notes);
	rl_json_end(out);
	if (out->full)
		rl_json_rewind(out, mark);
}

int rl_agent_list_linkage(struct rl_client *client)
{
	struct relink_linkage_status status = { .size = sizeof(status) };
	struct listing l = { client, false };
	int r = rl_linkage_list(&status, add_module, &l);

	if (r < 0)
		return r;
	if (status.policy >= 0)
		add_status(&client->out, &status);
	return l.full ? RELINK_E_MEMORY : RELINK_OK;
}
