/* SPDX-License-Identifier: MIT */
/*
 * core.h - sites, choices, plan, commit, roll-back. Freestanding: no libc, no operating system, no encodings; memory, code
 * writes and barriers come through struct rl_hooks, bytes through the port.
 *
 * The path of one datum:
 *
 *	wish -> choice.c (what is effective now?) -> plan.c (which sites, which bytes, are the old ones there?)
 *	     -> protocol.c (in which order, with which barriers) -> write.c -> bound
 *
 * Everything here runs under one lock that the caller holds.
 */
#ifndef RL_CORE_H
#define RL_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <relink/abi.h>
#include <relink/call.h>
#include <relink/commit.h>
#include <relink/immediate.h>
#include <relink/key.h>
#include <relink/ops.h>
#include <relink/option.h>
#include <relink/sequence.h>
#include <relink/status.h>

#include "arch/port.h"
#include "core/query.h"
#include "core/range.h"

/* Points between the steps of a protocol where tests inject delays and faults. */
enum rl_step {
	RL_STEP_VERIFIED, RL_STEP_PREPARED, RL_STEP_GUARDED, RL_STEP_GUARD_BARRIER, RL_STEP_OPERANDS, RL_STEP_OPERAND_BARRIER,
	RL_STEP_OPCODES, RL_STEP_OPCODE_BARRIER, RL_STEP_ROLLBACK, RL_STEP_SPAN, RL_STEPS
};

struct rl_hooks {
	void *(*alloc)(size_t size); /* zeroed, or NULL */
	void (*free)(void *memory);
	int (*begin)(const char **why); /* opens the window: no signal handler runs until end */
	int (*write)(uintptr_t address, const void *bytes, size_t length); /* 0 or -errno; others may see some of the bytes */
	int (*store)(uintptr_t address, const uint8_t bytes[8]); /* an aligned word, seen whole, if one_store; 0 or -errno */
	int (*barrier)(void);             /* 0, or -errno and only the calling thread is synchronised */
	void (*end)(void);
	bool (*alone)(bool patient);      /* is this the only thread? Patient: as soon as those are gone that have ended */
	const char *(*traps_refused)(void); /* NULL: int3 may be used now */
	/* Parks all other threads, outside of these ranges; nothing but begin .. end is called until resume. 0, or -errno
	 * with everybody running and the reason in `why`. NULL: there is no code for which that would be needed. */
	int (*park)(struct rl_ranges *ranges, char *why, size_t size);
	void (*resume)(void);
	/* Whole pages of data become writable, or read-only; the writer's own stores follow. 0 or -errno. NULL: they are always writable. */
	int (*protect)(uintptr_t start, uintptr_t stop, bool writable);
	void (*step)(int step);           /* NULL but in tests */
	/* For tests: more ranges that nobody may be inside of when threads are parked. */
	const struct rl_range *ranges;
	size_t range_count;
};

#define RL_NONE (-1)   /* no opinion */
#define RL_CUSTOM (-2) /* a function that is no registered variant */

struct rl_module {
	struct rl_module *next;
	struct relink_module_header *header;
	const struct relink_branch_record *branches;
	size_t branch_count;
	const struct relink_patch_record *patches;
	size_t patch_count;
	const struct relink_use_record *uses;
	size_t use_count;
	uint32_t *use_order, *use_words; /* one allocation, made when somebody asks for uses; grouped by key, parallel */
	size_t use_indexed_count;
	bool uses_indexed;
	uint32_t *wide;    /* patches of several instructions, by address: their code as it was linked is in `originals` */
	size_t wide_count;
	uint32_t *original_at;
	uint8_t *originals;
	bool patches_stale; /* they are as linked, whatever their choices say */
	uintptr_t text_start, text_stop;
	const char *path; /* owned */
	const char *name; /* last component of path */
	uint32_t *order;  /* indices of branches, grouped by key */
	struct rl_group *groups;
	uint8_t *private_pages; /* one bit per page of text: written since that fork, so that a write can't fail for want of memory */
	unsigned forks;
	size_t pages;
	uintptr_t pointers_start, pointers_stop; /* variables that are accelerated pointers; see pointer.c */
	struct rl_choice **pointers; /* by word; NULL: nothing is known of that word */
	bool pointers_sealed; /* they have been read, and are read-only */
	bool pointers_open;   /* but not now */
	bool indexed;     /* where its calls are, a table in its memory says */
	bool quiet;       /* being loaded: no thread runs its code yet */
	bool pending;     /* could not be brought to the current state */
};

