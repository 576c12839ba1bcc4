/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - what it costs to start a program with many sites.
 *
 *	bench-spawn ROUNDS NAME=PROGRAM ..
 *
 * Prints init.NAME, from the first constructor to main, and init.exec.NAME, from before the spawn to main.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAMS_MAX 16

extern char **environ;

static struct program {
	const char *path;
	struct bench_series share, whole;
} programs[PROGRAMS_MAX];

static pid_t spawn(const char *path, int out)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = { (char *)path, (char *)"start", (char *)"only", NULL };
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (posix_spawn(&pid, path, &actions, NULL, argv, environ))
		bench_die("spawn: %s does not start", path);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* What the program prints: see start.h. */
static void start(struct program *program, int counts)
{
	uint64_t begin, constructors, in_main;
	char text[512] = "";
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes))
		bench_die("spawn: no pipe");
	begin = bench_now();
	pid = spawn(program->path, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], text, sizeof(text) - 1) < 0 || waitpid(pid, &status, 0) < 0 || status)
		bench_die("spawn: %s failed", program->path);
	close(pipes[0]);
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &constructors, &in_main) != 2)
		bench_die("spawn: %s printed %s", program->path, text);
	if (!counts)
		return;
	bench_add(&program->share, (double)(in_main - constructors) / 1e6);
	bench_add(&program->whole, (double)(in_main - begin) / 1e6);
}

static void describe(struct program *program, char *argument)
{
	char *path = strchr(argument, '=');

	if (!path)
		bench_die("spawn: NAME=PROGRAM, not %s", argument);
	*path++ = 0;
	program->path = path;
	program->share.unit = program->whole.unit = "ms";
	snprintf(program->share.name, sizeof(program->share.name), "init.%s", argument);
	snprintf(program->whole.name, sizeof(program->whole.name), "init.exec.%s", argument);
}

int main(int argc, char **argv)
{
	unsigned count = (unsigned)argc - 2, order[PROGRAMS_MAX];

	if (argc < 3 || count > PROGRAMS_MAX)
		bench_die("usage: bench-spawn ROUNDS NAME=PROGRAM ..");
	for (unsigned i = 0; i < count; i++) {
		describe(&programs[i], argv[i + 2]);
		start(&programs[i], 0); /* the file's pages */
	}
	for (long round = 0; round < atol(argv[1]); round++) {
		bench_order(order, count, (unsigned)round);
		for (unsigned i = 0; i < count; i++)
			start(&programs[order[i]], 1);
	}
	for (unsigned i = 0; i < count; i++) {
		bench_print(&programs[i].share);
		bench_print(&programs[i].whole);
	}
	return 0;
}
