/* SPDX-License-Identifier: MIT */
/* disasm.c - see disasm.h. Capstone knows names of instructions; where they lead the port's decoder says. */
#include "disasm.h"

#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86_64_decode.h"

#define INSN_MAX 15

static cs_opt_value syntax = CS_OPT_SYNTAX_ATT;

void disasm_intel(void)
{
	syntax = CS_OPT_SYNTAX_INTEL;
}

static bool handle_of(csh *handle)
{
	static csh opened;

	if (!opened) {
		if (cs_open(CS_ARCH_X86, CS_MODE_64, &opened) != CS_ERR_OK)
			return false;
		cs_option(opened, CS_OPT_SYNTAX, syntax);
	}
	*handle = opened;
	return true;
}

static void add_target(const struct model *model, const uint8_t *bytes, uint64_t address, char text[DISASM_TEXT])
{
	struct rl_insn insn;
	const char *name;
	uint64_t target, offset, size;
	size_t used = strlen(text);

	if (!rl_x86_64_length(bytes, INSN_MAX, &insn) || !insn.size || insn.narrow)
		return;
	target = address + insn.length;
	if (insn.size == 1)
		target += (uint64_t)(int64_t)(int8_t)bytes[insn.operand];
	else
		target += (uint64_t)(int64_t)(int32_t)(bytes[insn.operand] | bytes[insn.operand + 1] << 8 | bytes[insn.operand + 2] << 16 |
						       (uint32_t)bytes[insn.operand + 3] << 24);
	if (insn.branch && model_stub_at(model, target, &name)) {
		snprintf(text + used, DISASM_TEXT - used, " <%s@plt>", name);
		return;
	}
	if (!model_symbol_at(model, target, &name, &offset, &size)) {
		if (!insn.branch)
			snprintf(text + used, DISASM_TEXT - used, " # 0x%" PRIx64, target);
		return;
	}
	if (offset)
		snprintf(text + used, DISASM_TEXT - used, " <%s+0x%" PRIx64 ">", name, offset);
	else
		snprintf(text + used, DISASM_TEXT - used, " <%s>", name);
}

size_t disasm(const struct model *model, const uint8_t *bytes, size_t count, uint64_t address, char text[DISASM_TEXT])
{
	uint8_t padded[INSN_MAX + 1] = { 0 };
	struct rl_insn insn;
	size_t length, n = count < INSN_MAX ? count : INSN_MAX;
	cs_insn *decoded;
	csh handle;

	memcpy(padded, bytes, n);
	length = rl_x86_64_length(bytes, n, &insn);
	snprintf(text, DISASM_TEXT, "(no instruction)");
	if (!handle_of(&handle) || cs_disasm(handle, padded, length ? length : n, address, 1, &decoded) != 1) {
		if (length)
			snprintf(text, DISASM_TEXT, "(instruction unknown to the disassembler)");
		return length;
	}
	snprintf(text, DISASM_TEXT, "%s%s%s", decoded->mnemonic, decoded->op_str[0] ? " " : "", decoded->op_str);
	if (!length)
		length = decoded->size;
	cs_free(decoded, 1);
	add_target(model, padded, address, text);
	return length;
}
