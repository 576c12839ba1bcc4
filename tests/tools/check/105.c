// expect: 105 an operations table that can't be read
#include "check.h"
static struct relink_ops_record record RELINK_RECORD_ = { { sizeof(record), RELINK_RECORD_OPS, 0 }, "table", "", 0 };