/* The sites of one key, or of one call with one home, in one module; sorted by address. */
struct rl_group {
	struct rl_group *next;           /* of the same key or call */
	struct rl_group *next_in_module;
	struct rl_module *module;
	struct rl_key *key;              /* either this ... */
	struct rl_choice *call;          /* ... or this */
	uint32_t *order;                 /* key: into module->order */
	struct rl_site *sites;           /* call: owned */
	size_t count;
	uintptr_t home;                  /* call: where unbound sites lead */
	bool stale;                      /* key: sites of a pending module, left in their link-time state */
	bool unlike;                     /* key: compiled for the default that the key had before it was baked */
	size_t unlike_count;
	bool trampoline;
	bool is_use;                     /* branches that have opinions of their own, see use.c */
	bool data;                       /* which are bytes that code tests */
	uint32_t *words;                 /* one for each */
	size_t moves;                    /* how many change in the commit in progress */
};

struct rl_site {
	uint32_t offset; /* from module->text_start */
	uint8_t kind;    /* enum rl_kind */
	uint8_t reason;  /* enum relink_reason; RELINK_BOUND: expresses the call's binding */
	uint16_t reserved;
};

struct rl_key {
	struct relink_key *key;
	struct rl_choice *owner;
	struct rl_group *groups;
	int value; /* of an option: true while the option is in this state; else 1 */
	bool state, next, born;
};

struct rl_variant {
	const char *name; /* owned */
	struct rl_module *module; /* NULL: withdrawn */
	void (*fn)(void);
	uint64_t constant;
	int64_t rank;
	const struct relink_when *when;
	const uint8_t *table; /* sequence: of a template, whose operands are in `constant` */
	uint8_t what; /* RL_FUNCTION, RL_NOTHING, RL_CONSTANT or RL_IDENTITY */
	bool narrow;
};

/* A function that stands for an instruction where a backend has it. */
struct rl_mark {
	struct rl_mark *next;
	struct rl_module *module;
	void (*fn)(void);
	uint64_t constant;
	uint8_t what;
	bool narrow;
};

/* A variant of a call whose own module has not come yet. */
struct rl_waiting {
	struct rl_waiting *next;
	struct rl_module *module;
	const struct relink_variant_record *record;
	bool holds;
};

struct rl_drive {
	struct rl_drive *next;
	struct rl_module *module;
	struct rl_choice *option;
	int state;
	struct rl_choice *choice;
	int to;
};

struct rl_choice {
	struct rl_choice *next;
	struct rl_module *module;
	const char *name, *doc;
	char *own_name;  /* elements of arrays, keys without a record: the name is made here */
	int kind;        /* enum relink_choice_kind */
	uint32_t flags;
	const char **states;
	unsigned char *usable;
	struct rl_variant *variants; /* call: one per state */
	size_t count, capacity;
	int initial;
	int state, decided_by;
	int next_state, next_by;     /* of the commit in progress */
	int asked[RELINK_LEVELS];
	int next_asked[RELINK_LEVELS];
	void (*custom)(void);        /* the program's own target, if asked[RELINK_BY_PROGRAM] is RL_CUSTOM */
	void (*next_custom)(void);
	void (*bound_custom)(void);  /* target while state is RL_CUSTOM */
	char custom_name[64];
	const char *(*choose)(const struct relink_facts *facts);
	int uses;                    /* key: inc minus dec */
	size_t use_moves;            /* key: uses that change in the commit in progress */
	bool touched;                /* by the commit in progress */
	bool patched;                /* key: some module has patches that depend on it */
	bool has_when;               /* call: some variant is for states of other choices */
	bool anonymous;              /* key without a record: in a struct */
	bool has_default;            /* call: the default target has been seen; or the baked one */
	bool trampoline_ok;          /* call: the trampoline is what it should be */
	bool new_target;             /* final call: has moved, see rl_final_target */
	struct rl_key *keys;         /* key: 1; option: count */
	size_t key_count;
	struct relink_call *call;
	struct relink_call pointer;  /* pointer: what `call` is; its slot is the variable */
	struct relink_option *option;
	struct relink_immediate *immediate;
	unsigned width;              /* immediate: bytes */
	struct rl_group *groups;     /* call: its sites; the trampoline is a group of its own */
	struct rl_choice *owner;     /* call: the ops table that it is a member of; two variants then, see ops.c */
	const struct relink_op *op;
	bool is_read;                /* member: bound to what some backend has */
	struct rl_choice **members;  /* ops table; its variants are backends, `fn` is the address of one */
	size_t member_count;
	unsigned long changed;       /* core->changes when it was changed last */
};

