/* SPDX-License-Identifier: MIT */
/*
 * tracee.h - a process that has just executed a program, stopped before its first instruction: its memory, and system calls that it
 * makes for its tracer. x86-64.
 */
#ifndef RELINK_TOOL_TRACEE_H
#define RELINK_TOOL_TRACEE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define TRACEE_MAPPINGS 64
#define TRACEE_AUXV 48
#define TRACEE_STAT 52

enum tracee_stop { TRACEE_GONE, TRACEE_EXEC, TRACEE_SYSCALL, TRACEE_STEP, TRACEE_TRAP };

struct mapping {
	uint64_t start, stop;
	int prot;
};

struct tracee {
	pid_t pid;
	bool gone;                     /* killed meanwhile: nothing that is asked of it has a result */
	bool stands;                   /* `start` and `mask` are known */
	int memory;                    /* /proc/PID/mem */
	struct user_regs_struct start; /* with what it will go on */
	uint64_t mask;                 /* its signal mask */
	bool may_trap;                 /* SIGTRAP is neither blocked nor ignored: the kernel's own do no harm */
	uint64_t gate;                 /* where a syscall instruction is */
	uint64_t stack;                /* where the number of arguments is */
	unsigned int word;             /* bytes of a pointer */
	uint64_t stack_auxv;           /* where the auxiliary vector is */
	Elf64_auxv_t auxv[TRACEE_AUXV];
	size_t auxv_count;
	uint64_t stat[TRACEE_STAT];    /* of /proc/PID/stat, numbered as proc(5) does, from 4 on */
	struct mapping maps[TRACEE_MAPPINGS];
	size_t map_count;
};

/* Lets it run on by `request` (0: it runs already) until one of its stops that is of interest. Signals and job control take their way. */
enum tracee_stop tracee_run(pid_t pid, int request);
/* At TRACEE_EXEC. NULL, or why nothing can be done with this process; in any case tracee_close ends it. */
const char *tracee_open(struct tracee *t, pid_t pid);
/* It goes on by itself. */
void tracee_close(struct tracee *t);

bool tracee_read(const struct tracee *t, uint64_t address, void *bytes, size_t size);
bool tracee_write(const struct tracee *t, uint64_t address, const void *bytes, size_t size);
/* A system call: its result, -errno for an error. */
int64_t tracee_call(struct tracee *t, long number, const uint64_t args[6]);
/* Its registers are what it stands with now; TRACEE_TRAP comes in between. */
bool tracee_stand(struct tracee *t);
bool tracee_read_maps(struct tracee *t);
/* 0 if it has none. */
uint64_t tracee_auxv(const struct tracee *t, uint64_t type);
/* Also on its stack. */
bool tracee_set_auxv(struct tracee *t, uint64_t type, uint64_t value);

#endif
