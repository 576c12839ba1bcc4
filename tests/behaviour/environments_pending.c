// test: INTERNAL NOT generic LINK -Wl,--emit-relocs -Wl,-z,now -rdynamic
/* SPDX-License-Identifier: MIT */
/*
 * environments_pending.c - a module that arrives when code can't be written any more: its branches stay as they were linked, its
 * calls go through data, and keys with such branches can't be changed until it leaves. The same for a program that is told by its
 * environment what it can't do.
 */
#undef RELINK_INTERNAL /* only the hook that fails a write and can be taken away again */
#include "behaviour/environments/guest.h"
#include "behaviour/environments/limits.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#ifdef __x86_64__

void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));

RELINK_KEY_FALSE(host_off, "on when the plugin comes");
RELINK_KEY_TRUE(host_on, "off when the plugin comes");
RELINK_KEY_FALSE(host_same, "as linked when the plugin comes");
static unsigned host_call_0(unsigned x) { return 4 * x; }
static unsigned host_call_1(unsigned x) { return 4 * x + 1; }
RELINK_DEFINE_CALL(host_call, host_call_0, "1 when the plugin comes");
RELINK_VARIANT(host_call, host_call_1);

static unsigned sees_off(void) { return relink_unlikely(host_off) ? 1 : 0; }
static unsigned sees_on(void) { return relink_likely(host_on) ? 1 : 0; }
static unsigned sees_same(void) { return relink_unlikely(host_same) ? 1 : 0; }

static void check_host(unsigned off, unsigned on, unsigned same, unsigned call)
{
	CHECKF(sees_off() == off && relink_key_enabled(host_off) == off, "host_off: site %u, key %d", sees_off(),
	       relink_key_enabled(host_off));
	CHECKF(sees_on() == on && relink_key_enabled(host_on) == on, "host_on: site %u, key %d", sees_on(),
	       relink_key_enabled(host_on));
	CHECKF(sees_same() == same && relink_key_enabled(host_same) == same, "host_same: site %u, key %d", sees_same(),
	       relink_key_enabled(host_same));
	CHECKF(host_call(3) == 12 + call, "host_call: %u", host_call(3));
}

/* ---- the plugin ---- */

static void *plugin;
static guest_look *look;
static unsigned reports;
static char report[640];

static void on_pending(const struct relink_error *err, void *context)
{
	reports++;
	CHECK(context == &plugin && err->code < 0);
	snprintf(report, sizeof(report), "%s", relink_error_text(err));
}

static void *function(const char *name)
{
	void *found = dlsym(plugin, name);

	CHECKF(found != NULL, "the plugin has no %s", name);
	return found;
}

static int wish(const char *name, struct relink_error *err)
{
	guest_wish *f;
	void *found = function(name);

	memcpy(&f, &found, sizeof(f));
	return f(err);
}

static bool load(void)
{
	void *found;

	plugin = dlopen(RELINK_TEST_PLUGINS "/environments_guest.so", RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return false;
	found = function("look_around");
	memcpy(&look, &found, sizeof(look));
	return true;
}

static void check_guest(const struct guest_view *want)
{
	struct guest_view got;

	look(&got);
	CHECKF(!memcmp(&got, want, sizeof(got)),
	       "the plugin: host_off %u on %u same %u call %u guest_off %u on %u way %u call %u, want %u %u %u %u %u %u %u %u",
	       got.host_off, got.host_on, got.host_same, got.host_call, got.guest_off, got.guest_on, got.guest_way, got.guest_call,
	       want->host_off, want->host_on, want->host_same, want->host_call, want->guest_off, want->guest_on, want->guest_way,
	       want->guest_call);
}

static uint64_t unbound_branches(unsigned pending)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == RELINK_OK);
	CHECKF(status.pending == pending, "%u pending, want %u", status.pending, pending);
	CHECKF(!strstr(status.mode, "degraded"), "%s", status.mode);
	return status.sites[RELINK_SITE_BRANCH][RELINK_INDIRECT];
}

/* ---- how code becomes unwritable ---- */

static const char *filter_writes(void)
{
	return limit_call(SYS_pwrite64, REFUSE(EPERM));
}

