/* SPDX-License-Identifier: MIT */
/* internal.h - what the files of the checker share. */
#ifndef RELINK_CHECKER_INTERNAL_H
#define RELINK_CHECKER_INTERNAL_H

#include "../tools/model/internal.h"
#include "checker.h"

/* ---- marked.c: which memory is marked ---- */

enum marked_kind { MARKED_POINTER, MARKED_KEY, MARKED_OPTION, MARKED_NUMBER, MARKED_CALL, MARKED_TABLE, MARKED_RECORD };

struct marked {
	uint64_t start, size;
	enum marked_kind kind;
	const char *name; /* NULL: that of a symbol or a record in it */
};

/* One file, while it is checked. */
struct subject {
	struct model *model;
	struct marked *marked; /* by start */
	size_t marked_count, marked_capacity;
	uint64_t low, high;     /* nothing outside is marked: what most questions are about */
	struct alias { const char *symbol; uint64_t address; } *aliases; /* what other files define, at addresses that are none */
	size_t alias_count, alias_capacity;
	struct named { uint64_t start, size; const char *name; } *named; /* accelerated pointers that have a record */
	size_t named_count, named_capacity;
	uint64_t *absolute;    /* places in code that hold a whole address, sorted */
	size_t absolute_count, absolute_capacity;
	uint64_t *references;  /* places in code whose relocation leads to something marked, sorted */
	size_t reference_count, reference_capacity;
	bool *seen;            /* of references: an instruction was decoded there */
	struct indirect { uint64_t place, resolver; } *indirect; /* slots of functions that are chosen when the program is loaded */
	size_t indirect_count, indirect_capacity;
	uint64_t got_start, got_stop; /* of all slots: nothing else is one */
	uint64_t *start_up;    /* functions that run before main, sorted */
	size_t start_up_count, start_up_capacity;
	const struct checker_options *options;
};

/* Is it of a symbol that an object file does not define? */
bool is_outside(const struct model *model, uint64_t address);
void marked_read(struct subject *s);
struct exports {
	struct export { const char *name; uint64_t size; enum marked_kind kind; const struct model *model; } *list;
	size_t count, capacity;
	struct map by_name;
};
void exports_read(struct exports *e, const struct subject *subjects, size_t count);
void exports_free(struct exports *e);
/* What it does not define itself, looked up in the others. */
void marked_connect(struct subject *s, const struct exports *e);
void marked_free(struct subject *s);
const struct marked *marked_at(const struct subject *s, uint64_t address);
/* "codec+8"; lives as long as the model. */
const char *marked_name(const struct subject *s, const struct marked *m, uint64_t address, bool exact);
const char *marked_kind_name(enum marked_kind kind);
/* The address that a GOT slot holds; false: it is none, or holds none. */
bool slot_address(const struct subject *s, uint64_t slot, uint64_t *address);
/* The name of the function in a slot, or NULL. */
const char *slot_function(const struct subject *s, uint64_t slot);
bool is_number_in(const uint64_t *sorted, size_t count, uint64_t number, size_t *index);
int by_number(const void *a, const void *b);

/* ---- references.c ---- */
void references_read(struct subject *s);
/* Addresses in initialised data. */
void check_data(struct subject *s);
/* References that no function with a size had. */
void check_unseen(struct subject *s);

/* ---- startup.c ---- */
void start_up_read(struct subject *s);
bool is_start_up(const struct subject *s, uint64_t function, const char *name);

/* ---- decode.c: an instruction, as far as the checker cares ---- */

enum { REG_RSP = 4, REG_RBP = 5, REG_RIP = 16, REG_NONE = 255 };

enum step_kind {
	STEP_OTHER, STEP_MOVE, STEP_LEA, STEP_ADD, STEP_SUB, STEP_PUSH, STEP_POP, STEP_CALL, STEP_JUMP, STEP_BRANCH, STEP_RETURN,
	STEP_EXCHANGE, STEP_CHOOSE, STEP_LEAVE, STEP_STRING, STEP_STOP, STEP_UNKNOWN,
};

