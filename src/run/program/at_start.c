/* SPDX-License-Identifier: MIT */
/* at_start.c - relink_target(.. LINKAGE): a program's own calls into libraries, and theirs, are bound before main. */
#include <relink/linkage.h>

/* The link asks for it, and so brings this file. */
extern char relink_linkage_at_start;
char relink_linkage_at_start;

/* The program's constructors run behind those of all libraries. What goes wrong is in relink_each_linkage's notes. */
static __attribute__((constructor)) void start(void)
{
	struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;

	relink_linkage(&options, RELINK_NULL_);
}
