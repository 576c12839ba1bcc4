/* SPDX-License-Identifier: MIT */
/*
 * engine.h - requests in, replies out: a table of names and values, and commands on it. Compiled once for each way to log, see log.h;
 * ENGINE(name) tells the copies apart.
 */
#ifndef LOGD_ENGINE_H
#define LOGD_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"

#define ENGINE_CAT2(a, b) a##_##b
#define ENGINE_CAT(a, b) ENGINE_CAT2(a, b)
#define ENGINE(name) ENGINE_CAT(name, LOGD_LOG)

#define NAME_MAX_ 32
#define VALUE_MAX_ 64
#define WORDS_MAX 4

struct entry {
	struct entry *next;
	uint32_t hash;
	char name[NAME_MAX_], value[VALUE_MAX_];
};

struct table {
	struct entry **bucket;
	size_t buckets, count;
};

/* A request's words; they end with NUL, in `text`. */
struct request {
	char text[256];
	const char *word[WORDS_MAX];
	unsigned words;
};

/* table.c */
int ENGINE(table_init)(struct table *t);
void ENGINE(table_free)(struct table *t);
struct entry *ENGINE(table_find)(struct table *t, const char *name);
struct entry *ENGINE(table_make)(struct table *t, const char *name);
int ENGINE(table_remove)(struct table *t, const char *name);

/* parse.c: NULL, or what is wrong with the line */
const char *ENGINE(parse)(const char *line, size_t length, struct request *r);
int ENGINE(parse_number)(const char *text, long *n);

/* command.c: one line in, one line out, without its end; the length of the reply */
size_t ENGINE(engine_execute)(struct table *t, const char *line, size_t length, char *reply, size_t room);

/* All copies have these prototypes. */
typedef size_t engine_execute(struct table *t, const char *line, size_t length, char *reply, size_t room);
engine_execute engine_execute_0, engine_execute_1, engine_execute_2;
int table_init_1(struct table *t);
void table_free_1(struct table *t);

#endif
