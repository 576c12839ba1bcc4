/* SPDX-License-Identifier: MIT */
/*
 * place_helper.c - who does it: a helper that traces this process through its exec, and is nobody's child here.
 *
 * The helper is made by a process in between that ends at once, so that init or a subreaper above gets it; the program that takes this
 * process over has no child that it did not start. It keeps its pid, since it is the tracer that is the other process.
 */
#include <errno.h>
#include <sched.h>
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
static void note_in(const struct tracee *t, const struct place_room *room, const char *why)
{
	uint64_t argc = 0, entry = 0;
	char words[PLACE_ROOM_SIZE];

	place_fill(words, why);
	if (room->is_there && tracee_read(t, t->stack, &argc, t->word) &&
	    tracee_read(t, t->stack + t->word * (argc + 2 + room->entry), &entry, t->word))
		tracee_write(t, entry + room->offset, words, sizeof(words));
}

static const char *place(struct tracee *t, const struct place_task *task)
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
	return image.bias ? placing_near_loader(t, &image) : placing_near_program(t, &image, task->stack.rlim_cur);
}

static void fail(int channel, const char *why, int error)
{
	struct place_answer answer = { .pid = getpid() };

	snprintf(answer.why, sizeof(answer.why), "%s%s%s", why, error ? ": " : "", error ? strerror(error) : "");
	send(channel, &answer, sizeof(answer), MSG_NOSIGNAL);
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

/* Ends by returning: the program's handlers for its end are not ours, and this stack is not one that sanitizers know. */
static void help(int channel, pid_t program, const struct place_task *task)
{
	struct place_answer answer = { .pid = getpid() };
	const char *why;
	struct tracee t;
	char go;

	close_others(channel);
	why = placing_rehearse();
	/* What is not read would make the answer an error. */
	if (recv(channel, &go, 1, 0) != 1)
		return;
	if (why) {
		fail(channel, why, 0);
		return;
	}
	if (ptrace(PTRACE_SEIZE, program, 0L, (long)(PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)) < 0) {
		fail(channel, "it can't be traced", errno);
		return;
	}
	if (send(channel, &answer, sizeof(answer), MSG_NOSIGNAL) < 0 || tracee_run(program, 0) != TRACEE_EXEC)
		return;
	if (task->stack_is_wide)
		prlimit(program, RLIMIT_STACK, &task->stack, NULL);
	why = tracee_open(&t, program);
	if (!why)
		why = place(&t, task);
	note_in(&t, &task->room, why);
	tracee_close(&t);
}

/* ---- and its start ---- */

struct start {
	int channel;
	pid_t program, helper;
	const struct place_task *task;
};

/* The process in between: has this one's memory, and ends before this one goes on. */
static int start_helper(void *arg)
{
	struct start *s = arg;

	setsid();
	s->helper = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
	if (!s->helper)
		help(s->channel, s->program, s->task);
	return 0;
}

/*
 * False, and errno: no process can be made. The helper is born with all signals blocked, and leaves the group and the terminal: none that
 * is meant for the program ends or stops it, least of all while the program is between two places. The process in between sends none.
 */
static bool make_helper(struct start *s)
{
	static _Alignas(16) char stack[65536];
	sigset_t all, mask;
	int reaps = 0, error;
	pid_t between;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	/* If orphans come to this process, this one must not. */
	if (!prctl(PR_GET_CHILD_SUBREAPER, &reaps) && reaps)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	s->helper = -1;
	between = clone(start_helper, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, s);
	error = errno;
	while (between > 0 && waitpid(between, NULL, __WALL) < 0 && errno == EINTR)
		;
	if (reaps)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = error;
	return s->helper > 0;
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

static bool agree(int channel, struct place_answer *answer)
{
	/* Where Yama restricts tracing to ancestors. The permission ends with the helper. */
	prctl(PR_SET_PTRACER, answer->pid, 0, 0, 0);
	send(channel, "", 1, MSG_NOSIGNAL);
	if (!listen_to(channel, answer))
		snprintf(answer->why, sizeof(answer->why), "the helper process ended early (a filter of system calls?)");
	return !answer->why[0];
}

int place_helper_start(const struct place_task *task, struct place_answer *answer)
{
	struct start s = { .program = getpid(), .task = task };
	int channel[2];
	bool made;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0) {
		snprintf(answer->why, sizeof(answer->why), "no socket can be made: %s", strerror(errno));
		return -1;
	}
	s.channel = channel[1];
	made = make_helper(&s);
	answer->pid = s.helper;
	if (!made)
		snprintf(answer->why, sizeof(answer->why), "no process can be made: %s", strerror(errno));
	close(channel[1]);
	if (made && agree(channel[0], answer))
		return channel[0];
	close(channel[0]);
	return -1;
}

#else

int place_helper_start(const struct place_task *task, struct place_answer *answer)
{
	(void)task;
	snprintf(answer->why, sizeof(answer->why), "placement is there for x86-64 alone");
	return -1;
}

#endif
