// test: LINK -Wl,--no-as-needed $<TARGET_FILE:plugin_calls_start_so> NOT address undefined thread generic
/* SPDX-License-Identifier: MIT */
/* Static calls in early code of a shared object that the program is linked with. */
#include "calls/start_check.h"

int main(void)
{
	check_seen();
	return check_done();
}
