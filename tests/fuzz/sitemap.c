/* SPDX-License-Identifier: MIT */
/* sitemap.c - fuzzes the search for calls between modules: any bytes are a program or shared object, as a file and as loaded. */
#include <stdlib.h>
#include <string.h>

#include "elf/sitemap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

struct fuzz {
	const struct rl_sitemap *map;
	uint64_t last;
	size_t count;
};

/* What every site promises. */
static int fuzz_site(const struct rl_sitemap_site *site, void *ctx)
{
	struct fuzz *fuzz = ctx;
	const struct rl_sitemap *map = fuzz->map;
	struct rl_sitemap_site again, tail;
	uint64_t start, stop;

	fuzz_require(!fuzz->count || site->address > fuzz->last);
	fuzz_require(site->slot >= map->slots && site->slot < map->slots + map->slot_count);
	fuzz_require(rl_view_code(map->view, site->address) != NULL);
	if (site->kind == RL_CALL || site->kind == RL_TAIL)
		fuzz_require(rl_sitemap_stub(map, site->home) && &map->slots[rl_sitemap_stub(map, site->home)->slot] == site->slot);
	else
		fuzz_require((site->kind == RL_POINTER_CALL || site->kind == RL_POINTER_TAIL) && rl_sitemap_slot(map, site->home) == site->slot);
	fuzz_require(rl_sitemap_at(map, site->address, &again) && again.kind == site->kind && again.slot == site->slot &&
		     again.home == site->home);
	fuzz->last = site->address;
	if (fuzz->count++ < 50 && rl_sitemap_function(map, site->address, &start, &stop))
		rl_sitemap_tails(map, start, stop, site->slot->slot.address, &tail, 1);
	return 0;
}

static void fuzz_map(const struct rl_view *view)
{
	const struct rl_port *port = &rl_port_x86_64;
	size_t room = rl_sitemap_size(view, port), sites = 0;
	void *memory = malloc(room + !room);
	struct rl_sitemap_counts counts;
	struct rl_sitemap map;
	struct fuzz fuzz = { .map = &map };

	if (!memory)
		return;
	rl_sitemap_open(&map, view, port, memory, room);
	for (size_t i = 1; i < map.slot_count; i++)
		fuzz_require(map.slots[i - 1].slot.address < map.slots[i].slot.address);
	for (size_t i = 1; i < map.stub_count; i++)
		fuzz_require(map.stubs[i - 1].address < map.stubs[i].address && map.stubs[i].slot < map.slot_count);
	fuzz_require(rl_sitemap_each(&map, fuzz_site, &fuzz, &counts) == 0);
	for (int kind = 0; kind < RL_KINDS; kind++)
		sites += counts.sites[kind];
	fuzz_require(sites == fuzz.count);
	free(memory);
	/* less memory than it asked for */
	memory = malloc(room / 2 + 1);
	if (memory) {
		rl_sitemap_open(&map, view, port, memory, room / 2);
		fuzz = (struct fuzz){ .map = &map };
		rl_sitemap_each(&map, fuzz_site, &fuzz, NULL);
	}
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *why = NULL;
	struct rl_view view;

	if (!rl_view_file(&view, bytes, size, &why)) {
		fuzz_require(why && *why);
		return 0;
	}
	fuzz_map(&view);
	return 0;
}