/* A rewrite of a site that is more than the flip of a branch. */
struct rl_change_record {
	uintptr_t address;
	uint8_t old[RL_SITE_MAX], new[RL_SITE_MAX];
	uint8_t kind, length, change, reason;
	struct rl_site *site;
};

#define RL_SPAN 65536
#define RL_SPAN_CHANGES 4096

/* Bytes on their way into code: neighbouring changes leave in one write. */
struct rl_span {
	uintptr_t start;
	size_t length, count;
	uint8_t image[RL_SPAN]; /* the code as it was found */
	struct {
		uint16_t at;
		uint8_t to;
	} changes[RL_SPAN_CHANGES];
};

struct rl_plan;

struct rl_core {
	const struct rl_hooks *hooks;
	const struct rl_port *port;
	bool can_write;    /* code was proved writable at start */
	bool can_sync;     /* a barrier is available */
	bool one_store;    /* the program has allowed it, and it was tried */
	bool traps, strict;
	bool foreign_stacks; /* the program has declared stacks that no thread runs on */
	bool closed;       /* start-up is over: final choices are decided */
	bool final_moved;  /* see rl_final_target */
	bool degraded;
	char degraded_text[160];
	const char *why;   /* why code can't be written or synchronised */
	const char *lost;  /* why it could not when last tried, after it could at start; NULL: it still can */
	struct rl_module *modules;
	struct rl_choice *choices, *last_choice;
	struct rl_drive *drives;
	struct rl_waiting *waiting;
	struct rl_mark *marks;
	size_t member_count; /* of all ops tables */
	size_t module_count, pending_count, call_count;
	size_t pointer_modules; /* that have accelerated pointers */
	struct rl_key *locks; /* what lock prefixes depend on; its state `off` is usable while a second thread would be noticed */
	const char *locks_why; /* why it is not */
	size_t unindexed;     /* modules whose uses nobody has asked for yet; they are as linked, and so are their keys */
	size_t lock_count;    /* lock prefixes of all modules; without one the key `locks` is not listed */
	size_t when_count; /* calls with has_when */
	uint64_t cpu;      /* features that are there */
	uint64_t commits, barriers, writes, memory;
	unsigned forks;    /* that this process is known to have made or come from */
	uint64_t foreign;  /* bytes of others that appeared in a span and were kept */
	struct rl_old *old; /* what calls were bound to, see old.c */
	size_t old_count, old_capacity;
	uint64_t old_sequence;
	struct rl_span *span;
	uintptr_t failed_at; /* the bytes that a write of this commit did not bring */
	size_t failed_length;
	/* guards, for the trap handler: written under an odd sequence */
	struct rl_change_record *guards;
	size_t guard_count, guard_capacity;
	unsigned guard_sequence;
	struct rl_known *known; /* sites that had a guard at some time */
	unsigned long changes; /* counts what listings show: states, who decides, opinions, choices and modules that come and go */
	uint64_t removals; /* of modules: pointers to choices, groups and modules are good until it moves */
};

/* Read without the lock, too. */
static inline unsigned long rl_count_change(struct rl_core *core)
{
	return __atomic_add_fetch(&core->changes, 1, __ATOMIC_RELAXED);
}

