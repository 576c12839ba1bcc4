// test: VARIANTS "-O0" "-O2" "-O2 -fPIC" "-O2 -fcf-protection"
/* SPDX-License-Identifier: MIT */
/* Static calls under the kernel's names: one test for each thing that its documentation says. */
#include <stdint.h>

#include "check.h"
#include <relink/linux.h>

static int func_a(int arg1, int arg2) { return 100 * arg1 + arg2; }
static int func_b(int arg1, int arg2) { return 100 * arg1 - arg2; }
DEFINE_STATIC_CALL(my_name, func_a);

/* What `func` may be: a function, pointers to it, the name of its type. The name may be that of something else. */
struct ops {
	int (*add)(int, int);
} ops = { func_a };
DECLARE_STATIC_CALL(by_address, &func_a);
DEFINE_STATIC_CALL(by_address, func_a);
DEFINE_STATIC_CALL_RET0(by_member, *ops.add);
DEFINE_STATIC_CALL_RET0(by_pointer, ops.add);
DEFINE_STATIC_CALL_RET0(by_pointer_type, int (*)(int, int));
DEFINE_STATIC_CALL_RET0(by_type, int(int, int));
DECLARE_STATIC_CALL(func_a, func_a);
DECLARE_STATIC_CALL(func_a, func_a);
DEFINE_STATIC_CALL(func_a, func_a);
DEFINE_STATIC_CALL(ops, func_b);

static int hits, evaluated;
static void hit(int n) { hits += n; }
static void hit_ten(int n) { hits += 10 * n; }
static void hit_narrow(bool on, char n) { hits += on ? n : -n; }
DEFINE_STATIC_CALL_NULL(hook, hit);
DEFINE_STATIC_CALL(hook_set, hit);
DEFINE_STATIC_CALL_NULL(hook_type, void (*)(int));
DEFINE_STATIC_CALL_NULL(hook_narrow, hit_narrow);
DEFINE_STATIC_CALL_NULL(number_null, func_a);

