/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the agent's parts. The protocol is in docs/agent.md.
 *
 *	agent.c           its life: start, stop, fork, exit; its thread, and when that has to go
 *	agent_serve.c     clients, one step each in turn
 *	agent_requests.c  what they ask
 *	agent_listing.c   choices, sites and status as JSON
 *	agent_files.c     the configuration files
 *	agent_linkage.c   calls between modules
 *
 * The thread may have to end at any moment, and another goes on where it was: all state is in struct rl_agent, nothing is on
 * its stack but what can be done again.
 */
#ifndef RL_AGENT_H
#define RL_AGENT_H

#include "runtime/json.h"
#include "runtime/runtime.h"

#define RL_AGENT_VERSION 1
#define RL_AGENT_CLIENTS 64
#define RL_AGENT_REQUEST 65536  /* bytes of a request, with its newline */
#define RL_AGENT_REPLY 262144   /* bytes of a reply that wait to be read; a line that is longer is shortened */
#define RL_AGENT_ENOUGH 16384   /* from here on no more is made until some has been read */
#define RL_AGENT_WISHES 4096    /* in one request */
#define RL_AGENT_QUERIES 16     /* in one listing */
#define RL_AGENT_PATIENCE 30000 /* ms that half a request, or a reply that nobody reads, is kept */

enum rl_agent_answer { RL_ANSWERED, RL_MORE, RL_LATER }; /* later: the thread has to end first */

struct rl_client {
	int descriptor;
	bool at_end;      /* it sends no more */
	bool closing;     /* as soon as it has read what there is */
	bool broken;
	uint64_t moved;   /* ms: when bytes came or went last */
	/* A listing that goes on. */
	enum { RL_LIST_NOTHING, RL_LIST_CHOICES, RL_LIST_SITES, RL_LIST_USES } listing;
	char pattern[512]; /* of uses: queries */
	struct rl_walk walk;
	const struct rl_choice *choice;
	uint64_t removals;
	uint64_t count;
	/* Events. */
	bool subscribed, ready;
	unsigned long seen, upto; /* of core->changes */
	uint64_t seen_removals;
	size_t sent;      /* of out */
	struct rl_json out;
	size_t in_used;
	char in[RL_AGENT_REQUEST];
	char out_bytes[RL_AGENT_REPLY];
};

struct rl_agent {
	struct rl_listener listener;
	int event;        /* wakes the thread */
	int files;        /* inotify */
	struct rl_file_sign signs[RL_CONFIG_FILES];
	bool files_read;  /* at least once by the agent */
	uint64_t files_due, files_first; /* ms; 0: nothing has happened */
	uint64_t no_accept_until;
	struct rl_client *clients[RL_AGENT_CLIENTS];
	unsigned subscribers;
	uint32_t turns;   /* that have been finished; a futex */
	bool complained;  /* that there can be no socket any more */
	bool owed;        /* the thread had to end before it had finished one, or in the middle of something */
};
extern struct rl_agent rl_agent;

/* agent.c */
bool rl_agent_must_leave(void);
void rl_agent_turn_is_over(void);
uint64_t rl_agent_now(void); /* ms, never 0 */
bool rl_agent_new_event(void);

/* agent_serve.c */
void rl_agent_serve(void);       /* until it must leave */
void rl_agent_hang_up(void);     /* on all */

/* agent_requests.c */
enum rl_agent_answer rl_agent_request(struct rl_client *client, char *line);
void rl_agent_greet(struct rl_client *client);
void rl_agent_refuse(struct rl_json *out, const char *why);
void rl_agent_done(struct rl_json *out, const char *request, int code, const char *text);

/* agent_listing.c */
enum rl_agent_answer rl_agent_list_more(struct rl_client *client);
enum rl_agent_answer rl_agent_status(struct rl_client *client);
enum rl_agent_answer rl_agent_events(struct rl_client *client); /* subscribers; RL_MORE: there may be others already */
bool rl_agent_has_events(const struct rl_client *client);

/* agent_linkage.c: a line for each module, and one for all. 0, or a code: RELINK_E_MEMORY if they are too many for one reply. */
int rl_agent_list_linkage(struct rl_client *client);

/* agent_files.c */
void rl_agent_files_start(void);
void rl_agent_files_stop(void);
void rl_agent_files_event(void);
int rl_agent_files_timeout(void); /* ms, -1: none */
void rl_agent_files_turn(void);   /* once per turn */

#endif
