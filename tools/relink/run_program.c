/* SPDX-License-Identifier: MIT */
/* run_program.c - which file a name means, and whether it is one that calls between modules can be bound in. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "run.h"
#include "self.h"

/* ---- as execvp finds it ---- */

static bool is_program(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return false;
	if (!S_ISREG(status.st_mode)) {
		errno = EACCES;
		return false;
	}
	return access(path, X_OK) == 0;
}

static bool find(const char *name, char *path, size_t size)
{
	const char *list = getenv("PATH");
	int error = ENOENT;

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return is_program(path);
	}
	for (const char *at = list ? list : "/bin:/usr/bin"; *name;) {
		size_t length = strcspn(at, ":");

		if ((size_t)snprintf(path, size, "%.*s%s%s", (int)length, at, length ? "/" : "", name) < size && is_program(path))
			return true;
		error = errno == EACCES ? EACCES : error;
		if (!at[length])
			break;
		at += length + 1;
	}
	errno = error;
	return false;
}

/* ---- what it is ---- */

struct start {
	unsigned char bytes[4096];
	ssize_t size;
};

static bool read_start(const char *path, struct start *start)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	start->size = file < 0 ? -1 : read(file, start->bytes, sizeof(start->bytes));
	if (file >= 0)
		close(file);
	return start->size >= 0;
}

static const char *word(const char *at, size_t *length)
{
	at += strspn(at, " \t");
	*length = strcspn(at, " \t\n");
	return at;
}

/* "#!/usr/bin/env python3": env is one more program on the way. */
static bool follow_script(const struct start *start, struct run_program *p)
{
	char line[sizeof(start->bytes) + 1];
	size_t length;
	const char *interpreter, *slash;

	memcpy(line, start->bytes, (size_t)start->size);
	line[start->size] = '\0';
	interpreter = word(line + 2, &length);
	if (!length || length >= sizeof(p->file))
		return false;
	memcpy(p->file, interpreter, length);
	p->file[length] = '\0';
	slash = strrchr(p->file, '/');
	p->hops += slash && !strcmp(slash, "/env");
	return true;
}

static bool has_more_rights(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return false;
	return (status.st_mode & S_ISUID && status.st_uid != geteuid()) || (status.st_mode & S_ISGID && status.st_gid != getegid()) ||
	       getxattr(path, "security.capability", NULL, 0) > 0;
}

static enum run_kind refuse(struct run_program *p, const char *why)
{
	snprintf(p->why, sizeof(p->why), "%s", why);
	return RUN_REFUSED;
}

static bool has_interpreter(const struct start *start, const Elf64_Ehdr *header)
{
	for (size_t i = 0; i < header->e_phnum; i++) {
		uint64_t at = header->e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr segment;

		if (at + sizeof(segment) > (uint64_t)start->size)
			break;
		memcpy(&segment, start->bytes + at, sizeof(segment));
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static enum run_kind classify(struct start *start, struct run_program *p)
{
	Elf64_Ehdr header = { .e_type = ET_NONE };

	if (has_more_rights(p->path) || has_more_rights(p->file))
		return refuse(p, "it runs with more rights than yours (setuid, setgid or capabilities)");
	memcpy(&header, start->bytes, (size_t)start->size < sizeof(header) ? (size_t)start->size : sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(p, "neither an ELF file nor a script with an interpreter");
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
		return refuse(p, "not a program for x86-64");
	return has_interpreter(start, &header) ? RUN_DYNAMIC : RUN_STATIC;
}

enum run_kind run_find(const char *name, struct run_program *p)
{
	struct start start;

	memset(p, 0, sizeof(*p));
	if (!find(name, p->path, sizeof(p->path)))
		return RUN_MISSING;
	strcpy(p->file, p->path);
	for (int depth = 0; depth < 5; depth++) {
		if (!read_start(p->file, &start))
			return refuse(p, "it can't be read");
		if (start.size < 2 || memcmp(start.bytes, "#!", 2) != 0)
			return classify(&start, p);
		if (!follow_script(&start, p))
			return refuse(p, "its first line names no interpreter");
	}
	return refuse(p, "its interpreter is a script of a script");
}

/* ---- the library ---- */

bool run_library(char *path, size_t size, char *why, size_t why_size)
{
	char self[4096];

	if (!self_path(self, sizeof(self))) {
		snprintf(why, why_size, "/proc/self/exe can't be read, so " RUN_LIBRARY " can't be found");
		return false;
	}
	if (!self_find(self, run_library_places, R_OK, path, size)) {
		snprintf(why, why_size, RUN_LIBRARY " is neither beside %s nor in the library folder that belongs to it", self);
		return false;
	}
	/* A space or colon would end its name there. */
	if (!strpbrk(path, " :"))
		return true;
	snprintf(why, why_size, "LD_PRELOAD can't name %s: it has a space or a colon", path);
	return false;
}