/* Every kind of result that fits a register; each function returns ones only. */
#define RESULT(name, type, value) \
	static type name##_ones(type n) { return n; } \
	static __attribute__((noinline)) type name##_zero(type n); \
	DEFINE_STATIC_CALL_RET0(zero_##name, name##_ones); \
	DEFINE_STATIC_CALL(ones_##name, name##_ones); \
	static __attribute__((noinline)) type name##_zero(type n) { return static_call(zero_##name)(n); } \
	static void check_##name(void) \
	{ \
		type ones = (type)(value); \
		CHECK(name##_zero(ones) == (type)0 && static_call(zero_##name)(ones) == (type)0); \
		static_call_update(zero_##name, name##_ones); \
		CHECK(name##_zero(ones) == ones && static_call(zero_##name)(ones) == ones); \
		static_call_update(zero_##name, (void *)&__static_call_return0); \
		CHECK(name##_zero(ones) == (type)0 && static_call(zero_##name)(ones) == (type)0); \
		CHECK(static_call(ones_##name)(ones) == ones); \
		static_call_update(ones_##name, (void *)&__static_call_return0); \
		CHECK(static_call(ones_##name)(ones) == (type)0); \
		static_call_update(ones_##name, NULL); \
		CHECK(static_call(ones_##name)(ones) == (type)0); \
		static_call_update(ones_##name, &name##_ones); \
		CHECK(static_call(ones_##name)(ones) == ones); \
	}
enum color { NO_COLOR, RED, BLUE = 0x7fffffff };
RESULT(bool, bool, 1)
RESULT(char, char, -1)
RESULT(schar, signed char, -1)
RESULT(uchar, unsigned char, -1)
RESULT(short, short, -1)
RESULT(ushort, unsigned short, -1)
RESULT(int, int, -1)
RESULT(uint, unsigned, -1)
RESULT(long, long, -1)
RESULT(ulong, unsigned long, -1)
RESULT(llong, long long, -1)
RESULT(ullong, unsigned long long, -1)
RESULT(u64, uint64_t, -1)
RESULT(color, enum color, BLUE)
RESULT(pointer, void *, -1l)
RESULT(string, const char *, -1l)
RESULT(ops, struct ops *, -1l)

/* Signatures that are more than numbers. */
struct three {
	long a, b, c;
};
static struct three three_up(double d, struct three t, ...) { return (struct three){ (long)d + t.a, t.b, t.c + 1 }; }
static struct three three_down(double d, struct three t, ...) { return (struct three){ (long)d - t.a, t.b, t.c - 1 }; }
DEFINE_STATIC_CALL(by_value, three_up);

static void check_no_error(void)
{
	struct relink_error err = { 0 };

	CHECKF(relink_linux_last_error(&err) == 0, "%s", relink_error_text(&err));
}

static __attribute__((noinline)) int tail(int a, int b) { return static_call(my_name)(a, b); }
static __attribute__((noinline)) void tail_hook(int n) { static_call_cond(hook)(n); }
static int evaluate(int n)
{
	evaluated++;
	return n;
}

/* The example of the header's documentation: func_a before the update, func_b after it. */
static void test_update(void)
{
	CHECK(static_call(my_name)(7, 3) == 703 && tail(7, 3) == 703);
	static_call_update(my_name, &func_b);
	CHECK(static_call(my_name)(7, 3) == 697 && tail(7, 3) == 697);
	static_call_update(my_name, func_a);
	CHECK(static_call(my_name)(7, 3) == 703 && tail(7, 3) == 703 && static_call_mod(my_name)(7, 3) == 703);
	check_no_error();
}

/* "To query which function is currently set to be called" */
static void test_query(void)
{
	CHECK(static_call_query(my_name) == func_a);
	static_call_update(my_name, func_b);
	CHECK(static_call_query(my_name) == func_b && static_call_query(my_name)(1, 1) == 99);
	static_call_update(my_name, func_a);
	CHECK(static_call_query(hook) == NULL && static_call_query(hook_set) == hit);
	static_call_update(hook_set, NULL);
	CHECK(static_call_query(hook_set) == NULL);
	static_call_update(hook_set, hit);
	CHECK((uintptr_t)static_call_query(by_type) == (uintptr_t)&__static_call_return0);
	check_no_error();
}

/* Functions, pointers and types; declarations may be repeated; names are in a namespace of their own. */
static void test_declarations(void)
{
	CHECK(static_call(by_address)(1, 2) == 102 && func_a(1, 2) == 102 && static_call(func_a)(1, 2) == 102);
	CHECK(static_call(by_member)(1, 2) == 0 && static_call(by_pointer)(1, 2) == 0);
	CHECK(static_call(by_type)(1, 2) == 0 && static_call(by_pointer_type)(1, 2) == 0);
	CHECK(static_call(ops)(1, 2) == 98 && ops.add == func_a);
	static_call_update(by_pointer_type, ops.add);
	static_call_update(by_member, *ops.add);
	CHECK(static_call(by_pointer_type)(1, 2) == 102 && static_call(by_member)(1, 2) == 102);
	static_call_update(func_a, func_b);
	CHECK(static_call(func_a)(1, 2) == 98 && func_a(1, 2) == 102);
	static_call_update(func_a, func_a);
	CHECK(!strcmp(STATIC_CALL_TRAMP_STR(my_name), RELINK_STR_(STATIC_CALL_TRAMP(my_name))));
	check_no_error();
}

/* A call to NULL does nothing, at first and after an update. */
static void test_null(void)
{
	hits = 0;
	static_call_cond(hook)(1);
	static_call(hook)(1);
	static_call_cond(hook_type)(1);
	tail_hook(1);
	CHECK(hits == 0);
	static_call_update(hook, hit);
	static_call_update(hook_type, hit_ten);
	static_call_cond(hook)(1);
	static_call_cond(hook_type)(1);
	tail_hook(1);
	CHECK(hits == 12);
	static_call_update(hook, NULL);
	static_call_update(hook_type, NULL);
	static_call_update(hook_set, NULL);
	static_call_cond(hook)(1);
	static_call_cond(hook_type)(1);
	static_call_cond(hook_set)(1);
	tail_hook(1);
	CHECK(hits == 12);
	static_call_update(hook_set, hit);
	static_call_cond(hook_set)(1);
	CHECK(hits == 13);
	check_no_error();
}

/* "In all cases, any argument evaluation is unconditional" */
static void test_arguments(void)
{
	hits = evaluated = 0;
	static_call_cond(hook)(evaluate(1));
	static_call(hook)(evaluate(2));
	CHECK(evaluated == 2 && hits == 0);
	CHECK(static_call(by_type)(evaluate(1), evaluate(2)) == 0 && evaluated == 4);
}

/* The type does not tell that this one returns nothing; NULL has the same effect. */
static void test_null_narrow(void)
{
	hits = 0;
	static_call_cond(hook_narrow)(true, 4);
	CHECK(hits == 0);
	static_call_update(hook_narrow, hit_narrow);
	static_call_cond(hook_narrow)(true, 4);
	static_call_cond(hook_narrow)(false, 1);
	CHECK(hits == 3);
	static_call_update(hook_narrow, NULL);
	static_call_cond(hook_narrow)(true, 4);
	CHECK(hits == 3);
	check_no_error();
}

/* Undefined in the kernel; here as RET0. */
static void test_null_with_result(void)
{
	CHECK(static_call(number_null)(7, 3) == 0);
	static_call_update(number_null, func_a);
	CHECK(static_call(number_null)(7, 3) == 703);
	static_call_update(number_null, NULL);
	CHECK(static_call(number_null)(7, 3) == 0 && (uintptr_t)static_call_query(number_null) == (uintptr_t)&__static_call_return0);
	check_no_error();
}

/* RET0 and __static_call_return0 are a function that does nothing and returns 0, of whatever width. */
static void test_return0(void)
{
	check_bool();
	check_char();
	check_schar();
	check_uchar();
	check_short();
	check_ushort();
	check_int();
	check_uint();
	check_long();
	check_ulong();
	check_llong();
	check_ullong();
	check_u64();
	check_color();
	check_pointer();
	check_string();
	check_ops();
	CHECK(__static_call_return0() == 0);
	check_no_error();
}

/* Any signature, with the arguments as the compiler passes them. */
static void test_signatures(void)
{
	struct three t = static_call(by_value)(2.5, (struct three){ 1, 2, 3 }, "more");

	CHECK(t.a == 3 && t.b == 2 && t.c == 4);
	static_call_update(by_value, three_down);
	t = static_call(by_value)(2.5, (struct three){ 1, 2, 3 }, "more");
	CHECK(t.a == 1 && t.b == 2 && t.c == 2);
	check_no_error();
}

/* ---- what the code is ---- */

struct count {
	const char *name;
	unsigned bound, sites;
	unsigned char byte;
};

static int count_site(const struct relink_site_info *site, void *ctx)
{
	struct count *c = ctx;

	if (site->kind != RELINK_SITE_CALL || strcmp(site->choice, c->name))
		return 0;
	c->sites++;
	c->bound += site->reason == RELINK_BOUND;
	if (site->reason == RELINK_BOUND)
		c->byte = *(const volatile unsigned char *)site->address;
	return 0;
}

static struct count count_of(const char *name)
{
	struct count c = { name, 0, 0, 0 };

	relink_each_site(count_site, &c);
	return c;
}

/* "patch the call sites to call the functions directly", "patch the trampoline call to a NOP", and what returns 0 to a mov. */
static void test_sites(void)
{
	struct relink_status s = { .size = sizeof(s) };
	struct count c;

	CHECK(relink_get_status(&s) == 0);
	if (!RELINK_PATCHES_ || strcmp(s.mode, "direct"))
		return;
	CHECK_CODE(relink_declare(RELINK_TRAPS, NULL), RELINK_OK, NULL);
	c = count_of("my_name");
	CHECKF(c.sites > 0 && c.bound == c.sites && c.byte == 0xe8, "%u of %u, %02x", c.bound, c.sites, c.byte);
	c = count_of("hook");
	CHECKF(c.sites > 0 && c.bound == c.sites && c.byte == 0xa9, "%u of %u, %02x", c.bound, c.sites, c.byte);
	c = count_of("zero_int");
	CHECKF(c.sites > 0 && c.bound == c.sites && c.byte == 0xb8, "%u of %u, %02x", c.bound, c.sites, c.byte);
	test_update();
	test_null();
	static_call_update(zero_int, int_ones);
	c = count_of("zero_int");
	CHECKF(c.sites > 0 && c.bound == c.sites && c.byte == 0xe8, "%u of %u, %02x", c.bound, c.sites, c.byte);
}

/* relink's: listed and set by name, while the program has no opinion. */
static void test_by_name(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	relink_force(&c, "my_name", "return0");
	relink_force(&c, "hook_set", "null");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(static_call(my_name)(7, 3) == 0 && static_call_query(hook_set) == NULL);
	static_call_update(my_name, func_b);
	CHECK(relink_linux_last_error(&err) == RELINK_OVERRIDDEN && static_call(my_name)(7, 3) == 0);
	relink_release(&c, "my_name");
	relink_release(&c, "hook_set");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(static_call(my_name)(7, 3) == 697);
	static_call_update(my_name, func_a);
	/* a call whose result is no number has no such state */
	relink_force(&c, "by_value", "return0");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_STATE, &err);
	CHECK(static_call(my_name)(7, 3) == 703);
	check_no_error();
}

int main(void)
{
	check_allow_stores();
	test_update();
	test_query();
	test_declarations();
	test_null();
	test_arguments();
	test_null_narrow();
	test_null_with_result();
	test_return0();
	test_signatures();
	test_by_name();
	test_sites();
	return check_done();
}
