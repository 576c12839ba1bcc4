/* SPDX-License-Identifier: MIT */
/*
 * range.h - code that no thread may be inside of: core says which ranges, the platform looks for the frames.
 *
 * A frame is an address at which a thread goes on: its interrupted pc, or a return address. A pc at the start of a
 * range has run nothing of it, and a return address at its end has all of it behind it: neither is inside. In a
 * function that has to have been left the first instruction counts, too; where one ends with a call that never returns,
 * its range has one byte more.
 */
#ifndef RL_CORE_RANGE_H
#define RL_CORE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rl_range_kind {
	RL_RANGE_ONE,      /* one instruction: nothing returns into it */
	RL_RANGE_SEVERAL,  /* several instructions */
	RL_RANGE_FUNCTION, /* a function that is to be left */
};

struct rl_range {
	uintptr_t start, stop; /* stop is the first byte behind */
	enum rl_range_kind kind;
	bool loaded; /* callers load its address first: a thread that holds it may be about to go there */
};

/* Any order, any overlap; where ranges ascend and don't overlap, they are found faster. */
struct rl_ranges {
	const struct rl_range *list;
	size_t count;
	uintptr_t low, high; /* no address outside of these is in any range */
	bool frames;         /* some range is of a kind that return addresses may be in */
	bool functions;
	bool sorted;         /* ascending, and none overlaps another */
	const struct rl_range *inside; /* set by who looks: the one that a frame was found in */
};

static inline bool rl_range_holds_pc(const struct rl_range *r, uintptr_t pc)
{
	return pc < r->stop && (r->kind == RL_RANGE_FUNCTION ? pc >= r->start : pc > r->start);
}

static inline bool rl_range_holds_return(const struct rl_range *r, uintptr_t address)
{
	return r->kind != RL_RANGE_ONE && address < r->stop && (address > r->start || (r->loaded && address == r->start));
}

/* Fills in what follows from the list. */
static inline void rl_ranges_summarise(struct rl_ranges *ranges)
{
	ranges->low = UINTPTR_MAX;
	ranges->high = 0;
	ranges->frames = ranges->functions = false;
	ranges->sorted = true;
	ranges->inside = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct rl_range *r = &ranges->list[i];

		ranges->low = r->start < ranges->low ? r->start : ranges->low;
		ranges->high = r->stop > ranges->high ? r->stop : ranges->high;
		ranges->frames |= r->kind != RL_RANGE_ONE;
		ranges->functions |= r->kind == RL_RANGE_FUNCTION;
		ranges->sorted &= !i || r[-1].stop <= r->start;
	}
}

/* The first range that may hold the address, if they are sorted. */
static inline size_t rl_ranges_first(const struct rl_ranges *ranges, uintptr_t address)
{
	size_t low = 0, high = ranges->sorted ? ranges->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->list[middle].stop <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The range that a thread with this pc, or with this return address, is inside of; NULL: none. */
static inline const struct rl_range *rl_ranges_find(const struct rl_ranges *ranges, uintptr_t address, bool pc)
{
	if (address < ranges->low || address > ranges->high)
		return 0;
	for (size_t i = rl_ranges_first(ranges, address); i < ranges->count; i++) {
		if (pc ? rl_range_holds_pc(&ranges->list[i], address) : rl_range_holds_return(&ranges->list[i], address))
			return &ranges->list[i];
		if (ranges->sorted)
			break;
	}
	return 0;
}

#endif
