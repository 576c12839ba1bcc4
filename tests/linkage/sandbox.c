/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - shuts itself in while calls are being learned: any system call that relink makes later is the end.
 *
 *	sandbox HOW [END]   HOW: strict, filter, call, call-prctl; END: exit (with handlers), or else at once
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "subject.h"

#if defined OPENED
#include <dlfcn.h>

static int shut_in(const char *how)
{
	void *library = dlopen("libshut.so", RTLD_LAZY);
	int (*shut)(const char *) = library ? (int (*)(const char *))dlsym(library, "shut_in") : 0;

	return shut ? shut(how) : -1;
}
#elif defined APART
int shut_in(const char *how);
#else
#include "sandbox_shut.c"
#endif

int trap_main(int argc, char **argv)
{
	char text[64];
	int sum = work(10) + more_work(200), length;

	if (shut_in(argv[1]) < 0)
		return 77;
	sum += work(5000);
	length = snprintf(text, sizeof(text), "%s %d\n", argv[1], sum);
	write(1, text, (size_t)length);
	if (argc > 2)
		return 0;
	syscall(strcmp(argv[1], "strict") ? SYS_exit_group : SYS_exit, 0);
	return 1;
}
