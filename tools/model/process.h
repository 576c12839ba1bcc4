/* SPDX-License-Identifier: MIT */
/*
 * process.h - the modules of a running process: their files, and where they are in its memory, which is read and never written. Nobody in
 * the process has to help. What is needed is the right to trace it; it is not stopped, so that what is read may be changing.
 */
#ifndef RELINK_MODEL_PROCESS_H
#define RELINK_MODEL_PROCESS_H

#include "model.h"

#define PROCESS_WHY 300

struct process {
	int pid;
	int memory; /* descriptor of /proc/PID/mem */
	struct model **models; /* of the modules that use relink; the program's first */
	size_t count, capacity;
	struct model **others; /* of those that don't, for names */
	size_t other_count;
	/* Modules that could not be read, and why. */
	struct unread { char *path; char why[PROCESS_WHY]; } *unread;
	size_t unread_count, unread_capacity;
};

/* A name that consists of digits alone means a process; "./123" is a file. */
bool process_named(const char *name, int *pid);
/* NULL, and `why` has one line. Models are connected, and belong to the process. */
struct process *process_open(int pid, char *why, size_t size);
void process_close(struct process *process);
bool process_read(const struct process *process, uint64_t address, uint8_t *bytes, size_t count);
/* Where the object of a choice is, as an address of the file: an executable may have a copy of its own. */
uint64_t process_object(const struct model *model, const struct model_choice *choice);
/* The module that has code at an address of the process, or NULL. */
const struct model *process_model_at(const struct process *process, uint64_t address);

#endif
