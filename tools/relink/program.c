/* SPDX-License-Identifier: MIT */
/* program.c - what one can ask of `relink`, help, and what all commands understand. Part of both programs; see command.h. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "text.h"

/* Each has a file of its own. */
static const struct {
	const char *name, *summary;
} known[] = {
	{ "list", "choices of files: default, states, sites, what they are for" },
	{ "show", "the code of sites, as linked and in every state, side by side" },
	{ "check", "are the records right, do they fit the code, what code writes behind relink's back?" },
	{ "index", "where calls are, so that strip leaves it" },
	{ "object", "where calls are, for links without relocations" },
	{ "bake", "a copy of a file in which choices are decided" },
	{ "ps", "processes with an agent" },
	{ "status", "how a running process is rewritten" },
	{ "set", "changes choices of a running process" },
	{ "watch", "choices of a running process, live" },
	{ "run", "starts a program whose calls between libraries become direct" },
	{ "linkage", "calls between libraries of a running process" },
};
#define COMMANDS (sizeof(known) / sizeof(*known))

static bool is_known(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(known[i].name, name))
			return true;
	return false;
}

static const struct command *here(const struct program *program, const char *name)
{
	for (const struct command *const *command = program->commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}

static void usage(const struct program *program, FILE *out)
{
	fputs("usage: relink COMMAND [OPTION]... FILE|PID...\n\n"
	      "Shows what programs decide at run time, and the code that depends on it.\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!*program->lacks || here(program, known[i].name))
			fprintf(out, "  %-7s  %s\n", known[i].name, known[i].summary);
	if (*program->lacks)
		fprintf(out, "\nThis build has no other commands: it was made without %s.\n", program->lacks);
	fputs("\n  relink help COMMAND   what a command takes\n"
	      "  relink --version\n\n"
	      "Exit status: 0 all is well, 1 something was found to be wrong, 2 bad use or input that can't be read.\n"
	      "More in relink(1).\n", out);
}


int program_elsewhere(const struct program *program, const char *what, char **argv)
{
	if (program->elsewhere && !*program->lacks)
		return program->elsewhere(what, argv);
	complain(NULL, "%s: not in this build of relink, which was made without %s; install that and build it again", what, program->lacks);
	return STATUS_BAD;
}

static int not_here(const struct program *program, const char *name, char **argv)
{
	if (is_known(name))
		return program_elsewhere(program, name, argv);
	complain(NULL, "there is no command %s; relink --help lists them", name);
	return STATUS_BAD;
}

static int help(const struct program *program, int argc, char **argv)
{
	const struct command *command = argc > 2 ? here(program, argv[2]) : NULL;

	if (argc > 2 && !command)
		return not_here(program, argv[2], argv);
	if (command)
		fputs(command->help, stdout);
	else
		usage(program, stdout);
	return STATUS_FINE;
}

int program_run(const struct program *program, int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		usage(program, stderr);
		return STATUS_BAD;
	}
	command = here(program, argv[1]);
	if (command)
		return command->run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(program, argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("relink " RELINK_VERSION);
		return STATUS_FINE;
	}
	return not_here(program, argv[1], argv);
}

bool program_is_as(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

	return argc > 0 && !strcmp(slash ? slash + 1 : argv[0], "as");
}

/* A full disk is an error; a reader that has seen enough is none of ours (SIGPIPE ends us, or the write fails). */
int program_end(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	complain(NULL, "can't write the output: %s", errno ? strerror(errno) : "an earlier write failed");
	return STATUS_BAD;
}

/* ---- shared by commands ---- */

void worse(int *status, int than)
{
	if (than > *status)
		*status = than;
}

bool common_option(const struct command *command, struct common *common, int option, char **argv, int *status)
{
	switch (option) {
	case 'j':
		common->json = true;
		return true;
	case 'C':
		common->colour = optarg;
		return true;
	case 'h':
		fputs(command->help, stdout);
		*status = STATUS_FINE;
		return false;
	default:
		complain(NULL, "%s: %s %s; see relink help %s", command->name, option == ':' ? "a value is missing behind" : "unknown option",
			 argv[optind - 1], command->name);
		*status = STATUS_BAD;
		return false;
	}
}

bool common_ready(struct common *common, int *status)
{
	if (text_colours(common->colour ? common->colour : "auto"))
		return true;
	complain(NULL, "--color=%s: it can be auto, always or never", common->colour);
	*status = STATUS_BAD;
	return false;
}
