/* SPDX-License-Identifier: MIT */
/* imports.c - which loaded modules ask for symbols of a given name, from the dynamic symbols that the loader has mapped. */
#include "../platform.h"
#include "system.h"

#include <elf.h>
#include <link.h>

struct query {
	rl_symbol_wanted *wanted;
	void *ctx;
	uintptr_t *found;
	size_t count, room;
};

struct symbols {
	const ElfW(Sym) *table;
	const char *strings;
	size_t count, strings_size; /* at least all undefined ones */
};

/* glibc has relocated these addresses, other loaders have not. */
static const void *at(const struct dl_phdr_info *info, ElfW(Addr) address)
{
	uintptr_t p = address < info->dlpi_addr ? (uintptr_t)(info->dlpi_addr + address) : (uintptr_t)address;

	return rl_segment_holds(info, p, sizeof(uint64_t), PF_R) ? (const void *)p : NULL;
}

static const ElfW(Dyn) *dynamic_of(const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return (const ElfW(Dyn) *)(uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return NULL;
}

/*
 * Only what a module defines is hashed in the GNU way; what it asks for comes first. The other way has all, counted. Where
 * nothing is defined bfd says 1, and has the strings behind the symbols.
 */
static size_t count_symbols(const struct symbols *s, const uint32_t *gnu, const uint32_t *old)
{
	uintptr_t table = (uintptr_t)s->table, strings = (uintptr_t)s->strings;

	if (!s->table || !s->strings)
		return 0;
	if (old)
		return old[1];
	if (!gnu)
		return 0;
	return gnu[1] == 1 && strings > table ? (strings - table) / sizeof(*s->table) : gnu[1];
}

static struct symbols symbols_of(const struct dl_phdr_info *info)
{
	struct symbols s = { NULL, NULL, 0, 0 };
	const uint32_t *gnu = NULL, *old = NULL;

	for (const ElfW(Dyn) *d = dynamic_of(info); d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			s.table = at(info, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			s.strings = at(info, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRSZ)
			s.strings_size = d->d_un.d_val;
		else if (d->d_tag == DT_GNU_HASH)
			gnu = at(info, d->d_un.d_ptr);
		else if (d->d_tag == DT_HASH)
			old = at(info, d->d_un.d_ptr);
	}
	s.count = count_symbols(&s, gnu, old);
	return s;
}

static uintptr_t text_of(const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X)
			return (uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 0;
}

static bool asks(const struct symbols *s, const struct query *q)
{
	for (size_t i = 1; i < s->count; i++) {
		const ElfW(Sym) *symbol = &s->table[i];

		if (symbol->st_shndx == SHN_UNDEF && symbol->st_name < s->strings_size &&
		    q->wanted(s->strings + symbol->st_name, q->ctx))
			return true;
	}
	return false;
}

static int look(struct dl_phdr_info *info, size_t size, void *context)
{
	struct query *q = context;
	struct symbols s = symbols_of(info);

	(void)size;
	if (!asks(&s, q))
		return 0;
	if (q->count < q->room)
		q->found[q->count] = text_of(info);
	q->count++;
	return 0;
}

size_t rl_importers(rl_symbol_wanted *wanted, void *ctx, uintptr_t *found, size_t room)
{
	struct query q = { wanted, ctx, found, 0, room };

	dl_iterate_phdr(look, &q);
	return q.count;
}
