/* SPDX-License-Identifier: MIT */
/*
 * port.h - what an architecture provides: PURE functions between bindings and bytes.
 *
 * A port never reads or writes the code it talks about; callers pass bytes in and take bytes out. Every port compiles on
 * every host, so the tools handle foreign files and the tests need no emulator.
 */
#ifndef RL_ARCH_PORT_H
#define RL_ARCH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_SITE_MAX 8 /* bytes that a site's instruction has at most, and that callers pass */

/* Kinds of sites; the values are those of enum relink_site_kind. */
enum rl_kind { RL_BRANCH, RL_CALL, RL_TAIL, RL_JCC, RL_TRAMPOLINE, RL_LOCK, RL_IMMEDIATE, RL_ALTERNATIVE, RL_SEQUENCE,
	       RL_POINTER_CALL, RL_POINTER_TAIL, RL_POINTER_USE, RL_KINDS };

/* What a site is to express. */
enum rl_what {
	RL_FALL,     /* branch: falls through */
	RL_JUMP,     /* branch: jumps */
	RL_HOME,     /* call kinds: goes to its home (trampoline or PLT stub); trampoline: goes through its slot;
		      * pointer kinds: goes where the pointer at `home` leads */
	RL_FUNCTION, /* goes to `address` */
	RL_NOTHING,  /* NULL target: does nothing */
	RL_CONSTANT, /* yields `constant`; `address` is a function that does the same */
	RL_IDENTITY, /* yields its first argument, a word; `address` is a function that does the same */
};

struct rl_want {
	enum rl_what what;
	bool narrow; /* RL_CONSTANT: the result has at most 32 bits */
	uint64_t address;
	uint64_t constant;
};

/* How well bytes express a wish. */
enum rl_fit {
	RL_FITS,     /* directly */
	RL_FITS_NOT, /* the instruction can't express it: bytes lead home */
	RL_TOO_FAR,  /* out of reach: bytes lead home */
};

/* What it takes to turn `old` into `new` while threads run. */
enum rl_change {
	RL_SAME,          /* nothing to do */
	RL_OPCODE,        /* one byte */
	RL_STORE,         /* several bytes, all in one naturally aligned 8-byte word */
	RL_OPERAND_FIRST, /* the old instruction ignores its operand: write that, barrier, then the opcode byte */
	RL_DETOUR,        /* trampoline: opcode byte to `through`, barrier, operand, barrier, opcode byte */
	RL_SPLIT,         /* needs int3, or nobody running */
};

/* A call or jump found at a relocation. */
struct rl_found {
	enum rl_kind kind;
	uint64_t address; /* of the site: the opcode that is rewritten */
	uint64_t target;  /* where it leads now */
	bool via_slot;    /* call or jmp through a GOT slot at `target`: not a site, kind tells which of both */
};

/* What an instruction does with the data that a relocation in it is about. */
enum rl_use {
	RL_USE_CALL,  /* calls the function that a pointer leads to; a site */
	RL_USE_TAIL,  /* jumps to it; a site */
	RL_USE_LOAD,  /* loads it into a register */
	RL_USE_ADDRESS, /* takes the address, or finds the place with an index */
	RL_USE_OTHER, /* stores, compares, or is not understood: no place where a pointer is called */
};
struct rl_reference {
	enum rl_use use;
	uint64_t address; /* of the instruction that is rewritten; else of the relocated field */
	uint64_t target;  /* address of the data; of RL_USE_OTHER unknown */
};

/* Addresses. */
struct rl_area {
	uint64_t start, size;
};

/* What an instruction with a pc-relative operand does with what that leads to. */
struct rl_lead {
	enum rl_kind kind;  /* RL_CALL, RL_TAIL, RL_JCC: goes there; RL_POINTER_CALL, RL_POINTER_TAIL: goes where the word there leads;
			     * RL_POINTER_USE: does anything else with memory there */
	uint64_t address;   /* of the site, the opcode that is rewritten */
	uint64_t target;
	bool fixed;         /* prefixes in front of it would mean something else to another instruction there */
};
enum rl_reach {
	RL_REACHED,      /* an instruction has its operand there */
	RL_REACH_INSIDE, /* the place is within another instruction */
	RL_REACH_LOST,   /* there are bytes in between that are no instruction */
};

/* What to do to a thread that trapped at a site whose instruction is `bytes`. */
struct rl_effect {
	uint64_t ip;
	bool through;  /* `ip` is the address of a pointer to where it goes on */
	bool push;     /* push `value` */
	bool pop;      /* pop into ip */
	bool set_result;
	bool copy_argument; /* the first argument's register into the result's */
	uint64_t value; /* of the push, or of the result register */
};

