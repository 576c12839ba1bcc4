/* SPDX-License-Identifier: MIT */
/*
 * choices.h - what relink decides in this program. Use them as they read: crc(..), lines(..) and utf8(..) are ordinary
 * calls, `trace` and `idle` are branches that are one instruction in the code. How files are read is an operations table, in
 * source.h.
 */
#ifndef SCAN_CHOICES_H
#define SCAN_CHOICES_H

#include <relink/relink.h>

#include "routines.h"

RELINK_DECLARE_CALL(uint32_t, crc, (uint32_t so_far, const void *data, size_t size));
RELINK_DECLARE_CALL(uint64_t, lines, (const void *data, size_t size));
RELINK_DECLARE_CALL(bool, utf8, (const void *data, size_t size));
RELINK_DECLARE_KEY(trace);
RELINK_DECLARE_OPTION(idle, halt, poll);

/* Which function of choices.c starts at `address`: a routine or a trampoline; NULL if none does. */
const char *choices_function_at(uintptr_t address);

#endif
