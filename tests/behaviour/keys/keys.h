/* SPDX-License-Identifier: MIT */
/*
 * keys.h - the table of keys.c: every branch kind on every key, from the program, from another file of it and from a shared
 * object. A place is a source file; KEYS_ROWS(place) makes its branches and its part of the table.
 */
#ifndef TEST_KEYS_H
#define TEST_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <relink/relink.h>

#ifdef __cplusplus
extern "C" {
#endif

struct row {
	const char *place, *key_name, *kind;
	struct relink_key *key;
	bool initial;
	bool (*branch)(void);
};

struct rows {
	const struct row *row;
	size_t count;
};

struct pair {
	int before;
	struct relink_key_false no;
	long between;
	struct relink_key_true yes;
};

#define KEYS_DECLARE(home) \
	RELINK_DECLARE_KEY(home##_false); \
	RELINK_DECLARE_KEY_TRUE(home##_true); \
	extern struct pair home##_pair; \
	extern struct pair home##_pairs[2]; \
	extern struct relink_key_false home##_falses[5]; \
	extern struct relink_key_true home##_trues[5]; \
	extern struct rows home##_rows

/* Nothing but keys, so that C++ may have another form of the same. */
#define KEYS_DEFINE(home) \
	RELINK_KEY_FALSE(home##_false, "false at first"); \
	RELINK_KEY_TRUE(home##_true, "true at first"); \
	RELINK_KEY_ARRAY_FALSE(home##_falses, 5, "an array, false at first"); \
	RELINK_KEY_ARRAY_TRUE(home##_trues, 5, "an array, true at first"); \
	RELINK_STATIC_KEY_FALSE(home##_static_false, "static, false at first"); \
	RELINK_STATIC_KEY_TRUE(home##_static_true, "static, true at first"); \
	struct pair home##_pair = { 1, RELINK_KEY_INIT_FALSE, 2, RELINK_KEY_INIT_TRUE }; \
	struct pair home##_pairs[2] = { { 1, RELINK_KEY_INIT_FALSE, 2, RELINK_KEY_INIT_TRUE }, \
					{ 3, RELINK_KEY_INIT_FALSE, 4, RELINK_KEY_INIT_TRUE } }

KEYS_DECLARE(here);
KEYS_DECLARE(other);
KEYS_DECLARE(shared);
KEYS_DECLARE(shared_o0);

/* A key in a header is used by every file that includes it. */
static inline bool keys_in_header(void)
{
	if (relink_unlikely(other_falses[4]))
		return true;
	return false;
}

#define KEYS_FALSE false
#define KEYS_TRUE true

/* The keys that every place can see, and the place's own static ones. */
#define KEYS_OF(X, place, home) \
	X(place, home##_false, home##_false, false) \
	X(place, home##_true, home##_true, true) \
	X(place, home##_pair_no, home##_pair.no, false) \
	X(place, home##_pair_yes, home##_pair.yes, true) \
	X(place, home##_pairs_no, home##_pairs[1].no, false) \
	X(place, home##_pairs_yes, home##_pairs[1].yes, true) \
	X(place, home##_falses_0, home##_falses[0], false) \
	X(place, home##_falses_3, home##_falses[3], false) \
	X(place, home##_trues_0, home##_trues[0], true) \
	X(place, home##_trues_4, home##_trues[4], true)
#define KEYS_ALL(X, place) \
	KEYS_OF(X, place, here) \
	KEYS_OF(X, place, other) \
	KEYS_OF(X, place, shared) \
	KEYS_OF(X, place, shared_o0) \
	X(place, place##_static_false, place##_static_false, false) \
	X(place, place##_static_true, place##_static_true, true)

#define KEYS_BRANCHES(place, id, lvalue, initial) \
	__attribute__((noinline)) static bool likely_##place##_##id(void) \
	{ \
		if (relink_likely(lvalue)) \
			return true; \
		return false; \
	} \
	__attribute__((noinline)) static bool unlikely_##place##_##id(void) \
	{ \
		if (relink_unlikely(lvalue)) \
			return true; \
		return false; \
	} \
	__attribute__((noinline)) static bool by_pointer_##place##_##id(void) \
	{ \
		return !relink_unlikely_at(&(lvalue)) ? false : true; \
	}
#define KEYS_ROW(place, id, lvalue, initial) \
	{ #place, #id, "likely", &(lvalue).key, initial, likely_##place##_##id }, \
	{ #place, #id, "unlikely", &(lvalue).key, initial, unlikely_##place##_##id }, \
	{ #place, #id, "unlikely_at", &(lvalue).key, initial, by_pointer_##place##_##id },
#define KEYS_ROWS(place) \
	KEYS_ALL(KEYS_BRANCHES, place) \
	static const struct row place##_table[] = { \
		KEYS_ALL(KEYS_ROW, place) \
		{ #place, "other_falses_4", "in a header", &other_falses[4].key, false, keys_in_header } \
	}; \
	struct rows place##_rows = { place##_table, sizeof(place##_table) / sizeof(*place##_table) }

#ifdef __cplusplus
}
#endif

#endif