/* ---- text.c: bounded strings ---- */
struct rl_text {
	char *at;
	size_t left;
};
struct rl_text rl_text_into(char *buffer, size_t size);
void rl_text_add(struct rl_text *t, const char *s);
void rl_text_add_n(struct rl_text *t, const char *s, size_t n);
void rl_text_add_hex(struct rl_text *t, uint64_t v);
void rl_text_add_dec(struct rl_text *t, uint64_t v);
size_t rl_length(const char *s);
bool rl_same(const char *a, const char *b);
bool rl_same_n(const char *a, const char *b, size_t n); /* a is NUL-terminated, b has n characters */
char *rl_copy_string(struct rl_core *core, const char *s);

/* ---- error.c ---- */
int rl_fail(struct relink_error *err, int code, const struct rl_choice *choice, const char *reason);
int rl_fail_site(struct relink_error *err, int code, const struct rl_choice *choice, const struct rl_module *module,
		 uintptr_t site, const char *reason);
int rl_fail_unknown(const struct rl_core *core, struct relink_error *err, const char *name, size_t length);
int rl_fail_baked(struct relink_error *err, const struct rl_choice *choice);
int rl_fail_state(struct relink_error *err, const struct rl_choice *choice, const char *state, size_t length);

/* ---- choice.c ---- */
/* Decided in the file for good. */
static inline bool rl_is_baked(const struct rl_choice *c)
{
	return (c->flags & RELINK_BAKED) != 0;
}
bool rl_has_module(const struct rl_core *core, const char *name, size_t length);
struct rl_choice *rl_find_choice(struct rl_core *core, const char *name, size_t length, int *code);
int rl_find_state(const struct rl_choice *choice, const char *state, size_t length);
/* The same; a number of an immediate becomes a state by being named. */
int rl_want_state(struct rl_core *core, struct rl_choice *choice, const char *state, size_t length);
int rl_number_state(struct rl_core *core, struct rl_choice *choice, uint64_t value);
const char *rl_state_name(const struct rl_choice *choice, int state);
/* The state that is effective with the opinions in `asked`, and who decides. */
int rl_resolve(const struct rl_core *core, const struct rl_choice *choice, const int *asked, int *by);
int rl_ask(struct rl_core *core, struct rl_choice *choice, int level, int state, void (*custom)(void), struct relink_error *err);
/* What the entry is about; NULL: it has not come yet. */
struct rl_choice *rl_when_choice(const struct relink_when *when);
struct rl_want rl_want_of(const struct rl_choice *call, int state, void (*custom)(void));

/* ---- registry.c: records and choices ---- */
struct rl_choice *rl_new_choice(struct rl_core *core, struct rl_module *module, int kind, const char *name, const char *doc);
bool rl_grow_states(struct rl_core *core, struct rl_choice *choice);
bool rl_add_choices(struct rl_core *core, struct rl_module *module);
/* Variants and drives. Conditions call user code, so the caller has evaluated them before it took the lock. */
typedef bool rl_condition(const struct relink_variant_record *variant);
bool rl_add_rules(struct rl_core *core, struct rl_module *module, rl_condition *condition);
const struct relink_record *rl_next_record(const void **at, const void *stop);
/* A key that belongs to no module. */
struct rl_key *rl_add_builtin_key(struct rl_core *core, struct relink_key *key, const char *name, const char *doc, uint32_t flags);
struct rl_key *rl_key_of(struct rl_core *core, struct relink_key *key);
struct rl_key *rl_anonymous_key(struct rl_core *core, struct rl_module *module, struct relink_key *key, bool on);
/* Variants of calls that have come since. */
bool rl_admit_waiting(struct rl_core *core);
void rl_withdraw_variants(struct rl_core *core, struct rl_module *module);
void rl_remove_drives(struct rl_core *core, struct rl_module *module);
void rl_remove_choices(struct rl_core *core, struct rl_module *module);

struct rl_choice *rl_new_choice(struct rl_core *core, struct rl_module *module, int kind, const char *name, const char *doc);

/* ---- ops.c: operations tables ---- */
bool rl_add_tables(struct rl_core *core, struct rl_module *module); /* after the calls that are their members */
bool rl_init_member(struct rl_core *core, struct rl_choice *member);
/* Members of a module's baked tables: what the backend has, which is what their code and slots are. After variants and marks. */
void rl_read_baked(const struct rl_core *core, const struct rl_module *module);
void rl_free_ops(struct rl_core *core, struct rl_choice *choice);
void rl_remove_marks(struct rl_core *core, const struct rl_module *module);
/* Does the program's own target of this call or table leave with the module? */
bool rl_is_custom_in(const struct rl_choice *choice, const struct rl_module *module);
bool rl_backend_named(const struct rl_choice *table, const char *have, const char *state, size_t length);
int rl_fail_member(struct relink_error *err, const struct rl_choice *member);

