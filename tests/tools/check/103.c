// expect: 103 lost: what the record describes is not in the file
#include "check.h"
static struct relink_choice_record record RELINK_RECORD_ = { { sizeof(record), RELINK_RECORD_KEY, 0 }, "lost", "", 0, 0, 0 };
