/* SPDX-License-Identifier: MIT */
/* change.c - see change.h. */
#include "change.h"

#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

void put32(uint8_t *p, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

void put64(uint8_t *p, uint64_t value)
{
	put32(p, (uint32_t)value);
	put32(p + 4, (uint32_t)(value >> 32));
}

/* ---- bytes ---- */

uint8_t *change_at(const struct change *change, uint64_t address, size_t count)
{
	const struct image *image = change->model->image;
	const uint8_t *bytes = image_at(image, address, count);

	return bytes ? change->bytes + (bytes - image->bytes) : NULL;
}

bool change_bytes(const struct change *change, uint64_t address, const uint8_t *bytes, size_t count)
{
	uint8_t *at = change_at(change, address, count);

	if (at)
		memcpy(at, bytes, count);
	return at != NULL;
}

bool change_32(const struct change *change, uint64_t address, uint32_t value)
{
	uint8_t *at = change_at(change, address, 4);

	if (at)
		put32(at, value);
	return at != NULL;
}

bool change_64(const struct change *change, uint64_t address, uint64_t value)
{
	uint8_t *at = change_at(change, address, 8);

	if (at)
		put64(at, value);
	return at != NULL;
}

/* ---- relocations ---- */

static void add_rela(struct change *change, uint64_t place, size_t at)
{
	change->relas = grown(change->relas, change->rela_count, &change->rela_capacity, sizeof(*change->relas));
	change->relas[change->rela_count++] = (struct rela){ place, at };
}

static bool lies_in_file(const struct image *image, const GElf_Shdr *s, uint64_t *budget)
{
	if (s->sh_offset > image->size || s->sh_size > image->size - s->sh_offset || s->sh_size > *budget)
		return false;
	*budget -= s->sh_size;
	return true;
}

static void read_relas(struct change *change, const GElf_Shdr *s)
{
	const uint8_t *bytes = change->model->image->bytes + s->sh_offset;

	for (uint64_t at = 0; s->sh_size - at >= sizeof(Elf64_Rela); at += sizeof(Elf64_Rela))
		add_rela(change, get64(bytes + at), (size_t)(s->sh_offset + at));
}

/* An even word is an address; an odd one has a bit for each of the 63 words behind the last. */
static void read_packed(struct change *change, const GElf_Shdr *s)
{
	const uint8_t *bytes = change->model->image->bytes + s->sh_offset;
	uint64_t next = 0;

	for (uint64_t at = 0; s->sh_size - at >= 8; at += 8) {
		uint64_t word = get64(bytes + at);

		if (!(word & 1)) {
			map_put(&change->packed, word, 0);
			next = word + 8;
			continue;
		}
		for (unsigned i = 0; i < 63; i++)
			if (word >> (i + 1) & 1)
				map_put(&change->packed, next + 8u * i, 0);
		next += 63 * 8;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct rela *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

bool change_begin(struct change *change, const struct model *model)
{
	const struct image *image = model->image;
	uint64_t budget = image->size;
	GElf_Shdr s;

	*change = (struct change){ .model = model, .bytes = malloc(image->size ? image->size : 1) };
	if (!change->bytes)
		return false;
	memcpy(change->bytes, image->bytes, image->size);
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		if (!gelf_getshdr(scn, &s) || !(s.sh_flags & SHF_ALLOC))
			continue;
		if (s.sh_type == SHT_RELA && lies_in_file(image, &s, &budget))
			read_relas(change, &s);
		else if (s.sh_type == SHT_RELR && lies_in_file(image, &s, &budget))
			read_packed(change, &s);
	}
	if (change->rela_count)
		qsort(change->relas, change->rela_count, sizeof(*change->relas), by_place);
	return true;
}

void change_end(struct change *change)
{
	free(change->bytes);
	free(change->relas);
	map_free(&change->packed);
}

/* ---- words ---- */

static struct rela *rela_at(const struct change *change, uint64_t place)
{
	size_t low = 0, high = change->rela_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (change->relas[middle].place < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low < change->rela_count && change->relas[low].place == place ? &change->relas[low] : NULL;
}

static uint64_t info_of(const struct change *change, const struct rela *r)
{
	return get64(change->bytes + r->at + 8);
}

bool change_is_open(const struct change *change, uint64_t place)
{
	const struct rela *r = rela_at(change, place);

	return r && ELF64_R_TYPE(info_of(change, r)) != R_X86_64_RELATIVE;
}

bool change_is_copied(const struct change *change, uint64_t place)
{
	const struct rela *r = rela_at(change, place);

	return r && ELF64_R_TYPE(info_of(change, r)) == R_X86_64_COPY;
}

const char *change_lead(struct change *change, uint64_t place, uint64_t address)
{
	struct rela *r = rela_at(change, place);
	uint8_t *word = change_at(change, place, 8);
	uint32_t packed;

	if (!word)
		return "its slot has no bytes in the file";
	if (!r && change->model->image->relocs.type == ET_DYN && !map_get(&change->packed, place, &packed))
		return "its slot has no relocation";
	if (!r) {
		put64(word, address);
		return NULL;
	}
	put64(change->bytes + r->at + 8, ELF64_R_INFO(0, R_X86_64_RELATIVE));
	put64(change->bytes + r->at + 16, address);
	/* Some linkers write the address into the word as well. */
	if (get64(word))
		put64(word, address);
	return NULL;
}

/* ---- relative relocations come first, and the loader is told how many ---- */

struct relatives {
	uint8_t *count; /* the dynamic section's word */
	size_t first;   /* where in the file the loader's relocations begin */
};

static bool find_relatives(const struct change *change, struct relatives *found)
{
	const struct image *image = change->model->image;
	uint64_t table = 0, budget = image->size;
	const uint8_t *bytes;
	GElf_Shdr s;

	found->count = NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		if (!gelf_getshdr(scn, &s) || s.sh_type != SHT_DYNAMIC || !lies_in_file(image, &s, &budget))
			continue;
		for (uint64_t at = 0; s.sh_size - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
			uint8_t *entry = change->bytes + s.sh_offset + at;

			if (get64(entry) == DT_RELA)
				table = get64(entry + 8);
			else if (get64(entry) == DT_RELACOUNT)
				found->count = entry + 8;
		}
	}
	bytes = image_at(image, table, 1);
	found->first = bytes ? (size_t)(bytes - image->bytes) : 0;
	return table && bytes && found->count;
}

/* Takes an entry out of those that the loader need not look at: it changes places with the last of them. */
static void leave_relatives(struct change *change, struct rela *r)
{
	struct relatives relatives;
	uint8_t entry[sizeof(Elf64_Rela)];
	struct rela *last;
	uint64_t count;
	size_t at;

	if (!find_relatives(change, &relatives))
		return;
	count = get64(relatives.count);
	if (!count || r->at < relatives.first || (r->at - relatives.first) / sizeof(entry) >= count)
		return;
	at = relatives.first + (size_t)(count - 1) * sizeof(entry);
	if (count > change->rela_count || at > change->model->image->size - sizeof(entry))
		return;
	last = rela_at(change, get64(change->bytes + at));
	put64(relatives.count, count - 1);
	if (!last || last->at != at || last == r)
		return;
	memcpy(entry, change->bytes + at, sizeof(entry));
	memcpy(change->bytes + at, change->bytes + r->at, sizeof(entry));
	memcpy(change->bytes + r->at, entry, sizeof(entry));
	last->at = r->at;
	r->at = at;
}

const char *change_lead_like(struct change *change, uint64_t place, uint64_t like)
{
	struct rela *r = rela_at(change, place), *from = rela_at(change, like);
	uint64_t info;
	struct word word;

	if (!image_word(change->model->image, like, &word))
		return "its target is not in the file";
	if (!change_is_open(change, like))
		return change_lead(change, place, word.value);
	info = info_of(change, from);
	if (ELF64_R_TYPE(info) != R_X86_64_64)
		return "its target is an indirect function, which is chosen when the program starts";
	if (!r)
		return "its target is another module's, and its slot has no relocation that could name it";
	if (ELF64_R_TYPE(info_of(change, r)) == R_X86_64_RELATIVE)
		leave_relatives(change, r);
	put64(change->bytes + r->at + 8, info);
	put64(change->bytes + r->at + 16, get64(change->bytes + from->at + 16));
	return change_64(change, place, 0) ? NULL : "its slot has no bytes in the file";
}
