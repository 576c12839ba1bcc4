/* SPDX-License-Identifier: MIT */
/*
 * linkage.h - calls between modules: what the runtime knows of the process's modules, their slots and the calls through them.
 *
 *	linkage_modules.c   which modules there are, which slots they have, where slots lead
 *	linkage_gone.c      the room of those that have gone
 *	linkage_stubs.c     the code in between: which slot each stub is for, and stubs that lead to the recorder
 *	linkage_bind.c      from an address to a link, from links to commits
 *	linkage_start.c     links of a module that comes
 *	linkage_watch.c     which slots lead to the recorder
 *	linkage_learn.c     the recorder's work: which calls are hot
 *	linkage_cache.c     what other runs of the program have found
 *	linkage_file.c      the same, as it stands in a file
 *	linkage_index.c     what decoding finds
 *	linkage.c           the functions of relink/linkage.h
 *
 * Everything here is under the loader's lock, so that no module goes, and the runtime's. What the recorder's work may call is marked
 * so: it allocates nothing, and calls nothing of libc's that takes locks.
 */
#ifndef RL_RUNTIME_LINKAGE_H
#define RL_RUNTIME_LINKAGE_H

#include <relink/linkage.h>

#include "core/linkage.h"
#include "elf/slots.h"
#include "elf/view.h"
#include "runtime/linkage_file.h"
#include "runtime/runtime.h"

struct rl_linked_slot {
	uintptr_t address;
	const char *name;       /* in the module's memory */
	struct rl_watch *watch; /* NULL: was never watched */
	uintptr_t bound;        /* what calls were bound to; 0: none were */
	uint32_t first, count;  /* of the links that wait for it to be filled */
	uintptr_t aimed;        /* where it led in the pass `stamp`, */
	uint32_t stamp;
	uint8_t aim_state;      /* or why nowhere */
	uint32_t left;          /* of the links through it: how many are not bound, or were not at some time */
	uint16_t module;
	uint8_t kind;           /* enum rl_slot_kind */
	bool read_only;         /* after start-up: the loader has protected its page */
	bool defined;           /* the module has such a function itself */
	bool tails_known;       /* all tail jumps through it have been looked for, in this run or an earlier one */
	bool pulse;             /* calls come through it now and then, earlier runs say: a sleeper watches it */
	bool asked;             /* calls through it have to be known of before they happen: they stay */
};

struct rl_tail_place;

struct rl_linked {
	uintptr_t bias, text_start, text_stop;
	const void *headers;    /* and the bias tell modules apart */
	struct rl_view view;
	char *path;             /* owned */
	const char *name;       /* its last component */
	uint8_t build_id[32];
	size_t build_id_length; /* 0: none, or too long */
	size_t first, count;    /* its slots, by ascending address */
	uint16_t *stubs;        /* each eight bytes from stubs_start on: the slot that the stub there jumps through, from 1 on */
	size_t stub_words;
	uintptr_t stubs_start;
	struct rl_tail_place *tails; /* what may be tail jumps through its slots; NULL: nobody has looked */
	size_t tail_count, tails_size;
	uint8_t *private_pages; /* a bit each: it is paid for */
	uint8_t *written_pages; /* and written to: it stays so */
	uint64_t pages, learned;
	const char *why;        /* why its calls are left alone; NULL: they are not */
	bool never;             /* not even its slots */
	bool main, seen, gone, decoded, known; /* known: it has been bound, as far as it can be */
	bool news;              /* more is known than the cache says */
	bool warm;              /* and that says something */
	bool has_later;         /* and calls that have not been looked at yet */
	bool stubs_done;        /* its stubs lead to the recorder, as far as they are worth it */
	uint64_t found;
};

#define RL_LINKED_MAX 1024   /* modules */

