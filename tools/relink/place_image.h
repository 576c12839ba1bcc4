/* SPDX-License-Identifier: MIT */
/* place_image.h - where an executable or a loader lies in memory, by its program headers. Pure; any bytes may be program headers. */
#ifndef RELINK_TOOL_PLACE_IMAGE_H
#define RELINK_TOOL_PLACE_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_PAGE 4096u
#define IMAGE_LIMIT (1ull << 30) /* a larger one is not moved */

struct place_image {
	uint64_t bias, start, stop; /* whole pages */
	uint64_t align;             /* of the largest segment's, at least a page */
	uint64_t dynamic;           /* address of the dynamic section, 0 if there is none */
	bool has_loader, has_phdr;
};

/*
 * `at` is where the program headers are; if they don't say where they want to be, the bias is `bias`. False: there are no segments, or
 * such as can't be.
 */
bool place_image_read(struct place_image *image, const Elf64_Phdr *headers, size_t count, uint64_t at, uint64_t bias);
/* The first start that the image may have within [at, at + size); 0 if it does not fit. */
uint64_t place_image_fit(const struct place_image *image, uint64_t at, uint64_t size);

#endif
