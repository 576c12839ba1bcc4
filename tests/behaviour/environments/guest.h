/* SPDX-License-Identifier: MIT */
/* guest.h - what environments_pending and its plugin have in common. */
#ifndef TEST_GUEST_H
#define TEST_GUEST_H

#include <relink/relink.h>

/* The program's: changed before the plugin comes, and not changed. */
RELINK_DECLARE_KEY(host_off);
RELINK_DECLARE_KEY_TRUE(host_on);
RELINK_DECLARE_KEY(host_same);
RELINK_DECLARE_CALL(unsigned, host_call, (unsigned x));

/* What the plugin's sites do, and its calls lead to. */
struct guest_view {
	unsigned host_off, host_on, host_same, host_call;
	unsigned guest_off, guest_on, guest_way, guest_call;
};
typedef void guest_look(struct guest_view *view);

/* A wish of the plugin's for a choice of its own. */
typedef int guest_wish(struct relink_error *err);

#endif
