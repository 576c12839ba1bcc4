/* SPDX-License-Identifier: MIT */
/*
 * abi.h - the records that relink's macros leave in a program.
 *
 * One definition for the runtime, the tools, kernels and linker scripts. These sections are involved:
 *
 *   relink_branch   one struct relink_branch_record per static-key branch. Fields are relative to their own
 *                   address, so the section needs no dynamic relocation. Each record is link-ordered to its
 *                   code (SHF_LINK_ORDER, same COMDAT group): a linker keeps or drops both together.
 *   relink_use_sites  one struct relink_use_record per use of a key that is a choice of its own, with the same rules.
 *   relink_patch    one struct relink_patch_record per lock prefix, immediate, alternative and sequence, with the same
 *                   rules. The arms of an alternative lie in relink_arms, as code that never runs where it is.
 *   relink_pointers variables: pointers to functions that calls are bound to. On pages of their own, which the runtime makes
 *                   read-only. They need no record; with one they have a name and a documentation string.
 *   relink_records  one record per choice, variant, choice function, drive or marker. All begin with struct
 *                   relink_record; `size` is a multiple of 8 and lets readers skip what they do not know.
 *                   Words of zero between records are padding.
 *
 *   relink_sites, relink_got_sites   made by `relink object` in object files, one int32_t per place (see struct relink_index), relative
 *                   to itself: of calls and accelerated pointers, and of loads from GOT slots. With the rules of relink_branch.
 *   relink_declared names of the static calls that an object file knows, for `relink object`. Not in linked files.
 *   .note.relink.index  a note of owner "relink": one struct relink_index_place, and in front of it room for a program header.
 *   relink_index    made by `relink index`: where the calls of static calls and of accelerated pointers are.
 *
 * Static calls need no record per site: the relocations that the linker keeps (--emit-relocs) name them, until `relink index` has
 * put what they say into the file's relink_index; or `relink object` has put places into the object files. Readers take the index,
 * else relocations, else places.
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

/*
 * A branch on a static key that is a choice of its own, see use.h. 24 bytes, and nothing in them is a dynamic relocation: ten
 * thousands of them cost no time at start-up. Strings are relative to the field that leads to them.
 */
struct relink_use_record {
	struct relink_branch_record branch; /* RELINK_USE_DATA: `site` is a byte of data, 1 while the block is to run */
	int32_t file;     /* __FILE__ */
	int32_t function; /* __func__ */
	int32_t text;     /* what the program says there: a format string, or any */
	uint32_t line;    /* the low 24 bits; then flags */
};

#define RELINK_USE_LINE 0xffffffu
#define RELINK_USE_DATA 0x1000000u /* code that is not rewritten: the state is a byte that it tests */

/* A place in code that is more, or less, than one branch or call. 12 bytes. */
struct relink_patch_record {
	int32_t site;   /* address of its first byte that may change, relative to this field */
	int32_t ref;    /* relative to this field: by kind */
	uint8_t length; /* bytes that may change */
	uint8_t kind;   /* enum relink_patch_kind */
	uint16_t flags; /* 0, or RELINK_PATCH_BAKED and, from bit 8 on, the number of the arm, from 1 on, that an alternative has become */
};

#define RELINK_PATCH_BAKED 1u /* the code is what it is to be, and is not written */
#define RELINK_PATCH_ARM(flags) ((unsigned)(flags) >> 8) /* 0: the code as linked */

enum relink_patch_kind {
	RELINK_PATCH_LOCK = 1,        /* ref: 0. The byte is a lock prefix while the process's key `locks` is true */
	RELINK_PATCH_IMMEDIATE = 2,   /* ref: word that holds the address of the struct relink_immediate */
	RELINK_PATCH_SEQUENCE = 4,    /* ref: struct relink_sequence_use */
	RELINK_PATCH_ALTERNATIVE = 3, /* ref: the first struct relink_arm; RELINK_ARM_LAST ends the list */
};

