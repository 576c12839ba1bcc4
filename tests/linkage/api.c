/* SPDX-License-Identifier: MIT */
/* api.c - relink_linkage() in a program of one's own: hooks in slots, and the way back, alone and with threads. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../behaviour/check.h"

#include <relink/linkage.h>

int work(int times);
int more_work(int times);

struct counts {
	const char *module;
	uint64_t bound, differ, lazy, changed;
};

static int add(const struct relink_linkage_info *info, void *ctx)
{
	struct counts *c = ctx;

	if (!strcmp(info->module, c->module)) {
		c->bound += info->calls[RELINK_LINK_BOUND];
		c->changed += info->calls[RELINK_LINK_CHANGED];
		c->lazy += info->lazy;
	}
	c->differ += info->differ;
	return 0;
}

static struct counts counts(const char *module)
{
	struct relink_linkage_status status = { .size = sizeof(status) };
	struct counts c = { .module = module };

	relink_each_linkage(&status, add, &c);
	return c;
}

static int wanted, more_wanted;

static void calls_work(void)
{
	CHECK(work(1000) == wanted);
	CHECK(more_work(1000) == more_wanted);
}

/* ---- a hook, as tools for it put one: into the slot ---- */

static unsigned long hooked;

static int hook(int n)
{
	hooked++;
	return n + 1;
}

static uintptr_t *slot_of(const char *function)
{
	struct link_map *map = dlopen("libsub.so", RTLD_LAZY | RTLD_NOLOAD);
	const ElfW(Sym) *symbols = NULL;
	const ElfW(Rela) *relocations = NULL;
	const char *strings = NULL;
	size_t size = 0;

	for (const ElfW(Dyn) *d = map ? map->l_ld : NULL; d && d->d_tag != DT_NULL; d++)
		switch (d->d_tag) {
		case DT_SYMTAB: symbols = (const void *)d->d_un.d_ptr; break;
		case DT_STRTAB: strings = (const void *)d->d_un.d_ptr; break;
		case DT_JMPREL: relocations = (const void *)d->d_un.d_ptr; break;
		case DT_PLTRELSZ: size = d->d_un.d_val; break;
		}
	for (size_t i = 0; i < size / sizeof(*relocations); i++)
		if (!strcmp(strings + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name, function))
			return (uintptr_t *)(map->l_addr + relocations[i].r_offset);
	return NULL;
}

static uintptr_t put(uintptr_t *slot, uintptr_t value)
{
	uintptr_t page = (uintptr_t)slot & ~(uintptr_t)4095, old = *slot;

	mprotect((void *)page, 4096, PROT_READ | PROT_WRITE);
	*slot = value;
	return old;
}

static void hooks(void)
{
	uintptr_t *slot = slot_of("callee"), old;
	struct relink_error err;

	if (!CHECK(slot != NULL))
		return;
	CHECK(counts("libsub.so").bound >= 3);
	old = put(slot, (uintptr_t)hook);
	CHECK(relink_linkage_refresh(RELINK_LIVE, &err) == 1);
	CHECK(counts("libsub.so").changed >= 1 && counts("libsub.so").differ == 0);
	hooked = 0;
	CHECK(work(1000) == wanted);
	CHECKF(hooked == 1000, "the hook saw %lu of 1000 calls", hooked);
	put(slot, old);
	CHECK(relink_linkage_refresh(RELINK_LIVE, &err) == 0);
	hooked = 0;
	calls_work();
	CHECK(hooked == 0);
}

/* ---- and back ---- */

static unsigned char before[4096];
static size_t length;

static void remember_code(void)
{
	length = (uintptr_t)&work % 4096 < 2048 ? 1024 : 512;
	memcpy(before, (const void *)&work, length);
}

