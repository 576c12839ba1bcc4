// SPDX-License-Identifier: MIT
#include "case.h"

int use(void)
{
	handler = other; // expect: assignment to const expression
	table[2] = NULL; // expect: assignment to const expression
	codec.decode = other; // expect: assignment to const expression
	codec = (struct codec){ other, other }; // expect: assignment to const expression
	return handler(1);
}
