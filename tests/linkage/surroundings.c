/* SPDX-License-Identifier: MIT */
/* surroundings.c - what a program sees of itself and of its process, and what others see of it. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "subject.h"

extern char **environ;

static int identity(char **argv)
{
	char path[4096] = "", name[64] = "";
	struct rlimit limit;
	sigset_t mask;
	mode_t mode = umask(0);
	FILE *f = fopen("/proc/self/comm", "r");

	fgets(name, sizeof(name), f);
	readlink("/proc/self/exe", path, sizeof(path) - 1);
	getrlimit(RLIMIT_STACK, &limit);
	sigprocmask(0, NULL, &mask);
	printf("%s %s %s %s %s", path, argv[0], program_invocation_name, (char *)getauxval(AT_EXECFN), name);
	printf("%lu %o\n", (unsigned long)limit.rlim_cur, (unsigned)mode);
	for (int i = 1; i < 65; i++) {
		struct sigaction action;

		if (sigaction(i, NULL, &action) == 0 && (action.sa_handler != SIG_DFL || sigismember(&mask, i) > 0))
			printf("signal %d\n", i);
	}
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "_=", 2) != 0)
			printf("%s\n", *e);
	return work(3000) == 0;
}

static int descriptors(void)
{
	int first = open("/dev/null", O_RDONLY), second, third, sum = work(20);

	closefrom(3);
	sum += work(3000);
	second = open("/dev/null", O_RDONLY);
	sum += more_work(3000);
	for (int i = 3; i < 1024; i++) /* and as older daemons do it */
		close(i);
	third = open("/dev/null", O_RDONLY);
	printf("%d %d %d, %d\n", first, second, third, sum + work(1000));
	for (int i = 3; i < 150; i++)
		dup2(third, i);
	printf("%d\n", work(100) + more_work(100));
	return 0;
}

/* All descriptors are the program's, and one number after the other is somebody's file. */
static int few(void)
{
	struct rlimit limit = { 8, 8 };
	int sum = work(10), last = -1;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0;)
		last = fd;
	printf("%d, %d\n", last, sum + work(3000) + more_work(3000));
	return 0;
}

static int copies(void)
{
	char line[256];
	int sum = 0;

	while (fgets(line, sizeof(line), stdin)) {
		sum += work((int)strlen(line));
		fputs(line, stdout);
	}
	printf("%d\n", sum);
	return 0;
}

static int executes(char **argv)
{
	char number[16];
	int left = atoi(argv[2]);

	printf("%d %d %s\n", left, work(100), getenv("LD_PRELOAD") ? "preloaded" : "");
	fflush(stdout);
	if (!left)
		return 3;
	snprintf(number, sizeof(number), "%d", left - 1);
	argv[2] = number;
	execv("/proc/self/exe", argv);
	return 1;
}

/* ---- its own code ---- */

struct text {
	uintptr_t inside, start, stop;
};

static int find_text(struct dl_phdr_info *info, size_t size, void *data)
{
	struct text *t = data;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X && t->inside >= start &&
		    t->inside < start + info->dlpi_phdr[i].p_memsz) {
			t->start = start;
			t->stop = start + info->dlpi_phdr[i].p_memsz;
		}
	}
	return 0;
}

static int checks_itself(void)
{
	struct text t = { (uintptr_t)checks_itself, 0, 0 };
	unsigned hash[2] = { 1, 1 };

	dl_iterate_phdr(find_text, &t);
	for (int round = 0; round < 2; round++) {
		for (uintptr_t at = t.start; at < t.stop; at++)
			hash[round] = hash[round] * 31 + *(const volatile unsigned char *)at;
		work(round ? 0 : 5000);
	}
	printf("%s\n", hash[0] == hash[1] ? "as it was" : "somebody has changed my code");
	return 0;
}

int trap_main(int argc, char **argv)
{
	if (is(argc, argv, "identity"))
		return identity(argv);
	if (is(argc, argv, "descriptors"))
		return descriptors();
	if (is(argc, argv, "few"))
		return few();
	if (is(argc, argv, "copy"))
		return copies();
	if (is(argc, argv, "exec"))
		return executes(argv);
	if (is(argc, argv, "check"))
		return checks_itself();
	work(3000);
	if (is(argc, argv, "status"))
		exit(atoi(argv[2]));
	if (is(argc, argv, "signal"))
		raise(atoi(argv[2]));
	if (is(argc, argv, "leave"))
		_exit(atoi(argv[2]));
	if (is(argc, argv, "phases")) { /* what is bound in the first is called in the third */
		int sum = work(1000);

		sum += more_work(1);
		printf("%d\n", sum - work(900));
	}
	if (is(argc, argv, "sum"))
		printf("%d\n", work(1000) + more_work(1000));
	return 0;
}
