/* SPDX-License-Identifier: MIT */
/*
 * earlier.c - modules that were there before the one whose static calls they use: preloaded ones, and libraries that use
 * what the program defines. Their calls go through trampolines until the defining module comes; then they are looked for.
 *
 * Their code may be running, so that these sites are bound as any other is in live mode.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

#define MOST 256 /* modules; more than that are left on their trampolines */

struct names {
	const char **list;
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct names call_names(const struct relink_module_header *header)
{
	const void *at = header->records_start;
	const struct relink_record *record;
	struct names n = { 0, 0 };

	while ((record = rl_next_record(&at, header->records_stop)))
		n.count += record->kind == RELINK_RECORD_CALL;
	n.list = n.count ? calloc(n.count, sizeof(*n.list)) : 0;
	at = header->records_start;
	for (size_t i = 0; n.list && (record = rl_next_record(&at, header->records_stop));)
		if (record->kind == RELINK_RECORD_CALL)
			n.list[i++] = ((const struct relink_choice_record *)(const void *)record)->name;
	if (n.list)
		qsort(n.list, n.count, sizeof(*n.list), by_name);
	return n;
}

static bool is_wanted(const char *name, void *ctx)
{
	const struct names *n = ctx;

	return bsearch(&name, n->list, n->count, sizeof(*n->list), by_name) != 0;
}

/* The module that holds this code, if it is one of ours and not the one that defines the calls. Under the lock. */
static struct rl_module *earlier_module(const struct rl_module *defining, uintptr_t address)
{
	for (struct rl_module *m = rl_runtime.core.modules; m; m = m->next)
		if (m != defining && address >= m->text_start && address < m->text_stop)
			return m;
	return 0;
}

static void search(const struct rl_module *defining, uintptr_t address, const struct rl_image *image, const struct rl_file *file)
{
	struct rl_module *m = earlier_module(defining, address);

	if (m)
		rl_find_calls(m, defining, image, file);
}

/* A module with an index needs no file, and one with places can do without. */
static int ask(const struct rl_module *defining, uintptr_t address, bool *indexed, bool *places, struct relink_error *err)
{
	const struct rl_module *m;
	int r = rl_lock(err);

	if (r)
		return r;
	m = earlier_module(defining, address);
	*indexed = m && m->indexed;
	*places = m && rl_has_places(m->header);
	rl_unlock();
	return 0;
}

static int search_file(const struct rl_module *defining, uintptr_t address, struct rl_image *image, struct relink_error *err)
{
	struct rl_file file = { 0, 0 };
	bool indexed = false, places = false;
	const char *why;
	int r = ask(defining, address, &indexed, &places, err);

	if (r || !rl_image_of((const void *)address, image))
		return r;
	/* Whatever is wrong with the file has been said when its own module came. */
	if (!indexed && (!rl_files_allowed() || rl_image_map_file(image, &file, &why) < 0) && !places)
		return 0;
	r = rl_lock(err);
	if (!r) {
		search(defining, address, image, &file);
		rl_unlock();
	}
	if (file.data)
		rl_file_unmap(&file);
	return r;
}

static int search_all(const struct relink_module_header *header, struct names *names, struct relink_error *err)
{
	uintptr_t found[MOST];
	size_t count = rl_importers(is_wanted, names, found, MOST);
	struct rl_image *image = calloc(1, sizeof(*image));
	int r = 0;

	for (size_t i = 0; image && i < count && i < MOST && !r; i++)
		r = search_file(header->runtime, found[i], image, err);
	free(image);
	if (r || !count)
		return r;
	r = rl_lock(err);
	if (r)
		return r;
	r = rl_settle(&rl_runtime.core, 0, false, true, err);
	rl_unlock();
	return r < 0 ? r : 0;
}

int rl_find_earlier_calls(const struct relink_module_header *header, struct relink_error *err)
{
	struct names names = { 0, 0 };
	int r = 0;

	if (!rl_runtime.core.can_write || !header->runtime ||
	    __atomic_load_n(&rl_runtime.core.module_count, __ATOMIC_RELAXED) < 2)
		return 0;
	names = call_names(header);
	if (names.list)
		r = search_all(header, &names, err);
	free(names.list);
	return r;
}
