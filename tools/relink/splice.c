/* SPDX-License-Identifier: MIT */
/* splice.c - see splice.h. Headers are copied out, changed there and written at the end; contents are changed in the result. */
#include "splice.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* ---- reading ---- */

bool splice_lies_in(uint64_t offset, uint64_t size, size_t whole)
{
	return offset <= whole && size <= whole - offset;
}

bool splice_has_bytes(const Elf64_Shdr *section)
{
	return section->sh_type != SHT_NULL && section->sh_type != SHT_NOBITS && section->sh_size;
}

bool splice_is_loaded(const Elf64_Shdr *section)
{
	return (section->sh_flags & SHF_ALLOC) != 0;
}

static const char *read_headers(struct splice *s)
{
	const Elf64_Ehdr *h = &s->head;

	if (s->in_size < sizeof(*h))
		return "the ELF header is cut off";
	memcpy(&s->head, s->in, sizeof(*h));
	if (!h->e_phnum || h->e_phnum >= PN_XNUM - 1 || h->e_phentsize != sizeof(Elf64_Phdr))
		return "its program headers are of a kind that is not understood";
	if (!h->e_shoff || !h->e_shnum || h->e_shnum >= SHN_LORESERVE - 1 || h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shstrndx >= h->e_shnum)
		return "it has no section headers, or some that are not understood";
	s->segment_count = h->e_phnum;
	s->section_count = h->e_shnum;
	if (!splice_lies_in(h->e_phoff, s->segment_count * sizeof(Elf64_Phdr), s->in_size) ||
	    !splice_lies_in(h->e_shoff, s->section_count * sizeof(Elf64_Shdr), s->in_size))
		return "its headers lie outside of the file";
	s->segments = calloc(s->segment_count + 1, sizeof(*s->segments));
	s->sections = calloc(s->section_count + 1, sizeof(*s->sections));
	s->moved = calloc(s->section_count + 1, sizeof(*s->moved));
	if (!s->segments || !s->sections || !s->moved)
		return "out of memory";
	memcpy(s->segments, s->in + h->e_phoff, s->segment_count * sizeof(Elf64_Phdr));
	memcpy(s->sections, s->in + h->e_shoff, s->section_count * sizeof(Elf64_Shdr));
	return NULL;
}

/* Where the file ends that headers speak of: what is behind would be lost. */
static const char *check_extent(struct splice *s)
{
	uint64_t end = s->head.e_shoff + s->section_count * sizeof(Elf64_Shdr);

	s->loaded = s->head.e_phoff + s->segment_count * sizeof(Elf64_Phdr);
	for (size_t i = 0; i < s->segment_count; i++) {
		const Elf64_Phdr *p = &s->segments[i];

		if (!splice_lies_in(p->p_offset, p->p_filesz, s->in_size))
			return "a segment lies outside of the file";
		if (p->p_type == PT_LOAD && p->p_offset + p->p_filesz > s->loaded)
			s->loaded = p->p_offset + p->p_filesz;
	}
	for (size_t i = 1; i < s->section_count; i++) {
		const Elf64_Shdr *section = &s->sections[i];

		s->moved[i] = (uint32_t)i;
		if (!splice_has_bytes(section))
			continue;
		if (!splice_lies_in(section->sh_offset, section->sh_size, s->in_size))
			return "a section lies outside of the file";
		if (splice_is_loaded(section) ? section->sh_offset + section->sh_size > s->loaded : section->sh_offset < s->loaded)
			return "its sections and segments don't go together";
		if (section->sh_offset + section->sh_size > end)
			end = section->sh_offset + section->sh_size;
	}
	if (s->loaded > end)
		end = s->loaded;
	if (end < s->in_size || s->head.e_shoff < s->loaded)
		return "it has bytes that belong to no section and no segment (something was appended?)";
	return NULL;
}

const char *splice_open(struct splice *s, const uint8_t *bytes, size_t size)
{
	const char *why;

	memset(s, 0, sizeof(*s));
	s->in = bytes;
	s->in_size = size;
	why = read_headers(s);
	why = why ? why : check_extent(s);
	if (why)
		return why;
	s->out_capacity = size + PAGE;
	s->out = malloc(s->out_capacity);
	if (!s->out)
		return "out of memory";
	memcpy(s->out, bytes, s->loaded);
	s->out_size = s->loaded;
	return NULL;
}

