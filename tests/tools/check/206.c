// expect: 206 whose text can't be read
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
static const char text[] __attribute__((used)) = "text";
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" USE("1b", "word", "0", "text - .", "text - .", "0x40000000", "1"));
