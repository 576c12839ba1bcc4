/* SPDX-License-Identifier: MIT */
/* object.h - object files, made into images of finished files. */
#ifndef RELINK_MODEL_OBJECT_H
#define RELINK_MODEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linked {
	uint8_t *bytes; /* freed with free() */
	size_t size;
	uint64_t outside_start, outside_stop; /* addresses of what the object does not define */
};

/* Of the kind that can be linked: 64-bit, little-endian, x86-64. */
bool is_object(const uint8_t *bytes, size_t size);
/* NULL, or what is wrong. */
const char *object_link(const uint8_t *bytes, size_t size, struct linked *linked);

#endif
