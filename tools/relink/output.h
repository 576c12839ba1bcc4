/* SPDX-License-Identifier: MIT */
/* output.h - new files: whole, or not at all. */
#ifndef RELINK_TOOL_OUTPUT_H
#define RELINK_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes a file under another name in the same directory, makes sure that it is on the disk, and gives it its name. It gets the
 * permissions of the file `like`; a program that runs the privileges of its owner does so only if owner and group stay the same.
 * `path` must not be `like`, nor anything but a regular file. False, and `why` has one line.
 */
bool output_write(const char *path, const char *like, const uint8_t *bytes, size_t count, char *why, size_t size);

#endif
