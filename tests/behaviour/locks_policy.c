/* test: LOCKS NOT address thread */
/* SPDX-License-Identifier: MIT */
/*
 * locks_policy.c - who may take prefixes away, and when: not with threads, not with another process in the memory,
 * not where code can't be written, not where others come first; whatever anybody asks for. Most of it in children, or
 * in this program run again.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "locks/entry_points.h"

static struct relink_error err;

static int set_locks(const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, "locks", state);
	return relink_commit(&c, RELINK_LIVE, &err);
}

/* ---- opinions ---- */

static int find_locks(const struct relink_choice_info *info, void *ctx)
{
	if (!strcmp(info->name, "locks"))
		*(struct relink_choice_info *)ctx = *info;
	return 0;
}

static struct relink_choice_info listed(void)
{
	struct relink_choice_info info;

	memset(&info, 0, sizeof(info));
	relink_each_choice(find_locks, &info);
	return info;
}

static void test_opinions(void)
{
	CHECK(listed().decided_by == RELINK_BY_FUNCTION && !strcmp(listed().state, "off"));
	CHECK_CODE(set_locks("on"), RELINK_OK, &err);
	CHECK(look(LOCKED) && listed().decided_by == RELINK_BY_PROGRAM);
	CHECK_HAS(locks_say(), "on: asked for");
	CHECK_CODE(relink_threads_ended(&err), RELINK_OVERRIDDEN, &err);
	CHECK_CODE(set_locks(NULL), RELINK_OK, &err);
	CHECK(look(UNLOCKED));
	CHECK_CODE(set_locks("off"), RELINK_OK, &err);
	CHECK_CODE(relink_threads_begin(&err), RELINK_OK, &err);
	CHECK(look(LOCKED) && !strcmp(listed().state, "on") && listed().decided_by == RELINK_BY_FUNCTION);
	CHECK(!strcmp(listed().asked[RELINK_BY_PROGRAM], "off"));
	CHECK_CODE(set_locks("off"), RELINK_E_THREADS, &err);
	CHECK_HAS(relink_error_text(&err), "threads run");
	CHECK_CODE(relink_apply("locks=off", &err), RELINK_E_THREADS, &err);
	CHECK(look(LOCKED));
	CHECK_CODE(relink_threads_begin(&err), RELINK_OK, &err);
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	CHECK(look(UNLOCKED));
	CHECK_CODE(set_locks(NULL), RELINK_OK, &err);
}

/* ---- threads and processes ---- */

static int hold_on, let_go;

static void *wait_for_it(void *arg)
{
	__atomic_store_n(&hold_on, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&let_go, __ATOMIC_SEQ_CST))
		usleep(100);
	return arg;
}

static int wait_in_clone(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&let_go, __ATOMIC_SEQ_CST))
		syscall(SYS_sched_yield);
	return 0;
}

static void test_ended(void)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pid_t pid;

	CHECK(!pthread_create(&t, NULL, wait_for_it, NULL));
	await(&hold_on);
	CHECK_CODE(relink_threads_ended(&err), RELINK_E_THREADS, &err);
	CHECK(look(LOCKED));
	pid = fork();
	if (!pid) /* one thread, and locked until it says so */
		_exit(!(look(LOCKED) && relink_threads_ended(&err) == RELINK_OK && look(UNLOCKED)));
	CHECK(waitpid(pid, &(int){ 1 }, 0) == pid);
	CHECK(look(LOCKED));
	let_go = 1;
	pthread_join(t, NULL);
	CHECK(look(LOCKED));
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	CHECK(look(UNLOCKED));
	let_go = 0;
	pid = clone(wait_in_clone, stack + STACK, CLONE_VM | SIGCHLD, NULL);
	CHECK(pid > 0 && look(LOCKED));
	CHECK_CODE(relink_threads_ended(&err), RELINK_E_THREADS, &err);
	CHECK(look(LOCKED));
	let_go = 1;
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	CHECK(look(UNLOCKED));
}

/* ---- modules ---- */

static void test_modules(void)
{
	pthread_t t;
	void *plugin;

	for (int threads = 0; threads < 2; threads++) {
		CHECK(!dlclose(dlopen(RELINK_TEST_PLUGINS "/locks_user.so", RTLD_NOW)));
		if (threads)
			CHECK(!pthread_create(&t, NULL, pthread_other, NULL) && !pthread_join(t, NULL));
		plugin = dlopen(RELINK_TEST_PLUGINS "/locks_user.so", RTLD_NOW);
		CHECKF(threads ? all_locked() : all_unlocked(), "arrived with%s threads", threads ? "" : "out");
		CHECK(plugin && !dlclose(plugin));
	}
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	plugin = dlopen(RELINK_TEST_PLUGINS "/locks_user.so", RTLD_NOW | RTLD_DEEPBIND);
	CHECK(plugin && all_locked());
	CHECK_HAS(locks_say(), "RTLD_DEEPBIND");
	CHECK_CODE(relink_threads_ended(&err), RELINK_E_THREADS, &err);
	CHECK_CODE(set_locks("off"), RELINK_E_THREADS, &err);
}

