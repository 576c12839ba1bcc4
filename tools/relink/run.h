/* SPDX-License-Identifier: MIT */
/* run.h - what `relink run` was asked to do; its parts. */
#ifndef RELINK_TOOL_RUN_H
#define RELINK_TOOL_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_options {
	bool dry_run, json, place, now;
	char *linkage;      /* RELINK_LINKAGE, as far as it is known; owned */
	const char *budget; /* as it was written; NULL: it was not */
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

#define RUN_LIBRARY "librelink-run.so"
/*
 * Where it is, seen from the program (NULL behind the last): as installed first. Each of the two programs has its own list, so that
 * neither looks above the folders that installing or building made, where anybody could have put a library.
 */
extern const char *const run_library_places[];
/* The library to preload. False: `why`. */
bool run_library(char *path, size_t size, char *why, size_t why_size);

/* ---- loader.c: which modules a program would have ---- */

struct loaded_list {
	char **paths;       /* the program first */
	size_t count;
};
/*
 * Asks the program's own loader; nothing of the program runs. False: `why`. `file` is a dynamic program's, `bytes` what is in it.
 */
bool loader_list(const char *file, const uint8_t *bytes, size_t size, struct loaded_list *list, char *why, size_t why_size);
void loader_free(struct loaded_list *list);

/* ---- linkage_plan.c ---- */

/* What could be bound in the program that was found as `program`, to standard output. Returns an exit status. */
int plan_show(const char *name, const struct run_program *program, const struct run_options *options);

#endif
