/* SPDX-License-Identifier: MIT */
/*
 * model.h - what one ELF file says about relink: choices, their states, and the sites that depend on them.
 *
 * Reads finished files: executables and shared objects of any kind, as they were linked, without running anything; and object files,
 * for the checker. The file may be
 * truncated or hostile: it is read into memory once, every access is checked, and all work is bounded by its size. Nothing is
 * printed. Addresses are those of the file (before the loader adds its bias).
 *
 *	struct model *m = model_open("app", why, sizeof(why));      // choices, and all sites but calls
 *	model_connect(&m, 1);                                       // calls: also those of choices that the other models define
 *	for (size_t i = 0; i < m->site_count; i++) ...
 *	model_close(m);
 *
 * Strings live as long as the model. They come from the file and may hold any bytes but NUL.
 */
#ifndef RELINK_MODEL_H
#define RELINK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/port.h"
#include "arch/x86_64_decode.h"

#define MODEL_NONE (-1)

enum model_choice_kind {
	MODEL_KEY, MODEL_CALL, MODEL_OPTION, MODEL_OPS, MODEL_IMMEDIATE, MODEL_SEQUENCE, MODEL_POINTER, MODEL_CHOICE_KINDS
};

/* Kinds of sites are those of enum rl_kind; but what gets at a pointer and is never rewritten is of a kind that says why. */
enum model_site_kind {
	MODEL_BY_REGISTER = RL_POINTER_USE, /* loaded into a register first */
	MODEL_BY_GOT = RL_KINDS,            /* found through the GOT */
	MODEL_BY_ADDRESS,                   /* its address is taken, or computed with an index */
	MODEL_SITE_KINDS
};

/* One thing that a choice can be. */
struct model_state {
	const char *name;
	const char *symbol;  /* function or backend of another module, by name; then want.address counts from it */
	const char *when;    /* "trace=on idle=poll": it is for these states alone; NULL: for all */
	uint64_t record;     /* address of the variant's record, 0: none */
	struct rl_want want; /* calls: what it is, where its function lies; tables: the backend's address */
	uint64_t needs;      /* CPU features */
	bool condition;      /* a function of the program has a say */
	bool is_template;    /* sequences: want.address is a table of templates, for the operands ... */
	uint8_t operand[2];
	int64_t rank;
};

struct model_choice {
	enum model_choice_kind kind;
	const char *name;   /* never NULL */
	const char *doc;
	uint32_t flags;     /* RELINK_FINAL and so on, see abi.h */
	bool elsewhere;     /* another module defines it: what is known is its name */
	bool anonymous;     /* nobody names it: a key in a struct, for example */
	bool baked;         /* decided in this file: `initial` is its state for good */
	bool element;       /* of an array of keys, which has one record */
	uint64_t object;    /* address of the key, call, option, sequence or number; 0: elsewhere, or built in */
	uint64_t record;    /* address of its record, 0: none */
	struct model_state *states;
	size_t state_count, state_capacity;
	int initial;        /* index of the default, or MODEL_NONE */
	const char *chosen_by; /* name of its choice function, or NULL */
	unsigned width;     /* of a number, in bytes */
	uint64_t value;     /* of a number, by default */
	int table;          /* index of the table that a call is a member of, or MODEL_NONE */
	uint64_t offset;    /* of a member in its table's backends */
	uint64_t missing;   /* where a member that a backend lacks leads */
	uint64_t slot;      /* calls: address of the pointer, 0: unknown */
	uint64_t entry;     /* calls: address of the trampoline if it is sound, else 0 */
	uint64_t sites[MODEL_SITE_KINDS];
	uint64_t uses;      /* of a key, that are choices of their own */
};

/* A use of a key that is a choice of its own. Its strings are never NULL. */
struct model_use {
	uint64_t record;
	uint64_t address; /* of the site; of a byte of data, where code is not rewritten */
	const char *file, *function, *text;
	uint32_t line;
	int choice;       /* the key */
	bool on;          /* by default */
	bool data;
};

struct model_site {
	uint64_t address; /* of the first byte that may change */
	uint64_t record;  /* address of its record; of calls: of the relocated field */
	uint64_t home;    /* call kinds: where it leads as linked; of pointers: the variable */
	uint64_t ref;     /* patches: the arms, the use, or the word that leads to the number */
	int choice;       /* index; MODEL_NONE: processor features alone decide */
	int state;        /* branches of options: index of the state that is asked for */
	int use;          /* branches: index of the use that it is, or MODEL_NONE */
	uint8_t kind;     /* enum rl_kind, or model_site_kind */
	uint8_t length;   /* bytes that may change; 0: it is never rewritten */
	uint8_t flags;    /* branches: RELINK_BRANCH_.. */
	bool baked;       /* patches: the code is what it is to be */
	uint8_t arm;      /* and that is this arm of an alternative, from 1 on; 0: the code as compiled */
};