void splice_close(struct splice *s)
{
	free(s->segments);
	free(s->sections);
	free(s->moved);
	free(s->out);
}

/* ---- the result's bytes ---- */

static bool reserve(struct splice *s, size_t more)
{
	uint8_t *bytes = s->out;

	if (s->out_capacity - s->out_size < more) {
		s->out_capacity = s->out_capacity * 2 + more;
		bytes = realloc(s->out, s->out_capacity);
	}
	if (bytes)
		s->out = bytes;
	return bytes != NULL;
}

static bool append(struct splice *s, const void *bytes, size_t size)
{
	if (!reserve(s, size))
		return false;
	memcpy(s->out + s->out_size, bytes, size);
	s->out_size += size;
	return true;
}

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return align > 1 ? (value + align - 1) / align * align : value;
}

/* Sections without alignment, or with a strange one, need none. */
static bool pad(struct splice *s, uint64_t align)
{
	size_t more = align <= PAGE ? (size_t)(round_up(s->out_size, align) - s->out_size) : 0;

	if (!reserve(s, more))
		return false;
	memset(s->out + s->out_size, 0, more);
	s->out_size += more;
	return true;
}

void splice_write(struct splice *s, uint64_t address, const void *bytes, size_t size)
{
	for (size_t i = 0; i < s->segment_count; i++) {
		const Elf64_Phdr *p = &s->segments[i];

		if (p->p_type != PT_LOAD || address < p->p_vaddr || address - p->p_vaddr > p->p_filesz ||
		    size > p->p_filesz - (address - p->p_vaddr))
			continue;
		memcpy(s->out + p->p_offset + (address - p->p_vaddr), bytes, size);
		return;
	}
}

/* ---- a section more ---- */

uint64_t splice_address(const struct splice *s)
{
	uint64_t end = 0;

	for (size_t i = 0; i < s->segment_count; i++)
		if (s->segments[i].p_type == PT_LOAD && s->segments[i].p_vaddr + s->segments[i].p_memsz > end)
			end = s->segments[i].p_vaddr + s->segments[i].p_memsz;
	return round_up(end, PAGE) + round_up(s->loaded, 8) % PAGE;
}

/* Segments that are loaded stand in the order of their addresses. */
static void insert_segment(struct splice *s, const Elf64_Phdr *segment)
{
	size_t at = 0;

	for (size_t i = 0; i < s->segment_count; i++)
		if (s->segments[i].p_type == PT_LOAD)
			at = i + 1;
	memmove(&s->segments[at + 1], &s->segments[at], (s->segment_count - at) * sizeof(*segment));
	s->segments[at] = *segment;
	s->segment_count++;
}

const char *splice_add(struct splice *s, const char *name, const uint8_t *bytes, size_t size)
{
	Elf64_Phdr segment = { .p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = size, .p_memsz = size, .p_align = PAGE };
	Elf64_Shdr section = { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_size = size, .sh_addralign = 8 };
	Elf64_Shdr *names = &s->sections[s->head.e_shstrndx];

	if (!splice_has_bytes(names) || splice_is_loaded(names) || names->sh_type != SHT_STRTAB)
		return "its sections' names are where they are not expected";
	section.sh_addr = segment.p_vaddr = segment.p_paddr = splice_address(s);
	if (!pad(s, 8) || !append(s, bytes, size))
		return "out of memory";
	section.sh_offset = segment.p_offset = s->out_size - size;
	section.sh_name = (uint32_t)names->sh_size;
	s->name = name;
	insert_segment(s, &segment);
	s->moved[s->section_count] = 1;
	s->sections[s->section_count++] = section;
	return NULL;
}

/* ---- without kept relocations ---- */

static bool holds_relocs(const Elf64_Shdr *section)
{
	return section->sh_type == SHT_RELA || section->sh_type == SHT_REL;
}

/* True for each section whose header counts other sections: they get new numbers. */
static bool has_section_in_info(const Elf64_Shdr *section)
{
	return holds_relocs(section) || section->sh_flags & SHF_INFO_LINK;
}

const char *splice_drop_relocs(struct splice *s)
{
	for (size_t i = 1; i < s->section_count; i++) {
		if (s->sections[i].sh_type == SHT_SYMTAB_SHNDX || s->sections[i].sh_type == SHT_GROUP)
			return "it has more sections, or other ones, than can be renumbered";
		if (holds_relocs(&s->sections[i]) && !splice_is_loaded(&s->sections[i]))
			s->moved[i] = 0;
	}
	return NULL;
}

