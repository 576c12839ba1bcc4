/* SPDX-License-Identifier: MIT */
/* platform_privileges.c - programs that give up rights: setuid, chroot, and what is left then. */
#include "platform_test.h"

#include <grp.h>
#include <sys/prctl.h>

#ifdef HAVE_CODE

#define NOBODY 65534

static void drop(void)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static void close_writer(void)
{
	int descriptor = -1;

	CHECK(memory_descriptors(&descriptor) == 1);
	close(descriptor);
}

/* An error with a reason, and the code as it was; and again. */
static void fails_cleanly(const char *reason)
{
	unsigned before = subject();

	for (int i = 0; i < 2; i++) {
		const char *why = "";
		int error = change(before + 1, &why);

		if (!CHECK(error < 0 && strstr(why, reason)))
			printf("error %d, '%s'\n", error, why);
		CHECK(subject() == before);
	}
}

static void opened_early(void)
{
	CHECK(probe());
	drop();
	CHECK(changes(2));
	CHECK(changes(3));
}

static void opened_late(void)
{
	struct rl_text_abilities abilities;

	drop();
	rl_text_probe(&abilities);
	CHECK(!abilities.write && abilities.barrier && strstr(abilities.why, "permission denied"));
	CHECK(strcmp(abilities.writer, "none") == 0);
}

static void lost_after_drop(void)
{
	CHECK(probe());
	drop();
	close_writer();
	fails_cleanly("permission denied");
}

static void forked_child(void)
{
	fails_cleanly("privileges");
}

static void forked_after_drop(void)
{
	CHECK(probe());
	drop();
	CHECK(status_of(forked_child) == 0);
	CHECK(changes(4));
}

static void dropped_in_child(void)
{
	drop();
	fails_cleanly("privileges");
}

static void dropped_in_child_after_writing(void)
{
	CHECK(changes(5));
	drop();
	CHECK(changes(6));
}

static void forked_before_drop(void)
{
	CHECK(probe());
	CHECK(status_of(dropped_in_child) == 0);
	CHECK(status_of(dropped_in_child_after_writing) == 0);
	CHECK(subject() == 1 && changes(7));
}

static char directory[] = "/tmp/platform_privilegesXXXXXX";

static void without_proc(void)
{
	struct rl_text_abilities abilities;
	int descriptor = -1;

	CHECK(probe());
	CHECK(memory_descriptors(&descriptor) == 1);
	CHECK(chroot(directory) == 0 && chdir("/") == 0);
	CHECK(changes(8));
	CHECK(rl_threads() == 0);
	close(descriptor);
	fails_cleanly("no /proc");
	rl_text_probe(&abilities);
	CHECK(!abilities.write && abilities.barrier && strstr(abilities.why, "no /proc"));
	CHECK(rl_program_name()[0]);
}

/* The descriptor survives; a new one would be refused to who is not root. */
static void not_dumpable(void)
{
	CHECK(probe());
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	CHECK(changes(9));
}

int main(void)
{
	start_tally();
	RUN(not_dumpable);
	if (geteuid() != 0) {
		skip("dropping privileges and chroot", "not root");
		return report();
	}
	RUN(opened_early);
	RUN(opened_late);
	RUN(lost_after_drop);
	RUN(forked_after_drop);
	RUN(forked_before_drop);
	CHECK(mkdtemp(directory) != NULL);
	RUN(without_proc);
	rmdir(directory);
	return report();
}

#else

int main(void)
{
	printf("no code is written on this architecture\n");
	return 77;
}

#endif
