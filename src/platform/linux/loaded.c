/* SPDX-License-Identifier: MIT */
/* loaded.c - the modules that the loader lists. */
#include "../platform.h"
#include "system.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

/* What debuggers go by. Every loader has it, but a static program need not. */
#pragma weak _r_debug

bool rl_loader_is_busy(void)
{
	return &_r_debug && *(volatile const int *)&_r_debug.r_state != RT_CONSISTENT;
}

struct walk {
	int (*visit)(const struct rl_loaded *loaded, void *ctx);
	void *ctx;
};

static bool is_program(const struct dl_phdr_info *info)
{
	uintptr_t headers = (uintptr_t)getauxval(AT_PHDR);

	return headers ? (uintptr_t)info->dlpi_phdr == headers : info->dlpi_name[0] == '\0';
}

static int show(struct dl_phdr_info *info, size_t size, void *context)
{
	const struct walk *w = context;
	struct rl_loaded loaded = { .bias = (uintptr_t)info->dlpi_addr, .headers = info->dlpi_phdr, .header_count = info->dlpi_phnum,
				    .name = info->dlpi_name, .main = is_program(info) };

	loaded.build_id = rl_note(info, "GNU", NT_GNU_BUILD_ID, &loaded.build_id_length);
	if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof(info->dlpi_subs))
		loaded.removals = info->dlpi_subs;
	return w->visit(&loaded, w->ctx);
}

int rl_each_loaded(int (*visit)(const struct rl_loaded *loaded, void *ctx), void *ctx)
{
	struct walk w = { visit, ctx };

	return dl_iterate_phdr(show, &w);
}