static void test_namespace(void)
{
	void *other_libc;

	CHECK(look(UNLOCKED));
	other_libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
	CHECKF(other_libc, "%s", dlerror());
	CHECK(look(LOCKED));
	CHECK_CODE(relink_threads_ended(&err), RELINK_E_THREADS, &err);
}

/* ---- code that can't be written any more ---- */

static void forbid_writing(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
}

static void test_refused_load(void)
{
	forbid_writing();
	CHECK(!dlopen(RELINK_TEST_PLUGINS "/locks_preload.so", RTLD_NOW | RTLD_DEEPBIND) && dlerror());
	CHECK(look(UNLOCKED));
}

/* What can't be unlocked stays locked; what can't be locked again has one thread. */
static void test_arrives_unwritable(void)
{
	pthread_t t;

	forbid_writing();
	CHECK(dlopen(RELINK_TEST_PLUGINS "/locks_user.so", RTLD_NOW) != NULL);
	CHECKF(locks_count().locked && locks_count().unlocked == site_count, "%u %u", locks_count().locked, locks_count().unlocked);
	CHECK(pthread_create(&t, NULL, pthread_other, NULL) == EAGAIN);
	CHECK_CODE(relink_threads_begin(&err), RELINK_E_WRITE, &err);
	CHECK(look(UNLOCKED));
}

/* ---- children, and this program again ---- */

static void in_a_child(const char *name, void (*test)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		unsigned long before = check_failed_;

		test();
		fflush(stdout);
		_exit(check_failed_ != before);
	}
	waitpid(pid, &status, 0);
	CHECKF(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77), "%s: status %x", name, status);
}

struct again {
	const char *name, *variable, *value, *other_variable, *other_value;
	bool locked;
	const char *says;
};

static const struct again agains[] = {
	{ "as it is", "LOCKS_NONE", "1", "LOCKS_NONE2", "1", false, "off: " },
	{ "environment", "RELINK", "locks=on", "LOCKS_NONE", "1", true, "asked for" },
	{ "environment for it", "RELINK", "locks=off", "LOCKS_NONE", "1", false, "off: " },
	{ "another interposer", "LD_PRELOAD", RELINK_TEST_PLUGINS "/locks_preload.so", "LOCKS_EARLY", "no", false, "off: " },
	{ "a thread before us", "LD_PRELOAD", RELINK_TEST_PLUGINS "/locks_preload.so", "LOCKS_EARLY", "create", true, "before start-up" },
	{ "a hidden thread before us", "LD_PRELOAD", RELINK_TEST_PLUGINS "/locks_preload.so", "LOCKS_EARLY", "raw", true, "another thread" },
	{ "a process in our memory", "LD_PRELOAD", RELINK_TEST_PLUGINS "/locks_preload.so", "LOCKS_EARLY", "process", true, "another process" },
	{ "code that can't be written", "LOCKS_FORBID", "1", "LOCKS_NONE", "1", true, "on: " },
};

static void run_again(const struct again *a)
{
	char index[8];

	snprintf(index, sizeof(index), "%d", (int)(a - agains));
	setenv(a->variable, a->value, 1);
	setenv(a->other_variable, a->other_value, 1);
	if (getenv("LOCKS_FORBID"))
		forbid_writing();
	execl("/proc/self/exe", "locks_policy", index, NULL);
	_exit(1);
}

static int again(const struct again *a)
{
	const int *calls = dlsym(RTLD_DEFAULT, "preload_calls"), *child = dlsym(RTLD_DEFAULT, "preload_child");
	pthread_t t;

	prepare();
	CHECKF(look(a->locked ? LOCKED : UNLOCKED), "%s: %s", a->name, locks_say());
	CHECK_HAS(locks_say(), a->says);
	CHECK(!pthread_create(&t, NULL, pthread_other, NULL) && !pthread_join(t, NULL));
	CHECK(look(LOCKED) && !seen_unlocked);
	if (getenv("LD_PRELOAD"))
		CHECKF(calls && *calls > 0, "the other interposer was left out");
	if (!strcmp(a->other_value, "process"))
		CHECK(child && *child > 0 && !kill(*child, SIGKILL));
	return check_failed_ != 0;
}

static void test_again(const struct again *a)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		run_again(a);
	waitpid(pid, &status, 0);
	CHECKF(status == 0, "%s: status %x", a->name, status);
}

static const struct { const char *name; void (*test)(void); } tests[] = {
	{ "opinions", test_opinions }, { "ended", test_ended }, { "modules", test_modules }, { "namespace", test_namespace },
	{ "refused load", test_refused_load }, { "arrives unwritable", test_arrives_unwritable },
};

int main(int argc, char **argv)
{
	if (argc > 1)
		return again(&agains[atoi(argv[1])]);
	locks_need_sites();
	for (size_t i = 0; i < COUNT(agains); i++)
		test_again(&agains[i]);
	relink_each_site(note_site, NULL);
	for (size_t i = 0; i < COUNT(tests); i++)
		in_a_child(tests[i].name, tests[i].test);
	for (size_t i = 0; i < COUNT(entry_points); i++)
		if (entry_points[i].start != by_plugin && entry_points[i].start != by_mq)
			works_here(&entry_points[i], 100, EAGAIN, forbid_writing);
	return check_done();
}
