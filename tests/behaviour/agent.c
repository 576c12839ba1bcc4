/* test: TIMEOUT 240 */
/* SPDX-License-Identifier: MIT */
/* The agent: every request, precedence, events; many clients, slow ones, garbage, half a request. */
#include <pthread.h>

#include "agent/client.h"

RELINK_KEY_FALSE(trace, "print \"every\" file\tas it is read");
RELINK_KEY_FALSE(loud, "says where it is");
RELINK_KEY_TRUE(careful, "look twice", RELINK_NONFORCIBLE);
RELINK_OPTION(idle, "what a worker does", halt, poll, spin);
RELINK_DECLARE_CALL(int, hash, (int x));
RELINK_IMMEDIATE(int, batch, 16, "at a time");

static int hash_small(int x)
{
	return x + 1;
}

static int hash_large(int x)
{
	return x + 2;
}

RELINK_DEFINE_CALL(hash, hash_small, "hashes");
RELINK_VARIANT(hash, hash_large, .rank = -1);

static struct relink_error err;
static struct client a, b;
static char lines[1 << 20];

extern void rl_test_agent_patience(unsigned ms);

__attribute__((noinline)) static int is_traced(void)
{
	return relink_unlikely(trace) ? 1 : 0;
}

/* ---- requests ---- */

static void test_hello(void)
{
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "hello 1"), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "hello 2"), RELINK_E_ARGUMENT);
	AGENT_CODE(agent_ask(&a, "goodbye"), RELINK_E_ARGUMENT);
	CHECK_HAS(a.line, "no such request");
	agent_send(&a, "\n\r\n");
	AGENT_CODE(agent_ask(&a, "hello\r"), RELINK_OK);
}

static void test_list(void)
{
	const char *line = agent_choice(&a, "trace");

	AGENT_HAS(line, "choice", "\"trace\"");
	AGENT_HAS(line, "kind", "\"key\"");
	AGENT_HAS(line, "state", "\"off\"");
	AGENT_HAS(line, "states", "[\"off\",\"on\"]");
	AGENT_HAS(line, "usable", "[true,true]");
	AGENT_HAS(line, "decided_by", "\"default\"");
	AGENT_HAS(line, "nonforcible", "false");
	CHECK_HAS(line, "\"doc\":\"print \\\"every\\\" file\\u0009as it is read\"");
	line = agent_choice(&a, "idle");
	AGENT_HAS(line, "states", "[\"halt\",\"poll\",\"spin\"]");
	line = agent_choice(&a, "ba*");
	AGENT_HAS(line, "kind", "\"immediate\"");
	AGENT_HAS(line, "state", "\"16\"");
	CHECK(!*agent_choice(&a, "nothing"));
	CHECK(strstr(agent_choice(&a, "*a?e*"), "\"trace\""));
	CHECK(strstr(agent_choice(&a, "t*a*c*"), "\"trace\"") != NULL);
	CHECK(!*agent_choice(&a, "t*a*x") && !*agent_choice(&a, "trac") && !*agent_choice(&a, "?trace"));
	CHECK(!*agent_choice(&a, "*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*t*"));
	AGENT_CODE(agent_ask(&a, "list"), RELINK_OK);
	AGENT_HAS(a.line, "count", "6");
	AGENT_CODE(agent_ask(&a, "list a b"), RELINK_E_ARGUMENT);
	AGENT_CODE(agent_ask(&a, "list %%4"), RELINK_E_ARGUMENT);
	CHECK_HAS(agent_choice(&a, "%74race"), "\"choice\":\"trace\"");
}

static int count_site(const struct relink_site_info *site, void *ctx)
{
	(void)site;
	++*(unsigned *)ctx;
	return 0;
}

static void test_sites(void)
{
	unsigned sites = 0, listed = 0;

	CHECK(!relink_each_site(count_site, &sites));
	agent_send(&a, "sites\n");
	AGENT_CODE(agent_reply(&a, lines, sizeof(lines)), RELINK_OK);
	for (const char *at = lines; (at = strstr(at, "{\"address\":\"0x")); at++)
		listed++;
	CHECKF(sites == listed, "%u sites, %u listed", sites, listed);
	AGENT_CODE(agent_ask(&a, "sites trace"), RELINK_OK);
}

