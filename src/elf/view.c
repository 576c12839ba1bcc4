/* SPDX-License-Identifier: MIT */
/* view.c - see view.h. Headers may lie at any alignment and are copied out. */
#include "elf/view.h"

#include <elf.h>
#include <string.h>

/* Loaders take segments in ascending order alone. */
static bool is_behind(const struct rl_view *view, const Elf64_Phdr *header)
{
	const struct rl_piece *last = view->count ? &view->pieces[view->count - 1] : NULL;

	return !last || header->p_vaddr >= last->address + last->size;
}

static bool add_piece(struct rl_view *view, const Elf64_Phdr *header, const uint8_t *bytes)
{
	if (view->count == RL_VIEW_PIECES || !is_behind(view, header))
		return false;
	view->pieces[view->count++] = (struct rl_piece){ header->p_vaddr, header->p_filesz, bytes, header->p_flags };
	return true;
}

static void note_range(const Elf64_Phdr *header, struct rl_view *view)
{
	switch (header->p_type) {
	case PT_DYNAMIC:
		view->dynamic = header->p_vaddr;
		view->dynamic_size = header->p_memsz;
		break;
	case PT_GNU_EH_FRAME:
		view->unwind = header->p_vaddr;
		view->unwind_size = header->p_memsz;
		break;
	case PT_GNU_RELRO:
		view->relro = header->p_vaddr;
		view->relro_size = header->p_memsz;
		break;
	}
}

static bool is_loaded(const Elf64_Phdr *header)
{
	return header->p_type == PT_LOAD && header->p_filesz && header->p_vaddr + header->p_filesz > header->p_vaddr;
}

static const char *check_header(const Elf64_Ehdr *header, size_t size)
{
	if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return "not a 64-bit little-endian ELF file";
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return "neither a program nor a shared object";
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > size ||
	    header->e_phnum > (size - header->e_phoff) / sizeof(Elf64_Phdr))
		return "its program headers are not in the file";
	return NULL;
}

bool rl_view_file(struct rl_view *view, const void *data, size_t size, const char **why)
{
	const uint8_t *image = data;
	Elf64_Ehdr header = { .e_type = ET_NONE };

	memset(view, 0, sizeof(*view));
	memcpy(&header, image, size < sizeof(header) ? size : sizeof(header));
	*why = check_header(&header, size);
	for (size_t i = 0; !*why && i < header.e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, image + header.e_phoff + i * sizeof(segment), sizeof(segment));
		note_range(&segment, view);
		if (!is_loaded(&segment))
			continue;
		if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
			*why = "a segment is not in the file (truncated?)";
		else if (!add_piece(view, &segment, image + segment.p_offset))
			*why = "it has too many segments, or they overlap";
	}
	return !*why;
}

bool rl_view_loaded(struct rl_view *view, const void *headers, size_t count, uint64_t bias)
{
	const Elf64_Phdr *segments = headers;
	bool fits = true;

	memset(view, 0, sizeof(*view));
	view->bias = bias;
	for (size_t i = 0; i < count && fits; i++) {
		note_range(&segments[i], view);
		if (is_loaded(&segments[i]) && segments[i].p_flags & PF_R)
			fits = add_piece(view, &segments[i], (const uint8_t *)(uintptr_t)(bias + segments[i].p_vaddr));
	}
	return fits && view->count;
}

const uint8_t *rl_view_at(const struct rl_view *view, uint64_t address, uint64_t size, uint32_t flags)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct rl_piece *piece = &view->pieces[i];
		uint64_t offset = address - piece->address;

		if (offset < piece->size && size <= piece->size - offset)
			return (piece->flags & flags) == flags ? piece->bytes + offset : NULL;
	}
	return NULL;
}

const struct rl_piece *rl_view_code(const struct rl_view *view, uint64_t address)
{
	for (size_t i = 0; i < view->count; i++)
		if (address - view->pieces[i].address < view->pieces[i].size)
			return view->pieces[i].flags & PF_X ? &view->pieces[i] : NULL;
	return NULL;
}

/* glibc relocates these in place, other loaders do not; the kernel's own module has them as linked. */
static uint64_t as_linked(const struct rl_view *view, uint64_t pointer)
{
	return view->bias && pointer >= view->bias && !rl_view_at(view, pointer, 1, 0) ? pointer - view->bias : pointer;
}

bool rl_view_dynamic(const struct rl_view *view, int64_t tag, bool pointer, uint64_t *value)
{
	for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= view->dynamic_size; at += sizeof(Elf64_Dyn)) {
		const uint8_t *bytes = rl_view_at(view, view->dynamic + at, sizeof(Elf64_Dyn), PF_R);
		Elf64_Dyn entry;

		if (!bytes)
			return false;
		memcpy(&entry, bytes, sizeof(entry));
		if (entry.d_tag == DT_NULL)
			return false;
		if (entry.d_tag != tag)
			continue;
		*value = pointer ? as_linked(view, entry.d_un.d_val) : entry.d_un.d_val;
		return true;
	}
	return false;
}
