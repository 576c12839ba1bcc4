/* SPDX-License-Identifier: MIT */
/* place_helper.h - the process that traces this one through its exec. x86-64. */
#ifndef RELINK_TOOL_PLACE_HELPER_H
#define RELINK_TOOL_PLACE_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "place.h"

/* The place for the outcome: an entry of the environment, and how far into it. */
struct place_room {
	size_t entry, offset;
	bool is_there;
};

/* What the helper is to do. */
struct place_task {
	struct place_room room;
	/* The limit of a fixed program's stack is larger during the exec, and this again before it runs: see place.c. */
	struct rlimit stack;
	bool stack_is_wide;
};

struct place_answer {
	pid_t pid;
	char why[PLACE_WORDS]; /* empty: done */
};

#define PLACE_ROOM_SIZE (sizeof(PLACE_ROOM) - 1)

/* The outcome, as long as the room for it. NULL: it is placed. */
void place_fill(char room[PLACE_ROOM_SIZE], const char *why);
/*
 * Whatever this process executes next will be placed, and the outcome written there: a descriptor to close when it could not be
 * executed, and the helper's pid. -1: why not.
 */
int place_helper_start(const struct place_task *task, struct place_answer *answer);

#endif
