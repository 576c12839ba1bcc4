/* SPDX-License-Identifier: MIT */
/*
 * missing.c - somebody has called a member of an ops table that the bound backend has not.
 *
 * That may be anywhere, also in a signal handler or in a commit: nothing here locks or allocates.
 */
#include "runtime/runtime.h"

void rl_on_missing_op(relink_missing_op_fn *fn, void *ctx)
{
	__atomic_store_n(&rl_runtime.missing_fn, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&rl_runtime.missing_ctx, ctx, __ATOMIC_RELEASE);
	__atomic_store_n(&rl_runtime.missing_fn, fn, __ATOMIC_RELEASE);
}

void rl_missing_op(struct relink_op *op, const void *caller)
{
	relink_missing_op_fn *fn = __atomic_load_n(&rl_runtime.missing_fn, __ATOMIC_ACQUIRE);
	const void *nobody = 0;

	if (fn)
		fn(op->list->ops->name, op->name, caller, __atomic_load_n(&rl_runtime.missing_ctx, __ATOMIC_ACQUIRE));
	else
		__atomic_compare_exchange_n(&op->missed, &nobody, caller, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void list_missed(struct rl_text *t, const struct rl_choice *table, const struct relink_op *op)
{
	const void *caller = __atomic_load_n(&op->missed, __ATOMIC_RELAXED);

	if (!caller)
		return;
	rl_text_add(t, table->name);
	rl_text_add(t, ": ");
	rl_text_add(t, op->name);
	rl_text_add(t, " was called from ");
	rl_text_add_hex(t, (uintptr_t)caller);
	rl_text_add(t, " while the backend had no such operation\n");
}

void rl_list_missed(struct rl_text *t)
{
	for (const struct rl_choice *c = rl_runtime.core.choices; c; c = c->next)
		for (size_t i = 0; i < c->member_count; i++)
			list_missed(t, c, c->members[i]->op);
}
