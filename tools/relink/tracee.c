/* SPDX-License-Identifier: MIT */
/* tracee.c - see tracee.h. Knows ptrace, nothing of placement. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracee.h"

#ifdef __x86_64__

/* ---- stops ---- */

static bool stops_a_job(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* What the stop is, if it is ours; else the process has been sent on, or listens for SIGCONT. */
static bool is_ours(pid_t pid, int status, int request, enum tracee_stop *stop)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_EXEC) {
		*stop = TRACEE_EXEC;
		return true;
	}
	if (event == PTRACE_EVENT_STOP) {
		ptrace(stops_a_job(signal) ? PTRACE_LISTEN : request, pid, 0L, 0L);
		return false;
	}
	if (signal == (SIGTRAP | 0x80)) {
		*stop = TRACEE_SYSCALL;
		return true;
	}
	if (signal == SIGTRAP) {
		siginfo_t info;

		/* Not if somebody has sent it. */
		if (!ptrace(PTRACE_GETSIGINFO, pid, 0L, &info) && info.si_code > 0 && info.si_code != SI_KERNEL) {
			*stop = info.si_code == TRAP_HWBKPT ? TRACEE_TRAP : TRACEE_STEP;
			return true;
		}
	}
	ptrace(request, pid, 0L, (long)signal);
	return false;
}

enum tracee_stop tracee_run(pid_t pid, int request)
{
	enum tracee_stop stop;
	int status;

	if (request && ptrace(request, pid, 0L, 0L) < 0)
		return TRACEE_GONE;
	for (;;) {
		if (waitpid(pid, &status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return TRACEE_GONE;
		}
		if (!WIFSTOPPED(status))
			return TRACEE_GONE;
		if (is_ours(pid, status, request ? request : PTRACE_CONT, &stop))
			return stop;
	}
}

/* ---- memory ---- */

bool tracee_read(const struct tracee *t, uint64_t address, void *bytes, size_t size)
{
	return pread(t->memory, bytes, size, (off_t)address) == (ssize_t)size;
}

bool tracee_write(const struct tracee *t, uint64_t address, const void *bytes, size_t size)
{
	return pwrite(t->memory, bytes, size, (off_t)address) == (ssize_t)size;
}

static int open_proc(pid_t pid, const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return open(path, flags | O_CLOEXEC);
}

/* All of it, and a zero; false if it does not fit. */
static bool read_proc(pid_t pid, const char *file, char *bytes, size_t room, size_t *size)
{
	int fd = open_proc(pid, file, O_RDONLY);
	ssize_t n = 1;

	if (fd < 0)
		return false;
	for (*size = 0; *size < room - 1 && n > 0; *size += n > 0 ? (size_t)n : 0)
		n = read(fd, bytes + *size, room - 1 - *size);
	close(fd);
	bytes[*size] = '\0';
	return n == 0;
}

static bool read_line(const char *line, struct mapping *m)
{
	char perms[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &m->start, &m->stop, perms) != 3)
		return false;
	m->prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) | (perms[2] == 'x' ? PROT_EXEC : 0);
	return true;
}

bool tracee_read_maps(struct tracee *t)
{
	static char text[1 << 16]; /* a path may take 16 KiB, were it all line feeds */
	char *line, *rest = text;
	size_t size;

	t->map_count = 0;
	if (!read_proc(t->pid, "maps", text, sizeof(text), &size))
		return false;
	while ((line = strsep(&rest, "\n")) && *line)
		if (t->map_count == TRACEE_MAPPINGS || !read_line(line, &t->maps[t->map_count++]))
			return false;
	return t->map_count > 0;
}

static bool read_stat(struct tracee *t)
{
	char text[2048], *at;
	size_t size;

	if (!read_proc(t->pid, "stat", text, sizeof(text), &size))
		return false;
	at = strrchr(text, ')'); /* the name may have blanks and parentheses */
	for (int i = 3; at && i < TRACEE_STAT; i++) {
		at = strchr(at + 1, ' ');
		if (at)
			t->stat[i] = strtoull(at + 1, NULL, 10);
	}
	return at != NULL;
}

