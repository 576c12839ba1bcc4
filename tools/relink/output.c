/* SPDX-License-Identifier: MIT */
/* output.c - see output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(char *why, size_t size, const char *what)
{
	snprintf(why, size, "%s: %s", what, strerror(errno));
	return false;
}

static bool may_replace(const char *path, const struct stat *like, char *why, size_t size)
{
	struct stat there;

	if (stat(path, &there) < 0)
		return errno == ENOENT || fail(why, size, "can't be written");
	if (there.st_dev == like->st_dev && there.st_ino == like->st_ino) {
		snprintf(why, size, "is the input itself; name another file");
		return false;
	}
	if (!S_ISREG(there.st_mode)) {
		snprintf(why, size, "is there and is not a regular file");
		return false;
	}
	return true;
}

static bool write_all(int descriptor, const uint8_t *bytes, size_t count)
{
	while (count) {
		ssize_t n = write(descriptor, bytes, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		count -= (size_t)n;
	}
	return true;
}

static mode_t mode_like(int descriptor, const struct stat *like)
{
	struct stat ours;

	if (fstat(descriptor, &ours) == 0 && ours.st_uid == like->st_uid && ours.st_gid == like->st_gid)
		return like->st_mode & 07777;
	return like->st_mode & 0777;
}

/* A name that is on the disk only if its file is. */
static void sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int descriptor = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (descriptor >= 0) {
		fsync(descriptor);
		close(descriptor);
	}
	free(directory);
}

static bool fill(int descriptor, const struct stat *like, const uint8_t *bytes, size_t count)
{
	bool ok = write_all(descriptor, bytes, count) && fchmod(descriptor, mode_like(descriptor, like)) == 0 && fsync(descriptor) == 0;
	int error = errno;

	if (close(descriptor) < 0 && ok)
		return false;
	errno = error;
	return ok;
}

bool output_write(const char *path, const char *like, const uint8_t *bytes, size_t count, char *why, size_t size)
{
	size_t length = strlen(path) + sizeof(".XXXXXX");
	struct stat status;
	int descriptor;
	char *temporary;
	bool ok;

	if (stat(like, &status) < 0)
		return fail(why, size, "its input is gone");
	if (!may_replace(path, &status, why, size))
		return false;
	temporary = malloc(length);
	if (!temporary)
		return fail(why, size, "can't be written");
	snprintf(temporary, length, "%s.XXXXXX", path);
	descriptor = mkostemp(temporary, O_CLOEXEC);
	ok = descriptor >= 0 && fill(descriptor, &status, bytes, count) && rename(temporary, path) == 0;
	if (!ok) {
		fail(why, size, "can't be written");
		if (descriptor >= 0)
			unlink(temporary);
	} else {
		sync_directory(path);
	}
	free(temporary);
	return ok;
}
