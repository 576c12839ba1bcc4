/* SPDX-License-Identifier: MIT */
/* client.c - talks to agents of running processes; see client.h. */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define LONGEST_LINE (1 << 20)

/* ---- words ---- */

int client_fail(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	complain(NULL, "%s", text ? text : "out of memory");
	free(text);
	return STATUS_BAD;
}

pid_t parse_process(const char *word)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(word, &end, 10);
	return errno || *end || end == word || number <= 0 || number > 0x7fffffff ? -1 : (pid_t)number;
}

bool names_process(const char *word)
{
	return *word && strspn(word, "0123456789") == strlen(word);
}

/* ---- places ---- */

/* XDG_RUNTIME_DIR as the process has it; false: it has none, or that can't be known. */
static bool runtime_of(pid_t process, char *path, size_t size)
{
	static const char name[] = "XDG_RUNTIME_DIR=";
	char file[64], *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *environment;

	snprintf(file, sizeof(file), "/proc/%ld/environ", (long)process);
	environment = fopen(file, "re");
	while (environment && !found && getdelim(&line, &room, 0, environment) > 0)
		if (!strncmp(line, name, sizeof(name) - 1))
			found = (size_t)snprintf(path, size, "%s/relink", line + sizeof(name) - 1) < size;
	if (environment)
		fclose(environment);
	free(line);
	return found;
}

/* All directories below `parent` that begin so, each with that behind it. */
static void each_below(const char *parent, const char *begin, const char *behind, void (*visit)(const char *path, void *ctx), void *ctx)
{
	DIR *list = opendir(parent);
	const struct dirent *entry;
	char path[4096];

	while (list && (entry = readdir(list)))
		if (entry->d_name[0] != '.' && !strncmp(entry->d_name, begin, strlen(begin)) &&
		    (size_t)snprintf(path, sizeof(path), "%s/%s%s", parent, entry->d_name, behind) < sizeof(path))
			visit(path, ctx);
	if (list)
		closedir(list);
}

static void each_place(void (*visit)(const char *path, void *ctx), void *ctx)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[4096];

	if (runtime && *runtime == '/' && (size_t)snprintf(path, sizeof(path), "%s/relink", runtime) < sizeof(path))
		visit(path, ctx);
	if (!geteuid()) {
		each_below("/run/user", "", "/relink", visit, ctx);
		each_below("/tmp", "relink-", "", visit, ctx);
		return;
	}
	snprintf(path, sizeof(path), "/run/user/%u/relink", (unsigned)geteuid());
	visit(path, ctx);
	snprintf(path, sizeof(path), "/tmp/relink-%u", (unsigned)geteuid());
	visit(path, ctx);
}

/* ---- connecting ---- */

struct search {
	struct client *client;
	bool found;   /* connected */
	bool denied, refused;
};

/* A socket of that name could be anybody's: the kernel says whose it is. */
static bool is_the_process(struct client *c, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid != c->process)
		return false;
	c->user = peer.uid;
	return true;
}

static void try_place(const char *path, void *ctx)
{
	struct search *s = ctx;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (s->found || (size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%ld.sock", path, (long)s->client->process) >=
				sizeof(address.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)) && is_the_process(s->client, fd)) {
		s->client->descriptor = fd;
		s->found = true;
		return;
	}
	s->denied |= errno == EACCES;
	s->refused |= errno == ECONNREFUSED;
	close(fd);
}

static bool exists(pid_t process)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld", (long)process);
	return !access(path, F_OK);
}

static void complain_missing(const struct search *s)
{
	long process = (long)s->client->process;

	if (!exists(s->client->process))
		client_fail("there is no process %ld", process);
	else if (s->denied)
		client_fail("process %ld is another user's; ask as that user or as root", process);
	else
		client_fail("process %ld has no agent; start it with RELINK_AGENT=1, or let it call relink_agent_start()", process);
}

