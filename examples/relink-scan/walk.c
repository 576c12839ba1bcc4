/* SPDX-License-Identifier: MIT */
/* walk.c - finds the regular files of directories. Each directory is closed before the next is opened. */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

struct names {
	char **list;
	size_t count, room;
};

static void names_add(struct names *names, const char *name)
{
	if (names->count == names->room) {
		names->room = names->room ? 2 * names->room : 64;
		names->list = grow(names->list, names->room, sizeof(*names->list));
	}
	names->list[names->count++] = copy_string(name);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* 0 or an error number. */
static int read_names(const char *path, bool given, struct names *names)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (given ? 0 : O_NOFOLLOW));
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error = errno;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (!is_dots(entry->d_name))
			names_add(names, entry->d_name);
	error = errno;
	closedir(dir);
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare);
	return error;
}

static void count_unreadable(struct walk *w, const char *path, int error)
{
	if (w->unreadable++)
		return;
	w->first_unreadable = copy_string(path);
	w->first_error = error;
}

static bool walk_entry(struct walk *w, const char *path, bool given);

static bool walk_directory(struct walk *w, const char *path, bool given)
{
	struct names names = { 0 };
	int error = read_names(path, given, &names);
	bool more = true;

	w->directories++;
	if (error)
		count_unreadable(w, path, error);
	for (size_t i = 0; more && i < names.count; i++) {
		char *inner = join(path, path[strlen(path) - 1] == '/' ? "" : "/", names.list[i]);

		more = walk_entry(w, inner, false);
		free(inner);
	}
	names_free(&names);
	return more;
}

static bool walk_entry(struct walk *w, const char *path, bool given)
{
	struct stat st;

	if (given ? stat(path, &st) : lstat(path, &st)) {
		count_unreadable(w, path, errno);
		return true;
	}
	if (S_ISDIR(st.st_mode))
		return walk_directory(w, path, given);
	if (S_ISREG(st.st_mode))
		return w->visit(w->ctx, path, (uint64_t)st.st_size, given);
	w->not_regular++;
	return true;
}

bool walk(struct walk *w, const char *path)
{
	return walk_entry(w, path, true);
}

const char *walk_refuses(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st))
		return strerror(errno);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return "neither a directory nor a regular file";
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return strerror(errno);
	close(fd);
	return NULL;
}
