/* SPDX-License-Identifier: MIT */
/* launch.h - runs a compiler or an assembler, and knows what it has written. */
#ifndef RELINK_TOOL_LAUNCH_H
#define RELINK_TOOL_LAUNCH_H

#include <stddef.h>

/* Its status; 128 and more: a signal; 2, and a complaint: it could not be run. */
int launch_wait(char **argv);
/* The program of that name which `variable` names, or the first in PATH that is not this one; to be freed. NULL: there is none. */
char *launch_next(const char *name, const char *variable);

struct outputs {
	char **paths;
	size_t count;
};
/* Object files that this command line has written; none if it preprocesses, or links in one go. */
struct outputs outputs_of_compiler(char **argv);
struct outputs outputs_of_assembler(char **argv);
void outputs_free(struct outputs *outputs);

#endif
