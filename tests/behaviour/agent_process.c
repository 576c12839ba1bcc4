/* test: TIMEOUT 240 */
/* SPDX-License-Identifier: MIT */
/*
 * The agent and what processes do: fork, exec, exit, threads, stop mode, commits all the time, other users, sockets that were
 * left behind, the environment.
 */
#include <pthread.h>
#include <sys/prctl.h>

#include "agent/client.h"
#include "choices/run.h"

RELINK_KEY_FALSE(trace, "print what is read");
RELINK_KEY_FALSE(decided, "decided at start", RELINK_FINAL);
RELINK_KEY_FALSE(other, "another one");

static struct relink_error err;
static struct client a;

__attribute__((noinline)) static int is_traced(void)
{
	return relink_unlikely(trace) ? 1 : 0;
}

__attribute__((noinline)) static int is_decided(void)
{
	return relink_unlikely(decided) ? 1 : 0;
}

/* ---- this program again ---- */

static bool has_agent(pid_t pid)
{
	int fd = agent_connect(pid);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Says: has it an agent, what did the command line set, can it commit as who is alone? */
static int again(int argc, char **argv)
{
	struct relink_status s = { .size = sizeof(s) };
	struct relink_commit c = RELINK_COMMIT;
	struct relink_facts facts = { .size = sizeof(facts) };
	int r;

	if (getenv("XDG_RUNTIME_DIR"))
		strcpy(agent_dir, getenv("XDG_RUNTIME_DIR"));
	printf("agent %d ", has_agent(getpid()));
	r = relink_init(&argc, argv, &err);
	printf("init %d decided %d ", r, is_decided());
	relink_set_key(&c, other, true);
	printf("startup %d ", relink_commit(&c, RELINK_STARTUP, &err));
	relink_get_facts(&facts);
	printf("threads %u agent %d ", facts.threads, has_agent(getpid()));
	relink_get_status(&s);
	printf("notes %s\n", s.notes);
	return 0;
}

static void test_environment(void)
{
	static struct run r;
	char directory[80];

	snprintf(directory, sizeof(directory), "XDG_RUNTIME_DIR=%s", agent_dir);
	r = (struct run){ .argv = { "--relink", "decided" }, .environment = { "RELINK_AGENT=1", directory } };
	run(&r);
	CHECKF(!strcmp(r.output, "agent 1 init 0 decided 1 startup 0 threads 1 agent 1 notes \n"), "%s", r.output);
	r = (struct run){ .argv = { "--relink", "decided" }, .environment = { "RELINK_AGENT=0", directory } };
	run(&r);
	CHECKF(!strcmp(r.output, "agent 0 init 0 decided 1 startup 0 threads 1 agent 0 notes \n"), "%s", r.output);
}

/* A directory that others can write to is not used, and said so. */
static void test_bad_directory(void)
{
	static struct run r;
	char path[96];

	snprintf(path, sizeof(path), "%s/open", agent_dir);
	CHECK(!mkdir(path, 0700) && !setenv("XDG_RUNTIME_DIR", path, 1));
	strcat(path, "/relink");
	CHECK(!symlink("/tmp", path));
	r = (struct run){ .argv = { "again" }, .environment = { "RELINK_AGENT=1" } };
	run(&r);
	CHECKF(!strncmp(r.output, "agent 0 ", 8), "%s", r.output);
	CHECK(!unlink(path) && !mkdir(path, 0755) && !chmod(path, 0755));
	run(&r);
	CHECKF(!strncmp(r.output, "agent 0 ", 8), "%s", r.output);
	CHECK(!chmod(path, 0700));
	run(&r);
	CHECKF(!strncmp(r.output, "agent 1 ", 8), "%s", r.output);
	CHECK(!setenv("XDG_RUNTIME_DIR", agent_dir, 1));
}

/* ---- fork, exec, exit ---- */

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int count_sockets(void)
{
	char path[32], target[256];
	int count = 0;

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0) {
			target[n] = 0;
			count += strstr(target, "socket:") || strstr(target, "inotify") || strstr(target, "eventfd");
		}
	}
	return count;
}

/* The child has nothing of the parent's but its own connection; it may have its own agent. */
static int in_child(int sockets)
{
	static struct client c;

	if (count_sockets() != sockets)
		return 1;
	if (has_agent(getpid()))
		return 2;
	if (relink_key_enable(trace, &err) || relink_agent_start(&err))
		return 3;
	if (!agent_open(&c, getpid()) || strcmp(agent_member(agent_ask(&c, "set force live trace=off"), "code"), "0") || is_traced())
		return 4;
	close(c.fd);
	return 0;
}

static void test_fork(void)
{
	struct stat st;
	pid_t pid = fork();

	if (!pid)
		exit(in_child(1)); /* `a`, which the parent has connected */
	CHECKF(status_of(pid) == 0, "the child says no");
	CHECK(stat(agent_path(pid), &st));
	CHECK(!stat(agent_path(getpid()), &st));
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	CHECK(!is_traced());
	pid = fork();
	if (!pid)
		_exit(0);
	CHECK(status_of(pid) == 0 && !stat(agent_path(getpid()), &st));
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
}