__attribute__((noinline)) static int loud_here(void)
{
	return relink_here(loud, "one") ? 1 : 0;
}

__attribute__((noinline)) static int loud_there(void)
{
	return relink_here(loud, "two %s\"") ? 1 : 0;
}

static unsigned count_uses(const char *request)
{
	unsigned n = 0;

	agent_send(&a, request);
	AGENT_CODE(agent_reply(&a, lines, sizeof(lines)), RELINK_OK);
	for (const char *at = lines; (at = strstr(at, "{\"address\":\"0x")); at++)
		n++;
	return n;
}

static void test_uses(void)
{
	CHECK(count_uses("uses\n") == 2);
	CHECK_HAS(lines, "\"text\":\"two %s\\\"\"");
	CHECK(count_uses("uses func%20*there\n") == 1);
	CHECK_HAS(lines, "\"function\":\"loud_there\",\"state\":\"off\",\"decided_by\":\"default\"");
	AGENT_CODE(agent_ask(&a, "uses func"), RELINK_E_ARGUMENT);
	CHECK(count_uses("uses func%20*there;func%20loud_h*\n") == 2);
	AGENT_CODE(agent_ask(&a, "uses ;;;;;;;;;;;;;;;;;;;;;;;func%%20x"), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "uses -;-;-;-;-;-;-;-;-;-;-;-;-;-;-;-;-"), RELINK_E_ARGUMENT);
	AGENT_CODE(agent_ask(&a, "set program live {func%%20*there%%20+} trace=on"), RELINK_OK);
	CHECK(!loud_here() && loud_there() && is_traced());
	AGENT_CODE(agent_ask(&a, "set force live {format%%20two*%%20-;key%%20loud%%20line%%201-%%20format%%20one%%20+p}"), RELINK_OK);
	CHECK(loud_here() && !loud_there());
	AGENT_CODE(agent_ask(&a, "set program live {func%%20*there%%20+}"), RELINK_OVERRIDDEN);
	AGENT_CODE(agent_ask(&a, "set program live {func%%20nowhere%%20+} trace=off"), RELINK_E_UNKNOWN);
	AGENT_CODE(agent_ask(&a, "set program live {func%%20*there%%20+"), RELINK_E_ARGUMENT);
	AGENT_CODE(agent_ask(&a, "set program live {"), RELINK_E_ARGUMENT);
	AGENT_CODE(agent_ask(&a, "set program live {}"), RELINK_E_SYNTAX);
	AGENT_CODE(agent_ask(&a, "release program live {func%%20*there}"), RELINK_E_ARGUMENT);
	CHECK(is_traced());
	AGENT_CODE(agent_ask(&a, "set force live {clear}"), RELINK_OK);
	CHECK(!loud_here() && loud_there());
	AGENT_CODE(agent_ask(&a, "set program live {clear} trace=off"), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "release program live trace"), RELINK_OK);
	CHECK(!loud_here() && !loud_there());
}

static void test_status(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(!relink_get_status(&s));
	agent_send(&a, "status\n");
	AGENT_CODE(agent_reply(&a, lines, sizeof(lines)), RELINK_OK);
	CHECK_HAS(lines, s.mode);
	AGENT_HAS(lines, "modules", "1");
	AGENT_CODE(agent_ask(&a, "status now"), RELINK_E_ARGUMENT);
}

static bool is_batch(int value)
{
	return relink_immediate_value(batch) == value;
}

