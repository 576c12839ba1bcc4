/* SPDX-License-Identifier: MIT */
/*
 * platform.h - what an operating system provides. Knows addresses and bytes; never what a choice is.
 *
 * Preconditions, agreed once: addresses are in mapped code, lengths are non-zero, and from rl_text_begin to rl_text_end the
 * caller holds the runtime's lock and calls nothing but rl_text_write, rl_text_store, rl_text_barrier and memory reads.
 */
#ifndef RL_PLATFORM_H
#define RL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/range.h"

/* ---- code: writing and synchronising ---- */

struct rl_text_abilities {
	bool write;     /* code can be written, proved by running it */
	bool barrier;   /* every thread can be made to see it */
	const char *writer;    /* "/proc/self/mem", "none" */
	const char *barrier_name; /* "membarrier", "none" */
	char why[160];  /* what is missing and why, "" if nothing */
};

/* Opens the writer, registers the barrier, proves both by changing a private function and running it. Call once, early. */
void rl_text_probe(struct rl_text_abilities *abilities);
/* Tries rl_text_store, after rl_text_probe. NULL, or why it can't be used. */
const char *rl_text_probe_store(void);

/* In a program that knows nothing of us: the descriptor lies out of the way, so that the next open(2) returns what it would without us. */
void rl_text_aside(void);

/* Lets rl_text_context tell processes apart, also where no code is written; rl_text_probe does it too. 0 or -errno. */
int rl_marker_create(void);

enum rl_text_context { RL_TEXT_OK, RL_TEXT_VFORK_CHILD, RL_TEXT_FORK_CHILD };
/* Which process are we? FORK_CHILD is reported once, after a fork that no atfork handler saw; vfork children share our memory. */
enum rl_text_context rl_text_context(void);
/* The child of a fork: forget the descriptor (it writes to the parent) and what else was the parent's. */
void rl_text_after_fork(void);

/* Opens the window: checks the descriptor's identity (reopens it where that is possible), blocks asynchronous signals, catches SIGSYS.
 * 0, or -errno with nothing changed and *why pointing to the reason. */
int rl_text_begin(const char **why);
/* Writes code; other threads may see it happen byte by byte. 0 or -errno. All or nothing is not promised for a failed write longer
 * than a byte. */
int rl_text_write(uintptr_t address, const void *bytes, size_t length);
/* Writes one aligned word of code that every thread sees whole; its page is writable and executable for a moment, at most until the
 * window closes. 0, or -errno and nothing has changed. */
int rl_text_store(uintptr_t address, const uint8_t bytes[8]);
/* Returns after every thread of the process has executed a core-serialising instruction. 0 or -errno. */
int rl_text_barrier(void);
void rl_text_end(void);

/* ---- data ---- */

/* Whole pages of the program's data become read-only or writable; never executable. 0 or -errno. */
int rl_data_protect(uintptr_t start, uintptr_t stop, bool writable);

/* ---- breakpoints, after rl_traps_enable ---- */

/* Finds the site and the bytes to emulate for a trap at `address`; lock-free, async-signal-safe. False: not a guard of ours. */
typedef bool rl_guard_lookup(uintptr_t address, int *kind, uint8_t bytes[8]);
/* Has the address carried a guard at some time? Async-signal-safe. */
typedef bool rl_guard_covers(uintptr_t address);
/* Installs the SIGTRAP handler. 0 or -errno. */
int rl_traps_enable(rl_guard_lookup *lookup, rl_guard_covers *covers);
/* May int3 be used now? Checks that the handler is still ours, that nobody traces us and that no process shares the memory; waits
 * some ms for a child that is about to exec. NULL, or why not. */
const char *rl_traps_refused(void);

/* ---- process ---- */

unsigned rl_threads(void); /* of this process, now; 0: unknown. The runtime's own don't count. Under the runtime's lock. */
/* Is the calling thread the only one? Waits for those that have been joined but are still counted; the same rules. */
bool rl_threads_ended(void);
/*
 * Does nobody else run in this memory: no other thread, and no process that was made with CLONE_VM? False where that can't be
 * known. Where unshare(2) is filtered a process is seen only if rl_memory_is_shared sees it.
 */
bool rl_alone_in_memory(void);
/*
 * Does a process that is no thread of ours share the memory (a child of vfork or posix_spawn before its exec, clone with
 * CLONE_VM)? Exact while there is one thread. With more, children are seen that may be examined; not a grandchild, an
 * orphan, or one made with CLONE_PARENT; and none without /proc or a kernel that lists children.
 */
bool rl_memory_is_shared(void);
unsigned rl_cpus(void);    /* that this process may run on; at least 1 */
bool rl_secure(void);      /* AT_SECURE: don't trust the environment */
/* False if a seccomp filter would kill who opens or looks for a file. Asked once, at start. */
bool rl_files_allowed(void);
const char *rl_program_name(void); /* last component of the executable's path; never NULL */

/* ---- stopping all other threads ---- */

