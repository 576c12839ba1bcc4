/* SPDX-License-Identifier: MIT */
/* references.c - what refers to marked variables: kept relocations of code, and words of data. */
#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/model/layout.h"
#include "internal.h"

#define ENTRIES_MAX 20000000
#define INSN_MAX 15
#define SIZELESS_MAX 65536
#define INDIRECT_MAX 1000 /* libc has some forty */

static void add_number(uint64_t **list, size_t *count, size_t *capacity, uint64_t number)
{
	*list = grown(*list, *count, capacity, sizeof(**list));
	(*list)[(*count)++] = number;
}

static void sort(uint64_t *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), by_number);
}

/* ---- code ---- */

static bool is_absolute(uint32_t type)
{
	return type == R_X86_64_64 || type == R_X86_64_32 || type == R_X86_64_32S;
}

static bool is_relative(uint32_t type)
{
	return type == R_X86_64_PC32 || type == R_X86_64_PLT32;
}

static int visit(const struct rl_elf_reloc *r, void *ctx)
{
	struct subject *s = ctx;
	struct rl_elf_symbol symbol;
	uint64_t target;

	if (!is_absolute(r->type) && !is_relative(r->type))
		return 0;
	if (!rl_elf_symbol(&s->model->image->relocs, r->symbol, &symbol))
		return 0;
	if (is_absolute(r->type))
		add_number(&s->absolute, &s->absolute_count, &s->absolute_capacity, r->place);
	/* Relative to the instruction's end, which is most often the field's. */
	target = symbol.value + (uint64_t)r->addend + (is_relative(r->type) ? 4 : 0);
	if (marked_at(s, target) && marked_at(s, target)->kind != MARKED_RECORD)
		add_number(&s->references, &s->reference_count, &s->reference_capacity, r->place);
	return 0;
}

/* ---- slots of indirect functions ---- */

static void read_indirect(struct subject *s)
{
	Elf *elf = s->model->image->elf;
	uint64_t budget = s->model->image->size;
	GElf_Shdr section;
	GElf_Rela r;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &section) || section.sh_type != SHT_RELA || !(section.sh_flags & SHF_ALLOC) || section.sh_size > budget ||
		    !section.sh_entsize)
			continue;
		budget -= section.sh_size;
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && (size_t)i < data->d_size / sizeof(Elf64_Rela) && gelf_getrela(data, i, &r); i++) {
			if (GELF_R_TYPE(r.r_info) != R_X86_64_IRELATIVE || s->indirect_count >= INDIRECT_MAX)
				continue;
			s->indirect = grown(s->indirect, s->indirect_count, &s->indirect_capacity, sizeof(*s->indirect));
			s->indirect[s->indirect_count++] = (struct indirect){ r.r_offset, (uint64_t)r.r_addend };
		}
	}
}

void references_read(struct subject *s)
{
	rl_elf_each_reloc(&s->model->image->relocs, NULL, visit, s);
	sort(s->absolute, s->absolute_count);
	sort(s->references, s->reference_count);
	read_indirect(s);
	s->seen = calloc(s->reference_count + 1, sizeof(*s->seen));
}

/* A function without a size, as crt1.o has some, and assembly: up to there it is looked at. */
static void check_sizeless(struct subject *s, uint64_t place)
{
	struct function f = { 0 };
	uint64_t offset, size;

	if (!model_symbol_at(s->model, place, &f.name, &offset, &size) || size || offset > SIZELESS_MAX)
		return;
	f.start = place - offset;
	f.size = offset + INSN_MAX;
	if (f.size > model_bytes_from(s->model, f.start))
		f.size = model_bytes_from(s->model, f.start);
	f.start_up = is_start_up(s, f.start, f.name);
	check_function(s, &f);
}

