/* SPDX-License-Identifier: MIT */
/* agent_list.h - what a running process says of itself, through its agent. */
#ifndef RELINK_TOOL_AGENT_LIST_H
#define RELINK_TOOL_AGENT_LIST_H

#include "relink.h"

struct process_view {
	enum { PROCESS_CHOICES, PROCESS_SITES, PROCESS_USES } what;
	const char *terms;                 /* of uses: queries, or NULL */
	const char *const *choices, *const *kinds; /* patterns of names, and kinds; any of them */
	size_t choice_count, kind_count;
	bool json;
};

/* STATUS_... */
int list_processes(char **words, size_t count, const struct process_view *view);

#endif