struct rl_stop {
	struct rl_ranges *ranges; /* that nobody may be inside of */
	uintptr_t caller;      /* the calling thread's own frames are from here up; 0: they don't matter */
	unsigned timeout_ms;
	uint32_t proof;        /* not 0: it is enough that each thread has been outside in one of the calls with this number */
};
/* Parks every other thread of the process, all of them outside of the ranges, and blocks signals. From then to rl_resume the
 * caller must not call libc, allocate or take locks. 0; or -errno: everybody runs and `why` says what was in the way. */
int rl_park(const struct rl_stop *stop, char *why, size_t size);
void rl_resume(void);
uint32_t rl_proof(void); /* the next number */

/* ---- a socket that tools find by the process's number ---- */

/* Descriptors that the program may have closed meanwhile, and whose numbers may be its own now. */
int rl_mark_own(int descriptor);   /* returns it */
bool rl_is_own(int descriptor);
void rl_close_own(int descriptor); /* if it is */

struct rl_listener {
	int descriptor;   /* -1: none */
	char path[108];
};
/*
 * Listens at PID.sock in a directory that is this user's alone; removes what dead processes have left there. 0; or -errno and
 * `why` says what to do.
 */
int rl_listen(struct rl_listener *listener, char *why, size_t size);
/* Whoever listens there wakes up. */
void rl_knock(const struct rl_listener *listener);
/* At the same place, if the program has closed the descriptor. */
int rl_listen_again(struct rl_listener *listener, char *why, size_t size);
void rl_unlisten(struct rl_listener *listener);
/* The next client, -1 if there is none; -2: no descriptor is free, try again later. */
int rl_accept(const struct rl_listener *listener);
/* Is it this process's user, or root? */
bool rl_is_trusted(int client);

/* ---- files that change ---- */

/*
 * Notices that one of these files may have changed, come or gone: a descriptor to poll and to close, or -errno. Watches the
 * files, their directories, or what there is of those, so that it is to be done again when something has happened. "" is no
 * file. *all: nothing is left out.
 */
int rl_watch_files(const char *const *paths, size_t count, bool *all);
void rl_watch_drain(int watch);
/* Changes when the file does; also if it is not there. */
struct rl_file_sign {
	uint64_t device, inode, size;
	int64_t seconds, nanoseconds;
};
struct rl_file_sign rl_file_sign(const char *path);

/* ---- calls through slots of the global offset table; see recorder.c ---- */

#define RL_WATCHES 8192u

enum rl_watch_state {
	RL_WATCH_OFF,      /* the slot has been given back */
	RL_WATCH_ON,
	RL_WATCH_UNFILLED, /* the loader fills the slot at the first call */
	RL_WATCH_LATE,     /* and is about to */
	RL_WATCH_TIRED,    /* too many calls that nothing could be done about: to be given back */
	RL_WATCH_GONE,     /* nobody has the slot any more */
};

struct rl_watch {
	uintptr_t slot;   /* its address */
	uintptr_t target; /* where calls go on to */
	const uintptr_t *through; /* not NULL: the word that says so, instead */
	unsigned missed;  /* calls that nothing could be done about */
	int state;
	/* Not NULL: calls are not counted; is one with these arguments work? Must be code of its own. */
	bool (*ask)(uint64_t first, uint64_t second);
	uint32_t index;   /* whoever asked knows what */
	struct rl_watch *next; /* of those that have gone */
};

enum rl_recorded_what {
	RL_RECORDED_HOT,    /* callers have come often: rl_recorder_take_hot */
	RL_RECORDED_ENOUGH, /* slots are to be given back: those of watches that are tired */
	RL_RECORDED_LATE,   /* slots may have been filled: rl_recorder_take_late */
	RL_RECORDED_ASKED,  /* a call that `ask` wanted */
	RL_RECORDED_TIME,   /* as many calls have come as rl_recorder_set_pace said */
};

struct rl_recorded {
	struct rl_watch *watch;
	uintptr_t caller; /* the return address on the stack */
	enum rl_recorded_what what;
};

struct rl_hot_caller {
	struct rl_watch *watch;
	uintptr_t caller;
	bool quick; /* few ticks after it came first */
};

/* Called in the middle of anything, with all signals blocked, on a stack of its own, one at a time: no libc, no locks to wait for. */
typedef void rl_recorder_work(struct rl_recorded *recorded);
/* Calls of one caller through one slot are work after so many times, a few callers together, while the process has one thread. 0 or -errno. */
int rl_recorder_start(rl_recorder_work *fn, unsigned often, unsigned misses);
/* Counts from when rl_watch_entry is put into the slot, by the caller. NULL: there are too many. */
struct rl_watch *rl_watch_add(uintptr_t slot, uintptr_t target, bool filled);
/*
 * The slot's memory has gone. Somebody may have kept what he found in the slot: calls of the entry still go on to the target, and only
 * a watch with the same target takes its place.
 */
