/* SPDX-License-Identifier: MIT */
/*
 * command.h - what a command is, and what all of them understand.
 *
 * There are two programs: `relink`, which starts fast and can run programs, and relink-tool, which has all commands and the libraries
 * that they need (libelf, libdw, Capstone, jansson). Whatever relink can't do itself it leaves to relink-tool, by execve(2).
 */
#ifndef RELINK_TOOL_COMMAND_H
#define RELINK_TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* What the program returns; the worst of all files counts. */
enum status { STATUS_FINE = 0, STATUS_FINDINGS = 1, STATUS_REFUSED = 1, STATUS_BAD = 2 };
void worse(int *status, int than);

struct command {
	const char *name; /* one of those in program.c */
	const char *help;
	int (*run)(int argc, char **argv);
};
extern const struct command command_run;

/* What all commands understand. */
struct common {
	bool json;
	const char *colour;
};
#define COMMON_OPTIONS \
	{ "json", no_argument, NULL, 'j' }, { "color", required_argument, NULL, 'C' }, { "colour", required_argument, NULL, 'C' }, \
	{ "help", no_argument, NULL, 'h' }
/* Handles one of them, or complains about what getopt did not know. False: the command ends with *status. */
bool common_option(const struct command *command, struct common *common, int option, char **argv, int *status);
bool common_ready(struct common *common, int *status);

/* ---- program.c: the command line ---- */

struct program {
	const struct command *const *commands; /* those that it has in itself; NULL behind the last */
	/* Has the others, of which `what` is one: takes the whole command line, and returns a status if that can't be. NULL: there are none. */
	int (*elsewhere)(const char *what, char **argv);
	const char *lacks; /* why nobody has the others: libraries that were not found when it was built. "": they were */
};
/* Returns the exit status. */
int program_run(const struct program *program, int argc, char **argv);
/* The same for what is not in this program; complains if this build has it nowhere. */
int program_elsewhere(const struct program *program, const char *what, char **argv);
/* Writes out what is still buffered; a full disk makes the status a bad one. */
int program_end(int status);
/* Under the name `as` it is an assembler. */
bool program_is_as(int argc, char **argv);

#endif
