/* SPDX-License-Identifier: MIT */
/* self.c - see self.h. */
#include "self.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool self_path(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size);

	if (length == (ssize_t)size)
		errno = ENAMETOOLONG;
	if (length <= 0 || length == (ssize_t)size)
		return false;
	path[length] = '\0';
	return true;
}

/* What self_path gives has no symbolic links, so that `..` is the folder whose name stands there. Above / is /. */
static bool join(const char *self, const char *place, char *path, size_t size)
{
	const char *end = strrchr(self, '/');
	int length;

	for (; end && !strncmp(place, "../", 3); place += 3)
		end = end > self ? memrchr(self, '/', (size_t)(end - self)) : end;
	length = end ? snprintf(path, size, "%.*s/%s", (int)(end - self), self, place) : -1;
	if (length >= 0 && (size_t)length < size)
		return true;
	*path = '\0';
	return false;
}

bool self_find(const char *self, const char *const *places, int mode, char *path, size_t size)
{
	for (; *places; places++)
		if (join(self, *places, path, size) && access(path, mode) == 0)
			return true;
	return false;
}
