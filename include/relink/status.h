/* SPDX-License-Identifier: MIT */
/*
 * status.h - start-up, and what the runtime knows: modes, counts and reasons.
 *
 * relink_init() is optional. Without it a constructor applies environment, file and choice functions; with it the
 * command line speaks too.
 */
#ifndef RELINK_STATUS_H
#define RELINK_STATUS_H

#include <stddef.h>
#include <relink/abi.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

/*
 * Takes `--relink LIST` and `--relink=LIST` out of argv (up to a `--`) and commits them at the command line's level.
 * LIST is "name=state,name=state name": commas or spaces between, a bare name means on. An unknown name or state is an
 * error that lists what exists, and nothing has changed; argv is then left as it was. Call it once, from main.
 */
RELINK_API int relink_init(int *argc, char **argv, struct relink_error *err);

/* Applies one LIST at the command line's level; for programs with an option parser of their own. */
RELINK_API int relink_apply(const char *list, struct relink_error *err);

/* What a program declares about itself. Call it early: from main, before threads. Declarations can't be withdrawn. */
/*
 * RELINK_TRAPS: no thread blocks SIGTRAP, and no child of vfork that goes on running this program's code does or takes the handler
 * away. So int3 may be used, and every site can be changed live; not while a process that shares the memory is seen to live, see
 * docs/environments.md. RELINK_E_TRAPS: it is declared, but int3 is not possible now; sites stay where they are until their
 * next change.
 */
#define RELINK_TRAPS 1u
#define RELINK_STRICT_XMC 2u /* int3 for every change of code, as Intel's manual asks; implies RELINK_TRAPS */
/*
 * RELINK_WRITABLE_CODE: a page of code may be writable and executable while a commit changes it. Then calls that are not
 * final are bound wherever their instruction lies in one aligned word, and immediates change with threads running: each
 * by one store. Without it code is never writable, /proc/self/mem writes it, and that other threads may see happen byte
 * by byte. RELINK_E_WRITE: the system does not allow it (PR_SET_MDWE, SELinux execmem, a seccomp filter).
 */
#define RELINK_WRITABLE_CODE 8u
#define RELINK_FOREIGN_STACKS 4u /* there are stacks that no thread runs on (coroutines): relink_quiesce can't prove anything */
RELINK_API int relink_declare(unsigned what, struct relink_error *err);

enum relink_site_kind {
	RELINK_SITE_BRANCH,     /* static key */
	RELINK_SITE_CALL,       /* call of a static call */
	RELINK_SITE_TAIL,       /* jmp to one */
	RELINK_SITE_JCC,        /* conditional jump to one */
	RELINK_SITE_TRAMPOLINE,
	RELINK_SITE_LOCK,        /* prefix of an atomic operation */
	RELINK_SITE_IMMEDIATE,   /* constant in an instruction */
	RELINK_SITE_ALTERNATIVE,
	RELINK_SITE_SEQUENCE,
	RELINK_SITE_POINTER_CALL, /* call through an accelerated pointer */
	RELINK_SITE_POINTER_TAIL, /* jmp through one */
	RELINK_SITE_POINTER_USE,  /* an instruction that gets at one in another way, and that is never rewritten; the reason says how */
	RELINK_SITE_KINDS
};

/* Why a site is where it is. */
enum relink_reason {
	RELINK_BOUND,          /* expresses its choice directly */
	RELINK_UNALIGNED,      /* on its trampoline: one store can't change it, and its choice wasn't decided before threads ran */
	RELINK_UNDECLARED,     /* on its trampoline: its choice isn't final, and neither RELINK_WRITABLE_CODE nor RELINK_TRAPS is declared */
	RELINK_OUT_OF_RANGE,   /* on its trampoline: target more than 2 GiB away */
	RELINK_INDIRECT,       /* on its trampoline: code can't be written */
	RELINK_BY_STUB,        /* on its trampoline: what the choice asks does not fit the site's instruction */
	/* Of pointers. Where the above say "on its trampoline", a call through a pointer loads the variable, as it was compiled. */
	RELINK_UNCOMMITTED,    /* the program has made no commit yet since the module came: the variable may still be assigned */
	RELINK_BY_REGISTER,    /* the pointer is loaded into a register first */
	RELINK_BY_GOT,         /* the variable is found through the GOT: give it hidden visibility */
	RELINK_BY_ADDRESS,     /* its address is taken, or computed with an index */
	RELINK_REASONS
};
RELINK_API const char *relink_site_kind_name(int kind);
RELINK_API const char *relink_reason_name(int reason);

