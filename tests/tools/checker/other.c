/* SPDX-License-Identifier: MIT */
/* other.c - writes what writes.c defines, and defines what that one calls. */
#include <stddef.h>

typedef int fn(int);
extern fn *visible, *plain;
#if defined(__has_attribute) && __has_attribute(noipa)
#define PLAIN __attribute__((noipa)) /* link-time optimisation would look into them */
#else
#define PLAIN __attribute__((noinline))
#endif
PLAIN void take(void *p);
PLAIN fn **given(void);

void take(void *p) { (void)p; }
fn **given(void) { return &plain; }

__attribute__((noinline, used)) void from_elsewhere(fn *f)
{
	visible = f; // expect: 401 405
	plain = f;
}
