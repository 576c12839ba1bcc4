/* SPDX-License-Identifier: MIT */
/*
 * splice.h - a copy of a finished ELF file with one loaded section more, or without kept relocations.
 *
 * What is loaded stays where it is, but for the notes and the interpreter's name behind the program headers: they make room for one more
 * header. What is not loaded follows in the old order. Files that have anything else in them are refused, with the reason.
 */
#ifndef RELINK_TOOL_SPLICE_H
#define RELINK_TOOL_SPLICE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct splice {
	const uint8_t *in;
	size_t in_size;
	Elf64_Ehdr head;
	Elf64_Phdr *segments; /* there is room for one more, and for one more section */
	Elf64_Shdr *sections;
	uint32_t *moved;      /* old index of a section -> new one; 0: dropped */
	size_t segment_count, section_count;
	uint64_t loaded;      /* end of what is loaded, in the file */
	uint8_t *out;
	size_t out_size, out_capacity;
	const char *name;     /* of the section that was added */
	uint64_t shift_start, shift_stop; /* what was there has moved up by the size of a program header */
};

/* The bytes must be those of a file that a model was made of, and stay. NULL, or why not. */
const char *splice_open(struct splice *s, const uint8_t *bytes, size_t size);
/* The address that a new section of the file gets. */
uint64_t splice_address(const struct splice *s);
/* Moves what lies between the program headers and the note up, and the note's head; its last bytes, from `place` on, stay. */
const char *splice_make_room(struct splice *s, uint64_t note, uint64_t place);
/* Then: the section. `name` must last until splice_close. */
const char *splice_add(struct splice *s, const char *name, const uint8_t *bytes, size_t size);
const char *splice_drop_relocs(struct splice *s);
/* At last: what is not loaded, and the headers. The result is in `out`. */
const char *splice_finish(struct splice *s);
/* Changes loaded bytes of the result. */
void splice_write(struct splice *s, uint64_t address, const void *bytes, size_t size);
void splice_close(struct splice *s);

/* ---- for splice_room.c ---- */
bool splice_lies_in(uint64_t offset, uint64_t size, size_t whole);
bool splice_has_bytes(const Elf64_Shdr *section);
bool splice_is_loaded(const Elf64_Shdr *section);

#endif
