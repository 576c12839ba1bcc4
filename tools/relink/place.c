/* SPDX-License-Identifier: MIT */
/*
 * place.c - who does it: a helper that traces this process through its exec, and is nobody's child here.
 *
 * The helper is made by a process in between that ends at once, so that init or a subreaper above gets it; the program that takes this
 * process over has no child that it did not start. It keeps its pid, since it is the tracer that is the other process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "place.h"
#include "placing.h"

#define INTERPRETERS 5 /* as many #! in a row as Linux follows */

/* The place for the outcome: an entry of the environment, and how far into it. */
struct room {
	size_t entry, offset;
	bool is_there;
};

struct answer {
	pid_t pid;
	char why[PLACE_WORDS]; /* empty: done */
};

/* ---- what the outcome is ---- */

static void fill(char words[PLACE_WORDS], const char *text)
{
	size_t size = strnlen(text, PLACE_WORDS);

	memset(words, ' ', PLACE_WORDS);
	for (size_t i = 0; i < size; i++)
		words[i] = text[i] == ',' ? ';' : text[i];
}

/* A copy of the environment, in which the outcome can be written; NULL: no memory, or no such place, and `envp` does. */
static char **copy_environment(char *const envp[], struct room *room)
{
	size_t count = 0;
	char **copy, *entry;

	room->is_there = false;
	for (; envp[count]; count++) {
		const char *found = strstr(envp[count], PLACE_ROOM);

		if (found && !room->is_there)
			*room = (struct room){ count, (size_t)(found - envp[count]) + sizeof("place=") - 1, true };
	}
	if (!room->is_there || !(copy = malloc((count + 1) * sizeof(*copy))))
		return NULL;
	memcpy(copy, envp, (count + 1) * sizeof(*copy));
	entry = strdup(envp[room->entry]);
	if (!entry) {
		free(copy);
		return NULL;
	}
	copy[room->entry] = entry;
	return copy;
}

static void note(char **envp, const struct room *room, const char *text)
{
	if (envp)
		fill(envp[room->entry] + room->offset, text);
}

/* The same in the program's memory. */
static void note_in(const struct tracee *t, const struct room *room, const char *text)
{
	uint64_t argc, entry;
	char words[PLACE_WORDS];

	fill(words, text);
	if (room->is_there && tracee_read(t, t->stack, &argc, sizeof(argc)) &&
	    tracee_read(t, t->stack + 8 * (argc + 2 + room->entry), &entry, sizeof(entry)))
		tracee_write(t, entry + room->offset, words, sizeof(words));
}

/* ---- what had better run as it is ---- */

static const char *file_forbids(int fd, char *interpreter, size_t room)
{
	struct stat st;
	ssize_t size;

	if (fstat(fd, &st) < 0)
		return "its file can't be read";
	if (st.st_mode & (S_ISUID | S_ISGID) || fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "its file gives privileges (set-user-ID or set-group-ID or capabilities)";
	size = pread(fd, interpreter, room - 1, 0);
	interpreter[size > 0 ? size : 0] = '\0';
	return NULL;
}

/* Linux starts what is traced without the privileges of its file. Follows #! as the kernel does. */
static const char *program_forbids(const char *path)
{
	char line[257], file[257], *name;

	for (int i = 0; i <= INTERPRETERS; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		const char *why = "its file can't be read";

		if (fd < 0)
			return why;
		why = file_forbids(fd, line, sizeof(line));
		close(fd);
		if (why || strncmp(line, "#!", 2))
			return why;
		name = line + 2 + strspn(line + 2, " \t");
		name[strcspn(name, " \t\n")] = '\0';
		memcpy(file, name, strlen(name) + 1);
		path = file;
	}
	return NULL; /* too many: exec will say so */
}

static bool is_traced(void)
{
	char text[4096], *at;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	at = strstr(text, "\nTracerPid:");
	return at && atoi(at + sizeof("\nTracerPid:") - 1);
}

static const char *process_forbids(void)
{
	if (getpid() == 1)
		return "it is process 1 of its PID namespace and would be left with a dead child";
	if (is_traced())
		return "it is traced already";
	return NULL;
}

/* ---- the helper ---- */

static const char *place(struct tracee *t)
{
	struct image image;
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
	struct answer answer = { .pid = getpid() };

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

/* No signal that is meant for the program's terminal or group, and none at all while it is between two places. */
static void stand_apart(int channel)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	close_others(channel);
}

static _Noreturn void help(int channel, pid_t program, const struct room *room)
{
	const char *why;
	struct tracee t;
	char go;

	stand_apart(channel);
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

static bool listen_to(int channel, struct answer *answer)
{
	ssize_t size;

	do
		size = recv(channel, answer, sizeof(*answer), 0);
	while (size < 0 && errno == EINTR);
	answer->why[PLACE_WORDS - 1] = '\0';
	return size == (ssize_t)sizeof(*answer);
}

/* False: no process can be made. */
static bool start_helper(const int channel[2], const struct room *room)
{
	pid_t program = getpid(), between;
	int reaps = 0;

	/* If orphans come to this process, this one must not. */
	if (!prctl(PR_GET_CHILD_SUBREAPER, &reaps) && reaps)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	between = split();
	if (!between) {
		if (!split())
			help(channel[1], program, room);
		_exit(0);
	}
	while (between > 0 && waitpid(between, NULL, __WALL) < 0 && errno == EINTR)
		;
	if (reaps)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	return between > 0;
}

/* Both sides are ready when it has said so twice: whatever this process executes now will be placed. */
static bool agree(int channel, struct answer *answer)
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

/* The channel to the helper, or -1 and the reason. */
static int start(const struct room *room, struct answer *answer)
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

int place_exec(const char *path, char *const argv[], char *const envp[])
{
	struct answer answer = { .why = "" };
	const char *why = process_forbids();
	struct room room;
	char **copy = copy_environment(envp, &room);
	char *const *environment = copy ? copy : envp;
	int channel = -1;

	if (!why)
		why = program_forbids(path);
	if (!why)
		channel = start(&room, &answer);
	if (channel >= 0) {
		note(copy, &room, "the helper process ended early");
		execve(path, argv, environment);
		/* Perhaps a policy against programs that are traced; whatever it was, it is not ours to report. */
		kill(answer.pid, SIGKILL);
		close(channel);
		snprintf(answer.why, sizeof(answer.why), "it can't be executed while it is traced");
	}
	note(copy, &room, why ? why : answer.why);
	return execve(path, argv, environment);
}
