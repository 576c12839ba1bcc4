/* SPDX-License-Identifier: MIT */
/* table.c - a hash table with chains, which grows. The caller holds its lock. */
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static uint32_t hash_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (const char *p = name; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	table_dbg("hash of %s is %08x", name, h);
	return h;
}

int ENGINE(table_init)(struct table *t)
{
	t->count = 0;
	t->buckets = 16;
	t->bucket = calloc(t->buckets, sizeof(*t->bucket));
	table_dbg("new table %p with %zu buckets", (void *)t, t->buckets);
	if (!t->bucket)
		table_dbg("no memory for %zu buckets", t->buckets);
	return t->bucket ? 0 : -1;
}

void ENGINE(table_free)(struct table *t)
{
	table_dbg("freeing table %p with %zu entries", (void *)t, t->count);
	for (size_t i = 0; i < t->buckets; i++)
		for (struct entry *e = t->bucket[i], *next; e; e = next) {
			next = e->next;
			table_dbg("freeing entry %s of bucket %zu", e->name, i);
			free(e);
		}
	free(t->bucket);
}

static struct entry **chain(struct table *t, uint32_t hash)
{
	size_t bucket = hash & (t->buckets - 1);

	table_dbg("bucket %zu of %zu", bucket, t->buckets);
	return &t->bucket[bucket];
}

static struct entry **place(struct table *t, const char *name, uint32_t hash)
{
	struct entry **at = chain(t, hash);
	unsigned steps = 0;

	for (; *at; at = &(*at)->next, steps++) {
		if ((*at)->hash != hash) {
			table_dbg("step %u: %s has another hash", steps, (*at)->name);
			continue;
		}
		if (!strcmp((*at)->name, name)) {
			table_dbg("step %u: %s is found", steps, name);
			return at;
		}
		table_dbg("step %u: %s collides with %s", steps, name, (*at)->name);
	}
	table_dbg("%s is not there after %u steps", name, steps);
	return at;
}

struct entry *ENGINE(table_find)(struct table *t, const char *name)
{
	struct entry *e = *place(t, name, hash_of(name));

	if (e)
		table_dbg("find %s: %p", name, (void *)e);
	else
		table_dbg("find %s: nothing", name);
	return e;
}

static void grow(struct table *t)
{
	struct entry **old = t->bucket;
	size_t buckets = t->buckets;

	t->bucket = calloc(2 * buckets, sizeof(*t->bucket));
	if (!t->bucket) {
		table_dbg("no memory to grow to %zu buckets; chains become longer", 2 * buckets);
		t->bucket = old;
		return;
	}
	t->buckets = 2 * buckets;
	table_dbg("growing from %zu to %zu buckets with %zu entries", buckets, t->buckets, t->count);
	for (size_t i = 0; i < buckets; i++)
		for (struct entry *e = old[i], *next; e; e = next) {
			struct entry **at = chain(t, e->hash);

			next = e->next;
			table_dbg("moving %s out of bucket %zu", e->name, i);
			e->next = *at;
			*at = e;
		}
	table_dbg("grown to %zu buckets", t->buckets);
	free(old);
}

struct entry *ENGINE(table_make)(struct table *t, const char *name)
{
	uint32_t hash = hash_of(name);
	struct entry **at = place(t, name, hash), *e = *at;

	if (e) {
		table_dbg("make %s: it is there", name);
		return e;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		table_dbg("make %s: no memory", name);
		return NULL;
	}
	e->hash = hash;
	strcpy(e->name, name);
	*at = e;
	t->count++;
	table_dbg("make %s: entry %zu", name, t->count);
	if (t->count > t->buckets)
		grow(t);
	return e;
}

int ENGINE(table_remove)(struct table *t, const char *name)
{
	struct entry **at = place(t, name, hash_of(name)), *e = *at;

	if (!e) {
		table_dbg("remove %s: nothing", name);
		return 0;
	}
	*at = e->next;
	t->count--;
	table_dbg("remove %s: %zu are left", name, t->count);
	free(e);
	return 1;
}
