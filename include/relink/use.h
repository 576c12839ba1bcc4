/* SPDX-License-Identifier: MIT */
/*
 * use.h - per-use keys: every place that asks for a key is a choice of its own. The kernel's dynamic debug, for programs.
 *
 *	RELINK_KEY_FALSE(net_debug, "what happens to connections");     // any static key, see key.h
 *
 *	if (relink_here(net_debug, "a connection is accepted"))         // is it on for this very line?
 *	        dump(connection);
 *
 *	#define net_dbg(...) relink_log_here(net_debug, log_line, __VA_ARGS__)
 *	net_dbg("accepted %s, %d are open", name, open);                // log_line("accepted %s, ..", ..), if it is on here
 *
 *	relink_uses_query("file net/accept.c line 100-200 +; func parse_* -", &err);
 *
 * A use is one instruction while it is off, as with relink_unlikely; its record says key, file, line, function and text,
 * costs no relocation and is not looked at before somebody asks. The text is a string literal: the format of a log
 * statement, or whatever people shall find the place by.
 *
 *	relink_here(k, text)          the block is out of line, the code falls through while it is off
 *	relink_here_likely(k, text)   the code falls through into the block while it is on
 *	relink_here_at(p, text), relink_here_likely_at(p, text)     with a pointer to the key, an address constant
 *	relink_log_here(k, call, format, ...)                       a statement: if it is on here, call(format, ...)
 *
 * Queries, from the program, from RELINK= and --relink and the configuration file (there in braces, as an entry of the
 * list: RELINK='hash=generic,{file net/conn*.c +; func parse_* -}'):
 *
 *	queries = query { (";" | newline) query }      one commit for all: every word is understood, or nothing has changed
 *	query   = { term } action                      all terms hold; without a term it is about every use there is
 *	term    = "key" glob        the key's name
 *	        | "file" glob       the source file: all of __FILE__, or what follows any of its slashes
 *	        | "func" glob       the function
 *	        | "line" n | n "-" | "-" n | n "-" n
 *	        | "format" glob     the text, all of it
 *	        | "module" glob     the executable or shared object: libfoo.so.1, or libfoo
 *	action  = "+" | "-"         on, off; the kernel's +p -p =p =_ mean the same
 *	        | "clear"           this level has no opinion of these uses any more
 *	glob    = *, ?, [a-z], [!a-z] as shells have them, but * matches slashes, too; \ takes the next character as it is, \n \t
 *
 * Words are separated by blanks and may be in quotes, "..." or '...'; `#` starts a comment in configuration files. Where
 * queries overlap, the later one counts.
 *
 * Precedence is that of all choices (commit.h), for each use: the highest level that says anything decides, the use's own
 * opinion before the key's. Whoever switches the whole key (net_debug=on, relink_key_enable) takes back what queries of the
 * same level said before; what they say afterwards counts. Queries of file, environment and command line also apply
 * to modules that are loaded later, in the order of the list; the program's and an operator's are about what is there.
 * A counted key that is enabled already does not take back anything.
 *
 * A use that is inlined into several functions, or instantiated several times, is several sites with one name.
 */
#ifndef RELINK_USE_H
#define RELINK_USE_H

#include <stddef.h>
#include <relink/abi.h>
#include <relink/commit.h>
#include <relink/error.h>
#include <relink/key.h>

RELINK_BEGIN_DECLS

/*
 * Switches uses. 0, RELINK_OVERRIDDEN (recorded; some use is held by a higher level), or a negative code and nothing has
 * changed: RELINK_E_SYNTAX names the bad word and where it stands, RELINK_E_UNKNOWN the first query that no use
 * matches. Any thread; not from a signal handler. `level` is RELINK_BY_PROGRAM or, for an operator, RELINK_BY_FORCE.
 */
#define relink_uses_query(query, err) relink_uses_query_by(RELINK_BY_PROGRAM, (query), (err))
RELINK_API int relink_uses_query_by(int level, const char *query, struct relink_error *err);

/* As part of a transaction; the text is copied. */
#define relink_set_uses(c, query) relink_wish_uses((c), (query), RELINK_BY_PROGRAM)
RELINK_API void relink_wish_uses(struct relink_commit *c, const char *query, int level);

struct relink_use_info {
	uint32_t size;
	int state;            /* 1: on */
	int decided_by;       /* enum relink_level */
	int reason;           /* enum relink_reason: RELINK_INDIRECT for code that could not follow */
	uintptr_t address;    /* of the site; of the byte, where code is not rewritten */
	uint32_t line;
	const char *key, *file, *function, *text, *module;
};
/* Calls visit for every use until it returns non-zero, and returns that. Pointers are valid during the visit only; the
 * visitor must not call relink. Any thread; not from a signal handler. */
RELINK_API int relink_each_use(int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx);

RELINK_END_DECLS

#include <relink/detail/use.h>

#endif
