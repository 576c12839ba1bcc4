/* SPDX-License-Identifier: MIT */
/* site.c - reads the records of branches. */
#include "core/core.h"

static uintptr_t at_field(const int32_t *field)
{
	return (uintptr_t)field + (uintptr_t)(intptr_t)*field;
}

uintptr_t rl_branch_site(const struct relink_branch_record *record)
{
	return at_field(&record->site);
}

unsigned rl_branch_flags(const struct relink_branch_record *record)
{
	return at_field(&record->ref) & 7;
}

struct relink_key *rl_branch_key(const struct relink_branch_record *record)
{
	uintptr_t ref = at_field(&record->ref);

	if (ref & RELINK_BRANCH_DIRECT)
		return (struct relink_key *)(ref & ~(uintptr_t)7);
	return *(struct relink_key **)(ref & ~(uintptr_t)7);
}