struct rl_port {
	const char *name;
	uint16_t machine;      /* ELF e_machine */
	uint8_t guard;         /* first byte of a breakpoint, 0 if the port has none */
	uint8_t through;       /* trampoline opcode byte that leads through the slot */
	uint8_t flip[2];       /* first byte of a branch that falls through, that jumps */
	uint8_t lock[2];       /* prefix of an atomic operation: without and with the lock */
	uint8_t length[RL_KINDS]; /* bytes of a site, by kind; 0 where sites differ or are never rewritten */

	/* Bytes for a site at `address`. `old` are the bytes there now (operands that don't matter are kept). `out` gets
	 * length[kind] bytes. For RL_TOO_FAR and RL_FITS_NOT they lead to `home`. */
	enum rl_fit (*encode)(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want,
			      const uint8_t *old, uint8_t *out);
	/* Do these bytes express the wish, by the rules of encode? An operand that is ignored is not compared. */
	bool (*expresses)(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want, const uint8_t *bytes);
	/* Can a site here be led from any function to any other by one store to a naturally aligned 8-byte word? */
	bool (*one_store)(enum rl_kind kind, uint64_t address);
	enum rl_change (*classify)(enum rl_kind kind, uint64_t address, const uint8_t *old, const uint8_t *out);
	/* Finds the site at a relocation. window[0] is the byte at place - before, `count` bytes in all. False: no site. */
	bool (*recognise)(const uint8_t *window, size_t before, size_t count, uint64_t place, struct rl_found *found);
	/* What does the instruction do whose memory operand is relocated at `place`? Window as above. */
	void (*refer)(const uint8_t *window, size_t before, size_t count, uint64_t place, struct rl_reference *reference);
	/* The GOT slot that a PLT stub at `address` jumps through. False: not a stub. */
	bool (*plt_slot)(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *slot);
	/* The call or jump whose opcode stands at `address`: direct, or through a slot, and unconditional. False: it is none. */
	bool (*call_at)(const uint8_t *bytes, size_t count, uint64_t address, struct rl_found *found);
	/* Is this code where a slot leads until the loader fills it at the first call? */
	bool (*unfilled)(const uint8_t *bytes, size_t count);
	/* And does it want to know from the stub, in the register that is linkage's, which slot it is for? Nobody may stand in between. */
	bool (*unfilled_by_stub)(const uint8_t *bytes, size_t count);
	/* Offset of the opcode byte in a trampoline and the address of the slot it jumps through. False: not one. */
	bool (*trampoline)(const uint8_t *bytes, size_t count, uint64_t address, size_t *opcode, uint64_t *slot);
	/* The effect of executing `bytes` at `address`; `flags` is the flags register. False: not an instruction of ours. */
	bool (*emulate)(enum rl_kind kind, uint64_t address, const uint8_t *bytes, uint64_t flags, struct rl_effect *effect);

	/*
	 * Sequences of instructions: `count` bytes, from the start of the first to the end of the last.
	 *
	 * Copies a sequence made for address `from` so that it does the same at `to`. What points out of it still points
	 * there; what points into it, or right behind it, follows. `out` gets `count` bytes and may be `bytes`. False, and any
	 * bytes in `out`: an instruction is unknown or cut off, or can't point there from `to`. A short branch out of the
	 * sequence is refused even where it would reach, so that what can be moved does not hang on a few bytes of distance.
	 */
	bool (*move)(const uint8_t *bytes, size_t count, uint64_t from, uint64_t to, uint8_t *out);
	/* Fills with as few instructions that do nothing as possible. A port that can't writes nothing. */
	void (*pad)(uint8_t *out, size_t count);
	/* Does an instruction of the sequence start at offset `at`, or the sequence end there? */
	bool (*boundary)(const uint8_t *bytes, size_t count, size_t at);
	/* Could the `count` bytes before an address end with a call, so that it is a return address? */
	bool (*ends_with_call)(const uint8_t *bytes, size_t count);
	/* The length of a direct jump, conditional or not, that these bytes could be, and where it leads. 0: they can't be one. */
	size_t (*jump)(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *target);

	/*
	 * Code that nobody has marked: `count` bytes, the first one at `address`.
	 *
	 * The offset of the next bytes, from `from` on, that would lead into one of the areas if they were a pc-relative operand at the
	 * end of an instruction, and where to. None is left out. `count`: there is none.
	 */
	size_t (*seek)(const uint8_t *bytes, size_t count, size_t from, uint64_t address, const struct rl_area areas[2],
		       uint64_t *target);
	/* What instruction could have its operand at offset `field` and end `beyond` bytes behind it? RL_KINDS: none could. */
	enum rl_kind (*looks_like)(const uint8_t *bytes, size_t count, size_t field, size_t beyond);
	/* Decodes one instruction after the other, from offset *at, where one starts, to the one that `field` is in, and leaves *at there. */
	enum rl_reach (*reach)(const uint8_t *bytes, size_t count, uint64_t address, size_t *at, size_t field, struct rl_lead *lead);
};

extern const struct rl_port rl_port_x86_64;
extern const struct rl_port rl_port_generic; /* recognises nothing, encodes nothing */

#endif
