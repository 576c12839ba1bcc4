// test: SOURCES behaviour/uses/cxx_other.cc VARIANTS "-O0" "-O2" "-O3" "-O0 -fPIC" "-O2 -fPIC" LINK -Wl,--no-as-needed $<TARGET_FILE:plugin_uses_cxx_home>
/* SPDX-License-Identifier: MIT */
/* Uses in C++: inline functions, templates, lambdas, constructors, in two files and a shared object. */
#include "behaviour/uses/cxx.h"

CXX_PLACES(here_places)

static struct relink_error err;

static const struct {
	const char *query;
	unsigned on;
} steps[] = {
	{ "+ ; key cxx_checks -", CXX_ALL }, { "- ; key cxx_checks +", 0 },
	{ "func in_inline +", 1 }, { "func in_inline* -", 2 }, { "key spaced_debug +", 2 | 4 }, { "func in_template +", 2 | 4 | 8 | 16 },
	{ "format lambda +", 2 | 4 | 8 | 16 | 32 }, { "func Class +", 2 | 4 | 8 | 16 | 32 | 64 }, { "key Class::debug -; func in_class +", 2 | 4 | 8 | 16 | 32 | 128 },
	{ "-; key cxx_checks +; func member_template +", 256 | 512 }, { "clear", 0 },
};

int main()
{
	CHECK(here_places() == 0 && other_places() == 0 && plugin_places() == 0);
	for (size_t i = 0; i < COUNT(steps); i++) {
		CHECK_CODE(relink_uses_query(steps[i].query, &err), RELINK_OK, &err);
		CHECKF(here_places() == steps[i].on, "%s: %x here, want %x", steps[i].query, here_places(), steps[i].on);
		CHECKF(other_places() == steps[i].on, "%s: %x in the other file, want %x", steps[i].query, other_places(), steps[i].on);
		CHECKF(plugin_places() == steps[i].on, "%s: %x in the plugin, want %x", steps[i].query, plugin_places(), steps[i].on);
	}
	/* The whole key reaches every copy, too. */
	CHECK_CODE(relink_key_enable(cxx_debug, &err), RELINK_OK, &err);
	CHECK(here_places() == plugin_places() && here_places() == (1u | 8 | 16 | 32 | 256 | 512));
	return check_done();
}
