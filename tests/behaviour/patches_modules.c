/* test: LINK -rdynamic VARIANTS "-O2" "-O2 -fPIC" NOT generic thread */
/* SPDX-License-Identifier: MIT */
/*
 * patches_modules.c - immediates and alternatives of a plugin: it comes while choices are other than they were linked, and leaves; it
 * comes while code can't be written; a process forks; what file, environment and command line say; an arm that can't be moved.
 */
#include <dlfcn.h>
#include <errno.h>

#include "check.h"
#include "choices/run.h"

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));

RELINK_IMMEDIATE(uint16_t, host_number, 300, "a number");
RELINK_KEY_FALSE(host_key, "a key");
RELINK_KEY_FALSE(impossible, "its arm can't be moved");

static struct relink_error err;
static void *plugin;
static long (*guest_look)(void);
static void (*guest_chose)(int *seen, int *value);
static int (*guest_set)(int64_t number, int key, struct relink_error *err);

static __attribute__((noinline)) long host_look(void)
{
	return relink_immediate(host_number);
}

static bool load(void)
{
	plugin = dlopen(RELINK_TEST_PLUGINS "/patches_guest.so", RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return false;
	*(void **)&guest_look = dlsym(plugin, "guest_look");
	*(void **)&guest_chose = dlsym(plugin, "guest_chose");
	*(void **)&guest_set = dlsym(plugin, "guest_set");
	return true;
}

static struct relink_status status(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	return s;
}

static void set_host(int number, bool on)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_immediate(&c, host_number, number);
	relink_set_key(&c, host_key, on);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
}

static void check(long want, const char *when)
{
	CHECKF(guest_look() == want, "%s: %ld, not %ld", when, guest_look(), want);
}

static void check_chosen(int want, const char *when)
{
	int seen, value;

	guest_chose(&seen, &value);
	CHECKF(seen == want && value == want, "%s: the choice function's number is %d, and %d in the code, not %d", when, value, seen, want);
}

static void test_coming_and_going(void)
{
	uint64_t memory = status().memory;

	for (int i = 0; i < 3; i++) {
		set_host(5, true);
		if (!load())
			return;
		check(110000 + 5 - 7, "loaded");
		check_chosen(5, "loaded");
		CHECK(status().sites[RELINK_SITE_ALTERNATIVE][RELINK_BOUND] == 3 && status().pending == 0);
		CHECK_CODE(guest_set(1000, 1, &err), RELINK_OK, &err);
		check(1110000 + 5 + 1000, "its own");
		set_host(65535, false);
		check(1100000 + 65535 + 1000, "the program's");
		CHECK(host_look() == 65535);
		CHECK(dlclose(plugin) == 0);
		CHECKF(status().memory == memory || i == 0, "%llu bytes, %llu before", (unsigned long long)status().memory,
		       (unsigned long long)memory);
		memory = status().memory;
	}
}

static int no_write(uintptr_t address, const void *bytes, size_t length)
{
	(void)address, (void)bytes, (void)length;
	return -EPERM;
}

static void on_pending(const struct relink_error *why, void *ctx)
{
	CHECK(why->code == RELINK_E_WRITE);
	++*(int *)ctx;
}

/* As linked, and the numbers that its places depend on can't be changed until it leaves. */
static void test_pending(void)
{
	struct relink_status s;
	int reports = 0;

	set_host(5, true);
	relink_on_pending(on_pending, &reports);
	rl_test_write(no_write);
	load();
	rl_test_write(NULL);
	relink_on_pending(NULL, NULL);
	s = status();
	CHECKF(reports == 1 && s.pending == 1 && s.sites[RELINK_SITE_ALTERNATIVE][RELINK_INDIRECT] >= 2 &&
	       s.sites[RELINK_SITE_IMMEDIATE][RELINK_INDIRECT] == 3, "%d reports, %u pending", reports, s.pending);
	check(300 - 7, "as linked");
	check_chosen(0, "as linked");
	CHECK_CODE(relink_immediate_set(host_number, 6, &err), RELINK_E_PENDING, &err);
	CHECK_HAS(err.text, "patches_guest.so");
	CHECK_CODE(relink_key_set(host_key, false, &err), RELINK_E_PENDING, &err);
	CHECK(host_look() == 5 && relink_immediate_value(host_number) == 5 && relink_key_enabled(host_key));
	CHECK(dlclose(plugin) == 0);
	CHECK_CODE(relink_immediate_set(host_number, 6, &err), RELINK_OK, &err);
	CHECK(host_look() == 6 && status().pending == 0);
}

