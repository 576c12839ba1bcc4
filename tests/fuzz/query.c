/* SPDX-License-Identifier: MIT */
/*
 * query.c - fuzzes the language of queries about uses: any bytes are a list of queries. Behind the first NUL stands what they are put
 * to: file, function and text of a use, each up to a NUL.
 */
#include <stdlib.h>
#include <string.h>

#include "core/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

static void fuzz_query(const struct rl_queries *list, const struct rl_query *q)
{
	fuzz_require(q->number == list->number && q->text.at >= list->start && q->text.at <= list->stop);
	fuzz_require(q->opinion == RL_USE_WANT_NOTHING || q->opinion == RL_USE_WANT_OFF || q->opinion == RL_USE_WANT_ON);
	for (int i = 0; i < RL_TERM_LINE; i++)
		if (q->has & 1u << i)
			fuzz_require(q->glob[i].at >= list->start && q->glob[i].length <= (size_t)(list->stop - q->glob[i].at));
	fuzz_require(!(q->has & 1u << RL_TERM_LINE) || (q->first <= q->last && q->last <= RELINK_USE_LINE));
}

/* Answers that are remembered are the same as those that are found out. */
static void fuzz_match(const struct rl_query *q, const char *strings[3])
{
	struct rl_match match = { .query = q }, fresh = { .query = q };
	bool first = rl_query_matches_place(&match, q->first, strings[0], strings[1], strings[2]);

	fuzz_require(rl_query_matches_place(&match, q->first, strings[0], strings[1], strings[2]) == first);
	fuzz_require(rl_query_matches_place(&fresh, q->first, strings[0], strings[1], strings[2]) == first);
	rl_query_matches_module(q, strings[1]);
	rl_query_matches_key(q, strings[1]);
	if (!(q->has & ~(1u << RL_TERM_LINE | 1u << RL_TERM_KEY | 1u << RL_TERM_MODULE)))
		fuzz_require(first); /* nothing is asked about strings, and the line is one that is meant */
}

/* The number of queries, or a negative code. */
static int fuzz_list(const char *text, size_t length, bool selects, const char *strings[3])
{
	struct rl_queries list = rl_queries_of(text, length);
	struct relink_error err = { .code = 0 };
	struct rl_query q;
	int r;

	list.selects = selects;
	while ((r = rl_query_next(&list, &q, &err)) > 0) {
		fuzz_query(&list, &q);
		fuzz_match(&q, strings);
	}
	if (r < 0)
		fuzz_require(r == RELINK_E_SYNTAX && err.code == r && *err.text);
	else
		fuzz_require(list.at == list.stop);
	return r < 0 ? r : (int)list.number;
}

/* Whatever the text, there is a pattern that means just that. */
static void fuzz_literal(const char *text)
{
	size_t length = strlen(text), n = 0;
	char *pattern = malloc(2 * length + 1);

	for (size_t i = 0; pattern && i < length; i++) {
		if (strchr("*?[\\", text[i]))
			pattern[n++] = '\\';
		pattern[n++] = text[i];
	}
	if (pattern)
		fuzz_require(rl_glob(&(struct rl_slice){ pattern, n }, text) && rl_glob_path(&(struct rl_slice){ pattern, n }, text));
	free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *strings[3] = { "", "", "" }, *at;
	char *copy = malloc(size + 1);
	size_t length;
	int all, some;

	if (!copy)
		return 0;
	memcpy(copy, bytes, size);
	copy[size] = 0;
	length = strlen(copy);
	at = copy + length;
	for (int i = 0; i < 3 && at < copy + size; i++) {
		strings[i] = ++at;
		at += strlen(at);
	}
	all = fuzz_list(copy, length, false, strings);
	some = fuzz_list(copy, length, true, strings);
	fuzz_require(all < 0 || some == all);
	for (int i = 0; i < 3; i++)
		fuzz_literal(strings[i]);
	free(copy);
	return 0;
}
