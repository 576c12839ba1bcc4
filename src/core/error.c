/* SPDX-License-Identifier: MIT */
/* error.c - error values: what failed, where, why. */
#include "core/core.h"

static void set_names(struct relink_error *err, const struct rl_choice *choice, const struct rl_module *module)
{
	struct rl_text t = rl_text_into(err->choice, sizeof(err->choice));

	if (choice)
		rl_text_add(&t, choice->name);
	t = rl_text_into(err->module, sizeof(err->module));
	if (module)
		rl_text_add(&t, module->name);
}

int rl_fail_site(struct relink_error *err, int code, const struct rl_choice *choice, const struct rl_module *module,
		 uintptr_t site, const char *reason)
{
	struct rl_text t;

	if (!err)
		return code;
	err->code = code;
	err->site = site;
	set_names(err, choice, module);
	t = rl_text_into(err->text, sizeof(err->text));
	rl_text_add(&t, err->choice);
	rl_text_add(&t, choice && module ? " in " : "");
	rl_text_add(&t, err->module);
	rl_text_add(&t, choice || module ? ": " : "");
	if (site) {
		rl_text_add(&t, "site ");
		rl_text_add_hex(&t, site);
		if (module) {
			rl_text_add(&t, " (text+");
			rl_text_add_hex(&t, site - module->text_start);
			rl_text_add(&t, ")");
		}
		rl_text_add(&t, ": ");
	}
	rl_text_add(&t, reason);
	return code;
}

int rl_fail(struct relink_error *err, int code, const struct rl_choice *choice, const char *reason)
{
	return rl_fail_site(err, code, choice, choice ? choice->module : 0, 0, reason);
}

int rl_fail_unknown(const struct rl_core *core, struct relink_error *err, const char *name, size_t length)
{
	char reason[512];
	struct rl_text t = rl_text_into(reason, sizeof(reason));
	const char *between = "";

	rl_text_add(&t, "no choice is named '");
	rl_text_add_n(&t, name, length);
	rl_text_add(&t, "'; there are: ");
	for (const struct rl_choice *c = core->choices; c; c = c->next) {
		if (c->owner)
			continue;
		if (!rl_is_listed(core, c))
			continue;
		rl_text_add(&t, between);
		rl_text_add(&t, c->name);
		between = ", ";
	}
	return rl_fail(err, RELINK_E_UNKNOWN, 0, reason);
}

/* Any number is a state of an immediate, if it fits. */
static int fail_number(struct relink_error *err, const struct rl_choice *choice, const char *text, size_t length)
{
	char reason[160];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, "'");
	rl_text_add_n(&t, text, length < 64 ? length : 64);
	rl_text_add(&t, choice->flags & RELINK_SIGNED ? "' is no signed number of " : "' is no unsigned number of ");
	rl_text_add_dec(&t, 8 * choice->width);
	rl_text_add(&t, " bits, in decimal or with 0x");
	return rl_fail(err, RELINK_E_STATE, choice, reason);
}

int rl_fail_baked(struct relink_error *err, const struct rl_choice *choice)
{
	char reason[200];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, "baked into this file as ");
	rl_text_add(&t, rl_state_name(choice, choice->initial));
	rl_text_add(&t, " and can't be changed; run the file that it was made from, or bake that one anew");
	return rl_fail(err, RELINK_E_BAKED, choice, reason);
}

int rl_fail_state(struct relink_error *err, const struct rl_choice *choice, const char *state, size_t length)
{
	char reason[512];
	struct rl_text t = rl_text_into(reason, sizeof(reason));
	const char *between = "";

	if (choice->immediate)
		return fail_number(err, choice, state, length);
	rl_text_add(&t, "no state '");
	rl_text_add_n(&t, state, length);
	rl_text_add(&t, "'; there are: ");
	for (size_t i = 0; i < choice->count; i++) {
		if (choice->variants && !choice->variants[i].module)
			continue;
		rl_text_add(&t, between);
		rl_text_add(&t, choice->states[i]);
		if (!choice->usable[i])
			rl_text_add(&t, " (not on this machine)");
		between = ", ";
	}
	return rl_fail(err, RELINK_E_STATE, choice, reason);
}
