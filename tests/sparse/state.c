// SPDX-License-Identifier: MIT
// What only the runtime writes.
#include "case.h"

int use(void)
{
	trace.key.state = 1; // expect: dereference of noderef expression
	idle.option.state++; // expect: dereference of noderef expression
	batch.value = 5; // expect: dereference of noderef expression
	relink_call_hash.slot = NULL; // expect: dereference of noderef expression
	relink_ops_fs.bound = NULL; // expect: dereference of noderef expression
	return trace.key.state; // expect: dereference of noderef expression
}
