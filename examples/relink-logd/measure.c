/* SPDX-License-Identifier: MIT */
/*
 * measure.c - the same requests, over and over. The engine is there three times: without log statements, with per-use keys, with a
 * flag in memory. Rounds are interleaved and the median is what is printed: this is about a few nanoseconds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "measure.h"
#include "server.h"

int table_init_0(struct table *t);
int table_init_2(struct table *t);
void table_free_0(struct table *t);
void table_free_2(struct table *t);

/* One round of requests and what comes back, whoever asks and however often. */
static const struct {
	const char *line, *reply;
} requests[] = {
	{ "ping", "PONG" }, { "set colour green", "OK" }, { "get colour", "green" }, { "upper colour", "GREEN" }, { "get nothing", "NONE" },
	{ "set n 41", "OK" }, { "up n", "42" }, { "down n 2", "40" }, { "length colour", "5" }, { "set text \"two words\"", "OK" },
	{ "get text", "two words" }, { "reverse text", "sdrow owt" }, { "has text", "1" }, { "copy text other", "OK" }, { "delete other", "OK" },
	{ "swap colour red", "GREEN" }, { "same colour red", "1" }, { "nonsense", "ERROR no command nonsense" }, { "echo", "ERROR too few words for echo" },
};
#define REQUESTS (sizeof(requests) / sizeof(*requests))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* This thread's own time: other jobs of the machine don't count. */
static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* ---- the engine ---- */

#define ROUNDS 101

static const struct way {
	const char *name;
	engine_execute *execute;
	int (*init)(struct table *t);
	void (*done)(struct table *t);
	int on;
} ways[] = {
	{ "no log statements", engine_execute_0, table_init_0, table_free_0, 0 },
	{ "per-use keys, off", engine_execute_1, table_init_1, table_free_1, 0 },
	{ "a flag in memory, off", engine_execute_2, table_init_2, table_free_2, 0 },
	{ "per-use keys, on", engine_execute_1, table_init_1, table_free_1, 1 },
	{ "a flag in memory, on", engine_execute_2, table_init_2, table_free_2, 1 },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static unsigned long run_once(const struct way *w, struct table *t)
{
	unsigned long wrong = 0;
	char reply[256];

	for (size_t i = 0; i < REQUESTS; i++) {
		size_t n = w->execute(t, requests[i].line, strlen(requests[i].line), reply, sizeof(reply));

		wrong += n != strlen(requests[i].reply) || memcmp(reply, requests[i].reply, n);
	}
	return wrong;
}

static void set_all(int on)
{
	struct relink_error err;

	__atomic_store_n(&log_flag, on, __ATOMIC_RELAXED);
	if (relink_uses_query(on ? "key *_debug +" : "key *_debug -", &err) < 0)
		fprintf(stderr, "relink-logd: %s\n", relink_error_text(&err));
}

unsigned long measure_engine(double seconds)
{
	static double times[WAYS][ROUNDS];
	double share = seconds / ROUNDS / WAYS, bare;
	struct table tables[WAYS];
	unsigned long wrong = 0;

	for (size_t w = 0; w < WAYS; w++)
		ways[w].init(&tables[w]);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t k = 0; k < WAYS; k++) {
			size_t w = (k + round) % WAYS;
			unsigned long count = 0;
			double start, stop;

			if (ways[w].on)
				set_all(1);
			start = stop = cpu_now();
			for (; stop - start < share; count += 8, stop = cpu_now())
				for (int i = 0; i < 8; i++)
					wrong += run_once(&ways[w], &tables[w]);
			times[w][round] = (stop - start) / (double)(count * REQUESTS) * 1e9;
			if (ways[w].on)
				set_all(0);
		}
	printf("The engine alone, one thread's running time; median of %d rounds:\n", ROUNDS);
	bare = median(times[0], ROUNDS);
	for (size_t w = 0; w < WAYS; w++) {
		double t = w ? median(times[w], ROUNDS) : bare;

		printf("  %-24s %9.1f ns per request  %+7.1f ns  %+6.1f %%\n", ways[w].name, t, t - bare, 100 * (t / bare - 1));
		ways[w].done(&tables[w]);
	}
	return wrong;
}

