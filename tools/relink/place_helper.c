/* SPDX-License-Identifier: MIT */
/*
 * place_helper.c - who does it: a helper that traces this process through its exec, and is nobody's child here.
 *
 * The helper is made by a process in between that ends at once, so that init or a subreaper above gets it; the program that takes this
 * process over has no child that it did not start. It keeps its pid, since it is the tracer that is the other process.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place_helper.h"
#include "placing.h"

#ifdef __x86_64__

/* The outcome, in the program's memory. */
static void note_in(const struct tracee *t, const struct place_room *room, const char *text)
{
	uint64_t argc, entry;
	char words[PLACE_WORDS];

	place_fill(words, text);
	if (room->is_there && tracee_read(t, t->stack, &argc, sizeof(argc)) &&
	    tracee_read(t, t->stack + 8 * (argc + 2 + room->entry), &entry, sizeof(entry)))
		tracee_write(t, entry + room->offset, words, sizeof(words));
}

static const char *place(struct tracee *t)
{
	struct place_image image;
	const char *why;

	if (tracee_auxv(t, AT_SECURE))
		return "it runs with privileges of its own (AT_SECURE)";
	why = placing_executable(t, &image);
	if (why)
		return why;
	if (!image.has_loader || !tracee_auxv(t, AT_BASE))
		return "it is static";
	if (!image.has_phdr)
		return "it does not say where its program headers are (PT_PHDR)";
	return image.bias ? placing_near_loader(t, &image) : placing_near_program(t, &image);
}

static void say(int channel, const char *why, int error)
{
	struct place_answer answer = { .pid = getpid() };

	if (why)
		snprintf(answer.why, sizeof(answer.why), "%s%s%s", why, error ? ": " : "", error ? strerror(error) : "");
	if (send(channel, &answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
		_exit(1);
}

/* Nothing of the program's stays open here: who reads from its pipes waits for their last writer. */
static void close_others(int channel)
{
	long limit = sysconf(_SC_OPEN_MAX);

	for (int fd = 0; fd < channel; fd++)
		close(fd);
	if (syscall(SYS_close_range, channel + 1, ~0u, 0) < 0)
		for (int fd = channel + 1; fd < limit; fd++)
			close(fd);
}

static _Noreturn void help(int channel, pid_t program, const struct place_room *room)
{
	const char *why;
	struct tracee t;
	char go;

	close_others(channel);
	why = placing_rehearse();
	say(channel, why, 0);
	if (why || recv(channel, &go, 1, 0) != 1)
		_exit(0);
	if (ptrace(PTRACE_SEIZE, program, 0L, (long)(PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)) < 0) {
		say(channel, "it can't be traced", errno);
		_exit(0);
	}
	say(channel, NULL, 0);
	if (tracee_run(program, 0) != TRACEE_EXEC)
		_exit(0);
	why = tracee_open(&t, program);
	if (!why)
		why = place(&t);
	note_in(&t, room, why ? why : "near");
	tracee_close(&t);
	_exit(0);
}

/* ---- and its start ---- */

/* A child whose end is no SIGCHLD, and that a program's wait() would not see. */
static pid_t split(void)
{
	return (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
}

static bool listen_to(int channel, struct place_answer *answer)
{
	ssize_t size;

	do
		size = recv(channel, answer, sizeof(*answer), 0);
	while (size < 0 && errno == EINTR);
	answer->why[PLACE_WORDS - 1] = '\0';
	return size == (ssize_t)sizeof(*answer);
}

/* False: no process can be made. */
static bool start_helper(const int channel[2], const struct place_room *room)
{
	pid_t program = getpid(), between;
	sigset_t all, mask;
	int reaps = 0;

	/* The helper is born with all signals blocked, and leaves the group and the terminal: none that is meant for the program ends or stops
	   it, least of all while the program is between two places. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);

	/* If orphans come to this process, this one must not. */
	if (!prctl(PR_GET_CHILD_SUBREAPER, &reaps) && reaps)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	between = split();
	if (!between) {
		setsid();
		if (!split())
			help(channel[1], program, room);
		_exit(0);
	}
	while (between > 0 && waitpid(between, NULL, __WALL) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (reaps)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	return between > 0;
}

/* Both sides are ready when it has said so twice: whatever this process executes now will be placed. */
static bool agree(int channel, struct place_answer *answer)
{
	static const char early[] = "the helper process ended early (a filter of system calls?)";

	for (int i = 0; i < 2; i++) {
		if (!listen_to(channel, answer)) {
			snprintf(answer->why, sizeof(answer->why), "%s", early);
			return false;
		}
		if (answer->why[0])
			return false;
		if (i)
			break;
		/* Where Yama restricts tracing to ancestors. The permission ends with the helper. */
		prctl(PR_SET_PTRACER, answer->pid, 0, 0, 0);
		send(channel, "", 1, MSG_NOSIGNAL);
	}
	return true;
}

int place_helper_start(const struct place_room *room, struct place_answer *answer)
{
	int channel[2];
	bool made;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0) {
		snprintf(answer->why, sizeof(answer->why), "no socket can be made: %s", strerror(errno));
		return -1;
	}
	made = start_helper(channel, room);
	if (!made)
		snprintf(answer->why, sizeof(answer->why), "no process can be made: %s", strerror(errno));
	close(channel[1]);
	if (made && agree(channel[0], answer))
		return channel[0];
	close(channel[0]);
	return -1;
}

#else

int place_helper_start(const struct place_room *room, struct place_answer *answer)
{
	(void)room;
	snprintf(answer->why, sizeof(answer->why), "placement is there for x86-64 alone");
	return -1;
}

#endif
