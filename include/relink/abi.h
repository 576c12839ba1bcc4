/* SPDX-License-Identifier: MIT */
/*
 * abi.h - the records that relink's macros leave in a program.
 *
 * One definition for the runtime, the tools, kernels and linker scripts. Two sections are involved:
 *
 *   relink_branch   one struct relink_branch_record per static-key branch. Fields are relative to their own
 *                   address, so the section needs no dynamic relocation. Each record is link-ordered to its
 *                   code (SHF_LINK_ORDER, same COMDAT group): a linker keeps or drops both together.
 *   relink_records  one record per choice, variant, choice function or drive. All begin with struct
 *                   relink_record; `size` is a multiple of 8 and lets readers skip what they do not know.
 *                   Words of zero between records are padding.
 *
 * Static calls need no record per site: the relocations that the linker keeps (--emit-relocs) name them.
 * Growth happens at the end of a record; the meaning of a field never changes within one RELINK_ABI.
 */
#ifndef RELINK_ABI_H
#define RELINK_ABI_H

#include <stdint.h>

#define RELINK_ABI 1u

/* A branch on a static key. 8 bytes. */
struct relink_branch_record {
	int32_t site; /* address of the instruction, relative to this field */
	int32_t ref;  /* address of the key, or of a word that holds the key's address, relative to this field;
	                 the three low bits of the sum carry the flags below, keys and words are 8-aligned */
};

#define RELINK_BRANCH_ON_FALSE 1u /* the site jumps while the key is false (relink_likely) */
#define RELINK_BRANCH_TRUE_KEY 2u /* the code was compiled for a key whose default is true */
#define RELINK_BRANCH_DIRECT 4u   /* `ref` leads to the key itself: code for executables, which need no such word */

enum relink_record_kind {
	RELINK_RECORD_KEY = 1,
	RELINK_RECORD_CALL = 2,
	RELINK_RECORD_OPTION = 3,
	RELINK_RECORD_VARIANT = 4,
	RELINK_RECORD_CHOOSE = 5,
	RELINK_RECORD_DRIVE = 6,
};

struct relink_record {
	uint16_t size; /* of the whole record, in bytes */
	uint16_t kind; /* enum relink_record_kind */
	uint32_t flags;
};

/* Flags of choices. Public, since macros take them as their last argument. */
#define RELINK_FINAL 1u       /* decided at start-up; sites are bound whatever their alignment, later changes refused */
#define RELINK_NONFORCIBLE 2u /* an operator's force is refused: the owner frees data when it is off */
/* Flags that macros set themselves. */
#define RELINK_DEFAULT_TRUE 0x100u /* key: true at link time */
#define RELINK_NULLABLE 0x200u     /* call: void and returning, so NULL is a state */
#define RELINK_DEFAULT_NULL 0x400u /* call: NULL at link time */

/* A key, a call or an option: something with a name and states. */
struct relink_choice_record {
	struct relink_record head;
	const char *name;
	const char *doc;
	void *object;              /* struct relink_key *, struct relink_call * or struct relink_option * */
	const char *const *states; /* option: names of the states, the default first */
	uint64_t count;            /* option: how many states; key: how many elements, 0 for a key that is no array */
};

#define RELINK_VARIANT_IS_CONST 1u /* returns `constant` and does nothing else; `fn` is such a function */
#define RELINK_VARIANT_NARROW 2u   /* the result has at most 32 bits; the rest of `constant` is to be ignored */

struct relink_variant_record {
	struct relink_record head;
	struct relink_call *call;
	const char *name;
	void (*fn)(void);
	uint64_t constant;
	/* From here on the fields that users name: RELINK_VARIANT(call, fn, .needs = .., .rank = ..). */
	uint64_t needs;         /* CPU features, RELINK_CPU(..); all must be there */
	int (*condition)(void); /* called once at start-up, may be NULL; 0 rules the variant out */
	int64_t rank;           /* of those whose condition holds the highest is picked; the default target has rank 0 */
};

struct relink_facts;

struct relink_choose_record {
	struct relink_record head;
	const char *choice; /* name of a choice of the same module */
	const char *(*fn)(const struct relink_facts *facts);
};

struct relink_drive_record {
	struct relink_record head;
	const char *option, *state; /* while `option` is in `state` ... */
	const char *choice, *to;    /* ... the choice function level of `choice` says `to` */
};

/* What a module hands to the runtime from its constructor: where its sections lie. */
struct relink_module_header {
	uint32_t size;
	uint32_t abi;
	const struct relink_branch_record *branch_start, *branch_stop;
	const void *records_start, *records_stop;
	void *runtime; /* owned by the runtime; NULL until attached */
};

#endif