/* ---- group.c: sites ---- */
bool rl_add_branches(struct rl_core *core, struct rl_module *module);
bool rl_add_trampolines(struct rl_core *core, struct rl_module *module);
void rl_remove_groups(struct rl_core *core, struct rl_module *module);
struct rl_group *rl_new_group(struct rl_core *core, struct rl_module *module);
void rl_sort_group(const struct rl_group *g);
void rl_unlink_group(struct rl_group **list, struct rl_group *group);

/* ---- use.c: branches that have opinions of their own ---- */
bool rl_index_uses(struct rl_core *core, struct rl_module *module); /* false: out of memory */
bool rl_index_all_uses(struct rl_core *core);
void rl_remove_uses(struct rl_core *core, struct rl_module *module);
/* Are there uses that nobody has asked for yet, and a key that is not what it was? */
bool rl_uses_wanted(const struct rl_core *core);
/* The steps of a commit, for the uses of one choice's keys. */
void rl_touch_uses(struct rl_choice *choice);
void rl_forget_use_opinions(struct rl_choice *choice, int level);
void rl_resolve_uses(struct rl_choice *choice);
void rl_hold_uses(struct rl_choice *choice);
void rl_adopt_uses(struct rl_choice *choice);
/* Puts queries into the commit. 0 or a code. */
int rl_ask_uses(struct rl_plan *plan, const char *text, size_t length, int level);
/* RELINK_OVERRIDDEN, and the plan's error says so, if a use that was asked for stays what somebody above says. */
int rl_report_uses(const struct rl_plan *plan, int level);
/* What lists say about a module that arrives: its settling decides. */
void rl_apply_queries(struct rl_core *core, struct rl_module *module, const char *text, size_t length, int level);
void rl_apply_key_to_uses(struct rl_module *module, const struct rl_choice *choice, int level);
/* All terms, with key and module. */
bool rl_match_use(struct rl_match *match, const struct rl_group *group, size_t i);
bool rl_query_finds(const struct rl_core *core, const struct rl_query *query);
struct rl_use_state {
	bool on;
	int decided_by;
};
struct rl_use_state rl_use_state(const struct rl_group *group, size_t i);

/* ---- pointer.c: accelerated pointers ---- */
bool rl_add_pointers(struct rl_core *core, struct rl_module *module);
void rl_remove_pointers(struct rl_core *core, struct rl_module *module);
static inline bool rl_is_pointer(const struct rl_choice *c)
{
	return c->kind == RELINK_PTR;
}
/* The module in whose section the word lies, or NULL. */
struct rl_module *rl_pointer_module(const struct rl_core *core, uintptr_t address);
/* The choice of a word in a module's section; made, without a name, if it has none yet. NULL: there is no such word, or memory. */
struct rl_choice *rl_pointer_choice(struct rl_core *core, uintptr_t address);
/* Names that are there already stay. `offset`: of the word in the variable, which has `length` bytes. */
bool rl_name_pointer(struct rl_core *core, struct rl_choice *pointer, const char *name, size_t name_length, size_t offset, size_t length,
		     bool is_array);
/* A name for what has none: its address. */
bool rl_name_anonymous(struct rl_core *core, struct rl_choice *pointer);
/* Takes over what the program has assigned in modules where that has not happened. Has any? *r: 0, or the error of the last that failed. */
bool rl_seal_pointers(struct rl_core *core, struct relink_error *err, int *r);
/* What the variable held then gets the name of the function. */
void rl_name_start(struct rl_core *core, struct rl_choice *pointer, const char *name);
/* Around a commit: the variables that it changes are writable. 0, or a code and all are as before. */
int rl_open_pointers(struct rl_plan *plan);
void rl_close_pointers(struct rl_plan *plan);

