// test: FLAGS -Wno-c++20-extensions VARIANTS "-O0" "-O2" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/* Static calls in C++: any kind of function as target, objects as arguments, exceptions through a call. */
#include <memory>
#include <stdexcept>
#include <string>

#include "check.h"

struct Vector {
	double x, y, z;
};

struct Object {
	static int member(int n) { return n + 20; }
};

/* References are arguments as any other; a class result is passed by address. */
RELINK_DECLARE_CALL(int, cxx_int, (int n));
RELINK_DECLARE_CALL(Vector, cxx_vector, (const Vector &v, double f));
RELINK_DECLARE_CALL(void, cxx_append, (std::string & s));
RELINK_DECLARE_CALL(int, cxx_throw, (int n));
RELINK_DECLARE_CALL(int, cxx_unique, (std::unique_ptr<int> && p));

namespace {
namespace inner {
int add(int n) { return n + 10; }
template <int k> int add_k(int n) { return n + k; }
int quiet(int n) noexcept { return n + 40; }
}
Vector scale(const Vector &v, double f) { return { v.x * f, v.y * f, v.z * f }; }
Vector shift(const Vector &v, double f) { return { v.x + f, v.y + f, v.z + f }; }
void append(std::string &s) { s += "one"; }
void append_two(std::string &s) { s += "two"; }
int throws(int n)
{
	if (n > 5)
		throw std::out_of_range("five");
	return n;
}
int throws_int(int n)
{
	if (n)
		throw n;
	return 0;
}
int take(std::unique_ptr<int> &&p)
{
	std::unique_ptr<int> mine = std::move(p);

	return *mine;
}
}

RELINK_DEFINE_CALL(cxx_int, inner::add, "a function in a namespace");
RELINK_VARIANT(cxx_int, Object::member);
RELINK_VARIANT(cxx_int, inner::add_k<30>);
RELINK_VARIANT_CONST(cxx_int, constant, 99);
RELINK_DEFINE_CALL(cxx_vector, scale, "references and classes");
RELINK_VARIANT(cxx_vector, shift);
RELINK_DEFINE_CALL_NULL(cxx_append, "nothing at first");
RELINK_VARIANT(cxx_append, append, .rank = -1);
RELINK_VARIANT(cxx_append, append_two, .rank = -2);
RELINK_DEFINE_CALL(cxx_throw, throws, "throws");
RELINK_VARIANT(cxx_throw, throws_int);
RELINK_DEFINE_CALL(cxx_unique, take, "an rvalue reference");

static struct relink_error err;

static void test_targets()
{
	int (*const lambda)(int) = [](int n) { return n + 50; };

	CHECK(cxx_int(1) == 11);
	CHECK_CODE(relink_call_set(cxx_int, Object::member, &err), RELINK_OK, &err);
	CHECK(cxx_int(1) == 21);
	CHECK_CODE(relink_call_set(cxx_int, inner::add_k<30>, &err), RELINK_OK, &err);
	CHECK(cxx_int(1) == 31);
	CHECK_CODE(relink_call_set(cxx_int, inner::quiet, &err), RELINK_OK, &err);
	CHECK(cxx_int(1) == 41 && relink_call_target(cxx_int) == inner::quiet);
	CHECK_CODE(relink_call_set(cxx_int, lambda, &err), RELINK_OK, &err);
	CHECK(cxx_int(1) == 51);
	struct relink_commit c = RELINK_COMMIT;
	relink_set(&c, "cxx_int", "constant");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(cxx_int(1) == 99);
	CHECK_CODE(relink_call_clear(cxx_int, &err), RELINK_OK, &err);
	CHECK(cxx_int(1) == 11);
}

static void test_classes()
{
	const Vector v = { 1, 2, 3 };
	std::string s;

	CHECK(cxx_vector(v, 2).z == 6);
	CHECK_CODE(relink_call_set(cxx_vector, shift, &err), RELINK_OK, &err);
	CHECK(cxx_vector(v, 2).z == 5 && cxx_vector({ 4, 5, 6 }, 0.5).x == 4.5);
	cxx_append(s);
	CHECK(s.empty());
	CHECK_CODE(relink_call_set(cxx_append, append, &err), RELINK_OK, &err);
	cxx_append(s);
	CHECK_CODE(relink_call_set(cxx_append, append_two, &err), RELINK_OK, &err);
	cxx_append(s);
	CHECK_CODE(relink_call_set(cxx_append, nullptr, &err), RELINK_OK, &err);
	cxx_append(s);
	CHECK(s == "onetwo");
	CHECK(cxx_unique(std::make_unique<int>(5)) == 5);
}

/* Unwinding passes a trampoline, or a call that was rewritten, as if it were a direct call. */
static int caught(int n)
{
	std::string destroyed = "a destructor runs on the way";

	try {
		return cxx_throw(n) + static_cast<int>(destroyed.size()) * 0;
	} catch (const std::out_of_range &e) {
		return e.what() == std::string("five") ? 100 : -1;
	} catch (int thrown) {
		return 200 + thrown;
	}
}

static void test_exceptions()
{
	CHECK(caught(3) == 3 && caught(6) == 100);
	CHECK_CODE(relink_call_set(cxx_throw, throws_int, &err), RELINK_OK, &err);
	CHECK(caught(0) == 0 && caught(6) == 206);
	CHECK_CODE(relink_call_clear(cxx_throw, &err), RELINK_OK, &err);
	CHECK(caught(6) == 100);
}

int main()
{
	test_targets();
	test_classes();
	test_exceptions();
	return check_done();
}