static const char *trap_writes(void)
{
	return limit_call(SYS_pwrite64, TRAP);
}

/* The loader opens files to read them. */
static const char *close_and_filter(void)
{
	close_descriptors();
	return limit_open_to_write(REFUSE(EACCES));
}

static int refuse(uintptr_t address, const void *bytes, size_t length)
{
	(void)address, (void)bytes, (void)length;
	return -EPERM;
}

static const char *for_a_while(void)
{
	rl_test_write(refuse);
	return NULL;
}

struct loss {
	const char *name;
	const char *(*lose)(void);
	const char *word;
	void (*regain)(void);
};

static void write_again(void)
{
	rl_test_write(NULL);
}

static const struct loss losses[] = {
	{ "seccomp pwrite64 EPERM", filter_writes, "refuses", NULL },
	{ "seccomp pwrite64 SIGSYS", trap_writes, "refuses", NULL },
	{ "descriptors closed, seccomp openat O_RDWR EACCES", close_and_filter, "permission denied", NULL },
	{ "writes fail for a while", for_a_while, "refuses", write_again },
};

/* ---- one case ---- */

static void skip(const char *name, const char *why)
{
	printf("skipped: %s: %s\n", name, why);
	fflush(stdout);
	_exit(77);
}

static const struct guest_view *linked_but_calls(void)
{
	static const struct guest_view view = { .host_on = 1, .host_call = 1, .guest_on = 1, .guest_call = 1 };

	return &view;
}

static void change_host(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	relink_set_key(&c, host_off, true);
	relink_set_key(&c, host_on, false);
	relink_set_call(&c, host_call, host_call_1);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK_CODE(relink_apply("environments_guest:guest_on=off", &err), RELINK_OK, &err);
	check_host(1, 0, 0, 1);
}

/* Each of them has branches in the plugin that don't follow. */
static void refuse_pending(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	CHECK_CODE(relink_key_disable(host_off, &err), RELINK_E_PENDING, &err);
	CHECK_HAS(err.text, "environments_guest");
	CHECK_CODE(relink_key_clear(host_on, &err), RELINK_E_PENDING, &err);
	CHECK_CODE(relink_apply("guest_on=on guest_way=right", &err), RELINK_E_PENDING, &err);
	CHECK_CODE(wish("set_way", &err), RELINK_E_PENDING, &err);
	relink_set_call(&c, host_call, host_call_0);
	relink_set_key(&c, host_off, false);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_PENDING, &err);
	check_host(1, 0, 0, 1);
	check_guest(linked_but_calls());
}

/* These have not, but still: code can't be written. */
static void refuse_writing(const struct loss *loss)
{
	struct relink_error err;

	CHECK_CODE(relink_key_enable(host_same, &err), RELINK_E_WRITE, &err);
	CHECK_HAS(err.text, loss->word);
	CHECK_CODE(wish("enable_own", &err), RELINK_E_WRITE, &err);
	CHECK_CODE(relink_call_set(host_call, host_call_0, &err), RELINK_E_WRITE, &err);
	check_host(1, 0, 0, 1);
	check_guest(linked_but_calls());
}

/* No code of the plugin's own calls expresses anything yet. */
static void rebind_plugin_call(void)
{
	struct guest_view wanted = *linked_but_calls();
	struct relink_error err;

	CHECK_CODE(wish("clear_call", &err), RELINK_OK, &err);
	wanted.guest_call = 0;
	check_guest(&wanted);
}

static void arrive(const struct loss *loss)
{
	reports = 0;
	if (!load())
		return;
	CHECKF(reports >= 1, "%u reports", reports);
	CHECK_HAS(report, loss->word);
	CHECK(unbound_branches(1) >= 4);
	check_host(1, 0, 0, 1);
	check_guest(linked_but_calls());
	refuse_pending();
	refuse_writing(loss);
	rebind_plugin_call();
}

static void leave(void)
{
	CHECK(dlclose(plugin) == 0);
	CHECK(unbound_branches(0) == 0);
	check_host(1, 0, 0, 1);
}

static void after_leaving(const struct loss *loss)
{
	struct relink_error err;

	CHECK_CODE(relink_key_disable(host_off, &err), RELINK_E_WRITE, &err);
	CHECK_HAS(err.text, loss->word);
	check_host(1, 0, 0, 1);
}

