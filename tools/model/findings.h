/* SPDX-License-Identifier: MIT */
/*
 * findings.h - what can be wrong with a file's records. Numbers are stable: scripts and suppressions name them, and the manual
 * page relink(1) has an entry for each. The hundreds say what the finding is about.
 */
#ifndef RELINK_MODEL_FINDINGS_H
#define RELINK_MODEL_FINDINGS_H

enum {
	/* records of choices */
	FOUND_RECORD_SIZE = 101,   /* a record's size is impossible: those behind it are not read */
	FOUND_RECORD_NAME = 102,   /* a record has no readable name */
	FOUND_RECORD_OBJECT = 103, /* what a record describes is not in the file */
	FOUND_RECORD_STATES = 104, /* states are missing, unreadable or too many */
	FOUND_RECORD_TABLE = 105,  /* an operations table and its members do not fit */
	FOUND_RECORD_SECTION = 106,/* a section of records is not loaded, or has a wrong size */
	FOUND_TRAMPOLINE = 107,    /* a static call has no trampoline, or one that leads elsewhere */
	FOUND_ABI = 108,           /* another version of relink made these records */
	FOUND_POINTER_RECORD = 109,/* a pointer's record is about something that is not marked, or has an impossible length */
	FOUND_POINTER_PAGES = 110, /* marked pointers share a page with other data, or can't be written */
	FOUND_POINTER_COPIED = 111,/* a program copies a marked pointer out of the shared object that marks it */
	/* records of sites */
	FOUND_SITE_OUTSIDE = 201,  /* a site does not lie in code */
	FOUND_SITE_CHOICE = 202,   /* a site's choice can't be found */
	FOUND_SITE_KIND = 203,     /* a site's kind is unknown, or its length impossible */
	FOUND_SITE_ARMS = 204,     /* an alternative's arms are not readable, or longer than the site */
	FOUND_SITE_USE = 205,      /* a sequence's operands, thunk or room is not readable */
	FOUND_USE_TEXT = 206,      /* the file, the function or the text of a key's use is not readable */
	FOUND_USE_BYTE = 207,      /* the byte that a key's use tests is not in data */
	/* sites against code */
	FOUND_BOUNDARY = 301,      /* no instruction begins at a site, or it ends inside one */
	FOUND_BYTES = 302,         /* the instruction is none that such a site has */
	FOUND_BORN = 303,          /* the instruction is not what the choice's default asks for */
	FOUND_OVERLAP = 304,       /* two sites share bytes */
	FOUND_JUMP_INTO = 305,     /* code jumps into the middle of a site */
	FOUND_OPERAND = 306,       /* an operand's register is impossible */
	FOUND_ARM_CODE = 307,      /* an arm, or a template, can't be moved to the site */
	FOUND_RANGE = 308,         /* a jump, a thunk, or a room is out of reach */
	FOUND_NUMBER_ALIGN = 309,  /* a number does not lie in one aligned word */
	FOUND_RELOCS = 310,        /* the sections of kept relocations are broken */
	FOUND_INDEX = 311,         /* the index is broken, or is about other code */
	/* code against marked variables, see checker/ */
	FOUND_STORE = 401,         /* an instruction stores to one */
	FOUND_UPDATE = 402,        /* reads and writes it */
	FOUND_VECTOR = 403,        /* stores more than a word */
	FOUND_COPY = 404,          /* memcpy and its like, or string instructions, write there */
	FOUND_THROUGH = 405,       /* stores through a register that holds its address */
	FOUND_LATE = 406,          /* any of these in start-up code, behind a commit */
	FOUND_PASSED = 411,        /* from here on warnings: its address is passed to a function */
	FOUND_KEPT = 412,          /* is stored */
	FOUND_RETURNED = 413,      /* is returned */
	FOUND_DATA = 414,          /* is in data */
	FOUND_UNSEEN = 421,        /* something refers to it, and what does is not known */
	FOUND_UNUSED = 431,        /* a suppression suppresses nothing */
};

#endif