struct rl_linkage_runtime {
	bool started;
	struct relink_linkage_options options; /* strings owned */
	struct rl_linked *modules[RL_LINKED_MAX];
	size_t module_count;
	uint64_t removals;         /* of modules, when it was looked who is still there */
	struct rl_linked_slot *slots;
	size_t slot_count, slot_capacity;
	struct rl_link *links;
	size_t link_count, link_capacity; /* there is room for some that are learned */
	struct rl_link *stubs;     /* that lead to the recorder: each to the pad with its index; address 0: to none */
	size_t stub_count;
	struct rl_change_record *room;    /* for as many changes as the largest group of waiting links has */
	size_t room_count;
	uint64_t pages;            /* of all modules */
	uint64_t start_ns, learn_ns;
	uint64_t began, looked;    /* when, on the clock of those; and at the time */
	uint64_t recorded;         /* then */
	bool awake;                /* all slots are watched, also those of modules that are warm */
	bool reverted;             /* all modules, and those that come */
	bool closed;               /* nothing is written any more: a sandbox is about to come */
	bool orphan;               /* a child of a process with threads: one that it has not may have had the loader's lock */
	bool had_threads;          /* when it forked last */
	char notes[512];
};
extern struct rl_linkage_runtime rl_linkage;

#define RL_REVERTED "led through its stubs again"

void rl_linkage_note(const char *text, const char *more); /* a line; each once */

/* ---- linkage_modules.c ---- */

/* Takes in modules that have come, marks those that have gone. False: out of memory. */
bool rl_linkage_look(void);
/* Gives back the room of those that have gone: indices change. */
void rl_linkage_tidy(void);
/* The rest is the recorder's, too. */
void rl_linkage_bury(uint64_t removals); /* marks those that have gone, if any has since */
struct rl_linked *rl_linked_at(uintptr_t code);        /* NULL: no module's code */
struct rl_linked_slot *rl_linked_slot(const struct rl_linked *module, uintptr_t address);
/* Where calls through the slot go. 0: nobody knows yet, or it is no code; *state says which. */
uintptr_t rl_slot_target(const struct rl_linked_slot *slot, uint8_t *state);
/* Calls through it before it is filled have to come from the stub itself. */
bool rl_slot_is_filled_by_stub(const struct rl_linked_slot *slot);
static inline uintptr_t rl_slot_value(const struct rl_linked_slot *slot)
{
	return __atomic_load_n((const uintptr_t *)slot->address, __ATOMIC_ACQUIRE);
}
static inline struct rl_linked *rl_slot_module(const struct rl_linked_slot *slot)
{
	return rl_linkage.modules[slot->module];
}

/* ---- linkage_stubs.c ---- */

void rl_stubs_find(struct rl_linked *m);
struct rl_linked_slot *rl_slot_of_stub(const struct rl_linked *m, uintptr_t stub);              /* NULL: it is none */
bool rl_is_stub(const struct rl_linked *m, uintptr_t jump);                                     /* whose jump that is */
uintptr_t rl_stub_of_slot(const struct rl_linked *m, const struct rl_linked_slot *slot);        /* 0: not known */
/* Stubs of slots that can't be watched themselves lead to the recorder. */
void rl_stubs_make_room(void);
void rl_stubs_watch(void);
/* And no more, where they are watched no longer. The recorder calls it. */
void rl_stubs_lead_home(int mode);
bool rl_stubs_are_home(void);   /* those of modules that are left alone */
void rl_stubs_follow(void);     /* those that could not: where the slot leads now */

/* ---- linkage_bind.c; all of it for the recorder, too ---- */

/* The call of a stub, or through a slot, whose opcode is here. False: there is none. */
bool rl_link_at(const struct rl_linked *module, uintptr_t address, struct rl_link *link);
/* Binds as many as can be, which come to the front; `room` is for as many changes. */
void rl_links_bind(struct rl_link *links, size_t count, struct rl_change_record *room);
/* Before a commit: where the slot leads. False: nowhere that the link could be bound to, and its state says why. */
bool rl_link_aim(struct rl_link *link);
bool rl_link_is_free(const struct rl_link *link); /* its page is private already */
/* Takes the pages that the link would make private from the budget. False, and its state says so: there is not enough. */
bool rl_link_afford(struct rl_link *link);
int rl_links_commit(const struct rl_link_job *job, struct relink_error *err);
void rl_links_left(const struct rl_link *links, size_t count); /* slots remember those that are not bound */
/* A copy in the list. NULL: it is full. */
struct rl_link *rl_link_add(const struct rl_link *link);

