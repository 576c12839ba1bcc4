// expect: 101 a record of 12 bytes
#include "check.h"
static struct relink_record record RELINK_RECORD_ = { 12, RELINK_RECORD_KEY, 0 };
