// SPDX-License-Identifier: MIT
// exceptions.cc - thrown through calls that are recorded, and bound.
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#define KEEP __attribute__((noinline, noclone, visibility("default")))

struct counted {
	static int alive;
	counted() { alive++; }
	~counted() { alive--; }
};
int counted::alive;

KEEP int thrower(int n)
{
	counted c;

	if (n % 3 == 0)
		throw std::runtime_error("every third");
	return n;
}

KEEP int passes(int n)
{
	counted c;
	std::string text = "some text that is long enough for the heap " + std::to_string(n);

	return thrower(n) + (int)text.size();
}

extern "C" int trap_main(int, char **)
{
	int caught = 0;
	long sum = 0;

	for (int i = 0; i < 2000; i++) {
		try {
			sum += passes(i);
		} catch (const std::exception &e) {
			caught += std::string(e.what()) == "every third";
		}
	}
	std::printf("caught %d, sum %ld, alive %d\n", caught, sum, counted::alive);
	return 0;
}
