/* SPDX-License-Identifier: MIT */
/* rows.h - functions with one use each, in several files and modules, and who is on among them. C and C++. */
#ifndef USES_ROWS_H
#define USES_ROWS_H

#include "behaviour/check.h"

#ifdef __cplusplus
extern "C" {
#endif

struct use_row {
	const char *function;
	int (*run)(void);
};
struct use_rows {
	const struct use_row *row;
	size_t count;
};

RELINK_DECLARE_KEY(net_debug);
RELINK_DECLARE_KEY(parser_debug);
RELINK_DECLARE_KEY_TRUE(checks);
RELINK_DECLARE_KEY(home_debug); /* of the shared object */
extern struct relink_key_false elements[2];
extern struct home { int number; struct relink_key_true member; } home;

extern const struct use_rows other_rows, home_rows;

#define USE_FUNCTION(name, condition) __attribute__((noinline)) static int name(void) { return (condition) ? 1 : 0; }
#define USE_ROW(name) { #name, name }

/* All uses that the runtime lists, as `key:function`, for those that are on; and that code says the same. */
struct on_list {
	char text[4096];
	unsigned count, sites;
};

__attribute__((unused)) static int list_on(const struct relink_use_info *info, void *ctx)
{
	struct on_list *on = (struct on_list *)ctx;

	on->sites++;
	on->count += (unsigned)info->state;
	if (info->state)
		snprintf(on->text + strlen(on->text), sizeof(on->text) - strlen(on->text), "%s%s", *on->text ? " " : "", info->function);
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
