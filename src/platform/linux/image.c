/* SPDX-License-Identifier: MIT */
/* image.c - loaded modules and the files they came from. */
#include "../platform.h"
#include "system.h"

#include "elf/relocs.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not every program has these, and a static one must not get them because of us. */
#pragma weak dladdr
#pragma weak dlsym

#define PROGRAM "/proc/self/exe"

/* ---- what is loaded ---- */

/* The name is empty in glibc and not in others; the vdso's may be empty too. */
static bool is_program(const struct dl_phdr_info *info)
{
	uintptr_t headers = (uintptr_t)getauxval(AT_PHDR);

	return headers ? (uintptr_t)info->dlpi_phdr == headers : info->dlpi_name[0] == '\0';
}

static void describe_text(const struct dl_phdr_info *info, struct rl_image *image)
{
	image->text_start = UINTPTR_MAX;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = (uintptr_t)(info->dlpi_addr + segment->p_vaddr);

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		if (start < image->text_start)
			image->text_start = start;
		if (start + segment->p_memsz > image->text_stop)
			image->text_stop = start + segment->p_memsz;
	}
	if (!image->text_stop)
		image->text_start = 0;
}

static void describe_build_id(const struct dl_phdr_info *info, struct rl_image *image)
{
	size_t length;
	const uint8_t *id = rl_note(info, "GNU", NT_GNU_BUILD_ID, &length);

	if (!id || length > sizeof(image->build_id))
		return;
	memcpy(image->build_id, id, length);
	image->build_id_length = length;
}

struct query {
	uintptr_t address;
	struct rl_image *image;
};

static int describe_if_holds(struct dl_phdr_info *info, size_t size, void *context)
{
	const struct query *query = context;
	struct rl_image *image = query->image;

	(void)size;
	if (!rl_segment_holds(info, query->address, 1, 0))
		return 0;
	image->bias = (uintptr_t)info->dlpi_addr;
	image->main = is_program(info);
	describe_text(info, image);
	describe_build_id(info, image);
	if (strlen(info->dlpi_name) < sizeof(image->path))
		strcpy(image->path, info->dlpi_name);
	return 1;
}

static void name_program(struct rl_image *image)
{
	ssize_t length = rl_files_allowed() ? readlink(PROGRAM, image->path, sizeof(image->path) - 1) : -1;

	if (length > 0)
		image->path[length] = '\0';
	else
		strcpy(image->path, PROGRAM);
}

/* The kernel's name is absolute; the loader's may be relative to a directory that was left since. */
static void describe_file(struct rl_image *image)
{
	char loaded_as[sizeof(image->path)];
	struct rl_mapping mapping = { 0, 0, 0, 0, false };

	memcpy(loaded_as, image->path, sizeof(loaded_as));
	if (rl_files_allowed() && rl_mapping_of(image->text_start, &mapping, image->path, sizeof(image->path))) {
		image->device = mapping.inode ? mapping.device : 0;
		image->inode = mapping.inode;
	}
	if (image->path[0] == '[') /* [vdso] */
		image->path[0] = '\0';
	else if (image->path[0] != '/' || !mapping.inode)
		memcpy(image->path, loaded_as, sizeof(loaded_as));
	if (image->main && image->path[0] != '/')
		name_program(image);
	rl_drop_remark(image->path);
}

bool rl_image_of(const void *address, struct rl_image *image)
{
	struct query query = { (uintptr_t)address, image };

	memset(image, 0, sizeof(*image));
	if (!dl_iterate_phdr(describe_if_holds, &query))
		return false;
	describe_file(image);
	return true;
}

/* ---- its file ---- */

enum identity { SAME, ANOTHER, UNKNOWN };

static enum identity compare_build_ids(const struct rl_image *image, const struct rl_file *file)
{
	struct rl_elf elf;
	const char *why;
	const uint8_t *id;
	size_t length;

	if (!image->build_id_length || rl_elf_open(&elf, file->data, file->size, &why) < 0)
		return UNKNOWN;
	id = rl_elf_build_id(&elf, &length);
	if (!id)
		return UNKNOWN;
	if (length != image->build_id_length || memcmp(id, image->build_id, length) != 0)
		return ANOTHER;
	return SAME;
}

