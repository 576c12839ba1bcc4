/* SPDX-License-Identifier: MIT */
/*
 * decode.c - an instruction, as far as the checker cares: which memory it names and whether it writes there, and what it does to
 * registers that may hold an address. Capstone decodes.
 */
#include <capstone/capstone.h>
#include <string.h>

#include "internal.h"

#define INSN_MAX 15

static csh handle(void)
{
	static csh opened;

	if (!opened && cs_open(CS_ARCH_X86, CS_MODE_64, &opened) == CS_ERR_OK)
		cs_option(opened, CS_OPT_DETAIL, CS_OPT_ON);
	return opened;
}

/* ---- registers ---- */

/* As the processor counts them, whatever part of one it is. */
static uint8_t number_of(unsigned reg)
{
	static const uint16_t legacy[8][5] = {
		{ X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH }, { X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH },
		{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH }, { X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH },
		{ X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL, 0 },         { X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL, 0 },
		{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL, 0 },         { X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL, 0 },
	};

	if (!reg)
		return REG_NONE;
	if (reg == X86_REG_RIP || reg == X86_REG_EIP)
		return REG_RIP;
	for (uint8_t i = 0; i < 8; i++)
		for (unsigned k = 0; k < 5; k++)
			if (legacy[i][k] == reg)
				return i;
	if (reg >= X86_REG_R8 && reg <= X86_REG_R15)
		return (uint8_t)(8 + reg - X86_REG_R8);
	if (reg >= X86_REG_R8B && reg <= X86_REG_R15B)
		return (uint8_t)(8 + reg - X86_REG_R8B);
	if (reg >= X86_REG_R8D && reg <= X86_REG_R15D)
		return (uint8_t)(8 + reg - X86_REG_R8D);
	if (reg >= X86_REG_R8W && reg <= X86_REG_R15W)
		return (uint8_t)(8 + reg - X86_REG_R8W);
	return REG_NONE;
}

static bool is_vector(unsigned reg)
{
	return (reg >= X86_REG_XMM0 && reg <= X86_REG_XMM31) || (reg >= X86_REG_YMM0 && reg <= X86_REG_YMM31) ||
	       (reg >= X86_REG_ZMM0 && reg <= X86_REG_ZMM31) || (reg >= X86_REG_MM0 && reg <= X86_REG_MM7);
}

/* ---- memory ---- */

/* Instructions whose first operand is only read; all others that have memory there write it. What Capstone says of accesses is not
 * used for this: its tables have gaps, and a gap must not hide a store. */
static bool only_reads(const cs_insn *i)
{
	static const char *const names[] = {
		"cmp", "test", "bt", "push", "call", "lcall", "jmp", "ljmp", "nop", "mul", "imul", "div", "idiv", "cmpsb", "cmpsw", "cmpsd",
		"cmpsq", "scasb", "scasw", "scasd", "scasq", "ldmxcsr", "vldmxcsr", "fld", "fild", "fbld", "fldcw", "fldenv", "frstor",
		"fxrstor", "fxrstor64", "xrstor", "xrstor64", "xrstors", "xrstors64", "clflush", "clflushopt", "clwb", "cldemote", "verr", "verw",
		"lgdt", "lidt", "lldt", "lmsw", "ltr", "invlpg", "fadd", "fsub", "fsubr", "fmul", "fdiv", "fdivr", "fiadd", "fisub", "fisubr",
		"fimul", "fidiv", "fidivr", "fcom", "fcomp", "ficom", "ficomp", "outsb", "outsw", "outsd", "vmptrld", "vmclear", "wrfsbase",
	};

	if (!strncmp(i->mnemonic, "prefetch", 8))
		return true;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		const char *mnemonic = strrchr(i->mnemonic, ' '); /* behind "lock", "bnd" */

		if (!strcmp(mnemonic ? mnemonic + 1 : i->mnemonic, names[k]))
			return true;
	}
	return false;
}

/* Reads its first operand, and writes it. */
static bool updates(const cs_insn *i)
{
	static const char *const names[] = {
		"add", "adc", "sub", "sbb", "and", "or", "xor", "inc", "dec", "neg", "not", "shl", "sal", "shr", "sar", "shld", "shrd", "rol", "ror",
		"rcl", "rcr", "bts", "btr", "btc", "xadd", "xchg", "cmpxchg", "cmpxchg8b", "cmpxchg16b",
	};
	const char *mnemonic = strrchr(i->mnemonic, ' ');

	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		if (!strcmp(mnemonic ? mnemonic + 1 : i->mnemonic, names[k]))
			return true;
	return false;
}

static void memory_of(const cs_insn *i, unsigned n, struct step *step)
{
	const cs_x86_op *op = &i->detail->x86.operands[n];
	bool exchange = step->kind == STEP_EXCHANGE;

	if (op->mem.segment == X86_REG_FS || op->mem.segment == X86_REG_GS)
		return;
	step->memory = (struct place){ .is_there = true, .base = number_of(op->mem.base), .index = number_of(op->mem.index), .size = op->size,
				       .displacement = op->mem.disp };
	if (op->mem.base && step->memory.base == REG_NONE)
		step->memory.index = REG_NONE - 1; /* a vector of addresses: unknown */
	step->memory.written = exchange || (n == 0 && step->kind != STEP_LEA && !only_reads(i));
	step->memory.read = exchange || n || (step->memory.written && updates(i));
}

/* ---- kinds ---- */

static enum step_kind kind_of(const cs_insn *i)
{
	const cs_x86_op *op = i->detail->x86.operands;

