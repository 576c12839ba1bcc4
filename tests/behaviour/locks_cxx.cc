// test: LOCKS NOT address thread
// SPDX-License-Identifier: MIT
// locks_cxx.cc - C++: operations in inline functions, templates and members; std::thread, whose library creates the thread.
#include <thread>

#include "locks/locks.h"

static long counter;
static unsigned number;

template <class T> struct counted {
	T references = 1;
	bool put() { return relink_ref_put(&references); }
	inline void get() { relink_ref_get(&references); }
};

inline void in_a_header(long *p)
{
	relink_atomic_add(p, 2);
}

template <class T> T next(T *p)
{
	return relink_atomic_fetch_add(p, 1);
}

static void work()
{
	counted<int> one;
	counted<unsigned long> other;

	for (int i = 0; i < 20000; i++) {
		in_a_header(&counter);
		next(&counter);
		next(&number);
		one.get();
		other.get();
		CHECK(!one.put() && !other.put());
	}
	CHECK(one.put() && other.put());
}

int main()
{
	struct relink_error err;
	bool seen = false;

	locks_need_sites();
	CHECKF(all_unlocked(), "%s", locks_say());
	int x = 0, *head = nullptr, *old = nullptr;
	void *any = &x;
	CHECK(relink_atomic_try_cmpxchg(&head, &old, &x) && head == &x && relink_atomic_cmpxchg(&any, (void *)&x, nullptr) == &x);
	CHECK(!relink_atomic_test_and_set_bit(&x, 31) && x < 0 && relink_atomic_fetch_sub(&x, x) < 0 && relink_ref_get_unless_zero(&x) == 0);
	work();
	std::thread other([&seen] { seen = all_locked(); work(); });
	CHECK(all_locked());
	work();
	other.join();
	CHECK(seen && counter == 3 * 60000 && number == 60000);
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	return check_done();
}