/* It has gone before it could answer, or after. */
static void test_exit_during_request(void)
{
	static struct client c;

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			close(a.fd);
			relink_agent_start(&err);
			if (i & 1)
				agent_sleep(20);
			while (!is_traced())
				agent_sleep(1);
			if (i & 2)
				_exit(7);
			exit(7);
		}
		for (int n = 0; n < 2000 && !has_agent(pid); n++)
			agent_sleep(1);
		if (agent_open(&c, pid)) {
			agent_send(&c, "sites\nset program live trace=on\nsites\nlist\nsites\nstatus\nset force live trace=on\n");
			while (agent_line(&c))
				;
			close(c.fd);
		}
		CHECK(status_of(pid) == 7);
	}
}

static void test_stale(void)
{
	struct stat st;
	char left[108];
	pid_t pid = fork();

	if (!pid) {
		relink_agent_start(&err);
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	strcpy(left, agent_path(pid));
	CHECKF(!stat(left, &st) && !has_agent(pid), "_exit leaves the file behind");
	pid = fork();
	if (!pid) {
		relink_agent_start(&err);
		exit(stat(left, &st) == 0);
	}
	CHECKF(status_of(pid) == 0, "it is still there");
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
}

/* ---- other users ---- */

#define NOBODY 65534

/* With the socket opened to everybody, the other side's user is what counts. */
static void test_other_user(void)
{
	static struct client c;
	pid_t pid;

	if (getuid())
		return;
	CHECK(!chmod(agent_dir, 0711));
	snprintf(c.line, sizeof(c.line), "%s/relink", agent_dir);
	CHECK(!chmod(c.line, 0711) && !chmod(agent_path(getpid()), 0666));
	pid = fork();
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(9);
		c.fd = agent_connect(getppid());
		c.used = 0;
		_exit(c.fd < 0 ? 1 : !agent_line(&c) || !strstr(c.line, "another user's") ? 2 : agent_line(&c) ? 3 : 0);
	}
	CHECK(status_of(pid) == 0);
	snprintf(c.line, sizeof(c.line), "%s/relink", agent_dir);
	CHECK(!chmod(c.line, 0700) && !chmod(agent_path(getpid()), 0600) && !chmod(agent_dir, 0700));
}

/* ---- commits ---- */

static int over;

static void *run_code(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		is_traced();
	return unused;
}

/* The agent makes way for stops, for commits that must be alone, and comes back; by turns with its own commits. */
static void *ask_all_the_time(void *ctx)
{
	static struct client c;

	if (agent_open(&c, getpid()))
		while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
			AGENT_CODE(agent_ask(&c, "set program live trace=on"), RELINK_OK);
			AGENT_CODE(agent_ask(&c, "list"), RELINK_OK);
			AGENT_CODE(agent_ask(&c, "set program live trace=off"), RELINK_OK);
			AGENT_CODE(agent_ask(&c, "sites"), RELINK_OK);
			__atomic_fetch_add((unsigned *)ctx, 1, __ATOMIC_RELAXED);
		}
	close(c.fd);
	return NULL;
}

static int commit_other(int i, int mode)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, other, i & 1);
	if (mode != RELINK_LIVE)
		relink_set_key(&c, decided, i & 1);
	return relink_commit(&c, mode, &err);
}

