/* SPDX-License-Identifier: MIT */
/*
 * objecttables.c - see objecttables.h. libelf lays out the new file, in memory.
 *
 * A table's relocations need the symbol of the section of code. gcc and clang leave it out where nothing else wants it; then it is
 * inserted behind the other local symbols, and all indices of global ones move.
 */
#include "objecttables.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The names of the tables are the ends of those of their relocations. */
static const char section_names[] = ".relarelink_sites\0.relarelink_got_sites";
#define NAME_OF_RELOCS(got) ((got) ? sizeof(".relarelink_sites") : 0)
#define NAME_OF_TABLE(got) (NAME_OF_RELOCS(got) + sizeof(".rela") - 1)

#ifndef SHT_LLVM_ADDRSIG
#define SHT_LLVM_ADDRSIG 0x6fff4c03
#endif

/* ---- lists ---- */

static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
	void *grown;

	if (count < *capacity)
		return array;
	grown = realloc(array, (*capacity ? 2 * *capacity : 16) * size);
	if (grown)
		*capacity = *capacity ? 2 * *capacity : 16;
	return grown;
}

bool places_add(struct places *places, uint64_t offset)
{
	uint64_t *items = room(places->items, places->count, &places->capacity, sizeof(*items));

	if (!items)
		return false;
	places->items = items;
	items[places->count++] = offset;
	return true;
}

bool object_want_table(struct object *o, size_t section, bool got, const struct places *places)
{
	struct table *tables = room(o->tables, o->table_count, &o->table_capacity, sizeof(*tables));

	if (!tables)
		return false;
	o->tables = tables;
	tables[o->table_count++] = (struct table){ .section = section, .got = got, .places = *places };
	return true;
}

/* ---- opening ---- */

