/* test: VARIANTS "-O2" "-O0" NOT generic thread */
/* SPDX-License-Identifier: MIT */
/*
 * uses_faults.c - a list of queries is all or nothing: each of its writes is made to fail, a breakpoint stands on one of its sites, code
 * can't be written at all. States, opinions and bytes stay, and the next commit works.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

RELINK_KEY_FALSE(debug, "a key");
RELINK_KEY_TRUE(checks, "a key");

/* On pages of their own, so that one commit takes several writes. */
#define PAGE(n) \
	__attribute__((noinline, aligned(4096))) static int page_##n(void) { return relink_here(debug, "page " #n) ? 1 : 0; } \
	__attribute__((noinline)) static int check_##n(void) { return relink_here_likely(checks, "check " #n) ? 1 : 0; }
PAGE(0)
PAGE(1)
PAGE(2)
PAGE(3)

static struct relink_error err;
static int writes, fail_at;

static int faulty(uintptr_t address, const void *bytes, size_t length)
{
	if (++writes != fail_at)
		return rl_text_write(address, bytes, length);
	rl_text_write(address, bytes, (length + 1) / 2);
	return -EIO;
}

static unsigned now(void)
{
	return (unsigned)(page_0() | page_1() << 1 | page_2() << 2 | page_3() << 3 | check_0() << 4 | check_1() << 5 | check_2() << 6 | check_3() << 7);
}

#define QUERIES "key debug +; func check_* -; func page_2 -; func check_1 +"
#define BEFORE 0xf0u
#define AFTER 0x2bu

static void test_writes(void)
{
	int r = RELINK_E_WRITE, n;

	for (n = 1; r == RELINK_E_WRITE && n < 100; n++) {
		writes = 0;
		fail_at = n;
		rl_test_write(faulty);
		r = relink_uses_query(QUERIES, &err);
		rl_test_write(NULL);
		CHECKF(now() == (r ? BEFORE : AFTER), "write %d: %x (%s)", n, now(), r ? err.text : "");
		CHECK(!r || err.site);
	}
	CHECKF(n > 3 && r == RELINK_OK, "%d writes, then %s", n, r ? err.text : "done");
	CHECK_CODE(relink_uses_query("clear", &err), RELINK_OK, &err);
	CHECK(now() == BEFORE);
	/* Opinions of a commit that failed are gone, too: the key alone decides. */
	fail_at = 1;
	writes = 0;
	rl_test_write(faulty);
	CHECK_CODE(relink_uses_query("func page_0 -; func page_1 +", &err), RELINK_E_WRITE, &err);
	rl_test_write(NULL);
	CHECK_CODE(relink_key_enable(debug, &err), RELINK_OK, &err);
	CHECK(now() == (BEFORE | 15));
	CHECK_CODE(relink_key_clear(debug, &err), RELINK_OK, &err);
}

static int find(const struct relink_use_info *info, void *ctx)
{
	if (!strcmp(info->function, "page_1"))
		*(uintptr_t *)ctx = info->address;
	return 0;
}

static void test_breakpoint(void)
{
	uintptr_t site = 0;
	uint8_t old, trap = 0xcc;

	relink_each_use(find, &site);
	old = *(const uint8_t *)site;
	CHECK(rl_text_write(site, &trap, 1) == 0);
	CHECK_CODE(relink_uses_query("func page_* +", &err), RELINK_E_BREAKPOINT, &err);
	CHECK(err.site == site && !strcmp(err.choice, "debug"));
	/* A site that does not change is nobody's business. */
	CHECK_CODE(relink_uses_query("func page_2 +", &err), RELINK_OK, &err);
	CHECK(rl_text_write(site, &old, 1) == 0);
	CHECK(now() == (BEFORE | 4));
	CHECK_CODE(relink_uses_query("clear", &err), RELINK_OK, &err);
}

/* From here on code can't be written: /proc/self/mem can't be opened, pages can't become writable. */
static void forbid_writing(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(filter), filter };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void test_policy(void)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		CHECK_CODE(relink_uses_query("func page_1 +", &err), RELINK_OK, &err);
		forbid_writing();
		CHECK_CODE(relink_uses_query("func page_0 +; func page_1 -", &err), RELINK_E_WRITE, &err);
		CHECK(now() == (BEFORE | 2));
		/* What is so already needs no writing. */
		CHECK_CODE(relink_uses_query("func page_1 +; func page_2 -", &err), RELINK_OK, &err);
		CHECK(now() == (BEFORE | 2));
		exit(check_done());
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) { /* run where code could never be written */
		CHECK_CODE(relink_uses_query("func page_0 +", &err), RELINK_E_WRITE, &err);
		CHECK(now() == BEFORE);
		return check_done();
	}
	test_writes();
	test_breakpoint();
	test_policy();
	/* The filter survives exec; the environment's query has to be left undone. */
	fflush(stdout);
	if (!fork()) {
		setenv("RELINK", "{func page_1 +; func check_1 -}", 1);
		forbid_writing();
		execl("/proc/self/exe", "uses_faults", "never", (char *)NULL);
	}
	int status;

	CHECK(wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status));
	return check_done();
}
