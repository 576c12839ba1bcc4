/* SPDX-License-Identifier: MIT */
/* notes.c - ELF notes of loaded modules. */
#include "system.h"

#include <elf.h>
#include <link.h>
#include <string.h>

bool rl_segment_holds(const struct dl_phdr_info *info, uintptr_t address, size_t size, uint32_t flags)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t offset = address - (uintptr_t)(info->dlpi_addr + segment->p_vaddr);

		if (segment->p_type == PT_LOAD && (segment->p_flags & flags) == flags && offset < segment->p_memsz &&
		    size <= segment->p_memsz - offset)
			return true;
	}
	return false;
}

static size_t aligned(size_t size, size_t alignment)
{
	return (size + alignment - 1) & ~(alignment - 1);
}

/* Name and descriptor start at multiples of the segment's alignment, which is 4 or 8. */
static const uint8_t *find_in(const uint8_t *notes, size_t size, size_t alignment, const char *owner, uint32_t type,
			      size_t *length)
{
	const size_t owner_size = strlen(owner) + 1;
	ElfW(Nhdr) note;

	while (size >= sizeof(note)) {
		size_t descriptor, next;

		memcpy(&note, notes, sizeof(note));
		if (note.n_namesz > size || note.n_descsz > size)
			return NULL;
		descriptor = aligned(sizeof(note) + note.n_namesz, alignment);
		if (descriptor > size || note.n_descsz > size - descriptor)
			return NULL;
		if (note.n_type == type && note.n_namesz == owner_size && memcmp(notes + sizeof(note), owner, owner_size) == 0) {
			*length = note.n_descsz;
			return notes + descriptor;
		}
		next = aligned(descriptor + note.n_descsz, alignment);
		if (next > size)
			return NULL;
		notes += next;
		size -= next;
	}
	return NULL;
}

const uint8_t *rl_note(const struct dl_phdr_info *info, const char *owner, uint32_t type, size_t *length)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = (uintptr_t)(info->dlpi_addr + segment->p_vaddr);
		const uint8_t *found;

		if (segment->p_type != PT_NOTE || !rl_segment_holds(info, start, segment->p_memsz, PF_R))
			continue;
		found = find_in((const uint8_t *)start, segment->p_memsz, segment->p_align == 8 ? 8 : 4, owner, type, length);
		if (found)
			return found;
	}
	return NULL;
}
