/* SPDX-License-Identifier: MIT */
/* marked.h - marked variables for the inputs of 4xx, which must only be written in ways that relink knows of. */
#ifndef TOOLS_MARKED_H
#define TOOLS_MARKED_H

#include <string.h>
#include <relink/relink.h>

struct codec { int (*decode)(int), (*encode)(int); };
#define HIDDEN __attribute__((visibility("hidden")))
#define CASE __attribute__((noinline, used))

static int one(int x) { return x; }
RELINK_POINTER HIDDEN int (*handler)(int) = one;
RELINK_POINTER HIDDEN struct codec codec = { one, one };
RELINK_POINTER HIDDEN int (*table[8])(int) = { one };
RELINK_STATIC_KEY_FALSE(trace, "a key");

extern void take(void *p);
extern void *kept;

#endif
