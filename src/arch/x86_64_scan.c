/* SPDX-License-Identifier: MIT */
/*
 * x86_64_scan.c - finds, in code that nobody has marked, what leads to given addresses.
 *
 * Two steps, since decoding everything takes longer than some programs run: all bytes are looked at as if a pc-relative operand
 * stood there, sixteen at a time; where one would lead to what is wanted, the function is decoded from its start, to see whether
 * there is such an instruction.
 */
#include "arch/x86_64_scan.h"

#include <string.h>

#include "arch/x86_64_decode.h"

enum { CALL = 0xe8, JMP = 0xe9, GROUP5 = 0xff, OPERAND = 4, LONGEST = 15 };

static uint32_t load32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint64_t load64(const uint8_t *bytes)
{
	return load32(bytes) | (uint64_t)load32(bytes + 4) << 32;
}

/* ---- lengths of the usual instructions ---- */

/*
 * What follows an opcode. XX: see rl_x86_64_length. PX: a prefix that does not change lengths, but for 66. Mn, In, Jn, Nn: with and
 * without ModRM, and bytes of an immediate; Z are four, and two behind 66. Gn: only two values of ModRM have the immediate. L, F and
 * A: some values are no instructions (lea of registers; group 5; mov). Behind 66, J is not what it is else, behind REX.W Q is not.
 */
enum {
	SIZE = 0x07, Z = 0x08, JUMP = 0x10, GROUP3 = 0x20, USUAL = 0x40, MODRM = 0x80, QUAD = 0x400,
	GROUP = 8, /* the number of a word in `assigned` begins at this bit */
	XX = 0, PX = 1,
	N0 = USUAL, I1, I2, I3, IZ = USUAL | Z | 4,
	J1 = USUAL | JUMP | 1, J4 = USUAL | JUMP | 4, QZ = USUAL | QUAD | Z | 4,
	M0 = USUAL | MODRM, M1, MZ = USUAL | MODRM | Z | 4,
	L0 = M0 | 1 << GROUP, F0 = M0 | 2 << GROUP, A1 = M1 | 3 << GROUP, AZ = MZ | 3 << GROUP,
	G1 = M1 | GROUP3, GZ = MZ | GROUP3,
};

/* Which of the values of ModRM, without its lowest three bits, are instructions. */
static const uint32_t assigned[4] = { 0xffffffff, 0x00ffffff, 0x57575757, 0x01010101 };

static const uint16_t usual[2][256] = {
{
	M0, M0, M0, M0, I1, IZ, XX, XX, M0, M0, M0, M0, I1, IZ, XX, XX, /* 00 */
	M0, M0, M0, M0, I1, IZ, XX, XX, M0, M0, M0, M0, I1, IZ, XX, XX, /* 10 */
	M0, M0, M0, M0, I1, IZ, PX, XX, M0, M0, M0, M0, I1, IZ, PX, XX, /* 20 */
	M0, M0, M0, M0, I1, IZ, PX, XX, M0, M0, M0, M0, I1, IZ, PX, XX, /* 30 */
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, /* 40 */
	N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, /* 50 */
	XX, XX, XX, M0, PX, PX, PX, XX, IZ, MZ, I1, M1, N0, N0, N0, N0, /* 60 */
	J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, J1, /* 70 */
	M1, MZ, XX, M1, M0, M0, M0, M0, M0, M0, M0, M0, M0, L0, M0, XX, /* 80 */
	N0, N0, N0, N0, N0, N0, N0, N0, N0, N0, XX, N0, N0, N0, N0, N0, /* 90 */
	XX, XX, XX, XX, N0, N0, N0, N0, I1, IZ, N0, N0, N0, N0, N0, N0, /* a0 */
	I1, I1, I1, I1, I1, I1, I1, I1, QZ, QZ, QZ, QZ, QZ, QZ, QZ, QZ, /* b0 */
	M1, M1, I2, N0, XX, XX, A1, AZ, I3, N0, I2, N0, N0, I1, XX, N0, /* c0 */
	M0, M0, M0, M0, XX, XX, XX, N0, M0, M0, M0, M0, M0, M0, M0, M0, /* d0 */
	J1, J1, J1, J1, I1, I1, I1, I1, J4, J4, XX, J1, N0, N0, N0, N0, /* e0 */
	PX, N0, PX, PX, N0, N0, G1, GZ, N0, N0, N0, N0, N0, N0, XX, F0, /* f0 */
},
{ /* behind 0f */
	M0, M0, M0, M0, XX, N0, N0, N0, N0, N0, XX, N0, XX, M0, N0, M1, /* 00 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* 10 */
	XX, XX, XX, XX, XX, XX, XX, XX, M0, M0, M0, M0, M0, M0, M0, M0, /* 20 */
	N0, N0, N0, N0, N0, N0, XX, N0, XX, XX, XX, XX, XX, XX, XX, XX, /* 30 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* 40 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* 50 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* 60 */
	M1, M1, M1, M1, M0, M0, M0, N0, XX, M0, XX, XX, M0, M0, M0, M0, /* 70 */
	J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, J4, /* 80 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* 90 */
	N0, N0, N0, M0, M1, M0, XX, XX, N0, N0, N0, M0, M1, M0, M0, M0, /* a0 */
	M0, M0, M0, M0, M0, M0, M0, M0, XX, M0, M1, M0, M0, M0, M0, M0, /* b0 */
	M0, M0, M1, M0, M1, M1, M1, M0, N0, N0, N0, N0, N0, N0, N0, N0, /* c0 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* d0 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, /* e0 */
	M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, M0, XX, /* f0 */
},
};

