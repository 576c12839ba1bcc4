/* SPDX-License-Identifier: MIT */
/*
 * relocs.c - see relocs.h. bytes_at() is the only place that turns an offset of the file into a pointer. Entries may lie at
 * any alignment, so they are copied out and never accessed in place.
 */
#include "elf/relocs.h"

#include <elf.h>
#include <string.h>

struct table {
	const uint8_t *first;
	size_t count;
};

/* .symtab or .dynsym with its string table. */
struct symbols {
	struct table table;
	const char *names;
	size_t names_size;
};

/* Relocation types that store the plain address of a symbol. There is no GLOB_DAT on riscv: its slots use the data type. */
struct slot_types {
	uint16_t machine;
	uint32_t jump_slot;
	uint32_t glob_dat;
	uint32_t word;
};

static const struct slot_types slot_types[] = {
	{ EM_X86_64, R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_64 },
	{ EM_AARCH64, R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_ABS64 },
	{ EM_RISCV, R_RISCV_JUMP_SLOT, R_RISCV_64, R_RISCV_64 },
};

/* ---- bounds ---- */

static const uint8_t *bytes_at(const struct rl_elf *elf, uint64_t offset, uint64_t size)
{
	if (offset > elf->size || size > elf->size - offset)
		return NULL;
	return elf->image + offset;
}

static bool section_at(const struct rl_elf *elf, size_t index, Elf64_Shdr *section)
{
	if (index >= elf->section_count)
		return false;
	memcpy(section, (const uint8_t *)elf->sections + index * sizeof(*section), sizeof(*section));
	return true;
}

static bool table_of(const struct rl_elf *elf, const Elf64_Shdr *section, size_t entry_size, struct table *table)
{
	if (section->sh_entsize != entry_size || section->sh_size % entry_size != 0)
		return false;
	table->first = bytes_at(elf, section->sh_offset, section->sh_size);
	table->count = (size_t)(section->sh_size / entry_size);
	return table->first != NULL;
}

/* Sections of a sound file don't overlap: those that are walked can't be larger than the file together. Without this check a
 * small file in which every header names the same table would keep us busy for hours. */
static bool spend(size_t *budget, uint64_t size)
{
	if (size > *budget)
		return false;
	*budget -= (size_t)size;
	return true;
}

/* ---- symbols ---- */

static bool load_symbols(const struct rl_elf *elf, const Elf64_Shdr *section, struct symbols *symbols)
{
	Elf64_Shdr names;

	if (!table_of(elf, section, sizeof(Elf64_Sym), &symbols->table))
		return false;
	if (!section_at(elf, section->sh_link, &names) || names.sh_type != SHT_STRTAB)
		return false;
	symbols->names = (const char *)bytes_at(elf, names.sh_offset, names.sh_size);
	symbols->names_size = (size_t)names.sh_size;
	return symbols->names != NULL;
}

/* Offset 0 is "no name" even where the string table is empty. */
static bool name_at(const struct symbols *symbols, uint32_t offset, const char **name, size_t *length)
{
	const char *start = "", *end = start, *version;

	if (offset != 0) {
		if (offset >= symbols->names_size)
			return false;
		start = symbols->names + offset;
		end = memchr(start, '\0', symbols->names_size - offset);
	}
	if (!end)
		return false;
	version = memchr(start, '@', (size_t)(end - start));
	*name = start;
	*length = (size_t)((version ? version : end) - start);
	return true;
}

static bool read_symbol(const struct symbols *symbols, uint32_t index, struct rl_elf_symbol *symbol)
{
	Elf64_Sym entry;

	if (index >= symbols->table.count)
		return false;
	memcpy(&entry, symbols->table.first + index * sizeof(entry), sizeof(entry));
	symbol->index = index;
	symbol->value = entry.st_value;
	symbol->size = entry.st_size;
	symbol->type = ELF64_ST_TYPE(entry.st_info);
	symbol->undefined = entry.st_shndx == SHN_UNDEF;
	return name_at(symbols, entry.st_name, &symbol->name, &symbol->name_length);
}

bool rl_elf_symbol(const struct rl_elf *elf, uint32_t index, struct rl_elf_symbol *symbol)
{
	const struct symbols symbols = { { elf->symbols, elf->symbol_count }, elf->names, elf->names_size };

	return read_symbol(&symbols, index, symbol);
}

uint32_t rl_elf_symbol_count(const struct rl_elf *elf)
{
	return (uint32_t)elf->symbol_count;
}

/* ---- opening; each step returns what is wrong, NULL if nothing ---- */

