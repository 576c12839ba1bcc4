/* SPDX-License-Identifier: MIT */
/*
 * front.c - `relink`, which is in front of each program that `relink run` starts, and so has to start fast: it has that command, and
 * needs no library but libc. For all others it becomes relink-tool, by execve(2): the same process, the same words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "command.h"
#include "run.h"
#include "self.h"
#include "text.h"

const char *const run_library_places[] = { RELINK_LIB_FROM_BIN "/" RUN_LIBRARY, "../" RUN_LIBRARY, RUN_LIBRARY, NULL };

/* Without /proc the name that was executed leads here as well, unless whoever gave it is not to be trusted. */
static bool find_self(char *path, size_t size)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	char *whole;

	if (self_path(path, size))
		return true;
	whole = name && !getauxval(AT_SECURE) ? realpath(name, NULL) : NULL;
	if (whole)
		snprintf(path, size, "%s", whole);
	free(whole);
	return whole != NULL;
}

static int use_tool(const char *what, char **argv)
{
	static const char *const places[] = { "libexec/relink-tool", RELINK_LIBEXEC_FROM_BIN "/relink-tool", NULL };
	char self[4096], tool[4096];

	if (!find_self(self, sizeof(self))) {
		complain(NULL, "%s: /proc/self/exe can't be read, so relink-tool, which has this command, can't be found", what);
		return STATUS_BAD;
	}
	if (!self_find(self, places, F_OK, tool, sizeof(tool))) {
		complain(*tool ? tool : "relink-tool", "there is no such file, and %s is in there; install all of relink", what);
		return STATUS_BAD;
	}
	execve(tool, argv, environ);
	complain(tool, "it can't be run, and %s is in there: %s", what, strerror(errno));
	return STATUS_BAD;
}

int main(int argc, char **argv)
{
	static const struct command *const commands[] = { &command_run, NULL };
	static const struct program front = { .commands = commands, .elsewhere = use_tool, .lacks = RELINK_TOOL_LACKS };

	if (program_is_as(argc, argv))
		return program_elsewhere(&front, argv[0], argv);
	return program_end(program_run(&front, argc, argv));
}
