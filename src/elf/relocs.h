/* SPDX-License-Identifier: MIT */
/*
 * relocs.h - reads the relocations that `--emit-relocs` left in a finished ELF file.
 *
 * Works on a file image in memory that may be truncated or hostile: every offset is checked before it is used, nothing is
 * written, nothing is allocated. Used by the runtime and the tools; knows ELF, and neither choices nor encodings.
 */
#ifndef RL_ELF_RELOCS_H
#define RL_ELF_RELOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rl_elf {
	const uint8_t *image;
	size_t size;
	uint16_t machine; /* e_machine */
	uint16_t type;    /* ET_EXEC, ET_DYN */
	/* private from here on */
	const void *sections;
	size_t section_count;
	const void *symbols; /* .symtab */
	size_t symbol_count;
	const char *names;
	size_t names_size;
};

/* 0, or -1 and *why says what is wrong with the file, for a person. A 64-bit little-endian executable or shared object of any
 * machine is accepted. A file without .symtab parses; rl_elf_has_relocs tells whether code relocations were kept. */
int rl_elf_open(struct rl_elf *elf, const void *image, size_t size, const char **why);

/* The GNU build-id note, NULL if there is none. */
const uint8_t *rl_elf_build_id(const struct rl_elf *elf, size_t *length);

/* Are there relocation sections for executable sections? */
bool rl_elf_has_relocs(const struct rl_elf *elf);

struct rl_elf_symbol {
	uint32_t index;
	const char *name; /* may be "" */
	size_t name_length; /* up to a NUL or an '@' (version suffix) */
	uint64_t value;
	uint64_t size;
	uint8_t type;     /* STT_ */
	bool undefined;
};
/* Symbol `index` of .symtab; false past the end or if its entry is broken. */
bool rl_elf_symbol(const struct rl_elf *elf, uint32_t index, struct rl_elf_symbol *symbol);
uint32_t rl_elf_symbol_count(const struct rl_elf *elf);

struct rl_elf_reloc {
	uint64_t place; /* virtual address of the relocated field, as linked */
	uint32_t type;
	uint32_t symbol;
	int64_t addend;
};
/* Visits the relocations of all allocated executable sections, in file order, whose symbol index has its bit set in `wanted`
 * (bit i of wanted[i / 8]; NULL: all). Stops when visit returns non-zero and returns that; 0 at the end; -1 if a section is broken. */
int rl_elf_each_reloc(const struct rl_elf *elf, const uint8_t *wanted,
		      int (*visit)(const struct rl_elf_reloc *reloc, void *ctx), void *ctx);

/* Virtual addresses of the GOT slots that dynamic relocations (JUMP_SLOT, GLOB_DAT, 64) fill with the address of a symbol, which
 * this file may define itself; name and length from the dynamic symbol table, version suffix excluded. Same conventions as above. */
struct rl_elf_slot {
	const char *name;
	size_t name_length;
	uint64_t address;
	bool lazy; /* JUMP_SLOT */
	bool undefined; /* in this file */
};
int rl_elf_each_slot(const struct rl_elf *elf, int (*visit)(const struct rl_elf_slot *slot, void *ctx), void *ctx);

#endif