/* ---- patch.c: lock prefixes, immediates, alternatives ---- */
bool rl_add_patches(struct rl_core *core, struct rl_module *module);
void rl_remove_patches(struct rl_core *core, struct rl_module *module);
/* Code that stays as it is in the file. */
static inline bool rl_is_baked_patch(const struct relink_patch_record *p)
{
	return (p->flags & RELINK_PATCH_BAKED) != 0;
}
/* Is this address inside of code that is more than one instruction's? */
bool rl_in_patch(const struct rl_module *module, uintptr_t address);
/* Visits the patches that depend on a choice that moves, or all of a module that is fresh. */
int rl_plan_patches(struct rl_plan *plan);
/* Would this commit change a module's patches that stay as linked? */
const struct rl_module *rl_stale_patches(const struct rl_core *core);
/* The same for one choice. */
bool rl_has_stale_patches(const struct rl_core *core, const struct rl_choice *choice);
/* The first patch that this commit changes and that has bytes in what could not be written. */
bool rl_failed_patch(const struct rl_plan *plan, const struct rl_choice **owner, const struct rl_module **module, uintptr_t *site);
/* Visits the sites of patches that depend on the choice until visit returns non-zero. */
int rl_each_patch(const struct rl_core *core, const struct rl_choice *choice,
		  int (*visit)(const struct rl_module *module, const struct relink_patch_record *patch, void *ctx), void *ctx);

/* Is there a site? And the choice, or one of them, that it depends on; NULL: on features alone. */
bool rl_patch_at(const struct rl_core *core, const struct rl_module *module, size_t i, const struct rl_choice **choice);

/* Does changing this choice change patches? */
static inline bool rl_has_patches(const struct rl_choice *c)
{
	return c->patched || c->immediate || (c->flags & RELINK_SEQUENCE_FLAG);
}

/* The key `locks` is nobody's business where there are no lock prefixes. */
static inline bool rl_is_listed(const struct rl_core *core, const struct rl_choice *c)
{
	return core->lock_count || !core->locks || c != core->locks->owner;
}

/* ---- baked.c ---- */
/* A feature that baked code of the module relies on and the machine lacks, or the other way round; RL_NONE: there is none. */
int rl_baked_for_others(const struct rl_core *core, const struct rl_module *module);

/* ---- sequence.c ---- */
struct rl_choice *rl_sequence_choice(const struct relink_sequence_use *use);
/* The site's bytes: `length` of them. False: no code for these registers, or out of reach. */
bool rl_encode_sequence(const struct rl_core *core, const struct relink_sequence_use *use, uintptr_t site, size_t length, bool next,
			const uint8_t *original, uint8_t *out);
/* What is to be in the room beside the function: RELINK_COPY_SIZE bytes. False: nothing. */
bool rl_encode_copy(const struct rl_core *core, const struct relink_sequence_use *use, size_t length, bool next, uint8_t *out);

/* ---- number.c: states of immediates ---- */
/* After a commit: those that nobody asks for any more. */
void rl_forget_numbers(struct rl_core *core, struct rl_choice *choice);
bool rl_add_immediate(struct rl_core *core, struct rl_module *module, const struct relink_choice_record *record);

/* ---- module.c ---- */
struct rl_image_info {
	uintptr_t text_start, text_stop;
	const char *path;
};
struct rl_module *rl_module_add(struct rl_core *core, struct relink_module_header *header, const struct rl_image_info *image,
				rl_condition *condition, struct relink_error *err);
void rl_module_remove(struct rl_core *core, struct rl_module *module);

struct rl_raw_site {
	uintptr_t address;
	uintptr_t home;
	struct rl_choice *call;
	uint8_t kind;
	uint8_t reason; /* 0, or why it is never rewritten */
};
int rl_module_add_calls(struct rl_core *core, struct rl_module *module, struct rl_raw_site *sites, size_t count);

/* ---- records of branches; inline, since commits walk them by the million ---- */
static inline uintptr_t rl_at_field(const int32_t *field)
{
	return (uintptr_t)field + (uintptr_t)(intptr_t)*field;
}

static inline uintptr_t rl_patch_site(const struct relink_patch_record *record)
{
	return rl_at_field(&record->site);
}

static inline uintptr_t rl_branch_site(const struct relink_branch_record *record)
{
	return rl_at_field(&record->site);
}