/* ---- linkage_watch.c ---- */

bool rl_linkage_learns(void);   /* the options say so */
/* Slots lead to the recorder. */
void rl_linkage_watch(void);
/* And no more: those of a module, or of all (NULL); `asks`: also of calls that have to be known of before they happen. The recorder calls it. */
void rl_linkage_unwatch(const struct rl_linked *module, bool asks);
/* It has run for long enough that learning pays, also where earlier runs have learned. The recorder calls it. */
void rl_linkage_wake(void);
bool rl_linkage_is_any_asleep(void);
void rl_give_back_tired(void);  /* those of watches that are; the recorder calls it */
bool rl_linkage_sleeps(const struct rl_linked *module); /* only few of its slots are watched */
bool rl_is_among_few(const struct rl_linked_slot *slot);
void rl_watch_begin(struct rl_linked_slot *slot, struct rl_watch *w);
bool rl_linkage_asks(const char *function); /* has it to be known of before it is called? */
bool rl_linkage_asks_for_good(const char *function); /* and is it the end of all writing? */
/* May code of the module reach it by a direct call, wherever it stands? */
bool rl_is_near(const struct rl_linked *m, uintptr_t target);
static inline struct rl_linked_slot *rl_watched_slot(const struct rl_watch *w)
{
	return &rl_linkage.slots[w->index];
}

/* ---- linkage_learn.c ---- */

rl_recorder_work rl_linkage_work;
/* Hot calls that could not be bound, because threads were there, or still wait for others, are news. */
void rl_linkage_remember(void);

/* ---- linkage_start.c ---- */

/* Calls that earlier runs have found to be hot only in the long run. The recorder calls it. */
void rl_links_bind_later(void);

/* Binds modules that have not been looked at; of `unused` nobody runs code yet. 0, or the code of the first that failed. */
int rl_links_bind_new(const struct rl_linked *unused, struct relink_error *err);
/* For as many links more, and for some that are learned. False: out of memory. */
bool rl_links_make_room(size_t more);

/* ---- linkage_cache.c ---- */

#define RL_HOT_LATER 0x80000000u /* an offset's highest bit: in short runs it does not pay for what binding it takes */

/*
 * Offsets of hot calls from the start of the text, each once, but for those that are bound later; *offsets is to be freed. False: nothing
 * is known.
 */
bool rl_hot_load(struct rl_linked *module, uint32_t **offsets, size_t *count);
/* All of them, with RL_HOT_LATER. False: there are none for later. The recorder's, too. */
bool rl_hot_later(const struct rl_linked *module, struct rl_hot_module *hot);
void rl_hot_save(void); /* what is new of the modules that are here; what is known of others stays. The recorder's, too */

/* ---- linkage_index.c ---- */

/* All calls of a module, from the cache or by decoding; *offsets is to be freed. False: it can't be decoded. */
bool rl_all_load(struct rl_linked *module, uint32_t **offsets, size_t *count);
/* The first tail jump through the slot or its stub that is not bound, in the function that `function` is in. False: none is found. The
 * recorder calls it. */
bool rl_link_tail(const struct rl_linked *module, uintptr_t function, const struct rl_linked_slot *slot, struct rl_link *link);
/* All of them, bound ones left out, up to `room`; how many there are. The recorder calls it. */
size_t rl_link_tails(struct rl_linked *module, const struct rl_linked_slot *slot, struct rl_link *links, size_t room);
void rl_forget_tails(struct rl_linked *module);

#endif
