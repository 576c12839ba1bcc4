// expect: 305 into the middle of the branch
// expect: 305 into the middle of the pointer-call
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
FUNCTION(f, ".byte 0xeb, 2\n1: .byte 0xa9\n\t.long 0\n\t" BRANCH("1b", "word", "0"));
static int one(void) { return 1; }
RELINK_POINTER static int (*pointer)(void) = one;
FUNCTION(g, ".byte 0xeb, 1\n\tcall *pointer(%rip)");
