/* SPDX-License-Identifier: MIT */
/* loading.c - modules that come and go, in scopes and namespaces of their own; see loading.sh for the libraries. */
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "subject.h"

static char *directory;

static void *load(const char *name, int flags)
{
	char path[4096];
	void *handle;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	handle = dlopen(path, flags);
	if (!handle)
		printf("%s\n", dlerror());
	return handle;
}

static int run(void *handle, int times)
{
	int (*plugin)(int times) = (int (*)(int))dlsym(handle, "plugin");

	return plugin ? plugin(times) : -1;
}

/* A new version is put in place of an old one. */
static const char *replace(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/libreplaced.so", directory);
	unlink(path);
	return symlink(name, path) == 0 ? "libreplaced.so" : name;
}

/* Two libraries of the same size take turns at one address, and each is bound as itself. */
static int reopen(const char *first, const char *second, int replaced)
{
	const char *names[] = { first, second };
	uintptr_t where[2] = { 0, 0 };
	int same = 0, wrong = 0;

	for (int i = 0; i < 60; i++) {
		void *handle = load(replaced ? replace(names[i % 2]) : names[i % 2], i % 3 == 1 ? RTLD_LAZY : RTLD_NOW);
		struct link_map *map = handle;

		if (!handle)
			return 1;
		same += where[!(i % 2)] == map->l_addr;
		where[i % 2] = map->l_addr;
		wrong += run(handle, i < 59 ? 60 : 3000) != (i < 59 ? 60 : 3000) * (i % 2 ? 20 : 10);
		if (i < 59)
			dlclose(handle);
		work(3); /* somebody else's calls are recorded */
	}
	fprintf(stderr, "%s", same > 30 ? "the same address\n" : "");
	printf("wrong %d\n", wrong);
	return 0;
}

/* The scopes decide what a plugin's call of common() means. */
static int scopes(void)
{
	static const struct {
		const char *name;
		int flags;
	} steps[] = { { "libpluginlocal.so", RTLD_LAZY | RTLD_LOCAL }, { "libplugindeep.so", RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND },
		      { "libpluginglobal.so", RTLD_NOW | RTLD_GLOBAL }, { "libpluginuser.so", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE },
		      { "libpluginnow.so", RTLD_NOW | RTLD_LOCAL } };

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		void *handle = load(steps[i].name, steps[i].flags);

		if (!handle)
			return 1;
		printf("%s %d\n", steps[i].name, run(handle, 500));
		printf("again %d\n", run(handle, 500));
		if (steps[i].flags & RTLD_NODELETE) {
			dlclose(handle);
			printf("stays %d\n", run(load(steps[i].name, RTLD_LAZY | RTLD_NOLOAD), 500));
		}
	}
	return 0;
}

/* Another libc, another common(): nothing may lead from one namespace into the other. */
static int namespaces(void)
{
	char path[4096];

	printf("here %d\n", run(load("libpluginlocal.so", RTLD_NOW), 500));
	for (int i = 0; i < 3; i++) {
		void *handle;

		snprintf(path, sizeof(path), "%s/libpluginlocal.so", directory);
		handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
		if (!handle) {
			printf("%s\n", dlerror());
			return 1;
		}
		printf("there %d\n", run(handle, 500 + i));
		dlclose(handle);
	}
	printf("here %d, %d\n", run(load("libpluginlocal.so", RTLD_NOW), 500), work(3000));
	return 0;
}

/* The last thing that a library does is to call a function for the first time; then it is gone, and its place unmapped or another's. */
static int last_call(void)
{
	int sum = 0;

	for (int i = 0; i < 30; i++) {
		void *handle = load(i % 2 ? "libpluginlast.so" : "libpluginlast2.so", RTLD_LAZY);

		if (!handle)
			return 1;
		sum += run(handle, i % 4);
		dlclose(handle);
		sum += work(40);
	}
	printf("sum %d\n", sum);
	return 0;
}

static volatile int storms, wrong_sums;

static void on_alarm(int number)
{
	storms++;
	wrong_sums += work(4) != 4 * 4 + 10 + (7 + 6 + 1 + 0) || more_work(3) != 3 + 4 + 5 + 21;
}

/* Signals whose handler makes calls that are recorded, while modules come and go. */
static int storm(void)
{
	struct itimerval timer = { { 0, 70 }, { 0, 70 } };
	int sum = 0;

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < 400; i++) {
		void *one = load("libpluginlocal.so", i % 2 ? RTLD_NOW : RTLD_LAZY), *two = load("libpluginlast.so", RTLD_LAZY);

		if (!one || !two)
			return 1;
		sum += run(one, 30) + run(two, 30);
		dlclose(i % 3 ? one : two);
		dlclose(i % 3 ? two : one);
	}
	signal(SIGALRM, SIG_IGN);
	printf("sum %d, wrong %d\n", sum, wrong_sums);
	return storms == 0;
}

/* These look at who calls them. */
static int callers(void)
{
	int found = work(3000) == 0;

	for (int i = 0; i < 100; i++) {
		Dl_info info;
		void *handle = dlopen("libcommon.so", RTLD_LAZY); /* in the run path of whoever calls */

		found += dlsym(RTLD_NEXT, "callee") == NULL && dlsym(RTLD_NEXT, "atoi") && dlsym(RTLD_DEFAULT, "callee") == (void *)callee && handle;
		found += dladdr((void *)work, &info) && !strcmp(info.dli_sname, "work");
		dlclose(handle);
	}
	printf("found %d\n", found);
	return 0;
}

int trap_main(int argc, char **argv)
{
	char *slash = strrchr(argv[0], '/');

	*slash = '\0';
	directory = argv[0];
	if (is(argc, argv, "reopen"))
		return reopen(argv[2], argv[3], argc > 4);
	if (is(argc, argv, "scopes"))
		return scopes();
	if (is(argc, argv, "storm"))
		return storm();
	if (is(argc, argv, "callers"))
		return callers();
	if (is(argc, argv, "last"))
		return last_call();
	return namespaces();
}