static bool take_greeting(struct client *c, bool quiet)
{
	json_t *line = client_line(c);

	if (!line)
		return false;
	if (*value_text(line, "refused")) {
		if (!quiet)
			client_fail("process %ld: %s", (long)c->process, value_text(line, "refused"));
		return false;
	}
	if (value_number(line, "relink-agent") != 1) {
		if (!quiet)
			client_fail("process %ld: its agent speaks another version (%lld); use the relink that came with its library",
				    (long)c->process, value_number(line, "relink-agent"));
		return false;
	}
	snprintf(c->program, sizeof(c->program), "%s", value_text(line, "program"));
	return true;
}

void client_patience(struct client *c, unsigned ms)
{
	struct timeval limit = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	setsockopt(c->descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c->descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void find(struct search *s, pid_t process)
{
	char path[4096];

	if (runtime_of(process, path, sizeof(path)))
		try_place(path, s);
	each_place(try_place, s);
}

/* The first connection after a program has closed its agent's descriptors tells the agent so, and no more. */
static bool is_cut_off(struct client *c)
{
	ssize_t got;
	char byte;

	client_patience(c, 2000);
	got = recv(c->descriptor, &byte, 1, MSG_PEEK);
	return got == 0 || (got < 0 && errno == ECONNRESET);
}

bool client_connect(struct client *c, pid_t process, bool quiet)
{
	const struct timespec moment = { 0, 200000000 };
	struct search s = { .client = c };

	*c = (struct client){ .descriptor = -1, .process = process };
	find(&s, process);
	if (s.found && is_cut_off(c)) {
		close(c->descriptor);
		s.found = false;
		nanosleep(&moment, NULL);
		find(&s, process);
	}
	if (!s.found) {
		if (!quiet)
			complain_missing(&s);
		return false;
	}
	client_patience(c, quiet ? 2000 : PATIENCE_MS);
	if (take_greeting(c, quiet))
		return true;
	client_close(c);
	return false;
}

void client_close(struct client *c)
{
	if (c->descriptor >= 0)
		close(c->descriptor);
	value_free(c->value);
	free(c->data);
	*c = (struct client){ .descriptor = -1 };
}

bool client_answers(const char *word)
{
	pid_t process = parse_process(word);
	struct client c;

	if (process < 0 || !client_connect(&c, process, true))
		return false;
	client_close(&c);
	return true;
}

bool client_may_read(const char *word)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/mem", word);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- requests ---- */

bool client_request(struct client *c, const char *request)
{
	size_t length = strlen(request);

	while (length) {
		ssize_t n = send(c->descriptor, request, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			client_fail("process %ld does not listen any more", (long)c->process);
			return false;
		}
		request += n;
		length -= (size_t)n;
	}
	return true;
}

static char *encode(char *to, const char *word)
{
	for (; *word; word++) {
		unsigned char b = (unsigned char)*word;

		if (b > 0x20 && b != '%' && b != 0x7f)
			*to++ = *word;
		else
			to += sprintf(to, "%%%02x", b);
	}
	return to;
}

bool client_send(struct client *c, const char *const *words, size_t count)
{
	size_t room = 2;
	char *request, *to;
	bool sent;

	for (size_t i = 0; i < count; i++)
		room += 3 * strlen(words[i]) + 1;
	to = request = malloc(room);
	if (!request)
		return client_fail("out of memory"), false;
	for (size_t i = 0; i < count; i++) {
		if (i)
			*to++ = ' ';
		to = encode(to, words[i]);
	}
	*to++ = '\n';
	*to = 0;
	sent = client_request(c, request);
	free(request);
	return sent;
}

/* ---- replies ---- */

static bool make_room(struct client *c)
{
	char *grown;
	size_t room = c->room ? 2 * c->room : 65536;

	if (c->used + 1 < c->room)
		return true;
	grown = room <= LONGEST_LINE ? realloc(c->data, room) : NULL;
	if (!grown)
		return false;
	c->data = grown;
	c->room = room;
	return true;
}

static void forget_line(struct client *c)
{
	value_free(c->value);
	c->value = NULL;
}

/* What has been read makes room. */
static void tidy(struct client *c)
{
	c->used -= c->taken;
	if (c->taken)
		memmove(c->data, c->data + c->taken, c->used);
	c->taken = 0;
}

/* Where the first line ends, NULL: nothing more comes. */
static char *await_line(struct client *c)
{
	size_t looked = c->taken;

	for (;;) {
		char *newline = c->used > looked ? memchr(c->data + looked, '\n', c->used - looked) : NULL;
		ssize_t got;

		if (newline)
			return newline;
		tidy(c);
		looked = c->used;
		if (!make_room(c))
			return NULL;
		got = recv(c->descriptor, c->data + c->used, c->room - c->used, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return NULL;
		c->used += (size_t)got;
	}
}

json_t *client_line(struct client *c)
{
	char *newline;

	errno = 0;
	forget_line(c);
	newline = await_line(c);
	if (!newline) {
		client_fail(errno == EAGAIN ? "process %ld does not answer; is it stopped?" : "process %ld has gone, or closed the connection",
			 (long)c->process);
		return NULL;
	}
	c->value = value_parse(c->data + c->taken, (size_t)(newline - (c->data + c->taken)));
	c->taken = (size_t)(newline - c->data) + 1;
	if (!c->value)
		client_fail("process %ld sent what is no JSON object", (long)c->process);
	return c->value;
}

static int say_refusal(struct client *c, const json_t *done)
{
	client_fail("process %ld: %s (%s)", (long)c->process, value_text(done, "text"), value_text(done, "name"));
	return STATUS_REFUSED;
}

int client_reply(struct client *c, void (*visit)(struct client *c, json_t *line, void *ctx), void *ctx)
{
	json_t *line;

	while ((line = client_line(c))) {
		if (value_member(line, "done"))
			return value_number(line, "code") ? say_refusal(c, line) : STATUS_FINE;
		if (visit)
			visit(c, line, ctx);
	}
	return STATUS_BAD;
}

int client_ask(const char *word, const char *const *request, size_t words, void (*visit)(struct client *c, json_t *line, void *ctx), void *ctx)
{
	pid_t process = parse_process(word);
	struct client c;
	int status = STATUS_BAD;

	if (process < 0)
		return client_fail("'%s' is no process's number; relink ps lists them", word);
	if (!client_connect(&c, process, false))
		return STATUS_BAD;
	if (client_send(&c, request, words))
		status = client_reply(&c, visit, ctx);
	if (status == STATUS_FINE && value_false(c.value, "complete"))
		client_fail("process %ld: %s", (long)process, value_text(c.value, "text"));
	client_close(&c);
	return status;
}

/* ---- processes ---- */

struct listing {
	pid_t *processes;
	size_t count, room;
};

static void add_process(struct listing *l, pid_t process)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->processes[i] == process)
			return;
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		pid_t *grown = realloc(l->processes, room * sizeof(*grown));

		if (!grown)
			return;
		l->processes = grown;
		l->room = room;
	}
	l->processes[l->count++] = process;
}

static void list_place(const char *path, void *ctx)
{
	DIR *list = opendir(path);
	const struct dirent *entry;

	while (list && (entry = readdir(list))) {
		char name[32];
		pid_t process = (pid_t)atol(entry->d_name);

		snprintf(name, sizeof(name), "%ld.sock", (long)process);
		if (process > 0 && !strcmp(name, entry->d_name))
			add_process(ctx, process);
	}
	if (list)
		closedir(list);
}

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

void client_each_process(void (*visit)(pid_t process, void *ctx), void *ctx)
{
	struct listing l = { 0 };

	each_place(list_place, &l);
	if (l.count)
		qsort(l.processes, l.count, sizeof(*l.processes), compare);
	for (size_t i = 0; i < l.count; i++)
		visit(l.processes[i], ctx);
	free(l.processes);
}
