/* SPDX-License-Identifier: MIT */
/* inputs.c - files of `relink check`: finished files, objects, and archives of objects, whose members are files of their own. */
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "inputs.h"
#include "process.h"

static void add(struct inputs *in, struct model *model)
{
	if (in->count == in->capacity) {
		size_t capacity = in->capacity ? 2 * in->capacity : 16;
		struct model **models = realloc(in->models, capacity * sizeof(*models));

		if (!models) {
			complain(model->path, "out of memory");
			exit(STATUS_BAD);
		}
		in->models = models;
		in->capacity = capacity;
	}
	in->models[in->count++] = model;
}

static void open_member(struct inputs *in, const char *path, const char *name, const char *bytes, size_t size, int *status)
{
	char *label = text_format("%s(%s)", path, name), why[300];
	uint8_t *copy = malloc(size ? size : 1);
	struct model *model = NULL;

	snprintf(why, sizeof(why), "out of memory");
	if (copy) {
		memcpy(copy, bytes, size);
		model = model_of(label, copy, size, why, sizeof(why));
	}
	if (model) {
		add(in, model);
	} else {
		complain(label, "%s", why);
		*status = STATUS_BAD;
	}
	free(label);
}

/* The names of symbols, and long names, are members, too. */
static bool is_table(const char *name)
{
	return !name || !strcmp(name, "/") || !strcmp(name, "//") || !strcmp(name, "/SYM64/") || !strncmp(name, "__.SYMDEF", 9);
}

static size_t each_member(struct inputs *in, const char *path, Elf *archive, int *status)
{
	size_t members = 0;
	bool more = true;
	Elf *member;

	/* What is in memory was "mapped", and so are its members. */
	while (more && (member = elf_begin(-1, ELF_C_READ_MMAP, archive))) {
		Elf_Arhdr *header = elf_getarhdr(member);
		size_t size = 0;
		const char *bytes = elf_rawfile(member, &size);

		members++;
		if (header && !is_table(header->ar_name)) {
			if (bytes && size)
				open_member(in, path, header->ar_name, bytes, size, status);
			else
				complain(path, "%s is empty", header->ar_name);
		}
		more = elf_next(member) != ELF_C_NULL;
		elf_end(member);
	}
	return members;
}

/* What follows the last sound member is cut off, or no member at all. */
static bool is_whole(const uint8_t *bytes, size_t size)
{
	size_t at = 8;

	while (size - at >= 60) {
		char text[11] = { 0 };
		unsigned long long length;

		memcpy(text, bytes + at + 48, 10);
		length = strtoull(text, NULL, 10);
		if (bytes[at + 58] != '`' || bytes[at + 59] != '\n' || length > size - at - 60)
			return false;
		at += 60 + length + (length & 1);
		if (at >= size)
			return true;
	}
	return at >= size;
}

static void open_archive(struct inputs *in, const char *path, uint8_t *bytes, size_t size, int *status)
{
	Elf *archive;

	elf_version(EV_CURRENT);
	archive = elf_memory((char *)bytes, size);
	if (!is_whole(bytes, size) || !archive || elf_kind(archive) != ELF_K_AR) {
		complain(path, "the archive is cut off, or broken; build it again");
		*status = STATUS_BAD;
	} else if (size > 8 && !each_member(in, path, archive, status)) {
		complain(path, "the archive's members can't be read; build it again");
		*status = STATUS_BAD;
	}
	elf_end(archive);
}

static void open_input(struct inputs *in, const char *path, int *status)
{
	struct model *model;
	uint8_t *bytes;
	char why[300];
	size_t size;

	bytes = model_read(path, &size, why, sizeof(why));
	if (bytes && size >= 8 && !memcmp(bytes, "!<arch>\n", 8)) {
		open_archive(in, path, bytes, size, status);
		free(bytes);
		return;
	}
	model = bytes ? model_of(path, bytes, size, why, sizeof(why)) : NULL;
	if (model) {
		add(in, model);
	} else {
		complain(path, "%s", why);
		*status = STATUS_BAD;
	}
}

void inputs_open(struct inputs *in, char **paths, size_t count, int *status)
{
	int pid;

	for (size_t i = 0; i < count; i++) {
		progress("reading", i, count);
		if (process_named(paths[i], &pid)) {
			complain(NULL, "check: %d is a process; name files (one of that name is ./%d)", pid, pid);
			*status = STATUS_BAD;
		} else {
			open_input(in, paths[i], status);
		}
	}
	progress_end();
	model_connect(in->models, in->count);
}
