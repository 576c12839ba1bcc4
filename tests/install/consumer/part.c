/* SPDX-License-Identifier: MIT */
#include "greet.inc"

int part_run(int argc, char **argv);
int part_run(int argc, char **argv)
{
	return run(argc, argv);
}