void check_unseen(struct subject *s)
{
	for (size_t i = s->reference_count; i && s->seen; i--) /* the last one first: what is in front of it is looked at, too */
		if (!s->seen[i - 1])
			check_sizeless(s, s->references[i - 1]);
	for (size_t i = 0; i < s->reference_count && s->seen; i++)
		if (!s->seen[i])
			find_about(s->model, FOUND_UNSEEN, s->references[i], NULL,
				   "a relocation refers to a marked variable, in what no symbol says is a function");
}

/* ---- data ---- */

static const struct model_section *section_at(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->section_count; i++)
		if (address - image->sections[i].address < image->sections[i].size)
			return &image->sections[i];
	return NULL;
}

/* Each file that includes relink's headers has a struct relink_module_header; of all but one the symbol is gone. */
static bool is_in_header(const struct image *image, uint64_t place)
{
	static const unsigned fields[] = { HEADER_POINTERS_START, HEADER_POINTERS_STOP };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const uint8_t *header = image_at(image, place - fields[i], HEADER_LEAST);

		if (header && get32(header) >= HEADER_LEAST && get32(header) <= 4096 && get32(header + 4) == RELINK_ABI)
			return true;
	}
	return false;
}

static void check_word(struct subject *s, uint64_t place, uint64_t value)
{
	const struct marked *m = marked_at(s, value);
	const struct model_section *section;
	struct object object;
	const char *name;

	if (!m || m->kind != MARKED_POINTER || marked_at(s, place))
		return;
	section = section_at(s->model->image, place);
	/* relink's own records and words, and the slots that code goes through, which code is looked at for. */
	if (!section || section->code || !strncmp(section->name, "relink_", 7) || !strncmp(section->name, ".got", 4))
		return;
	if (object_at(s->model, place, &object) && !strncmp(object.name, "relink_", 7))
		return;
	if (is_in_header(s->model->image, place))
		return;
	name = marked_name(s, m, value, true);
	find_about(s->model, FOUND_DATA, place, name, "data holds the address of the %s %s", marked_kind_name(m->kind), name);
}

static void check_relocations(struct subject *s, Elf_Data *data, uint64_t *places, size_t *count)
{
	struct rl_elf_symbol symbol;
	GElf_Rela r;

	for (int i = 0; data && (size_t)i < data->d_size / sizeof(Elf64_Rela) && *count < ENTRIES_MAX && gelf_getrela(data, i, &r); i++) {
		if (GELF_R_TYPE(r.r_info) != R_X86_64_64 ||
		    !rl_elf_symbol(&s->model->image->relocs, (uint32_t)GELF_R_SYM(r.r_info), &symbol))
			continue;
		places[(*count)++] = r.r_offset;
		check_word(s, r.r_offset, symbol.value + (uint64_t)r.r_addend);
	}
}

/* Kept relocations of loaded data; together they can't be larger than the file. */
static size_t check_kept(struct subject *s, uint64_t *places)
{
	Elf *elf = s->model->image->elf;
	uint64_t budget = s->model->image->size;
	GElf_Shdr section, target;
	size_t count = 0;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		Elf_Scn *of;

		if (!gelf_getshdr(scn, &section) || section.sh_type != SHT_RELA || section.sh_flags & SHF_ALLOC || section.sh_size > budget ||
		    !section.sh_info || !section.sh_entsize)
			continue;
		budget -= section.sh_size;
		of = elf_getscn(elf, section.sh_info);
		if (of && gelf_getshdr(of, &target) && target.sh_flags & SHF_ALLOC && !(target.sh_flags & SHF_EXECINSTR))
			check_relocations(s, elf_getdata(scn, NULL), places, &count);
	}
	return count;
}

void check_data(struct subject *s)
{
	const struct image *image = s->model->image;
	uint64_t *places = malloc((image->size / sizeof(Elf64_Rela) + 1) * sizeof(*places));
	size_t count, index;

	if (!places)
		return;
	count = check_kept(s, places);
	sort(places, count);
	for (size_t i = 0; i < image->fixup_count; i++)
		if (!image->fixups[i].symbol && !is_number_in(places, count, image->fixups[i].place, &index))
			check_word(s, image->fixups[i].place, image->fixups[i].value);
	free(places);
}
