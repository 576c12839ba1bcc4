// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* A plugin that uses the program's keys and calls, and changes them. */
#include "behaviour/linux/linux.h"

SEE(guest)

static int guest_add(int n) { return n + 70; }

void guest_change(bool on);
void guest_change(bool on)
{
	if (on) {
		static_branch_inc(&shared_off);
		static_branch_dec(&shared_on);
		static_call_update(shared_call, guest_add);
	} else {
		static_branch_dec(&shared_off);
		static_branch_inc(&shared_on);
		static_call_update(shared_call, shared_add);
	}
}
