// SPDX-License-Identifier: MIT
// test: VARIANTS "-O2" "-O0" "-std=c++17 -O2 -DTRAPS" NOT generic
/* Accelerated pointers in C++: namespaces, overloads, lambdas, dynamic initialisation, exceptions through bound calls. */
#include <relink/relink.h>

#include <stdexcept>

#include "check.h"

namespace service {
static int one(int x)
{
	return x + 1;
}

int pick(int x);
int pick(int x)
{
	return x + 5;
}

double pick(double x);
double pick(double x)
{
	return x + 0.5;
}

static int throws(int x)
{
	if (x)
		throw std::runtime_error("thrown");
	return 7;
}

static int (*decide())(int)
{
	if (getenv("PATH"))
		return one;
	return pick;
}

struct table {
	int (*get)(int);
	double (*put)(double);
};

RELINK_POINTER int (*handler)(int) = decide();
RELINK_POINTER static table methods = { pick, pick };
RELINK_POINTER_INFO(methods, "two methods");
}

__attribute__((noinline)) static int call(int x)
{
	return service::handler(x) * 10;
}

__attribute__((noinline)) static double call_methods(int x)
{
	return service::methods.get(x) + service::methods.put(x);
}

static int caught(int x)
{
	try {
		return call(x);
	} catch (const std::runtime_error &) {
		return -1;
	}
}

int main()
{
	struct relink_error err;
	struct relink_commit c = RELINK_COMMIT;

#ifdef TRAPS
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), 0, &err);
#endif
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK(call(1) == 20 && call_methods(1) > 7.4 && call_methods(1) < 7.6);
	CHECK_CODE(relink_pointer_set(service::handler, service::throws, &err), 0, &err);
	CHECK(caught(0) == 70 && caught(1) == -1);
	CHECK_CODE(relink_pointer_set(service::handler, static_cast<int (*)(int)>(service::pick), &err), 0, &err);
	CHECK(call(0) == 50);
	CHECK_CODE(relink_pointer_set(service::handler, +[](int x) { return x + 9; }, &err), 0, &err);
	CHECK(call(0) == 90);
	CHECK_CODE(relink_pointer_set(service::methods.get, nullptr, &err), 0, &err);
	CHECK(service::methods.get == nullptr);
	relink_set_pointer(&c, service::methods.get, service::one);
	relink_set_pointer(&c, service::handler, service::one);
	CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), 0, &err);
	CHECK(call(0) == 10 && call_methods(1) > 3.4 && call_methods(1) < 3.6);
	check_print_status();
	return check_done();
}
