/* SPDX-License-Identifier: MIT */
/* modules.h - what the program modules.c offers to its plugins, and what they offer to it. */
#ifndef TEST_MODULES_H
#define TEST_MODULES_H

#include "../stress.h"

/* In the program. */
RELINK_DECLARE_KEY(mod_key);
RELINK_DECLARE_KEY(mod_chosen);
RELINK_DECLARE_CALL(unsigned, mod_work, (unsigned x));
RELINK_DECLARE_CALL(unsigned, mod_visit, (unsigned x));
RELINK_DECLARE_CALL(unsigned, mod_best, (unsigned x));
RELINK_DECLARE_CALL(unsigned, mod_final, (unsigned x));

/* mod_work has eight targets in the program: target k of x is 16 x + k. Functions of plugins say 16 x + PLUGIN. */
#define WORKS 8
#define PLUGIN 15

/* A plugin's, by dlsym("plugin"). */
struct plugin {
	unsigned (*visit)(unsigned x);
	unsigned (*own)(unsigned x);              /* the plugin's own static call plug_own: 1 */
	unsigned (*const *works)(unsigned x);     /* its calls of mod_work: 16 x + target */
	bool (*const *keys)(void);                /* its branches on mod_key */
	unsigned (*call_final)(unsigned x);       /* its call of mod_final: the target alone */
	bool (*own_key)(void);                    /* and on plug_key */
	unsigned work_count, key_count;
	int committed;                            /* what its constructor's commit of plug_early returned */
	bool early, key_in_constructor;           /* what its constructor saw of plug_early and mod_key */
	unsigned work_in_constructor;             /* and of mod_work(3) */
	int committed_by_choice;                  /* what its choice function's commit of mod_chosen returned */
	int (*set)(const char *name, const char *state, struct relink_error *err); /* by its copy of the library */
	unsigned (*modules)(void);                /* that its copy knows of */
};

#endif
