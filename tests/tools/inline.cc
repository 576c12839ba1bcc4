// SPDX-License-Identifier: MIT
#include "inline.h"

static int plain(int x) { return x + 1; }

RELINK_DEFINE_CALL(cxx_call, plain, "called from inline functions");
RELINK_POINTER int (*cxx_handler)(int x) = plain;

static int print_site(const struct relink_site_info *info, void *)
{
	std::printf("%u %s %u\n", (unsigned)info->kind, info->choice, (unsigned)info->reason);
	return 0;
}

int unused(int x) { return inline_unused(x); }

int main()
{
	struct relink_error err;
	int n = inline_sites(1) + template_sites<2>(3) + template_sites<4>(3) + other(5);

	if (relink_declare(RELINK_WRITABLE_CODE, &err) < 0 || relink_pointers_commit(&err) < 0)
		return 1;
	relink_each_site(print_site, NULL);
	std::printf("%d\n", n + inline_sites(1) + other(5));
	return 0;
}
