/* SPDX-License-Identifier: MIT */
/*
 * object.c - an object file as if it had been linked alone, so that everything else reads it as it reads finished files.
 *
 * Sections get addresses, relocations are applied and kept. What the object does not define gets a place of its own in a segment that
 * has no bytes, so that an address tells which symbol is meant; and each symbol has a slot in a made-up .got. Section numbers stay.
 * The result is a file image in memory; any bytes may be the object.
 */
#include "object.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define BASE 0x1000
#define PAGE 0x1000
#define OUTSIDE_MAX 0x10000      /* of what is not defined: so far an offset may lead */
#define ADDRESSES_MAX 0x40000000 /* displacements are 32 bits */

struct linking {
	const uint8_t *in;
	size_t size;
	Elf64_Ehdr header;
	Elf64_Shdr *sections; /* as they will be */
	size_t count;
	uint64_t *from;       /* where their bytes are in the object */
	size_t names, symbols; /* sections */
	Elf64_Sym *symbol;
	size_t symbol_count;
	const uint8_t *extended; /* section numbers of symbols, if there are many */
	size_t extended_count;
	uint64_t code_stop, data, got, filled, data_stop, outside; /* addresses */
	uint64_t each; /* bytes of what is not defined */
	uint8_t *out;
	size_t out_size;
};

bool is_object(const uint8_t *bytes, size_t size)
{
	return size >= sizeof(Elf64_Ehdr) && !memcmp(bytes, ELFMAG, SELFMAG) && bytes[EI_CLASS] == ELFCLASS64 && bytes[EI_DATA] == ELFDATA2LSB &&
	       bytes[16] == ET_REL && !bytes[17] && bytes[18] == EM_X86_64 && !bytes[19];
}

static bool has_bytes(const Elf64_Shdr *s)
{
	return s->sh_type != SHT_NOBITS && s->sh_type != SHT_NULL;
}

static bool is_loaded(const Elf64_Shdr *s)
{
	return (s->sh_flags & SHF_ALLOC) != 0;
}

static bool is_code(const Elf64_Shdr *s)
{
	return is_loaded(s) && s->sh_flags & SHF_EXECINSTR && has_bytes(s);
}

/* ---- reading ---- */

static const char *read_header(struct linking *l)
{
	Elf64_Shdr first;

	memcpy(&l->header, l->in, sizeof(l->header));
	if (!l->header.e_shoff || l->header.e_shentsize != sizeof(Elf64_Shdr))
		return "an object file without sections";
	if (l->header.e_shoff > l->size || l->size - l->header.e_shoff < sizeof(first))
		return "the file is cut off: its section headers do not lie in it";
	memcpy(&first, l->in + l->header.e_shoff, sizeof(first));
	l->count = l->header.e_shnum ? l->header.e_shnum : first.sh_size;
	l->names = l->header.e_shstrndx == SHN_XINDEX ? first.sh_link : l->header.e_shstrndx;
	if (!l->count || l->count > (l->size - l->header.e_shoff) / sizeof(Elf64_Shdr))
		return "the file is cut off: its section headers do not lie in it";
	return NULL;
}

/* Sections of a sound object do not overlap, so that together they are not larger than the file. */
static const char *read_sections(struct linking *l)
{
	uint64_t budget = l->size;

	l->sections = calloc(l->count + 1, sizeof(*l->sections));
	l->from = calloc(l->count + 1, sizeof(*l->from));
	if (!l->sections || !l->from)
		return "out of memory";
	memcpy(l->sections, l->in + l->header.e_shoff, l->count * sizeof(*l->sections));
	for (size_t i = 1; i < l->count; i++) {
		Elf64_Shdr *s = &l->sections[i];

		l->from[i] = s->sh_offset;
		s->sh_addr = 0;
		if (!has_bytes(s))
			continue;
		if (s->sh_offset > l->size || s->sh_size > l->size - s->sh_offset)
			return "the file is cut off: a section does not lie in it";
		if (s->sh_size > budget)
			return "its sections overlap";
		budget -= s->sh_size;
		if (s->sh_type == SHT_SYMTAB && !l->symbols)
			l->symbols = i;
	}
	if (l->names >= l->count || l->sections[l->names].sh_type != SHT_STRTAB || !l->sections[l->names].sh_size)
		return "the names of its sections are broken";
	return NULL;
}

static bool name_begins(const struct linking *l, const Elf64_Shdr *s, const char *start)
{
	const Elf64_Shdr *names = &l->sections[l->names];
	size_t length = strlen(start);

	return s->sh_name < names->sh_size && names->sh_size - s->sh_name > length &&
	       !memcmp(l->in + l->from[l->names] + s->sh_name, start, length);
}

/* What is left to be compiled has no code yet. */
static const char *check_code(const struct linking *l)
{
	bool later = false;

	for (size_t i = 1; i < l->count; i++) {
		if (is_code(&l->sections[i]) && l->sections[i].sh_size)
			return NULL;
		later |= name_begins(l, &l->sections[i], ".gnu.lto_");
	}
	return later ? "compiled for link-time optimisation, it has no code yet: check the linked file" : NULL;
}

