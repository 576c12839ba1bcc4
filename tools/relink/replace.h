/* SPDX-License-Identifier: MIT */
/* replace.h - writes a file as a whole or not at all. */
#ifndef RELINK_TOOL_REPLACE_H
#define RELINK_TOOL_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Makes `path` a file of these bytes, with owner, mode and extended attributes of the file `like` as far as that is allowed: writes beside
 * it, syncs if it is to be `durable`, renames. A symbolic link stays, what it leads to is replaced; processes that run the old file keep it. NULL, or one
 * line that says why not, in `why`: then nothing has changed.
 */
const char *replace_file(const char *path, const char *like, const uint8_t *bytes, size_t size, bool durable, char *why, size_t why_size);

#endif