/* ---- the rest of the file ---- */

static void renumber(struct splice *s)
{
	uint32_t next = 1;

	for (size_t i = 1; i < s->section_count; i++)
		if (s->moved[i])
			s->moved[i] = next++;
	for (size_t i = 1; i < s->section_count; i++) {
		Elf64_Shdr *section = &s->sections[i];

		if (section->sh_link < s->section_count)
			section->sh_link = s->moved[section->sh_link];
		if (has_section_in_info(section) && section->sh_info < s->section_count)
			section->sh_info = s->moved[section->sh_info];
	}
}

/* In the result. A section's own symbol goes with it. */
static void update_symbols(const struct splice *s, uint64_t offset, uint64_t size)
{
	Elf64_Sym symbol;

	for (uint64_t at = 0; at + sizeof(symbol) <= size; at += sizeof(symbol)) {
		memcpy(&symbol, s->out + offset + at, sizeof(symbol));
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= s->section_count || symbol.st_shndx >= SHN_LORESERVE)
			continue;
		if (symbol.st_value >= s->shift_start && symbol.st_value < s->shift_stop)
			symbol.st_value += sizeof(Elf64_Phdr);
		symbol.st_shndx = s->moved[symbol.st_shndx] ? (uint16_t)s->moved[symbol.st_shndx] : SHN_ABS;
		memcpy(s->out + offset + at, &symbol, sizeof(symbol));
	}
}

static bool copy_section(struct splice *s, size_t i)
{
	Elf64_Shdr *section = &s->sections[i];
	const uint8_t *bytes = s->in + section->sh_offset;

	if (!pad(s, section->sh_addralign))
		return false;
	section->sh_offset = s->out_size;
	if (!append(s, bytes, section->sh_size))
		return false;
	if (i == s->head.e_shstrndx && s->name) {
		if (!append(s, s->name, strlen(s->name) + 1))
			return false;
		section->sh_size = s->out_size - section->sh_offset;
	}
	return true;
}

static const Elf64_Shdr *sorted_sections; /* qsort takes no context */

static int by_offset(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	uint64_t p = sorted_sections[*x].sh_offset, q = sorted_sections[*y].sh_offset;

	return p != q ? (p < q ? -1 : 1) : *x < *y ? -1 : *x > *y;
}

static const char *copy_sections(struct splice *s)
{
	uint32_t *order = calloc(s->section_count, sizeof(*order));
	const char *why = order ? NULL : "out of memory";
	size_t count = 0;

	for (uint32_t i = 1; order && i < s->section_count; i++)
		if (s->moved[i] && splice_has_bytes(&s->sections[i]) && !splice_is_loaded(&s->sections[i]))
			order[count++] = i;
	sorted_sections = s->sections;
	if (count)
		qsort(order, count, sizeof(*order), by_offset);
	for (size_t i = 0; i < count && !why; i++)
		why = copy_section(s, order[i]) ? NULL : "out of memory";
	free(order);
	return why;
}

static const char *write_headers(struct splice *s)
{
	uint16_t count = 0;

	if (!pad(s, 8))
		return "out of memory";
	s->head.e_shoff = s->out_size;
	for (size_t i = 0; i < s->section_count; i++) {
		if (i && !s->moved[i])
			continue;
		if (!append(s, &s->sections[i], sizeof(s->sections[i])))
			return "out of memory";
		count++;
	}
	s->head.e_shnum = count;
	s->head.e_shstrndx = (uint16_t)s->moved[s->head.e_shstrndx];
	s->head.e_phnum = (uint16_t)s->segment_count;
	memcpy(s->out, &s->head, sizeof(s->head));
	memcpy(s->out + s->head.e_phoff, s->segments, s->segment_count * sizeof(*s->segments));
	return NULL;
}

const char *splice_finish(struct splice *s)
{
	const char *why = copy_sections(s);

	if (why)
		return why;
	renumber(s);
	for (size_t i = 1; i < s->section_count; i++)
		if (s->moved[i] && (s->sections[i].sh_type == SHT_SYMTAB || s->sections[i].sh_type == SHT_DYNSYM))
			update_symbols(s, s->sections[i].sh_offset, s->sections[i].sh_size);
	return write_headers(s);
}
