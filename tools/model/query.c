/* SPDX-License-Identifier: MIT */
/*
 * query.c - queries about uses (<relink/use.h>), put to files. What words mean is the library's: core/query.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/query.h"
#include "internal.h"

struct model_queries {
	char *text; /* the queries have slices of it */
	struct asked { struct rl_query query; struct rl_match match; } *asked;
	size_t count, capacity;
};

/* The library's own says which choice and module an error is about; syntax is about none. */
int rl_fail(struct relink_error *err, int code, const struct rl_choice *choice, const char *reason)
{
	(void)choice;
	if (err) {
		err->code = code;
		snprintf(err->text, sizeof(err->text), "%s", reason);
	}
	return code;
}

struct model_queries *model_queries_read(const char *text, char *why, size_t size)
{
	struct model_queries *q = grown(NULL, 0, &(size_t){ 0 }, sizeof(*q));
	struct relink_error err = { .code = 0 };
	struct rl_queries list;
	struct rl_query query;
	int r;

	*q = (struct model_queries){ .text = strdup(text) };
	list = rl_queries_of(q->text ? q->text : "", q->text ? strlen(q->text) : 0);
	list.selects = true;
	while ((r = rl_query_next(&list, &query, &err)) > 0) {
		q->asked = grown(q->asked, q->count, &q->capacity, sizeof(*q->asked));
		q->asked[q->count++] = (struct asked){ query, { .query = NULL } };
	}
	if (r < 0) {
		snprintf(why, size, "%s", err.text);
		model_queries_free(q);
		return NULL;
	}
	return q;
}

bool model_use_matches(struct model_queries *q, const struct model *model, const struct model_use *use)
{
	for (size_t i = 0; i < q->count; i++) {
		struct asked *a = &q->asked[i];

		a->match.query = &a->query;
		if (rl_query_matches_key(&a->query, model->choices[use->choice].name) && rl_query_matches_module(&a->query, model->name) &&
		    rl_query_matches_place(&a->match, use->line, use->file, use->function, use->text))
			return true;
	}
	return q->count == 0;
}

void model_queries_free(struct model_queries *q)
{
	if (!q)
		return;
	free(q->text);
	free(q->asked);
	free(q);
}
