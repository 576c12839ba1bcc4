/* SPDX-License-Identifier: MIT */
/* walk.h - finds the regular files of directories, in order of their names. Follows no symbolic links but those it is given. */
#ifndef SCAN_WALK_H
#define SCAN_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct walk {
	/* Takes a file; `given` if it was named itself. False ends the walk. */
	bool (*visit)(void *ctx, const char *path, uint64_t size, bool given);
	void *ctx;
	uint64_t directories, not_regular, unreadable;
	char *first_unreadable; /* path, or NULL */
	int first_error;
};

/* NULL if `path` is a regular file or directory that can be opened, or why not. */
const char *walk_refuses(const char *path);
/* False if visit ended it. */
bool walk(struct walk *w, const char *path);

#endif
