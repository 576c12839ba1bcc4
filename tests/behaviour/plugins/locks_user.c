/* SPDX-License-Identifier: MIT */
/* locks_user.c - a plugin with atomic operations, which also creates threads. */
#include <pthread.h>

#include <relink/atomic.h>

void plugin_count(long *counter, long times);
void plugin_count(long *counter, long times)
{
	while (times--)
		relink_atomic_inc(counter);
}

int plugin_create(pthread_t *thread, void *(*fn)(void *), void *arg);
int plugin_create(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	return pthread_create(thread, NULL, fn, arg);
}