/* ---- the auxiliary vector ---- */

/* Behind the arguments and the environment, which may be long. */
static bool find_stack_auxv(struct tracee *t)
{
	uint64_t argc, words[512], at = t->stack;

	if (!tracee_read(t, at, &argc, sizeof(argc)) || argc > INT32_MAX)
		return false;
	at += 8 * (argc + 2);
	for (;;) {
		ssize_t size = pread(t->memory, words, sizeof(words), (off_t)at);

		for (ssize_t i = 0; i < size / 8; i++)
			if (!words[i]) {
				t->stack_auxv = at + 8 * ((uint64_t)i + 1);
				return true;
			}
		if (size < (ssize_t)sizeof(words))
			return false;
		at += sizeof(words);
	}
}

static bool read_auxv(struct tracee *t)
{
	if (!find_stack_auxv(t))
		return false;
	for (t->auxv_count = 0; t->auxv_count < TRACEE_AUXV; t->auxv_count++) {
		Elf64_auxv_t *entry = &t->auxv[t->auxv_count];

		if (!tracee_read(t, t->stack_auxv + t->auxv_count * sizeof(*entry), entry, sizeof(*entry)))
			return false;
		if (entry->a_type == AT_NULL) {
			t->auxv_count++;
			return true;
		}
	}
	return false;
}

uint64_t tracee_auxv(const struct tracee *t, uint64_t type)
{
	for (size_t i = 0; i < t->auxv_count; i++)
		if (t->auxv[i].a_type == type)
			return t->auxv[i].a_un.a_val;
	return 0;
}

bool tracee_set_auxv(struct tracee *t, uint64_t type, uint64_t value)
{
	for (size_t i = 0; i < t->auxv_count; i++)
		if (t->auxv[i].a_type == type) {
			t->auxv[i].a_un.a_val = value;
			return tracee_write(t, t->stack_auxv + i * sizeof(t->auxv[i]), &t->auxv[i], sizeof(t->auxv[i]));
		}
	return false;
}

/* ---- system calls ---- */

/* One stop, if the trap behind a single step does not change what the program finds of SIGTRAP; else two. */
static bool run_call(const struct tracee *t)
{
	if (t->may_trap)
		return tracee_run(t->pid, PTRACE_SINGLESTEP) == TRACEE_STEP;
	return tracee_run(t->pid, PTRACE_SYSCALL) == TRACEE_SYSCALL && tracee_run(t->pid, PTRACE_SYSCALL) == TRACEE_SYSCALL;
}

int64_t tracee_call(struct tracee *t, long number, const uint64_t args[6])
{
	struct user_regs_struct regs = t->start;

	regs.rip = t->gate;
	regs.rax = (unsigned long long)number;
	regs.orig_rax = ~0ull; /* no call that the kernel would make again */
	regs.rdi = args[0];
	regs.rsi = args[1];
	regs.rdx = args[2];
	regs.r10 = args[3];
	regs.r8 = args[4];
	regs.r9 = args[5];
	if (t->gone || ptrace(PTRACE_SETREGS, t->pid, 0L, &regs) < 0 || !run_call(t) || ptrace(PTRACE_GETREGS, t->pid, 0L, &regs) < 0) {
		t->gone = true;
		return -ESRCH;
	}
	return (int64_t)regs.rax;
}

/* This process has inherited what the program has: exec leaves what is ignored ignored. */
static bool ignores_traps(void)
{
	struct sigaction trap;

	return sigaction(SIGTRAP, NULL, &trap) || trap.sa_handler == SIG_IGN;
}

bool tracee_stand(struct tracee *t)
{
	const uint64_t trap = 1ull << (SIGTRAP - 1);
	uint64_t mask;

	if (ptrace(PTRACE_GETREGS, t->pid, 0L, &t->start) < 0 || ptrace(PTRACE_GETSIGMASK, t->pid, sizeof(t->mask), &t->mask) < 0)
		return false;
	t->may_trap = !(t->mask & trap) && !ignores_traps();
	mask = t->may_trap ? ~trap : UINT64_MAX;
	/* Signals stay where they are until it goes on: none is lost, and none is handled in the middle of a call that is not the program's. */
	t->stands = ptrace(PTRACE_SETSIGMASK, t->pid, sizeof(mask), &mask) == 0;
	return t->stands;
}