static void test_set(void)
{
	AGENT_CODE(agent_ask(&a, "set program live trace=on idle=poll hash=large"), RELINK_OK);
	CHECK(is_traced() && relink_option_is(idle, poll) && hash(1) == 3);
	AGENT_HAS(agent_choice(&a, "trace"), "decided_by", "\"program\"");
	AGENT_CODE(agent_ask(&a, "set program live trace=off idle=nonsense"), RELINK_E_STATE);
	CHECK_HAS(a.line, "halt, poll, spin");
	CHECK(is_traced());
	AGENT_CODE(agent_ask(&a, "set program live trace=off nothing=on"), RELINK_E_UNKNOWN);
	CHECK(is_traced());
	AGENT_CODE(agent_ask(&a, "set program live trac%%65=off"), RELINK_OK);
	CHECK(!is_traced());
	AGENT_CODE(agent_ask(&a, "release program live trace idle hash"), RELINK_OK);
	CHECK(!is_traced() && relink_option_is(idle, halt) && hash(1) == 2);
	AGENT_HAS(agent_choice(&a, "trace"), "decided_by", "\"default\"");
}

static void test_bad_sets(void)
{
	static const char *const bad[] = {
		"set", "set program", "set program live", "set live program trace=on", "set program live trace", "set program live =on",
		"set program live  trace=on", "set program startup trace=on", "set program live trace=%", "set program live %0=on",
		"set program live trace%00=on", "release program live", "release force live ", "set nobody live trace=on",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		AGENT_CODE(agent_ask(&a, "%s", bad[i]), RELINK_E_ARGUMENT);
		CHECKF(!is_traced(), "%s", bad[i]);
	}
}

static void test_precedence(void)
{
	AGENT_CODE(agent_ask(&a, "set force live trace=on"), RELINK_OK);
	CHECK(is_traced());
	CHECK_CODE(relink_key_set(trace, false, &err), RELINK_OVERRIDDEN, &err);
	CHECK(is_traced());
	AGENT_CODE(agent_ask(&a, "set program live trace=off"), RELINK_OVERRIDDEN);
	AGENT_HAS(agent_choice(&a, "trace"), "asked", "{\"program\":\"off\",\"force\":\"on\"}");
	AGENT_CODE(agent_ask(&a, "set force live careful=off"), RELINK_E_NONFORCIBLE);
	AGENT_CODE(agent_ask(&a, "release force live trace"), RELINK_OK);
	CHECK(!is_traced());
	CHECK_CODE(relink_key_clear(trace, &err), RELINK_OK, &err);
}

/* Numbers are code that one store changes: this process is alone, but for the agent. */
static void test_number(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_immediate(&c, batch, 32);
	CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_OK, &err);
	CHECK(is_batch(32));
	AGENT_HAS(agent_choice(&a, "batch"), "state", "\"32\"");
	relink_unset(&c, "batch");
	CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_OK, &err);
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
}

/* ---- events ---- */

/* Lines until one of that choice, or that event, comes. */
static const char *event_of(struct client *c, const char *what)
{
	char choice[80], event[80];

	snprintf(choice, sizeof(choice), "\"choice\":\"%s\"", what);
	snprintf(event, sizeof(event), "\"event\":\"%s\"", what);
	while (agent_line(c))
		if (strstr(c->line, choice) || strstr(c->line, event))
			return c->line;
	return "nothing";
}

static void test_events(void)
{
	CHECK(agent_open(&b, getpid()));
	AGENT_CODE(agent_ask(&b, "subscribe"), RELINK_OK);
	AGENT_HAS(event_of(&b, "trace"), "state", "\"off\"");
	CHECK(strstr(event_of(&b, "ready"), "ready") != NULL);
	CHECK_CODE(relink_key_enable(trace, &err), RELINK_OK, &err);
	AGENT_HAS(event_of(&b, "trace"), "state", "\"on\"");
	AGENT_CODE(agent_ask(&a, "set force live trace=off"), RELINK_OK);
	AGENT_HAS(event_of(&b, "trace"), "decided_by", "\"force\"");
	AGENT_CODE(agent_ask(&a, "release force live trace"), RELINK_OK);
	AGENT_HAS(event_of(&b, "trace"), "state", "\"on\"");
	AGENT_CODE(agent_ask(&b, "hello"), RELINK_OK);
	CHECK_CODE(relink_key_clear(trace, &err), RELINK_OK, &err);
	AGENT_HAS(event_of(&b, "trace"), "decided_by", "\"default\"");
	close(b.fd);
}

