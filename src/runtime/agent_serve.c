/* SPDX-License-Identifier: MIT */
/*
 * agent_serve.c - clients: who is connected, what has come from them and what waits for them.
 *
 * Nothing here waits for a client. In each turn every client gets one step: some bytes in, one request or one part of a
 * listing, some bytes out. Memory is bounded: who does not read what was answered is not heard until he has.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/agent.h"

#define ACCEPTS 16 /* in one turn */
#define RETRY_MS 100

static unsigned patience = RL_AGENT_PATIENCE;

/* For tests: how long half a request is kept. */
void rl_test_agent_patience(unsigned ms)
{
	__atomic_store_n(&patience, ms, __ATOMIC_RELAXED);
}

/* ---- one client ---- */

static size_t waiting_out(const struct rl_client *c)
{
	return c->out.used - c->sent;
}

/* What lacks its newline may have been cut off, and would mean something else. */
static const char *request_end(const struct rl_client *c)
{
	return memchr(c->in, '\n', c->in_used);
}

static bool may_answer(const struct rl_client *c)
{
	return !c->broken && !c->closing && waiting_out(c) < RL_AGENT_ENOUGH;
}

static bool has_work(const struct rl_client *c)
{
	return may_answer(c) && (c->listing || request_end(c) || rl_agent_has_events(c));
}

static void receive(struct rl_client *c)
{
	ssize_t got;

	if (c->at_end || c->in_used == sizeof(c->in))
		return;
	got = recv(c->descriptor, c->in + c->in_used, sizeof(c->in) - c->in_used, 0);
	if (got > 0) {
		c->in_used += (size_t)got;
		c->moved = rl_agent_now();
	} else if (got == 0) {
		c->at_end = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		c->broken = true;
	}
}

static void deliver(struct rl_client *c)
{
	ssize_t sent;

	if (!waiting_out(c))
		return;
	sent = send(c->descriptor, c->out.data + c->sent, waiting_out(c), MSG_NOSIGNAL);
	if (sent < 0) {
		c->broken |= errno != EAGAIN && errno != EINTR;
		return;
	}
	c->moved = rl_agent_now();
	c->sent += (size_t)sent;
	if (c->sent == c->out.used)
		c->sent = c->out.used = 0;
}

/* What has been read makes room. */
static void tidy(struct rl_client *c)
{
	if (!c->sent)
		return;
	memmove(c->out.data, c->out.data + c->sent, waiting_out(c));
	c->out.used -= c->sent;
	c->sent = 0;
}

static void take_request(struct rl_client *c)
{
	const char *end = request_end(c);
	size_t length = (size_t)(end - c->in);
	char line[RL_AGENT_REQUEST];

	memcpy(line, c->in, length);
	line[length] = 0;
	if (memchr(line, 0, length))
		rl_agent_done(&c->out, "", RELINK_E_ARGUMENT, "a request with a NUL in it; nothing was done");
	else if (rl_agent_request(c, line) == RL_LATER)
		return;
	c->in_used -= length + 1;
	memmove(c->in, c->in + length + 1, c->in_used);
}

static void answer(struct rl_client *c)
{
	if (!may_answer(c))
		return;
	tidy(c);
	if (c->listing) {
		if (rl_agent_list_more(c) == RL_ANSWERED)
			c->listing = RL_LIST_NOTHING;
	} else if (request_end(c)) {
		take_request(c);
	} else if (c->in_used == sizeof(c->in)) {
		rl_agent_done(&c->out, "", RELINK_E_ARGUMENT, "a request is at most 65535 bytes and a newline; nothing was done");
		c->closing = true;
	} else if (rl_agent_has_events(c)) {
		rl_agent_events(c);
	}
}

/* ---- who comes and goes ---- */

static void hang_up(size_t i)
{
	struct rl_client *c = rl_agent.clients[i];

	if (c->subscribed)
		__atomic_fetch_sub(&rl_agent.subscribers, 1, __ATOMIC_RELAXED);
	rl_agent.clients[i] = NULL;
	rl_close_own(c->descriptor);
	munmap(c, sizeof(*c));
}

