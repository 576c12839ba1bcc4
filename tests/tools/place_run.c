/* SPDX-License-Identifier: MIT */
/*
 * place_run.c - place_exec alone, from processes of all kinds.
 *
 *   place_run [-n] [-r] [-t] [-i SIGNAL] [-p SIGNAL] [-a BYTES] [-k CALL] [-e CALL] [-s NAME=VALUE] PROGRAM ARGUMENTS...
 *
 * -n: execve, for comparison. -r: orphans come to this process. -t: it is traced. -i: ignores a signal. -p: has it blocked and pending.
 * -a: RLIMIT_AS.
 * -k, -e: a system call (its number) that kills, or that is refused. -s: in the program's environment.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"

extern char **environ;

static void die(const char *what)
{
	perror(what);
	exit(126);
}

static void forbid(int number, unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

static void make_pending(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sigprocmask(SIG_BLOCK, &set, NULL) || raise(signal))
		die("raise");
}

/* The parent traces; what the child does is its own business. Returns in the child. */
static void be_traced(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, 0L, 0L))
			die("ptrace");
		return;
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, pid, 0L, WSTOPSIG(status) == SIGTRAP ? 0L : (long)WSTOPSIG(status));
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void limit_memory(const char *bytes)
{
	struct rlimit limit = { strtoull(bytes, NULL, 0), RLIM_INFINITY };

	if (setrlimit(RLIMIT_AS, &limit))
		die("setrlimit");
}

int main(int argc, char **argv)
{
	static char note[] = "PLACE_NOTE=all," PLACE_ROOM ",x";
	int option, plain = 0;

	while ((option = getopt(argc, argv, "+nrti:p:a:k:e:s:")) > 0)
		switch (option) {
		case 'n':
			plain = 1;
			break;
		case 'r':
			prctl(PR_SET_CHILD_SUBREAPER, 1);
			break;
		case 't':
			be_traced();
			break;
		case 'i':
			signal(atoi(optarg), SIG_IGN);
			break;
		case 'p':
			make_pending(atoi(optarg));
			break;
		case 'a':
			limit_memory(optarg);
			break;
		case 'k':
			forbid(atoi(optarg), SECCOMP_RET_KILL_PROCESS);
			break;
		case 'e':
			forbid(atoi(optarg), SECCOMP_RET_ERRNO | EPERM);
			break;
		case 's':
			putenv(optarg);
			break;
		default:
			return 126;
		}
	if (optind == argc)
		return 126;
	putenv(note);
	if (plain)
		execve(argv[optind], argv + optind, environ);
	else
		place_exec(argv[optind], argv + optind, environ);
	fprintf(stderr, "%s: %s\n", argv[optind], strerror(errno));
	return 127;
}