	switch (i->id) {
	case X86_INS_MOV: case X86_INS_MOVABS: return STEP_MOVE;
	case X86_INS_LEA: return STEP_LEA;
	case X86_INS_ADD: return STEP_ADD;
	case X86_INS_SUB: return STEP_SUB;
	case X86_INS_PUSH: return STEP_PUSH;
	case X86_INS_POP: return STEP_POP;
	case X86_INS_CALL: return STEP_CALL;
	case X86_INS_JMP: return STEP_JUMP;
	case X86_INS_RET: return STEP_RETURN;
	case X86_INS_XCHG: return STEP_EXCHANGE;
	case X86_INS_LEAVE: return STEP_LEAVE;
	case X86_INS_MOVSB: case X86_INS_MOVSW: case X86_INS_MOVSQ: case X86_INS_STOSB: case X86_INS_STOSW: case X86_INS_STOSD:
	case X86_INS_STOSQ: return STEP_STRING;
	case X86_INS_MOVSD: /* the string instruction has no vector register, and two operands in memory */
		return op[0].type == X86_OP_MEM && op[1].type == X86_OP_MEM ? STEP_STRING : STEP_OTHER;
	default: break;
	}
	if (!strncmp(i->mnemonic, "cmov", 4))
		return STEP_CHOOSE;
	if (cs_insn_group(handle(), i, CS_GRP_JUMP) || !strncmp(i->mnemonic, "loop", 4) || !strncmp(i->mnemonic, "xbegin", 6))
		return STEP_BRANCH;
	if (!strcmp(i->mnemonic, "ud2") || !strcmp(i->mnemonic, "hlt"))
		return STEP_STOP;
	return STEP_OTHER;
}

/* A place in code that a relocation fills with an address; without relocations, what looks like one in code that is loaded there. */
static bool is_address(const struct subject *s, uint64_t place, uint64_t value)
{
	const struct image *image = s->model->image;
	size_t index;

	if (s->model->has_relocs)
		return is_number_in(s->absolute, s->absolute_count, place, &index);
	return image->relocs.type == ET_EXEC && marked_at(s, value);
}

static void operands_of(const struct subject *s, const cs_insn *i, struct step *step)
{
	const cs_x86 *x86 = &i->detail->x86;
	bool vector = false;

	for (unsigned n = 0; n < x86->op_count && n < 4; n++) {
		const cs_x86_op *op = &x86->operands[n];

		if (op->type == X86_OP_MEM && !step->memory.is_there) {
			memory_of(i, n, step);
		} else if (op->type == X86_OP_IMM) {
			step->has_number = true;
			step->number = op->imm;
		} else if (op->type == X86_OP_REG) {
			vector |= is_vector(op->reg);
			if (n == 0)
				step->to = number_of(op->reg);
			else
				step->from = number_of(op->reg);
		}
	}
	if (x86->op_count)
		step->width = x86->operands[0].size;
	if (x86->op_count == 1 && step->kind == STEP_PUSH)
		step->from = step->to;
	step->vector = step->memory.written && (vector || step->memory.size > 8);
	step->to_vector = x86->op_count && x86->operands[0].type == X86_OP_REG && is_vector(x86->operands[0].reg) && step->from != REG_NONE;
	if (step->has_number && x86->encoding.imm_offset)
		step->is_address = is_address(s, i->address + x86->encoding.imm_offset, (uint64_t)step->number);
	if (step->memory.is_there && x86->encoding.disp_offset && step->memory.base != REG_RIP)
		step->memory.is_absolute = is_address(s, i->address + x86->encoding.disp_offset, (uint64_t)step->memory.displacement);
}

static void clobbers_of(const cs_insn *i, struct step *step)
{
	cs_regs read, written;
	uint8_t reads, writes;

	if (cs_regs_access(handle(), i, read, &reads, written, &writes) == CS_ERR_OK)
		for (unsigned n = 0; n < writes; n++)
			if (number_of(written[n]) < 16)
				step->clobbers |= 1u << number_of(written[n]);
	/* As with memory: what stands first is taken to be written. */
	if (step->to < 16 && !only_reads(i) && i->detail->x86.op_count && i->detail->x86.operands[0].type == X86_OP_REG)
		step->clobbers |= 1u << step->to;
}

/* Newer than the disassembler: its length, and where it is relative to itself, are known. */
static void decode_unknown(const struct subject *s, uint64_t address, struct step *step)
{
	struct rl_insn insn;
	size_t length = insn_at(s->model, address, &insn);
	const uint8_t *operand = length ? model_bytes(s->model, address + insn.operand, 4) : NULL;

	step->kind = STEP_UNKNOWN;
	step->clobbers = 0xffff;
	if (!length)
		return;
	step->length = (uint8_t)length;
	if (insn.size == 4 && !insn.branch && operand)
		step->memory = (struct place){ .is_there = true, .base = REG_RIP, .index = REG_NONE, .displacement = (int32_t)get32(operand) };
}

void step_decode(const struct subject *s, uint64_t address, struct step *step)
{
	size_t room = model_bytes_from(s->model, address);
	const uint8_t *bytes = room ? model_bytes(s->model, address, 1) : NULL;
	cs_insn *i;

	*step = (struct step){ .address = address, .length = 1, .to = REG_NONE, .from = REG_NONE };
	if (!bytes || !handle() || cs_disasm(handle(), bytes, room < INSN_MAX ? room : INSN_MAX, address, 1, &i) != 1) {
		decode_unknown(s, address, step);
		return;
	}
	step->length = (uint8_t)i->size;
	step->kind = kind_of(i);
	operands_of(s, i, step);
	clobbers_of(i, step);
	if ((step->kind == STEP_CALL || step->kind == STEP_JUMP || step->kind == STEP_BRANCH) && step->has_number)
		step->target = (uint64_t)step->number;
	cs_free(i, 1);
}
