/* SPDX-License-Identifier: MIT */
/* run.h - what `relink run` was asked to do; its parts. */
#ifndef RELINK_TOOL_RUN_H
#define RELINK_TOOL_RUN_H

#include <stdbool.h>
#include <stddef.h>

struct run_options {
	bool dry_run, json, place, now;
	char *linkage;      /* RELINK_LINKAGE, as far as it is known; owned */
	const char **only, **not_; /* names of modules, NULL behind the last; owned, not the names */
	size_t only_count, not_count;
};

/* ---- run_program.c: which file a name means, and what it is ---- */

enum run_kind {
	RUN_DYNAMIC,
	RUN_STATIC,  /* has no calls between modules */
	RUN_REFUSED, /* `why` */
	RUN_MISSING, /* there is no such program; errno says why */
};
struct run_program {
	char path[4096];  /* what is executed: the script, if it is one */
	char file[4096];  /* what the kernel loads: its interpreter */
	unsigned hops;    /* programs (env) that only start the one that is meant */
	char why[256];
};
/* As execvp(3) finds it. */
enum run_kind run_find(const char *name, struct run_program *program);

/* The library to preload. False: `why`. */
bool run_library(char *path, size_t size, char *why, size_t why_size);

#endif
