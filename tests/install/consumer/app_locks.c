/* SPDX-License-Identifier: MIT */
/* A program that was linked to notice threads; on machines whose code is rewritten it starts without lock prefixes. */
#include <pthread.h>
#include <string.h>
#include <relink/relink.h>

static long counter;

static void *count(void *arg)
{
	relink_atomic_inc(&counter);
	return arg;
}

static const char *locks(void)
{
	static struct relink_status status;

	status.size = sizeof(status);
	return relink_get_status(&status) ? "" : strcmp(status.arch, "generic") ? status.locks : "generic";
}

int main(void)
{
	pthread_t thread;

	if (strncmp(locks(), "off", 3) && strcmp(locks(), "generic"))
		return 1;
	relink_atomic_inc(&counter);
	if (pthread_create(&thread, NULL, count, NULL) || pthread_join(thread, NULL))
		return 2;
	return counter == 2 && strncmp(locks(), "off", 3) ? 0 : 3;
}
