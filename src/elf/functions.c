/* SPDX-License-Identifier: MIT */
/* functions.c - see functions.h. Encodings are those that linkers write: 32-bit distances in the table. */
#include "elf/functions.h"

#include <elf.h>
#include <string.h>

enum { ABSPTR = 0x00, UDATA2 = 0x02, UDATA4 = 0x03, UDATA8 = 0x04, SDATA2 = 0x0a, SDATA4 = 0x0b, SDATA8 = 0x0c, OMIT = 0xff };
enum { TABLE = 0x3b /* sdata4, from the start of .eh_frame_hdr */, ENTRY = 8 };

static uint32_t load32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint64_t signed32(const uint8_t *bytes)
{
	return ((uint64_t)load32(bytes) ^ 0x80000000u) - 0x80000000u;
}

/* Bytes of a pointer in this encoding; 0: of no fixed size. */
static size_t size_of(uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case UDATA2: case SDATA2: return 2;
	case UDATA4: case SDATA4: return 4;
	case ABSPTR: case UDATA8: case SDATA8: return 8;
	}
	return 0;
}

/* ---- the table ---- */

/* version, encodings of: pointer to .eh_frame, count, table; then those */
void rl_functions_open_frames(struct rl_functions *f, const struct rl_view *view)
{
	const uint8_t *head = rl_view_at(view, view->unwind, view->unwind_size, PF_R);
	size_t pointer, count;

	*f = (struct rl_functions){ .view = view };
	if (!head || view->unwind_size < 4 || head[0] != 1 || head[2] != UDATA4 || head[3] != TABLE)
		return;
	pointer = head[1] == OMIT ? 0 : size_of(head[1]);
	if ((!pointer && head[1] != OMIT) || view->unwind_size < 4 + pointer + 4)
		return;
	count = (view->unwind_size - (4 + pointer + 4)) / ENTRY;
	f->frame_count = load32(head + 4 + pointer);
	f->frame_count = f->frame_count < count ? f->frame_count : count;
	f->frames = head + 4 + pointer + 4;
	f->base = view->unwind;
}

static uint64_t frame_start(const struct rl_functions *f, size_t i)
{
	return f->base + signed32(f->frames + i * ENTRY);
}

/* ---- one frame ---- */

/* A run of bytes that is read from its start. */
struct reader {
	const uint8_t *at, *stop;
	bool failed;
};

static uint8_t next(struct reader *r)
{
	if (r->at == r->stop) {
		r->failed = true;
		return 0;
	}
	return *r->at++;
}

static void skip(struct reader *r, size_t size)
{
	if ((size_t)(r->stop - r->at) < size) {
		r->failed = true;
		r->at = r->stop;
	} else {
		r->at += size;
	}
}

static void skip_leb128(struct reader *r)
{
	while (!r->failed && next(r) & 0x80)
		;
}

/* The body of a record of .eh_frame, behind its length. */
static struct reader open_record(const struct rl_view *view, uint64_t address)
{
	const uint8_t *length = rl_view_at(view, address, 4, PF_R);
	const uint8_t *body = length ? rl_view_at(view, address + 4, load32(length), PF_R) : NULL;

	/* 64-bit lengths are written by nobody; their mark leads out of the segment */
	return body ? (struct reader){ body, body + load32(length), false } : (struct reader){ NULL, NULL, true };
}

/* What follows the augmentation's letters, up to the encoding of pointers to code. */
static uint8_t read_augmentation(struct reader *r, const char *letters)
{
	if (*letters != 'z')
		return *letters ? OMIT : ABSPTR;
	skip_leb128(r);
	for (letters++; *letters && !r->failed; letters++) {
		if (*letters == 'R')
			return next(r);
		if (*letters == 'L')
			next(r);
		else if (*letters == 'P')
			skip(r, size_of(next(r)));
		else if (*letters != 'S' && *letters != 'B')
			return OMIT;
	}
	return ABSPTR;
}

/* How the frames of a common record write their pointers; OMIT: that can't be known. */
static uint8_t encoding_of(const struct rl_view *view, uint64_t common)
{
	struct reader r = open_record(view, common);
	const char *letters;
	uint8_t version, encoding;

	skip(&r, 4);
	version = next(&r);
	letters = (const char *)r.at;
	while (!r.failed && next(&r))
		;
	if (r.failed || (version != 1 && version != 3))
		return OMIT;
	skip_leb128(&r);
	skip_leb128(&r);
	if (version == 1)
		next(&r);
	else
		skip_leb128(&r);
	encoding = read_augmentation(&r, letters);
	return r.failed ? OMIT : encoding;
}