/* ModRM, SIB and displacement, but for the one that only SIB tells of. */
static const uint8_t modrm_size[4][8] = {
	{ 1, 1, 1, 1, 2, 5, 1, 1 },
	{ 2, 2, 2, 2, 3, 2, 2, 2 },
	{ 5, 5, 5, 5, 6, 5, 5, 5 },
	{ 1, 1, 1, 1, 1, 1, 1, 1 },
};

/* Takes prefixes off the front of `word`; how many there are, or more than fit. */
static size_t skip_prefixes(uint64_t *word, bool *data16)
{
	size_t count = 0;

	for (; usual[0][*word & 0xff] == PX && count < 4; *word >>= 8, count++)
		*data16 |= (*word & 0xff) == 0x66;
	return count;
}

/*
 * The length of a usual instruction, of which LONGEST bytes can be read; the first eight settle it. 0: it is another. Hardly a branch
 * depends on what code there is: which instruction follows another no processor guesses well.
 */
static inline size_t quick_length(const uint8_t *bytes)
{
	uint64_t word = load64(bytes);
	size_t count = 0, rex, escape, size;
	bool data16 = false, wide;
	unsigned form, modrm;

	if (usual[0][word & 0xff] == PX && (count = skip_prefixes(&word, &data16)) > 3)
		return 0;
	rex = (word & 0xf0) == 0x40;
	wide = rex & word >> 3;
	word >>= 8 * rex;
	escape = (word & 0xff) == 0x0f;
	word >>= 8 * escape;
	form = usual[escape][word & 0xff];
	modrm = word >> 8 & 0xff;
	size = form & GROUP3 && modrm & 0x30 ? 0 : form & SIZE;
	if (data16 && !wide) {
		if (form & JUMP)
			return 0;
		size -= form & Z && size ? 2 : 0;
	}
	if (!(form & USUAL) || (form & MODRM && !(assigned[form >> GROUP & 3] >> (modrm >> 3) & 1)) || (form & QUAD && wide))
		return 0;
	size += count + rex + escape + 1;
	size += modrm_size[modrm >> 6][modrm & 7] & -(size_t)(form >> 7 & 1);
	/* the SIB byte says: no base, but a displacement */
	return size + ((form & MODRM && (word & 0x07c700) == 0x050400) ? 4 : 0);
}

size_t rl_x86_64_skip(const uint8_t *bytes, size_t count)
{
	struct rl_insn insn;
	size_t length = count < LONGEST ? 0 : quick_length(bytes);

	return length ? length : rl_x86_64_length(bytes, count, &insn);
}

/* ---- operands ---- */

static uint64_t leads_to(const uint8_t *field, uint64_t address)
{
	return address + OPERAND + (((uint64_t)load32(field) ^ 0x80000000u) - 0x80000000u);
}

static bool is_in(uint64_t target, const struct rl_area areas[2])
{
	return target - areas[0].start < areas[0].size || target - areas[1].start < areas[1].size;
}

typedef uint32_t lanes __attribute__((vector_size(16)));

/* Might one of the sixteen operands that begin in these bytes lead there? `address` and areas are cut to 32 bits. */
static bool any_of_sixteen(const uint8_t *bytes, uint32_t address, const struct rl_area areas[2])
{
	lanes from = address + OPERAND + (lanes){ 0, 4, 8, 12 }, hits = { 0 };
	uint32_t first = (uint32_t)areas[0].start, second = (uint32_t)areas[1].start;
	uint32_t first_size = (uint32_t)areas[0].size, second_size = (uint32_t)areas[1].size;
	uint64_t halves[2];

	for (unsigned i = 0; i < 4; i++, from += 1) {
		lanes targets;

		memcpy(&targets, bytes + i, sizeof(targets));
		targets += from;
		hits |= (lanes)(targets - first < first_size) | (lanes)(targets - second < second_size);
	}
	memcpy(halves, &hits, sizeof(halves));
	return halves[0] | halves[1];
}