/* Who does not read is told the latest, once. */
static void test_slow_subscriber(void)
{
	int events = 0;

	CHECK(agent_open(&b, getpid()));
	AGENT_CODE(agent_ask(&b, "subscribe"), RELINK_OK);
	for (int i = 0; i < 20000; i++)
		relink_key_set(trace, i & 1, &err);
	while (strcmp(agent_member(event_of(&b, "trace"), "decided_by"), "\"program\"") || strcmp(agent_member(b.line, "state"), "\"on\""))
		if (++events > 20000)
			break;
	CHECKF(events < 20000, "%d events", events);
	CHECK_CODE(relink_key_clear(trace, &err), RELINK_OK, &err);
	close(b.fd);
}

/* ---- clients ---- */

static void test_pipelined(void)
{
	char request[64 * 32] = "";

	for (int i = 0; i < 64; i++)
		strcat(request, i & 1 ? "set program live trace=off\n" : "set program live trace=on\n");
	agent_send(&a, request);
	for (int i = 0; i < 64; i++)
		AGENT_CODE(agent_reply(&a, NULL, 0), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "release program live trace"), RELINK_OK);
}

static void test_half_closed(void)
{
	CHECK(agent_open(&b, getpid()));
	agent_send(&b, "list\nstatus\nset program live trace=on");
	shutdown(b.fd, SHUT_WR);
	AGENT_CODE(agent_reply(&b, NULL, 0), RELINK_OK);
	AGENT_CODE(agent_reply(&b, NULL, 0), RELINK_OK);
	CHECKF(!agent_line(&b) && !is_traced(), "a request that was cut off was heard: %s", b.line);
	close(b.fd);
}

/* One that never reads what it asks for, one that sends half a request, one that vanishes. */
static void test_slow(void)
{
	static char flood[65536];
	int slow = agent_connect(getpid()), half = agent_connect(getpid()), gone = agent_connect(getpid());
	double before;

	for (size_t i = 0; i + 5 <= sizeof(flood); i += 5)
		memcpy(flood + i, "list\n", 5);
	fcntl(slow, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 100 && send(slow, flood, sizeof(flood) - 1, MSG_NOSIGNAL) > 0; i++)
		;
	CHECK(send(half, "set program li", 14, MSG_NOSIGNAL) == 14);
	CHECK(send(gone, "list\nset program live trace=on\n", 31, MSG_NOSIGNAL) == 31);
	close(gone);
	before = agent_now();
	for (int i = 0; i < 20; i++)
		AGENT_CODE(agent_ask(&a, "list"), RELINK_OK);
	CHECKF(agent_now() - before < 10000, "%.0f ms", agent_now() - before);
	CHECK_CODE(relink_key_clear(trace, &err), RELINK_OK, &err);
	rl_test_agent_patience(200);
	agent_sleep(500);
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	agent_sleep(300);
	CHECKF(send(half, "ve trace=on\n", 12, MSG_NOSIGNAL) < 0, "half a request was kept");
	rl_test_agent_patience(30000);
	CHECK(!is_traced());
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	close(slow);
	close(half);
}

static void test_too_long(void)
{
	static char request[70000];

	CHECK(agent_open(&b, getpid()));
	memset(request, 'x', sizeof(request) - 1);
	agent_send(&b, request);
	AGENT_CODE(agent_reply(&b, NULL, 0), RELINK_E_ARGUMENT);
	CHECK(!agent_line(&b));
	close(b.fd);
	CHECK(agent_open(&b, getpid()));
	agent_send(&b, "set program live");
	for (int i = 0; i < 4097; i++)
		agent_send(&b, " trace=on");
	agent_send(&b, "\n");
	AGENT_CODE(agent_reply(&b, NULL, 0), RELINK_E_ARGUMENT);
	CHECK_HAS(b.line, "4096");
	CHECK(!is_traced());
	close(b.fd);
}

