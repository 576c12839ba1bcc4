/* SPDX-License-Identifier: MIT */
/* self.h - files that belong to this program: they are found from its own place, since what was installed may have been moved. */
#ifndef RELINK_TOOL_SELF_H
#define RELINK_TOOL_SELF_H

#include <stdbool.h>
#include <stddef.h>

/* The file that this process runs. False: that is not known, errno says why. */
bool self_path(char *path, size_t size);

/*
 * The first of `places` (NULL behind the last), relative to the folder of the file `self`, that access(2) allows `mode`. False: none;
 * `path` is then the last of them, or "" if that is too long.
 */
bool self_find(const char *self, const char *const *places, int mode, char *path, size_t size);

#endif
