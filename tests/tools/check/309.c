// expect: 309 does not lie in one aligned word
#include "check.h"
RELINK_DECLARE_IMMEDIATE(int, number, 5);
RELINK_IMMEDIATE(int, number, 5, "");
WORD(word, &number);
FUNCTION(f, "nop\n\tnop\n\tnop\n\tnop\n\tmov $5, %eax\n2:\n\t" PATCH("2b - 4", "word - .", "4", "2"));
