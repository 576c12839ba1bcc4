/* SPDX-License-Identifier: MIT */
/* disasm.h - machine code as text, with Capstone where the program was built with it. */
#ifndef SCAN_DISASM_H
#define SCAN_DISASM_H

#include <stddef.h>
#include <stdint.h>

#define DISASM_TEXT 200

/* The instruction at `bytes`, which runs at `address`. Its length; 0 and an empty text if it can't be read. */
size_t disassemble(const uint8_t *bytes, size_t size, uintptr_t address, char text[DISASM_TEXT]);

#endif
