/* SPDX-License-Identifier: MIT */
/*
 * x86_64_decode.c - the length of instructions.
 *
 * An instruction is prefixes, an opcode in one of several maps, and what the opcode asks for: a ModRM byte with what that
 * asks for in turn, then an immediate. Two tables say what opcodes ask for, a letter each; the other maps are uniform.
 */
#include "arch/x86_64_decode.h"

#define LONGEST 15

/* Opcodes are told apart by their map, too: 0x0f84 is je. */
enum {
	LEA = 0x8d,
	POP = 0x8f,
	XABORT = 0xc6,
	XBEGIN = 0xc7, /* both are mov, too */
	CALL = 0xe8,
	GROUP4 = 0xfe, /* inc, dec */
	GROUP5 = 0xff, /* inc, dec, call, lcall, jmp, ljmp, push */
	POPCNT = 0x0fb8,
	VZERO = 0x77, /* behind VEX */
};

/* Maps by the numbers that VEX, EVEX (5 and 6) and XOP (8 to 10) give them. */
enum { MAP_0F = 1, MAP_0F38, MAP_0F3A, MAP_5 = 5, MAP_6, MAP_8 = 8, MAP_9, MAP_10 };

/*
 * What an opcode asks for:
 *
 *	-  no opcode             .  nothing
 *	m  ModRM                 r  ModRM that means registers, whatever it says
 *	b  ModRM, imm8           v  ModRM, immediate of the operand's size (16 or 32 bits)
 *	g  ModRM, imm8 for test  G  ModRM, immediate of the operand's size for test
 *	i  imm8                  z  immediate of the operand's size
 *	w  imm16                 q  the same, up to 64 bits
 *	e  imm16, imm8           a  address of 64 or 32 bits
 *	s  rel8                  l  rel32
 *	x  extrq, insertq: ModRM and twice imm8; without their prefixes vmread: ModRM
 *
 * Prefixes and escapes never come to be looked up.
 */
static const char one_byte[] =
	/* 0    4    8    c */
	"mmmm" "iz--" "mmmm" "iz--" /* 00 */
	"mmmm" "iz--" "mmmm" "iz--"
	"mmmm" "iz--" "mmmm" "iz--" /* 20 */
	"mmmm" "iz--" "mmmm" "iz--"
	"----" "----" "----" "----" /* 40: REX */
	"...." "...." "...." "...."
	"---m" "----" "zvib" "...." /* 60 */
	"ssss" "ssss" "ssss" "ssss"
	"bv-b" "mmmm" "mmmm" "mmmm" /* 80 */
	"...." "...." "..-." "...."
	"aaaa" "...." "iz.." "...." /* a0 */
	"iiii" "iiii" "qqqq" "qqqq"
	"bbw." "--bv" "e.w." ".i-." /* c0 */
	"mmmm" "---." "mmmm" "mmmm"
	"ssss" "iiii" "ll-s" "...." /* e0 */
	"-.--" "..gG" "...." "..mm";

static const char behind_0f[] =
	/* 0    4    8    c */
	"mmmm" "-..." "..-." "-m.b" /* 00 */
	"mmmm" "mmmm" "mmmm" "mmmm"
	"rrrr" "----" "mmmm" "mmmm" /* 20 */
	"...." "..-." "----" "----"
	"mmmm" "mmmm" "mmmm" "mmmm" /* 40 */
	"mmmm" "mmmm" "mmmm" "mmmm"
	"mmmm" "mmmm" "mmmm" "mmmm" /* 60 */
	"bbbb" "mmm." "xm--" "mmmm"
	"llll" "llll" "llll" "llll" /* 80 */
	"mmmm" "mmmm" "mmmm" "mmmm"
	"...m" "bm--" "...m" "bmmm" /* a0 */
	"mmmm" "mmmm" "mmbm" "mmmm"
	"mmbm" "bbbm" "...." "...." /* c0 */
	"mmmm" "mmmm" "mmmm" "mmmm"
	"mmmm" "mmmm" "mmmm" "mmmm" /* e0 */
	"mmmm" "mmmm" "mmmm" "mmm-";

