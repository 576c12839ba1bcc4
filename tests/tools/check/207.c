// expect: 207 of a use does not lie in data
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
static const char text[] __attribute__((used)) = "text";
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" USE("1b", "word", "0", "text - .", "text - .", "text - .", "0x1000001"));