/* ---- the server ---- */

static struct {
	const char *path;
	int stop;
	unsigned long requests, wrong;
} load;

/* What a client asks for is its own, so that clients do not see each other's values. */
static void own_line(char *out, size_t size, const char *line, unsigned client)
{
	const char *space = strchr(line, ' ');
	int command = space ? (int)(space - line) : (int)strlen(line);

	if (!space)
		snprintf(out, size, "%s", line);
	else if (!strncmp(line, "copy", 4))
		snprintf(out, size, "copy c%u_text c%u_other", client, client);
	else
		snprintf(out, size, "%.*s c%u_%s", command, line, client, space + 1);
}

static void *client(void *arg)
{
	unsigned number = (unsigned)(uintptr_t)arg;
	int fd = client_open(load.path);
	unsigned long asked = 0, wrong = fd < 0;
	char line[256], reply[1024];

	while (fd >= 0 && !__atomic_load_n(&load.stop, __ATOMIC_RELAXED)) {
		size_t i = asked++ % REQUESTS;

		own_line(line, sizeof(line), requests[i].line, number);
		if (client_ask(fd, line, reply, sizeof(reply))) {
			wrong++;
			break;
		}
		wrong += strcmp(reply, requests[i].reply) != 0;
		__atomic_fetch_add(&load.requests, 1, __ATOMIC_RELAXED);
	}
	if (fd >= 0)
		close(fd);
	__atomic_fetch_add(&load.wrong, wrong, __ATOMIC_RELAXED);
	return NULL;
}

/* Each phase begins with what an operator sends. `least`: lines of log are expected, or none at all. */
static const struct phase {
	const char *query;
	int logs;
} phases[] = {
	{ "-", 0 }, { "func run_get +", 1 }, { "file parse.c line 60-90 +; format \"word *\" -", 1 }, { "key net_debug +; func serve_line -", 1 },
	{ "+", 1 }, { "file command.c -; file table.c -; file parse.c -; file server.c -", 0 },
};

static unsigned long run_phase(const struct phase *phase, int control, double seconds)
{
	unsigned long requests, lines, wrong = 0;
	double start, stop, switched;
	char line[256], reply[1024];
	unsigned all = 0, on = 0;

	snprintf(line, sizeof(line), "log %s", phase->query);
	start = now();
	if (client_ask(control, line, reply, sizeof(reply)) || strcmp(reply, "OK")) {
		printf("  %s: %s\n", phase->query, reply);
		return 1;
	}
	switched = now() - start;
	if (client_ask(control, "uses", reply, sizeof(reply)) || sscanf(reply, "%u %u", &all, &on) != 2)
		wrong++;
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL); /* requests that were begun before are through */
	requests = __atomic_load_n(&load.requests, __ATOMIC_RELAXED);
	lines = log_lines();
	start = now();
	nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
	requests = __atomic_load_n(&load.requests, __ATOMIC_RELAXED) - requests;
	lines = log_lines() - lines;
	stop = now();
	printf("  %-68s %4u on  switched in %5.2f ms  %7.0f requests/s  %9.0f lines/s\n", phase->query, on, switched * 1e3,
	       (double)requests / (stop - start), (double)lines / (stop - start));
	return wrong + (phase->logs ? !lines || !on : lines || on);
}

unsigned long measure_server(const char *path, double seconds, unsigned clients)
{
	pthread_t threads[64];
	unsigned long wrong = 0;
	unsigned count = 0;
	int control = client_open(path);

	if (control < 0)
		return 1;
	load.path = path;
	for (; count < clients && count < 64; count++)
		if (pthread_create(&threads[count], NULL, client, (void *)(uintptr_t)count))
			break;
	printf("The server on a Unix socket, %u clients, switched while it serves:\n", count);
	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++)
		wrong += run_phase(&phases[i], control, seconds / (double)(sizeof(phases) / sizeof(*phases)));
	__atomic_store_n(&load.stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	close(control);
	return wrong + load.wrong;
}
