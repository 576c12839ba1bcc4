/* SPDX-License-Identifier: MIT */
/* run.h - the parts of librelink-run.so. */
#ifndef RL_RUN_H
#define RL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <relink/linkage.h>

struct rl_run_options {
	struct relink_linkage_options linkage;
	char only[16384], not_[16384], report[4096];
	bool children, json, agent;
	bool now;                /* LD_BIND_NOW is ours */
	unsigned hops;           /* programs that only start the one that is meant */
	char placed[160];        /* why the program is not near its libraries, though that was asked for */
	char unknown[64];        /* a word that nobody understands */
	int descriptor;          /* of standard error, which many programs close before they end; -1: nothing is reported there */
	bool child;              /* a process that has been forked: it is not the one that reports */
	struct relink_error error;
};

/* "all,only=libz.so.1,budget=8M": what is not understood is noted, and left out. */
void rl_run_parse(const char *list, struct rl_run_options *options);
void rl_run_began(struct rl_run_options *options, const struct relink_error *err);
/* Where options say so, if they do. */
void rl_run_report(const struct rl_run_options *options);

#endif
