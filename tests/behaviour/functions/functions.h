/* SPDX-License-Identifier: MIT */
/* functions.h - what the tests of function variants read, and one function of it, for C and C++. */
#ifndef TEST_FUNCTIONS_H
#define TEST_FUNCTIONS_H

#include <relink/relink.h>

#ifdef __cplusplus
extern "C" {
#endif
RELINK_DECLARE_KEY(trace);
RELINK_DECLARE_OPTION(mode, slow, fast, odd);
RELINK_DECLARE_IMMEDIATE(uint16_t, depth, 2);
#ifdef __cplusplus
}
#endif

/* Every state that was read can be told from the result. */
#define FUNCTIONS_RESULT(tracing, how, levels, x) ((tracing) * 10000000L + (how) * 1000000L + (levels) * 100L + (x))

RELINK_DECLARE_CALL(long, work, (int x));
RELINK_DECLARE_CALL(void, look, (void));

#endif