void rl_agent_hang_up(void)
{
	for (size_t i = 0; i < RL_AGENT_CLIENTS; i++)
		if (rl_agent.clients[i])
			hang_up(i);
}

/* Nothing of one that is idle but connected; half a request, or half a reply, is not kept for ever. */
static bool is_stalled(const struct rl_client *c)
{
	return (c->in_used || waiting_out(c)) && rl_agent_now() - c->moved > __atomic_load_n(&patience, __ATOMIC_RELAXED);
}

static bool is_over(const struct rl_client *c)
{
	if (c->broken || is_stalled(c))
		return true;
	return !waiting_out(c) && (c->closing || (c->at_end && !c->listing && !request_end(c) && !c->subscribed));
}

/* Politely, as far as that goes without waiting. */
static void refuse(int descriptor, const char *why)
{
	char line[512];
	struct rl_json out = { .data = line, .room = sizeof(line) };
	ssize_t unused;

	rl_agent_refuse(&out, why);
	unused = send(descriptor, line, out.used, MSG_NOSIGNAL);
	(void)unused;
	close(descriptor);
}

/* Memory of its own, which takes no room until it is used. */
static struct rl_client *new_client(int descriptor)
{
	struct rl_client *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (c == MAP_FAILED)
		return NULL;
	c->descriptor = descriptor;
	c->moved = rl_agent_now();
	c->out = (struct rl_json){ .data = c->out_bytes, .room = sizeof(c->out_bytes) };
	return c;
}

static size_t free_place(void)
{
	size_t i = 0;

	while (i < RL_AGENT_CLIENTS && rl_agent.clients[i])
		i++;
	return i;
}

static void admit(int descriptor)
{
	size_t place = free_place();
	struct rl_client *c;

	if (!rl_is_trusted(descriptor)) {
		refuse(descriptor, "this process is another user's; only that user and root may talk to it");
		return;
	}
	if (place == RL_AGENT_CLIENTS) {
		refuse(descriptor, "64 clients are connected, which is the limit; close one and try again");
		return;
	}
	c = new_client(descriptor);
	if (!c) {
		refuse(descriptor, "out of memory; try again later");
		return;
	}
	rl_agent.clients[place] = c;
	rl_agent_greet(c);
}

/* Under the lock, so that no fork falls between a descriptor and its being noted. */
static void accept_some(void)
{
	int descriptor = -1;

	if (rl_lock(0))
		return;
	for (int i = 0; i < ACCEPTS && (descriptor = rl_accept(&rl_agent.listener)) >= 0; i++)
		admit(descriptor);
	if (descriptor == -2)
		rl_agent.no_accept_until = rl_agent_now() + RETRY_MS;
	rl_unlock();
}

/* ---- turns ---- */

enum { EVENT, LISTENER, FILES, FIRST };

static short interest(const struct rl_client *c)
{
	short events = waiting_out(c) ? POLLOUT : 0;

	if (!c->at_end && !c->closing && c->in_used < sizeof(c->in) && !(c->listing || request_end(c)))
		events |= POLLIN;
	return events;
}

