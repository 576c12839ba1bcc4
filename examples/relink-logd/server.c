/* SPDX-License-Identifier: MIT */
/* server.c - connections and lines. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine.h"
#include "server.h"

#define LINE_MAX_ 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table table;
static pthread_t acceptor;
static int listener = -1;

/* ---- control ---- */

static int count_use(const struct relink_use_info *info, void *ctx)
{
	struct uses *uses = ctx;

	uses->all++;
	uses->on += info->state != 0;
	return 0;
}

struct uses count_uses(void)
{
	struct uses uses = { 0, 0 };

	relink_each_use(count_use, &uses);
	return uses;
}

static size_t control_log(const char *query, char *reply, size_t room)
{
	struct relink_error err;
	int r;

	net_dbg("somebody asks for '%s'", query);
	r = relink_uses_query(query, &err);
	if (r < 0) {
		net_dbg("the query is refused: %s", relink_error_text(&err));
		return (size_t)snprintf(reply, room, "ERROR %s", relink_error_text(&err));
	}
	net_dbg("the query is done");
	return (size_t)snprintf(reply, room, "OK");
}

static size_t control_uses(char *reply, size_t room)
{
	struct uses uses = count_uses();

	net_dbg("%u of %u statements are on", uses.on, uses.all);
	return (size_t)snprintf(reply, room, "%u %u", uses.all, uses.on);
}

static size_t execute(char *line, size_t length, char *reply, size_t room)
{
	size_t n;

	line[length] = 0;
	if (!strncmp(line, "log ", 4))
		return control_log(line + 4, reply, room);
	if (!strcmp(line, "uses"))
		return control_uses(reply, room);
	pthread_mutex_lock(&lock);
	n = engine_execute_1(&table, line, length, reply, room);
	pthread_mutex_unlock(&lock);
	return n;
}

/* ---- connections ---- */

static int send_all(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);

		if (n < 0) {
			net_dbg("connection %d: send fails: %s", fd, strerror(errno));
			return -1;
		}
		if ((size_t)n < count)
			net_dbg("connection %d: only %zd of %zu bytes go out", fd, n, count);
		bytes += n;
		count -= (size_t)n;
	}
	return 0;
}

static int serve_line(int fd, char *line, size_t length)
{
	char reply[LINE_MAX_];
	size_t n;

	net_dbg("connection %d: a request of %zu bytes", fd, length);
	n = execute(line, length, reply, sizeof(reply) - 1);
	if (n > sizeof(reply) - 2)
		n = sizeof(reply) - 2;
	reply[n++] = '\n';
	net_dbg("connection %d: a reply of %zu bytes", fd, n);
	return send_all(fd, reply, n);
}

/* Serves the whole lines of the buffer, and keeps the rest. Returns how much is left, or -1. */
static ssize_t serve_lines(int fd, char *buffer, size_t used)
{
	char *at = buffer, *end;

	while ((end = memchr(at, '\n', used - (size_t)(at - buffer)))) {
		if (serve_line(fd, at, (size_t)(end - at)))
			return -1;
		at = end + 1;
	}
	used -= (size_t)(at - buffer);
	if (used && at != buffer)
		net_dbg("connection %d: %zu bytes of a line are kept", fd, used);
	memmove(buffer, at, used);
	return (ssize_t)used;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buffer[LINE_MAX_];
	ssize_t used = 0, n;

	net_dbg("connection %d: begins", fd);
	while (used >= 0 && (n = read(fd, buffer + used, sizeof(buffer) - (size_t)used)) > 0) {
		net_dbg("connection %d: %zd bytes have come", fd, n);
		used = serve_lines(fd, buffer, (size_t)(used + n));
		if (used == (ssize_t)sizeof(buffer)) {
			net_dbg("connection %d: a line of more than %zu bytes", fd, sizeof(buffer));
			break;
		}
	}
	net_dbg("connection %d: ends", fd);
	close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	pthread_t thread;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		net_dbg("accepted connection %d", fd);
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd)) {
			net_dbg("connection %d: no thread for it", fd);
			close(fd);
		} else {
			pthread_detach(thread);
		}
	}
	net_dbg("no more connections: %s", strerror(errno));
	return arg;
}

static int address_of(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

int server_start(const char *path)
{
	struct sockaddr_un address;
	int r = address_of(path, &address);

	if (r)
		return r;
	if (table_init_1(&table))
		return ENOMEM;
	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 64))
		return errno;
	net_dbg("listening on %s", path);
	return pthread_create(&acceptor, NULL, accept_all, NULL);
}

void server_stop(void)
{
	shutdown(listener, SHUT_RDWR);
	pthread_join(acceptor, NULL);
	close(listener);
}

/* ---- the other end ---- */

int client_open(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !address_of(path, &address) && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int client_ask(int fd, const char *line, char *reply, size_t room)
{
	char text[LINE_MAX_];
	size_t used = 0;
	int n = snprintf(text, sizeof(text), "%s\n", line);

	if (n < 0 || (size_t)n >= sizeof(text) || send_all(fd, text, (size_t)n))
		return -1;
	while (used < room - 1) {
		ssize_t got = read(fd, reply + used, room - 1 - used);

		if (got <= 0)
			return -1;
		used += (size_t)got;
		if (reply[used - 1] == '\n')
			break;
	}
	reply[used - 1] = 0;
	return 0;
}
