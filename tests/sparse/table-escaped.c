// SPDX-License-Identifier: MIT
#include "case.h"

int use(void)
{
	int (*const *p)(int) = &disk_fs.size; // expect: incorrect type in initializer (different modifiers)

	return (*p)(1);
}
