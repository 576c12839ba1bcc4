/* SPDX-License-Identifier: MIT */
/* symbols.c - names of addresses, from .symtab, or from the dynamic symbols where that was stripped. */
#include "internal.h"

#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
	uint64_t address, size;
	const char *name;
	uint8_t type;
	bool local;
};

struct names {
	struct symbol *code; /* functions, and labels of code; by address, the best name of an address last */
	size_t code_count, code_capacity;
	struct symbol *objects; /* by address */
	size_t object_count, object_capacity;
	struct map by_name; /* hash -> index in `code` or, behind all of those, in `objects` */
};

/* Which of two names of one address is the better one: last. */
static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if ((x->type == STT_FUNC) != (y->type == STT_FUNC))
		return x->type == STT_FUNC ? 1 : -1;
	if (!x->size != !y->size)
		return x->size ? 1 : -1;
	if (x->local != y->local)
		return x->local ? -1 : 1;
	if (strlen(x->name) != strlen(y->name)) /* aliases of the compiler's own are longer */
		return strlen(x->name) > strlen(y->name) ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add(struct model *model, const GElf_Sym *s, const char *name)
{
	struct names *n = model->names;
	struct symbol symbol = { s->st_value, s->st_size, name, GELF_ST_TYPE(s->st_info), GELF_ST_BIND(s->st_info) == STB_LOCAL };

	if (!*name || s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS)
		return;
	if (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC ||
	    (symbol.type == STT_NOTYPE && model_is_code(model, symbol.address) && name[0] != '.' && name[0] != '$')) {
		n->code = grown(n->code, n->code_count, &n->code_capacity, sizeof(*n->code));
		n->code[n->code_count++] = symbol;
	} else if (symbol.type == STT_OBJECT) {
		n->objects = grown(n->objects, n->object_count, &n->object_capacity, sizeof(*n->objects));
		n->objects[n->object_count++] = symbol;
	}
}

static void read_table(struct model *model, uint32_t type, uint64_t *budget)
{
	Elf *elf = model->image->elf;
	GElf_Shdr s;
	GElf_Sym symbol;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &s) || s.sh_type != type || s.sh_size > *budget)
			continue;
		*budget -= s.sh_size;
		data = elf_getdata(scn, NULL);
		for (int i = 1; data && (size_t)i < data->d_size / sizeof(Elf64_Sym) && gelf_getsym(data, i, &symbol); i++) {
			const char *name = elf_strptr(elf, s.sh_link, symbol.st_name);

			if (name)
				add(model, &symbol, name);
		}
	}
}

static void sort(struct symbol *symbols, size_t count)
{
	if (count)
		qsort(symbols, count, sizeof(*symbols), by_address);
}

void names_read(struct model *model)
{
	uint64_t budget = model->image->size;
	struct names *n = arena_take(model->arena, sizeof(*n));

	model->names = n;
	read_table(model, SHT_SYMTAB, &budget);
	if (!n->code_count && !n->object_count)
		read_table(model, SHT_DYNSYM, &budget);
	sort(n->code, n->code_count);
	sort(n->objects, n->object_count);
	for (size_t i = 0; i < n->code_count; i++)
		map_put(&n->by_name, hash_of(n->code[i].name, strlen(n->code[i].name)), (uint32_t)i);
	for (size_t i = 0; i < n->object_count; i++)
		map_put(&n->by_name, hash_of(n->objects[i].name, strlen(n->objects[i].name)), (uint32_t)(n->code_count + i));
}

void names_free(struct names *n)
{
	if (!n)
		return;
	free(n->code);
	free(n->objects);
	map_free(&n->by_name);
}

/* The last symbol at or before an address, or NULL. */
static const struct symbol *before(const struct symbol *symbols, size_t count, uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols[low - 1] : NULL;
}

static const struct model_section *section_of(const struct model *model, uint64_t address)
{
	for (size_t i = 0; i < model->image->section_count; i++)
		if (address - model->image->sections[i].address < model->image->sections[i].size)
			return &model->image->sections[i];
	return NULL;
}

