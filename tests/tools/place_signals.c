/* SPDX-License-Identifier: MIT */
/*
 * place_signals.c - signals at any moment of a placed start: those that end a process end it, those that stop it stop it and no more,
 * the others change nothing, and no helper stays. A helper that is killed takes the program with it or leaves it whole.
 * place_signals ROUNDS RUN PROGRAM...
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_HELPER 0

static int failed;

static void wrong(const char *program, int signal, const char *what, int status)
{
	fprintf(stderr, "%s, signal %d: %s (status %x)\n", program, signal, what, (unsigned int)status);
	failed = 1;
}

static void rest(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

static pid_t start(const char *run, const char *program, int out)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	dup2(out, 1);
	execl(run, run, program, "sum", NULL);
	_exit(126);
}

/* The program's end; other children are helpers that have come here. */
static int end_of(pid_t pid, int *helpers)
{
	int status;

	for (;;) {
		pid_t got = waitpid(-1, &status, 0);

		if (got < 0 && errno != EINTR)
			return -1;
		if (got == pid)
			return status;
		*helpers += got > 0;
	}
}

/* Helpers come to this process: who is a child and not the program is one. */
static void kill_helper(pid_t pid)
{
	char text[4096], *at = text;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	for (pid_t child; (child = (pid_t)strtol(at, &at, 10)) > 0;)
		if (child != pid)
			kill(child, SIGKILL);
}

static void one_round(const char *run, const char *program, int signal, int *helpers)
{
	char out[64] = "";
	bool stops = signal == SIGSTOP || signal == SIGTSTP;
	int ends[2], status, end = signal == KILL_HELPER ? SIGKILL : signal;
	long us = rand() % 3500;
	pid_t pid, target;

	if (pipe2(ends, O_CLOEXEC))
		exit(126);
	pid = start(run, program, ends[1]);
	close(ends[1]);
	rest(us);
	/* To the group: also to whoever else were in it. */
	target = rand() % 2 ? pid : -pid;
	if (signal == KILL_HELPER)
		kill_helper(pid);
	else
		kill(target, signal);
	if (stops) {
		rest(rand() % 500);
		kill(target, SIGCONT);
	}
	status = end_of(pid, helpers);
	if (read(ends[0], out, sizeof(out) - 1) < 0)
		exit(126);
	close(ends[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (strcmp(out, "262015092 42\n"))
			wrong(program, signal, "other output", status);
	} else if (!WIFSIGNALED(status) || WTERMSIG(status) != end || stops || signal == SIGWINCH) {
		wrong(program, signal, "another end", status);
	}
}

int main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGKILL, SIGINT, SIGUSR1, SIGSTOP, SIGTSTP, SIGWINCH, SIGALRM, KILL_HELPER };
	int rounds = argc > 3 ? atoi(argv[1]) : 0, helpers = 0, status;

	if (rounds < 1 || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 126;
	alarm(300);
	for (int i = 0; i < rounds; i++)
		for (int program = 3; program < argc; program++)
			for (size_t s = 0; s < sizeof(signals) / sizeof(signals[0]); s++)
				one_round(argv[2], argv[program], signals[s], &helpers);
	while (waitpid(-1, &status, 0) > 0)
		helpers++;
	printf("%d helpers have come and gone\n", helpers);
	if (helpers < rounds)
		wrong("all", 0, "helpers are missing", 0);
	return failed;
}