struct decoder {
	const uint8_t *bytes;
	size_t count, at; /* `at` may pass `count`; that is looked at once, at the end */
	unsigned opcode;  /* one byte: 0xNN, behind 0f: 0x0fNN, behind VEX, EVEX and XOP: 0 */
	uint8_t rex;
	bool data16, address32, lock, repne, rep;
	struct rl_insn insn;
};

static uint8_t peek(const struct decoder *d)
{
	return d->at < d->count ? d->bytes[d->at] : 0;
}

static uint8_t next(struct decoder *d)
{
	uint8_t byte = peek(d);

	d->at++;
	return byte;
}

static bool skip(struct decoder *d, size_t size)
{
	d->at += size;
	return true;
}

static void relative_operand(struct decoder *d, uint8_t size)
{
	d->insn.operand = (uint8_t)d->at;
	d->insn.size = size;
	d->at += size;
}

/* Notes a legacy prefix. False: it is none. */
static bool is_prefix(struct decoder *d, uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: break;
	case 0x66: d->data16 = true; break;
	case 0x67: d->address32 = true; break;
	case 0xf0: d->lock = true; break;
	case 0xf2: d->repne = true; break;
	case 0xf3: d->rep = true; break;
	default: return false;
	}
	return true;
}

/* Takes the prefixes and returns the byte behind them. A REX prefix counts right in front of the opcode only. */
static uint8_t read_prefixes(struct decoder *d)
{
	for (;;) {
		uint8_t byte = next(d);

		if (byte >> 4 == 4)
			d->rex = byte;
		else if (is_prefix(d, byte))
			d->rex = 0;
		else
			return byte;
	}
}

/* Are operands 16 bits wide? 64 win over that. */
static bool is_word(const struct decoder *d)
{
	return d->data16 && !(d->rex & 8);
}

/* Behind VEX and EVEX: what follows the opcode is a matter of the map. */
static char read_vector_opcode(struct decoder *d, unsigned map, bool evex)
{
	uint8_t opcode = next(d);
	char form = behind_0f[opcode];

	switch (map) {
	case MAP_0F:
		if (opcode == VZERO && !evex)
			return '.';
		if (form == '.' || form == 'r' || form == 'l')
			return '-';
		return form == 'b' ? 'b' : 'm';
	case MAP_0F38:
		return 'm';
	case MAP_0F3A:
		return 'b';
	case MAP_5:
	case MAP_6:
		return evex ? 'm' : '-';
	}
	return '-';
}

static char read_xop_opcode(struct decoder *d, unsigned map)
{
	next(d);
	return map == MAP_8 ? 'b' : map == MAP_9 ? 'm' : map == MAP_10 ? 'v' : '-';
}

/* XOP shares its byte with a pop whose ModRM has no such map. */
static bool is_vector(const struct decoder *d, uint8_t byte)
{
	return byte == 0xc4 || byte == 0xc5 || byte == 0x62 || (byte == POP && (peek(d) & 0x1f) >= MAP_8);
}

/*
 * VEX is c5 P or c4 P P, EVEX 62 P P P, XOP 8f P P. The older prefixes in front are errors, and bits that other extensions
 * use are not ours.
 */
static char read_vector(struct decoder *d, uint8_t first)
{
	uint8_t p0, p1;

	if (d->rex || d->data16 || d->lock || d->repne || d->rep)
		return '-';
	p0 = next(d);
	if (first == 0xc5)
		return read_vector_opcode(d, MAP_0F, false);
	p1 = next(d);
	if (first == POP)
		return read_xop_opcode(d, p0 & 0x1f);
	if (first == 0xc4)
		return read_vector_opcode(d, p0 & 0x1f, false);
	next(d);
	if (p0 & 0x08 || !(p1 & 0x04))
		return '-';
	return read_vector_opcode(d, p0 & 0x07, true);
}

/* Takes the bytes up to the opcode and returns the letter of what it asks for. */
static char read_opcode(struct decoder *d)
{
	uint8_t byte = read_prefixes(d);

	if (is_vector(d, byte))
		return read_vector(d, byte);
	d->opcode = byte;
	if (byte != 0x0f)
		return one_byte[byte];
	byte = next(d);
	d->opcode = 0x0f00u | byte;
	if (byte == 0x38 || byte == 0x3a) {
		next(d);
		return byte == 0x38 ? 'm' : 'b';
	}
	return d->opcode == POPCNT && !d->rep ? '-' : behind_0f[byte];
}

