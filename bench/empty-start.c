/* SPDX-License-Identifier: MIT */
/* empty-start.c - a program with a key and no site, to be started and no more. */
#include "start.h"

#include <relink/relink.h>

RELINK_KEY_FALSE(bench_key, "a key without sites");

int main(int argc, char **argv)
{
	return bench_start(argc, argv) ? 0 : 2;
}
