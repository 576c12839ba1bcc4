/* test: LOCKS LABELS soak TIMEOUT 100 NOT address thread VARIANTS "-O0" "-O2" */
/* SPDX-License-Identifier: MIT */
/*
 * locks_storm.c - one thread counts without prefixes; from one moment to the next there are dozens, created by each
 * other; then they are gone, and it goes on alone. Counters, references and bits must come out right each time.
 */
#include "locks/entry_points.h"

#define MOST 24

static int alive, created;
static unsigned long bits, references = 1;

static void work(unsigned number)
{
	count();
	for (int i = 0; i < 1000; i++) {
		relink_ref_get(&references);
		CHECK(relink_atomic_test_and_set_bit(&bits, number) == false);
		CHECK(relink_atomic_test_and_clear_bit(&bits, number) == true);
		CHECK(!relink_ref_put(&references));
	}
	CHECK(look(LOCKED));
}

static void *member(void *arg)
{
	unsigned number = (unsigned)__atomic_add_fetch(&created, 1, __ATOMIC_SEQ_CST);
	pthread_t t;

	if (!look(LOCKED))
		__atomic_store_n(&seen_unlocked, 1, __ATOMIC_SEQ_CST);
	if (number < MOST) {
		__atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
		if (number & 1 && plugin_create)
			CHECK(!plugin_create(&t, member, arg) && !pthread_join(t, NULL));
		else
			CHECK(!pthread_create(&t, NULL, member, arg) && !pthread_join(t, NULL));
	}
	work(number);
	return arg;
}

static void storm(unsigned before)
{
	struct relink_error err;
	pthread_t t;

	counter = plugin_counter = 0;
	created = 0;
	for (unsigned i = 0; i < before; i++)
		relink_atomic_inc(&counter);
	CHECK(look(UNLOCKED));
	CHECK(!pthread_create(&t, NULL, member, NULL));
	work(0);
	CHECK(!pthread_join(t, NULL));
	CHECKF(counter == (MOST + 1) * 10L * TIMES + before, "counted %ld", counter);
	CHECK(!plugin_count || plugin_counter == (MOST + 1L) * TIMES);
	CHECK(references == 1 && !bits && !seen_unlocked);
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
}

int main(void)
{
	const char *seconds = getenv("RELINK_SOAK_SECONDS");
	time_t stop = time(NULL) + (seconds ? atoi(seconds) : 2);
	unsigned rounds = 0;

	prepare();
	locks_need_sites();
	for (; time(NULL) < stop && !check_failed_; rounds++)
		storm((unsigned)rand() % 100000);
	printf("%u storms\n", rounds);
	return check_done();
}