/* What has no size ends with its section. */
static bool holds(const struct model *model, const struct symbol *s, uint64_t address)
{
	if (s->size || address == s->address)
		return address == s->address || address - s->address < s->size;
	return section_of(model, s->address) == section_of(model, address);
}

/* Labels and parts without a size lie in functions: the nearest function that spans the address is better than a nearer label. */
static const struct symbol *spanning(const struct model *model, uint64_t address)
{
	const struct names *n = model->names;
	const struct symbol *nearest = before(n->code, n->code_count, address), *s = nearest;

	for (unsigned tries = 0; s && tries < 64; tries++, s = s > n->code ? s - 1 : NULL)
		if (s->size && address - s->address < s->size)
			return s;
	return nearest && holds(model, nearest, address) ? nearest : NULL;
}

bool model_symbol_at(const struct model *model, uint64_t address, const char **name, uint64_t *offset, uint64_t *size)
{
	const struct symbol *s = spanning(model, address);

	if (!s || !model_is_code(model, address))
		return false;
	*name = s->name;
	*offset = address - s->address;
	*size = s->size;
	return true;
}

bool model_stub_at(const struct model *model, uint64_t address, const char **name)
{
	const uint8_t *bytes = image_at(model->image, address, 16);
	uint64_t slot;

	if (!bytes || !model_is_code(model, address) || !model->port->plt_slot(bytes, 16, address, &slot))
		return false;
	for (size_t i = 0; i < model->image->import_count; i++)
		if (model->image->imports[i].place == slot) {
			*name = model->image->imports[i].symbol;
			return true;
		}
	return false;
}

bool model_symbol_named(const struct model *model, const char *name, size_t length, uint64_t *address, uint64_t *size)
{
	const struct names *n = model->names;
	const struct symbol *s;
	uint32_t i;

	if (!map_get(&n->by_name, hash_of(name, length), &i))
		return false;
	s = i < n->code_count ? &n->code[i] : &n->objects[i - n->code_count];
	if (strlen(s->name) != length || memcmp(s->name, name, length) != 0)
		return false;
	*address = s->address;
	*size = s->size;
	return true;
}

const char *object_name(const struct model *model, uint64_t address)
{
	const struct symbol *s = before(model->names->objects, model->names->object_count, address);

	return s && s->address == address ? s->name : NULL;
}

static void describe(const struct symbol *s, struct object *object)
{
	*object = (struct object){ s->name, s->address, s->size, s->local };
}

bool each_object(const struct model *model, size_t *i, struct object *object)
{
	const struct names *n = model->names;

	for (; *i < n->object_count; ++*i)
		if (n->objects[*i].size) {
			describe(&n->objects[(*i)++], object);
			return true;
		}
	return false;
}

bool object_at(const struct model *model, uint64_t address, struct object *object)
{
	const struct symbol *s = before(model->names->objects, model->names->object_count, address);

	if (!s || address - s->address >= (s->size ? s->size : 1))
		return false;
	describe(s, object);
	return true;
}

/* Nothing tells of what kind they are. */
bool each_outside(const struct model *model, size_t *i, const char **name, uint64_t *address)
{
	const struct names *n = model->names;

	for (; *i < n->code_count + n->object_count; ++*i) {
		const struct symbol *s = *i < n->code_count ? &n->code[*i] : &n->objects[*i - n->code_count];

		if (s->address < model->outside_start || s->address >= model->outside_stop)
			continue;
		*name = s->name;
		*address = s->address;
		++*i;
		return true;
	}
	return false;
}

bool each_function(const struct model *model, size_t *i, uint64_t *start, uint64_t *size)
{
	const struct names *n = model->names;

	for (; *i < n->code_count; ++*i)
		if (n->code[*i].size && n->code[*i].type == STT_FUNC && model_is_code(model, n->code[*i].address)) {
			*start = n->code[*i].address;
			*size = n->code[*i].size;
			++*i;
			return true;
		}
	return false;
}