/* What an alternative becomes while a condition holds. The last arm whose condition holds counts; without one, the code as linked. */
struct relink_arm {
	int32_t code; /* the arm's first byte, relative to this field */
	int32_t ref;  /* RELINK_ARM_KEY: word that holds the key's address, relative to this field */
	uint8_t length;
	uint8_t feature; /* else: enum relink_cpu_bit */
	uint8_t flags;
	uint8_t reserved;
};

#define RELINK_ARM_NOT 1u  /* the condition is that the feature is missing, or the key is false */
#define RELINK_ARM_KEY 2u
#define RELINK_ARM_LAST 4u

/* A place where a sequence is emitted. Fields that lead somewhere are relative to their own address. */
struct relink_sequence_use {
	int32_t ref;       /* word that holds the address of the struct relink_sequence */
	int32_t thunk;     /* code that calls the sequence's function with the operands, and goes on behind the site */
	int32_t copy;      /* RELINK_COPY_SIZE bytes for a template that does not fit the site, and a jump behind the site */
	uint8_t operand[4]; /* registers of the output and the inputs, as the processor counts them; 255: there is none */
	uint32_t clobbers; /* bit n: register n; then RELINK_CLOBBERS_.. */
};
#define RELINK_COPY_SIZE 31
#define RELINK_CLOBBERS_FLAGS 0x10000u
#define RELINK_CLOBBERS_MEMORY 0x20000u

enum relink_record_kind {
	RELINK_RECORD_KEY = 1,
	RELINK_RECORD_CALL = 2,
	RELINK_RECORD_OPTION = 3,
	RELINK_RECORD_VARIANT = 4,
	RELINK_RECORD_CHOOSE = 5,
	RELINK_RECORD_DRIVE = 6,
	RELINK_RECORD_OPS = 7,
	RELINK_RECORD_OP_MARK = 8,
	RELINK_RECORD_IMMEDIATE = 9,
	RELINK_RECORD_POINTER = 10,
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
#define RELINK_OWNED 0x800u        /* call: a member of an ops table, which decides */
#define RELINK_SEQUENCE_FLAG 0x1000u /* call: a sequence, whose first state is the code as it was compiled */
#define RELINK_SIGNED 0x2000u      /* immediate: a signed number */
/*
 * The choice was decided in the file, by `relink bake`: its sites, slot and value are those of one state, and stay. That state is the
 * default of a key; what the object holds of an option or an immediate; of a call, sequence or table the variant with
 * RELINK_VARIANT_IS_BAKED, or NULL, the code as compiled, if none has. An array of keys has one record: those of its elements are
 * baked whose `count` is RELINK_KEY_BAKED in the file.
 */
#define RELINK_BAKED 0x8000u
#define RELINK_KEY_BAKED (-1)
#define RELINK_POINTER_STRUCT 0x4000u /* pointer: members of a struct, which have offsets, and not of an array */

/* A key, a call or an option: something with a name and states. */
struct relink_choice_record {
	struct relink_record head;
	const char *name;
	const char *doc;
	void *object;              /* struct relink_key *, relink_call *, relink_option * or relink_immediate * */
	const char *const *states; /* option: names of the states, the default first */
	uint64_t count;            /* option: how many states; key: how many elements, 0 for a key that is no array; immediate: its bytes */
};

#define RELINK_VARIANT_IS_CONST 1u /* returns `constant` and does nothing else; `fn` is such a function */
#define RELINK_VARIANT_IS_TEMPLATE 4u /* `fn` is a table of RELINK_TEMPLATE_SIZE bytes for every choice of registers for the operands that
				       * `constant` names: index of the first, then of the second, 255: none; the last byte is the length */
#define RELINK_VARIANT_IS_BAKED 8u /* the state of a choice with RELINK_BAKED */
#define RELINK_TEMPLATE_SIZE 32
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
	const struct relink_when *when; /* up to the entry of kind 0: the variant is for these states, and no others; NULL: for all */
};

