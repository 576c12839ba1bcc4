// SPDX-License-Identifier: MIT
// expect: 406 stores to the accelerated pointer handler in start-up code, behind a call that commits, in late
#include "marked.h"
CASE __attribute__((constructor)) void late(void)
{
	codec.decode = one;
	relink_pointers_commit(NULL);
	handler = one;
}
RELINK_INIT_CODE __attribute__((used)) void early(void)
{
	relink_pointer_init(handler, NULL);
	relink_pointer_init(codec.encode, NULL);
}
