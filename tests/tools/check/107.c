// expect: 107 hash: its trampoline is none
#include "check.h"
static void function(void) {}
static void (*slot)(void) = function;
static struct relink_call call = { &slot, function, 0 };
static struct relink_choice_record record RELINK_RECORD_ = { { sizeof(record), RELINK_RECORD_CALL, 0 }, "hash", "", &call, 0, 0 };
