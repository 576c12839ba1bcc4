/* SPDX-License-Identifier: MIT */
/*
 * place_subject.c - what a program sees of itself. Built as executables of all kinds by place.sh, with a library of its own (-DLIBRARY).
 *
 *   facts   everything that must not depend on placement, a line each
 *   note    the outcome, and whether code of the program and of each library is near each other
 *   brk     how far the heap grows, in MiB, at most 4096
 *   later   whether a library that is opened now is near
 *   where   an address in the C library
 *   sum     some work; its result
 *   wait    for a signal
 */
#ifdef LIBRARY
int place_library(int x);
int place_library(int x)
{
	return x + 1;
}
/* Runs before the program's constructors and main: the address space is in order by then. */
#include <unistd.h>
int place_early_brk;
__attribute__((constructor)) static void early(void)
{
	void *end = sbrk(1 << 20);

	place_early_brk = end != (void *)-1;
	if (place_early_brk)
		sbrk(-(1 << 20));
}
#else
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef ALONE
int place_library(int x);
extern int place_early_brk;
#else
#define place_library(x) ((x) + 1)
#define place_early_brk 1
#endif
extern char **environ;
extern char __executable_start, etext;
static int zeros[100000], constructed;
static int *relocated = &constructed;
__attribute__((constructor)) static void construct(void)
{
	*relocated = 42;
}

static void lines_of(const char *file, const char *const *names)
{
	char line[4096];
	FILE *f = fopen(file, "re");

	while (f && fgets(line, sizeof(line), f))
		for (int i = 0; names[i]; i++)
			if (!strncmp(line, names[i], strlen(names[i])))
				fputs(line, stdout);
	if (f)
		fclose(f);
}

static void link_of(const char *file)
{
	char text[4096];
	ssize_t size = readlink(file, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	printf("%s -> %s\n", file, text);
}

static void descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir))
			printf("fd %s\n", e->d_name);
	if (dir)
		closedir(dir);
}

/* What the kernel says of the image, and what it said at the start, is one, and true. */
static void image(void)
{
	char text[4096] = "", *at;
	int fd = open("/proc/self/auxv", O_RDONLY), matches = 0, count = 0;
	uint64_t sum = 0;
	Elf64_auxv_t entry;
	uint64_t start_code = 0, end_code = 0;
	char **end = environ;
	const Elf64_auxv_t *own;

	while (*end++)
		;
	own = (const void *)end;
	while (fd >= 0 && read(fd, &entry, sizeof(entry)) == (ssize_t)sizeof(entry) && entry.a_type) {
		matches += !memcmp(&own[count++], &entry, sizeof(entry));
		sum = sum * 31 + entry.a_type;
	}
	close(fd);
	fd = open("/proc/self/stat", O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && (at = strrchr(text, ')'))) {
		for (int i = 2; at && i < 26; i++)
			at = strchr(at + 1, ' ');
		if (at)
			sscanf(at + 1, "%" SCNu64 " %" SCNu64, &start_code, &end_code);
	}
	close(fd);
	printf("auxiliary vector %d %" PRIx64 " %s\n", count, sum, count > 10 && matches == count ? "right" : "wrong");
	printf("program headers %s\n", getauxval(AT_PHDR) - (uintptr_t)&__executable_start < 4096 ? "right" : "wrong");
	printf("code %s\n", (uintptr_t)&image >= start_code && (uintptr_t)&image < end_code ? "right" : "wrong");
	printf("entry %s\n", getauxval(AT_ENTRY) - (uintptr_t)&__executable_start < 0x1000000 ? "right" : "wrong");
}

static void memory(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/maps", "re");
	int reserved = 0, sum = 0;

	while (f && fgets(line, sizeof(line), f)) {
		uint64_t start, stop;
		char perms[5];

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &stop, perms) == 3 && !strcmp(perms, "---p"))
			reserved += stop - start > 1 << 26;
	}
	if (f)
		fclose(f);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		sum += zeros[i];
	printf("reservations %d, zeros %d, constructed %d, early heap %d\n", reserved, sum, constructed, place_early_brk);
}

