/* SPDX-License-Identifier: MIT */
/*
 * loader.c - which modules a program would have: only its own loader knows, with its configuration, its cache and the environment.
 *
 * A file may name any program as its loader. So that looking at a file runs nothing of its maker's, that has to be one of the system's.
 */
#include <elf.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

extern char **environ;

static bool fail(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return false;
}

/* ---- the loader ---- */

/* The path in PT_INTERP; headers are in the file, as whoever made a view of it has seen. NULL: there is none. */
static const char *interpreter_of(const uint8_t *bytes, size_t size)
{
	Elf64_Ehdr header;

	memcpy(&header, bytes, sizeof(header));
	for (size_t i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_INTERP && segment.p_offset < size && segment.p_filesz && segment.p_filesz <= size - segment.p_offset &&
		    !bytes[segment.p_offset + segment.p_filesz - 1])
			return (const char *)bytes + segment.p_offset;
	}
	return NULL;
}

/* Root's, and nobody else can write to it. */
static bool is_of_the_system(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 && !(status.st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_loader(const char *path)
{
	static const char *const folders[] = { "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/" };
	const char *name = strrchr(path, '/');

	if (!name || (strncmp(name, "/ld-", 4) != 0 && strncmp(name, "/ld.so", 6) != 0) || strstr(path, "/../"))
		return false;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (!strncmp(path, folders[i], strlen(folders[i])))
			return is_of_the_system(path);
	return false;
}

/* ---- what it says ---- */

static pid_t start(const char *loader, const char *file, int output[2])
{
	char *const argv[] = { (char *)(uintptr_t)loader, (char *)(uintptr_t)"--list", (char *)(uintptr_t)file, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	int error;

	if (pipe(output) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output[1], STDERR_FILENO);
	posix_spawn_file_actions_addclose(&actions, output[0]);
	posix_spawn_file_actions_addclose(&actions, output[1]);
	error = posix_spawn(&child, loader, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(output[1]);
	if (!error)
		return child;
	close(output[0]);
	errno = error;
	return -1;
}

static bool add_path(struct loaded_list *list, const char *path, size_t length)
{
	char **longer = realloc(list->paths, (list->count + 1) * sizeof(*longer));

	if (!longer)
		return false;
	list->paths = longer;
	longer[list->count] = strndup(path, length);
	return longer[list->count++] != NULL;
}

/*
 * "name => path (0x7f..)", "path (0x7f..)", "name (0x7f..)" of what is no file. What is none of these is kept: it says what is wrong. False:
 * out of memory.
 */
static bool take_line(struct loaded_list *list, char *line, char *said, size_t size)
{
	char *arrow, *path, *end = NULL;

	line += strspn(line, "\t ");
	line[strcspn(line, "\n")] = '\0';
	arrow = strstr(line, " => ");
	path = arrow ? arrow + 4 : line;
	for (char *at = path; (at = strstr(at, " (0x")); at++)
		end = at;
	if (!end) {
		snprintf(said, size, "%s", line);
		return true;
	}
	return *path != '/' || add_path(list, path, (size_t)(end - path));
}

static bool read_lines(int output, struct loaded_list *list, char *said, size_t size)
{
	FILE *in = fdopen(output, "r");
	char *line = NULL;
	size_t room = 0;
	bool ok = in;

	if (!in)
		close(output);
	while (ok && getline(&line, &room, in) > 0)
		ok = take_line(list, line, said, size);
	free(line);
	if (in)
		fclose(in);
	return ok;
}

/* "./prog: error while loading shared libraries: libtwo.so: cannot open .." */
static const char *without_name(const char *said)
{
	const char *colon = strstr(said, ": error while ");

	return colon ? colon + 2 : said;
}

bool loader_list(const char *file, const uint8_t *bytes, size_t size, struct loaded_list *list, char *why, size_t why_size)
{
	const char *loader = interpreter_of(bytes, size);
	char said[1000] = "nothing";
	int output[2], status = 0;
	pid_t child;
	bool ok;

	*list = (struct loaded_list){ .count = 0 };
	if (!loader || !is_loader(loader)) {
		snprintf(why, why_size, "its loader, %s, is not one of the system's, and is not asked", loader ? loader : "which it does not name");
		return false;
	}
	if (!add_path(list, file, strlen(file)))
		return fail(why, why_size, "out of memory");
	child = start(loader, file, output);
	if (child < 0) {
		snprintf(why, why_size, "its loader, %s, can't be run: %s", loader, strerror(errno));
		return false;
	}
	ok = read_lines(output[0], list, said, sizeof(said));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!ok)
		return fail(why, why_size, "out of memory");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		snprintf(why, why_size, "its loader, %s, can't list its libraries: %s", loader, without_name(said));
		return false;
	}
	return true;
}

void loader_free(struct loaded_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
}
