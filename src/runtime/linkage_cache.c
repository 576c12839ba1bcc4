/* SPDX-License-Identifier: MIT */
/* linkage_cache.c - what other runs have found: offsets of calls in a module's text, four bytes each. */
#include <stdlib.h>

#include "runtime/cache.h"
#include "runtime/linkage.h"

#define VERSION 1
#define MOST 65536u /* hot calls of a module */

static struct rl_cache_name name_of(const struct rl_linked *module, const char *kind)
{
	return (struct rl_cache_name){ kind, VERSION, module->build_id, module->build_id_length };
}

static bool is_allowed(void)
{
	return !(rl_linkage.options.flags & RELINK_LINKAGE_NO_CACHE);
}

static bool load(const struct rl_linked *module, const char *kind, uint32_t **offsets, size_t *count)
{
	struct rl_cache_name name = name_of(module, kind);
	void *contents;
	size_t size;

	if (!is_allowed() || rl_cache_load(&name, &contents, &size) < 0)
		return false;
	*offsets = contents;
	*count = size / sizeof(**offsets);
	return true;
}

bool rl_hot_load(const struct rl_linked *module, uint32_t **offsets, size_t *count)
{
	return load(module, "linkage", offsets, count);
}

/* What was hot once stays so: another run may do again what this one did not. */
static bool is_hot(const struct rl_link *link, const struct rl_linked *module)
{
	return rl_linkage.modules[link->module] == module && link->state != RELINK_LINK_FOREIGN &&
	       link->address - module->text_start < RL_HOT_LATER;
}

/* In place: it may be in the middle of malloc. */
static void sort(uint32_t *offsets, size_t count)
{
	for (size_t gap = count / 2; gap; gap /= 2)
		for (size_t i = gap; i < count; i++) {
			uint32_t offset = offsets[i];
			size_t at = i;

			for (; at >= gap && offsets[at - gap] > offset; at -= gap)
				offsets[at] = offsets[at - gap];
			offsets[at] = offset;
		}
}

/* Where the budget is no matter, by address: the next start need not sort them. Else by who got hot first. */
static bool is_scarce(void)
{
	return 2 * rl_linkage.pages * 4096u > rl_linkage.options.budget;
}

static void save(struct rl_linked *module)
{
	struct rl_cache_name name = name_of(module, "linkage");
	static uint32_t offsets[MOST]; /* no malloc: it may be in the middle of one */
	size_t count = 0;

	for (size_t i = 0; i < rl_linkage.link_count && count < MOST; i++)
		if (is_hot(&rl_linkage.links[i], module))
			offsets[count++] = (uint32_t)(rl_linkage.links[i].address - module->text_start) | (rl_linkage.links[i].later ? RL_HOT_LATER : 0);
	if (!is_scarce())
		sort(offsets, count);
	rl_cache_save(&name, offsets, count * sizeof(*offsets));
}

void rl_hot_save(void)
{
	bool hot = rl_linkage.options.policy == RELINK_LINKAGE_HOT || rl_linkage.options.policy == RELINK_LINKAGE_LEARN;

	for (size_t i = 0; i < rl_linkage.module_count && is_allowed() && hot; i++) {
		struct rl_linked *m = rl_linkage.modules[i];

		if (m->news && !m->gone)
			save(m);
		m->news = false;
	}
}
