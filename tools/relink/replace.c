/* SPDX-License-Identifier: MIT */
/* replace.c - see replace.h. */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct writing {
	int descriptor;
	char *path; /* of the temporary file */
	const char *failed; /* what was being done */
	bool durable;
};

static bool write_all(int descriptor, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(descriptor, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

/* Capabilities, labels, lists of access rights. Those that may not be set, or can't be where the file goes, are left out. */
static void copy_attributes(int descriptor, const char *like)
{
	char names[4096], value[4096];
	ssize_t length = listxattr(like, names, sizeof(names)), size;

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		size = getxattr(like, names + at, value, sizeof(value));
		if (size >= 0 && fsetxattr(descriptor, names + at, value, (size_t)size, 0))
			continue;
	}
}

/* The owner first: changing it takes the set-user-id bits away, which only the owner's file may have. */
static bool copy_status(int descriptor, const char *like)
{
	struct stat status;
	mode_t mode;

	if (stat(like, &status) < 0)
		return false;
	mode = status.st_mode & 07777;
	if (fchown(descriptor, status.st_uid, status.st_gid) < 0)
		mode &= ~(mode_t)(S_ISUID | S_ISGID);
	if (fchmod(descriptor, mode) < 0)
		return false;
	copy_attributes(descriptor, like);
	return true;
}

static bool fill(struct writing *w, const char *like, const uint8_t *bytes, size_t size)
{
	w->failed = "write";
	if (!write_all(w->descriptor, bytes, size))
		return false;
	w->failed = "set the owner and mode of";
	if (!copy_status(w->descriptor, like))
		return false;
	w->failed = "sync";
	if (w->durable && fsync(w->descriptor) < 0)
		return false;
	return true;
}

/* So that the new name survives a crash, where the file system lets directories be synced. */
static void sync_directory(char *path)
{
	char *slash = strrchr(path, '/');
	int descriptor;

	if (slash)
		slash[slash == path] = '\0';
	descriptor = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	fsync(descriptor);
	close(descriptor);
}

static bool put(struct writing *w, const char *target, const char *like, const uint8_t *bytes, size_t size)
{
	w->failed = "create a file beside";
	w->descriptor = mkostemp(w->path, O_CLOEXEC);
	if (w->descriptor < 0)
		return false;
	if (fill(w, like, bytes, size)) {
		w->failed = "replace";
		if (!rename(w->path, target)) {
			close(w->descriptor);
			if (w->durable)
				sync_directory(w->path);
			return true;
		}
	}
	return false;
}

static void give_up(const struct writing *w)
{
	int error = errno;

	if (w->descriptor >= 0) {
		close(w->descriptor);
		unlink(w->path);
	}
	errno = error;
}

const char *replace_file(const char *path, const char *like, const uint8_t *bytes, size_t size, bool durable, char *why, size_t why_size)
{
	char *target = realpath(path, NULL);
	struct writing w = { -1, NULL, "find", durable };
	struct stat status;
	bool done = false;

	if (!target && errno == ENOENT)
		target = strdup(path);
	if (target && !stat(target, &status) && !S_ISREG(status.st_mode)) {
		snprintf(why, why_size, "not a regular file");
		free(target);
		return why;
	}
	if (target && asprintf(&w.path, "%s.XXXXXX", target) < 0)
		w.path = NULL;
	if (w.path) {
		done = put(&w, target, like, bytes, size);
		if (!done)
			give_up(&w);
	}
	if (!done)
		snprintf(why, why_size, "can't %s it: %s", w.failed, strerror(errno));
	free(w.path);
	free(target);
	return done ? NULL : why;
}
