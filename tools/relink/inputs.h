/* SPDX-License-Identifier: MIT */
/* inputs.h - see inputs.c. */
#ifndef RELINK_TOOL_INPUTS_H
#define RELINK_TOOL_INPUTS_H

#include "relink.h"

struct inputs {
	struct model **models;
	size_t count, capacity;
};

/* What can't be read is complained about; `status` gets worse. */
void inputs_open(struct inputs *in, char **paths, size_t count, int *status);

#endif