size_t rl_x86_64_seek(const uint8_t *bytes, size_t count, size_t from, uint64_t address, const struct rl_area areas[2],
		      uint64_t *target)
{
	/* areas of 4 GiB hold everything that can be reached, or a part of it */
	bool small = areas[0].size <= UINT32_MAX && areas[1].size <= UINT32_MAX;

	for (size_t at = from, stop; at + OPERAND <= count; at = stop) {
		bool whole = count - at >= 16 + OPERAND - 1;

		stop = whole ? at + 16 : count - OPERAND + 1;
		if (whole && small && !any_of_sixteen(bytes + at, (uint32_t)(address + at), areas))
			continue;
		for (; at < stop; at++) {
			*target = leads_to(bytes + at, address + at);
			if (is_in(*target, areas))
				return at;
		}
	}
	return count;
}

enum rl_kind rl_x86_64_looks_like(const uint8_t *bytes, size_t count, size_t field, size_t beyond)
{
	const uint8_t *end = bytes + field;

	if (field > count || count - field < OPERAND || !field)
		return RL_KINDS;
	if (!beyond && (end[-1] == CALL || end[-1] == JMP))
		return end[-1] == CALL ? RL_CALL : RL_TAIL;
	if (field < 2)
		return RL_KINDS;
	if (!beyond && end[-2] == 0x0f && (end[-1] & 0xf0) == 0x80)
		return RL_JCC;
	if (!beyond && end[-2] == GROUP5 && (end[-1] == 0x15 || end[-1] == 0x25))
		return end[-1] == 0x15 ? RL_POINTER_CALL : RL_POINTER_TAIL;
	if ((end[-1] & 0xc7) == 0x05 && (beyond < 3 || beyond == 4))
		return RL_POINTER_USE;
	return RL_KINDS;
}

/* ---- instructions ---- */

/*
 * What would be written for a pointer call, 67 and a direct call, has no memory to have a segment, and 66 gives it an operand of 16
 * bits on some processors, unless REX.W stands right in front, which it then does not.
 */
static bool minds_prefixes(enum rl_kind kind, const uint8_t *bytes, size_t count)
{
	if (kind != RL_POINTER_CALL && kind != RL_POINTER_TAIL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (bytes[i] == 0x64 || bytes[i] == 0x65 || bytes[i] == 0x66 || bytes[i] == 0xf0)
			return true;
	return false;
}

/* The instruction at `at` of which `field` is a part. */
static bool describe(const uint8_t *bytes, size_t count, uint64_t address, size_t at, size_t field, struct rl_lead *lead)
{
	struct rl_insn insn;
	size_t opcode;

	if (!rl_x86_64_length(bytes + at, count - at, &insn) || insn.size != OPERAND || at + insn.operand != field || insn.narrow)
		return false;
	lead->kind = rl_x86_64_looks_like(bytes + at, insn.length, insn.operand, insn.length - OPERAND - insn.operand);
	/* opcodes of other maps look like these, too */
	if (insn.branch && lead->kind != RL_CALL && lead->kind != RL_TAIL)
		lead->kind = RL_JCC;
	else if (!insn.branch && !(lead->kind == RL_POINTER_CALL && insn.call) && !(lead->kind == RL_POINTER_TAIL && insn.ends))
		lead->kind = RL_POINTER_USE;
	opcode = field - (lead->kind == RL_CALL || lead->kind == RL_TAIL ? 1 : 2);
	lead->address = address + opcode;
	lead->target = leads_to(bytes + field, address + at + insn.length - OPERAND);
	lead->fixed = minds_prefixes(lead->kind, bytes + at, opcode - at);
	return true;
}

enum rl_reach rl_x86_64_reach(const uint8_t *bytes, size_t count, uint64_t address, size_t *at, size_t field, struct rl_lead *lead)
{
	while (*at < field) {
		size_t length = rl_x86_64_skip(bytes + *at, count - *at);

		if (!length || *at + length > count)
			return RL_REACH_LOST;
		if (*at + length > field)
			return describe(bytes, count, address, *at, field, lead) ? RL_REACHED : RL_REACH_INSIDE;
		*at += length;
	}
	return RL_REACH_INSIDE;
}