/* Something that is wrong with the records; see findings.h for numbers. */
struct model_finding {
	int number;
	uint64_t address;
	const char *text;
	const char *variable; /* that it is about, or NULL */
};

struct model_section {
	const char *name;
	uint64_t address, size;
	bool code;
};

struct model {
	const char *path, *name; /* name: without directories */
	const char *type;        /* "PIE", "executable", "shared object", "static executable", "static PIE" */
	const struct rl_port *port;
	char build_id[129];      /* hexadecimal, "" if there is none */
	bool has_records;        /* some section of relink's is there */
	bool has_relocs;         /* code relocations were kept */
	bool has_index;          /* `relink index` was here, and its table fits the code: that is what calls are found by */
	bool has_places;         /* `relink object` was used on its object files; calls are found by that if there is nothing better */
	bool has_symbols;        /* .symtab is there */
	uint64_t through_got;    /* calls of static calls that are not rewritten, since they go through the GOT */
	uint64_t text_start, text_stop;
	const struct process *process; /* of a module of a process; see process.h */
	uint64_t bias;           /* and how far behind the file's its addresses are */
	bool is_object;          /* choices and code are read, sites are not */
	uint64_t outside_start, outside_stop; /* objects: addresses of symbols that they do not define */
	struct model_choice *choices;
	size_t choice_count;
	struct model_site *sites; /* by address */
	size_t site_count;
	struct model_use *uses; /* by file, line and address */
	size_t use_count;
	struct model_finding *findings;
	size_t finding_count, findings_lost; /* lost: more than anybody reads */
	/* private from here on */
	size_t choice_capacity, site_capacity, use_capacity, finding_capacity;
	struct image *image;
	struct arena *arena;
	struct names *names;
	struct lines *lines;
	struct lookup *lookup;
	struct table *table;
};

/* NULL, and `why` has one line for a person: what is wrong, and what to do about it where that is known. */
struct model *model_open(const char *path, char *why, size_t size);
/* The same; the file goes by another name than the one it is opened by. */
struct model *model_open_as(const char *name, const char *path, char *why, size_t size);
/* A file's bytes, freed with free(); or NULL, and `why`. */
uint8_t *model_read(const char *path, size_t *count, char *why, size_t size);
/* The same for a file in memory, which is taken over (freed with free()). */
struct model *model_of(const char *path, uint8_t *bytes, size_t count, char *why, size_t size);
/* Finds the calls in all of them, and puts sites in order. Call it once. */
void model_connect(struct model **models, size_t count);
/* Compares sites with code, and adds what is wrong to the findings. */
void model_check(struct model *model);
void model_close(struct model *model);

/* The whole file. */
const uint8_t *model_file(const struct model *model, size_t *size);
/* Where the note of relink's headers is, and its struct relink_index_place. False: there is none. */
bool model_note(const struct model *model, uint64_t *note, uint64_t *place);
/* Does the file have an index, good or not? */
bool model_is_indexed(const struct model *model);
/* An index for the file, as it will lie at that address; free() it. After model_connect. NULL, and `why` is one line: it can't be made. */
uint8_t *model_index(const struct model *model, uint64_t address, size_t *size, size_t *places, const char **why);

/* The bytes at an address as linked; NULL unless `count` of them are in the file. */
const uint8_t *model_bytes(const struct model *model, uint64_t address, size_t count);
/* How many bytes from there on are in the file and in one segment. */
size_t model_bytes_from(const struct model *model, uint64_t address);
bool model_is_code(const struct model *model, uint64_t address);
/* The bytes at an address of the file as they are in the process now. False: there is none, or they can't be read. */
bool model_now(const struct model *model, uint64_t address, uint8_t *bytes, size_t count);

/* The function (or other symbol) that an address is in. False: none is known. */
bool model_symbol_at(const struct model *model, uint64_t address, const char **name, uint64_t *offset, uint64_t *size);
/* The function of another module that the PLT stub at an address goes to. */
bool model_stub_at(const struct model *model, uint64_t address, const char **name);
/* Where a symbol of that name is. */
bool model_symbol_named(const struct model *model, const char *name, size_t length, uint64_t *address, uint64_t *size);
/* The line that an address comes from; debug information is read when this is called first. */
bool model_line_at(struct model *model, uint64_t address, const char **file, int *line);

/* Does debug information say that the function there returns nothing? */
bool model_is_void(struct model *model, uint64_t function);

/* The site that begins at, or spans, an address; NULL if there is none. */
const struct model_site *model_site_at(const struct model *model, uint64_t address);

/* ---- uses ---- */
/* Which uses a person means: the queries of <relink/use.h>, an action is not needed. NULL, and `why` names the bad word. Without a
 * query all uses are meant. Answers are remembered by a string's address: models stay open as long as they are asked about. */
