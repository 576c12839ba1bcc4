/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - the runtime of one process: joins core, port and platform, and holds the lock.
 *
 * Order of locks: the loader's, then ours. Under ours nothing calls the loader, fork or user code.
 */
#ifndef RL_RUNTIME_H
#define RL_RUNTIME_H

#include <relink/linkage.h>
#include <relink/linux.h>
#include <relink/relink.h>

#include "core/core.h"
#include "elf/index.h"
#include "platform/platform.h"

struct relink_wish {
	char *name;          /* by name, else by object */
	char *state_name;    /* NULL: withdraw */
	char *uses;          /* or a query about uses */
	struct relink_key *key;
	struct relink_option *option;
	struct relink_call *call;
	struct relink_immediate *immediate;
	uint64_t value; /* of the immediate, unless state withdraws */
	void (*fn)(void);
	int state;
	int level;
	void *pointer; /* address of an accelerated pointer */
};

/* What one copy of the library offers to the others in the process; the first copy serves all. */
struct rl_api {
	uint32_t abi, size;
	void (*attach)(struct relink_module_header *header);
	void (*detach)(struct relink_module_header *header);
	int (*init)(int *argc, char **argv, struct relink_error *err);
	int (*apply)(const char *list, struct relink_error *err);
	int (*declare)(unsigned what, struct relink_error *err);
	int (*key_count)(struct relink_key *key, int by, struct relink_error *err);
	int (*commit)(const struct relink_wish *wishes, size_t count, int mode, struct relink_error *err);
	int (*get_status)(struct relink_status *status);
	int (*get_facts)(struct relink_facts *facts);
	int (*each_choice)(int (*visit)(const struct relink_choice_info *info, void *ctx), void *ctx);
	int (*each_site)(int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx);
	void (*on_pending)(relink_pending_fn *fn, void *ctx);
	void (*on_missing_op)(relink_missing_op_fn *fn, void *ctx);
	void (*missing_op)(struct relink_op *op, const void *caller);
	int (*linux_key)(struct relink_key *key, struct relink_linux_deferred *d, int what, struct relink_error *err);
	void (*linux_report)(const struct relink_error *err);
	void (*linux_on_error)(relink_linux_error_fn *fn, void *ctx);
	int (*linux_last_error)(struct relink_error *err);
	int (*threads_begin)(struct relink_error *err);
	int (*threads_ended)(struct relink_error *err);
	void (*threads_watch)(struct relink_watch *watch);
	int (*quiesce)(unsigned timeout_ms, uintptr_t caller, struct relink_error *err);
	void (*stop_timeout)(unsigned timeout_ms);
	void (*stop_caller)(uintptr_t frame);
	int (*each_use)(int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx);
	int (*agent_start)(struct relink_error *err);
	int (*agent_stop)(struct relink_error *err);
	int (*linkage)(const struct relink_linkage_options *options, struct relink_error *err);
	int (*linkage_revert)(const char *module, int mode, struct relink_error *err);
	int (*linkage_refresh)(int mode, struct relink_error *err);
	void (*linkage_arrived)(const void *caller);
	int (*linkage_each)(struct relink_linkage_status *status, int (*visit)(const struct relink_linkage_info *info, void *ctx), void *ctx);
};

/* The process's runtime; NULL if a copy of another version was first. */
const struct rl_api *rl_api(void);

/* The serving copy's state. */
struct rl_runtime {
	struct rl_core core;
	struct rl_text_abilities abilities;
	uint64_t cpu;
	bool secure;
	char *lists[RELINK_LEVELS]; /* what file, environment and command line said, owned */
	relink_pending_fn *pending_fn;
	void *pending_ctx;
	relink_missing_op_fn *missing_fn;
	void *missing_ctx;
	char notes[512];
	char file_notes[512]; /* of the last reading of the configuration files */
	bool exiting;
};
extern struct rl_runtime rl_runtime;

/* lock.c */
int rl_lock(struct relink_error *err); /* 0 or RELINK_E_CONTEXT */
void rl_unlock(void);
bool rl_try_lock(void); /* never waits; from any context */
/* For the calling thread: waiting for the lock is given up, with RELINK_E_CONTEXT, as soon as this says so. */
void rl_lock_unless(bool (*give_up)(void));
void rl_lock_init(void);

/* start.c */
void rl_start(void); /* once per process */
void rl_remark(const char *text);

/* attach.c */
void rl_attach(struct relink_module_header *header);
void rl_detach(struct relink_module_header *header);
void rl_pin_final_targets(void); /* after every change, without the lock */
void rl_on_pending(relink_pending_fn *fn, void *ctx);

/* index.c: is there a table of the module's calls that fits its code? Before the first of its sites is bound. */
bool rl_has_fitting_index(const struct relink_module_header *header, struct rl_image *image);
/* The table of a module that has been found to have one. False: it has none. */
bool rl_module_index(const struct rl_module *module, struct rl_index *index);
/* Has the module places that `relink object` has put into its object files? */
bool rl_has_places(const struct relink_module_header *header);
/* Visits them: those of GOT loads, or all others. */
void rl_each_place(const struct rl_module *module, bool got, rl_place_visitor *visit, void *ctx);

/* sites.c: finds calls of static calls by a module's index, or else in its file, and gives them to the core; `only`: of calls that
 * this module defines */
void rl_find_calls(struct rl_module *module, const struct rl_module *only, const struct rl_image *image, const struct rl_file *file);

/* pointers.c: the same for uses of accelerated pointers */
void rl_find_pointers(struct rl_module *module, const struct rl_image *image, const struct rl_file *file);
/* Names for what variables held when they were sealed. Without the lock: asks the loader. */
void rl_name_starts(void);

