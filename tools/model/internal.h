/* SPDX-License-Identifier: MIT */
/* internal.h - what the files of the model share. */
#ifndef RELINK_MODEL_INTERNAL_H
#define RELINK_MODEL_INTERNAL_H

#include <libelf.h>

#include "elf/index.h"
#include "elf/relocs.h"
#include "findings.h"
#include "model.h"

/* ---- memory.c: what lives as long as the model; running out of memory ends the program ---- */
struct arena *arena_new(void);
void arena_free(struct arena *arena);
void *arena_take(struct arena *arena, size_t size); /* zeroed */
char *arena_copy(struct arena *arena, const char *s, size_t length);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An array that malloc gave, with room for one more. */
void *grown(void *array, size_t count, size_t *capacity, size_t size);

/* From numbers to indices. */
struct map {
	struct map_entry { uint64_t key; uint32_t value; bool used; } *entries;
	size_t count, capacity;
};
void map_put(struct map *map, uint64_t key, uint32_t value); /* the first value of a key stays */
bool map_get(const struct map *map, uint64_t key, uint32_t *value);
void map_free(struct map *map);
uint64_t hash_of(const char *s, size_t length);

/* ---- image.c: the file as it will be in memory ---- */

/* A word of data: a number, which may be an address, or the address of something in another module. */
struct word {
	uint64_t value;
	const char *symbol; /* of another module; `value` counts from it */
};

/* A word that the loader fills with the address of a symbol: a GOT slot, or any pointer. */
struct import {
	uint64_t place;
	const char *symbol;
	size_t length;   /* of its name, version excluded */
	bool undefined;  /* in this file; else it is at `value` */
	uint32_t index;  /* in the dynamic symbol table */
	uint64_t value;
};

struct image {
	uint8_t *bytes;
	size_t size;
	Elf *elf;
	struct rl_elf relocs;
	struct segment { uint64_t address, memory, offset, size; bool code; } *segments;
	size_t segment_count;
	struct note { uint64_t address, size; } notes[16]; /* segments of them */
	size_t note_count;
	struct fixup { uint64_t place, value; const char *symbol; } *fixups; /* by place */
	size_t fixup_count, fixup_capacity;
	struct import *imports;
	size_t import_count, import_capacity;
	/* what the loader copies out of other modules, R_X86_64_COPY; `from` is the name of one that marks it as a pointer, or NULL */
	struct copied { const char *symbol; size_t length; uint64_t place; const char *from; } *copied;
	size_t copied_count, copied_capacity;
	struct model_section *sections;
	size_t section_count;
};

/* NULL, or what is wrong. Takes over the bytes. */
const char *image_read(struct model *model, uint8_t *bytes, size_t size);
void image_free(struct image *image);
const uint8_t *image_at(const struct image *image, uint64_t address, uint64_t count);
/* How many bytes of the file there are from an address on. */
uint64_t image_filled(const struct image *image, uint64_t address);
bool image_is_code(const struct image *image, uint64_t address);
/* Bytes of memory from an address on, in the file or not. */
uint64_t image_room(const struct image *image, uint64_t address);
bool image_word(const struct image *image, uint64_t address, struct word *word);
/* A string, if it ends within reason. */
const char *image_string(const struct image *image, uint64_t address);
uint32_t get32(const uint8_t *p);
uint64_t get64(const uint8_t *p);
/* What a field holds that is relative to its own address. */
bool image_field(const struct image *image, uint64_t address, uint64_t *target);

/* ---- symbols.c ---- */
void names_read(struct model *model);
void names_free(struct names *names);
/* The object that lies exactly there, exported or not; NULL: none is known. */
const char *object_name(const struct model *model, uint64_t address);

/* Objects with a size, by address. The one that spans an address: NULL if none is known. */
struct object { const char *name; uint64_t address, size; bool local; };
bool each_object(const struct model *model, size_t *i, struct object *object);
bool object_at(const struct model *model, uint64_t address, struct object *object);
/* Symbols that an object file does not define. */
bool each_outside(const struct model *model, size_t *i, const char **name, uint64_t *address);

