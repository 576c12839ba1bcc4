/* SPDX-License-Identifier: MIT */
/*
 * relink-logd - a small server with hundreds of log statements, each of which can be switched alone while it serves.
 *
 *	relink-logd [--seconds S] [--clients N] [--log FILE] [--relink LIST]        measures itself and ends
 *	relink-logd --serve SOCKET [--log FILE] [--relink LIST]                     serves until it is killed
 *
 *	RELINK='{file parse.c +}' relink-logd --serve /tmp/s --log /dev/stderr &
 *	echo 'log func run_* +; func run_ping -' | nc -U /tmp/s
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "measure.h"
#include "server.h"

static int usage(void)
{
	fprintf(stderr, "usage: relink-logd [--seconds S] [--clients N] [--serve SOCKET] [--log FILE] [--relink LIST]\n");
	return 2;
}

static int trouble(const char *what, int error)
{
	fprintf(stderr, "relink-logd: %s: %s\n", what, strerror(error));
	return 2;
}

static int serve(const char *path)
{
	int r = server_start(path);

	if (r)
		return trouble(path, r);
	printf("relink-logd: %u log statements; serving on %s\n", count_uses().all, path);
	fflush(stdout);
	for (;;)
		pause();
}

/* Half of the time for each part. Status 0: all replies were right, and lines were logged by those who were on, and only by them. */
static int measure(double seconds, unsigned clients)
{
	struct relink_status status = { .size = sizeof(status) };
	char path[] = "/tmp/relink-logd-XXXXXX", name[64];
	unsigned long wrong;
	int r;

	relink_get_status(&status);
	printf("%u log statements; %s; %s; runtime memory %llu bytes\n\n", count_uses().all, status.arch, status.mode,
	       (unsigned long long)status.memory);
	wrong = measure_engine(seconds / 2);
	if (!mkdtemp(path))
		return trouble(path, errno);
	snprintf(name, sizeof(name), "%s/socket", path);
	r = server_start(name);
	if (r)
		return trouble(name, r);
	printf("\n");
	wrong += measure_server(name, seconds / 2, clients);
	server_stop();
	unlink(name);
	rmdir(path);
	printf("\n%lu wrong\n", wrong);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	const char *socket = NULL, *log = "/dev/null";
	struct relink_error err;
	double seconds = 4;
	unsigned clients = 2;
	int r;

	if (relink_init(&argc, argv, &err) < 0) {
		fprintf(stderr, "relink-logd: %s\n", relink_error_text(&err));
		return 2;
	}
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (!strcmp(argv[i], "--seconds"))
			seconds = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--clients"))
			clients = (unsigned)atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--serve"))
			socket = argv[i + 1];
		else if (!strcmp(argv[i], "--log"))
			log = argv[i + 1];
		else
			return usage();
	}
	r = log_open(log);
	if (r)
		return trouble(log, r);
	return socket ? serve(socket) : measure(seconds, clients);
}
