/* SPDX-License-Identifier: MIT */
/* main.c - the program of a trap; everything else is in its library. */
int trap_main(int argc, char **argv);

int main(int argc, char **argv)
{
	return trap_main(argc, argv);
}
