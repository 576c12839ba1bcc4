/* SPDX-License-Identifier: MIT */
/*
 * elf_relocs.c - fuzzes the ELF reader: any bytes are a file. tests/unit/elf_relocs.c includes it and feeds it files of its own.
 */
#include "elf/relocs.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct fuzz {
	const struct rl_elf *elf;
	const uint8_t *wanted;
	size_t visits;
};

static void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

/* Names must be readable to their end and stop where the interface says. */
static void fuzz_name(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		fuzz_require(name[i] != '\0' && name[i] != '@');
	fuzz_require(name[length] == '\0' || name[length] == '@');
}

static int fuzz_reloc(const struct rl_elf_reloc *reloc, void *ctx)
{
	struct fuzz *fuzz = ctx;

	fuzz_require(reloc->symbol < rl_elf_symbol_count(fuzz->elf));
	fuzz_require(!fuzz->wanted || fuzz->wanted[reloc->symbol / 8] >> reloc->symbol % 8 & 1);
	fuzz->visits++;
	return 0;
}

static int fuzz_slot(const struct rl_elf_slot *slot, void *ctx)
{
	struct fuzz *fuzz = ctx;

	fuzz_name(slot->name, slot->name_length);
	fuzz->visits++;
	return 0;
}

/* Wants all functions; the map is as small as it may be, so that the sanitizer sees a read past its end. */
static uint8_t *fuzz_symbols(const struct rl_elf *elf)
{
	uint32_t count = rl_elf_symbol_count(elf);
	uint8_t *wanted = calloc(count / 8 + 1, 1);
	struct rl_elf_symbol symbol;

	for (uint32_t i = 0; wanted && i < count; i++) {
		if (!rl_elf_symbol(elf, i, &symbol))
			continue;
		fuzz_require(symbol.index == i);
		fuzz_name(symbol.name, symbol.name_length);
		if (symbol.type == STT_FUNC)
			wanted[i / 8] |= (uint8_t)(1 << i % 8);
	}
	fuzz_require(!rl_elf_symbol(elf, count, &symbol) && !rl_elf_symbol(elf, UINT32_MAX, &symbol));
	return wanted;
}

static void fuzz_build_id(const struct rl_elf *elf)
{
	size_t length = 1;
	const uint8_t *id = rl_elf_build_id(elf, &length);

	fuzz_require((id != NULL) == (length > 0));
	if (id)
		fuzz_require(id >= elf->image && length <= elf->size - (size_t)(id - elf->image));
}

static void fuzz_walk(const struct rl_elf *elf, const uint8_t *wanted)
{
	struct fuzz all = { elf, NULL, 0 }, some = { elf, wanted, 0 }, slots = { elf, NULL, 0 };
	int ret = rl_elf_each_reloc(elf, NULL, fuzz_reloc, &all);

	fuzz_require(ret == 0 || ret == -1);
	fuzz_require(rl_elf_has_relocs(elf) || (ret == 0 && all.visits == 0));
	fuzz_require(rl_elf_each_reloc(elf, wanted, fuzz_reloc, &some) == ret && some.visits <= all.visits);
	ret = rl_elf_each_slot(elf, fuzz_slot, &slots);
	fuzz_require(ret == 0 || ret == -1);
	/* Sections can't name the same table again and again. */
	fuzz_require(all.visits <= elf->size / sizeof(Elf64_Rela) && slots.visits <= elf->size / sizeof(Elf64_Rela));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *why = "unset";
	struct rl_elf elf;
	uint8_t *wanted;

	if (rl_elf_open(&elf, bytes, size, &why) < 0) {
		fuzz_require(why && *why);
		return 0;
	}
	wanted = fuzz_symbols(&elf);
	fuzz_build_id(&elf);
	fuzz_walk(&elf, wanted);
	free(wanted);
	return 0;
}
