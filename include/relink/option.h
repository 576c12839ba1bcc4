/* SPDX-License-Identifier: MIT */
/*
 * option.h - options: a named decision with two to sixteen states, read at the price of a static key.
 *
 *	RELINK_DECLARE_OPTION(idle, halt, poll);                                // header
 *	RELINK_OPTION(idle, "what a worker does with nothing to do", halt, poll); // one source file; halt is the default
 *
 *	if (relink_option_is(idle, poll)) ...
 *
 * Choice functions and drives belong to the module that defines the choice:
 *
 *	static const char *idle_choose(const struct relink_facts *f) { return f->cpus > 1 ? "poll" : NULL; }
 *	RELINK_CHOOSE(idle, idle_choose);             // NULL: no opinion. Keys: "on", "off". Calls: a variant's name
 *	RELINK_DRIVE(idle, poll, spin_stats, "on");   // while idle is poll, key spin_stats is on unless somebody says otherwise
 *
 * Choice functions run outside all locks, may call anything, may commit, and run once per start-up and module load.
 */
#ifndef RELINK_OPTION_H
#define RELINK_OPTION_H

#include <relink/key.h>

RELINK_BEGIN_DECLS

struct relink_option {
	int RELINK_PRIVATE_ state; /* index of the state in the order of declaration */
	int reserved;
	void *RELINK_PRIVATE_ choice;
};

/* Facts that choices are made from. */
struct relink_facts {
	uint32_t size;
	uint32_t threads; /* of this process, now */
	uint32_t cpus;    /* that this process may run on */
	uint32_t reserved;
	uint64_t cpu;     /* features, RELINK_CPU(..) */
};

#define RELINK_DECLARE_OPTION(name, ...) RELINK_OPTION_DECL_(name, __VA_ARGS__)
#define RELINK_OPTION(name, doc, ...) RELINK_OPTION_DEF_(name, doc, 0u, __VA_ARGS__)
#define RELINK_OPTION_FINAL(name, doc, ...) RELINK_OPTION_DEF_(name, doc, RELINK_FINAL, __VA_ARGS__)

/* A static branch on one state of an option; an unknown state does not compile. */
#define relink_option_is(name, st) RELINK_OPTION_IS_(name, st)
/* The current state as an index, in the order of declaration; RELINK_STATE(name, st) is the index of a state. */
#define relink_option_state(name) (__atomic_load_n(RELINK_FORCED_(const int, &(name).option.state), __ATOMIC_RELAXED))
#define RELINK_STATE(name, st) RELINK_STATE_(name, st)

#define RELINK_CHOOSE(choice, fn) RELINK_CHOOSE_(choice, fn)
#define RELINK_DRIVE(option, st, choice, to) RELINK_DRIVE_(option, st, choice, to)

/* Commit of one option, live. */
#define relink_option_set(name, st, err) relink_option_set_(&(name).option, RELINK_STATE(name, st), (err))
#define relink_option_clear(name, err) relink_option_set_(&(name).option, -1, (err))

RELINK_API int relink_option_set_(struct relink_option *option, int state, struct relink_error *err);
/* Fills *facts (set facts->size first). Returns 0. Any thread; not from a signal handler. */
RELINK_API int relink_get_facts(struct relink_facts *facts);

RELINK_END_DECLS

#include <relink/detail/option.h>

#endif