struct place {
	bool is_there, read, written, is_absolute; /* absolute: a relocation says that the displacement is an address */
	uint8_t base, index, size;
	int64_t displacement;
};

struct step {
	uint64_t address;
	enum step_kind kind;
	uint8_t length;
	uint8_t to, from;   /* registers; REG_NONE: none, or none that is followed */
	uint8_t width;      /* of the operand that is written, in bytes */
	bool has_number, is_address; /* `number`: immediate; a relocation says that it is an address */
	bool vector;        /* takes its value from a vector register, or is wider than a word */
	bool to_vector;     /* moves `from` into a vector register */
	uint32_t clobbers;  /* registers that are written */
	int64_t number;
	uint64_t target;    /* of a direct jump or call, else 0 */
	struct place memory;
};

/* What Capstone does not know is STEP_UNKNOWN, with what the port's decoder knows of it, or one byte. */
void step_decode(const struct subject *s, uint64_t address, struct step *step);

/* ---- state.c: what is known before an instruction ---- */

enum value_kind { VALUE_ANY, VALUE_POINTS, VALUE_STACK, VALUE_FUNCTION, VALUE_IMPORT };

struct value {
	enum value_kind kind;
	const struct marked *marked; /* VALUE_POINTS */
	uint64_t number;             /* address; distance from the stack pointer at the function's start; an import's index */
	bool exact, maybe;
	bool used;                   /* something has read this register since: what a call finds there may be left over */
};

#define SLOTS 16
struct state {
	bool reached, committed;
	unsigned slot_count;
	struct value reg[16];
	struct slot { uint64_t at; struct value value; } slots[SLOTS]; /* words of the stack that hold an address */
};

void state_clear(struct state *state);
/* At a place that both lead to. True: `into` has changed. */
bool state_join(struct state *into, const struct state *from);
bool value_join(struct value *into, const struct value *from);
/* False: there is no room to remember it. */
bool slot_set(struct state *state, uint64_t at, const struct value *value);
struct value slot_get(const struct state *state, uint64_t at);

struct context;

/* ---- step.c: one instruction ---- */
/* `report`: say what is wrong, too. */
void step_run(struct context *c, const struct step *step, struct state *state, bool report);

/* ---- flow.c: one function ---- */
struct function {
	uint64_t start, size;
	const char *name; /* or NULL */
	bool start_up;
};
void check_function(struct subject *s, const struct function *f);

/* ---- callee.c: what is known of functions by their names ---- */
struct callee {
	const char *name;    /* NULL: unknown */
	bool library;        /* relink's own */
	bool commits;        /* may be the program's first commit */
	bool reads;          /* takes addresses only to read there, or keeps none: bcmp */
	uint8_t writes_to;   /* register of the argument that it writes to, or REG_NONE */
	bool inside;         /* a part of the function that jumps there */
};
struct value;
/* `through`: what the register holds that is called through, or NULL. */
void callee_of(const struct subject *s, const struct function *from, const struct step *step, const struct value *through,
	       struct callee *callee);

/* ---- rules.c: what is said ---- */
struct pointed {
	const struct marked *marked;
	uint64_t address;
	bool exact;      /* else: somewhere in it */
	bool maybe;      /* on some way through the function */
	bool direct;     /* the instruction names it */
};
struct context {
	struct subject *subject;
	const struct function *function;
	bool committed;  /* on some way to here */
};
void say_store(const struct context *c, const struct step *step, const struct pointed *to);
void say_copy(const struct context *c, const struct step *step, const struct pointed *to, const char *by);
void say_unknown(const struct context *c, const struct step *step, const struct pointed *what);
void say_escape(const struct context *c, const struct step *step, const struct pointed *what, int number, const char *to);

#endif
