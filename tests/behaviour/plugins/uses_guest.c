/* SPDX-License-Identifier: MIT */
/* uses_guest.c - comes and goes, with a key of its own and one of the program. */
#include "behaviour/check.h"

RELINK_DECLARE_KEY(host_debug);
RELINK_KEY_FALSE(guest_debug, "a key of the guest");

#define FUNCTION(name, condition) __attribute__((visibility("default"))) int name(void); int name(void) { return (condition) ? 1 : 0; }
FUNCTION(guest_host, relink_here(host_debug, "the program's key"))
FUNCTION(guest_host_too, relink_here(host_debug, "the program's key again"))
FUNCTION(guest_own, relink_here(guest_debug, "the guest's key"))
FUNCTION(guest_plain, relink_unlikely(host_debug))