static void reverts(void)
{
	struct relink_error err;

	CHECK(counts("libsub.so").bound >= 1);
	CHECK(memcmp(before, (const void *)&work, length) != 0);
	CHECK_CODE(relink_linkage_revert("libnone", RELINK_LIVE, &err), RELINK_E_UNKNOWN, &err);
	CHECK_CODE(relink_linkage_revert("libsub", RELINK_LIVE, &err), 0, &err);
	CHECK(counts("libsub.so").bound == 0);
	CHECK(memcmp(before, (const void *)&work, length) == 0);
	calls_work();
	CHECK(counts("libsub.so").bound == 0);
	CHECK_CODE(relink_linkage_revert("libsub.so", RELINK_LIVE, &err), 0, &err);
	CHECK_CODE(relink_linkage_revert(NULL, RELINK_LIVE, &err), 0, &err);
	CHECK(counts("libc.so.6").bound == 0);
	calls_work();
}

/* ---- with threads ---- */

static volatile int stop;
static int wrong;

static void *runs(void *unused)
{
	while (!stop)
		if (work(1000) != wanted || more_work(1000) != more_wanted)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	return unused;
}

static void threads(int mode)
{
	pthread_t thread[4];
	struct relink_error err;
	int r;

	CHECK(counts("libsub.so").bound >= 3);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, runs, NULL);
	usleep(20000);
	r = relink_linkage_revert("libsub.so", mode, &err);
	CHECKF(r == 0 || (mode == RELINK_LIVE && r == RELINK_E_MODE), "%s: %s", relink_code_name(r), r ? relink_error_text(&err) : "");
	CHECKF(r != 0 || counts("libsub.so").bound == 0, "%lu stay bound", (unsigned long)counts("libsub.so").bound);
	CHECK(relink_linkage_refresh(mode, &err) == 0);
	usleep(20000);
	if (r)
		CHECK_CODE(relink_linkage_revert(NULL, RELINK_STOP, &err), 0, &err);
	CHECK(counts("libsub.so").bound == 0 && memcmp(before, (const void *)&work, length) == 0);
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	CHECK(wrong == 0);
	calls_work();
}

static void early(void)
{
	struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;
	struct relink_error err;
	pthread_t thread;

	options.policy = RELINK_LINKAGE_ALL;
	pthread_create(&thread, NULL, runs, NULL);
	CHECK_CODE(relink_linkage(&options, &err), RELINK_E_THREADS, &err);
	CHECK(counts("libsub.so").bound == 0);
	stop = 1;
	pthread_join(thread, NULL);
	CHECK(wrong == 0);
	calls_work();
}

static void misuse(void)
{
	struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;
	struct relink_error err;

	CHECK(relink_linkage(NULL, &err) == RELINK_E_ARGUMENT);
	options.policy = 9;
	CHECK(relink_linkage(&options, &err) == RELINK_E_ARGUMENT);
	options.policy = 0;
	options.size = 8;
	CHECK(relink_linkage(&options, &err) == RELINK_E_ARGUMENT);
	CHECK(relink_linkage_revert("libsub.so", RELINK_LIVE, NULL) != RELINK_E_MODE);
	CHECK(relink_linkage_refresh(RELINK_LIVE, NULL) == 0);
}

int main(int argc, char **argv)
{
	struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;
	const char *mode = argc > 1 ? argv[1] : "";
	struct relink_error err;
	int r;

	if (!strcmp(mode, "misuse")) {
		misuse();
		return check_done();
	}
	wanted = work(1000);
	more_wanted = more_work(1000);
	remember_code();
	if (!strcmp(mode, "early")) {
		early();
		return check_done();
	}
	options.policy = argc > 2 && !strcmp(argv[2], "all") ? RELINK_LINKAGE_ALL : RELINK_LINKAGE_LEARN;
	options.flags = RELINK_LINKAGE_VERIFY | RELINK_LINKAGE_NO_CACHE;
	r = relink_linkage(&options, &err);
	if (!strcmp(mode, "secure")) {
		CHECK_CODE(r, RELINK_E_CONTEXT, &err);
		CHECK_HAS(relink_error_text(&err), "AT_SECURE");
		return check_done();
	}
	CHECK_CODE(r, 0, &err);
	calls_work();
	if (!strcmp(mode, "hooks"))
		hooks();
	else if (!strcmp(mode, "reverts"))
		reverts();
	else
		threads(!strcmp(mode, "live") ? RELINK_LIVE : RELINK_STOP);
	return check_done();
}
