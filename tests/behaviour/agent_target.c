/* test: NO_RUN */
/* SPDX-License-Identifier: MIT */
/* agent_target.c - what agent.sh talks to: prints its number, and runs until its input ends. */
#include <stdio.h>
#include <unistd.h>

#include <relink/relink.h>

RELINK_KEY_FALSE(trace, "print what is read");
RELINK_KEY_FALSE(decided, "decided at start", RELINK_FINAL);
RELINK_KEY_FALSE(guarded, "not for operators", RELINK_NONFORCIBLE);
RELINK_OPTION(idle, "what a worker does\033[31m with nothing to do", halt, poll);

RELINK_KEY_FALSE(net_debug, "what happens to connections");

static int said;

__attribute__((noinline)) static void accept_one(void)
{
	if (relink_here(net_debug, "a connection comes"))
		said |= 1;
}

__attribute__((noinline)) static void close_one(void)
{
	if (relink_here(net_debug, "a connection goes"))
		said |= 2;
}

int main(int argc, char **argv)
{
	struct relink_error err;
	char byte;

	if (relink_init(&argc, argv, &err) < 0)
		return 1;
	printf("%ld\n", (long)getpid());
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		printf("%d\n", relink_unlikely(trace) ? 1 : 0), fflush(stdout);
	accept_one();
	close_one();
	return 0;
}