static inline unsigned rl_branch_flags(const struct relink_branch_record *record)
{
	return rl_at_field(&record->ref) & 7;
}

static inline struct relink_key *rl_branch_key(const struct relink_branch_record *record)
{
	uintptr_t ref = rl_at_field(&record->ref);

	if (ref & RELINK_BRANCH_DIRECT)
		return (struct relink_key *)(ref & ~(uintptr_t)7);
	return *(struct relink_key **)(ref & ~(uintptr_t)7);
}

static inline const struct relink_use_record *rl_group_use(const struct rl_group *group, size_t i)
{
	return &group->module->uses[group->order[i]];
}

static inline const struct relink_branch_record *rl_group_record(const struct rl_group *group, size_t i)
{
	return group->is_use ? &rl_group_use(group, i)->branch : &group->module->branches[group->order[i]];
}

/* Is this branch rewritten when the group's key becomes something else? A use may be what it is to become. */
static inline bool rl_branch_moves(const struct rl_group *group, size_t i)
{
	return !group->is_use || ((group->words[i] ^ group->words[i] >> 16) & 0x4000u);
}

/* Does a branch that is rewritten express "on" then? `forth`: what the key becomes; for a use, whether the commit goes forward. */
static inline bool rl_branch_becomes(const struct rl_group *group, size_t i, bool forth)
{
	return group->is_use ? (group->words[i] & 0x4000u) == 0 ? forth : !forth : forth;
}

/* Sites of a baked call in its own file are what they are to be, bound or not. */
static inline bool rl_is_baked_group(const struct rl_group *g)
{
	return g->call && rl_is_baked(g->call) && g->module == g->call->module;
}

/* What a key's sites express as linked. */
static inline bool rl_group_born(const struct rl_group *g)
{
	return g->key->born != g->unlike;
}

static inline uintptr_t rl_group_address(const struct rl_group *group, size_t i)
{
	if (group->key)
		return rl_branch_site(rl_group_record(group, i));
	return group->module->text_start + group->sites[i].offset;
}

/* ---- write.c ---- */
int rl_span_put(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length);
int rl_span_flush(struct rl_core *core);
int rl_store_word(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length);
int rl_make_private(struct rl_core *core, struct rl_module *module, uintptr_t address, size_t length);

/* ---- plan.c, protocol.c ---- */
struct rl_plan {
	struct rl_core *core;
	struct relink_error *err;
	struct rl_choice **choices; /* those that this commit may change */
	size_t choice_count;
	int alone;                 /* RL_NONE: not asked yet; finding out takes a system call */
	bool quiet;                /* found to be alone, or all others will be parked: any change, any order */
	bool stop;                 /* they will be */
	bool finals;               /* final choices may change, too */
	bool patient;              /* the next answer may be waited for */
	int trap;                  /* may int3 be used? RL_NONE: not asked yet */
	const char *no_trap;       /* why not */
	bool bind;                 /* look at the sites of pointers that do not move, too */
	bool rebind;               /* look at the sites of calls that do not move, too */
	struct rl_module *arriving; /* being loaded: nobody runs its code yet */
	bool fresh;                /* and its sites are still as linked */
	int mode;                  /* enum relink_mode, where no caller says it */
	bool keep;                 /* choices of other modules that need not change stay as they are */
	struct rl_change_record *changes;
	size_t change_count, change_capacity;
	const struct rl_range *ranges; /* that nobody may be inside of, in stop mode */
	bool flips;                /* some branch changes */
	bool writes;               /* some code changes */
	bool others;               /* and some of it is code that threads may be running */
	bool synced, unsynced;     /* a barrier has succeeded; one has failed */
	bool phased;               /* more than the last phase is needed */
	bool begun;                /* where calls lead has changed while threads ran, perhaps for a moment only */
};
int rl_plan_mode(struct rl_plan *plan, int mode); /* enum relink_mode; who may be running then. 0 or a code */
int rl_plan_build(struct rl_plan *plan);
int rl_plan_run(struct rl_plan *plan);
void rl_plan_free(struct rl_plan *plan);
bool rl_reserve_changes(struct rl_plan *plan, size_t more); /* room for so many more */
int rl_fail_wrong_bytes(struct rl_plan *plan, const struct rl_choice *choice, const struct rl_module *module, uintptr_t site);
/* Visits the groups of branches that change; `on` is the key's new state. */
int rl_walk_flips(struct rl_plan *plan, int (*visit)(struct rl_plan *plan, struct rl_group *group, bool on));
bool rl_call_moves(const struct rl_choice *call); /* or the backend of a table */
/* Members of the tables among the plan's choices get the state that their table's next backend asks for. In ops.c. */
void rl_follow_tables(struct rl_plan *plan);
/* Is the calling thread the only one that can run code of this process? */
bool rl_alone(struct rl_plan *plan);
bool rl_alone_at_last(struct rl_plan *plan); /* else it is an error, and worth waiting for threads that have been joined */
/* May int3 be used in this commit? */
bool rl_may_trap(struct rl_plan *plan);