/* A client that was half closed is reported as hung up all the time: it is looked at only if it can be told something. */
static int descriptor_of(const struct rl_client *c)
{
	return c && (interest(c) || c->subscribed) ? c->descriptor : -1;
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static int patience_left(const struct rl_client *c)
{
	uint64_t limit = c->moved + __atomic_load_n(&patience, __ATOMIC_RELAXED) + 1, now = rl_agent_now();

	if (!c->in_used && !waiting_out(c))
		return -1;
	return limit > now ? (int)(limit - now) : 0;
}

static int timeout(void)
{
	uint64_t now = rl_agent_now();
	int ms = rl_agent_files_timeout();

	if (rl_agent.no_accept_until > now)
		ms = sooner(ms, (int)(rl_agent.no_accept_until - now));
	for (size_t i = 0; i < RL_AGENT_CLIENTS; i++)
		if (rl_agent.clients[i])
			ms = sooner(ms, has_work(rl_agent.clients[i]) ? 0 : patience_left(rl_agent.clients[i]));
	return ms;
}

static void fill(struct pollfd *polls)
{
	polls[EVENT] = (struct pollfd){ .fd = rl_agent.event, .events = POLLIN };
	polls[LISTENER] = (struct pollfd){ .fd = rl_agent.no_accept_until > rl_agent_now() ? -1 : rl_agent.listener.descriptor,
					   .events = POLLIN };
	polls[FILES] = (struct pollfd){ .fd = rl_agent.files, .events = POLLIN };
	for (size_t i = 0; i < RL_AGENT_CLIENTS; i++) {
		struct rl_client *c = rl_agent.clients[i];

		polls[FIRST + i] = (struct pollfd){ .fd = descriptor_of(c), .events = c ? interest(c) : 0 };
	}
}

static void step(size_t i, short happened)
{
	struct rl_client *c = rl_agent.clients[i];

	if (happened & POLLHUP && c->at_end)
		c->broken = true;
	if (happened & (POLLIN | POLLHUP | POLLERR))
		receive(c);
	answer(c);
	deliver(c);
	if (is_over(c))
		hang_up(i);
}

static void drain_event(void)
{
	uint64_t count;
	ssize_t unused = read(rl_agent.event, &count, sizeof(count));

	(void)unused;
}

/* ---- a program that closes all descriptors ---- */

static bool are_own(void)
{
	bool own = rl_is_own(rl_agent.event) && rl_is_own(rl_agent.listener.descriptor) && (rl_agent.files < 0 || rl_is_own(rl_agent.files));

	for (size_t i = 0; i < RL_AGENT_CLIENTS && own; i++)
		own = !rl_agent.clients[i] || rl_is_own(rl_agent.clients[i]->descriptor);
	return own;
}

/* The same again, as far as it is gone: what stands in its place is the program's. Under the lock, as accept_some. */
static void reopen(void)
{
	char why[256];

	for (size_t i = 0; i < RL_AGENT_CLIENTS; i++)
		if (rl_agent.clients[i] && !rl_is_own(rl_agent.clients[i]->descriptor))
			hang_up(i);
	if (!rl_is_own(rl_agent.event))
		rl_agent_new_event();
	if (!rl_is_own(rl_agent.listener.descriptor) && rl_listen_again(&rl_agent.listener, why, sizeof(why)) && !rl_agent.complained) {
		rl_remark(why);
		rl_agent.complained = true;
	}
	if (rl_agent.files >= 0 && !rl_is_own(rl_agent.files)) {
		rl_agent.files = -1; /* the number may be the next one's, which would be taken for what it was */
		rl_agent_files_start();
	}
}

/* Nothing wakes it meanwhile. */
static void breathe(void)
{
	struct timespec moment = { 0, RETRY_MS * 1000000 };

	if (!rl_agent_must_leave())
		nanosleep(&moment, NULL);
}

/* False: there is something that is not ours, and this was not the moment to mend it. */
static bool keep_own(void)
{
	if (are_own())
		return true;
	if (rl_lock(0))
		return false;
	reopen();
	rl_unlock();
	return are_own();
}

/* The first one of a thread waits for nothing, so that it is soon over. */
static void turn(bool first)
{
	struct pollfd polls[FIRST + RL_AGENT_CLIENTS];

	fill(polls);
	if (poll(polls, FIRST + RL_AGENT_CLIENTS, first ? 0 : timeout()) < 0)
		memset(polls, 0, sizeof(polls));
	if (!keep_own()) {
		breathe();
		return;
	}
	if (polls[EVENT].revents)
		drain_event();
	if (polls[FILES].revents)
		rl_agent_files_event();
	rl_agent_files_turn();
	for (size_t i = 0; i < RL_AGENT_CLIENTS && !rl_agent_must_leave(); i++)
		if (rl_agent.clients[i])
			step(i, polls[FIRST + i].revents);
	if (polls[LISTENER].revents && !rl_agent_must_leave())
		accept_some();
}

void rl_agent_serve(void)
{
	bool first = true;

	__atomic_store_n(&rl_agent.owed, true, __ATOMIC_RELAXED);
	for (; !rl_agent_must_leave(); first = false) {
		turn(first);
		if (!rl_agent_must_leave())
			rl_agent_turn_is_over();
	}
}