static bool find_in(struct tracee *t, const struct mapping *m)
{
	uint8_t bytes[4096];

	if (!(m->prot & PROT_EXEC) || !(m->prot & PROT_READ))
		return false;
	for (uint64_t at = m->start; at + sizeof(bytes) <= m->stop && tracee_read(t, at, bytes, sizeof(bytes)); at += sizeof(bytes))
		for (size_t i = 0; i + 1 < sizeof(bytes); i++)
			if (bytes[i] == 0x0f && bytes[i + 1] == 0x05) {
				t->gate = at + i;
				return true;
			}
	return false;
}

/* The vdso has a syscall instruction, and so has every loader; nothing needs to be written. What moves must not be what runs. */
static bool find_gate(struct tracee *t, uint64_t vdso)
{
	for (size_t i = 0; i < t->map_count; i++)
		if (vdso && t->maps[i].start == vdso && find_in(t, &t->maps[i]))
			return true;
	for (size_t i = 0; i < t->map_count; i++)
		if (t->maps[i].start <= t->start.rip && t->start.rip < t->maps[i].stop && find_in(t, &t->maps[i]))
			return true;
	return false;
}

/* Each of the two waits for the other: on one processor that is a switch; on two it wakes the other one up, which may be busy. */
static void stay_with(const struct tracee *t)
{
	cpu_set_t processor;

	CPU_ZERO(&processor);
	if (t->stat[39] < CPU_SETSIZE) {
		CPU_SET(t->stat[39], &processor);
		sched_setaffinity(0, sizeof(processor), &processor);
	}
}

const char *tracee_open(struct tracee *t, pid_t pid)
{
	uint8_t ident[EI_NIDENT] = { 0 };
	int exe;

	memset(t, 0, sizeof(*t));
	t->pid = pid;
	t->memory = -1;
	/* To the end of execve, from where calls can be made. If it dies with us between two of them, so be it: it can't run half moved. */
	if (ptrace(PTRACE_SETOPTIONS, pid, 0L, (long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0 ||
	    tracee_run(pid, PTRACE_SYSCALL) != TRACEE_SYSCALL) {
		t->gone = true;
		return "the process ended";
	}
	if (!tracee_stand(t))
		return "its registers can't be read";
	t->stack = t->start.rsp;
	t->word = t->start.cs == 0x33 ? 8 : 4;
	t->memory = open_proc(pid, "mem", O_RDWR);
	if (t->memory < 0)
		return "its memory can't be written";
	exe = open_proc(pid, "exe", O_RDONLY);
	if (exe < 0 || read(exe, ident, sizeof(ident)) != (ssize_t)sizeof(ident) || memcmp(ident, ELFMAG, SELFMAG)) {
		if (exe >= 0)
			close(exe);
		return "the program's file can't be read";
	}
	close(exe);
	if (ident[EI_CLASS] != ELFCLASS64 || t->word != 8)
		return "not an x86-64 program";
	if (!read_auxv(t) || !read_stat(t) || !tracee_read_maps(t))
		return "its memory can't be read";
	stay_with(t);
	if (!find_gate(t, tracee_auxv(t, AT_SYSINFO_EHDR)))
		return "no syscall instruction found";
	return NULL;
}

void tracee_close(struct tracee *t)
{
	if (!t->gone && t->stands) {
		ptrace(PTRACE_SETREGS, t->pid, 0L, &t->start);
		ptrace(PTRACE_SETSIGMASK, t->pid, sizeof(t->mask), &t->mask);
	}
	if (!t->gone)
		ptrace(PTRACE_DETACH, t->pid, 0L, 0L);
	if (t->memory >= 0)
		close(t->memory);
	t->memory = -1;
}

#endif
