/* SPDX-License-Identifier: MIT */
/* launch.c - see launch.h. */
#include "launch.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relink.h"
#include "self.h"

extern char **environ;

int launch_wait(char **argv)
{
	pid_t child;
	int status, error = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);

	if (error) {
		complain(argv[0], "can't be run: %s", strerror(error));
		return STATUS_BAD;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_BAD;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool is_file(const char *path, const struct stat *file)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_dev == file->st_dev && status.st_ino == file->st_ino;
}

/* Nor `relink`, which would come back here under that name. */
static bool is_other_program(const char *path)
{
	static const char *const fronts[] = { "../relink", RELINK_BIN_FROM_LIBEXEC "/relink", NULL };
	char self[4096], front[4096];
	struct stat file;

	if (stat(path, &file) < 0 || !S_ISREG(file.st_mode) || access(path, X_OK) < 0 || is_file("/proc/self/exe", &file))
		return false;
	return !self_path(self, sizeof(self)) || !self_find(self, fronts, X_OK, front, sizeof(front)) || !is_file(front, &file);
}

char *launch_next(const char *name, const char *variable)
{
	const char *at = getenv(variable), *end;
	char *path;

	if (at && *at)
		return strdup(at);
	for (at = getenv("PATH"); at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, ':');
		if (end == at || asprintf(&path, "%.*s/%s", (int)(end - at), at, name) < 0)
			continue;
		if (is_other_program(path))
			return path;
		free(path);
	}
	return NULL;
}

/* ---- what was written ---- */

static void add_output(struct outputs *outputs, char *path)
{
	char **paths = path ? realloc(outputs->paths, (outputs->count + 1) * sizeof(*paths)) : NULL;

	if (!paths) {
		free(path);
		return;
	}
	outputs->paths = paths;
	paths[outputs->count++] = path;
}

void outputs_free(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		free(outputs->paths[i]);
	free(outputs->paths);
}

/* The last -o counts. */
static const char *named_output(char **argv)
{
	const char *path = NULL;

	for (size_t i = 1; argv[i]; i++) {
		if (!strcmp(argv[i], "-o") && argv[i + 1])
			path = argv[++i];
		else if (!strncmp(argv[i], "-o", 2) && argv[i][2])
			path = argv[i] + 2;
	}
	return path;
}

static bool has_argument(char **argv, const char *argument)
{
	for (size_t i = 1; argv[i]; i++)
		if (!strcmp(argv[i], argument))
			return true;
	return false;
}

static bool makes_objects(char **argv)
{
	static const char *const others[] = { "-E", "-S", "-M", "-MM", "-fsyntax-only", "-###" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (has_argument(argv, others[i]))
			return false;
	return has_argument(argv, "-c");
}

static bool is_source(const char *path)
{
	static const char *const ends[] = { ".c", ".cc", ".cp", ".cpp", ".cxx", ".c++", ".C", ".s", ".S", ".sx", ".i", ".ii", ".m", ".mm" };
	const char *end = strrchr(path, '.');

	for (size_t i = 0; end && *path != '-' && i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(end, ends[i]))
			return true;
	return false;
}

/* Without -o each source becomes an object in the current directory. */
static char *object_of(const char *source)
{
	const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;
	char *path;

	return asprintf(&path, "%.*s.o", (int)(strrchr(name, '.') - name), name) < 0 ? NULL : path;
}

struct outputs outputs_of_compiler(char **argv)
{
	struct outputs outputs = { NULL, 0 };
	const char *named = named_output(argv);

	if (!makes_objects(argv))
		return outputs;
	if (named) {
		add_output(&outputs, strdup(named));
		return outputs;
	}
	for (size_t i = 1; argv[i]; i++)
		if (is_source(argv[i]))
			add_output(&outputs, object_of(argv[i]));
	return outputs;
}

struct outputs outputs_of_assembler(char **argv)
{
	struct outputs outputs = { NULL, 0 };
	const char *named = named_output(argv);

	add_output(&outputs, strdup(named ? named : "a.out"));
	return outputs;
}