static bool fill(int descriptor, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(descriptor, bytes, size);

		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

const char *object_open(struct object *o, const uint8_t *bytes, size_t size)
{
	memset(o, 0, sizeof(*o));
	o->size = size;
	o->descriptors[1] = -1;
	o->descriptors[0] = memfd_create("relink", MFD_CLOEXEC);
	if (o->descriptors[0] < 0 || !fill(o->descriptors[0], bytes, size))
		return "out of memory";
	elf_version(EV_CURRENT);
	o->elf = elf_begin(o->descriptors[0], ELF_C_READ, NULL);
	return o->elf && elf_kind(o->elf) == ELF_K_ELF ? NULL : "not a sound ELF file";
}

static void look_at(struct object *o, size_t i, const char *name, const GElf_Shdr *section)
{
	if (section->sh_type == SHT_SYMTAB) {
		o->symtab = i;
		o->strings = section->sh_link;
	}
	if (!strcmp(name, "relink_declared"))
		o->declared = i;
	if (!strcmp(name, "relink_pointers"))
		o->pointers = i;
	o->has_tables |= !strcmp(name, "relink_sites") || !strcmp(name, "relink_got_sites");
	o->uses_relink |= !strcmp(name, ".note.relink.index");
	o->is_lto |= !strncmp(name, ".gnu.lto_", 9);
}

const char *object_read(struct object *o)
{
	size_t names;
	GElf_Shdr section;

	if (elf_getshdrnum(o->elf, &o->section_count) < 0 || elf_getshdrstrndx(o->elf, &names) < 0)
		return "the section headers are broken";
	if (!o->section_count)
		return "it is cut off, or has no sections";
	for (size_t i = 1; i < o->section_count; i++) {
		const char *name;

		if (!gelf_getshdr(elf_getscn(o->elf, i), &section))
			return "the section headers are broken";
		name = elf_strptr(o->elf, names, section.sh_name);
		if (!name)
			return "the names of its sections are broken";
		if (section.sh_type == SHT_SYMTAB_SHNDX)
			return "it has more sections than relink object handles";
		look_at(o, i, name, &section);
	}
	o->symbols = o->symtab ? elf_getdata(elf_getscn(o->elf, o->symtab), NULL) : NULL;
	o->symbol_count = o->symbols ? o->symbols->d_size / sizeof(Elf64_Sym) : 0;
	return NULL;
}

void object_close(struct object *o)
{
	elf_end(o->elf);
	elf_end(o->source);
	for (size_t i = 0; i < 2; i++)
		if (o->descriptors[i] >= 0)
			close(o->descriptors[i]);
	for (size_t i = 0; i < o->table_count; i++) {
		free(o->tables[i].places.items);
		for (size_t k = 0; k < sizeof(o->tables->buffers) / sizeof(*o->tables->buffers); k++)
			free(o->tables[i].buffers[k]);
	}
	free(o->tables);
	free(o->names);
	free(o->classes);
	free(o->buffers[0]);
	free(o->buffers[1]);
}

/* ---- symbols of sections ---- */

static size_t symbol_of_section(const struct object *o, size_t section)
{
	GElf_Sym symbol;

	for (size_t i = 1; i < o->symbol_count; i++)
		if (gelf_getsym(o->symbols, (int)i, &symbol) && GELF_ST_TYPE(symbol.st_info) == STT_SECTION && symbol.st_shndx == section)
			return i;
	return 0;
}

/* Two tables of one section share its symbol. Returns how many are new; they follow each other from `first` on. */
static size_t choose_symbols(struct object *o, size_t first)
{
	size_t count = 0;

	for (size_t i = 0; i < o->table_count; i++) {
		struct table *t = &o->tables[i];

		t->symbol = symbol_of_section(o, t->section);
		if (!t->symbol && i && o->tables[i - 1].section == t->section)
			t->symbol = o->tables[i - 1].symbol;
		if (!t->symbol)
			t->symbol = first + count++;
	}
	return count;
}

static const char *insert_symbols(struct object *o, size_t first, size_t count)
{
	Elf64_Sym *symbols = calloc(o->symbol_count + count, sizeof(*symbols));

	o->buffers[0] = symbols;
	if (!symbols)
		return "out of memory";
	memcpy(symbols, o->symbols->d_buf, first * sizeof(*symbols));
	memcpy(symbols + first + count, (const Elf64_Sym *)o->symbols->d_buf + first, (o->symbol_count - first) * sizeof(*symbols));
	for (size_t i = 0; i < o->table_count; i++)
		if (o->tables[i].symbol >= first && o->tables[i].symbol < first + count)
			symbols[o->tables[i].symbol] = (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION),
								    .st_shndx = (uint16_t)o->tables[i].section };
	o->symbols->d_buf = symbols;
	o->symbols->d_size = (o->symbol_count + count) * sizeof(*symbols);
	elf_flagdata(o->symbols, ELF_C_SET, ELF_F_DIRTY);
	return NULL;
}

static bool move_relocs(Elf_Scn *section, size_t first, size_t count)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Rela r;

	for (int i = 0; data && gelf_getrela(data, i, &r); i++) {
		if (GELF_R_SYM(r.r_info) < first)
			continue;
		r.r_info = GELF_R_INFO(GELF_R_SYM(r.r_info) + count, GELF_R_TYPE(r.r_info));
		if (!gelf_update_rela(data, i, &r))
			return false;
	}
	if (data)
		elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
	return data != NULL;
}

/* Whoever counts symbols. clang's list of addresses that matter is a hint, which linkers ignore without its link. */
static const char *move_indices(struct object *o, size_t first, size_t count)
{
	GElf_Shdr s;

	for (size_t i = 1; i < o->section_count; i++) {
		Elf_Scn *section = elf_getscn(o->elf, i);

		if (!gelf_getshdr(section, &s))
			return "the section headers are broken";
		if (s.sh_type == SHT_REL && s.sh_link == o->symtab)
			return "it has relocations of a kind that is not understood";
		if (s.sh_type == SHT_RELA && s.sh_link == o->symtab && s.sh_size && !move_relocs(section, first, count))
			return "its relocations are broken";
		if (s.sh_type == SHT_GROUP && s.sh_info >= first)
			s.sh_info += (uint32_t)count;
		if (s.sh_type == SHT_LLVM_ADDRSIG)
			s.sh_link = 0;
		if (i == o->symtab)
			s.sh_info += (uint32_t)count;
		if (!gelf_update_shdr(section, &s))
			return "the section headers can't be changed";
	}
	return NULL;
}

