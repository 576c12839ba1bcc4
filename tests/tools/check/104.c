// expect: 104 idle: an option of 99 states
#include "check.h"
static struct relink_option idle;
static struct relink_choice_record record RELINK_RECORD_ = { { sizeof(record), RELINK_RECORD_OPTION, 0 }, "idle", "", &idle, 0, 99 };
