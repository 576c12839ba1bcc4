// expect: 102 a record whose name can't be read
#include "check.h"
static struct relink_key_false key = RELINK_KEY_INIT_FALSE;
static struct relink_choice_record record RELINK_RECORD_ = { { sizeof(record), RELINK_RECORD_KEY, 0 }, 0, "", &key, 0, 0 };
