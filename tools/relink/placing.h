/* SPDX-License-Identifier: MIT */
/* placing.h - the two ways to bring a program and its libraries near each other, in a process stopped at its start. */
#ifndef RELINK_TOOL_PLACING_H
#define RELINK_TOOL_PLACING_H

#include "place_image.h"
#include "tracee.h"

/* NULL, or why it can't be done to processes with the rights of this one; changes nothing. */
const char *placing_rehearse(void);
/* The executable, at the place that AT_PHDR says. */
const char *placing_executable(const struct tracee *t, struct place_image *image);
/* False: it can't be read. */
bool placing_loader(const struct tracee *t, struct place_image *image);
/* Memory of its own that nobody can use, where the kernel likes or (at != 0) there and nowhere else. -errno for an error. */
int64_t placing_reserve(struct tracee *t, uint64_t at, uint64_t size);
void placing_release(struct tracee *t, uint64_t start, uint64_t stop);
/* Moves all mappings of the image into [at, at + its size), which is reserved; what is left of the reservation in holes is released. */
const char *placing_move(struct tracee *t, const struct place_image *image, uint64_t at);

/* For /proc, debuggers and core dumps: the auxiliary vector is as on the stack, the program's code so far from where it was. */
bool placing_tell_kernel(struct tracee *t, int64_t by);

/* A position-independent executable goes next to its loader, below which the kernel will map its libraries. NULL, or why not. */
const char *placing_near_loader(struct tracee *t, const struct place_image *image);
/* A fixed one stays, and all that its loader maps goes near it: returns when that has happened. `stack`: its limit. NULL, or why not. */
const char *placing_near_program(struct tracee *t, const struct place_image *image, uint64_t stack);

#endif
