/* SPDX-License-Identifier: MIT */
/* disasm.c - machine code as text. */
#include "disasm.h"

#if defined(SCAN_HAVE_CAPSTONE)

#include <capstone/capstone.h>
#include <stdio.h>

#if defined(__aarch64__)
#define ARCH CS_ARCH_ARM64
#define MODE CS_MODE_ARM
#elif defined(__i386__)
#define ARCH CS_ARCH_X86
#define MODE CS_MODE_32
#else
#define ARCH CS_ARCH_X86
#define MODE CS_MODE_64
#endif

size_t disassemble(const uint8_t *bytes, size_t size, uintptr_t address, char text[DISASM_TEXT])
{
	csh handle;
	cs_insn *insn;
	size_t length = 0;

	text[0] = '\0';
	if (cs_open(ARCH, MODE, &handle) != CS_ERR_OK)
		return 0;
	cs_option(handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	if (cs_disasm(handle, bytes, size, address, 1, &insn) == 1) {
		snprintf(text, DISASM_TEXT, "%s%s%s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
		length = insn->size;
		cs_free(insn, 1);
	}
	cs_close(&handle);
	return length;
}

#else

size_t disassemble(const uint8_t *bytes, size_t size, uintptr_t address, char text[DISASM_TEXT])
{
	(void)bytes;
	(void)size;
	(void)address;
	text[0] = '\0';
	return 0;
}

#endif