/* Fails with the site that this address is in, where it is in one of a choice that changes. */
int rl_fail_at(const struct rl_plan *plan, int code, uintptr_t address, size_t length, const char *reason);

/* ---- commit.c ---- */
struct rl_decision {
	struct rl_choice *choice;
	int level, state; /* RL_NONE withdraws */
	void (*custom)(void);
	const char *query; /* instead of a choice and its state: about uses */
	size_t query_length;
	bool keep_uses;    /* key: what is asked is asked already, so it says nothing new about its uses */
};
void rl_touch(struct rl_plan *plan, struct rl_choice *choice);
/* Decides, plans, writes, remembers; or nothing. */
int rl_commit(struct rl_core *core, const struct rl_decision *decisions, size_t count, int mode, struct relink_error *err);
/* Final calls keep their targets for good, so the modules that hold them must stay loaded. Returns the next target outside of its
 * call's module that this has not been done for, or 0. */
uintptr_t rl_final_target(struct rl_core *core);
/* Recomputes every choice after opinions or variants came or went. `arriving` is a module that nobody runs yet, or NULL;
 * `fresh`: its sites are as linked. `rebind` looks at sites of calls that do not move, too. */
int rl_settle(struct rl_core *core, struct rl_module *arriving, bool fresh, bool rebind, struct relink_error *err);
/* When all together failed, what has to be: the choices of `arriving`, and calls whose target has left. */
int rl_settle_least(struct rl_core *core, struct rl_module *arriving, bool fresh, struct relink_error *err);
/* The same without a module that arrives, with all threads parked: a sequence whose function leaves is several instructions. */
int rl_settle_stopped(struct rl_core *core, struct relink_error *err);

/* Binds what can be bound of the calls through pointers. */
int rl_bind_pointers(struct rl_core *core, int mode, struct relink_error *err);

/* ---- stop.c ---- */
/* Parks the others where the plan asks for it. 0 or a code; then rl_stop_end. */
int rl_stop_begin(struct rl_plan *plan);
void rl_stop_end(struct rl_plan *plan);

/* ---- old.c: functions that calls have left, until it is proved that no thread is in them any more ---- */
struct rl_old {
	uintptr_t address;
	uint64_t sequence; /* of the last time */
};
/* Room for what this commit will leave. False: out of memory. */
bool rl_old_reserve(struct rl_plan *plan);
void rl_old_add(struct rl_core *core, uintptr_t address);
/* Copies those that no call is bound to now; returns how many there are, which may be more than there is room for. */
size_t rl_old_list(const struct rl_core *core, uintptr_t *list, size_t capacity);
/* Nobody is in these any more, says a proof that was begun at `sequence`. */
void rl_old_forget(struct rl_core *core, const uintptr_t *list, size_t count, uint64_t sequence);
void rl_old_forget_range(struct rl_core *core, uintptr_t start, uintptr_t stop);

/* ---- guard.c: what the trap handler asks; find and known are lock-free and async-signal-safe ---- */
int rl_guard_reserve(struct rl_core *core, size_t count);
void rl_guard_publish(struct rl_core *core, const struct rl_change_record *changes, size_t count);
bool rl_guard_find(struct rl_core *core, uintptr_t address, int *kind, uint8_t bytes[8]);
bool rl_guard_known(struct rl_core *core, uintptr_t address);

#endif
