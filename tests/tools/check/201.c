// expect: 201 does not lie in code
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
static int data __attribute__((used)) = 1;
__asm__(BRANCH("data", "word", "0"));
