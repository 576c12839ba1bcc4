/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - the runtime of one process: joins core, port and platform, and holds the lock.
 *
 * Order of locks: the loader's, then ours. Under ours nothing calls the loader, fork or user code.
 */
#ifndef RL_RUNTIME_H
#define RL_RUNTIME_H

#include <relink/linux.h>
#include <relink/relink.h>

#include "core/core.h"
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
	bool exiting;
};
extern struct rl_runtime rl_runtime;

/* lock.c */
int rl_lock(struct relink_error *err); /* 0 or RELINK_E_CONTEXT */
void rl_unlock(void);
void rl_lock_init(void);

/* start.c */
void rl_start(void); /* once per process */
void rl_remark(const char *text);

/* attach.c */
void rl_attach(struct relink_module_header *header);
void rl_detach(struct relink_module_header *header);
void rl_pin_final_targets(void); /* after every change, without the lock */
void rl_on_pending(relink_pending_fn *fn, void *ctx);

/* sites.c: finds calls of static calls in a module's file and gives them to the core; `only`: of calls that this module defines */
void rl_find_calls(struct rl_module *module, const struct rl_module *only, const struct rl_image *image, const struct rl_file *file);

/* pointers.c: finds uses of accelerated pointers in a module's file and gives them to the core */
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
/* Puts what lists say into the choices, and into the uses of a module that arrives, if one does; unknown names are left for modules to come. */
void rl_apply_lists(struct rl_module *arriving);
int rl_init(int *argc, char **argv, struct relink_error *err);
int rl_apply(const char *list, struct relink_error *err);
void rl_list_notes(char *buffer, size_t size);

/* commit.c */
int rl_commit_wishes(const struct relink_wish *wishes, size_t count, int mode, struct relink_error *err);
int rl_count_key(struct relink_key *key, int by, struct relink_error *err);
int rl_declare(unsigned what, struct relink_error *err);

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

/* uses.c */
int rl_each_use(int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx);

/* threads.c: whether lock prefixes may go */
void rl_locks_start(void); /* in rl_start */
int rl_locks_begin(struct relink_error *err);
int rl_locks_ended(struct relink_error *err);
void rl_locks_watch(struct relink_watch *watch);
void rl_describe_locks(char *buffer, size_t size); /* under the lock */

/* platform/cpu.c */
uint64_t rl_cpu_features(void);

#endif