void rl_watch_drop(struct rl_watch *w);
void rl_recorder_sweep(void); /* after the last of them: their callers are forgotten */
uintptr_t rl_watch_entry(const struct rl_watch *w);
/* Pads: code that jumps to where a word leads, for code that is to lead to the recorder and can't be changed back at any time. */
#define RL_PADS 1024u
uintptr_t rl_pad_code(unsigned pad);
uintptr_t *rl_pad_word(unsigned pad);
bool rl_is_pad(uintptr_t address);
struct rl_watch *rl_watch_of_entry(uintptr_t address); /* NULL: not such an address */
/* Slots that have been called through before they were filled, and who still is not. Nobody here looks at them: their memory may be gone. */
#define RL_LATE 16u
unsigned rl_recorder_take_late(struct rl_watch *list[RL_LATE]);
void rl_recorder_still_late(const struct rl_watch *w);
#define RL_HOT 32u
unsigned rl_recorder_take_hot(struct rl_hot_caller list[RL_HOT], bool leave_one);
uint64_t rl_recorder_waited(void); /* calls of callers that have not been taken */
uint64_t rl_recorder_missed(void); /* calls of callers that nothing can be done about */
unsigned rl_recorder_tired(void); /* slots, since */
void rl_recorder_none_tired(void);
void rl_recorder_set_tick(unsigned tick); /* of any length */
/* After so many calls there is work of RL_RECORDED_TIME, 0: never; `sleeps`: callers and tired slots are none. */
void rl_recorder_set_pace(unsigned calls, bool sleeps);
uint64_t rl_recorder_total(void);
/* Callers that have come often enough and have not been settled. */
void rl_recorder_each(void (*visit)(struct rl_watch *w, uintptr_t caller, void *ctx), void *ctx);
bool rl_recorder_is_single(void); /* the process has one thread, libc says */
/*
 * No work is begun until rl_recorder_release: whoever works waits for the loader, and may have come there with any lock of the
 * program's, malloc's among them. So who holds the loader's lock and wants memory must keep it away first. False: it works on, and
 * has for a second.
 */
bool rl_recorder_hold(void);
void rl_recorder_release(void);
void rl_recorder_after_fork(void);

/* ---- modules ---- */

/* A module as the loader lists it. */
struct rl_loaded {
	uintptr_t bias;
	const void *headers; /* its program headers, in memory */
	size_t header_count;
	const char *name;    /* as the loader has it; "" for the program */
	bool main;
	const uint8_t *build_id; /* in memory; NULL without */
	size_t build_id_length;
	uint64_t removals;   /* of modules, since the process began */
};
/* Visits the modules of this link namespace until visit returns non-zero, and returns that. They stay loaded meanwhile. Takes the loader's
 * lock; may be nested. */
int rl_each_loaded(int (*visit)(const struct rl_loaded *loaded, void *ctx), void *ctx);
/* Is some thread mapping or unmapping modules, so that a signal handler that interrupted this must not visit them? Some are listed that are not
 * there any more. */
bool rl_loader_is_busy(void);

struct rl_image {
	uintptr_t bias;            /* run-time address minus linked address */
	uintptr_t text_start, text_stop; /* span of the executable segments */
	char path[4096];           /* of the file, "/proc/self/exe" for the program when its path is unknown; "" if there is none */
	uint64_t device, inode;    /* of the mapping that holds the text, 0 if unknown */
	uint8_t build_id[64];
	size_t build_id_length;    /* 0 if it has none */
	bool main;                 /* the program itself */
};
/* Describes the module that maps `address`. False if none does. Takes the loader's lock. */
bool rl_image_of(const void *address, struct rl_image *image);

struct rl_file {
	const void *data;
	size_t size;
};
/* Maps the module's file for reading, after checking that it is the one that was loaded (device and inode, else build-id).
 * 0, or -1 and *why. */
int rl_image_map_file(const struct rl_image *image, struct rl_file *file, const char **why);
void rl_file_unmap(struct rl_file *file);

/* The modules that ask for a symbol of one of these names: puts an address in each one's text into `found`, and returns how
 * many there are, which may be more than there is room for. Takes the loader's lock; `wanted` must not. */
typedef bool rl_symbol_wanted(const char *name, void *ctx);
size_t rl_importers(rl_symbol_wanted *wanted, void *ctx, uintptr_t *found, size_t room);

/* The code of the function that holds `address`: its own range, and those of its module that it jumps to. Returns how many
 * there are, which may be more than there is room for; 0 if nothing is mapped there. Takes the loader's lock. */
size_t rl_function_code(uintptr_t address, struct rl_range *list, size_t room);

/* A name for an address, "symbol" or "symbol+0x10" or "0x..."; for messages. Takes the loader's lock. */
void rl_symbol_name(const void *address, char *buffer, size_t size);
/* Keeps the module that holds `address` loaded for ever. Takes the loader's lock. */
void rl_pin_module(const void *address);

/* One runtime per process: offers `mine` and returns the runtime that was first. Takes the loader's lock. */
void *rl_rendezvous(void *mine);

#endif
