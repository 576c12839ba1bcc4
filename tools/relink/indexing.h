/* SPDX-License-Identifier: MIT */
/* indexing.h - makes an indexed file in memory. */
#ifndef RELINK_TOOL_INDEXING_H
#define RELINK_TOOL_INDEXING_H

#include "model.h"
#include "splice.h"

struct indexing {
	struct model *model;  /* connected */
	bool drop;            /* kept relocations are not wanted */
	struct splice splice; /* the new file, if it is changed */
	bool changed;
	size_t places, size;  /* of a new index */
};

/* NULL, or why a file can't be indexed at all. */
const char *indexing_refused(const struct model *model);
/* NULL, or why it was not made. Ends with indexing_end in any case. */
const char *indexing_make(struct indexing *x);
void indexing_end(struct indexing *x);

#endif
