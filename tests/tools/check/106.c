// expect: 106 the section relink_branch is not loaded from the file, or has a wrong size
#include "check.h"
__asm__(".pushsection relink_branch,\"a\",@progbits\n\t.long 0, 0, 0\n\t.popsection");
