/* test: INTERNAL LIBS relink_locks LINK -Wl,--emit-relocs -Wl,-z,now -Wl,-u,relink_watches_threads NOT address thread */
/* SPDX-License-Identifier: MIT */
/*
 * locks_faults.c - every write of the commits that lock and unlock fails in its turn. A failed lock leaves all sites
 * without their prefixes and lets no thread start; a failed unlock leaves them all with it; and what failed once is
 * no obstacle later.
 */
#undef RELINK_INTERNAL /* this program's own records */
#include "locks/entry_points.h"

void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));
int rl_text_write(uintptr_t address, const void *bytes, size_t length);

static int writes, fails_at;

static int counted_write(uintptr_t address, const void *bytes, size_t length)
{
	if (++writes == fails_at)
		return -EIO;
	return rl_text_write(address, bytes, length);
}

static int failing_write(uintptr_t address, const void *bytes, size_t length)
{
	(void)address, (void)bytes, (void)length;
	return -EIO;
}

/* How many writes were needed when none of them failed. */
static int each_write(int (*change)(struct relink_error *err), unsigned before, unsigned after)
{
	struct relink_error err;
	pthread_t t;
	int r = -1;

	for (fails_at = 1; r; fails_at++) {
		writes = 0;
		rl_test_write(counted_write);
		r = change(&err);
		rl_test_write(NULL);
		if (!CHECKF(look(r ? before : after), "write %d: %s", fails_at, r ? relink_error_text(&err) : "done"))
			return fails_at;
		rl_test_write(failing_write);
		if (r && before == UNLOCKED)
			CHECK(pthread_create(&t, NULL, pthread_other, NULL) == EAGAIN && look(UNLOCKED));
		rl_test_write(NULL);
	}
	return fails_at - 2;
}

/*
 * A module that came when nothing could be written has its prefixes; that keeps nobody from starting threads, then or
 * later.
 */
static void test_stale(void)
{
	struct relink_error err;
	struct locks_counts n;
	pthread_t t;
	void *plugin;

	rl_test_write(failing_write);
	plugin = dlopen(RELINK_TEST_PLUGINS "/locks_user.so", RTLD_NOW);
	rl_test_write(NULL);
	n = locks_count();
	CHECKF(plugin && n.locked && n.unlocked == site_count, "%u locked, %u unlocked", n.locked, n.unlocked);
	CHECK(!pthread_create(&t, NULL, pthread_other, NULL) && !pthread_join(t, NULL) && all_locked() && !seen_unlocked);
	CHECK_CODE(relink_threads_ended(&err), RELINK_E_PENDING, &err);
	CHECK(all_locked() && !dlclose(plugin));
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	CHECK(all_unlocked());
}

int main(void)
{
	relink_each_site(note_site, NULL);
	locks_need_sites();
	CHECK(look(UNLOCKED));
	for (int i = 0; i < 3; i++) {
		CHECK(each_write(relink_threads_begin, UNLOCKED, LOCKED) > 0);
		CHECK(each_write(relink_threads_ended, LOCKED, UNLOCKED) > 0);
	}
	test_stale();
	return check_done();
}
