/* SPDX-License-Identifier: MIT */
/*
 * linkage_cache.c - what other runs of this program have found: offsets of calls in the text of its modules.
 *
 * What one program makes hot in libc is of no use to others: it costs them private pages, and time to bind it. So there is one file for
 * a program and all its modules, `linkage-BUILDID`, by the build-id of the program. One without a build-id goes by its path
 * (`linkage-path-HASH`): after an update that may be another one's file, but then the bytes in memory are other ones, too.
 *
 * It is read once, at start. Who saves reads it again, and keeps what it says of modules of which this process has nothing new: other
 * processes of this program may have written there meanwhile. Of two that save at the same moment one wins; what the other one found,
 * later runs find again.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/cache.h"
#include "runtime/linkage.h"
#include "runtime/linkage_file.h"

#define VERSION 3
#define MOST 65536u            /* hot calls of a module */
#define ROOM (256u << 10)      /* words of a file; pages that are not used cost nothing */
#define FOR_OTHERS (64u << 10) /* of them, up to which modules stay that this process does not have */

/* No malloc: it may be in the middle of one. What has been written is what is known from then on. */
static uint32_t words[2][ROOM];
static struct rl_hot_file known = { .words = words[0], .room = ROOM }, next = { .words = words[1], .room = ROOM };

_Static_assert(sizeof(((struct rl_linked *)0)->build_id) == RL_HOT_BUILD_ID, "a build-id that is known can be written");

/* ---- names ---- */

static bool is_allowed(void)
{
	return !(rl_linkage.options.flags & RELINK_LINKAGE_NO_CACHE);
}

/* The program itself is known by its file's name, build-id or not. */
static bool has_name(const struct rl_linked *module)
{
	return module->build_id_length || module->main;
}

#define HASH 16u /* bytes */

/* FNV-1a, two of them: a path has nothing to do with a build-id, and its file is of another kind. */
static void hash_path(const char *path, uint8_t hash[HASH])
{
	uint64_t parts[] = { 0xcbf29ce484222325u, 0x84222325cbf29ce4u };

	for (const char *at = path; *at; at++)
		for (size_t i = 0; i < 2; i++)
			parts[i] = (parts[i] ^ (uint8_t)*at) * 0x100000001b3u;
	memcpy(hash, parts, HASH);
}

static const struct rl_linked *program(void)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		if (rl_linkage.modules[i]->main)
			return rl_linkage.modules[i];
	return NULL;
}

/* False: neither build-id nor path can be told. */
static bool name_file(struct rl_cache_name *name, uint8_t hash[HASH])
{
	const struct rl_linked *m = program();

	if (!m)
		return false;
	*name = (struct rl_cache_name){ "linkage", VERSION, m->build_id, m->build_id_length };
	if (m->build_id_length)
		return true;
	hash_path(m->path, hash);
	*name = (struct rl_cache_name){ "linkage-path", VERSION, hash, HASH };
	return strcmp(m->path, "/proc/self/exe") != 0;
}

/* ---- reading ---- */

/* Nothing, if anything is wrong with it. */
static void read_file(const struct rl_cache_name *name)
{
	size_t size;

	if (rl_cache_read(name, known.words, sizeof(*words), &size) < 0 || size % sizeof(*known.words) != 0)
		size = 0;
	rl_hot_file_take(&known, size / sizeof(*known.words));
}

static void read_once(void)
{
	static bool done;
	struct rl_cache_name name;
	uint8_t hash[HASH];

	if (!done && name_file(&name, hash))
		read_file(&name);
	done = true;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a & ~RL_HOT_LATER, y = *(const uint32_t *)b & ~RL_HOT_LATER;

	return x < y ? -1 : x > y;
}

static bool ascends(const uint32_t *offsets, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if ((offsets[i - 1] & ~RL_HOT_LATER) >= (offsets[i] & ~RL_HOT_LATER))
			return false;
	return true;
}

