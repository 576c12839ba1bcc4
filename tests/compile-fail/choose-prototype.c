// SPDX-License-Identifier: MIT
// expect-c: relink: a choice function takes const struct relink_facts * and returns const char *
// expect-c++: relink_facts
#include "case.h"

static inline const char *wrong(void) { return NULL; }
static inline const char *good(const struct relink_facts *facts) { return facts->cpus > 1 ? "poll" : NULL; }
MISUSE(RELINK_CHOOSE(idle, wrong), RELINK_CHOOSE(idle, good));