/* A child changes its own code. */
static void test_fork(void)
{
	pid_t child;
	int code;

	set_host(9, false);
	fflush(stdout);
	child = fork();
	if (!child) {
		check_failed_ = 0;
		set_host(10, true);
		load();
		CHECK(host_look() == 10);
		check(110000 + 10 - 7, "in the child");
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	CHECK(waitpid(child, &code, 0) == child && code == 0);
	CHECK(host_look() == 9 && relink_immediate_value(host_number) == 9);
}

/* Code that is no instruction: refused, and nothing has changed. */
static __attribute__((noinline)) int with_impossible_arm(void)
{
	int n;

	RELINK_ALTERNATIVE("movl $1, %[n]", ".byte 0x06", RELINK_WHEN_ON(impossible), RELINK_OUT([n] "=r"(n)), RELINK_IN(), RELINK_CLOBBERS());
	return n;
}

static void test_impossible(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_immediate(&c, host_number, 77);
	relink_set_key(&c, impossible, true);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_BYTES, &err);
	CHECK_HAS(err.text, "can't be moved");
	CHECK(!strcmp(err.choice, "impossible") && err.site);
	CHECK(with_impossible_arm() == 1 && host_look() == 9 && !relink_key_enabled(impossible));
}

/* ---- a program that is told ---- */

static int told(int argc, char **argv)
{
	struct relink_status s;

	if (relink_init(&argc, argv, &err) < 0) {
		printf("init: %s\n", relink_error_text(&err));
		return 1;
	}
	s = status();
	if (!load())
		return 1;
	printf("%ld %ld, notes: %s\n", host_look(), guest_look(), s.notes);
	return 0;
}

static void tell(const char *file, const char *environment, const char *argument, const char *want)
{
	char path[] = "/tmp/relink-test-XXXXXX", config[64], list[200];
	struct run r = { .argv = { "told", argument ? "--relink" : NULL, argument }, .environment = { config, list } };
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, file, strlen(file)) == (ssize_t)strlen(file));
	close(fd);
	snprintf(config, sizeof(config), "RELINK_CONFIG=%s", path);
	snprintf(list, sizeof(list), "RELINK=%s", environment);
	run(&r);
	unlink(path);
	CHECKF(strstr(r.output, want) != NULL, "file \"%s\", environment \"%s\", argument %s: %s", file, environment, argument, r.output);
}

static void test_told(void)
{
	tell("", "", NULL, "300 100293,");
	tell("host_number 400\nhost_number=400\n", "", NULL, "400 100393,");
	tell("host_number=400\n", "host_number=0x1f4,host_key", NULL, "500 110493,");
	tell("host_number=400\n", "host_number=500", "host_number=600,host_key=on", "600 110593,");
	tell("", "patches_guest:guest_number=-1000000000000,patches_guest:guest_key", NULL, "300 -999998899700,");
	tell("", "host_number=65536", NULL, "environment: host_number=65536: no such state");
	tell("", "", "host_number=-1", "init: host_number");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "told"))
		return told(argc, argv);
	if (strncmp(status().mode, "direct", 6))
		check_skip(status().mode);
	test_coming_and_going();
	test_pending();
	test_fork();
	test_impossible();
	test_told();
	return check_done();
}
