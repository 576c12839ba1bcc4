/* SPDX-License-Identifier: MIT */
/*
 * preload.c - librelink-run.so: LD_PRELOAD it, and relink_linkage() is called in a program that knows nothing of it.
 *
 * RELINK_LINKAGE says how, see relink(1). Whatever goes wrong, the program runs on as without.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <relink/agent.h>
#include <relink/linkage.h>

#include "run/run.h"

#define SELF "librelink-run.so"

static struct rl_run_options options;
static bool started;

/* ---- the environment that the program's children get ---- */

static bool is_self(const char *name, size_t length)
{
	const char *last = name;

	for (size_t i = 0; i < length; i++)
		if (name[i] == '/')
			last = name + i + 1;
	length -= (size_t)(last - name);
	return length >= strlen(SELF) && !memcmp(last, SELF, strlen(SELF));
}

/* In place: nobody's pointer into the environment becomes invalid. Returns whether anything is left. */
static bool drop_self(char *list)
{
	char *to = list;

	for (char *at = list; *at;) {
		size_t length = strcspn(at, ": ");

		if (!is_self(at, length)) {
			if (to != list)
				*to++ = ':';
			memmove(to, at, length);
			to += length;
		}
		at += length;
		at += *at != '\0';
	}
	*to = '\0';
	return to != list;
}

static void clean_environment(void)
{
	char *list = getenv("LD_PRELOAD");

	unsetenv("RELINK_LINKAGE");
	if (options.now)
		unsetenv("LD_BIND_NOW");
	if (list && !drop_self(list))
		unsetenv("LD_PRELOAD");
}

/* ---- modules that come later ---- */

/*
 * Start files of every compiler on Linux call this, if anybody defines it, before a module's constructors: it was made for
 * profilers. A program that is built for one (-pg) has a definition of its own, which comes first.
 */
RELINK_API void __gmon_start__(void);
void __gmon_start__(void)
{
	relink_linkage_arrived_(__builtin_return_address(0));
}

/* ---- start and end ---- */

/* This program only starts another one: "#!/usr/bin/env python3". */
static void pass_on(const char *list)
{
	size_t size = strlen(list) + 32;
	char *rest = malloc(size);
	const char *word = strstr(list, "hops=");

	if (!rest || !word)
		return;
	snprintf(rest, size, "%.*shops=%u%s", (int)(word - list), list, options.hops - 1, word + strcspn(word, ","));
	setenv("RELINK_LINKAGE", rest, 1);
	free(rest);
}

static __attribute__((constructor)) void begin(void)
{
	struct relink_error err = { .code = 0 };
	const char *list = getenv("RELINK_LINKAGE");

	rl_run_parse(list ? list : "", &options);
	if (options.hops) {
		pass_on(list);
		return;
	}
	started = true;
	if (!options.children)
		clean_environment();
	relink_linkage(&options.linkage, &err);
	rl_run_began(&options, &err);
	if (options.agent)
		relink_agent_start(&err);
}

static __attribute__((destructor)) void end(void)
{
	if (started)
		rl_run_report(&options);
}