/* The state that something has to be in. Of a kind that the runtime does not know nothing ever is. */
struct relink_when {
	uint32_t kind; /* enum relink_when_kind, 0 ends the list */
	uint32_t reserved;
	const void *object; /* struct relink_key *, relink_option * or relink_immediate * */
	uint64_t value;     /* key: 0 or 1; option: index of the state; immediate: the number, in as many bits as its type has */
};

enum relink_when_kind {
	RELINK_WHEN_KIND_KEY = 1,
	RELINK_WHEN_KIND_OPTION = 2,
	RELINK_WHEN_KIND_IMMEDIATE = 3,
};

/* A variable in the section relink_pointers: a pointer, an array of pointers, or a struct of them. */
struct relink_pointer_record {
	struct relink_record head; /* flags: RELINK_FINAL, RELINK_NONFORCIBLE, RELINK_POINTER_STRUCT */
	const char *name;
	const char *doc;
	void *object;
	uint64_t length; /* in bytes */
};

struct relink_facts;
struct relink_when;
struct relink_key;
struct relink_call;

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

struct relink_op_list;

/* An ops table. Its members have records of their own, RELINK_RECORD_CALL with RELINK_OWNED; its backends are variants. */
struct relink_ops_record {
	struct relink_record head;
	const char *name;
	const char *doc;
	struct relink_op_list *list;
};

enum relink_op_mark { RELINK_OP_MARK_NOP = 1, RELINK_OP_MARK_IDENTITY = 2, RELINK_OP_MARK_CONST = 3 };

/* What a function does that stands for an instruction wherever a backend has it. */
struct relink_op_mark_record {
	struct relink_record head; /* flags: RELINK_VARIANT_NARROW */
	uint64_t what;             /* enum relink_op_mark */
	void (*fn)(void);
	uint64_t constant;
};

#define RELINK_NOTE_INDEX 0x52454c32u /* type of the note, "REL2" */
#define RELINK_NOTE_ROOM 56u        /* bytes in front of the place, until the file is indexed */
#define RELINK_INDEX_VERSION 1u

/* The last bytes of the note. Its address is the same before and after `relink index`. */
struct relink_index_place {
	int32_t index; /* address of the struct relink_index, relative to this field; 0: there is none */
	uint32_t size; /* of the index, in bytes */
};

/*
 * The section relink_index. Behind the head lie
 *
 *   place_bytes     places in ascending order: the difference to the place before, ULEB128; the first counts from `base`
 *   variable_bytes  accelerated pointers by the symbol table that a stripped file lacks: int32_t address, relative to this field;
 *                   uint32_t size; name, ends with a NUL. Nothing is aligned
 *
 * A place is the four bytes of an instruction that a linker filled in: a call's or jump's displacement, or that of a memory operand.
 * What the instruction is, and where it leads, the code says. Of calls to functions of other modules the index has all but those
 * that the C library and the compiler's define, since only the loader knows which are static calls.
 */
struct relink_index {
	uint8_t magic[8];  /* RELINK_INDEX_MAGIC */
	uint32_t version;  /* RELINK_INDEX_VERSION; readers refuse what they do not know */
	uint32_t size;     /* of head and all that follows */
	uint64_t digest;   /* FNV-1a (64 bits) of all bytes of the index, this field taken as 0, then of the four bytes of every place */
	int64_t base;      /* relative to the head */
	uint32_t place_count, place_bytes;
	uint32_t variable_count, variable_bytes;
};
#define RELINK_INDEX_MAGIC "relinkix"

/* What a module hands to the runtime from its constructor: where its sections lie. */
struct relink_module_header {
	uint32_t size;
	uint32_t abi;
	const struct relink_branch_record *branch_start, *branch_stop;
	const void *records_start, *records_stop;
	const struct relink_patch_record *patch_start, *patch_stop;
	void *runtime; /* owned by the runtime; NULL until attached */
	/* From here on fields that are younger than the first modules; `size` says whether they are there. */
	const struct relink_use_record *use_start, *use_stop;
	void *pointers_start, *pointers_stop;
	const struct relink_index_place *index;
	const int32_t *sites_start, *sites_stop, *got_sites_start, *got_sites_stop;
};

#endif