/* Functions with a size, by address; `i` begins with 0. False: no more. */
bool each_function(const struct model *model, size_t *i, uint64_t *start, uint64_t *size);

/* ---- lines.c ---- */
void lines_free(struct lines *lines);

/* ---- records.c: choices ---- */
struct lookup {
	struct map objects; /* address of a key, call, option, number -> choice */
	struct map states;  /* address of an option's key -> state, beside `objects` */
	struct map outside; /* hash of the name -> choice of another module */
	struct map marks;   /* address of a marker's function -> its place in `mark` */
	struct mark { const char *symbol; uint64_t address; struct rl_want want; } *mark;
	size_t mark_count, mark_capacity;
	int locks;          /* the built-in key, once it is needed */
	const struct model_section *pointers; /* where marked variables are, or NULL */
};
void records_read(struct model *model);
int add_choice(struct model *model, enum model_choice_kind kind, const char *name);
struct model_state *add_state(struct model *model, int choice, const char *name);
/* The choice behind a word, made up if nobody has named it. MODEL_NONE: the word leads nowhere. `state` may be NULL. */
int choice_behind(struct model *model, const struct word *word, enum model_choice_kind kind, int *state);
/* The same for one of another module, by its name. */
int choice_outside(struct model *model, enum model_choice_kind kind, const char *name, size_t length);
/* For records: a string that a field points to; NULL and a finding if there is none. The documentation, "" if there is none. */
const char *string_of(struct model *model, uint64_t record, unsigned field, const char *what);
const char *doc_of(struct model *model, uint64_t record, unsigned field);
/* The name of such a choice. */
#define OUTSIDE_NAME 512
void name_outside(const struct word *word, char name[OUTSIDE_NAME]);
/* Calls visit for every record of a module in order; stops where they are broken. */
typedef void record_visitor(struct model *model, uint64_t address, const uint8_t *record, size_t size);
void each_record(struct model *model, record_visitor *visit, bool report);

/* ---- states.c: variants, tables, drives, choice functions ---- */
void states_read(struct model *model);
/* What a member is while the table is in that state. False: not known from this file. */
bool member_want(const struct model *model, const struct model_choice *member, const struct model_state *backend, struct rl_want *want,
		 const char **symbol);

/* ---- sites.c ---- */
void sites_read(struct model *model);
void sites_sort(struct model *model);
struct model_site *add_site(struct model *model);

/* False, and a finding: it does not lie in code. */
bool lies_in_code(struct model *model, uint64_t record, uint64_t site, uint64_t length);

/* ---- uses.c ---- */
void uses_read(struct model *model);

/* ---- pointers.c ---- */
/* The choices, of records and of what the file's symbols name. */
void pointers_read(struct model *model);
/* The sites. */
void pointers_connect(struct model *model, struct model **others, size_t count);
/* Is it the address of a word of a marked variable? */
bool is_pointer_word(const struct model *model, uint64_t address);
void pointers_check(struct model *model);

/* ---- table.c: what `relink index` reserves and writes ---- */
struct table {
	uint64_t note;     /* address of the note "relink"; 0: there is none */
	uint64_t place;    /* of its struct relink_index_place */
	bool there;        /* the place leads somewhere ... */
	const char *why;   /* ... and this is wrong with what is there; NULL: nothing */
	struct rl_index index;
};
void table_read(struct model *model);
/* The operands that an index is compared with, for rl_index_fits; ctx is the model. */
const uint8_t *table_code(uint64_t place, void *ctx);

/* ---- calls.c ---- */
/* What `relink object` has put into a section of places. */
void each_place(const struct model *model, const char *section, int (*visit)(uint64_t place, void *ctx), void *ctx);
void calls_read(struct model *model, struct model **others, size_t count);

/* ---- findings.c ---- */
/* With the variable that it is about. */
void find_about(struct model *model, int number, uint64_t address, const char *variable, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void find(struct model *model, int number, uint64_t address, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