struct relink_status {
	uint32_t size;     /* set by the caller: sizeof(struct relink_status) */
	uint32_t abi;
	const char *arch;    /* "x86-64", "generic" */
	const char *writer;  /* "/proc/self/mem", or "none" */
	const char *barrier; /* "membarrier", "none" */
	char mode[160];      /* "direct", "direct at start-up only: why" (threads can't be synchronised), "direct until now: why" (the
			      * last commit could not), "indirect: why" (never could), "degraded: where" */
	char notes[512];     /* environment and file entries that could not be used, modules without sites and why; one line each */
	uint32_t one_store;  /* 1: aligned words of code are changed by one store, see RELINK_WRITABLE_CODE */
	uint32_t traps;      /* 1: int3 is in use */
	uint32_t modules;
	uint32_t pending;    /* modules that could not be brought to the current state */
	uint64_t commits, barriers, writes; /* since start: commits that changed code, barriers and writes they took */
	uint64_t sites[RELINK_SITE_KINDS][RELINK_REASONS];
	uint64_t memory;     /* bytes that the runtime allocated for sites */
	char locks[160];     /* lock prefixes of atomic operations: "off: why they may be" or "on: why they are not off" */
};
/* Fills *status. 0 or RELINK_E_ARGUMENT. Any thread; not from a signal handler. */
RELINK_API int relink_get_status(struct relink_status *status);

enum relink_choice_kind { RELINK_KEY = 1, RELINK_CALL = 2, RELINK_OPT = 3, RELINK_OPS = 4, RELINK_IMM = 5, RELINK_PTR = 6 };

struct relink_choice_info {
	uint32_t size;
	int kind;              /* enum relink_choice_kind */
	uint32_t flags;        /* RELINK_FINAL, RELINK_NONFORCIBLE, RELINK_BAKED */
	int decided_by;        /* enum relink_level */
	const char *name, *doc, *module;
	const char *state;     /* effective */
	const char *initial;   /* default */
	const char *asked[7];  /* what each level asked for, by enum relink_level; NULL: nothing */
	const char *const *states; /* all states; `custom:...` is not among them */
	const unsigned char *usable; /* per state: 1 if its condition holds here */
	size_t count;          /* of states */
	uint64_t sites[RELINK_REASONS];
};
/* Calls visit for every choice until it returns non-zero, and returns that. Pointers are valid during the visit only;
 * the visitor must not call relink. Any thread; not from a signal handler. */
RELINK_API int relink_each_choice(int (*visit)(const struct relink_choice_info *info, void *ctx), void *ctx);

struct relink_site_info {
	uint32_t size;
	int kind;    /* enum relink_site_kind */
	int reason;  /* enum relink_reason */
	uintptr_t address;
	const char *choice, *module;
};
RELINK_API int relink_each_site(int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx);

/* Called after a module arrived that could not be brought to the current state, outside all locks. NULL: nobody. */
typedef void relink_pending_fn(const struct relink_error *why, void *ctx);
RELINK_API void relink_on_pending(relink_pending_fn *fn, void *ctx);

/* Modules hand in their records with these; the headers' constructors call them. */
RELINK_API void relink_attach(struct relink_module_header *header);
RELINK_API void relink_detach(struct relink_module_header *header);

RELINK_END_DECLS

#endif
