/* SPDX-License-Identifier: MIT */
/* report.h - what `relink check` says besides the findings of files. */
#ifndef RELINK_TOOL_REPORT_H
#define RELINK_TOOL_REPORT_H

#include "relink.h"

#define UNUSED_NUMBER 431

/* Suppressions that suppressed nothing. */
struct unused {
	const char *file;
	struct { unsigned line; const char *text; } *rules;
	size_t count;
};

void write_sarif(struct model **models, size_t count, const struct unused *unused);

#endif
