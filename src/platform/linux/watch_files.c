/* SPDX-License-Identifier: MIT */
/*
 * watch_files.c - notices that files change: written, replaced by another of that name, removed, or not there yet.
 *
 * A watch is one of an inode, so that of the file alone would be lost with the first editor that writes a new file and
 * renames it. So the directory is watched, too; and where that is not there either, the nearest one that is.
 */
#include "../platform.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_FILE (IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define IN_PLACE (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define IN_ANCESTOR (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* Cuts off the last component: "a/b" is "a", "/a" is "/", "a" is ".". False: there is nothing above. */
static bool up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!strcmp(path, "/") || !strcmp(path, "."))
		return false;
	if (!slash)
		strcpy(path, ".");
	else if (slash == path)
		path[1] = '\0';
	else
		*slash = '\0';
	return true;
}

static bool add(int watch, const char *path, uint32_t events)
{
	return inotify_add_watch(watch, path, events | IN_MASK_ADD) >= 0;
}

static bool watch_file(int watch, const char *path)
{
	char place[4096];
	uint32_t events = IN_PLACE;

	if (strlen(path) >= sizeof(place))
		return false;
	strcpy(place, path);
	add(watch, place, IN_FILE);
	while (up(place)) {
		if (add(watch, place, events))
			return true;
		if (errno != ENOENT && errno != ENOTDIR)
			return false;
		events = IN_ANCESTOR;
	}
	return false;
}

int rl_watch_files(const char *const *paths, size_t count, bool *all)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	*all = watch >= 0;
	if (watch < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		*all &= !*paths[i] || watch_file(watch, paths[i]);
	return watch;
}

void rl_watch_drain(int watch)
{
	char events[4096];

	while (read(watch, events, sizeof(events)) > 0)
		;
}

struct rl_file_sign rl_file_sign(const char *path)
{
	struct rl_file_sign sign = { 0 };
	struct stat st;

	if (stat(path, &st))
		return sign;
	sign.device = st.st_dev;
	sign.inode = st.st_ino;
	sign.size = (uint64_t)st.st_size;
	sign.seconds = st.st_mtim.tv_sec;
	sign.nanoseconds = st.st_mtim.tv_nsec;
	return sign;
}
