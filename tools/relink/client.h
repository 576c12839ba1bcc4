/* SPDX-License-Identifier: MIT */
/*
 * client.h - talks to agents of running processes, relink-agent(7): finds their sockets, sends requests, reads lines.
 *
 * Everything that comes from a process is a stranger's word: it is printed with text_put and its like, which let no control
 * character through to the terminal.
 */
#ifndef RELINK_TOOL_CLIENT_H
#define RELINK_TOOL_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "relink.h"
#include "value.h"

struct client {
	int descriptor;
	pid_t process;
	uid_t user;
	char program[256];
	char *data;      /* what has come */
	size_t used, room, taken;
	json_t *value;   /* of the last line */
};

/* Connects and reads the greeting. False: it has been said on stderr in one line, unless `quiet`. */
bool client_connect(struct client *c, pid_t process, bool quiet);
void client_close(struct client *c);
/* How long a reply is waited for; 0: for ever. Ten seconds at first. */
void client_patience(struct client *c, unsigned ms);

/* Words are joined by spaces and encoded. */
bool client_send(struct client *c, const char *const *words, size_t count);
bool client_request(struct client *c, const char *request); /* as it is */

/* The next line. NULL: the process has gone, is silent, or speaks no JSON; that has been said. Valid until the next one. */
json_t *client_line(struct client *c);
/* Lines up to "done", each of them visited. STATUS_..; what was refused has been said. */
int client_reply(struct client *c, void (*visit)(struct client *c, json_t *line, void *ctx), void *ctx);

/* Calls visit for each process that may have an agent; root sees those of all users. */
void client_each_process(void (*visit)(pid_t process, void *ctx), void *ctx);

/* Connects, asks, and visits each line of the reply. STATUS_... */
int client_ask(const char *word, const char *const *request, size_t words, void (*visit)(struct client *c, json_t *line, void *ctx), void *ctx);

/* A number that can be a process's; -1: it is none. */
pid_t parse_process(const char *word);
/* Is it a number, and so no file but a process? */
bool names_process(const char *word);
/* Has the process of that number an agent that talks to us? May its memory be read? */
bool client_answers(const char *word);
bool client_may_read(const char *word);
/* One line on stderr. Returns STATUS_BAD. */
int client_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
