/* SPDX-License-Identifier: MIT */
/* uses.c - `relink list --uses`: every place that asks for a key and is a choice of its own. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "relink.h"

static bool is_wanted(struct uses_wanted *w, const struct model *model, const struct model_use *use)
{
	return w->keeps(w->ctx, model, use) && model_use_matches(w->queries, model, use);
}

/* A use that is inlined into several functions, or instantiated several times, is one line. */
static bool is_same(const struct model_use *a, const struct model_use *b)
{
	return a->line == b->line && a->choice == b->choice && a->on == b->on && !strcmp(a->text, b->text) && !strcmp(a->file, b->file) &&
	       !strcmp(a->function, b->function);
}

static void put_use(struct table *t, const struct model *model, const struct model_use *use, size_t count)
{
	table_cell(t, DIM, "%s:%" PRIu32, use->file, use->line);
	table_cell(t, PLAIN, "%s", use->function);
	table_cell(t, GREEN, "%s", model->choices[use->choice].name);
	table_cell(t, CYAN, "%s", use->on ? "on" : "off");
	if (count == 1)
		table_cell(t, PLAIN, "0x%" PRIx64, use->address);
	else
		table_cell(t, PLAIN, "%zu places", count);
	table_cell(t, PLAIN, "%s", use->text);
}

void put_uses(struct uses_wanted *w, const struct model *model)
{
	static const char *const names[] = { "SOURCE", "FUNCTION", "KEY", "DEFAULT", "ADDRESS", "TEXT" };
	struct table t = { .columns = sizeof(names) / sizeof(*names) };
	size_t shown = 0;

	for (size_t i = 0; i < t.columns; i++)
		table_cell(&t, BOLD, "%s", names[i]);
	for (size_t i = 0, n; i < model->use_count; i += n) {
		for (n = 1; i + n < model->use_count && is_same(&model->uses[i], &model->uses[i + n]); n++)
			;
		if (!is_wanted(w, model, &model->uses[i]))
			continue;
		put_use(&t, model, &model->uses[i], n);
		shown += n;
	}
	table_print(&t, 2, shown != 0);
	text_put(PLAIN, shown ? "  %zu of %zu uses" : "  nothing matches", shown, model->use_count);
	putchar('\n');
}

/* Each place is there, as an address is what programs want. */
void json_uses(struct json *j, struct uses_wanted *w, const struct model *model)
{
	json_array(j, "uses");
	for (size_t i = 0; i < model->use_count; i++)
		if (is_wanted(w, model, &model->uses[i]))
			json_use(j, NULL, model, &model->uses[i]);
	json_end_array(j);
}
