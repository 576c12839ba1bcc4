/* SPDX-License-Identifier: MIT */
/*
 * Prints for each site of its modules, after a commit that binds what can be: module, address in the file, kind, choice, reason; and what
 * the program computes before and after. With an argument, the notes of the status as well.
 */
#include <inttypes.h>
#include <link.h>
#include <string.h>

#include "places.h"

static int plain(int x) { return x + 10; }
static int other(int x) { return x + 20; }
static int third(int x) { return x + 30; }

RELINK_DECLARE_CALL(void, hook, (int *n));
RELINK_DEFINE_CALL_NULL(hook, "nothing by default");
RELINK_DEFINE_CALL(app_hash, plain, "of the program");
RELINK_VARIANT(app_hash, other, .rank = -1);
RELINK_DECLARE_CALL(int, unused, (int x));
RELINK_DEFINE_CALL(unused, plain, "final", RELINK_FINAL);

RELINK_POINTER int (*handler)(int x) = plain;
RELINK_POINTER static struct codec codec = { plain, third };
RELINK_POINTER static int (*named)(int x) = other;
RELINK_POINTER_INFO(named, "with a record", RELINK_FINAL);

__attribute__((noinline)) static int tail(int x) { return app_hash(x + 1); }
__attribute__((noinline)) static int lib_tail(int x) { return lib_hash(x + 1); }
__attribute__((noinline)) static int pointer_tail(int x) { return codec.encode(x); }
__attribute__((noinline)) static void conditional_tail(int x, int *n)
{
	if (x > 1)
		hook(n);
}

__attribute__((noinline)) static int work(int x)
{
	int n = app_hash(x) + unused(x) + lib_hash(x) + lib_hash(x + 5) + tail(x) + lib_tail(x) + pointer_tail(x);

	conditional_tail(n, &n);
	hook(&n);
	n += handler(x) + codec.decode(n) + named(n) + lib_handler(x) + lib_codec.decode(x) + lib_codec.encode(x);
	if (handler)
		n += handler(n);
	return n + lib_work(x);
}

struct home { uintptr_t address, bias; };

static int find_home(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct home *home = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_LOAD || home->address - info->dlpi_addr - info->dlpi_phdr[i].p_vaddr >= info->dlpi_phdr[i].p_memsz)
			continue;
		home->bias = info->dlpi_addr;
		return 1;
	}
	return 0;
}

static int print_site(const struct relink_site_info *info, void *unused_ctx)
{
	struct home home = { info->address, 0 };

	(void)unused_ctx;
	dl_iterate_phdr(find_home, &home);
	printf("%s 0x%" PRIxPTR " %u %s %u\n", info->module, info->address - home.bias, (unsigned)info->kind, info->choice, (unsigned)info->reason);
	return 0;
}

int main(int argc, char **argv)
{
	struct relink_status status = { .size = sizeof(status) };
	struct relink_error err;

	(void)argv;
	printf("%d\n", work(3));
	if (relink_declare(RELINK_WRITABLE_CODE, &err) < 0 || relink_pointers_commit(&err) < 0) {
		fprintf(stderr, "%s\n", relink_error_text(&err));
		return 1;
	}
	if (relink_call_set(app_hash, other, &err) < 0 || relink_pointer_set(handler, third, &err) < 0) {
		fprintf(stderr, "%s\n", relink_error_text(&err));
		return 1;
	}
	relink_each_site(print_site, NULL);
	printf("%d\n", work(3));
	if (argc > 1 && !relink_get_status(&status))
		printf("%s\n", status.notes);
	return 0;
}
