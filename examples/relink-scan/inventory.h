/* SPDX-License-Identifier: MIT */
/*
 * inventory.h - a copy of what relink knows of this program's choices, and which of them the phases may change: not those
 * that the user has decided (file, environment, command line, force), nor those that can't be changed here.
 */
#ifndef SCAN_INVENTORY_H
#define SCAN_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <relink/relink.h>

struct choice {
	char *name, *doc, *state, *initial;
	int kind, decided_by;
	unsigned flags;
	char **states;
	bool *usable; /* per state */
	size_t count;
	uint64_t sites, bound;
	bool changes; /* the phases may change it */
	char *why;    /* or why not */
};

struct inventory {
	struct choice *list;
	size_t count;
};

void inventory_read(struct inventory *v);
void inventory_free(struct inventory *v);
/* NULL if there is none of that name. */
const struct choice *inventory_find(const struct inventory *v, const char *name);

/* An inventory of one choice of *v, which it borrows. */
struct inventory inventory_of(const struct choice *c);

/* Finds out which choices change, by changing them and taking it back. */
void inventory_try(struct inventory *v);
/* A usable state other than the present one, the default if that is one; NULL if there is none. */
const char *choice_other(const struct choice *c);

/* All choices that change, in one commit: 0, RELINK_OVERRIDDEN or negative. */
int inventory_set_generic(const struct inventory *v, struct relink_error *err);
int inventory_set_random(const struct inventory *v, uint64_t *random, uint64_t *ns, struct relink_error *err);
/* The program has no opinion any more. */
int inventory_release(const struct inventory *v, struct relink_error *err);

#endif
