// test: SOURCES behaviour/keys/cxx_other.cc VARIANTS "-O0" "-O2" "-O0 -fPIC" "-O2 -fPIC" LINK -Wl,--no-as-needed $<TARGET_FILE:plugin_keys_cxx_home>
/* SPDX-License-Identifier: MIT */
/* Keys in C++: namespaces, static members, inline functions and templates in two files and a shared object. */
#include "check.h"
#include "keys/cxx.h"

namespace outer {
namespace inner {
RELINK_KEY_FALSE(spaced_false, "in a namespace");
}
}

struct relink_key_false Holder::member_false = RELINK_KEY_INIT_FALSE;
RELINK_NAME_KEY(holder_false, Holder::member_false, "Holder::member_false", "a static member");

namespace {
RELINK_KEY_FALSE(unnamed_space, "in an unnamed namespace");
RELINK_STATIC_KEY_TRUE(unnamed_static, "static in an unnamed namespace");
}
RELINK_KEY_ARRAY_FALSE(array, 4, "an array");
RELINK_KEY_ARRAY_TRUE(true_array, 4, "an array, true at first");

/* Two uses on one line, in a constructor and in a destructor. */
static int seen;
struct Scope {
	Scope() { seen += relink_unlikely(unnamed_space) ? 1 : 0; seen += (relink_likely(unnamed_static) ? 2 : 0) + (relink_unlikely(array[3]) ? 4 : 0); }
	~Scope() { seen += relink_unlikely(unnamed_space) ? 10 : 0; }
};

static bool two_in_array() { return relink_unlikely(array[1]) && relink_unlikely_at(&array[1]); }
static bool true_element() { return relink_likely(true_array[3]) && relink_unlikely(true_array[3]); }
static bool in_unnamed() { return relink_unlikely(unnamed_space); }

static const struct cxx_row own_table[] = {
	{ "array element", &array[1].key, false, two_in_array },
	{ "element of true array", &true_array[3].key, true, true_element },
	{ "unnamed namespace", &unnamed_space.key, false, in_unnamed },
};
static const struct cxx_rows own_rows = { own_table, COUNT(own_table) };

CXX_ROWS(main);

static const struct cxx_rows *const tables[] = { &own_rows, &cxx_main_rows, &cxx_other_rows, &cxx_shared_rows };

static void verify(bool inverted, const char *when)
{
	for (const struct cxx_rows *rows : tables)
		for (size_t i = 0; i < rows->count; i++) {
			const struct cxx_row &r = rows->row[i];
			bool want = r.initial != inverted;

			CHECKF(r.key->state == want, "%s: state of key, %s: want %d", when, r.what, want);
			CHECKF(r.branch() == want, "%s: %s: want %d", when, r.what, want);
		}
}

/* Keys that several rows share are inverted once. */
static void invert(bool inverted)
{
	struct relink_error err;

	for (const struct cxx_rows *rows : tables)
		for (size_t i = 0; i < rows->count; i++)
			if ((rows->row[i].key->state != 0) == (rows->row[i].initial != !inverted))
				CHECK_CODE(relink_key_set_(rows->row[i].key, rows->row[i].initial != inverted, &err), RELINK_OK, &err);
}

static int listed;
static int count_choice(const struct relink_choice_info *info, void *name)
{
	listed += !strcmp(info->name, (const char *)name);
	return 0;
}

/* A record in a header comes once per file, the choice is one. */
static void test_listed_once(const char *name)
{
	listed = 0;
	relink_each_choice(count_choice, (void *)name);
	CHECKF(listed == 1, "%s is listed %d times", name, listed);
}

static void test_scope()
{
	struct relink_error err;

	seen = 0;
	{ Scope s; }
	CHECKF(seen == 2, "seen %d", seen);
	CHECK_CODE(relink_key_enable(unnamed_space, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_enable(array[3], &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_disable(unnamed_static, &err), RELINK_OK, &err);
	seen = 0;
	{ Scope s; }
	CHECKF(seen == 15, "seen %d", seen);
}

int main()
{
	verify(false, "at start");
	invert(true);
	verify(true, "inverted");
	invert(false);
	verify(false, "inverted back");
	test_scope();
	test_listed_once("inline_key");
	test_listed_once("Holder::member_true");
	test_listed_once("spaced_true");
	return check_done();
}
