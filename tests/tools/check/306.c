// expect: 306 operand 1 is in register 4, which is none that can be
#include "check.h"
RELINK_SEQUENCE(sequence, "");
WORD(word, &sequence);
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" PATCH("1b", "9f - .", "5", "4")
	 ".pushsection .rodata\n\t.balign 4\n9: .long word - .\n\t.long f - .\n\t.long f - .\n\t.byte 0, 4, 255, 255\n\t.long 0\n\t.popsection");