static const char *check_header(struct rl_elf *elf, Elf64_Ehdr *header)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return "ELF files can only be read on little-endian machines";
	if (elf->size < SELFMAG || memcmp(elf->image, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (elf->size < sizeof(*header))
		return "the ELF header is cut off";
	memcpy(header, elf->image, sizeof(*header));
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return "not a 64-bit little-endian ELF file";
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return "neither an executable nor a shared object";
	elf->machine = header->e_machine;
	elf->type = header->e_type;
	return NULL;
}

static const char *find_sections(struct rl_elf *elf, const Elf64_Ehdr *header)
{
	uint64_t count = header->e_shnum;
	const uint8_t *first = bytes_at(elf, header->e_shoff, sizeof(Elf64_Shdr));
	Elf64_Shdr zero;

	if (header->e_shoff == 0)
		return NULL;
	if (header->e_shentsize != sizeof(Elf64_Shdr))
		return "the section headers have an unknown size";
	if (!first)
		return "the section headers lie outside of the file";
	memcpy(&zero, first, sizeof(zero));
	if (count == 0) /* too many for 16 bits: the number is in the first header */
		count = zero.sh_size;
	if (count > (elf->size - header->e_shoff) / sizeof(Elf64_Shdr))
		return "the section headers lie outside of the file";
	elf->sections = first;
	elf->section_count = (size_t)count;
	return NULL;
}

static const char *find_symbols(struct rl_elf *elf)
{
	struct symbols symbols;
	Elf64_Shdr section;
	size_t i = 0;

	do {
		if (!section_at(elf, i++, &section))
			return NULL;
	} while (section.sh_type != SHT_SYMTAB);
	if (!load_symbols(elf, &section, &symbols))
		return "the symbol table is broken";
	if (section.sh_size / sizeof(Elf64_Sym) > UINT32_MAX)
		return "the symbol table is larger than relocations can express";
	elf->symbols = symbols.table.first;
	elf->symbol_count = symbols.table.count;
	elf->names = symbols.names;
	elf->names_size = symbols.names_size;
	return NULL;
}

int rl_elf_open(struct rl_elf *elf, const void *image, size_t size, const char **why)
{
	Elf64_Ehdr header;

	memset(elf, 0, sizeof(*elf));
	elf->image = image;
	elf->size = size;
	*why = check_header(elf, &header);
	if (!*why)
		*why = find_sections(elf, &header);
	if (!*why)
		*why = find_symbols(elf);
	return *why ? -1 : 0;
}

/* ---- build-id ---- */

static uint64_t round_up(uint64_t size, uint64_t align)
{
	return (size + align - 1) & ~(align - 1);
}

static bool is_build_id(const Elf64_Nhdr *note, const uint8_t *name)
{
	return note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof(ELF_NOTE_GNU) && note->n_descsz > 0 &&
	       memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0;
}

/* Lengths in a note have 32 bits, so sums in 64 bits don't overflow. The last note may lack its padding. */
static const uint8_t *find_build_id(const uint8_t *at, uint64_t left, uint64_t align, size_t *length)
{
	Elf64_Nhdr note;

	while (left >= sizeof(note)) {
		uint64_t start, next;

		memcpy(&note, at, sizeof(note));
		start = round_up(sizeof(note) + (uint64_t)note.n_namesz, align);
		if (start > left || note.n_descsz > left - start)
			return NULL;
		*length = note.n_descsz;
		if (is_build_id(&note, at + sizeof(note)))
			return at + start;
		next = round_up(start + note.n_descsz, align);
		if (next > left)
			return NULL;
		at += next;
		left -= next;
	}
	return NULL;
}

const uint8_t *rl_elf_build_id(const struct rl_elf *elf, size_t *length)
{
	size_t budget = elf->size;
	Elf64_Shdr section;

	for (size_t i = 0; section_at(elf, i, &section); i++) {
		const uint8_t *notes = bytes_at(elf, section.sh_offset, section.sh_size), *id;

		if (section.sh_type != SHT_NOTE || !notes || !spend(&budget, section.sh_size))
			continue;
		id = find_build_id(notes, section.sh_size, section.sh_addralign == 8 ? 8 : 4, length);
		if (id)
			return id;
	}
	*length = 0;
	return NULL;
}

/* ---- relocations kept for code ---- */

static bool is_code(const Elf64_Shdr *section)
{
	const uint64_t code = SHF_ALLOC | SHF_EXECINSTR;

	return section->sh_type == SHT_PROGBITS && (section->sh_flags & code) == code;
}

/* Is section `index` a kept relocation section of an executable section? One that is loaded is the dynamic linker's, even if its
 * sh_info names .plt. A file has at most one .symtab, so it is the one that was opened. */
static bool has_code_relocs(const struct rl_elf *elf, size_t index, Elf64_Shdr *relocs, Elf64_Shdr *code)
{
	Elf64_Shdr symbols;

	if (!section_at(elf, index, relocs) || relocs->sh_type != SHT_RELA || relocs->sh_flags & SHF_ALLOC || !relocs->sh_size)
		return false;
	if (!section_at(elf, relocs->sh_link, &symbols) || symbols.sh_type != SHT_SYMTAB)
		return false;
	return section_at(elf, relocs->sh_info, code) && is_code(code);
}

bool rl_elf_has_relocs(const struct rl_elf *elf)
{
	Elf64_Shdr relocs, code;

	for (size_t i = 0; i < elf->section_count; i++)
		if (has_code_relocs(elf, i, &relocs, &code))
			return true;
	return false;
}

typedef int reloc_visitor(const struct rl_elf_reloc *reloc, void *ctx);

static int visit_reloc(const uint8_t *at, const Elf64_Shdr *code, reloc_visitor *visit, void *ctx)
{
	struct rl_elf_reloc reloc;
	Elf64_Rela entry;

	memcpy(&entry, at, sizeof(entry));
	if (entry.r_offset - code->sh_addr >= code->sh_size)
		return 0;
	reloc.place = entry.r_offset;
	reloc.type = ELF64_R_TYPE(entry.r_info);
	reloc.symbol = (uint32_t)ELF64_R_SYM(entry.r_info);
	reloc.addend = entry.r_addend;
	return visit(&reloc, ctx);
}

/* The hot loop: millions of entries, few of them wanted, so it reads 4 of 24 bytes and calls nothing. */
static int scan_relocs(const struct table *table, const Elf64_Shdr *code, size_t symbol_count, const uint8_t *wanted,
		       reloc_visitor *visit, void *ctx)
{
	const size_t symbol_at = offsetof(Elf64_Rela, r_info) + sizeof(uint32_t);
	const uint8_t *at = table->first, *end = at + table->count * sizeof(Elf64_Rela);
	int ret = 0;

	for (; !ret && at != end; at += sizeof(Elf64_Rela)) {
		uint32_t symbol;

		memcpy(&symbol, at + symbol_at, sizeof(symbol));
		if (symbol >= symbol_count)
			return -1;
		if (!wanted || wanted[symbol / 8] >> symbol % 8 & 1)
			ret = visit_reloc(at, code, visit, ctx);
	}
	return ret;
}

int rl_elf_each_reloc(const struct rl_elf *elf, const uint8_t *wanted, reloc_visitor *visit, void *ctx)
{
	size_t budget = elf->size;
	Elf64_Shdr relocs, code;
	struct table table;
	int ret = 0;

	for (size_t i = 0; !ret && i < elf->section_count; i++) {
		if (!has_code_relocs(elf, i, &relocs, &code))
			continue;
		if (!table_of(elf, &relocs, sizeof(Elf64_Rela), &table) || !spend(&budget, relocs.sh_size))
			return -1;
		ret = scan_relocs(&table, &code, elf->symbol_count, wanted, visit, ctx);
	}
	return ret;
}

/* ---- GOT slots ---- */

typedef int slot_visitor(const struct rl_elf_slot *slot, void *ctx);

static const struct slot_types *slot_types_of(uint16_t machine)
{
	for (size_t i = 0; i < sizeof(slot_types) / sizeof(slot_types[0]); i++)
		if (slot_types[i].machine == machine)
			return &slot_types[i];
	return NULL;
}

/* With an addend the slot holds something else than the symbol's address; symbol 0 is no symbol. */
static bool fills_slot(const struct slot_types *types, const Elf64_Rela *reloc)
{
	uint32_t type = ELF64_R_TYPE(reloc->r_info);

	return (type == types->jump_slot || type == types->glob_dat || type == types->word) && reloc->r_addend == 0 &&
	       ELF64_R_SYM(reloc->r_info) != 0;
}

static int scan_slots(const struct table *table, const struct slot_types *types, const struct symbols *symbols,
		      slot_visitor *visit, void *ctx)
{
	struct rl_elf_symbol symbol;
	Elf64_Rela reloc;
	int ret = 0;

	for (size_t i = 0; !ret && i < table->count; i++) {
		memcpy(&reloc, table->first + i * sizeof(reloc), sizeof(reloc));
		if (!fills_slot(types, &reloc))
			continue;
		if (!read_symbol(symbols, (uint32_t)ELF64_R_SYM(reloc.r_info), &symbol))
			return -1;
		ret = visit(&(struct rl_elf_slot){ symbol.name, symbol.name_length, reloc.r_offset,
						   ELF64_R_TYPE(reloc.r_info) == types->jump_slot, symbol.undefined }, ctx);
	}
	return ret;
}

static bool has_slots(const struct rl_elf *elf, size_t index, Elf64_Shdr *relocs, Elf64_Shdr *symbols)
{
	return section_at(elf, index, relocs) && relocs->sh_type == SHT_RELA && relocs->sh_flags & SHF_ALLOC &&
	       section_at(elf, relocs->sh_link, symbols) && symbols->sh_type == SHT_DYNSYM;
}

int rl_elf_each_slot(const struct rl_elf *elf, slot_visitor *visit, void *ctx)
{
	const struct slot_types *types = slot_types_of(elf->machine);
	size_t budget = elf->size;
	Elf64_Shdr relocs, section;
	struct symbols symbols;
	struct table table;
	int ret = 0;

	for (size_t i = 0; types && !ret && i < elf->section_count; i++) {
		if (!has_slots(elf, i, &relocs, &section))
			continue;
		if (!table_of(elf, &relocs, sizeof(Elf64_Rela), &table) || !spend(&budget, relocs.sh_size) ||
		    !load_symbols(elf, &section, &symbols))
			return -1;
		ret = scan_slots(&table, types, &symbols, visit, ctx);
	}
	return ret;
}