/* Writing is possible again: pending stays pending, anything else goes on. */
static void regain(const struct loss *loss)
{
	static const struct guest_view all = { .host_off = 1, .host_call = 1, .guest_way = 1, .guest_call = 1 };
	struct relink_error err;

	loss->regain();
	CHECK_CODE(relink_key_disable(host_off, &err), RELINK_E_PENDING, &err);
	CHECK_CODE(relink_key_enable(host_same, &err), RELINK_OK, &err);
	check_host(1, 0, 1, 1);
	CHECK_CODE(relink_key_clear(host_same, &err), RELINK_OK, &err);
	leave();
	CHECK_CODE(relink_key_disable(host_off, &err), RELINK_OK, &err);
	check_host(0, 0, 0, 1);
	CHECK_CODE(relink_key_enable(host_off, &err), RELINK_OK, &err);
	reports = 0;
	if (load())
		check_guest(&all);
	CHECK(reports == 0 && unbound_branches(0) == 0);
}

static unsigned stop;

static void *spin(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		CHECK(host_call(3) / 4 == 3);
	return unused;
}

static void run_loss(const struct loss *loss, bool threads)
{
	const char *why;
	pthread_t thread;

	relink_on_pending(on_pending, &plugin);
	if (threads && !CHECK(pthread_create(&thread, NULL, spin, NULL) == 0))
		return;
	change_host();
	why = loss->lose();
	if (why)
		skip(loss->name, why);
	for (int i = 0; i < 2; i++) {
		arrive(loss);
		if (loss->regain)
			break;
		leave();
		after_leaving(loss);
	}
	if (loss->regain)
		regain(loss);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	if (threads)
		pthread_join(thread, NULL);
}

/* ---- the program itself is told what it can't do ---- */

static bool told;

static void obey_or_say(void)
{
	struct relink_status status = { .size = sizeof(status) };
	struct relink_error err;

	CHECK(relink_get_status(&status) == RELINK_OK);
	CHECK_HAS(status.mode, "indirect: ");
	CHECKF(status.pending == 1, "%u pending", status.pending);
	check_host(0, 1, 0, 1);
	CHECK_CODE(relink_key_enable(host_off, &err), RELINK_E_WRITE, &err);
	CHECK_HAS(err.text, "refuses");
	CHECK_CODE(relink_key_enable(host_same, &err), RELINK_E_WRITE, &err);
	CHECK_CODE(relink_call_set(host_call, host_call_0, &err), RELINK_OK, &err);
	check_host(0, 1, 0, 0);
	CHECK_CODE(relink_call_clear(host_call, &err), RELINK_OK, &err);
	check_host(0, 1, 0, 1);
}

static void filter_first(int argc, char **argv)
{
	const char *why;

	told = argc == 2 && !strcmp(argv[1], "--told");
	why = told ? filter_writes() : NULL;
	if (why)
		skip("what the environment says", why);
}

typedef void first_function(int argc, char **argv);
static first_function *const first __attribute__((section(".preinit_array"), used)) = filter_first;

static void execute_told(void)
{
	setenv("RELINK", "host_off=on,host_on=off,host_call=host_call_1", 1);
	execl("/proc/self/exe", "environments_pending", "--told", (char *)NULL);
	_exit(127);
}

/* ---- all cases ---- */

static unsigned passed, failed, skipped;

static void run(const struct loss *loss, bool threads)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (loss)
			run_loss(loss, threads);
		else
			execute_told();
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		passed++;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skipped++;
	else
		failed++, printf("FAILED %s%s: status %#x\n", loss ? loss->name : "told at start", threads ? ", threads" : "",
				 (unsigned)status);
}

int main(void)
{
	if (told) {
		obey_or_say();
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	run(NULL, false);
	for (size_t i = 0; i < COUNT(losses); i++)
		for (int threads = 0; threads < 2; threads++)
			run(&losses[i], threads);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	if (failed)
		return 1;
	return passed ? 0 : 77;
}

#else

int main(void)
{
	printf("skipped: no code is written on this architecture\n0 passed, 0 failed, 1 skipped\n");
	return 77;
}

#endif
