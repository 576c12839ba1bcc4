/* SPDX-License-Identifier: MIT */
/* taken.c - a function that is called, and whose address is taken: pointers to it are what they are without relink, always. */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subject.h"
#include "taken.h"

KEEP int taken(int n)
{
	__asm__ volatile("");
	return n + 1;
}

KEEP int hook(int n)
{
	__asm__ volatile("");
	return n + 1000;
}

KEEP function *address(void)
{
	function *read = taken;

	__asm__ volatile("" : "+r"(read)); /* callers must not know what it returns */
	return read;
}

KEEP int once(int n)
{
	return taken(n) * 2;
}

KEEP int calls_taken(int times)
{
	int sum = 0;

	for (int i = 0; i < times; i++)
		sum += taken(i);
	return sum;
}

static int wrong;

static void check(int ok, const char *what)
{
	if (!ok)
		wrong++, printf("wrong: %s\n", what);
}

/* Read from the slot, looked up by the loader, and compared as programs compare function pointers. */
static void check_address(void)
{
	Dl_info own, its;

	check(address() == (function *)dlsym(RTLD_DEFAULT, "taken"), "the address is not the loader's");
	check(dladdr((void *)check_address, &own) && dladdr((void *)address(), &its) && own.dli_fbase == its.dli_fbase, "it is in another module");
	check(address()(4) == 5, "what is there is another function");
}

static void sum(void)
{
	for (int i = 0; i < 100; i++) {
		check_address();
		check(calls_taken(i) == i * (i + 1) / 2, "the sum");
		check(once(i) == 2 * (i + 1), "a call");
	}
}

static uintptr_t *slot;

/* Preloaded libraries' constructors come last: nothing has changed yet. */
__attribute__((constructor)) static void find_slot(void)
{
	const unsigned char *stub = stub_in((void *)once, (void *)taken);

	slot = stub ? slot_behind(stub) : NULL;
}

/* A call that is not bound goes where the slot leads at this moment. */
static void follow(void)
{
	uintptr_t old = slot ? *slot : 0;

	check(slot != NULL, "a slot");
	if (!slot)
		return;
	check(once(1) == 4, "before");
	put(slot, (void *)hook);
	check(once(1) == 2002, "the first call after the slot has changed");
	check(address() == hook, "the address is the hook's");
	put(slot, (void *)old);
	check(once(1) == 4, "the first call after it has changed back");
	check_address();
}

static void forks(void)
{
	int status = 1;
	pid_t child;

	calls_taken(10);
	child = fork();
	sum();
	if (!child)
		fflush(NULL), _exit(wrong);
	check(waitpid(child, &status, 0) == child && status == 0, "the child");
}

static void *run(void *unused)
{
	for (int i = 0; i < 2000; i++)
		if (calls_taken(10) != 55 || address() != (function *)unused)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void threads(void)
{
	pthread_t thread[3];

	once(1);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, run, (void *)dlsym(RTLD_DEFAULT, "taken"));
	sum();
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	sum();
}

/* So often that a pad for each stub that there has been would not be enough. */
static void reopen(void)
{
	for (int i = 0; i < 10; i++) {
		void *handle = dlopen("libtakenplugin.so", RTLD_NOW | RTLD_LOCAL);
		int (*call_all)(int) = handle ? (int (*)(int))dlsym(handle, "call_all") : NULL;
		void (*addresses)(function **) = handle ? (void (*)(function **))dlsym(handle, "addresses") : NULL;
		function *all[ROW_COUNT];

		check(call_all && addresses, "the plugin");
		if (!call_all || !addresses)
			return;
		check(call_all(i) == 100 * ROW_COUNT * (i + 1), "its calls");
		addresses(all);
		for (int k = 0; k < ROW_COUNT; k++) {
			char name[8];

			snprintf(name, sizeof(name), "p%d", 100 + k);
			check(all[k] == (function *)dlsym(handle, name) && all[k](i) == i + 1, name);
		}
		check(dlclose(handle) == 0, "dlclose");
		sum();
	}
}

KEEP int trap_main(int argc, char **argv)
{
	if (is(argc, argv, "sum"))
		sum();
	else if (is(argc, argv, "follow"))
		follow();
	else if (is(argc, argv, "fork"))
		forks();
	else if (is(argc, argv, "threads"))
		threads();
	else if (is(argc, argv, "reopen"))
		reopen();
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