#define MANY 63

static void test_many(void)
{
	static struct client one;
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		fds[i] = agent_connect(getpid());
		CHECK(fds[i] >= 0);
	}
	for (int i = 0; i < MANY; i++)
		CHECK(send(fds[i], "set program live trace=on\nset program live trace=off\nsites\n", 59, MSG_NOSIGNAL) == 59);
	for (int i = 0; i < MANY; i++) {
		one.fd = fds[i];
		one.used = 0;
		CHECK(agent_line(&one) != NULL);
		for (int n = 0; n < 3; n++)
			AGENT_CODE(agent_reply(&one, NULL, 0), RELINK_OK);
	}
	one.fd = agent_connect(getpid());
	one.used = 0;
	CHECK(agent_line(&one) != NULL);
	CHECK_HAS(one.line, "64 clients are connected");
	CHECK(!agent_line(&one));
	close(one.fd);
	AGENT_CODE(agent_ask(&a, "release program live trace"), RELINK_OK);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

/* ---- garbage ---- */

static uint64_t random_state = 88172645463325252u;

static unsigned random_below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % n);
}

static const char *const pieces[] = { "set", "release", "list", "sites", "status", "hello", "subscribe", "reload", " ", " ", " ", "\n", "\n",
	"program", "force", "live", "stop", "trace", "idle", "hash", "batch", "=", "=", "on", "off", "poll", "%", "%41", "%00", "%zz", "\r",
	"\t", ",", ":", "*", "[", "]", "\\", "\"", "\x80", "\xff\xfe", "trace=on", "set program live trace=on\n", "-1", "99999999999999999999" };

static size_t make_garbage(char *text, size_t size)
{
	size_t used = 0, want = 1 + random_below(60);

	for (size_t i = 0; i < want && used + 40 < size; i++) {
		if (!random_below(4)) {
			text[used++] = (char)random_below(256);
		} else {
			const char *piece = pieces[random_below(COUNT(pieces))];

			memcpy(text + used, piece, strlen(piece));
			used += strlen(piece);
		}
	}
	return used;
}

static void drain(int fd)
{
	char bytes[65536];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void test_garbage(void)
{
	static char text[4096];
	int fd = -1;

	for (int i = 0; i < 5000; i++) {
		size_t n = make_garbage(text, sizeof(text));

		if (fd < 0)
			fd = agent_connect(getpid());
		if (send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 || !random_below(8)) {
			close(fd);
			fd = -1;
		} else {
			drain(fd);
		}
		if (i % 500 == 0)
			AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	}
	close(fd);
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "release program live trace idle hash batch"), RELINK_OK);
	AGENT_CODE(agent_ask(&a, "release force live trace idle hash batch"), RELINK_OK);
	CHECK(!is_traced() && relink_option_is(idle, halt) && hash(1) == 2);
}

/* ---- start and stop ---- */

static void test_start_stop(void)
{
	struct stat st;

	for (int i = 0; i < 100; i++) {
		CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
		CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
		CHECK(!stat(agent_path(getpid()), &st) && (st.st_mode & 07777) == 0600);
		CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
		CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
		CHECK(stat(agent_path(getpid()), &st) && agent_connect(getpid()) < 0);
	}
	CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
}

int main(void)
{
	bool alone;

	setenv("RELINK_CONFIG", "/nonexistent/relink", 1);
	agent_set_up();
	alone = agent_may_be_alone();
	test_start_stop();
	if (!agent_open(&a, getpid()))
		return check_done();
	test_hello();
	test_list();
	test_sites();
	test_uses();
	test_status();
	test_set();
	test_bad_sets();
	test_precedence();
	if (alone)
		test_number();
	test_events();
	test_slow_subscriber();
	test_pipelined();
	test_half_closed();
	test_slow();
	test_too_long();
	test_many();
	test_garbage();
	CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
	CHECKF(!agent_line(&a), "the agent has gone, and says %s", a.line);
	close(a.fd);
	agent_tear_down();
	return check_done();
}