static void test_stops(void)
{
	pthread_t asker, runner;
	unsigned rounds = 0;

	CHECK(!pthread_create(&asker, NULL, ask_all_the_time, &rounds) && !pthread_create(&runner, NULL, run_code, NULL));
	for (int i = 0; i < 200 || !__atomic_load_n(&rounds, __ATOMIC_RELAXED); i++) {
		CHECK_CODE(commit_other(i, AGENT_UNDER_TSAN ? RELINK_LIVE : RELINK_STOP), RELINK_OK, &err);
		CHECK_CODE(relink_key_set(other, i & 1, &err), RELINK_OK, &err);
		if (i % 16 == 0 && !AGENT_UNDER_TSAN)
			CHECK_CODE(relink_quiesce(1000, &err), RELINK_OK, &err);
		CHECK_CODE(relink_key_set(other, !(i & 1), &err), RELINK_OK, &err);
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	pthread_join(asker, NULL);
	pthread_join(runner, NULL);
	over = 0;
}

/* One stop after the other, each of which ends the agent's thread: it gets its turn in between. */
static void test_not_starved(void)
{
	pthread_t asker;
	unsigned rounds = 0;
	double end = agent_now() + PATIENCE_MS;
	int i = 0;

	CHECK(!pthread_create(&asker, NULL, ask_all_the_time, &rounds));
	while (__atomic_load_n(&rounds, __ATOMIC_RELAXED) < 5 && agent_now() < end)
		CHECK_CODE(commit_other(i++, RELINK_STOP), RELINK_OK, &err);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	pthread_join(asker, NULL);
	over = 0;
	CHECKF(rounds >= 5, "%u rounds within %d stops", rounds, i);
}

/* The agent stops all others by itself. */
static void test_stop_by_agent(void)
{
	pthread_t runner;

	CHECK(!pthread_create(&runner, NULL, run_code, NULL));
	for (int i = 0; i < 20; i++) {
		AGENT_CODE(agent_ask(&a, "set program stop decided=%s trace=on", i & 1 ? "on" : "off"), RELINK_OK);
		CHECK(is_decided() == (i & 1));
	}
	AGENT_CODE(agent_ask(&a, "set program live decided=off"), RELINK_E_FINAL);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	pthread_join(runner, NULL);
	over = 0;
	AGENT_CODE(agent_ask(&a, "release program stop trace decided"), RELINK_OK);
}

/* With one thread and the agent the process is alone for whoever asks. */
static void test_alone(void)
{
	struct relink_facts facts = { .size = sizeof(facts) };

	for (int i = 0; i < 100; i++) {
		CHECK_CODE(commit_other(i, RELINK_STARTUP), RELINK_OK, &err);
		if (i % 10 == 0)
			AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	}
	CHECK(!relink_get_facts(&facts) && facts.threads == 1);
	AGENT_CODE(agent_ask(&a, "release program stop other decided"), RELINK_OK);
}

/* Signals of the program's go to its own threads. */
/* ---- a program that closes all descriptors ---- */

/* Files of the program's own stand where the agent's were: nothing is written to them, read from them, or closed. */
static void test_close_all(void)
{
	struct relink_commit c = RELINK_COMMIT;
	int highest = dup(0), pipes[32][2], fd = -1;
	double before;
	char byte;

	CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
	CHECK(agent_open(&a, getpid()));
	for (int i = 3; i < highest + 64; i++)
		close(i);
	for (int i = 0; i < 32; i++) {
		CHECK(!pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK));
		CHECK(write(pipes[i][1], "x", 1) == 1);
	}
	before = agent_now();
	relink_set_key(&c, other, true);
	CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_OK, &err); /* the thread hears of it */
	CHECKF(agent_now() - before < 500, "%.0f ms", agent_now() - before);
	for (int i = 0; i < 100 && fd < 0; i++) {
		fd = agent_connect(getpid());
		agent_sleep(10);
	}
	close(fd);
	CHECK(agent_open(&a, getpid()));
	AGENT_CODE(agent_ask(&a, "set program live trace=on"), RELINK_OK);
	CHECK(is_traced());
	AGENT_CODE(agent_ask(&a, "release program live trace other"), RELINK_OK);
	for (int i = 0; i < 32; i++) {
		CHECKF(read(pipes[i][0], &byte, 1) == 1 && byte == 'x', "pipe %d", i);
		CHECKF(read(pipes[i][0], &byte, 1) == -1 && errno == EAGAIN, "pipe %d", i);
		close(pipes[i][0]);
		CHECKF(!close(pipes[i][1]), "pipe %d", i);
	}
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	close(a.fd);
	CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
}

static volatile sig_atomic_t signals_seen;

static void on_signal(int signal)
{
	(void)signal;
	signals_seen = signals_seen + (prctl(PR_GET_NAME, 0) == -1 || getpid() == (pid_t)gettid());
}

static void test_signals(void)
{
	int sent = 0;

	signal(SIGUSR1, on_signal);
	signal(SIGRTMIN + 3, on_signal);
	for (int i = 0; i < 200; i++) {
		sent += !kill(getpid(), SIGUSR1);
		sent += !kill(getpid(), SIGRTMIN + 3);
		if (i % 20 == 0)
			AGENT_CODE(agent_ask(&a, "list"), RELINK_OK);
	}
	CHECKF(signals_seen == sent, "%d of %d", (int)signals_seen, sent);
}

int main(int argc, char **argv)
{
	bool alone;

	if (argc > 1)
		return again(argc, argv);
	setenv("RELINK_CONFIG", "/nonexistent/relink", 1);
	relink_stop_timeout(20000); /* other work may have the processors */
	agent_set_up();
	alone = agent_may_be_alone();
	if (alone)
		test_close_all();
	CHECK_CODE(relink_agent_start(&err), RELINK_OK, &err);
	if (!agent_open(&a, getpid()))
		return check_done();
	if (alone)
		test_alone();
	test_signals();
	if (alone)
		test_environment();
	test_bad_directory();
	if (!AGENT_UNDER_TSAN) {
		test_fork();
		test_exit_during_request();
		test_stale();
		test_stop_by_agent();
		test_not_starved();
	}
	test_other_user();
	test_stops();
	AGENT_CODE(agent_ask(&a, "hello"), RELINK_OK);
	CHECK_CODE(relink_agent_stop(&err), RELINK_OK, &err);
	close(a.fd);
	agent_tear_down();
	return check_done();
}
