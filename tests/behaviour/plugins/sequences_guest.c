// test: FLAGS -fPIC -O2
/* SPDX-License-Identifier: MIT */
/* A plugin with a template and a function for the program's sequence, and a function for its call. */
#include <relink/relink.h>

RELINK_DECLARE_SEQUENCE(twice);
RELINK_DECLARE_CALL(int, number, (void));

RELINK_TEMPLATE_2(twice, guest_template, out, in1, "lea 1000(%\\in1), %\\out", .rank = -1);
static uint64_t guest_function(uint64_t a) { return a + 2000; }
RELINK_SEQUENCE_CALL(twice, guest_function, guest_function, .rank = -1);

static int guest_number(void) { return 2; }
RELINK_VARIANT(number, guest_number, .rank = 1);
