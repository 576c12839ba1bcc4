// SPDX-License-Identifier: MIT
// Calls of a table's members go through their static calls: fs_size(1). One through a backend does not follow what is bound.
#include "case.h"

extern struct fs_ops writable;

int use(void)
{
	int (*f)(int) = disk_fs.size; // expect: dereference of noderef expression

	writable.size = other; // expect: dereference of noderef expression
	return relink_ops_bound(fs)->size(1) + // expect: dereference of noderef expression
	       disk_fs.size(2) + // expect: dereference of noderef expression
	       f(3);
}