/* Groups that have values without a meaning. */
static bool is_assigned(unsigned opcode, uint8_t modrm)
{
	unsigned reg = modrm >> 3 & 7;
	bool memory = modrm < 0xc0;

	switch (opcode) {
	case LEA:
		return memory;
	case POP:
		return reg == 0;
	case XABORT:
	case XBEGIN:
		return reg == 0 || modrm == 0xf8;
	case GROUP4:
		return reg < 2;
	case GROUP5:
		return reg < 7 && (memory || (reg != 3 && reg != 5));
	}
	return true;
}

static bool read_modrm(struct decoder *d)
{
	uint8_t modrm = next(d), mod = modrm >> 6, base = modrm & 7;

	if (!is_assigned(d->opcode, modrm))
		return false;
	if (d->opcode == GROUP5) {
		d->insn.call = (modrm >> 3 & 7) == 2 || (modrm >> 3 & 7) == 3;
		d->insn.ends = (modrm >> 3 & 7) == 4 || (modrm >> 3 & 7) == 5;
	}
	if (mod == 3)
		return true;
	if (mod == 0 && base == 5) {
		relative_operand(d, 4);
		d->insn.narrow = d->address32;
		return true;
	}
	if (base == 4)
		base = next(d) & 7;
	return skip(d, mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0);
}

/* One vendor's processors ignore an operand size of 16 bits here, the other's don't. */
static bool read_branch(struct decoder *d, uint8_t size)
{
	if (is_word(d))
		return false;
	relative_operand(d, size);
	d->insn.branch = true;
	d->insn.call = d->opcode == CALL;
	return true;
}

static bool read_operands(struct decoder *d, char form)
{
	uint8_t modrm = peek(d);
	bool test = (modrm >> 3 & 7) < 2;
	size_t size = is_word(d) ? 2 : 4;

	switch (form) {
	case '.': return true;
	case 'm': return read_modrm(d);
	case 'r': return skip(d, 1);
	case 'b': return read_modrm(d) && skip(d, 1);
	case 'v': return read_modrm(d) && (d->opcode == XBEGIN && modrm == 0xf8 ? read_branch(d, 4) : skip(d, size));
	case 'g': return read_modrm(d) && skip(d, test ? 1 : 0);
	case 'G': return read_modrm(d) && skip(d, test ? size : 0);
	case 'x': return read_modrm(d) && skip(d, d->data16 || d->repne ? 2 : 0);
	case 'i': return skip(d, 1);
	case 'w': return skip(d, 2);
	case 'e': return skip(d, 3);
	case 'z': return skip(d, size);
	case 'q': return skip(d, d->rex & 8 ? 8 : size);
	case 'a': return skip(d, d->address32 ? 4 : 8);
	case 's': return read_branch(d, 1);
	case 'l': return read_branch(d, 4);
	}
	return false;
}

/* Besides indirect jumps, which only their ModRM tells from calls. */
static bool ends_flow(unsigned opcode)
{
	switch (opcode) {
	case 0xc2: case 0xc3: case 0xca: case 0xcb: case 0xcf: /* ret, lret, iret */
	case 0xe9: case 0xeb:                                  /* jmp */
	case 0x0f07: case 0x0f35: case 0x0faa:                 /* sysret, sysexit, rsm */
	case 0x0f0b: case 0x0fb9:                              /* ud2, ud1 */
		return true;
	}
	return false;
}

size_t rl_x86_64_length(const uint8_t *bytes, size_t count, struct rl_insn *insn)
{
	struct decoder d = { .bytes = bytes, .count = count < LONGEST ? count : LONGEST };
	char form = read_opcode(&d);

	if (!read_operands(&d, form) || d.at > d.count)
		return 0;
	d.insn.ends |= ends_flow(d.opcode);
	d.insn.length = (uint8_t)d.at;
	*insn = d.insn;
	return d.at;
}
