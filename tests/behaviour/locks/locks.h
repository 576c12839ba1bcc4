/* SPDX-License-Identifier: MIT */
/* locks.h - what tests of lock prefixes share: are they there, in this program and its modules? */
#ifndef LOCKS_H
#define LOCKS_H

#include "../check.h"

#define LOCKED 0xf0
#define UNLOCKED 0x3e

struct locks_counts {
	unsigned locked, unlocked, other;
};

static int locks_visit_(const struct relink_site_info *site, void *ctx)
{
	struct locks_counts *n = (struct locks_counts *)ctx;
	unsigned byte;

	if (site->kind != RELINK_SITE_LOCK)
		return 0;
	byte = *(const volatile unsigned char *)site->address;
	*(byte == LOCKED ? &n->locked : byte == UNLOCKED ? &n->unlocked : &n->other) += 1;
	return 0;
}

__attribute__((unused)) static struct locks_counts locks_count(void)
{
	struct locks_counts n = { 0, 0, 0 };

	relink_each_site(locks_visit_, &n);
	return n;
}

__attribute__((unused)) static bool all_locked(void)
{
	struct locks_counts n = locks_count();

	return n.locked && !n.unlocked && !n.other;
}

__attribute__((unused)) static bool all_unlocked(void)
{
	struct locks_counts n = locks_count();

	return n.unlocked && !n.locked && !n.other;
}

__attribute__((unused)) static const char *locks_say(void)
{
	static struct relink_status s;

	s.size = sizeof(s);
	return relink_get_status(&s) ? "no status" : s.locks;
}

/* Where code can't be rewritten there are no such sites, or they stay locked for good. */
__attribute__((unused)) static void locks_need_sites(void)
{
	struct relink_status s;

	memset(&s, 0, sizeof(s));
	s.size = sizeof(s);
	if (relink_get_status(&s) || strcmp(s.mode, "direct") || !(locks_count().locked + locks_count().unlocked))
		check_skip("no lock prefix is a site here, or code can't be written");
}

#endif
