/* SPDX-License-Identifier: MIT */
/* objecttables.h - an object file in libelf's hands, and the tables that are put into it. */
#ifndef RELINK_TOOL_OBJECTTABLES_H
#define RELINK_TOOL_OBJECTTABLES_H

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/port.h"

/* Bits per symbol. */
enum { OBJECT_CALL = 1, OBJECT_POINTER = 2, OBJECT_OUTSIDE = 4 };

struct places {
	uint64_t *items; /* offsets in a section of code */
	size_t count, capacity;
};
bool places_add(struct places *places, uint64_t offset);

struct object {
	int descriptors[2];   /* files in memory: the old one, the new one */
	Elf *elf, *source;    /* what is looked at, or being made; the old one while a new one is made */
	size_t section_count, symbol_count, symtab, strings, declared, pointers;
	Elf_Data *symbols;
	bool has_tables, uses_relink, is_lto;
	const char **names;   /* of static calls, sorted */
	size_t name_count;
	uint8_t *classes;     /* by symbol */
	struct table {
		size_t section; /* of code */
		bool got;
		struct places places;
		size_t symbol;  /* the section's */
		void *buffers[3]; /* contents, relocations, the group's */
	} *tables;
	size_t table_count, table_capacity;
	size_t place_count, size; /* size: of the old file */
	void *buffers[2];     /* symbols, names of sections */
};

/* Each returns NULL, or what is wrong. */
const char *object_open(struct object *o, const uint8_t *bytes, size_t size);
const char *object_read(struct object *o);
bool object_want_table(struct object *o, size_t section, bool got, const struct places *places);
const char *object_write(struct object *o);
uint8_t *object_take(const struct object *o, size_t *size);
void object_close(struct object *o);

#endif
