/* SPDX-License-Identifier: MIT */
/*
 * objectpass.h - gives an object file tables of the places in its code that may become sites, which the linker completes.
 *
 * A table belongs to one section of code: it is link-ordered to it and in its group, so that the linker keeps, drops and folds both together.
 */
#ifndef RELINK_TOOL_OBJECTPASS_H
#define RELINK_TOOL_OBJECTPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum object_state {
	OBJECT_CHANGED, /* `bytes` are the new file, to be freed */
	OBJECT_DONE,    /* it has its tables */
	OBJECT_NOTHING, /* no places, or nothing of relink's in it */
	OBJECT_FOREIGN, /* no object for this machine, or none with code: `why` says what it is */
	OBJECT_BROKEN,  /* and `why` */
};

struct object_result {
	enum object_state state;
	const char *why;
	uint8_t *bytes;
	size_t size;
	size_t places;
};

/* `all`: also what is compiled without relink's headers, whose calls through other files' variables may be calls of accelerated pointers. */
struct object_result object_pass(const uint8_t *bytes, size_t size, bool all);

#endif
