/* SPDX-License-Identifier: MIT */
/* cache.c - see cache.h. */
#include "runtime/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/platform.h"

#define FORMAT 1
#define BUILD_ID_MAX 64
#define LEFT_BEHIND 60 /* seconds after which a file that nobody has finished is nobody's any more */

static const uint8_t magic[8] = { 'r', 'l', 'c', 'a', 'c', 'h', 'e', '\n' };

/* What every file begins with. It has no holes, and its numbers are this machine's: another one's file is damaged. */
struct header {
	uint8_t magic[8];
	uint32_t format, version;
	char kind[RL_CACHE_KIND];
	uint8_t build_id[BUILD_ID_MAX];
	uint64_t build_id_length;
	uint64_t size;     /* of what follows */
	uint64_t checksum; /* over all of this but itself, and what follows */
};

/* No lock against those who mean it, who own the file anyway; it finds what disks and kernels leave of one. */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (; size; bytes += sizeof(uint64_t)) {
		uint64_t word = 0;
		size_t n = size < sizeof(word) ? size : sizeof(word);

		memcpy(&word, bytes, n);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
		size -= n;
	}
	return hash;
}

static uint64_t checksum(const struct header *header, const void *contents)
{
	return mix(mix(1, header, offsetof(struct header, checksum)), contents, header->size);
}

/* All but the checksum. */
static bool describe(const struct rl_cache_name *name, size_t size, struct header *header)
{
	if (!name->build_id_length || name->build_id_length > BUILD_ID_MAX || strlen(name->kind) >= RL_CACHE_KIND)
		return false;
	memset(header, 0, sizeof(*header));
	memcpy(header->magic, magic, sizeof(magic));
	header->format = FORMAT;
	header->version = name->version;
	strcpy(header->kind, name->kind);
	memcpy(header->build_id, name->build_id, name->build_id_length);
	header->build_id_length = name->build_id_length;
	header->size = size;
	return true;
}

/* ---- where ---- */

/* What others could change is not trusted, nor what they could have put there. */
static int check_owner(int descriptor, mode_t type)
{
	struct stat status;

	if (fstat(descriptor, &status) < 0)
		return -errno;
	if ((status.st_mode & S_IFMT) != type || status.st_uid != geteuid() || status.st_mode & (S_IWGRP | S_IWOTH))
		return -EACCES;
	return 0;
}

/* The user's own directory for such files; as the specification says a relative one is none. */
static int find_base(char *path, size_t size, bool make)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	bool named = base && *base == '/';
	int length;

	if (!named && (!home || *home != '/'))
		return -ENOENT;
	length = snprintf(path, size, "%s%s", named ? base : home, named ? "" : "/.cache");
	if (length < 0 || (size_t)length >= size)
		return -ENAMETOOLONG;
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/* Usable, whatever the program's umask is. */
static bool make_directory(int outer)
{
	if (mkdirat(outer, "relink", 0700) == 0)
		return fchmodat(outer, "relink", 0700, 0) == 0;
	return errno == EEXIST;
}

