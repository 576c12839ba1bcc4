// test: VARIANTS "-O0" "-O2" "-O2 -fPIC" NOT generic thread
// SPDX-License-Identifier: MIT
// sequences_cxx.cc - C++: in inline functions, templates and members; and in branch form with threads running.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "check.h"

RELINK_SEQUENCE(plus, "a sum");
RELINK_TEMPLATE_2(plus, second, out, in2, "mov %\\in2, %\\out");
RELINK_KEY_FALSE(elsewhere, "is asked for with threads running");

static uint64_t product(uint64_t a, uint64_t b) { return a * b; }
RELINK_SEQUENCE_CALL(plus, product, product);

inline uint64_t in_line(uint64_t a, uint64_t b)
{
	uint64_t r;
	relink_wrap(plus, "lea (%[in1],%[in2]), %[out]", RELINK_OREG(r), RELINK_IREG2(a, b), RELINK_CLOBBERS("cc"));
	return r;
}

template <class T> T in_template(T a, T b)
{
	uint64_t r;
	relink_wrap(plus, "lea (%[in1],%[in2]), %[out]", RELINK_OREG(r), RELINK_IREG2(a, b), RELINK_CLOBBERS("cc"));
	return (T)r;
}

struct machine {
	uint64_t a;
	uint64_t with(uint64_t b) const
	{
		uint64_t r;
		relink_wrap(plus, "lea (%[in1],%[in2]), %[out]", RELINK_OREG(r), RELINK_IREG2(a, b), RELINK_CLOBBERS("cc"));
		return r;
	}
};

static __attribute__((noinline)) uint64_t branch_form(uint64_t a, uint64_t b)
{
	uint64_t r;
	relink_wrap_unless(elsewhere, r = product(a, b), plus, "lea (%[in1],%[in2]), %[out]", RELINK_OREG(r), RELINK_IREG2(a, b),
			   RELINK_CLOBBERS("cc"));
	return r;
}

static relink_error err;

static void expect(const char *state, uint64_t want)
{
	struct relink_commit c = RELINK_COMMIT;
	machine m = { 3 };

	relink_set(&c, "plus", state);
	CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_OK, &err);
	CHECK(in_line(3, 4) == want && in_template<uint64_t>(3, 4) == want && in_template<short>(3, 4) == (short)want && m.with(4) == want);
}

static void test_branch_form()
{
	std::atomic<bool> stop{false};
	std::atomic<unsigned long> wrong{0}, seen{0};
	std::thread thread([&] {
		while (!stop) {
			uint64_t r = branch_form(3, 4);
			wrong += r != 7 && r != 12;
			seen++;
		}
	});

	for (int i = 0; i < 300; i++) {
		CHECK_CODE(relink_key_set(elsewhere, i & 1, &err), RELINK_OK, &err);
		CHECK(branch_form(3, 4) == (i & 1 ? 12u : 7u));
	}
	while (seen < 100)
		std::this_thread::yield();
	stop = true;
	thread.join();
	CHECK(wrong == 0);
}

int main()
{
	struct relink_status status = {};

	status.size = sizeof(status);
	CHECK(relink_get_status(&status) == 0);
	if (strncmp(status.mode, "direct", 6)) {
		printf("skipped: %s\n", status.mode);
		return 77;
	}
	expect("native", 7);
	expect("second", 4);
	expect("product", 12);
	expect("native", 7);
	test_branch_form();
	return check_done();
}
