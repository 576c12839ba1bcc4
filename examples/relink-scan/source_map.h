/* SPDX-License-Identifier: MIT */
/* source_map.h - what becomes of a stream's map, between the files of source.h. */
#ifndef SCAN_SOURCE_MAP_H
#define SCAN_SOURCE_MAP_H

#include "source.h"

/* Gives up the map, if there is one. */
void source_unmap(struct stream *s);

#endif
