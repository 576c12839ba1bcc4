/* SPDX-License-Identifier: MIT */
/* query.h - queries about uses, for whoever has records of them: the runtime, tools, tests. */
#ifndef RL_CORE_QUERY_H
#define RL_CORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <relink/abi.h>
#include <relink/error.h>

enum rl_term { RL_TERM_KEY, RL_TERM_FILE, RL_TERM_FUNCTION, RL_TERM_FORMAT, RL_TERM_MODULE, RL_TERM_LINE, RL_TERMS };

/* What one level thinks of one use: two bits. */
#define RL_USE_WANT_NOTHING 0
#define RL_USE_WANT_OFF 2
#define RL_USE_WANT_ON 3

struct rl_slice {
	const char *at;
	size_t length;
};

/* The text of several queries, and how far it has been read. */
struct rl_queries {
	const char *start, *at, *stop;
	unsigned number;
	bool selects; /* an action is not asked for: the queries only say which uses are meant */
};

struct rl_query {
	struct rl_slice text;
	unsigned number;       /* in its list, from 1 */
	unsigned has;          /* bit n: enum rl_term */
	struct rl_slice glob[RL_TERM_LINE];
	uint32_t first, last;  /* lines */
	int opinion;
};

/* A query that is put to one use after the other. */
struct rl_match {
	const struct rl_query *query;
	const char *last[RL_TERM_LINE];
	bool result[RL_TERM_LINE];
};

struct rl_queries rl_queries_of(const char *text, size_t length);
/* 1: a query; 0: there are no more; RELINK_E_SYNTAX, and the error names the word and its place. */
int rl_query_next(struct rl_queries *list, struct rl_query *query, struct relink_error *err);
/* All of them are understood, and there is at least one. */
int rl_queries_check(const char *text, size_t length, struct relink_error *err);
/* File, function, line and text; key and module are the caller's. */
bool rl_query_matches(struct rl_match *match, const struct relink_use_record *use);
/* The same for who has its own idea of where strings are. A string that is at the same address again is the same. */
bool rl_query_matches_place(struct rl_match *match, uint32_t line, const char *file, const char *function, const char *text);
bool rl_query_matches_module(const struct rl_query *query, const char *name);
bool rl_query_matches_key(const struct rl_query *query, const char *name);
bool rl_glob(const struct rl_slice *pattern, const char *s);
bool rl_glob_path(const struct rl_slice *pattern, const char *path);

static inline const char *rl_use_string(const int32_t *field)
{
	return (const char *)((uintptr_t)field + (uintptr_t)(intptr_t)*field);
}

static inline const char *rl_use_file(const struct relink_use_record *use)
{
	return rl_use_string(&use->file);
}

static inline const char *rl_use_function(const struct relink_use_record *use)
{
	return rl_use_string(&use->function);
}

static inline const char *rl_use_text(const struct relink_use_record *use)
{
	return rl_use_string(&use->text);
}

#endif