struct model_queries *model_queries_read(const char *text, char *why, size_t size);
bool model_use_matches(struct model_queries *queries, const struct model *model, const struct model_use *use);
void model_queries_free(struct model_queries *queries);

/* ---- choices a site depends on: more than one for alternatives ---- */
#define MODEL_ARMS_MAX 64
struct model_arm {
	uint64_t code;
	uint8_t length;
	int choice;      /* the key that is the condition, or MODEL_NONE: a feature is */
	unsigned feature;
	bool inverted;   /* missing, or off */
};
/* Returns how many arms there are, at most MODEL_ARMS_MAX; 0 if the site has none. */
size_t model_arms(const struct model *model, const struct model_site *site, struct model_arm arms[MODEL_ARMS_MAX]);
bool model_depends(const struct model *model, const struct model_site *site, int choice);

/* ---- instructions ---- */

/* The length of the instruction there; 0: none that is known. */
size_t insn_at(const struct model *model, uint64_t address, struct rl_insn *insn);
/* Where a direct branch leads; 0: it is none. */
uint64_t insn_target(const struct model *model, uint64_t address, const struct rl_insn *insn);
/* Visits, by address, what surely is an instruction of the function, until visit returns false. */
typedef bool insn_visitor(uint64_t address, const struct rl_insn *insn, void *ctx);
void sweep(const struct model *model, uint64_t start, uint64_t size, insn_visitor *visit, void *ctx);

/* ---- what would be there ---- */
#define MODEL_BYTES_MAX 255
struct model_form {
	int state;              /* index of the choice's state (of the table's, for members); MODEL_NONE: as linked, or an arm */
	int arm;                /* index, or MODEL_NONE */
	bool known;             /* `bytes` are right */
	const char *why;        /* why they are not known, or what there is to say of them; or NULL */
	uint8_t length;
	uint8_t bytes[MODEL_BYTES_MAX];
};
/* Calls visit for the site as linked, then for every state or arm. Stops when it returns non-zero, and returns that. */
int model_forms(const struct model *model, const struct model_site *site, int (*visit)(const struct model_form *form, void *ctx), void *ctx);

/* The same for one state of the site's choice; `number` is that of an immediate. */
void model_form_of(const struct model *model, const struct model_site *site, int state, uint64_t number, struct model_form *form);
/* And for an arm of an alternative. */
void model_form_of_arm(const struct model *model, const struct model_site *site, const struct model_arm *arm, struct model_form *form);

/* The room beside a sequence's function, if a state needs it: RELINK_COPY_SIZE bytes. False: it does not, or can't have it. */
bool model_copy_of(const struct model *model, const struct model_site *site, int state, uint64_t *address, uint8_t *bytes);

/* ---- decisions that are written into a file ---- */

/* What somebody asked for: a choice and its state. */
struct model_wish {
	int choice, state;
	uint64_t number; /* of an immediate, instead of the state */
};
/* From "name=state", "module:name=state" or "name", which means on. False, and `why` has one line. */
bool model_wish_of(const struct model *model, const char *text, size_t length, struct model_wish *wish, char *why, size_t size);

/* Processors that a file is for: features that all of them have, and that none of them has. */
struct model_cpu {
	uint64_t has, lacks;
};
/* From "x86-64-v3,sha,-avx512f"; "-*" says that there is nothing else. */
bool model_cpu_of(const char *text, struct model_cpu *cpu, char *why, size_t size);

struct model_tally {
	uint64_t written[MODEL_SITE_KINDS]; /* sites that are now what the state asks for */
	uint64_t left[MODEL_SITE_KINDS];    /* calls that go by their trampolines, and alternatives that depend on what is not decided */
	uint64_t uses;
};
struct model_baking {
	uint8_t *bytes; /* the new file, to be freed; as long as the old one */
	size_t size;
	struct model_tally *tallies; /* by choice, and behind them one for what processor features alone decide; to be freed */
	int *states;                 /* by choice: what is baked in the end, or MODEL_NONE; to be freed */
};
/* What is to be decided, and what is known besides. */
struct model_order {
	const struct model_wish *wishes;
	size_t wish_count;
	struct model *const *with; /* baked files, whose keys and numbers this one uses: its code follows them */
	size_t with_count;
	struct model_cpu cpu;
};
/* Decides choices in a copy of the file. False, and `why` has one line. Run model_check before: nothing is done if it found an error. */
bool model_bake(const struct model *model, const struct model_order *order, struct model_baking *baking, char *why, size_t size);

/* ---- words ---- */
/* What a finding of that number is about, in a few words; NULL: there is no such number. */
const char *model_finding_name(int number);
/* Does it make something go wrong? Else it is worth knowing. */
bool model_finding_is_error(int number);
const char *model_choice_kind_name(int kind);
const char *model_site_kind_name(int kind);
const char *model_feature_name(unsigned bit); /* NULL: unknown */

#endif