/* earlier.c: finds them in modules that were there before the one that defines them. Without the lock. */
int rl_find_earlier_calls(const struct relink_module_header *header, struct relink_error *err);

/* config.c */
struct rl_entry {
	const char *name, *state;
	size_t name_length, state_length;
	bool query;  /* the name is what stands between braces: queries about uses */
	bool closed; /* and they are closed */
};
bool rl_next_entry(const char **at, struct rl_entry *entry);
void rl_read_configuration(void);
/* Which files are read; they need not exist. */
#define RL_CONFIG_FILES 2
#define RL_CONFIG_PATH 4096
extern char rl_config_files[RL_CONFIG_FILES][RL_CONFIG_PATH]; /* "" behind the last */
/* Reads them again; what has changed is one commit, what can't be done a note. RELINK_E_CONTEXT: the lock was given up. */
int rl_reload_files(struct relink_error *err);
/* Puts what lists say into the choices, and into the uses of a module that arrives, if one does; unknown names are left for modules to come. */
void rl_apply_lists(struct rl_module *arriving);
int rl_init(int *argc, char **argv, struct relink_error *err);
int rl_apply(const char *list, struct relink_error *err);
void rl_list_notes(char *buffer, size_t size);

/* commit.c */
int rl_commit_wishes(const struct relink_wish *wishes, size_t count, int mode, struct relink_error *err);
int rl_count_key(struct relink_key *key, int by, struct relink_error *err);
int rl_declare(unsigned what, struct relink_error *err);

/* linkage.c */
int rl_linkage_start(const struct relink_linkage_options *options, struct relink_error *err);
int rl_linkage_revert(const char *module, int mode, struct relink_error *err);
int rl_linkage_refresh(int mode, struct relink_error *err);
void rl_linkage_arrived(const void *caller);
void rl_linkage_before_fork(void);
void rl_linkage_after_fork(void); /* in the child */
void rl_linkage_at_exit(void);
int rl_linkage_list(struct relink_linkage_status *status, int (*visit)(const struct relink_linkage_info *info, void *ctx), void *ctx);

/* missing.c: calls of members that a backend has not. rl_missing_op may be called anywhere that a call may stand. */
void rl_on_missing_op(relink_missing_op_fn *fn, void *ctx);
void rl_missing_op(struct relink_op *op, const void *caller);
void rl_list_missed(struct rl_text *t); /* under the lock */
/* linux.c */
int rl_linux_key(struct relink_key *key, struct relink_linux_deferred *d, int what, struct relink_error *err);
void rl_linux_report(const struct relink_error *err);
void rl_linux_on_error(relink_linux_error_fn *fn, void *ctx);
int rl_linux_last_error(struct relink_error *err);

/* stop.c */
void rl_stop_timeout(unsigned timeout_ms);
void rl_stop_caller(uintptr_t frame); /* this thread's frames, from there up, are those of the program */
int rl_stop_others(struct rl_ranges *ranges, char *why, size_t size); /* a hook of the core */

/* quiesce.c */
int rl_quiesce(unsigned timeout_ms, uintptr_t caller, struct relink_error *err);

/* list.c */
int rl_get_status(struct relink_status *status);
int rl_get_facts(struct relink_facts *facts);
int rl_each_choice(int (*visit)(const struct relink_choice_info *info, void *ctx), void *ctx);
int rl_each_site(int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx);
/* Under the lock: as rl_each_choice shows it. */
void rl_describe_choice(const struct rl_choice *choice, struct relink_choice_info *info);
int rl_kind_of_patch(const struct relink_patch_record *patch);
int rl_reason_of_patch(const struct rl_module *module, const struct relink_patch_record *patch);

/* uses.c */
/* Under the lock: as rl_each_use shows it. */
void rl_describe_use(const struct rl_group *group, size_t i, struct relink_use_info *info);
int rl_each_use(int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx);

/* threads.c: whether lock prefixes may go */
void rl_locks_start(void); /* in rl_start */
int rl_locks_begin(struct relink_error *err);
int rl_locks_ended(struct relink_error *err);
void rl_locks_watch(struct relink_watch *watch);
void rl_describe_locks(char *buffer, size_t size); /* under the lock */
/* Threads that this thread creates meanwhile run none of the program's code. */
void rl_locks_ignore(bool on);
bool rl_locks_expect_watch(void); /* the program has a watcher that has not come yet */

/* agent.c */
int rl_agent_start(struct relink_error *err);
int rl_agent_stop(struct relink_error *err);
void rl_agent_start_if_asked(void); /* RELINK_AGENT=1; without the lock */
/* Under the lock: the agent's thread ends, and comes back after rl_unlock. False: it does not, or is the caller. */
bool rl_agent_pause(void);
bool rl_agent_end_pause(void);      /* under the lock, before it is let go. True: then rl_agent_resume is to be called */
void rl_agent_resume(void);
void rl_agent_tell(void);           /* under the lock, before it is let go: choices may have changed */
unsigned rl_agent_threads(void);    /* 0 or 1 */
void rl_agent_after_fork(void);     /* in the child */
void rl_agent_at_exit(void);

/* walk.c: all sites, some at a time; the lock may be let go in between */
struct rl_walk {
	uint64_t removals;
	struct rl_module *module;
	struct rl_group *group;
	size_t at;
	enum { RL_WALK_START, RL_WALK_GROUPS, RL_WALK_PATCHES, RL_WALK_END, RL_WALK_LOST } stage;
};
/* False: there are no more, or (RL_WALK_LOST) a module has gone since. */
bool rl_walk_next(struct rl_walk *walk, struct relink_site_info *site);
/* A walk of its own: uses of keys that are choices of their own. */
bool rl_walk_next_use(struct rl_walk *walk, struct relink_use_info *use);

/* platform/cpu.c */
uint64_t rl_cpu_features(void);

#endif