static const char *provide_symbols(struct object *o)
{
	GElf_Shdr s;
	const char *why;
	size_t count;

	if (!o->symbols || !gelf_getshdr(elf_getscn(o->elf, o->symtab), &s) || !s.sh_info || s.sh_info > o->symbol_count)
		return "its symbol table is broken";
	count = choose_symbols(o, s.sh_info);
	if (!count)
		return NULL;
	why = insert_symbols(o, s.sh_info, count);
	return why ? why : move_indices(o, s.sh_info, count);
}

/* ---- sections ---- */

static const char *add_names(struct object *o, size_t *start)
{
	size_t names;
	Elf_Data *data;
	char *all;

	if (elf_getshdrstrndx(o->elf, &names) < 0 || !(data = elf_getdata(elf_getscn(o->elf, names), NULL)) || !data->d_buf)
		return "the names of its sections are broken";
	*start = data->d_size;
	all = malloc(data->d_size + sizeof(section_names));
	o->buffers[1] = all;
	if (!all)
		return "out of memory";
	memcpy(all, data->d_buf, data->d_size);
	memcpy(all + data->d_size, section_names, sizeof(section_names));
	data->d_buf = all;
	data->d_size += sizeof(section_names);
	elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
	return NULL;
}

/* Its index, or 0. */
static size_t add_section(struct object *o, const GElf_Shdr *head, void *bytes, size_t size, Elf_Type type)
{
	Elf_Scn *section = elf_newscn(o->elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;
	GElf_Shdr s;

	if (!data || !bytes || !gelf_getshdr(section, &s))
		return 0;
	data->d_buf = bytes;
	data->d_size = size;
	data->d_align = head->sh_addralign;
	data->d_type = type;
	data->d_version = EV_CURRENT;
	s.sh_name = head->sh_name;
	s.sh_type = head->sh_type;
	s.sh_flags = head->sh_flags;
	s.sh_link = head->sh_link;
	s.sh_info = head->sh_info;
	s.sh_addralign = head->sh_addralign;
	s.sh_entsize = head->sh_entsize;
	return gelf_update_shdr(section, &s) ? elf_ndxscn(section) : 0;
}

/* The group that a section is in: its words, with the two new members. */
static bool join_group(struct object *o, struct table *t, size_t member, size_t relocs)
{
	GElf_Shdr s;

	for (Elf_Scn *section = NULL; (section = elf_nextscn(o->elf, section));) {
		Elf_Data *data;
		size_t count;
		uint32_t *words;

		if (!gelf_getshdr(section, &s) || s.sh_type != SHT_GROUP || !(data = elf_getdata(section, NULL)) || !data->d_buf)
			continue;
		words = data->d_buf;
		count = data->d_size / sizeof(*words);
		for (size_t i = 1; i < count; i++) {
			if (words[i] != t->section)
				continue;
			words = malloc((count + 2) * sizeof(*words));
			t->buffers[2] = words;
			if (!words)
				return false;
			memcpy(words, data->d_buf, count * sizeof(*words));
			words[count] = (uint32_t)member;
			words[count + 1] = (uint32_t)relocs;
			data->d_buf = words;
			data->d_size = (count + 2) * sizeof(*words);
			elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
			return true;
		}
	}
	return false;
}

static const char *add_table(struct object *o, struct table *t, size_t names)
{
	size_t count = t->places.count, member, relocs;
	Elf64_Rela *entries = calloc(count, sizeof(*entries));
	GElf_Shdr code, head;

	t->buffers[0] = calloc(count, sizeof(int32_t));
	t->buffers[1] = entries;
	if (!entries || !gelf_getshdr(elf_getscn(o->elf, t->section), &code))
		return "out of memory";
	for (size_t i = 0; i < count; i++)
		entries[i] = (Elf64_Rela){ i * sizeof(int32_t), ELF64_R_INFO(t->symbol, R_X86_64_PC32), (int64_t)t->places.items[i] };
	head = (GElf_Shdr){ .sh_name = (uint32_t)(names + NAME_OF_TABLE(t->got)), .sh_type = SHT_PROGBITS, .sh_addralign = 4,
			    .sh_flags = SHF_ALLOC | SHF_LINK_ORDER | (code.sh_flags & SHF_GROUP), .sh_link = (uint32_t)t->section };
	member = add_section(o, &head, t->buffers[0], count * sizeof(int32_t), ELF_T_BYTE);
	head = (GElf_Shdr){ .sh_name = (uint32_t)(names + NAME_OF_RELOCS(t->got)), .sh_type = SHT_RELA, .sh_addralign = 8,
			    .sh_flags = SHF_INFO_LINK | (code.sh_flags & SHF_GROUP), .sh_link = (uint32_t)o->symtab,
			    .sh_info = (uint32_t)member, .sh_entsize = sizeof(*entries) };
	relocs = add_section(o, &head, entries, count * sizeof(*entries), ELF_T_RELA);
	if (!member || !relocs)
		return "out of memory";
	if (code.sh_flags & SHF_GROUP && !join_group(o, t, member, relocs))
		return "a section says that it is in a group, and is in none";
	return NULL;
}

/* ---- the new file ---- */

static bool copy_section(Elf_Scn *from, Elf *out)
{
	Elf_Scn *to = elf_newscn(out);
	Elf_Data *data, *copy;
	GElf_Shdr s;

	if (!to || !gelf_getshdr(from, &s) || !gelf_update_shdr(to, &s))
		return false;
	data = elf_getdata(from, NULL);
	if (!data)
		data = elf_rawdata(from, NULL);
	copy = data ? elf_newdata(to) : NULL;
	if (!copy)
		return !s.sh_size;
	copy->d_buf = data->d_buf;
	copy->d_size = data->d_size;
	copy->d_type = data->d_type;
	copy->d_align = s.sh_addralign;
	copy->d_version = EV_CURRENT;
	return true;
}

/* A new file with the old one's sections. libelf would also change a file in place, but forgets headers of new sections where their
 * table happens to stay where it was. */
static const char *clone(struct object *o)
{
	GElf_Ehdr head;
	Elf *out;

	o->descriptors[1] = memfd_create("relink", MFD_CLOEXEC);
	out = o->descriptors[1] >= 0 ? elf_begin(o->descriptors[1], ELF_C_WRITE, NULL) : NULL;
	if (!out)
		return "out of memory";
	o->source = o->elf;
	o->elf = out;
	if (!gelf_getehdr(o->source, &head) || !gelf_newehdr(out, ELFCLASS64) || !gelf_update_ehdr(out, &head))
		return "libelf can't write it";
	for (size_t i = 1; i < o->section_count; i++)
		if (!copy_section(elf_getscn(o->source, i), out))
			return "a section can't be read";
	o->symbols = elf_getdata(elf_getscn(out, o->symtab), NULL);
	return NULL;
}

/* A section may ask for any alignment, which the file would be filled up to; and sections may lie in each other. */
static const char *lay_out(struct object *o)
{
	int64_t size = elf_update(o->elf, ELF_C_NULL);

	if (size < 0)
		return "libelf can't lay it out";
	if ((uint64_t)size > (uint64_t)o->size * 4 + (8u << 20))
		return "its sections' sizes and alignments are impossible";
	return elf_update(o->elf, ELF_C_WRITE) < 0 ? "libelf can't write it" : NULL;
}

const char *object_write(struct object *o)
{
	const char *why = NULL;
	size_t names = 0;

	if (o->section_count + 2 * o->table_count >= SHN_LORESERVE)
		return "it has more sections than relink object handles";
	why = clone(o);
	why = why ? why : provide_symbols(o);
	why = why ? why : add_names(o, &names);
	for (size_t i = 0; i < o->table_count && !why; i++)
		why = add_table(o, &o->tables[i], names);
	return why ? why : lay_out(o);
}

uint8_t *object_take(const struct object *o, size_t *size)
{
	off_t end = lseek(o->descriptors[1], 0, SEEK_END);
	uint8_t *bytes = end > 0 ? malloc((size_t)end) : NULL;

	*size = 0;
	while (bytes && *size < (size_t)end) {
		ssize_t n = pread(o->descriptors[1], bytes + *size, (size_t)end - *size, (off_t)*size);

		if (n <= 0) {
			free(bytes);
			return NULL;
		}
		*size += (size_t)n;
	}
	return bytes;
}