/* How many bytes a frame is about. 0: it can't be known. */
static uint64_t frame_size(const struct rl_view *view, uint64_t frame)
{
	struct reader r = open_record(view, frame);
	uint8_t encoding;
	size_t size;

	if (r.failed || r.stop - r.at < 4)
		return 0;
	encoding = encoding_of(view, frame + 4 - load32(r.at));
	size = encoding == OMIT ? 0 : size_of(encoding);
	skip(&r, 4 + size);
	if (!size || r.failed || (size_t)(r.stop - r.at) < size)
		return 0;
	if (size == 8) {
		uint64_t value;

		memcpy(&value, r.at, sizeof(value));
		return value;
	}
	return size == 4 ? load32(r.at) : r.at[0] | (uint64_t)r.at[1] << 8;
}

bool rl_functions_frame(const struct rl_functions *f, uint64_t address, uint64_t *start, uint64_t *stop)
{
	size_t low = 0, high = f->frame_count;
	uint64_t size;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (frame_start(f, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	*start = frame_start(f, low - 1);
	size = frame_size(f->view, f->base + signed32(f->frames + (low - 1) * ENTRY + 4));
	if (low < f->frame_count && frame_start(f, low) - *start < size)
		size = frame_start(f, low) - *start;
	*stop = *start + size;
	return address - *start < size;
}

/* ---- symbols ---- */

/* The table of GNU has chains that end in an odd word; the last symbol is at the end of the last one. */
static size_t count_by_gnu_hash(const struct rl_view *view, uint64_t table)
{
	const uint8_t *head = rl_view_at(view, table, 16, PF_R), *word;
	uint64_t buckets, chains;
	uint32_t count, first, last = 0;

	if (!head)
		return 0;
	count = load32(head);
	first = load32(head + 4);
	buckets = table + 16 + (uint64_t)load32(head + 8) * 8;
	chains = buckets + (uint64_t)count * 4;
	word = rl_view_at(view, buckets, (uint64_t)count * 4, PF_R);
	for (uint32_t i = 0; word && i < count; i++)
		last = load32(word + 4 * (size_t)i) > last ? load32(word + 4 * (size_t)i) : last;
	if (!word || last < first)
		return first;
	while ((word = rl_view_at(view, chains + (uint64_t)(last - first) * 4, 4, PF_R)) && !(load32(word) & 1))
		last++;
	return (size_t)last + 1;
}

static void open_symbols(struct rl_functions *f)
{
	const struct rl_view *view = f->view;
	uint64_t table;

	if (!rl_view_dynamic(view, DT_SYMTAB, true, &f->symbols))
		return;
	if (rl_view_dynamic(view, DT_GNU_HASH, true, &table)) {
		f->symbol_count = count_by_gnu_hash(view, table);
	} else if (rl_view_dynamic(view, DT_HASH, true, &table)) {
		const uint8_t *head = rl_view_at(view, table, 8, PF_R);

		f->symbol_count = head ? load32(head + 4) : 0;
	}
}

bool rl_functions_symbol(const struct rl_functions *f, uint64_t address, uint64_t *start, uint64_t *stop)
{
	*start = UINT64_MAX;
	for (size_t i = 0; i < f->symbol_count; i++) {
		const uint8_t *bytes = rl_view_at(f->view, f->symbols + i * sizeof(Elf64_Sym), sizeof(Elf64_Sym), PF_R);
		Elf64_Sym symbol;
		uint8_t type;

		if (!bytes)
			return false;
		memcpy(&symbol, bytes, sizeof(symbol));
		type = ELF64_ST_TYPE(symbol.st_info);
		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS)
			continue;
		if (address - symbol.st_value < symbol.st_size) {
			*start = symbol.st_value;
			*stop = symbol.st_value + symbol.st_size;
			return true;
		}
		if (symbol.st_value > address && symbol.st_value < *start)
			*start = symbol.st_value;
	}
	return false;
}

void rl_functions_open(struct rl_functions *functions, const struct rl_view *view)
{
	rl_functions_open_frames(functions, view);
	open_symbols(functions);
}
