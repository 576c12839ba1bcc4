/* SPDX-License-Identifier: MIT */
/* server.h - serves the engine on a Unix socket, a thread for each connection. */
#ifndef LOGD_SERVER_H
#define LOGD_SERVER_H

#include <stddef.h>

/* Requests end with a newline, and so do replies. Besides the engine's commands:
 *	log QUERY    switches log statements, as <relink/use.h> has it; "OK" or what is wrong
 *	uses         how many statements there are, and how many are on */
int server_start(const char *path); /* 0 or errno */
void server_stop(void);

/* A connection to it: sends a line and waits for the reply's, which is cut off its newline. */
int client_open(const char *path);  /* -1: errno */
int client_ask(int fd, const char *line, char *reply, size_t room); /* 0, or -1 and the connection is of no use any more */

struct uses {
	unsigned all, on;
};
struct uses count_uses(void);

#endif