static const char *read_symbols(struct linking *l)
{
	const Elf64_Shdr *s = &l->sections[l->symbols];

	if (!l->symbols)
		return NULL;
	if (s->sh_entsize != sizeof(Elf64_Sym) || s->sh_size % sizeof(Elf64_Sym))
		return "the symbol table is broken";
	l->symbol_count = s->sh_size / sizeof(Elf64_Sym);
	l->symbol = calloc(l->symbol_count + 1, sizeof(*l->symbol));
	if (!l->symbol)
		return "out of memory";
	memcpy(l->symbol, l->in + l->from[l->symbols], s->sh_size);
	for (size_t i = 1; i < l->count; i++)
		if (l->sections[i].sh_type == SHT_SYMTAB_SHNDX && l->sections[i].sh_link == l->symbols) {
			l->extended = l->in + l->from[i];
			l->extended_count = l->sections[i].sh_size / 4;
		}
	return NULL;
}

/* ---- addresses ---- */

static uint64_t aligned(uint64_t at, uint64_t align)
{
	if (align > PAGE)
		align = PAGE;
	return align > 1 && !(align & (align - 1)) ? (at + align - 1) & ~(align - 1) : at;
}

static uint64_t place(struct linking *l, uint64_t at, bool (*wanted)(const Elf64_Shdr *))
{
	for (size_t i = 1; i < l->count && at < ADDRESSES_MAX; i++) {
		Elf64_Shdr *s = &l->sections[i];

		if (!wanted(s))
			continue;
		s->sh_addr = aligned(at, s->sh_addralign);
		at = s->sh_size < ADDRESSES_MAX ? s->sh_addr + s->sh_size : ADDRESSES_MAX;
	}
	return at;
}

static bool is_data(const Elf64_Shdr *s)
{
	return is_loaded(s) && has_bytes(s) && !is_code(s);
}

static bool is_empty(const Elf64_Shdr *s)
{
	return is_loaded(s) && s->sh_type == SHT_NOBITS;
}

static const char *place_all(struct linking *l)
{
	l->code_stop = place(l, BASE, is_code);
	l->data = aligned(l->code_stop, PAGE);
	l->got = aligned(place(l, l->data, is_data), 8);
	l->filled = l->got + 8 * l->symbol_count;
	l->data_stop = place(l, l->filled, is_empty);
	l->outside = aligned(l->data_stop, PAGE);
	if (l->outside >= ADDRESSES_MAX / 2 || l->symbol_count > ADDRESSES_MAX / 64)
		return "its sections are larger than 512 MiB";
	for (l->each = OUTSIDE_MAX; l->each * l->symbol_count > ADDRESSES_MAX / 2;)
		l->each /= 2;
	return NULL;
}

static size_t section_of(const struct linking *l, size_t symbol)
{
	size_t index = l->symbol[symbol].st_shndx;

	if (index == SHN_XINDEX && symbol < l->extended_count)
		return get32(l->extended + 4 * symbol);
	return index >= SHN_LORESERVE ? SIZE_MAX : index;
}

static bool is_outside(const Elf64_Sym *s)
{
	return s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_COMMON;
}

static uint64_t address_of(const struct linking *l, size_t symbol)
{
	size_t section = section_of(l, symbol);

	if (symbol && is_outside(&l->symbol[symbol]))
		return l->outside + l->each * symbol;
	return l->symbol[symbol].st_value + (section < l->count ? l->sections[section].sh_addr : 0);
}

/* ---- writing ---- */

/* Loaded sections lie in the file where they lie in memory; the others, and one more header, follow. */
static const char *place_in_file(struct linking *l)
{
	uint64_t at = l->filled;

	for (size_t i = 1; i < l->count; i++) {
		Elf64_Shdr *s = &l->sections[i];

		if (is_loaded(s) || !has_bytes(s)) {
			s->sh_offset = s->sh_addr;
			continue;
		}
		s->sh_offset = at = aligned(at, 8);
		at += s->sh_size;
		if (i == l->names)
			at += sizeof(".got");
	}
	l->out_size = aligned(at, 8) + (l->count + 1) * sizeof(*l->sections);
	l->out = calloc(1, l->out_size);
	return l->out ? NULL : "out of memory";
}

static void copy_sections(struct linking *l)
{
	for (size_t i = 1; i < l->count; i++)
		if (has_bytes(&l->sections[i]))
			memcpy(l->out + l->sections[i].sh_offset, l->in + l->from[i], l->sections[i].sh_size);
}

