// test: VARIANTS "-O0" "-O2" "-O2 -fPIC" "-O2 -fcf-protection"
// SPDX-License-Identifier: MIT
// Function variants in C++: references, enumerations, a class as argument and result, namespaces.
#include <string>

#include "check.h"

enum class level : short { low = -3, high = 900 };

RELINK_KEY_FALSE(trace, "a key");
RELINK_KEY_TRUE(cache, "a key that starts true");
RELINK_OPTION(mode, "an option", slow, fast);
RELINK_IMMEDIATE(level, depth, level::low, "a number with a type of its own");
RELINK_IMMEDIATE(bool, flag, true, "a bit");

struct sum {
	long parts[4];
};

RELINK_DECLARE_CALL(struct sum, add, (const std::string &text, struct sum start));

namespace outer {
RELINK_FUNCTION(add, (const std::string &text, struct sum start), (text, start), "adds up",
		(RELINK_READS_KEY(trace, tracing), RELINK_READS_KEY(cache, cached), RELINK_READS_OPTION(mode, how),
		 RELINK_READS_NUMBER(depth, deep), RELINK_READS_NUMBER(flag, flagged)),
		RELINK_FOR(RELINK_IS_ON(cache), RELINK_IS_OFF(trace), RELINK_IS(mode, fast)),
		RELINK_FOR(RELINK_IS_NUMBER(depth, level::high), RELINK_IS_OFF(cache)),
		RELINK_FOR(RELINK_IS_NUMBER(depth, level::low), RELINK_IS_NUMBER(flag, false)))
{
	struct sum s = start;

	s.parts[0] += (long)text.size() + (tracing ? 100 : 0);
	s.parts[1] += cached ? 10 : 20;
	s.parts[2] += how == RELINK_STATE(mode, fast) ? 1 : 2;
	s.parts[3] += (long)deep * 2 + flagged;
	return s;
}
}

static bool is_right(void)
{
	const struct sum s = add(std::string("four"), { { 1, 2, 3, 4 } });

	return s.parts[0] == 5 + (relink_key_enabled(trace) ? 100 : 0) && s.parts[1] == 2 + (relink_key_enabled(cache) ? 10 : 20) &&
	       s.parts[2] == 3 + (relink_option_state(mode) ? 1 : 2) &&
	       s.parts[3] == 4 + (long)relink_immediate_value(depth) * 2 + relink_immediate_value(flag);
}

int main()
{
	struct relink_error err;

	CHECK(is_right());
	for (unsigned n = 0; n < 32; n++) {
		struct relink_commit c = RELINK_COMMIT;
		relink_set_key(&c, trace, n & 1);
		relink_set_key(&c, cache, n & 2);
		relink_wish_option(&c, &mode.option, (n & 4) / 4);
		relink_set_immediate(&c, depth, n & 8 ? level::high : level::low);
		relink_set_immediate(&c, flag, n & 16);
		CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
		CHECKF(is_right(), "combination %u", n);
	}
	return check_done();
}
