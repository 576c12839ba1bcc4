// SPDX-License-Identifier: MIT
#include "case.h"

extern void take(void *object, size_t size);

int use(void)
{
	int (**p)(int) = &handler; // expect: incorrect type in initializer (different address spaces)
	struct codec *c = &codec; // expect: incorrect type in initializer (different address spaces)

	take(table, sizeof(table)); // expect: incorrect type in argument 1 (different address spaces)
	*(int (**)(int))&handler = other; // expect: cast removes address space 'relink' of expression
	return p != NULL && c != NULL;
}