/* No call is bound twice. False: out of memory. */
static bool has_twins(const uint32_t *offsets, size_t count, bool *twins)
{
	uint32_t *sorted;

	*twins = false;
	if (ascends(offsets, count))
		return true;
	sorted = malloc(count * sizeof(*sorted));
	if (!sorted)
		return false;
	memcpy(sorted, offsets, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	*twins = !ascends(sorted, count);
	free(sorted);
	return true;
}

bool rl_hot_load(struct rl_linked *module, uint32_t **offsets, size_t *count)
{
	struct rl_hot_module hot;
	bool twins, now = rl_linkage.awake || !(rl_linkage_learns() || rl_linkage.options.flags & RELINK_LINKAGE_CONTROL);

	if (!is_allowed() || !has_name(module))
		return false;
	read_once();
	if (!rl_hot_file_find(&known, module->build_id, module->build_id_length, &hot) || !has_twins(hot.offsets, hot.count, &twins) || twins)
		return false;
	*offsets = malloc((hot.count + 1) * sizeof(**offsets));
	if (!*offsets)
		return false;
	*count = 0;
	for (size_t i = 0; i < hot.count; i++)
		if (now || hot.offsets[i] < RL_HOT_LATER)
			(*offsets)[(*count)++] = hot.offsets[i] & ~RL_HOT_LATER;
	module->has_later = *count < hot.count;
	return true;
}

bool rl_hot_later(const struct rl_linked *module, struct rl_hot_module *hot)
{
	return module->has_later && rl_hot_file_find(&known, module->build_id, module->build_id_length, hot);
}

/* ---- writing ---- */

/* What was hot once stays so: another run may do again what this one did not. */
static bool is_hot(const struct rl_link *link, const struct rl_linked *module)
{
	return rl_linkage.modules[link->module] == module && link->state != RELINK_LINK_FOREIGN &&
	       link->address - module->text_start < RL_HOT_LATER;
}

static bool is_behind(uint32_t a, uint32_t b)
{
	return (a << 1 | a >> 31) > (b << 1 | b >> 31);
}

/* By address. In place: it may be in the middle of malloc. */
static void sort(uint32_t *offsets, size_t count)
{
	for (size_t gap = count / 2; gap; gap /= 2)
		for (size_t i = gap; i < count; i++) {
			uint32_t offset = offsets[i];
			size_t at = i;

			for (; at >= gap && is_behind(offsets[at - gap], offset); at -= gap)
				offsets[at] = offsets[at - gap];
			offsets[at] = offset;
		}
}

/* What comes early comes first. */
static size_t drop_twins(uint32_t *offsets, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!kept || ((offsets[kept - 1] ^ offsets[i]) & ~RL_HOT_LATER) != 0)
			offsets[kept++] = offsets[i];
	return kept;
}

/* Those of the file that this run has not come to. */
static size_t add_later(const struct rl_linked *module, uint32_t *offsets, size_t count, size_t most)
{
	struct rl_hot_module hot;

	if (!rl_hot_later(module, &hot))
		return count;
	for (size_t i = 0; i < hot.count && count < most; i++)
		if (hot.offsets[i] >= RL_HOT_LATER)
			offsets[count++] = hot.offsets[i];
	return count;
}

/* Where the budget is no matter, by address: the next start need not sort them. Else by who got hot first. */
static bool is_scarce(void)
{
	return 2 * rl_linkage.pages * 4096u > rl_linkage.options.budget;
}

/* A module that there is no room for is left out as a whole. */
static void tell(const struct rl_linked *module)
{
	size_t most, count = 0;
	uint32_t *offsets = rl_hot_file_begin(&next, module->build_id, module->build_id_length, &most);

	for (size_t i = 0; i < rl_linkage.link_count && offsets && count < MOST; i++) {
		if (!is_hot(&rl_linkage.links[i], module))
			continue;
		if (count == most)
			return;
		offsets[count++] = (uint32_t)(rl_linkage.links[i].address - module->text_start) | (rl_linkage.links[i].later ? RL_HOT_LATER : 0);
	}
	if (!offsets)
		return;
	if (!is_scarce()) {
		count = add_later(module, offsets, count, most < MOST ? most : MOST);
		sort(offsets, count);
		count = drop_twins(offsets, count);
	}
	rl_hot_file_end(&next, count);
}

static bool is_loaded(const struct rl_hot_module *hot)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		const struct rl_linked *m = rl_linkage.modules[i];

		if (!m->gone && has_name(m) && m->build_id_length == hot->build_id_length &&
		    !memcmp(m->build_id, hot->build_id, hot->build_id_length))
			return true;
	}
	return false;
}

static void keep(const struct rl_hot_module *hot)
{
	size_t most;
	uint32_t *offsets = rl_hot_file_begin(&next, hot->build_id, hot->build_id_length, &most);

	if (!offsets || hot->count > most)
		return;
	memcpy(offsets, hot->offsets, hot->count * sizeof(*offsets));
	rl_hot_file_end(&next, hot->count);
}

/*
 * Plugins that are not loaded this time may be the next. Those that were built anew never come again: the longer a module has not been
 * loaded, the nearer it is to the end of the file, which is where it is cut.
 */
static void keep_all(bool loaded)
{
	struct rl_hot_module hot;

	for (size_t at = 0; rl_hot_file_next(&known, &at, &hot);)
		if (is_loaded(&hot) == loaded && (loaded || next.count + rl_hot_file_words(&hot) <= FOR_OTHERS))
			keep(&hot);
}

static bool has_news(const struct rl_linked *m)
{
	return m->news && !m->gone && has_name(m);
}

static void collect(void)
{
	next.count = next.modules = 0;
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		if (has_news(rl_linkage.modules[i]))
			tell(rl_linkage.modules[i]);
	keep_all(true);
	keep_all(false);
}

static void save(void)
{
	struct rl_hot_file written;
	struct rl_cache_name name;
	uint8_t hash[HASH];

	if (!name_file(&name, hash))
		return;
	read_file(&name);
	collect();
	rl_cache_save(&name, next.words, next.count * sizeof(*next.words));
	written = next;
	next = known;
	known = written;
}

void rl_hot_save(void)
{
	bool hot = rl_linkage.options.policy == RELINK_LINKAGE_HOT || rl_linkage.options.policy == RELINK_LINKAGE_LEARN, news = false;

	if (!is_allowed() || !hot)
		return;
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		news |= has_news(rl_linkage.modules[i]);
	if (news)
		save();
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		rl_linkage.modules[i]->news = false;
}
