/* SPDX-License-Identifier: MIT */
/* main.c - relink-tool: the program `relink` with all of its commands. What is started is front.c, which comes here for most of them. */
#include "relink.h"
#include "run.h"

const char *const run_library_places[] = { RELINK_LIB_FROM_LIBEXEC "/" RUN_LIBRARY, "../../" RUN_LIBRARY, NULL };

static const struct command *const commands[] = {
	&command_list, &command_show, &command_check, &command_index, &command_object, &command_bake,
	&command_ps, &command_status, &command_set, &command_watch, &command_run, &command_linkage, NULL,
};

int main(int argc, char **argv)
{
	static const struct program program = { .commands = commands, .lacks = "" };

	return program_end(program_is_as(argc, argv) ? object_as(argv) : program_run(&program, argc, argv));
}
