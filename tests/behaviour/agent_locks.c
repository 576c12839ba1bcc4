/* test: LOCKS NOT address thread */
/* SPDX-License-Identifier: MIT */
/* The agent in a program that takes lock prefixes away: its thread does not count, one of the program's does. */
#include <pthread.h>

#include "agent/client.h"
#include "choices/run.h"

static struct relink_error err;
static struct client a;
static long counter;

static const char *locks(void)
{
	static struct relink_status s;

	s.size = sizeof(s);
	relink_get_status(&s);
	return s.locks;
}

static bool are_off(void)
{
	relink_atomic_inc(&counter);
	return !strncmp(locks(), "off: ", 5);
}

static void *nothing(void *unused)
{
	return unused;
}

static void test_thread(void)
{
	pthread_t t;

	CHECKF(are_off(), "%s", locks());
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	CHECK(!pthread_create(&t, NULL, nothing, NULL) && !are_off());
	AGENT_CODE(agent_ask(&a, "set program live locks=off"), RELINK_E_THREADS);
	AGENT_CODE(agent_ask(&a, "set force live locks=off"), RELINK_E_THREADS);
	CHECK(!pthread_join(t, NULL) && !are_off());
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	CHECKF(are_off(), "%s", locks());
	AGENT_CODE(agent_ask(&a, "set force live locks=on"), RELINK_OK);
	CHECK(!are_off());
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
}

static int program(void)
{
	strcpy(agent_dir, getenv("XDG_RUNTIME_DIR"));
	CHECKF(are_off(), "%s", locks());
	if (agent_open(&a, getpid()))
		test_thread();
	CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
	for (int i = 0; i < 20; i++) {
		CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
		CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
	}
	return check_done();
}

int main(int argc, char **argv)
{
	static struct run r;

	(void)argv;
	if (argc > 1)
		return program();
	if (strstr(locks(), "creation of threads would not be noticed") || !strncmp(locks(), "on: ", 4)) {
		printf("%s\n", locks());
		check_skip("lock prefixes stay here");
	}
	agent_set_up();
	r = (struct run){ .argv = { "program" }, .environment = { "RELINK_AGENT=1" } };
	run(&r);
	CHECKF(r.status == 0, "%d %s", r.status, r.output);
	CHECKF(are_off(), "%s", locks());
	CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
	CHECKF(are_off(), "%s", locks());
	CHECK(agent_open(&a, getpid()));
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	close(a.fd);
	CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
	agent_tear_down();
	return check_done();
}
