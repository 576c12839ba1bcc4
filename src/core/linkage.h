/* SPDX-License-Identifier: MIT */
/*
 * linkage.h - calls between modules, which the loader has decided: from stubs and slots to what they lead to, and back.
 *
 * They belong to no choice and no module of the core's: who knows the process's modules brings them, site by site, and keeps
 * them. What a commit is, old bytes checked, all or nothing, is as for everything else.
 */
#ifndef RL_CORE_LINKAGE_H
#define RL_CORE_LINKAGE_H

#include <relink/linkage.h>

#include "core/core.h"

#define RL_LINK_PLANNED RELINK_LINK_STATES /* in the commit in progress */

struct rl_link {
	uintptr_t address; /* of the opcode */
	uintptr_t home;    /* the stub, or the slot of a call through it */
	uintptr_t target;  /* what it is, or is to be, bound to */
	uint32_t slot : 31; /* the caller's */
	uint32_t later : 1; /* the caller's */
	uint16_t module;   /* the caller's */
	uint8_t kind;      /* RL_CALL, RL_TAIL, RL_POINTER_CALL or RL_POINTER_TAIL */
	uint8_t state;     /* enum relink_linkage_state */
};

struct rl_link_job {
	struct rl_link *links;
	size_t count;
	struct rl_change_record *room; /* for as many changes */
	int mode;    /* as of commits */
	bool bind;   /* or lead home those that are bound */
	bool unused; /* nobody runs this code yet */
};
/*
 * What can't be rewritten is left as it is, and its state says why; all other links change, or none does. Links may be in any order;
 * by ascending addresses is fastest. 0 or a code. Asks for no memory but in stop mode.
 */
int rl_commit_links(struct rl_core *core, const struct rl_link_job *job, struct relink_error *err);

/* Does the site express what its state says? */
bool rl_link_is_intact(const struct rl_core *core, const struct rl_link *link);

#endif
