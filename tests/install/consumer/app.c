/* SPDX-License-Identifier: MIT */
#include "greet.inc"

int main(int argc, char **argv)
{
	return run(argc, argv);
}
