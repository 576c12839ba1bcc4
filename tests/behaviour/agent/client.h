/* SPDX-License-Identifier: MIT */
/* client.h - talks to the agent of a process, a line at a time; a directory of its own for sockets. */
#ifndef TEST_AGENT_CLIENT_H
#define TEST_AGENT_CLIENT_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "../check.h"

#define PATIENCE_MS 20000

static char agent_dir[64]; /* XDG_RUNTIME_DIR */

__attribute__((unused)) static void agent_set_up(void)
{
	strcpy(agent_dir, "/tmp/relink-test-XXXXXX");
	CHECK(mkdtemp(agent_dir) != NULL);
	CHECK(!setenv("XDG_RUNTIME_DIR", agent_dir, 1));
}

__attribute__((unused)) static void agent_tear_down(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", agent_dir);
	CHECK(!system(command));
}

__attribute__((unused)) static const char *agent_path(pid_t pid)
{
	static char path[108];

	snprintf(path, sizeof(path), "%s/relink/%d.sock", agent_dir, (int)pid);
	return path;
}

__attribute__((unused)) static double agent_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

__attribute__((unused)) static void agent_sleep(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

struct client {
	int fd;
	size_t used;
	char line[300000];   /* the last one */
	char buffer[300000];
};

__attribute__((unused)) static int agent_connect(pid_t pid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, agent_path(pid));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The next line, without its newline; NULL: the end, or nothing came. */
__attribute__((unused)) static const char *agent_line(struct client *c)
{
	double end = agent_now() + PATIENCE_MS;

	for (;;) {
		char *newline = memchr(c->buffer, '\n', c->used);
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		ssize_t got;

		if (newline) {
			size_t n = (size_t)(newline - c->buffer);

			memcpy(c->line, c->buffer, n);
			c->line[n] = 0;
			c->used -= n + 1;
			memmove(c->buffer, newline + 1, c->used);
			return c->line;
		}
		if (agent_now() >= end || (poll(&p, 1, 1000) <= 0 && errno != EINTR && agent_now() >= end))
			return NULL;
		if (!(p.revents & (POLLIN | POLLHUP)))
			continue;
		got = read(c->fd, c->buffer + c->used, sizeof(c->buffer) - c->used);
		if (got <= 0)
			return NULL;
		c->used += (size_t)got;
	}
}

__attribute__((unused)) static bool agent_open(struct client *c, pid_t pid)
{
	c->used = 0;
	c->fd = agent_connect(pid);
	return CHECKF(c->fd >= 0, "can't connect to %s: %s", agent_path(pid), strerror(errno)) &&
	       CHECK(agent_line(c) && strstr(c->line, "{\"relink-agent\":1,") == c->line);
}

__attribute__((unused)) static void agent_send(struct client *c, const char *request)
{
	size_t length = strlen(request);

	while (length) {
		ssize_t n = send(c->fd, request, length, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		request += n;
		length -= (size_t)n;
	}
}

/* Lines up to the one that says "done"; all of them in `all`, if that is given. */
__attribute__((unused)) static const char *agent_reply(struct client *c, char *all, size_t size)
{
	size_t used = 0;

	if (all)
		*all = 0;
	while (agent_line(c)) {
		if (!strncmp(c->line, "{\"done\":", 8))
			return c->line;
		if (all && used + strlen(c->line) + 2 < size)
			used += (size_t)snprintf(all + used, size - used, "%s\n", c->line);
	}
	return "nothing";
}

__attribute__((unused, format(printf, 2, 3))) static const char *agent_ask(struct client *c, const char *format, ...)
{
	char request[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(request, sizeof(request) - 1, format, args);
	va_end(args);
	strcat(request, "\n");
	agent_send(c, request);
	return agent_reply(c, NULL, 0);
}

/* The member's value as it stands in the line, up to the next comma outside of strings and brackets. */
__attribute__((unused)) static const char *agent_member(const char *line, const char *key)
{
	static char value[4096];
	char quoted[64];
	const char *at;
	size_t n = 0;
	int depth = 0;
	bool string = false;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	if (!at)
		return "none";
	for (at += strlen(quoted); *at && n + 1 < sizeof(value); at++) {
		if (!string && !depth && (*at == ',' || *at == '}'))
			break;
		if (*at == '"' && at[-1] != '\\')
			string = !string;
		depth += !string && strchr("[{", *at) ? 1 : !string && strchr("]}", *at) ? -1 : 0;
		value[n++] = *at;
	}
	value[n] = 0;
	return value;
}

/* A listed choice's line. */
__attribute__((unused)) static const char *agent_choice(struct client *c, const char *name)
{
	static char line[65536];

	*line = 0;
	agent_send(c, "list ");
	agent_send(c, name);
	agent_send(c, "\n");
	agent_reply(c, line, sizeof(line));
	return line;
}

/* The thread sanitizer has a thread of its own, locks that a parked thread may hold, and no threads in children. */
#if defined(__SANITIZE_THREAD__)
#define AGENT_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AGENT_UNDER_TSAN 1
#endif
#endif
#ifndef AGENT_UNDER_TSAN
#define AGENT_UNDER_TSAN 0
#endif

/* Can it be alone at all? Asked before the agent runs. */
__attribute__((unused)) static bool agent_may_be_alone(void)
{
	struct relink_commit c = RELINK_COMMIT;

	return !AGENT_UNDER_TSAN && relink_commit(&c, RELINK_STARTUP, NULL) == RELINK_OK;
}

#define AGENT_CODE(reply, code) \
	do { \
		const char *reply_ = (reply); \
		CHECKF(!strcmp(agent_member(reply_, "name"), "\"" #code "\""), "%s: got %s, want %s", #reply, reply_, #code); \
	} while (0)
#define AGENT_HAS(line, key, value) \
	do { \
		const char *line_ = (line); \
		CHECKF(!strcmp(agent_member(line_, key), value), "%s: %s in %s, want %s", #line, key, line_, value); \
	} while (0)

#endif
