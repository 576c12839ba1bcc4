// SPDX-License-Identifier: MIT
#include <string>
#include "greet.inc"

int main(int argc, char **argv)
{
	return std::string(argv[0]).empty() ? 9 : run(argc, argv);
}
