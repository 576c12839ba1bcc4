/* SPDX-License-Identifier: MIT */
/* baked.c - code that was decided in the file runs on whatever machine the file is put on; this says whether it should. */
#include "core/core.h"

/* The arm that an alternative has become, NULL: the code as compiled. */
static const struct relink_arm *baked_arm(const struct relink_patch_record *p)
{
	const struct relink_arm *arm = (const struct relink_arm *)rl_at_field(&p->ref);
	unsigned n = RELINK_PATCH_ARM(p->flags);

	if (p->kind != RELINK_PATCH_ALTERNATIVE || !rl_is_baked_patch(p) || !n)
		return 0;
	while (--n && !(arm->flags & RELINK_ARM_LAST))
		arm++;
	return arm;
}

int rl_baked_for_others(const struct rl_core *core, const struct rl_module *module)
{
	for (size_t i = 0; i < module->patch_count; i++) {
		const struct relink_arm *arm = baked_arm(&module->patches[i]);

		if (arm && !(arm->flags & RELINK_ARM_KEY) && (core->cpu >> arm->feature & 1) == (arm->flags & RELINK_ARM_NOT))
			return arm->feature;
	}
	return RL_NONE;
}
