/* SPDX-License-Identifier: MIT */
/* plain.h - locked, whatever is asked for, with an error that names the remedy. */
#include "locks.h"

static long counter;

int main(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	relink_atomic_inc(&counter);
	locks_need_sites();
	CHECK(all_locked());
	CHECK_HAS(locks_say(), "on: ");
	CHECK_HAS(locks_say(), "LOCKS");
	relink_set(&c, "locks", "off");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_THREADS, &err);
	CHECK_HAS(relink_error_text(&err), "LOCKS");
	CHECK_CODE(relink_apply("locks=off", &err), RELINK_E_THREADS, &err);
	relink_force(&c, "locks", "off");
	CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_E_THREADS, &err);
	CHECK_CODE(relink_threads_ended(&err), RELINK_E_THREADS, &err);
	CHECK_CODE(relink_threads_begin(&err), RELINK_OK, &err);
	CHECK(all_locked() && counter == 1);
	return check_done();
}
