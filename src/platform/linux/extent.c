/* SPDX-License-Identifier: MIT */
/*
 * extent.c - how far a function's code goes: what unwind tables say, and the pieces that it jumps to.
 *
 * Compilers put rarely used blocks elsewhere (.text.unlikely), with entries of their own in the tables; a jump is what
 * holds them together. Functions of the same module that a function ends with by a jump are found the same way. Where
 * the tables know nothing, the code is taken to reach as far as the next function that they know.
 */
#include "../platform.h"
#include "system.h"

#include "arch/port.h"

#include <link.h>

#define JUMP_MOST 6 /* bytes of a direct jump */

/* Of a PT_GNU_EH_FRAME; its table is sorted by address. */
struct header {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
	struct {
		int32_t start, entry; /* from the header */
	} table[];
};

struct search {
	uintptr_t address;
	struct rl_range *list;
	size_t count, room;
	const struct header *header; /* NULL: none that can be read */
	uintptr_t start, stop;       /* of the executable segment */
};

static bool is_readable(const struct header *h)
{
	return h->version == 1 && h->frame_encoding == 0x1b && h->count_encoding == 0x03 && h->table_encoding == 0x3b;
}

/* The segment that holds the address, and the module's table. */
static bool find_segment(const struct dl_phdr_info *info, struct search *s)
{
	bool found = false;

	s->header = NULL;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_GNU_EH_FRAME && is_readable((const struct header *)start))
			s->header = (const struct header *)start;
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || s->address - start >= p->p_memsz)
			continue;
		s->start = start;
		s->stop = start + p->p_memsz;
		found = true;
	}
	return found;
}

static uintptr_t entry_start(const struct header *h, size_t i)
{
	return (uintptr_t)h + (uintptr_t)(intptr_t)h->table[i].start;
}

/* Pointers in an entry are encoded as its common part says; which of the usual ways it was shows when the start comes
 * out right. */
static uintptr_t entry_length(const struct header *h, size_t i)
{
	const uint8_t *entry = (const uint8_t *)h + h->table[i].entry, *at = entry + 8;
	uintptr_t start = entry_start(h, i);
	int32_t near;
	uint32_t length;
	int64_t far;
	uint64_t long_length;

	__builtin_memcpy(&near, at, sizeof(near));
	__builtin_memcpy(&length, at + 4, sizeof(length));
	if ((uintptr_t)at + (uintptr_t)(intptr_t)near == start || (uintptr_t)(uint32_t)near == start)
		return length;
	__builtin_memcpy(&far, at, sizeof(far));
	__builtin_memcpy(&long_length, at + 8, sizeof(long_length));
	if ((uintptr_t)at + (uintptr_t)far == start || (uintptr_t)far == start)
		return (uintptr_t)long_length;
	return 0;
}

/* The last entry that starts at or before the address; the count of entries if none does. */
static size_t entry_before(const struct header *h, uintptr_t address)
{
	size_t low = 0, high = h->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry_start(h, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : h->count;
}

/* What holds this address. False: the tables don't know it, and the range goes on to where they know more. */
static bool range_of(const struct search *s, uintptr_t address, struct rl_range *range)
{
	const struct header *h = s->header;
	size_t i = h ? entry_before(h, address) : 0;
	uintptr_t start, next;

	*range = (struct rl_range){ address, s->stop, RL_RANGE_FUNCTION, false };
	if (!h || !h->count)
		return false;
	if (i < h->count) {
		start = entry_start(h, i);
		if (address - start < entry_length(h, i)) {
			range->start = start;
			range->stop = start + entry_length(h, i);
			return true;
		}
	}
	next = i < h->count ? i + 1 : 0;
	if (next < h->count && entry_start(h, next) < s->stop)
		range->stop = entry_start(h, next);
	return false;
}

static bool is_listed(const struct search *s, uintptr_t address)
{
	for (size_t i = 0; i < s->count && i < s->room; i++)
		if (address >= s->list[i].start && address < s->list[i].stop)
			return true;
	return false;
}

static void add(struct search *s, const struct rl_range *range)
{
	bool call = rl_port_x86_64.ends_with_call((const uint8_t *)range->start, range->stop - range->start);

	if (s->count < s->room) {
		s->list[s->count] = *range;
		s->list[s->count].stop += call; /* that may not return: where it would is inside, too */
	}
	s->count++;
}

/* Every byte may begin a jump, since nobody knows where instructions begin. A short one is believed if it leads to a
 * function's start. */
static void follow(struct search *s, uintptr_t at, uintptr_t stop)
{
	struct rl_range range;
	uint64_t target;
	size_t most = stop - at < JUMP_MOST ? stop - at : JUMP_MOST;
	size_t length = rl_port_x86_64.jump((const uint8_t *)at, most, at, &target);

	if (!length || target < s->start || target >= s->stop || is_listed(s, (uintptr_t)target))
		return;
	if (range_of(s, (uintptr_t)target, &range) && (length > 2 || range.start == target))
		add(s, &range);
}

static int search(struct dl_phdr_info *info, size_t size, void *context)
{
	struct search *s = context;
	struct rl_range range;

	(void)size;
	if (!find_segment(info, s))
		return 0;
	range_of(s, s->address, &range);
	add(s, &range);
	for (size_t i = 0; i < s->count && i < s->room; i++)
		for (uintptr_t at = s->list[i].start; at < s->list[i].stop; at++)
			follow(s, at, s->list[i].stop);
	return 1;
}

size_t rl_function_code(uintptr_t address, struct rl_range *list, size_t room)
{
	struct search s = { .address = address, .list = list, .room = room };
	struct rl_mapping mapping;

	dl_iterate_phdr(search, &s);
	if (s.count || !rl_mapping_of(address, &mapping, NULL, 0))
		return s.count;
	if (room) /* code that was made at run time */
		list[0] = (struct rl_range){ address, mapping.stop, RL_RANGE_FUNCTION, false };
	return 1;
}
