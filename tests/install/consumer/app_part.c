/* SPDX-License-Identifier: MIT */
int part_run(int argc, char **argv);

int main(int argc, char **argv)
{
	return part_run(argc, argv);
}
