/* SPDX-License-Identifier: MIT */
/* hidden.c - writes what only the same program or shared object may name. */
typedef int fn(int);
extern fn *handler __attribute__((visibility("hidden")));

__attribute__((noinline, used)) void hidden_from_elsewhere(fn *f)
{
	handler = f; // expect: 401 405
}
