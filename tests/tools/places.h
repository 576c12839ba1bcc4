/* SPDX-License-Identifier: MIT */
/* places.h - static calls and accelerated pointers of a program and a library that use each other's; see index.sh. */
#ifndef PLACES_H
#define PLACES_H

#include <relink/relink.h>
#include <stdio.h>

struct codec { int (*decode)(int x); int (*encode)(int x); };

RELINK_DECLARE_CALL(int, lib_hash, (int x));    /* the library defines and calls it, the program calls it */
RELINK_DECLARE_CALL(int, app_hash, (int x));    /* the other way round: the library is there first */
extern int (*lib_handler)(int x);               /* an accelerated pointer of the library's, with default visibility */
extern struct codec lib_codec;

int lib_work(int x);

#endif