static void facts(int argc, char **argv)
{
	static const char *const of_status[] = { "Name:", "PPid:", "TracerPid:", "Uid:", "Threads:", "SigPnd:", "ShdPnd:", "SigBlk:",
						 "SigIgn:", "SigCgt:", "NoNewPrivs:", "Seccomp:", "CoreDumping:", "VmLck:", NULL };
	static const char *const of_limits[] = { "Max", NULL };
	int reaps = 0;

	lines_of("/proc/self/status", of_status);
	lines_of("/proc/self/limits", of_limits);
	printf("group %d session %d umask %o nice %d personality %x\n", (int)getpgrp(), (int)getsid(0), (unsigned int)umask(0),
	       getpriority(PRIO_PROCESS, 0), (unsigned int)personality(0xffffffff));
	prctl(PR_GET_CHILD_SUBREAPER, &reaps);
	printf("dumpable %d subreaper %d\n", prctl(PR_GET_DUMPABLE), reaps);
	for (int i = 0; i < argc; i++)
		printf("argument %s\n", argv[i]);
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "PLACE_NOTE=", 11))
			puts(*e);
	link_of("/proc/self/exe");
	link_of("/proc/self/cwd");
	descriptors();
	printf("children %d %d\n", waitpid(-1, NULL, WNOHANG | __WALL) < 0 ? errno : 0, ECHILD);
	image();
	memory();
}

static int is_near(const void *a, const void *b)
{
	int64_t by = (int64_t)((uintptr_t)a - (uintptr_t)b);

	return by < INT32_MAX && by > INT32_MIN;
}

/* 0: all mappings of code but the vdso are in reach of all of the program's. */
static int tell_note(void)
{
	const char *note = getenv("PLACE_NOTE"), *room = note && !strncmp(note, "all,", 4) ? note + 4 : "";
	char line[4096], perms[5];
	FILE *f = fopen("/proc/self/maps", "re");
	uint64_t start, stop;
	int far = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &stop, perms) == 3 && perms[2] == 'x' && strchr(line, '/'))
			far += !is_near(&__executable_start, (void *)(uintptr_t)stop) || !is_near(&etext, (void *)(uintptr_t)start);
	if (f)
		fclose(f);
	if (strlen(room) != 126 || strcmp(room + 124, ",x") || (strncmp(room, "why=", 4) && strspn(room, ",") != 125) ||
	    room[strcspn(room, ",") + strspn(room + strcspn(room, ","), ",")] != 'x')
		return printf("the note is wrong: %s\n", room), 1;
	printf("%.*s|%s\n", (int)strcspn(room, ","), room, far ? "far" : "near");
	return 0;
}

static void tell_brk(void)
{
	int grown = 0;

	while (grown < 4096 && sbrk(1 << 20) != (void *)-1)
		grown++;
	printf("%d\n", grown);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned int sum = 0;

	if (!strcmp(what, "note"))
		return tell_note();
	if (!strcmp(what, "facts"))
		facts(argc, argv);
#ifndef ALONE
	if (!strcmp(what, "later")) {
		void *library = dlopen("liblater.so", RTLD_NOW), *symbol = library ? dlsym(library, "place_library") : NULL;

		puts(!symbol ? dlerror() : is_near(&__executable_start, symbol) ? "near" : "far");
	}
#endif
	if (!strcmp(what, "where"))
		printf("%p\n", (void *)stdout);
	if (!strcmp(what, "brk"))
		tell_brk();
	if (!strcmp(what, "wait")) {
		puts("ready");
		fflush(stdout);
		pause();
	}
	for (int i = 0; i < 1000; i++)
		sum = sum * 31 + (unsigned int)place_library(i);
	if (!strcmp(what, "sum"))
		printf("%u %d\n", sum, constructed);
	return argc > 2 ? atoi(argv[2]) : 0;
}
#endif
