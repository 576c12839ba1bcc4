// SPDX-License-Identifier: MIT
// test: VARIANTS "-O2" "-O0" NOT generic address thread undefined
/* A struct of which only a member is a pointer to a function: its calls are bound, the rest is read as before, and sealed with it. */
#include <setjmp.h>
#include <signal.h>

#include "check.h"

static int one(int x)
{
	return x + 1;
}

static int two(int x)
{
	return x + 2;
}

struct driver {
	const char *name;
	unsigned limit;
	char label[6];
	int (*read)(int);
	unsigned long tail;
};

RELINK_POINTER struct driver driver = { "none", 3, "abcde", one, 77 };
RELINK_POINTER_INFO(driver, "one member is called");

static sigjmp_buf back;
static void *volatile fault_address;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault_address = info->si_addr;
	siglongjmp(back, 1);
}

static unsigned of_read, of_others;

static int count_site(const struct relink_site_info *site, void *unused)
{
	(void)unused;
	if (site->kind != RELINK_SITE_POINTER_USE && !strncmp(site->choice, "driver", 6))
		++*(strcmp(site->choice, "driver+24") ? &of_others : &of_read);
	return 0;
}

RELINK_INIT_CODE static void configure(void)
{
	relink_pointer_init(driver.name, "fast");
	relink_pointer_init(driver.limit, 9);
	relink_pointer_init(driver.read, two);
}

static __attribute__((noinline)) int call(int x)
{
	return driver.read(x);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct relink_error err;

	CHECK(!sigaction(SIGSEGV, &action, NULL));
	configure();
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK(call(1) == 3 && !strcmp(driver.name, "fast") && driver.limit == 9 && driver.tail == 77);
	CHECK_CODE(relink_pointer_set(driver.read, one, &err), 0, &err);
	CHECK(call(1) == 2 && !strcmp(driver.name, "fast") && !strcmp(driver.label, "abcde") && driver.tail == 77);
	if (!sigsetjmp(back, 1))
		driver.limit = 10;
	CHECK(fault_address == &driver.limit && driver.limit == 9);
	CHECK_CODE(relink_pointer_clear(driver.read, &err), 0, &err);
	CHECK(call(1) == 3);
	CHECK(!relink_each_site(count_site, NULL) && !of_others);
#ifdef __OPTIMIZE__
	CHECKF(of_read == 1, "%u sites of driver.read", of_read);
#endif
	return check_done();
}
