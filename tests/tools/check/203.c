// expect: 203 a site of kind 9 with 5 bytes
// expect: 203 a use with unknown flags 0x2000000
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
static const char text[] __attribute__((used)) = "text";
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" PATCH("1b", "0", "5", "9"));
FUNCTION(g, "1: .byte 0xa9\n\t.long 0\n\t" USE("1b", "word", "0", "text - .", "text - .", "text - .", "0x2000001"));