static void put(uint8_t *at, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* How wide a field is and what it holds; 0: what such a relocation means is of no interest here. */
static unsigned value_of(const struct linking *l, const Elf64_Rela *r, uint64_t place, uint64_t *value)
{
	uint64_t target = address_of(l, ELF64_R_SYM(r->r_info)) + (uint64_t)r->r_addend;

	switch (ELF64_R_TYPE(r->r_info)) {
	case R_X86_64_64:
		*value = target;
		return 8;
	case R_X86_64_32:
	case R_X86_64_32S:
		*value = target;
		return 4;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		*value = target - place;
		return 4;
	case R_X86_64_PC64:
		*value = target - place;
		return 8;
	case R_X86_64_GOTPCREL:
	case R_X86_64_GOTPCRELX:
	case R_X86_64_REX_GOTPCRELX:
		*value = l->got + 8 * ELF64_R_SYM(r->r_info) + (uint64_t)r->r_addend - place;
		return 4;
	default:
		return 0;
	}
}

static void apply(struct linking *l, const Elf64_Shdr *relocs, const Elf64_Shdr *target)
{
	for (uint64_t at = 0; relocs->sh_size - at >= sizeof(Elf64_Rela); at += sizeof(Elf64_Rela)) {
		uint8_t *entry = l->out + relocs->sh_offset + at;
		uint64_t value = 0, offset;
		unsigned width = 0;
		Elf64_Rela r;

		memcpy(&r, entry, sizeof(r));
		offset = r.r_offset;
		r.r_offset += target->sh_addr;
		if (ELF64_R_SYM(r.r_info) < l->symbol_count)
			width = value_of(l, &r, r.r_offset, &value);
		if (width && offset < target->sh_size && target->sh_size - offset >= width)
			put(l->out + target->sh_offset + offset, value, width);
		memcpy(entry, &r, sizeof(r));
	}
}

/* Offsets in what is compressed are those of what it was; such debug information is left out. */
static void apply_all(struct linking *l)
{
	for (size_t i = 1; i < l->count; i++) {
		const Elf64_Shdr *s = &l->sections[i];

		if (s->sh_type != SHT_RELA || !s->sh_info || s->sh_info >= l->count || s->sh_link != l->symbols || s->sh_info == i ||
		    !has_bytes(&l->sections[s->sh_info]) || l->sections[s->sh_info].sh_type == SHT_RELA || s->sh_info == l->symbols)
			continue;
		if (l->sections[s->sh_info].sh_flags & SHF_COMPRESSED)
			l->sections[s->sh_info].sh_type = SHT_NULL;
		else
			apply(l, s, &l->sections[s->sh_info]);
	}
}

static void write_symbols(struct linking *l)
{
	for (size_t i = 1; i < l->symbol_count; i++) {
		Elf64_Sym s = l->symbol[i];

		s.st_value = address_of(l, i);
		if (is_outside(&s)) {
			s.st_shndx = 1;
			s.st_size = l->each;
		}
		memcpy(l->out + l->sections[l->symbols].sh_offset + i * sizeof(s), &s, sizeof(s));
		put(l->out + l->got + 8 * i, s.st_value, 8);
	}
}

static void write_headers(struct linking *l)
{
	Elf64_Shdr *names = &l->sections[l->names], *got = &l->sections[l->count];
	const Elf64_Phdr segments[3] = {
		{ PT_LOAD, PF_R | PF_X, BASE, BASE, BASE, l->code_stop - BASE, l->code_stop - BASE, PAGE },
		{ PT_LOAD, PF_R | PF_W, l->data, l->data, l->data, l->filled - l->data, l->data_stop - l->data, PAGE },
		{ PT_LOAD, PF_R | PF_X, 0, l->outside, l->outside, 0, l->each * (l->symbol_count + 1), PAGE }, /* never empty */
	};
	Elf64_Ehdr header = l->header;

	*got = (Elf64_Shdr){ (Elf64_Word)names->sh_size, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, l->got, l->got, l->filled - l->got, 0, 0, 8, 8 };
	memcpy(l->out + names->sh_offset + names->sh_size, ".got", sizeof(".got"));
	names->sh_size += sizeof(".got");
	header.e_type = ET_DYN;
	header.e_phoff = sizeof(header);
	header.e_phentsize = sizeof(*segments);
	header.e_phnum = 3;
	header.e_shoff = l->out_size - (l->count + 1) * sizeof(*l->sections);
	header.e_shnum = l->count + 1 < SHN_LORESERVE ? (Elf64_Half)(l->count + 1) : 0;
	header.e_ehsize = sizeof(header);
	l->sections[0].sh_size = header.e_shnum ? 0 : l->count + 1;
	memcpy(l->out, &header, sizeof(header));
	memcpy(l->out + sizeof(header), segments, sizeof(segments));
	memcpy(l->out + header.e_shoff, l->sections, (l->count + 1) * sizeof(*l->sections));
}

static const char *link_alone(struct linking *l)
{
	static const char *(*const steps[])(struct linking *) = { read_header, read_sections, read_symbols, place_all, place_in_file };
	const char *why = NULL;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !why; i++)
		why = steps[i](l);
	if (!why)
		why = check_code(l);
	if (why)
		return why;
	copy_sections(l);
	if (l->symbols) {
		apply_all(l);
		write_symbols(l);
	}
	write_headers(l);
	return NULL;
}

const char *object_link(const uint8_t *bytes, size_t size, struct linked *linked)
{
	struct linking l = { .in = bytes, .size = size };
	const char *why = link_alone(&l);

	free(l.sections);
	free(l.from);
	free(l.symbol);
	if (why) {
		free(l.out);
		return why;
	}
	*linked = (struct linked){ l.out, l.out_size, l.outside, l.outside + l.each * l.symbol_count };
	return NULL;
}