/* A descriptor, or -errno. */
static int open_directory(bool make)
{
	char base[4096];
	int outer, inner, r;

	if (rl_secure() || !rl_files_allowed())
		return -EPERM;
	r = find_base(base, sizeof(base), make);
	if (r < 0)
		return r;
	outer = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (outer < 0)
		return -errno;
	inner = make && !make_directory(outer) ? -1 : openat(outer, "relink", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = inner < 0 ? -errno : check_owner(inner, S_IFDIR);
	close(outer);
	if (r < 0 && inner >= 0)
		close(inner);
	/* a link in its place */
	return r == -ELOOP || r == -ENOTDIR ? -EACCES : r < 0 ? r : inner;
}

struct file_name {
	char text[RL_CACHE_KIND + 2 * BUILD_ID_MAX + 8];
};

static struct file_name name_file(const struct header *header, const char *suffix)
{
	struct file_name name;
	size_t at = (size_t)sprintf(name.text, "%s-", header->kind);

	for (size_t i = 0; i < header->build_id_length; i++)
		at += (size_t)sprintf(name.text + at, "%02x", header->build_id[i]);
	strcpy(name.text + at, suffix);
	return name;
}

/* ---- reading ---- */

static bool read_all(int descriptor, void *data, size_t size)
{
	uint8_t *bytes = data;

	while (size) {
		ssize_t n = read(descriptor, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static bool at_end(int descriptor)
{
	char byte;

	return read(descriptor, &byte, 1) == 0;
}

/* Without waiting for the other end of what is no file. */
static int open_in(int directory, const char *name)
{
	int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return descriptor >= 0 ? descriptor : errno == ELOOP || errno == ENXIO ? -EACCES : -errno;
}

/* All but size and checksum are known beforehand. */
static int read_header(int descriptor, const struct header *wanted, struct header *header)
{
	int r = check_owner(descriptor, S_IFREG);

	if (r < 0)
		return r;
	if (!read_all(descriptor, header, sizeof(*header)) || memcmp(header, wanted, offsetof(struct header, size)) != 0 ||
	    header->size > RL_CACHE_MAX)
		return -EBADMSG;
	return 0;
}

/* A descriptor, behind the header; or -errno. */
static int open_named(const struct rl_cache_name *name, struct header *header)
{
	struct header wanted;
	int directory, descriptor, r;

	if (!describe(name, 0, &wanted))
		return -ENOENT;
	directory = open_directory(false);
	if (directory < 0)
		return directory;
	descriptor = open_in(directory, name_file(&wanted, "").text);
	close(directory);
	if (descriptor < 0)
		return descriptor;
	r = read_header(descriptor, &wanted, header);
	if (r < 0)
		close(descriptor);
	return r < 0 ? r : descriptor;
}

static int read_contents(int descriptor, const struct header *header, void *contents)
{
	bool whole = read_all(descriptor, contents, header->size) && at_end(descriptor);

	return whole && checksum(header, contents) == header->checksum ? 0 : -EBADMSG;
}

int rl_cache_load(const struct rl_cache_name *name, void **contents, size_t *size)
{
	struct header header;
	int descriptor = open_named(name, &header), r = -ENOMEM;
	void *bytes;

	if (descriptor < 0)
		return descriptor;
	bytes = malloc(header.size + 1);
	if (bytes)
		r = read_contents(descriptor, &header, bytes);
	close(descriptor);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*contents = bytes;
	*size = header.size;
	return 0;
}

int rl_cache_read(const struct rl_cache_name *name, void *room, size_t most, size_t *size)
{
	struct header header;
	int descriptor = open_named(name, &header), r;

	if (descriptor < 0)
		return descriptor;
	r = header.size > most ? -EFBIG : read_contents(descriptor, &header, room);
	close(descriptor);
	if (!r)
		*size = header.size;
	return r;
}

/* ---- writing ---- */

/* Writing more than the process may is a signal that ends it. */
static bool may_write(size_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && size <= limit.rlim_cur;
}

static bool write_all(int descriptor, const void *data, size_t size)
{
	const uint8_t *bytes = data;

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

static bool is_left_behind(int directory, const char *name)
{
	struct stat status;
	time_t now = time(NULL);

	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (status.st_mtime > now + LEFT_BEHIND || now - status.st_mtime > LEFT_BEHIND);
}

/* One name for whoever writes, so that processes that are killed don't leave one each. */
static int create_in(int directory, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int descriptor = openat(directory, name, flags, 0600);

	if (descriptor < 0 && errno == EEXIST && is_left_behind(directory, name) && unlinkat(directory, name, 0) == 0)
		descriptor = openat(directory, name, flags, 0600);
	return descriptor >= 0 ? descriptor : errno == EEXIST ? -EBUSY : -errno;
}

static int write_file(int directory, const struct header *header, const void *contents)
{
	struct file_name final = name_file(header, ""), temporary = name_file(header, ".new");
	int descriptor = create_in(directory, temporary.text), r = 0;

	if (descriptor < 0)
		return descriptor;
	errno = EIO;
	if (fchmod(descriptor, 0600) < 0 || !write_all(descriptor, header, sizeof(*header)) || !write_all(descriptor, contents, header->size))
		r = -errno;
	if (close(descriptor) < 0 && !r)
		r = -errno;
	if (!r && renameat(directory, temporary.text, directory, final.text) < 0)
		r = -errno;
	if (r)
		unlinkat(directory, temporary.text, 0);
	return r;
}

int rl_cache_save(const struct rl_cache_name *name, const void *contents, size_t size)
{
	struct header header;
	int directory, r;

	if (!describe(name, size, &header))
		return -ENOENT;
	if (size > RL_CACHE_MAX || !may_write(sizeof(header) + size))
		return -EFBIG;
	header.checksum = checksum(&header, contents);
	directory = open_directory(true);
	if (directory < 0)
		return directory;
	r = write_file(directory, &header, contents);
	close(directory);
	return r;
}
