/* SPDX-License-Identifier: MIT */
/* slots.c - see slots.h. */
#include "elf/slots.h"

#include <elf.h>
#include <string.h>

struct types {
	uint16_t machine;
	uint32_t jump_slot, glob_dat, irelative;
};

static const struct types known[] = {
	{ EM_X86_64, R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_IRELATIVE },
	{ EM_AARCH64, R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_IRELATIVE },
	{ EM_RISCV, R_RISCV_JUMP_SLOT, R_RISCV_64, R_RISCV_IRELATIVE },
};

struct tables {
	const struct rl_view *view;
	const struct types *types;
	uint64_t symbols;
	const char *strings;
	uint64_t strings_size; /* the last one is a zero */
};

/* Functions, and what has no type: weak symbols that nobody has defined when the module was linked. */
static bool may_be_function(uint8_t info)
{
	uint8_t type = ELF64_ST_TYPE(info);

	return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

static const char *string_at(const struct tables *t, uint32_t offset)
{
	return offset < t->strings_size ? t->strings + offset : "";
}

/* False: no function. */
static bool name_slot(const struct tables *t, uint32_t index, struct rl_slot *slot)
{
	const uint8_t *bytes = rl_view_at(t->view, t->symbols + (uint64_t)index * sizeof(Elf64_Sym), sizeof(Elf64_Sym), PF_R);
	Elf64_Sym symbol;

	if (!bytes)
		return false;
	memcpy(&symbol, bytes, sizeof(symbol));
	if (!may_be_function(symbol.st_info))
		return false;
	slot->name = string_at(t, symbol.st_name);
	slot->defined = symbol.st_shndx != SHN_UNDEF;
	return true;
}

/* Variables are initialised by the same relocation as slots; what is read-only after it is never assigned. */
static bool is_for_good(const struct rl_view *view, uint64_t address)
{
	return address - view->relro < view->relro_size && view->relro_size - (address - view->relro) >= sizeof(uint64_t);
}

static bool is_slot(const struct tables *t, const Elf64_Rela *reloc, bool plt, struct rl_slot *slot)
{
	uint32_t type = (uint32_t)ELF64_R_TYPE(reloc->r_info), symbol = (uint32_t)ELF64_R_SYM(reloc->r_info);

	*slot = (struct rl_slot){ reloc->r_offset, "", false, RL_SLOT_JUMP };
	if (reloc->r_offset % sizeof(uint64_t))
		return false;
	if (type == t->types->irelative && (plt || is_for_good(t->view, reloc->r_offset))) {
		slot->kind = plt ? RL_SLOT_IRELATIVE : RL_SLOT_DATA;
		slot->defined = true;
		return true;
	}
	if (type != t->types->jump_slot && (type != t->types->glob_dat || reloc->r_addend))
		return false;
	slot->kind = type == t->types->jump_slot ? RL_SLOT_JUMP : RL_SLOT_DATA;
	return name_slot(t, symbol, slot);
}

/* A table that does not end with a string has none. */
static void open_strings(struct tables *t)
{
	uint64_t address, size;
	const uint8_t *bytes;

	if (!rl_view_dynamic(t->view, DT_STRTAB, true, &address) || !rl_view_dynamic(t->view, DT_STRSZ, false, &size))
		return;
	bytes = size ? rl_view_at(t->view, address, size, PF_R) : NULL;
	if (!bytes || bytes[size - 1])
		return;
	t->strings = (const char *)bytes;
	t->strings_size = size;
}

static int walk(const struct tables *t, int64_t table_tag, int64_t size_tag, rl_slot_visitor *visit, void *ctx)
{
	uint64_t table, size;
	int r = 0;

	if (!rl_view_dynamic(t->view, table_tag, true, &table) || !rl_view_dynamic(t->view, size_tag, false, &size))
		return 0;
	for (uint64_t at = 0; !r && at + sizeof(Elf64_Rela) <= size; at += sizeof(Elf64_Rela)) {
		const uint8_t *bytes = rl_view_at(t->view, table + at, sizeof(Elf64_Rela), PF_R);
		Elf64_Rela reloc;
		struct rl_slot slot;

		if (!bytes)
			return 0;
		memcpy(&reloc, bytes, sizeof(reloc));
		if (is_slot(t, &reloc, table_tag == DT_JMPREL, &slot))
			r = visit(&slot, ctx);
	}
	return r;
}

int rl_each_slot(const struct rl_view *view, uint16_t machine, rl_slot_visitor *visit, void *ctx)
{
	struct tables t = { .view = view };
	int r;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].machine == machine)
			t.types = &known[i];
	if (!t.types || !rl_view_dynamic(view, DT_SYMTAB, true, &t.symbols))
		return 0;
	open_strings(&t);
	r = walk(&t, DT_JMPREL, DT_PLTRELSZ, visit, ctx);
	return r ? r : walk(&t, DT_RELA, DT_RELASZ, visit, ctx);
}
