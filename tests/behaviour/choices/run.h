/* SPDX-License-Identifier: MIT */
/* run.h - starts this program again, with other arguments and another environment, and listens to it. */
#ifndef TEST_CHOICES_RUN_H
#define TEST_CHOICES_RUN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_STRINGS 64

struct run {
	const char *program;               /* NULL: this one */
	const char *argv[RUN_STRINGS];     /* from argv[1] on */
	const char *environment[16];       /* NAME=value, in addition; what begins with RELINK is not inherited */
	unsigned user;                     /* not 0: as this user */
	int status;                        /* exit status, or 1000 + signal */
	char output[16384];
};

extern char **environ;

static void run_exec(const struct run *r)
{
	char *argv[RUN_STRINGS + 2] = { (char *)"test" }, *env[512];
	int n = 0;

	for (int i = 0; r->argv[i]; i++)
		argv[i + 1] = (char *)(uintptr_t)r->argv[i];
	for (int i = 0; environ[i] && n < 480; i++)
		if (strncmp(environ[i], "RELINK", 6) && strncmp(environ[i], "HOME=", 5) && strncmp(environ[i], "XDG_CONFIG_HOME=", 16))
			env[n++] = environ[i];
	for (int i = 0; r->environment[i]; i++)
		env[n++] = (char *)(uintptr_t)r->environment[i];
	env[n] = NULL;
	if (r->user && (setgid(r->user) || setuid(r->user)))
		_exit(99);
	execve(r->program ? r->program : "/proc/self/exe", argv, env);
	_exit(98);
}

static void run(struct run *r)
{
	int ends[2], status;
	size_t used = 0;
	ssize_t got;
	pid_t child;

	r->status = -1;
	*r->output = 0;
	fflush(stdout);
	if (pipe(ends))
		return;
	child = fork();
	if (!child) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		run_exec(r);
	}
	close(ends[1]);
	while (used < sizeof(r->output) - 1 && (got = read(ends[0], r->output + used, sizeof(r->output) - 1 - used)) > 0)
		used += (size_t)got;
	r->output[used] = 0;
	close(ends[0]);
	if (child > 0 && waitpid(child, &status, 0) == child)
		r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
