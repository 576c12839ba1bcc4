/* SPDX-License-Identifier: MIT */
/* objectpass.c - see objectpass.h: which places an object's code has. objecttables.c writes them. */
#include "objectpass.h"

#include <stdlib.h>
#include <string.h>

#include "objecttables.h"

#define BEFORE 6 /* as in the runtime */
#define WINDOW 12

/* ---- what is it? ---- */

static const char intermediate[] = "intermediate code (LTO): there is no code in it yet";

static const char *check_identity(const uint8_t *b, size_t size)
{
	if (size < SELFMAG || memcmp(b, ELFMAG, SELFMAG) != 0)
		return size > 1 && b[0] == 'B' && b[1] == 'C' ? intermediate : "not an ELF file";
	if (size < sizeof(Elf64_Ehdr))
		return "the ELF header is cut off";
	if (b[EI_CLASS] != ELFCLASS64 || b[EI_DATA] != ELFDATA2LSB || b[18] != EM_X86_64 || b[19])
		return "not an object for x86-64";
	if (b[16] != ET_REL || b[17])
		return "not an object file: linked files are for relink index";
	return NULL;
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Strings that end with the section. */
static bool read_declared(struct object *o)
{
	Elf_Data *data = o->declared ? elf_getdata(elf_getscn(o->elf, o->declared), NULL) : NULL;
	const char *at = data ? data->d_buf : NULL, *stop = at ? at + data->d_size : NULL;
	size_t count = 0;

	if (!at || !data->d_size)
		return true;
	if (stop[-1])
		return false;
	for (const char *p = at; p < stop; p++)
		count += !*p;
	o->names = calloc(count, sizeof(*o->names));
	for (; o->names && at < stop; at += strlen(at) + 1)
		o->names[o->name_count++] = at;
	if (o->names)
		qsort(o->names, o->name_count, sizeof(*o->names), by_name);
	return o->names != NULL;
}

/* Those of <relink/linux.h> have a prefix of their own. */
static bool is_static_call(const struct object *o, const char *name)
{
	static const char prefix[] = "relink_static_";

	return !strncmp(name, prefix, sizeof(prefix) - 1) ||
	       (o->name_count && bsearch(&name, o->names, o->name_count, sizeof(*o->names), by_name));
}

static uint8_t class_of(const struct object *o, const GElf_Sym *symbol)
{
	const char *name = elf_strptr(o->elf, o->strings, symbol->st_name);
	uint8_t class = 0;

	if (GELF_ST_BIND(symbol->st_info) != STB_LOCAL && name && is_static_call(o, name))
		class |= OBJECT_CALL;
	if (o->pointers && symbol->st_shndx == o->pointers)
		class |= OBJECT_POINTER;
	if (symbol->st_shndx == SHN_UNDEF && GELF_ST_TYPE(symbol->st_info) != STT_TLS)
		class |= OBJECT_OUTSIDE;
	return class;
}

static bool classify_symbols(struct object *o)
{
	GElf_Sym symbol;

	o->classes = calloc(o->symbol_count + 1, 1);
	if (!o->classes || !read_declared(o))
		return false;
	for (size_t i = 1; i < o->symbol_count; i++) {
		if (!gelf_getsym(o->symbols, (int)i, &symbol))
			return false;
		o->classes[i] = class_of(o, &symbol);
	}
	return true;
}

/* ---- places ---- */

enum where { NOWHERE, AMONG_SITES, AMONG_GOT_SITES };

static bool is_got(uint32_t type)
{
	return type == R_X86_64_GOTPCREL || type == R_X86_64_GOTPCRELX || type == R_X86_64_REX_GOTPCRELX;
}

static bool is_direct(uint32_t type)
{
	return type == R_X86_64_PC32 || type == R_X86_64_32 || type == R_X86_64_32S;
}

/* What 32 bits are loaded from in another file is no pointer. */
static bool loads_word(const uint8_t *field)
{
	return field[-2] != 0x8b || (field[-3] & 0xf8) == 0x48;
}

static enum where consider(uint32_t type, uint8_t class, const uint8_t window[WINDOW])
{
	struct rl_reference reference;
	struct rl_found found;

	if (class & OBJECT_CALL)
		return (is_got(type) || is_direct(type) || type == R_X86_64_PLT32) &&
		       rl_port_x86_64.recognise(window, BEFORE, WINDOW, 0x10000, &found) ? AMONG_SITES : NOWHERE;
	if (!(class & (OBJECT_POINTER | OBJECT_OUTSIDE)) || (!is_got(type) && !is_direct(type)))
		return NOWHERE;
	rl_port_x86_64.refer(window, BEFORE, WINDOW, 0x10000, &reference);
	if (is_got(type))
		return reference.use == RL_USE_LOAD ? AMONG_GOT_SITES : NOWHERE;
	if (reference.use == RL_USE_OTHER || (class == OBJECT_OUTSIDE && !loads_word(window + BEFORE)))
		return NOWHERE;
	return AMONG_SITES;
}

/* Code around a field; what lies outside of its section is zeros. */
static void copy_window(const Elf_Data *code, uint64_t place, uint8_t window[WINDOW])
{
	for (size_t i = 0; i < WINDOW; i++) {
		uint64_t at = place - BEFORE + i;

		window[i] = at < code->d_size ? ((const uint8_t *)code->d_buf)[at] : 0;
	}
}

static bool read_relocs(struct object *o, size_t section, Elf_Data *code, Elf_Data *relocs)
{
	struct places found[2] = { { 0 }, { 0 } };
	uint8_t window[WINDOW];
	bool fine = true;
	GElf_Rela r;

	for (int i = 0; fine && gelf_getrela(relocs, i, &r); i++) {
		enum where where;

		fine = GELF_R_SYM(r.r_info) < o->symbol_count;
		if (!fine || r.r_offset > code->d_size || code->d_size - r.r_offset < 4)
			continue;
		copy_window(code, r.r_offset, window);
		where = consider((uint32_t)GELF_R_TYPE(r.r_info), o->classes[GELF_R_SYM(r.r_info)], window);
		if (where != NOWHERE)
			fine = places_add(&found[where == AMONG_GOT_SITES], r.r_offset);
	}
	for (int got = 0; got < 2; got++) {
		o->place_count += found[got].count;
		fine = fine && (!found[got].count || object_want_table(o, section, got, &found[got]));
		if (!fine || !found[got].count)
			free(found[got].items);
	}
	return fine;
}

static bool read_code(struct object *o)
{
	GElf_Shdr relocs, code;
	uint64_t budget = o->size; /* sound sections don't lie in each other */

	for (size_t i = 1; i < o->section_count; i++) {
		Elf_Scn *section = elf_getscn(o->elf, i), *target;
		Elf_Data *data, *bytes;

		if (!gelf_getshdr(section, &relocs) || relocs.sh_type != SHT_RELA || relocs.sh_info >= o->section_count || relocs.sh_link != o->symtab)
			continue;
		target = elf_getscn(o->elf, relocs.sh_info);
		if (!gelf_getshdr(target, &code) || code.sh_type != SHT_PROGBITS ||
		    (code.sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) != (SHF_ALLOC | SHF_EXECINSTR))
			continue;
		if (relocs.sh_size > budget)
			return false;
		budget -= relocs.sh_size;
		data = elf_getdata(section, NULL);
		bytes = elf_getdata(target, NULL);
		if (data && bytes && bytes->d_buf && !read_relocs(o, relocs.sh_info, bytes, data))
			return false;
	}
	return true;
}

/* ---- all together ---- */

static struct object_result result(enum object_state state, const char *why)
{
	return (struct object_result){ .state = state, .why = why };
}

static struct object_result pass(struct object *o, bool all)
{
	const char *why = object_read(o);
	struct object_result r;

	if (why)
		return result(OBJECT_BROKEN, why);
	if (o->has_tables)
		return result(OBJECT_DONE, NULL);
	if (!o->uses_relink && !all)
		return result(OBJECT_NOTHING, o->is_lto ? intermediate : NULL);
	if (!classify_symbols(o) || !read_code(o))
		return result(OBJECT_BROKEN, "its symbols or relocations are broken");
	if (!o->table_count)
		return result(OBJECT_NOTHING, o->is_lto ? intermediate : NULL);
	why = object_write(o);
	if (why)
		return result(OBJECT_BROKEN, why);
	r = result(OBJECT_CHANGED, NULL);
	r.bytes = object_take(o, &r.size);
	r.places = o->place_count;
	return r.bytes ? r : result(OBJECT_BROKEN, "the new file can't be read back");
}

struct object_result object_pass(const uint8_t *bytes, size_t size, bool all)
{
	const char *why = check_identity(bytes, size);
	struct object o;
	struct object_result r;

	if (why)
		return result(OBJECT_FOREIGN, why);
	why = object_open(&o, bytes, size);
	r = why ? result(OBJECT_BROKEN, why) : pass(&o, all);
	object_close(&o);
	return r;
}
