// expect: 108 records of version 99
#define RELINK_INTERNAL
#include "check.h"
extern struct relink_module_header relink_module_header;
struct relink_module_header relink_module_header = { sizeof(relink_module_header), 99, 0, 0, 0, 0, 0, 0, 0 };
