// test: VARIANTS "-O0" "-O2" "-O2 -fPIC" "-O3 -fcf-protection"
/* SPDX-License-Identifier: MIT */
/*
 * Any signature: each is called through its default, a variant and a function that nobody registered, by an ordinary call, by a
 * tail call and through a pointer to the static call itself.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "check.h"

struct small_int { int a; char b; long c; };       /* two registers */
struct small_fp { double x; float y; };            /* two vector registers */
struct mixed { double x; long n; };                /* one of each */
struct three_bytes { unsigned char b[3]; };
struct large { long v[5]; };                       /* memory */
struct large_fp { double x[3]; };
struct padded { char c; long double d; };
union word { long l; double d; };
__extension__ typedef __int128 wide;
typedef _Complex double complex_d;
typedef _Complex float complex_f;
typedef int (*callback)(int);
enum colour { RED, GREEN, BLUE = 70000 };

/* `who` is 1 in the default, 2 in the variant, 3 in the function that nobody registered. */
#define FAMILY(name, ret, params, ...) \
	RELINK_DECLARE_CALL(ret, name, params); \
	__attribute__((noinline)) static ret name##_default params { enum { who = 1 }; __VA_ARGS__ } \
	__attribute__((noinline)) static ret name##_variant params { enum { who = 2 }; __VA_ARGS__ } \
	__attribute__((noinline)) static ret name##_custom params { enum { who = 3 }; __VA_ARGS__ } \
	RELINK_DEFINE_CALL(name, name##_default, "signature " #name); \
	RELINK_VARIANT(name, name##_variant);
/* The same with a caller whose call can be a jump. */
#define TAIL_FAMILY(name, ret, params, args, ...) \
	FAMILY(name, ret, params, __VA_ARGS__) \
	__attribute__((noinline)) static ret name##_tail params { return name args; }

TAIL_FAMILY(no_args, int, (void), (), return who;)
TAIL_FAMILY(ret_bool, bool, (int n), (n), return n == who;)
TAIL_FAMILY(ret_char, signed char, (int n), (n), return (signed char)(n - 100 * who);)
TAIL_FAMILY(ret_short, unsigned short, (unsigned n), (n), return (unsigned short)(n * who);)
TAIL_FAMILY(ret_enum, enum colour, (int n), (n), return n == who ? BLUE : GREEN;)
TAIL_FAMILY(ret_u64, uint64_t, (uint64_t n), (n), return n * 0x123456789ull + who;)
TAIL_FAMILY(ret_pointer, const char *, (const char *s, long n), (s, n), return s + n + who;)
TAIL_FAMILY(ret_float, float, (float x), (x), return x * 0.5f + who;)
TAIL_FAMILY(ret_double, double, (double x, int n), (x, n), return x / n + who;)
TAIL_FAMILY(ret_long_double, long double, (long double x, long double y), (x, y), return x - y * who;)
TAIL_FAMILY(ret_complex, complex_d, (complex_d z), (z), return z * who;)
TAIL_FAMILY(ret_complex_float, complex_f, (complex_f z), (z), return z + who;)
TAIL_FAMILY(ret_wide, wide, (wide a, wide b), (a, b), return a * b + who;)
TAIL_FAMILY(pass_small_int, struct small_int, (struct small_int s), (s), s.a += who; s.c -= who; return s;)
TAIL_FAMILY(pass_small_fp, struct small_fp, (struct small_fp s), (s), s.x += who; s.y -= who; return s;)
TAIL_FAMILY(pass_mixed, struct mixed, (struct mixed s, struct mixed t), (s, t), s.x += t.x * who; s.n -= t.n * who; return s;)
TAIL_FAMILY(pass_three, struct three_bytes, (struct three_bytes s), (s), s.b[who - 1] = 99; return s;)
FAMILY(pass_large, struct large, (struct large s, int i), s.v[i] += who; return s;)
FAMILY(pass_large_fp, struct large_fp, (int i, struct large_fp s), s.x[i] *= who + 1; return s;)
FAMILY(pass_padded, struct padded, (struct padded s), s.c = (char)(s.c + who); s.d += s.c; return s;)
TAIL_FAMILY(pass_union, union word, (union word w), (w), w.l += who; return w;)
TAIL_FAMILY(many_ints, long, (int a, long b, short c, char d, unsigned e, long f, int g, long h, short i, char j),
	    (a, b, c, d, e, f, g, h, i, j),
	    return who + a + 2 * b + 3 * c + 4 * d + 5 * (long)e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;)
TAIL_FAMILY(many_fps, double, (double a, float b, double c, float d, double e, float f, double g, float h, double i, double j),
	    (a, b, c, d, e, f, g, h, i, j),
	    return who + a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;)
TAIL_FAMILY(many_mixed, double, (int a, double b, struct mixed c, long double d, int e, int f, int g, int h, float i, struct large j),
	    (a, b, c, d, e, f, g, h, i, j),
	    return who + a + 2 * b + 3 * c.x + 4 * c.n + 5 * (double)d + 6 * e + 7 * f + 8 * g + 9 * h + 10 * i + 11 * j.v[4];)
TAIL_FAMILY(with_callback, int, (callback f, int n), (f, n), return f(n) + who;)
TAIL_FAMILY(ret_callback, callback, (callback f, callback g), (f, g), return who == 2 ? g : f;)
TAIL_FAMILY(with_array, int, (const int n[4], int i), (n, i), return n[i] * who;)

FAMILY(variadic, double, (const char *kinds, ...),
	va_list args; double sum = who;
	va_start(args, kinds);
	for (; *kinds; kinds++)
		sum += *kinds == 'i' ? va_arg(args, int) : *kinds == 'd' ? va_arg(args, double) :
		       *kinds == 'l' ? (double)va_arg(args, long) : (double)va_arg(args, long double);
	va_end(args);
	return sum;)

static long noted;
FAMILY(returns_nothing, void, (int a, double b), noted = (long)(a + b) * who;)
__attribute__((noinline)) static void returns_nothing_tail(int a, double b) { returns_nothing(a, b); }

/* Never returns: leaves by longjmp. */
static jmp_buf back;
RELINK_DECLARE_CALL_NORETURN(leave, (int code));
__attribute__((noinline, noreturn)) static void leave_default(int code) { longjmp(back, code + 1); }
__attribute__((noinline, noreturn)) static void leave_variant(int code) { longjmp(back, code + 2); }
__attribute__((noinline)) static void leave_custom(int code) { longjmp(back, code + 3); }
RELINK_DEFINE_CALL(leave, leave_default, "never returns");
RELINK_VARIANT(leave, leave_variant);

/* ---- one check for each; `who` is who should answer ---- */

static int twice(int n) { return 2 * n; }
static int thrice(int n) { return 3 * n; }
static volatile int four = 4; /* keeps arguments from being constants */

#define BOTH(name, args, result) do { CHECKF((name args) == (result), #name ": %d", who); \
				      CHECKF((name##_tail args) == (result), #name ", tail call: %d", who); } while (0)

static void check_words(int who)
{
	static const char text[] = "0123456789";

	BOTH(no_args, (), who);
	BOTH(ret_bool, (four - 2), who == 2);
	BOTH(ret_char, (four), (signed char)(4 - 100 * who));
	BOTH(ret_short, (65535u), (unsigned short)(65535u * (unsigned)who));
	BOTH(ret_enum, (four - 1), who == 3 ? BLUE : GREEN);
	BOTH(ret_u64, (0xfedcba9876543210ull), 0xfedcba9876543210ull * 0x123456789ull + (unsigned)who);
	BOTH(ret_pointer, (text, four), text + 4 + who);
	BOTH(ret_wide, ((wide)1 << 100, 7), ((wide)7 << 100) + who);
	BOTH(with_callback, (twice, four), 8 + who);
	BOTH(ret_callback, (twice, thrice), who == 2 ? thrice : twice);
	BOTH(with_array, (((int[]){ 1, 2, 3, four }), 3), 4 * who);
	BOTH(many_ints, (1, 2, 3, four, 5, 6, 7, 8, 9, 10), 385 + who);
}

static void check_fps(int who)
{
	complex_d z = __builtin_complex(3.0, 4.0);
	complex_f zf = __builtin_complex(1.0f, -2.0f);

	BOTH(ret_float, ((float)four), 2.0f + (float)who);
	BOTH(ret_double, (10.0, four), 2.5 + who);
	BOTH(ret_long_double, (10.0L, 0.25L), 10.0L - 0.25L * who);
	BOTH(ret_complex, (z), z * who);
	BOTH(ret_complex_float, (zf), zf + (float)who);
	BOTH(many_fps, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 385.0 + who);
	BOTH(many_mixed, (1, 2, ((struct mixed){ 3, four }), 5, 6, 7, 8, 9, 10, ((struct large){ { 0, 0, 0, 0, 11 } })), 506.0 + who);
}

#define EACH_WAY(name, type, args, test) do { \
	type r = name args; \
	CHECKF(test, #name ": %d", who); \
	r = name##_tail args; \
	CHECKF(test, #name ", tail call: %d", who); } while (0)

static void check_structs(int who)
{
	struct large l = { { 1, 2, 3, 4, 5 } };
	struct large_fp f = { { 1, 2, 3 } };
	struct padded p = { 1, 2 };
	union word w = { .l = 1l << 40 };

	EACH_WAY(pass_small_int, struct small_int, (((struct small_int){ four, 'b', 1l << 40 })),
		 r.a == 4 + who && r.b == 'b' && r.c == (1l << 40) - who);
	EACH_WAY(pass_small_fp, struct small_fp, (((struct small_fp){ 0.5, 8 })), r.x == 0.5 + who && r.y == 8 - (float)who);
	EACH_WAY(pass_mixed, struct mixed, (((struct mixed){ 0.5, 100 }), ((struct mixed){ 2, four })),
		 r.x == 0.5 + 2 * who && r.n == 100 - 4 * who);
	EACH_WAY(pass_three, struct three_bytes, (((struct three_bytes){ { 1, 2, 3 } })),
		 r.b[0] == (who == 1 ? 99 : 1) && r.b[1] == (who == 2 ? 99 : 2) && r.b[2] == (who == 3 ? 99 : 3));
	EACH_WAY(pass_union, union word, (w), r.l == (1l << 40) + who);
	l = pass_large(l, four);
	CHECKF(l.v[0] == 1 && l.v[3] == 4 && l.v[4] == 5 + who, "large struct: %d", who);
	f = pass_large_fp(four - 2, f);
	CHECKF(f.x[0] == 1 && f.x[2] == 3.0 * (who + 1), "large struct of doubles: %d", who);
	p = pass_padded(p);
	CHECKF(p.c == 1 + who && p.d == 3.0L + who, "struct with a long double: %d", who);
}

static void check_others(int who)
{
	int code;

	CHECKF(variadic("") == who, "no variadic arguments: %d", who);
	CHECKF(variadic("idlLi", 1, 2.5, 3l, 4.25L, four) == 14.75 + who, "variadic: %d", who);
	CHECKF(variadic("dddddddddd", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.) == 55.0 + who, "variadic doubles: %d", who);
	returns_nothing(four, 6.0);
	CHECKF(noted == 10 * who, "void: %d", who);
	returns_nothing_tail(four, 7.0);
	CHECKF(noted == 11 * who, "void, tail call: %d", who);
	code = setjmp(back);
	if (!code)
		leave(10 * four);
	CHECKF(code == 40 + who, "noreturn: %d, want %d", code, 40 + who);
}

/* The static call is a function: it has an address, and that works at all times. */
static void check_address(int who)
{
	long (*volatile pointer)(int, long, short, char, unsigned, long, int, long, short, char) = many_ints;

	CHECKF(pointer(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 385 + who, "through a pointer: %d", who);
}

static void check_all(int who)
{
	check_words(who);
	check_fps(who);
	check_structs(who);
	check_others(who);
	check_address(who);
}

/* ---- who answers ---- */

#define EACH(X, c, kind) \
	X(c, no_args, kind) X(c, ret_bool, kind) X(c, ret_char, kind) X(c, ret_short, kind) X(c, ret_enum, kind) X(c, ret_u64, kind) \
	X(c, ret_pointer, kind) X(c, ret_float, kind) X(c, ret_double, kind) X(c, ret_long_double, kind) X(c, ret_complex, kind) \
	X(c, ret_complex_float, kind) X(c, ret_wide, kind) X(c, pass_small_int, kind) X(c, pass_small_fp, kind) \
	X(c, pass_mixed, kind) X(c, pass_three, kind) X(c, pass_large, kind) X(c, pass_large_fp, kind) X(c, pass_padded, kind) \
	X(c, pass_union, kind) X(c, many_ints, kind) X(c, many_fps, kind) X(c, many_mixed, kind) X(c, with_callback, kind) \
	X(c, ret_callback, kind) X(c, with_array, kind) X(c, variadic, kind) X(c, returns_nothing, kind) X(c, leave, kind)
#define SET(c, name, kind) relink_set_call(c, name, name##_##kind);
#define SET_NAMED(c, name, kind) relink_set(c, #name, #kind);
#define UNSET(c, name, kind) relink_unset(c, #name);

static struct relink_error err;

static void commit(struct relink_commit *c, int who)
{
	CHECK_CODE(relink_commit(c, RELINK_LIVE, &err), RELINK_OK, &err);
	check_all(who);
}

static void check_targets(void)
{
	CHECK(relink_call_target(many_ints) == many_ints_custom && relink_call_target(variadic) == variadic_custom);
	CHECK(relink_call_target(leave) == leave_custom);
}

static int check_listed(const struct relink_choice_info *info, void *want)
{
	CHECKF(strstr(info->state, want) == info->state + (strncmp(info->state, "custom:", 7) ? strlen(info->name) + 1 : 0),
	       "%s is %s, want %s", info->name, info->state, (const char *)want);
	CHECK(info->kind == RELINK_CALL && info->count >= 2);
	return 0;
}

/* One at a time, too. */
static void test_singles(void)
{
	CHECK_CODE(relink_call_set(pass_large, pass_large_variant, &err), RELINK_OK, &err);
	CHECK(pass_large((struct large){ { 0 } }, 0).v[0] == 2 && relink_call_target(pass_large) == pass_large_variant);
	CHECK_CODE(relink_call_set(pass_large, pass_large_custom, &err), RELINK_OK, &err);
	CHECK(pass_large((struct large){ { 0 } }, 0).v[0] == 3);
	CHECK(relink_call_clear(pass_large, NULL) == 0);
	CHECK(pass_large((struct large){ { 0 } }, 0).v[0] == 1 && relink_call_target(pass_large) == pass_large_default);
}

/* Compilers make them when they optimise, unless something has to be done at the end of every function. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
#define TAIL_CALLS 1
#else
#define TAIL_CALLS 0
#endif

/* Bound, or would be if stores were allowed. */
static uint64_t possible(const struct relink_status *s, int kind)
{
	return s->sites[kind][RELINK_BOUND] + (s->one_store ? 0 : s->sites[kind][RELINK_UNDECLARED]);
}

static void check_sites(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	if (!strcmp(s.arch, "generic"))
		return;
	CHECKF(possible(&s, RELINK_SITE_CALL) > 5 && s.sites[RELINK_SITE_TRAMPOLINE][RELINK_BOUND] == 30,
	       "%llu calls, %llu trampolines bound", (unsigned long long)possible(&s, RELINK_SITE_CALL),
	       (unsigned long long)s.sites[RELINK_SITE_TRAMPOLINE][RELINK_BOUND]);
#if TAIL_CALLS
	CHECKF(possible(&s, RELINK_SITE_TAIL) > 5, "%llu tail calls bound", (unsigned long long)possible(&s, RELINK_SITE_TAIL));
#endif
	if (check_failed_)
		check_print_status();
}

int main(void)
{
	struct relink_commit c = RELINK_COMMIT;

	check_allow_stores();
	check_all(1);
	relink_each_choice(check_listed, "default");
	EACH(SET, &c, variant)
	commit(&c, 2);
	relink_each_choice(check_listed, "variant");
	EACH(SET, &c, custom)
	commit(&c, 3);
	check_targets();
	relink_each_choice(check_listed, "custom:");
	EACH(SET_NAMED, &c, variant)
	commit(&c, 2);
	EACH(UNSET, &c, ~)
	commit(&c, 1);
	test_singles();
	check_sites();
	return check_done();
}