/* Overlays and btrfs show one device to stat and another in maps, so the kernel is asked about our own mapping. */
static bool same_inode(const struct rl_image *image, const struct rl_file *file, const struct stat *status)
{
	struct rl_mapping mapping;

	if (!image->inode)
		return false;
	if (status->st_dev == image->device && status->st_ino == image->inode)
		return true;
	return rl_mapping_of((uintptr_t)file->data, &mapping, NULL, 0) && mapping.device == image->device &&
	       mapping.inode == image->inode;
}

static enum identity identify(const struct rl_image *image, const struct rl_file *file, const struct stat *status)
{
	enum identity by_build_id = compare_build_ids(image, file);

	if (by_build_id == UNKNOWN && same_inode(image, file, status))
		return SAME;
	return by_build_id == UNKNOWN && image->inode ? ANOTHER : by_build_id;
}

/* NULL, or why it was not mapped. */
static const char *map(int descriptor, const struct rl_image *image, struct rl_file *file)
{
	struct stat status;
	enum identity identity;
	void *data;

	if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size <= 0)
		return "the module's file is not a regular file";
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (data == MAP_FAILED)
		return "the module's file can't be mapped";
	file->data = data;
	file->size = (size_t)status.st_size;
	identity = identify(image, file, &status);
	if (identity == SAME)
		return NULL;
	rl_file_unmap(file);
	if (identity == ANOTHER)
		return "the module's file is not the one that was loaded (replaced since?)";
	return "it can't be told whether the module's file is the one that was loaded (no /proc, no build-id)";
}

static const char *map_path(const char *path, const struct rl_image *image, struct rl_file *file)
{
	const char *problem;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
		return errno == ENOENT ? "the module's file is gone" : "the module's file can't be opened";
	problem = map(descriptor, image, file);
	close(descriptor);
	return problem;
}

/* The link survives renaming and unlinking. It is not the program where the loader was run as a command. */
int rl_image_map_file(const struct rl_image *image, struct rl_file *file, const char **why)
{
	const char *problem = "the module has no file";

	file->data = NULL;
	file->size = 0;
	if (image->main)
		problem = map_path(PROGRAM, image, file);
	if (problem && image->path[0])
		problem = map_path(image->path, image, file);
	if (!problem)
		return 0;
	*why = problem;
	return -1;
}

void rl_file_unmap(struct rl_file *file)
{
	if (file->data)
		munmap((void *)(uintptr_t)file->data, file->size);
	file->data = NULL;
	file->size = 0;
}

/* ---- for messages, and for ever ---- */

void rl_symbol_name(const void *address, char *buffer, size_t size)
{
	Dl_info info;
	uintptr_t offset;

	if (!dladdr || !dladdr(address, &info) || !info.dli_sname) {
		snprintf(buffer, size, "0x%lx", (unsigned long)(uintptr_t)address);
		return;
	}
	offset = (uintptr_t)address - (uintptr_t)info.dli_saddr;
	if (offset)
		snprintf(buffer, size, "%s+0x%lx", info.dli_sname, (unsigned long)offset);
	else
		snprintf(buffer, size, "%s", info.dli_sname);
}

/* Found at run time: linkers warn about every static program that mentions dlopen. */
static void *open_loaded(const char *path)
{
	void *(*open_module)(const char *, int) = NULL;
	void *found = dlsym ? dlsym(RTLD_DEFAULT, "dlopen") : NULL;

	memcpy(&open_module, &found, sizeof(found));
	return open_module ? open_module(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) : NULL;
}

static int holds_as_program(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	return is_program(info) && rl_segment_holds(info, (uintptr_t)context, 1, 0);
}

void rl_pin_module(const void *address)
{
	Dl_info info;

	if (dl_iterate_phdr(holds_as_program, (void *)(uintptr_t)address))
		return; /* stays anyway */
	if (dladdr && dladdr(address, &info) && info.dli_fname)
		open_loaded(info.dli_fname);
}
