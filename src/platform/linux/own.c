/* SPDX-License-Identifier: MIT */
/*
 * own.c - descriptors that are ours, in a process that may close all of them (closefrom(3), as daemons do) and open its own in
 * their place. Each carries a mark in its open file, which the numbers do not: the signal of F_SETSIG, which nobody gets as
 * long as O_ASYNC is not set. A look before each use is not atomic with it, and need not be: programs close what they do not
 * know once, not all the time.
 */
#include "../platform.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define MARK (_NSIG - 1) /* the last real-time signal */

int rl_mark_own(int descriptor)
{
	if (descriptor >= 0)
		fcntl(descriptor, F_SETSIG, MARK);
	return descriptor;
}

bool rl_is_own(int descriptor)
{
	return descriptor >= 0 && fcntl(descriptor, F_GETSIG) == MARK;
}

void rl_close_own(int descriptor)
{
	if (rl_is_own(descriptor))
		close(descriptor);
}
