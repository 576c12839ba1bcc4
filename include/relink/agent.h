/* SPDX-License-Identifier: MIT */
/*
 * agent.h - lets `relink set`, `relink watch` and their kin talk to this process while it runs.
 *
 * A thread of relink's serves a socket that this user and root can reach, nobody else: relink-agent(7). It also watches
 * the configuration files, so that editing one relinks the process. RELINK_AGENT=1 in the environment starts it without
 * a line of code.
 *
 * For the program nothing changes. The thread blocks all signals, takes no time while nobody asks, and is not counted:
 * it ends before a commit that needs this process to be alone or to stand still (RELINK_STARTUP, RELINK_STOP, final
 * choices, lock prefixes, relink_quiesce) and comes back after it. What others count sees it, though: /proc, and
 * unshare(2), which refuses some things in a process with two threads.
 */
#ifndef RELINK_AGENT_H
#define RELINK_AGENT_H

#include <relink/detail/base.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

/*
 * Starts the agent, unless it runs already. After fork or daemon(3) the child has none: start it there.
 *   RELINK_E_CONTEXT  the process has more rights than its user (AT_SECURE); or called where no commit could be made
 *   RELINK_E_AGENT    no directory for the socket that is only this user's, or no thread; the text says which
 * Any thread; not from a signal handler.
 */
RELINK_API int relink_agent_start(struct relink_error *err);

/*
 * Hangs up on all clients, removes the socket and ends the thread; 0 also if there is none. exit(3) does the same.
 *   RELINK_E_AGENT    it is in the middle of a request that takes longer than five seconds; it goes on
 */
RELINK_API int relink_agent_stop(struct relink_error *err);

RELINK_END_DECLS

#endif
