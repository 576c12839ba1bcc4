/* SPDX-License-Identifier: MIT */
/* subject.h - a program, and a shared object that it is linked with, that have sites of every kind, and say what the runtime knows of them. */
#ifndef TOOLS_SUBJECT_H
#define TOOLS_SUBJECT_H

#include <relink/relink.h>
#include <relink/alternative.h>
#include <relink/atomic.h>
#include <relink/immediate.h>
#include <relink/ops.h>
#include <relink/pointer.h>
#include <relink/sequence.h>
#include <relink/use.h>

RELINK_DECLARE_KEY(lib_key);
RELINK_DECLARE_CALL(int, lib_call, (int x));
RELINK_DECLARE_IMMEDIATE(int64_t, lib_number, -5000000000);

int lib_look(int x);
extern int (*lib_pointer)(int); /* through the GOT, or copied into the program */

#define SUBJECT_OPS(op) \
	op(int, read, (int x)) \
	op(void, write, (int x)) \
	op(long, same, (long x))
RELINK_DECLARE_OPS(store, SUBJECT_OPS);

#endif
