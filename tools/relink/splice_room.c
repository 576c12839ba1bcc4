/* SPDX-License-Identifier: MIT */
/*
 * splice_room.c - makes room for one more program header where there is none.
 *
 * The headers can't go elsewhere: strip, and kernels before 5.18, look for them behind the ELF header. Linkers put the interpreter's name
 * and the notes there, to which nothing but program headers leads, and the note of relink's headers has as many bytes too many.
 */
#include <string.h>

#include "splice.h"

#define ROOM sizeof(Elf64_Phdr)
#define NOTE_HEAD 20 /* three words and the owner's name */

struct room {
	uint64_t start, note, place; /* addresses: behind the headers, of the note, of what stays of it */
	uint64_t offset;             /* of `start` */
};

/* May the section be anywhere? Nothing but program headers says where such are. */
static bool is_movable(const struct splice *s, const Elf64_Shdr *section)
{
	const Elf64_Shdr *names = &s->sections[s->head.e_shstrndx];
	static const char interp[] = ".interp";

	if (section->sh_addralign > 8)
		return false;
	if (section->sh_type == SHT_NOTE)
		return true;
	return section->sh_type == SHT_PROGBITS && section->sh_name < names->sh_size && names->sh_size - section->sh_name >= sizeof(interp) &&
	       splice_lies_in(names->sh_offset, names->sh_size, s->in_size) &&
	       !memcmp(s->in + names->sh_offset + section->sh_name, interp, sizeof(interp));
}

static bool is_between(const Elf64_Shdr *section, const struct room *room)
{
	return splice_is_loaded(section) && section->sh_size && section->sh_addr < room->note && section->sh_addr + section->sh_size > room->start;
}

static const char *check_sections(const struct splice *s, const struct room *room)
{
	for (size_t i = 1; i < s->section_count; i++) {
		const Elf64_Shdr *section = &s->sections[i];

		if (!is_between(section, room))
			continue;
		if (section->sh_addr < room->start || section->sh_addr + section->sh_size > room->note || !is_movable(s, section))
			return "there is no room for a program header: something lies in front of the note .note.relink.index that can't be moved";
	}
	return NULL;
}

/* A symbol by its index in a symbol table. */
static bool symbol_at(const struct splice *s, const Elf64_Shdr *symbols, uint64_t index, Elf64_Sym *symbol)
{
	if (!splice_has_bytes(symbols) || index >= symbols->sh_size / sizeof(*symbol))
		return false;
	memcpy(symbol, s->in + symbols->sh_offset + index * sizeof(*symbol), sizeof(*symbol));
	return true;
}

static bool refers_to_moved(const struct splice *s, const struct room *room, const Elf64_Rela *reloc, const Elf64_Shdr *symbols)
{
	uint64_t target;
	Elf64_Sym symbol;

	if (!symbol_at(s, symbols, ELF64_R_SYM(reloc->r_info), &symbol) || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE)
		return false;
	target = symbol.st_value + (uint64_t)reloc->r_addend;
	return symbol.st_value != room->place && target >= room->start && target < room->place;
}

/* Who has a pointer to a note would find it elsewhere. */
static const char *check_references(const struct splice *s, const struct room *room)
{
	for (size_t i = 1; i < s->section_count; i++) {
		const Elf64_Shdr *section = &s->sections[i];
		Elf64_Rela reloc;

		if (section->sh_type != SHT_RELA || splice_is_loaded(section) || section->sh_info >= s->section_count ||
		    section->sh_link >= s->section_count || !splice_is_loaded(&s->sections[section->sh_info]))
			continue;
		for (uint64_t at = 0; at + sizeof(reloc) <= section->sh_size; at += sizeof(reloc)) {
			memcpy(&reloc, s->in + section->sh_offset + at, sizeof(reloc));
			if (refers_to_moved(s, room, &reloc, &s->sections[section->sh_link]))
				return "its code refers to a note, or to the interpreter's name, which would have to be moved";
		}
	}
	return NULL;
}

