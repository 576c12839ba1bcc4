/* SPDX-License-Identifier: MIT */
/* main.c - the program `relink`: what one can ask, and help. Each command has a file of its own. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "relink.h"

static const struct command *const commands[] = {
	&command_list, &command_show, &command_check, &command_index, &command_object, &command_bake, &command_ps, &command_status, &command_set, &command_watch,
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void usage(FILE *out)
{
	fputs("usage: relink COMMAND [OPTION]... FILE|PID...\n\nShows what programs decide at run time, and the code that depends on it.\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-6s  %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n  relink help COMMAND   what a command takes\n"
	      "  relink --version\n\n"
	      "Exit status: 0 all is well, 1 something was found to be wrong, 2 bad use or input that can't be read.\n"
	      "More in relink(1).\n", out);
}

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	complain(NULL, "there is no command %s; relink --help lists them", name);
	return STATUS_BAD;
}

static int help(int argc, char **argv)
{
	const struct command *command = argc > 2 ? command_named(argv[2]) : NULL;

	if (argc > 2 && !command)
		return unknown(argv[2]);
	if (command)
		fputs(command->help, stdout);
	else
		usage(stdout);
	return STATUS_FINE;
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		usage(stderr);
		return STATUS_BAD;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("relink " RELINK_VERSION);
		return STATUS_FINE;
	}
	command = command_named(argv[1]);
	if (!command)
		return unknown(argv[1]);
	return command->run(argc - 1, argv + 1);
}

/* A full disk is an error; a reader that has seen enough is none of ours (SIGPIPE ends us, or the write fails). */
int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	bool as = argc > 0 && !strcmp(slash ? slash + 1 : argv[0], "as");
	int status = as ? object_as(argv) : run(argc, argv);

	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		complain(NULL, "can't write the output: %s", errno ? strerror(errno) : "an earlier write failed");
		status = STATUS_BAD;
	}
	return status;
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

struct model **open_all(char **paths, size_t count, size_t *opened, int *status)
{
	struct model **models = calloc(count + 1, sizeof(*models));
	char why[300];

	*opened = 0;
	for (size_t i = 0; i < count && models; i++) {
		models[*opened] = model_open(paths[i], why, sizeof(why));
		if (models[*opened]) {
			++*opened;
		} else {
			complain(paths[i], "%s", why);
			*status = STATUS_BAD;
		}
	}
	if (models)
		model_connect(models, *opened);
	return models;
}

void close_all(struct model **models, size_t count)
{
	for (size_t i = 0; i < count; i++)
		model_close(models[i]);
	free(models);
}

void report_findings(const struct model *model, int *status)
{
	for (size_t i = 0; i < model->finding_count; i++)
		complain(model->path, "0x%llx: %s [%d]", (unsigned long long)model->findings[i].address, model->findings[i].text,
			 model->findings[i].number);
	if (model->findings_lost)
		complain(model->path, "and %zu more of that kind", model->findings_lost);
	if (model->finding_count)
		worse(status, STATUS_FINDINGS);
}
