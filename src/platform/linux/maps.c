/* SPDX-License-Identifier: MIT */
/* maps.c - what the kernel says about one mapping: /proc/self/maps, read a piece at a time and without allocation. */
#include "system.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

struct source {
	long descriptor;
	size_t at, have;
	char buffer[1024];
};

/* The next character, or -1 at the end. */
static int next(struct source *source)
{
	if (source->at == source->have) {
		long got = rl_syscall(SYS_read, source->descriptor, (long)source->buffer, sizeof(source->buffer), 0);

		if (got <= 0)
			return -1;
		source->at = 0;
		source->have = (size_t)got;
	}
	return (unsigned char)source->buffer[source->at++];
}

static int digit(int character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

/* A number and the character after it. */
static uint64_t number(struct source *source, unsigned base)
{
	uint64_t value = 0;
	int one;

	while ((one = digit(next(source))) >= 0)
		value = value * base + (unsigned)one;
	return value;
}

/* "rwxp" and the space after it. */
static bool read_permissions(struct source *source, struct rl_mapping *mapping)
{
	bool readable = next(source) == 'r', writable = next(source) == 'w';

	mapping->stack_like = readable && writable;
	return next(source) >= 0 && next(source) >= 0 && next(source) >= 0;
}

/* start-stop perms offset major:minor inode */
static bool read_fields(struct source *source, struct rl_mapping *mapping)
{
	uint64_t major, minor;

	mapping->start = (uintptr_t)number(source, 16);
	mapping->stop = (uintptr_t)number(source, 16);
	if (!read_permissions(source, mapping))
		return false;
	number(source, 16);
	major = number(source, 16);
	minor = number(source, 16);
	mapping->device = makedev((unsigned)major, (unsigned)minor);
	mapping->inode = number(source, 10);
	return true;
}

/* The rest of the line without its leading spaces; what does not fit is cut off. */
static void read_name(struct source *source, char *name, size_t size)
{
	size_t length = 0;
	int character = next(source);

	while (character == ' ')
		character = next(source);
	for (; character >= 0 && character != '\n'; character = next(source))
		if (length + 1 < size)
			name[length++] = (char)character;
	if (size)
		name[length] = '\0';
}

/* A mapping without a name has no space after its inode: number() has eaten the newline. */
static void read_line_end(struct source *source, char *name, size_t size)
{
	if (size)
		name[0] = '\0';
	if (source->at == 0 || source->buffer[source->at - 1] != '\n')
		read_name(source, name, size);
}

bool rl_mapping_of(uintptr_t address, struct rl_mapping *mapping, char *path, size_t size)
{
	struct source source = { .at = 0, .have = 0 };
	bool found = false;

	source.descriptor = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (source.descriptor < 0)
		return false;
	while (!found && read_fields(&source, mapping)) {
		found = address >= mapping->start && address < mapping->stop;
		read_line_end(&source, path, found ? size : 0);
	}
	rl_syscall(SYS_close, source.descriptor, 0, 0, 0);
	return found;
}

bool rl_mappings_each(void (*visit)(const struct rl_mapping *mapping, void *ctx), void *ctx)
{
	struct source source = { .at = 0, .have = 0 };
	struct rl_mapping mapping;

	/* Where the main thread has ended, /proc/self is empty. */
	source.descriptor = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (source.descriptor < 0)
		return false;
	while (read_fields(&source, &mapping)) {
		read_line_end(&source, NULL, 0);
		visit(&mapping, ctx);
	}
	rl_syscall(SYS_close, source.descriptor, 0, 0, 0);
	return true;
}

void rl_drop_remark(char *path)
{
	static const char remark[] = " (deleted)";
	size_t length = strlen(path), extra = sizeof(remark) - 1;

	if (length > extra && strcmp(path + length - extra, remark) == 0)
		path[length - extra] = '\0';
}
