// expect: 303 does not express the default that it was compiled for
// expect: 303 was compiled for another default than the choice has
// expect: 303 the code has another number than the choice
// expect: 303 use of key at text:7: its byte does not have the default
#include "check.h"
RELINK_KEY_FALSE(key, "");
RELINK_DECLARE_IMMEDIATE(int, number, 5);
RELINK_IMMEDIATE(int, number, 5, "");
WORD(word, &key);
WORD(number_word, &number);
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" BRANCH("1b", "word", "2"));
FUNCTION(g, "mov $6, %eax\n2:\n\t" PATCH("2b - 4", "number_word - .", "4", "2"));
static const char text[] __attribute__((used)) = "text";
static unsigned char byte __attribute__((used)) = 1;
__asm__(USE("byte", "word", "0", "text - .", "text - .", "text - .", "0x1000007"));
