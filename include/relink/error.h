/* SPDX-License-Identifier: MIT */
/*
 * error.h - what went wrong, as a value. The library never prints, exits or aborts.
 *
 * Functions that can fail return 0 or a code from this page and take a struct relink_error * (NULL is allowed) that
 * the caller owns and need not initialise: its code is what the function returned. A negative code means that nothing
 * has changed. RELINK_OVERRIDDEN is positive: the wish was recorded, but somebody of higher precedence speaks, so the
 * effective state is another than the one asked for.
 */
#ifndef RELINK_ERROR_H
#define RELINK_ERROR_H

#include <stdint.h>
#include <relink/detail/base.h>

RELINK_BEGIN_DECLS

enum relink_code {
	RELINK_OK = 0,
	RELINK_OVERRIDDEN = 1, /* recorded, overridden from above; the text names level and state */

	RELINK_E_ARGUMENT = -1,   /* a NULL or malformed argument; a bug in the caller */
	RELINK_E_MEMORY = -2,     /* out of memory; try again later */
	RELINK_E_UNKNOWN = -3,    /* no such choice; the text lists what exists */
	RELINK_E_STATE = -4,      /* the choice has no such state; the text lists its states */
	RELINK_E_CONDITION = -5,  /* the state's condition does not hold on this machine */
	RELINK_E_FINAL = -6,      /* the choice is final and has been decided; set it on the command line or in RELINK= */
	RELINK_E_NONFORCIBLE = -7, /* the owner does not allow force */
	RELINK_E_COUNT = -8,      /* more dec than inc */
	RELINK_E_BREAKPOINT = -9, /* a foreign int3 stands on a site; remove it and try again */
	RELINK_E_BYTES = -10,     /* a site holds other bytes than it should: somebody else patches this code */
	RELINK_E_WRITE = -11,     /* code can't be written; relink_status() says why */
	RELINK_E_BARRIER = -12,   /* threads run and no barrier is available; relink_status() says why */
	RELINK_E_THREADS = -13,   /* RELINK_STARTUP, or locks=off: there is another thread, or a process that shares the memory (vfork), or
				   * that can't be known */
	RELINK_E_CONTEXT = -14,   /* not from a signal handler in a commit, a vfork child, or a raw fork child made in mid-commit */
	RELINK_E_RUNTIME = -15,   /* another, incompatible relink runtime owns this process */
	RELINK_E_PENDING = -16,   /* a module with sites of this key could not be brought to the current state when it was loaded */
	RELINK_E_DEGRADED = -17,  /* a roll-back failed earlier; relink_status() says where */
	RELINK_E_AMBIGUOUS = -18, /* several modules have a choice of that name; write module:name */
	RELINK_E_SYNTAX = -19,    /* a malformed name=state list */
	RELINK_E_TRAPS = -20,     /* int3 is needed and not possible now: tracer attached, handler replaced, memory shared (vfork) */
	RELINK_E_STOP = -21,      /* a thread can't be stopped, or is inside of code that changes or is to be left; the text names it */
	RELINK_E_MODE = -22,      /* threads run, and one store can't change this code: use start-up or stop mode */
	RELINK_E_AGENT = -23,     /* the agent can't be started, or does not end; the text says why */
	RELINK_E_BAKED = -24,     /* the choice is baked into this file, see relink(1); run the file that was made from */
};

struct relink_error {
	int code;              /* enum relink_code */
	uintptr_t site;        /* address of the site, 0 where the error is not about one */
	char choice[64];       /* name of the choice, or "" */
	char module[96];       /* file of the module, or "" */
	char text[640];        /* what, where, why and what to do, in one line */
};

/* One line for a person: "choice in module: reason". Lives as long as *err. Any context. */
RELINK_API const char *relink_error_text(const struct relink_error *err);

/* The name of a code, such as "RELINK_E_FINAL". Never NULL. Any context. */
RELINK_API const char *relink_code_name(int code);

RELINK_END_DECLS

#endif
