/* SPDX-License-Identifier: MIT */
/*
 * image.c - a file as it will be in memory: segments, and the words that the loader relocates.
 *
 * image_at() is the only place that turns an address into a pointer. libelf reads headers, sections and dynamic symbols; it checks
 * that they lie in the file. Relocations that fill in a place what is there already (RELR) need no entry here.
 */
#include "internal.h"

#include <elf.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MAX 4096
#define STRING_MAX 65536

/* ---- what kind of file it is ---- */

static const char *machine_name(uint16_t machine)
{
	static const struct { uint16_t machine; const char *name; } names[] = {
		{ EM_386, "i386" }, { EM_X86_64, "x86-64" }, { EM_ARM, "ARM (32-bit)" }, { EM_AARCH64, "AArch64" },
		{ EM_RISCV, "RISC-V" }, { EM_PPC, "PowerPC (32-bit)" }, { EM_PPC64, "PowerPC64" }, { EM_S390, "S/390" },
		{ EM_MIPS, "MIPS" }, { EM_SPARC, "SPARC" }, { EM_SPARCV9, "SPARC64" }, { EM_68K, "m68k" },
		{ EM_PARISC, "PA-RISC" }, { EM_ALPHA, "Alpha" }, { EM_IA_64, "Itanium" }, { EM_SH, "SuperH" },
		{ 258, "LoongArch" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "an unknown machine";
}

static uint16_t half(const uint8_t *p, bool big)
{
	return (uint16_t)(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* NULL, or why not. Looks at bytes, since libelf has one error for all of this. */
static const char *check_identity(struct model *model, const uint8_t *b, size_t size)
{
	bool big;
	uint16_t machine, type;

	if (size >= 8 && !memcmp(b, "!<arch>\n", 8))
		return "an archive: relink check reads it, other commands read what is linked from it";
	if (size >= 8 && !memcmp(b, "!<thin>\n", 8))
		return "a thin archive: name the objects that it lists";
	if (size < 4 || memcmp(b, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (size < 20)
		return "the ELF header is cut off";
	big = b[EI_DATA] == ELFDATA2MSB;
	machine = half(b + 18, big);
	type = half(b + 16, big);
	if (b[EI_CLASS] == ELFCLASS32)
		return arena_format(model->arena, "a 32-bit file for %s: only 64-bit files are read",
				    machine == EM_X86_64 ? "x32" : machine_name(machine));
	if (big)
		return arena_format(model->arena, "a big-endian file for %s: only little-endian files are read", machine_name(machine));
	if (b[EI_CLASS] != ELFCLASS64 || b[EI_DATA] != ELFDATA2LSB)
		return "an ELF file of an unknown class";
	if (size < sizeof(Elf64_Ehdr))
		return "the ELF header is cut off";
	if (machine != EM_X86_64)
		return arena_format(model->arena, "a file for %s (machine %u): there is no port but x86-64 yet", machine_name(machine), machine);
	if (type == ET_REL)
		return "an object file that is none for x86-64";
	if (type == ET_CORE)
		return "a core dump: name the program's file";
	if (type != ET_EXEC && type != ET_DYN)
		return "neither an executable nor a shared object";
	return NULL;
}

/* ---- bytes ---- */

uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static const struct segment *segment_of(const struct image *image, uint64_t address)
{
	size_t low = 0, high = image->segment_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (image->segments[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - image->segments[low - 1].address >= image->segments[low - 1].memory)
		return NULL;
	return &image->segments[low - 1];
}

static uint64_t filled_from(const struct image *image, uint64_t address, const uint8_t **bytes)
{
	const struct segment *s = segment_of(image, address);
	uint64_t at = s ? address - s->address : 0;

	if (!s || at >= s->size)
		return 0;
	*bytes = image->bytes + s->offset + at;
	return s->size - at;
}

const uint8_t *image_at(const struct image *image, uint64_t address, uint64_t count)
{
	const uint8_t *bytes = NULL;

	return filled_from(image, address, &bytes) >= count ? bytes : NULL;
}

uint64_t image_filled(const struct image *image, uint64_t address)
{
	const uint8_t *bytes;

	return filled_from(image, address, &bytes);
}

bool image_is_code(const struct image *image, uint64_t address)
{
	const struct segment *s = segment_of(image, address);

	return s && s->code;
}

uint64_t image_room(const struct image *image, uint64_t address)
{
	const struct segment *s = segment_of(image, address);

	return s ? s->memory - (address - s->address) : 0;
}

const char *image_string(const struct image *image, uint64_t address)
{
	const uint8_t *bytes = NULL;
	uint64_t count = filled_from(image, address, &bytes);

	if (!count || !memchr(bytes, 0, count < STRING_MAX ? (size_t)count : STRING_MAX))
		return NULL;
	return (const char *)bytes;
}

static const struct fixup *fixup_at(const struct image *image, uint64_t place)
{
	size_t low = 0, high = image->fixup_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (image->fixups[middle].place < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low < image->fixup_count && image->fixups[low].place == place ? &image->fixups[low] : NULL;
}

bool image_word(const struct image *image, uint64_t address, struct word *word)
{
	const struct fixup *fixup = fixup_at(image, address);
	const uint8_t *bytes = image_at(image, address, 8);

	*word = (struct word){ 0, NULL };
	if (image_room(image, address) < 8)
		return false;
	if (fixup)
		*word = (struct word){ fixup->value, fixup->symbol };
	else if (bytes)
		word->value = get64(bytes);
	return true;
}

bool image_field(const struct image *image, uint64_t address, uint64_t *target)
{
	const uint8_t *bytes = image_at(image, address, 4);

	if (!bytes)
		return false;
	*target = address + (uint64_t)(int64_t)(int32_t)get32(bytes);
	return true;
}

/* ---- segments and sections ---- */

static int by_address(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static const char *add_segment(struct image *image, const GElf_Phdr *p)
{
	if (p->p_filesz > p->p_memsz || p->p_offset > image->size || p->p_filesz > image->size - p->p_offset)
		return "the file is cut off: a segment does not lie in it";
	if (p->p_vaddr + p->p_memsz < p->p_vaddr)
		return "a segment does not lie in memory";
	image->segments[image->segment_count++] =
		(struct segment){ p->p_vaddr, p->p_memsz, p->p_offset, p->p_filesz, (p->p_flags & PF_X) != 0 };
	return NULL;
}

static const char *read_segments(struct model *model, bool *dynamic, bool *interpreted)
{
	struct image *image = model->image;
	const char *why = NULL;
	size_t count;
	GElf_Phdr p;

	if (elf_getphdrnum(image->elf, &count) < 0 || count > SEGMENTS_MAX)
		return "the program headers are broken";
	image->segments = calloc(count + 1, sizeof(*image->segments));
	for (size_t i = 0; i < count && !why && image->segments; i++) {
		if (!gelf_getphdr(image->elf, (int)i, &p))
			return "the program headers are broken";
		*dynamic |= p.p_type == PT_DYNAMIC;
		*interpreted |= p.p_type == PT_INTERP;
		if (p.p_type == PT_NOTE && image->note_count < sizeof(image->notes) / sizeof(*image->notes))
			image->notes[image->note_count++] = (struct note){ p.p_vaddr, p.p_filesz };
		if (p.p_type == PT_LOAD && p.p_memsz)
			why = add_segment(image, &p);
	}
	if (why || !image->segments)
		return why ? why : "out of memory";
	qsort(image->segments, image->segment_count, sizeof(*image->segments), by_address);
	for (size_t i = 1; i < image->segment_count; i++)
		if (image->segments[i - 1].address + image->segments[i - 1].memory > image->segments[i].address)
			return "its segments overlap";
	return image->segment_count ? NULL : "nothing of it is loaded (debug information alone?)";
}

static void describe_text(struct model *model)
{
	const struct image *image = model->image;

	model->text_start = UINT64_MAX;
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *s = &image->segments[i];

		if (!s->code)
			continue;
		if (s->address < model->text_start)
			model->text_start = s->address;
		model->text_stop = s->address + s->memory;
	}
	if (!model->text_stop)
		model->text_start = 0;
}

static const char *read_sections(struct model *model)
{
	struct image *image = model->image;
	size_t names, count;
	GElf_Shdr s;

	if (elf_getshdrnum(image->elf, &count) < 0)
		return "the section headers are broken";
	if (!count)
		return NULL;
	if (elf_getshdrstrndx(image->elf, &names) < 0)
		return "the names of its sections are broken";
	image->sections = calloc(count, sizeof(*image->sections));
	for (size_t i = 1; i < count && image->sections; i++) {
		const char *name;

		if (!gelf_getshdr(elf_getscn(image->elf, i), &s))
			return "the section headers are broken";
		name = elf_strptr(image->elf, names, s.sh_name);
		if (s.sh_flags & SHF_ALLOC && s.sh_type != SHT_NOBITS && name)
			image->sections[image->section_count++] = (struct model_section){
				arena_copy(model->arena, name, strlen(name)), s.sh_addr, s.sh_size, (s.sh_flags & SHF_EXECINSTR) != 0 };
	}
	return image->sections ? NULL : "out of memory";
}

/* ---- dynamic relocations ---- */

static void add_fixup(struct image *image, uint64_t place, uint64_t value, const char *symbol)
{
	image->fixups = grown(image->fixups, image->fixup_count, &image->fixup_capacity, sizeof(*image->fixups));
	image->fixups[image->fixup_count++] = (struct fixup){ place, value, symbol };
}

static bool read_import(struct image *image, Elf_Data *symbols, size_t strings, const GElf_Rela *r, struct import *import)
{
	GElf_Sym symbol;
	const char *name, *version;

	if (!gelf_getsym(symbols, (int)GELF_R_SYM(r->r_info), &symbol))
		return false;
	name = elf_strptr(image->elf, strings, symbol.st_name);
	if (!name)
		return false;
	version = strchr(name, '@');
	*import = (struct import){ r->r_offset, name, version ? (size_t)(version - name) : strlen(name), symbol.st_shndx == SHN_UNDEF,
				   (uint32_t)GELF_R_SYM(r->r_info), symbol.st_value };
	return true;
}

static bool names_symbol(uint32_t type)
{
	return type == R_X86_64_64 || type == R_X86_64_GLOB_DAT || type == R_X86_64_JUMP_SLOT;
}

static void add_copied(struct model *model, Elf_Data *symbols, size_t strings, const GElf_Rela *r)
{
	struct image *image = model->image;
	struct import import;

	if (!symbols || !read_import(image, symbols, strings, r, &import))
		return;
	image->copied = grown(image->copied, image->copied_count, &image->copied_capacity, sizeof(*image->copied));
	image->copied[image->copied_count++] = (struct copied){ import.symbol, import.length, r->r_offset, NULL };
}

static void add_relocation(struct model *model, Elf_Data *symbols, size_t strings, const GElf_Rela *r)
{
	struct image *image = model->image;
	uint32_t type = (uint32_t)GELF_R_TYPE(r->r_info);
	struct import import;

	if (type == R_X86_64_COPY) {
		add_copied(model, symbols, strings, r);
	} else if (type == R_X86_64_RELATIVE) {
		add_fixup(image, r->r_offset, (uint64_t)r->r_addend, NULL);
	} else if (type == R_X86_64_IRELATIVE) {
		add_fixup(image, r->r_offset, 0, "(indirect function)");
	} else if (names_symbol(type) && GELF_R_SYM(r->r_info) && symbols && read_import(image, symbols, strings, r, &import)) {
		if (import.undefined)
			add_fixup(image, r->r_offset, (uint64_t)r->r_addend, arena_copy(model->arena, import.symbol, import.length));
		else
			add_fixup(image, r->r_offset, import.value + (uint64_t)r->r_addend, NULL);
		if (r->r_addend)
			return;
		image->imports = grown(image->imports, image->import_count, &image->import_capacity, sizeof(*image->imports));
		image->imports[image->import_count++] = import;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct fixup *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* Loaded relocation sections together can't be larger than the file. */
static void read_dynamic_relocations(struct model *model)
{
	struct image *image = model->image;
	uint64_t budget = image->size;
	GElf_Shdr s, linked;
	GElf_Rela r;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		Elf_Data *data, *symbols = NULL;
		Elf_Scn *link;

		if (!gelf_getshdr(scn, &s) || s.sh_type != SHT_RELA || !(s.sh_flags & SHF_ALLOC) || s.sh_size > budget || !s.sh_entsize)
			continue;
		budget -= s.sh_size;
		link = s.sh_link ? elf_getscn(image->elf, s.sh_link) : NULL;
		if (link && gelf_getshdr(link, &linked) && linked.sh_type == SHT_DYNSYM)
			symbols = elf_getdata(link, NULL);
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && (size_t)i < data->d_size / sizeof(Elf64_Rela) && gelf_getrela(data, i, &r); i++)
			add_relocation(model, symbols, symbols ? linked.sh_link : 0, &r);
	}
	if (image->fixup_count)
		qsort(image->fixups, image->fixup_count, sizeof(*image->fixups), by_place);
}

/* ---- all together ---- */

static void read_build_id(struct model *model)
{
	size_t length;
	const uint8_t *id = rl_elf_build_id(&model->image->relocs, &length);

	for (size_t i = 0; id && i < length && 2 * i + 2 < sizeof(model->build_id); i++)
		snprintf(model->build_id + 2 * i, 3, "%02x", id[i]);
}

static const char *name_of_type(uint16_t type, bool dynamic, bool interpreted, bool pie)
{
	if (type == ET_EXEC)
		return dynamic || interpreted ? "executable" : "static executable";
	if (interpreted)
		return "PIE";
	return pie ? "static PIE" : "shared object";
}

/* The dynamic section's word for "this is a program". */
static bool is_pie(const struct image *image)
{
	GElf_Shdr s;
	GElf_Dyn d;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &s) || s.sh_type != SHT_DYNAMIC || !s.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && (size_t)i < data->d_size / sizeof(Elf64_Dyn) && gelf_getdyn(data, i, &d); i++)
			if (d.d_tag == DT_FLAGS_1)
				return (d.d_un.d_val & DF_1_PIE) != 0;
		return false;
	}
	return false;
}

const char *image_read(struct model *model, uint8_t *bytes, size_t size)
{
	struct image *image = arena_take(model->arena, sizeof(*image));
	bool dynamic = false, interpreted = false;
	const char *why;

	model->image = image;
	image->bytes = bytes;
	image->size = size;
	why = check_identity(model, bytes, size);
	if (why)
		return why;
	if (rl_elf_open(&image->relocs, bytes, size, &why) < 0)
		return why;
	elf_version(EV_CURRENT);
	image->elf = elf_memory((char *)bytes, size);
	if (!image->elf || elf_kind(image->elf) != ELF_K_ELF)
		return "not a sound ELF file";
	why = read_segments(model, &dynamic, &interpreted);
	if (!why)
		why = read_sections(model);
	if (why)
		return why;
	describe_text(model);
	read_dynamic_relocations(model);
	read_build_id(model);
	model->type = name_of_type(image->relocs.type, dynamic, interpreted, is_pie(image));
	model->has_relocs = rl_elf_has_relocs(&image->relocs);
	model->has_symbols = rl_elf_symbol_count(&image->relocs) != 0;
	return NULL;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	elf_end(image->elf);
	free(image->bytes);
	free(image->segments);
	free(image->fixups);
	free(image->imports);
	free(image->copied);
	free(image->sections);
}