/* What moves and counts from its own address: the runtime's note leads to its anchor. */
static const char *fix_field(struct splice *s, const struct room *room, const Elf64_Rela *reloc)
{
	uint32_t type = (uint32_t)ELF64_R_TYPE(reloc->r_info);
	size_t width = type == R_X86_64_PC64 ? 8 : 4;
	uint64_t value = 0;
	uint8_t *field;

	if (reloc->r_offset < room->start || reloc->r_offset >= room->note || type == R_X86_64_NONE)
		return NULL;
	if ((type != R_X86_64_PC64 && type != R_X86_64_PC32) || reloc->r_offset + width > room->note)
		return "a note that would have to be moved is relocated";
	field = s->out + room->offset + ROOM + (reloc->r_offset - room->start);
	memcpy(&value, field, width);
	value -= ROOM;
	memcpy(field, &value, width);
	return NULL;
}

static const char *fix_fields(struct splice *s, const struct room *room)
{
	const char *why = NULL;

	for (size_t i = 1; i < s->section_count && !why; i++) {
		const Elf64_Shdr *section = &s->sections[i];
		Elf64_Rela reloc;

		if (section->sh_type != SHT_RELA || section->sh_info >= s->section_count ||
		    (!splice_is_loaded(section) && !is_between(&s->sections[section->sh_info], room)))
			continue;
		for (uint64_t at = 0; at + sizeof(reloc) <= section->sh_size && !why; at += sizeof(reloc)) {
			memcpy(&reloc, s->in + section->sh_offset + at, sizeof(reloc));
			why = fix_field(s, room, &reloc);
		}
	}
	return why;
}

static bool moves(const struct room *room, uint64_t address)
{
	return address >= room->start && address <= room->note;
}

/* What ended in front of the note's place ends further up; the note itself ends where it did. */
static void move_segments(struct splice *s, const struct room *room)
{
	for (size_t i = 0; i < s->segment_count; i++) {
		Elf64_Phdr *p = &s->segments[i];
		uint64_t end = p->p_vaddr + p->p_memsz;

		if (p->p_type == PT_PHDR) {
			p->p_filesz += ROOM;
			p->p_memsz += ROOM;
		} else if (p->p_type != PT_LOAD && p->p_memsz && p->p_filesz == p->p_memsz && moves(room, p->p_vaddr)) {
			if (end > room->note) {
				p->p_filesz -= ROOM;
				p->p_memsz -= ROOM;
			}
			p->p_offset += ROOM;
			p->p_vaddr += ROOM;
			p->p_paddr += ROOM;
		}
	}
}

static void move_sections(struct splice *s, const struct room *room)
{
	for (size_t i = 1; i < s->section_count; i++) {
		Elf64_Shdr *section = &s->sections[i];

		if (!splice_is_loaded(section) || !section->sh_size || !moves(room, section->sh_addr))
			continue;
		if (section->sh_addr == room->note)
			section->sh_size -= ROOM;
		section->sh_addr += ROOM;
		section->sh_offset += ROOM;
	}
}

static const char *find_room(const struct splice *s, struct room *room)
{
	uint64_t end = s->head.e_phoff + s->segment_count * sizeof(Elf64_Phdr);

	for (size_t i = 0; i < s->segment_count; i++) {
		const Elf64_Phdr *p = &s->segments[i];

		if (p->p_type != PT_LOAD || p->p_offset > s->head.e_phoff || p->p_offset + p->p_filesz < end)
			continue;
		room->offset = end;
		room->start = p->p_vaddr + (end - p->p_offset);
		if (room->note < room->start || room->place + sizeof(uint64_t) > p->p_vaddr + p->p_filesz)
			break;
		return room->place - room->note == NOTE_HEAD + ROOM ? NULL : "its note .note.relink.index has no room for a program header";
	}
	return "its program headers are not loaded in front of the note .note.relink.index";
}

const char *splice_make_room(struct splice *s, uint64_t note, uint64_t place)
{
	struct room room = { .note = note, .place = place };
	const char *why = find_room(s, &room);
	uint64_t length = room.note - room.start;
	uint32_t description = sizeof(uint64_t);

	why = why ? why : check_sections(s, &room);
	why = why ? why : check_references(s, &room);
	if (why)
		return why;
	memmove(s->out + room.offset + ROOM, s->out + room.offset, length + NOTE_HEAD);
	memcpy(s->out + room.offset + ROOM + length + sizeof(uint32_t), &description, sizeof(description));
	why = fix_fields(s, &room);
	if (why)
		return why;
	move_segments(s, &room);
	move_sections(s, &room);
	s->shift_start = room.start;
	s->shift_stop = room.place;
	return NULL;
}
