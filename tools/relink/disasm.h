/* SPDX-License-Identifier: MIT */
/* disasm.h - machine code as text, with the names of what it leads to. */
#ifndef RELINK_TOOL_DISASM_H
#define RELINK_TOOL_DISASM_H

#include "model.h"

#define DISASM_TEXT 320

void disasm_intel(void); /* instead of AT&T's syntax */
/* The first instruction of `bytes`, at most 15 of them. Returns its length; 0: none that is known, `text` says so. */
size_t disasm(const struct model *model, const uint8_t *bytes, size_t count, uint64_t address, char text[DISASM_TEXT]);

#endif
