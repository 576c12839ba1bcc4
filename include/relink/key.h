/* SPDX-License-Identifier: MIT */
/*
 * key.h - static keys: an `if` that costs one instruction.
 *
 *	RELINK_KEY_FALSE(trace, "print every file as it is read");  // one source file
 *	RELINK_DECLARE_KEY(trace);                                  // a header, for the other files
 *
 *	if (relink_unlikely(trace))        // one `test` while the key is off: nothing is loaded, nothing is compared
 *	        print_file(f);
 *
 *	relink_key_enable(trace, &err);    // rewrites every such place, with threads running
 *
 *			   | relink_likely(k)              | relink_unlikely(k)
 *	-------------------+-------------------------------+------------------------------
 *	key is true        | falls through into the block  | jumps to the block, out of line
 *	key is false       | jumps around the block        | falls through, past nothing
 *
 * A key is false or true at link time, and its declaration says which, because the compiler has to emit the
 * instruction that is right before anything has run:
 *
 *	defined by              declared by                  type
 *	RELINK_KEY_FALSE(k, d)  RELINK_DECLARE_KEY(k)        struct relink_key_false
 *	RELINK_KEY_TRUE(k, d)   RELINK_DECLARE_KEY_TRUE(k)   struct relink_key_true
 *
 * Keys in arrays and structs use the same macros by name or the _at forms with a pointer; it must be an address
 * constant:
 *
 *	RELINK_KEY_ARRAY_FALSE(per_queue, 8, "trace one queue");    // choices per_queue[0] .. per_queue[7]
 *	struct dev { struct relink_key_false debug; } dev0 = { .debug = RELINK_KEY_INIT_FALSE };
 *	if (relink_unlikely_at(&per_queue[3]) || relink_unlikely_at(&dev0.debug)) ...
 *
 * Changing keys: every function below is a commit of its own (see commit.h), may be called from any thread, and
 * not from a signal handler. They return 0, RELINK_OVERRIDDEN or a negative code from error.h.
 */
#ifndef RELINK_KEY_H
#define RELINK_KEY_H

#include <relink/abi.h>
#include <relink/detail/base.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

/* The state is 0 or 1 and always what the sites express, or will once the running commit ends. Read it with
 * relink_key_enabled(); only the runtime writes it. */
struct relink_key {
	int RELINK_PRIVATE_ state;
	int RELINK_PRIVATE_ count;
	void *RELINK_PRIVATE_ choice;
} __attribute__((aligned(8)));
struct relink_key_false { struct relink_key key; };
#ifdef __cplusplus
struct relink_key_true { struct relink_key key = { 1, 0, 0 }; };
#else
struct relink_key_true { struct relink_key key; };
#endif

#define RELINK_KEY_INIT_FALSE { { 0, 0, RELINK_NULL_ } }
#define RELINK_KEY_INIT_TRUE { { 1, 0, RELINK_NULL_ } }

#define RELINK_DECLARE_KEY_FALSE(name) RELINK_KEY_DECL_(extern, name, relink_key_false)
#define RELINK_DECLARE_KEY_TRUE(name) RELINK_KEY_DECL_(extern, name, relink_key_true)
#define RELINK_DECLARE_KEY(name) RELINK_DECLARE_KEY_FALSE(name)

/* RELINK_KEY_FALSE(name, doc [, flags]); flags are RELINK_FINAL and RELINK_NONFORCIBLE. */
#define RELINK_KEY_FALSE(...) RELINK_KEY_DEF_(RELINK_GLOBAL_, relink_key_false, RELINK_KEY_INIT_FALSE, 0u, __VA_ARGS__, 0u, 0u)
#define RELINK_KEY_TRUE(...) \
	RELINK_KEY_DEF_(RELINK_GLOBAL_, relink_key_true, RELINK_KEY_INIT_TRUE, RELINK_DEFAULT_TRUE, __VA_ARGS__, 0u, 0u)
#define RELINK_STATIC_KEY_FALSE(...) RELINK_KEY_DEF_(RELINK_STATIC_, relink_key_false, RELINK_KEY_INIT_FALSE, 0u, __VA_ARGS__, 0u, 0u)
#define RELINK_STATIC_KEY_TRUE(...) \
	RELINK_KEY_DEF_(RELINK_STATIC_, relink_key_true, RELINK_KEY_INIT_TRUE, RELINK_DEFAULT_TRUE, __VA_ARGS__, 0u, 0u)

/* Arrays. All elements start alike. Declare them with `extern struct relink_key_false name[n];`. */
#define RELINK_KEY_ARRAY_FALSE(name, n, doc) \
	RELINK_KEY_ARRAY_(name, n, doc, relink_key_false, 0u)
#define RELINK_KEY_ARRAY_TRUE(name, n, doc) \
	RELINK_KEY_ARRAY_(name, n, doc, relink_key_true, RELINK_DEFAULT_TRUE)

/*
 * Names a key that exists already: a static data member of a class, a key in a namespace, a struct's member.
 * At namespace scope, in the source file that defines the key. `id` is any unused identifier, `name` a string.
 */
#define RELINK_NAME_KEY(id, lvalue, name, doc) RELINK_NAME_KEY_(id, lvalue, name, doc)

/* The state, as an ordinary load: right everywhere, costs what a flag costs. Any thread, any context. */
#define relink_key_enabled(k) (__atomic_load_n(RELINK_FORCED_(const int, &(k).key.state), __ATOMIC_RELAXED) != 0)

/*
 * Commits of one key, live. `k` is a key (not a pointer), `err` a struct relink_error * or NULL.
 *   set       the program's opinion is this, until cleared
 *   clear     the program has no opinion any more: lower levels of the precedence decide
 *   inc, dec  counted: the first inc enables, the last dec clears; dec below zero is RELINK_E_COUNT
 */
#define relink_key_set(k, on, err) relink_key_set_(RELINK_KEY_PTR_(k), !!(on), (err))
#define relink_key_enable(k, err) relink_key_set_(RELINK_KEY_PTR_(k), 1, (err))
#define relink_key_disable(k, err) relink_key_set_(RELINK_KEY_PTR_(k), 0, (err))
#define relink_key_clear(k, err) relink_key_set_(RELINK_KEY_PTR_(k), -1, (err))
#define relink_key_inc(k, err) relink_key_count_(RELINK_KEY_PTR_(k), 1, (err))
#define relink_key_dec(k, err) relink_key_count_(RELINK_KEY_PTR_(k), -1, (err))

RELINK_API int relink_key_set_(struct relink_key *key, int state, struct relink_error *err);
RELINK_API int relink_key_count_(struct relink_key *key, int by, struct relink_error *err);

RELINK_END_DECLS

#include <relink/detail/key.h>

#endif
