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

/*
 * Notes are looked for, not walked: linkers put those of alignment 4 and 8 into one segment with padding between them,
 * and mold then says that all of them have alignment 8.
 */
static const uint8_t *find_in(const uint8_t *notes, size_t size, const char *owner, uint32_t type, size_t *length)
{
	const size_t owner_size = strlen(owner) + 1;
	const size_t header_size = sizeof(ElfW(Nhdr)) + ((owner_size + 3) & ~(size_t)3);
	ElfW(Nhdr) note;

	for (size_t at = 0; at + header_size <= size; at += 4) {
		memcpy(&note, notes + at, sizeof(note));
		if (note.n_type != type || note.n_namesz != owner_size || note.n_descsz > size - at - header_size)
			continue;
		if (memcmp(notes + at + sizeof(note), owner, owner_size) == 0) {
			*length = note.n_descsz;
			return notes + at + header_size;
		}
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
		found = find_in((const uint8_t *)start, segment->p_memsz, owner, type, length);
		if (found)
			return found;
	}
	return NULL;
}
