/* SPDX-License-Identifier: MIT */
/*
 * x86_64.c - bindings and bytes of x86-64.
 *
 *	              RL_HOME    RL_FUNCTION   RL_NOTHING   RL_CONSTANT                           RL_IDENTITY
 *	RL_CALL       e8 rel32   e8 rel32      a9 ....      b8 imm32, or e8 rel32 if that is short  66 66 48 89 f8
 *	RL_TAIL       e9 rel32   e9 rel32      c3 ....      e9 rel32                              e9 rel32
 *	RL_JCC        0f 8x rel  0f 8x rel     leads home   0f 8x rel                             0f 8x rel
 *	RL_TRAMPOLINE a9 ....    e9 rel32      c3 ....      e9 rel32                              e9 rel32
 *
 *	RL_POINTER_CALL ff 15 disp32    67 e8 rel32     (all others as their function)
 *	RL_POINTER_TAIL ff 25 disp32    67 e9 rel32
 *
 * and an RL_BRANCH is a9 (falls through) or e9 (jumps). "...." is an operand that nobody reads: encode keeps what is there,
 * so that such a change is one byte and the way back is often one byte too. A branch's operand is never ignored, since
 * its next e9 needs it.
 *
 * a9 is `test $imm32,%eax`: as long as the call or jump it stands for, and changes only flags, which nobody expects to
 * survive either. A prefix in front of an opcode (67 from the linker, f2, 3e) belongs to the instruction but not to the
 * site, and means nothing to any of the opcodes above. Only a REX prefix would (ld -z call-nop=prefix-0x48): nobody uses it.
 * That is why the identity is `mov %rdi,%rax` behind two 66, which its REX.W overrides, and not the lea of the same length:
 * a 67 in front of `lea 0(%rdi),%rax` cuts the result to 32 bits.
 *
 * A call through a pointer has six bytes, and only one instruction of six bytes can take its place while threads run: 67 in front
 * of a direct call changes the size of addresses, of which that has none. Linkers relax calls through the GOT to the same.
 */
#include "arch/port.h"
#include "arch/x86_64_decode.h"
#include "arch/x86_64_scan.h"

enum {
	DATA16 = 0x66,
	ADDR32 = 0x67,
	TEST = 0xa9,
	MOV = 0xb8,
	RET = 0xc3,
	CALL = 0xe8,
	JMP = 0xe9,
	INT3 = 0xcc,
	NOP = 0x90,
	DS = 0x3e,   /* a prefix that means nothing in 64-bit code */
	LOCK = 0xf0,
	EM_X86_64 = 62,
};

enum { CARRY = 0x1, PARITY = 0x4, ZERO = 0x40, SIGN = 0x80, OVERFLOW = 0x800 };

static const uint8_t length[RL_KINDS] = { [RL_BRANCH] = 5, [RL_CALL] = 5, [RL_TAIL] = 5, [RL_JCC] = 6, [RL_TRAMPOLINE] = 5,
					  [RL_POINTER_CALL] = 6, [RL_POINTER_TAIL] = 6 };
static const uint8_t identity[] = { DATA16, DATA16, 0x48, 0x89, 0xf8 }; /* mov %rdi,%rax */

static uint32_t load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* Where a rel32 leads; it counts from its own end, which is the end of every instruction here. */
static uint64_t relative(const uint8_t *rel32, uint64_t address)
{
	return address + 4 + (((uint64_t)load32(rel32) ^ 0x80000000u) - 0x80000000u);
}

static bool is_jcc(const uint8_t *bytes)
{
	return bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80;
}

static bool is_identity(const uint8_t *bytes)
{
	for (unsigned i = 0; i < sizeof(identity); i++)
		if (bytes[i] != identity[i])
			return false;
	return true;
}

static bool is_pointer(enum rl_kind kind)
{
	return kind == RL_POINTER_CALL || kind == RL_POINTER_TAIL;
}

/* call or jmp *disp32(%rip) */
static bool goes_through(enum rl_kind kind, const uint8_t *bytes)
{
	return bytes[0] == 0xff && bytes[1] == (kind == RL_POINTER_CALL ? 0x15 : 0x25);
}

static bool is_prefixed(enum rl_kind kind, const uint8_t *bytes)
{
	return bytes[0] == ADDR32 && bytes[1] == (kind == RL_POINTER_CALL ? CALL : JMP);
}

/* Is this an instruction that a site of this kind can have? */
static bool is_ours(enum rl_kind kind, const uint8_t *bytes)
{
	switch (kind) {
	case RL_BRANCH:
		return bytes[0] == TEST || bytes[0] == JMP;
	case RL_CALL:
		return bytes[0] == CALL || bytes[0] == TEST || bytes[0] == MOV || is_identity(bytes);
	case RL_TAIL:
		return bytes[0] == JMP || bytes[0] == RET;
	case RL_JCC:
		return is_jcc(bytes);
	case RL_TRAMPOLINE:
		return bytes[0] == JMP || bytes[0] == TEST || bytes[0] == RET;
	case RL_POINTER_CALL:
	case RL_POINTER_TAIL:
		return goes_through(kind, bytes) || is_prefixed(kind, bytes);
	default:
		return false;
	}
}

static bool ignores_operand(enum rl_kind kind, uint8_t opcode)
{
	if (opcode == RET)
		return kind == RL_TAIL || kind == RL_TRAMPOLINE;
	return opcode == TEST && (kind == RL_CALL || kind == RL_TRAMPOLINE);
}

/* Lets a call kind go to `target`. False, and nothing written: out of reach. */
static bool lead_to(enum rl_kind kind, uint64_t address, uint64_t target, uint8_t *out)
{
	uint64_t distance = target - (address + length[kind]);

	if (distance + 0x80000000u > UINT32_MAX)
		return false;
	if (is_pointer(kind)) {
		out[0] = ADDR32;
		out[1] = kind == RL_POINTER_CALL ? CALL : JMP;
	} else if (kind != RL_JCC) {
		out[0] = kind == RL_CALL ? CALL : JMP;
	}
	store32(out + length[kind] - 4, (uint32_t)distance);
	return true;
}

static bool lead_home(enum rl_kind kind, uint64_t address, uint64_t home, uint8_t *out)
{
	if (is_pointer(kind)) {
		if (!lead_to(kind, address, home, out))
			return false;
		out[0] = 0xff;
		out[1] = kind == RL_POINTER_CALL ? 0x15 : 0x25;
		return true;
	}
	if (kind != RL_TRAMPOLINE)
		return lead_to(kind, address, home, out);
	out[0] = TEST;
	return true;
}

static enum rl_fit do_nothing(enum rl_kind kind, uint8_t *out)
{
	if (kind == RL_JCC)
		return RL_FITS_NOT;
	out[0] = kind == RL_CALL ? TEST : RET;
	return RL_FITS;
}

/* b8 clears the upper half of %rax, so it can be any value that has none, and any narrow one. */
static bool load_constant(enum rl_kind kind, const struct rl_want *want, uint8_t *out)
{
	if (kind != RL_CALL || (!want->narrow && want->constant > UINT32_MAX))
		return false;
	out[0] = MOV;
	store32(out + 1, (uint32_t)want->constant);
	return true;
}

static bool copy_argument(enum rl_kind kind, uint8_t *out)
{
	for (unsigned i = 0; kind == RL_CALL && i < sizeof(identity); i++)
		out[i] = identity[i];
	return kind == RL_CALL;
}

/* Writes what a call kind needs for a wish. Unless the answer is RL_FITS nothing is written. */
static enum rl_fit encode_call(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want, uint8_t *out)
{
	switch (want->what) {
	case RL_FALL:
	case RL_JUMP:
		return RL_FITS_NOT;
	case RL_HOME:
		return lead_home(kind, address, home, out) ? RL_FITS : RL_TOO_FAR;
	case RL_NOTHING:
		return do_nothing(kind, out);
	case RL_CONSTANT:
		if (load_constant(kind, want, out))
			return RL_FITS;
		break;
	case RL_IDENTITY:
		if (copy_argument(kind, out))
			return RL_FITS;
		break;
	case RL_FUNCTION:
		break;
	}
	return lead_to(kind, address, want->address, out) ? RL_FITS : RL_TOO_FAR;
}

static enum rl_fit encode_branch(const struct rl_want *want, uint8_t *out)
{
	if (want->what != RL_FALL && want->what != RL_JUMP)
		return RL_FITS_NOT;
	out[0] = want->what == RL_JUMP ? JMP : TEST;
	return RL_FITS;
}

/* What is not a function is left to the pointer, which leads to one that does the same. A NULL pointer is the caller's to test. */
static enum rl_fit encode_pointer(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want, uint8_t *out)
{
	if (want->what == RL_HOME)
		return lead_home(kind, address, home, out) ? RL_FITS : RL_TOO_FAR;
	if (want->what == RL_FALL || want->what == RL_JUMP || !want->address)
		return RL_FITS_NOT;
	return lead_to(kind, address, want->address, out) ? RL_FITS : RL_TOO_FAR;
}

/* Turns the bytes in `out` into those for the wish, or into those that lead home. False: neither, `out` is as before. */
static bool rewrite(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want,
		    uint8_t *out, enum rl_fit *fit)
{
	if (kind == RL_BRANCH) {
		*fit = encode_branch(want, out);
		return *fit == RL_FITS;
	}
	*fit = is_pointer(kind) ? encode_pointer(kind, address, home, want, out) : encode_call(kind, address, home, want, out);
	if (*fit == RL_FITS || lead_home(kind, address, home, out))
		return true;
	*fit = RL_TOO_FAR;
	return false;
}

/* The loop's length is constant so that compilers don't make it a call of memcpy, which may not be there. */
static void copy(enum rl_kind kind, const uint8_t *from, uint8_t *to)
{
	for (unsigned i = 0; i < 5; i++)
		to[i] = from[i];
	if (length[kind] > 5)
		to[5] = from[5];
}

static enum rl_fit encode(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want,
			  const uint8_t *old, uint8_t *out)
{
	enum rl_fit fit;

	copy(kind, old, out);
	rewrite(kind, address, home, want, out, &fit);
	return fit;
}

/* Rewriting keeps operands that nobody reads: bytes express a wish exactly if rewriting them for it changes nothing. */
static bool expresses(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want, const uint8_t *bytes)
{
	uint8_t out[RL_SITE_MAX];
	enum rl_fit fit;

	if (!is_ours(kind, bytes))
		return false;
	copy(kind, bytes, out);
	if (!rewrite(kind, address, home, want, out, &fit))
		return false;
	for (unsigned i = 0; i < length[kind]; i++)
		if (out[i] != bytes[i])
			return false;
	return true;
}

/*
 * One byte is always safe to store. Where the new instruction ignores its operand the opcode is all that counts,
 * even if operands differ (a rollback of RL_OPERAND_FIRST does). Where the old one ignores it, the operand can be
 * prepared in pieces behind the old opcode's back.
 */
static enum rl_change classify(enum rl_kind kind, uint64_t address, const uint8_t *old, const uint8_t *out)
{
	size_t first = 0, end = length[kind];

	while (end && old[end - 1] == out[end - 1])
		end--;
	if (!end)
		return RL_SAME;
	while (old[first] == out[first])
		first++;
	if (ignores_operand(kind, out[0]))
		return first ? RL_SAME : RL_OPCODE;
	if (end == 1)
		return RL_OPCODE;
	if (ignores_operand(kind, old[0]))
		return RL_OPERAND_FIRST;
	if (kind == RL_TRAMPOLINE && old[0] == JMP)
		return RL_DETOUR;
	return (address + first) >> 3 == (address + end - 1) >> 3 ? RL_STORE : RL_SPLIT;
}

static bool found_at(struct rl_found *found, enum rl_kind kind, uint64_t address, uint64_t target, bool via_slot)
{
	*found = (struct rl_found){ .kind = kind, .address = address, .target = target, .via_slot = via_slot };
	return true;
}

/*
 * What linkers leave at a kept relocation (--emit-relocs; bfd 2.40, gold 1.16, lld 14, mold 1.10; "|" is the place):
 *
 *	call f@PLT                  e8 | rel32
 *	jmp f@PLT                   e9 | rel32
 *	jne f@PLT                   0f 85 | rel32
 *	call *f@GOTPCREL(%rip)      ff 15 | disp32
 *	    relaxed by bfd, PC32                67 e8 | rel32      (-z call-nop=suffix-..: e8 | rel32 nop)
 *	    relaxed by gold, lld, GOTPCRELX     67 e8 | rel32
 *	    relaxed by mold, GOTPCRELX          90 e8 | rel32
 *	jmp *f@GOTPCREL(%rip)       ff 25 | disp32
 *	    relaxed by bfd, PC32                e9 | rel32 90      (moves the place, too)
 *	    relaxed by gold, lld, GOTPCRELX     e9 rel8 | rel24 90 (the place stays: one byte into the operand)
 *	    relaxed by mold, GOTPCRELX          90 e9 | rel32
 *
 * The opcode in front of the place tells all of these apart but the one whose operand straddles the place: its lowest
 * byte may look like e8 or e9. It is tried first, since a true e8 or e9 with 90 at the end of its operand leads 1.7 GiB back,
 * out of almost every module. The target remains the proof, and callers compare it: lld also turns
 * `sub f@GOTPCREL(%rip),%rax` into 48 81 e8 | imm32, which looks like a call to somewhere else.
 */
static bool recognise(const uint8_t *window, size_t before, size_t count, uint64_t place, struct rl_found *found)
{
	const uint8_t *field;
	uint8_t first, last; /* the two bytes in front of the place */

	if (!before || before > count || count - before < 4)
		return false;
	field = window + before;
	first = before > 1 ? field[-2] : 0;
	last = field[-1];
	if (first == JMP && field[3] == NOP)
		return found_at(found, RL_TAIL, place - 2, relative(field - 1, place - 1), false);
	if (before > 1 && is_jcc(field - 2))
		return found_at(found, RL_JCC, place - 2, relative(field, place), false);
	if (last == CALL || last == JMP)
		return found_at(found, last == CALL ? RL_CALL : RL_TAIL, place - 1, relative(field, place), false);
	if (first == 0xff && (last == 0x15 || last == 0x25))
		return found_at(found, last == 0x15 ? RL_CALL : RL_TAIL, place - 2, relative(field, place), true);
	return false;
}

/*
 * The bytes in front of a 32-bit displacement are the ModRM byte, and a SIB byte if that says so, behind the opcode. Opcodes
 * of two bytes end in none of these, but for conditional jumps (0f 8x), which have no ModRM byte.
 */
static bool is_far_use(uint8_t opcode, uint8_t modrm, enum rl_use *use)
{
	uint8_t reg = modrm >> 3 & 7;

	if (opcode == 0xff && (reg == 2 || reg == 4))
		*use = reg == 2 ? RL_USE_CALL : RL_USE_TAIL;
	else if (opcode == 0x8b)
		*use = RL_USE_LOAD;
	else if (opcode == 0x8d)
		*use = RL_USE_ADDRESS;
	else
		return false;
	return true;
}

/* disp32(%rip) */
static bool refer_relative(const uint8_t *field, uint64_t place, struct rl_reference *reference)
{
	if ((field[-1] & 0xc7) != 0x05 || !is_far_use(field[-2], field[-1], &reference->use))
		return false;
	reference->target = relative(field, place);
	if (reference->use == RL_USE_CALL || reference->use == RL_USE_TAIL)
		reference->address = place - 2;
	return true;
}

/* disp32, disp32(,%index,scale), disp32(%base): of code that is linked to where it runs */
static bool refer_absolute(const uint8_t *field, struct rl_reference *reference)
{
	bool plain = field[-2] >> 6 == 0 && (field[-2] & 7) == 4 && field[-1] == 0x25;
	bool sib = (field[-2] & 0xc7) == 0x04 && (field[-1] & 7) == 5, base = (field[-1] & 0xc0) == 0x80 && (field[-1] & 7) != 4;

	if (!(sib && is_far_use(field[-3], field[-2], &reference->use)) && !(base && is_far_use(field[-2], field[-1], &reference->use)))
		return false;
	/* A call that is longer than a site is none. */
	if (!plain || reference->use != RL_USE_LOAD)
		reference->use = RL_USE_ADDRESS;
	reference->target = ((uint64_t)load32(field) ^ 0x80000000u) - 0x80000000u;
	return true;
}

static void refer(const uint8_t *window, size_t before, size_t count, uint64_t place, struct rl_reference *reference)
{
	*reference = (struct rl_reference){ RL_USE_OTHER, place, 0 };
	if (before < 3 || before > count || count - before < 4)
		return;
	if (!refer_relative(window + before, place, reference) && !refer_absolute(window + before, reference))
		reference->use = RL_USE_OTHER;
}

/* The offset behind these bytes if they are at offset `at`, otherwise `at` itself. */
static size_t skip(const uint8_t *bytes, size_t count, size_t at, const uint8_t *what, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (count - at <= i || bytes[at + i] != what[i])
			return at;
	return at + size;
}

static size_t skip_endbr64(const uint8_t *bytes, size_t count)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return skip(bytes, count, 0, endbr64, sizeof(endbr64));
}

/* Takes the slot from the disp32(%rip) at the end of the instruction at offset `at`, behind `opcode` bytes; 0: not this one. */
static bool take_slot(const uint8_t *bytes, size_t count, uint64_t address, size_t at, size_t opcode, uint64_t *slot)
{
	if (!opcode || count - at < opcode + 4)
		return false;
	*slot = relative(bytes + at + opcode, address + at + opcode);
	return true;
}

/* jmp *slot(%rip) at offset `at` */
static bool jumps_through(const uint8_t *bytes, size_t count, uint64_t address, size_t at, uint64_t *slot)
{
	static const uint8_t jmp[] = { 0xff, 0x25 };

	return take_slot(bytes, count, address, at, skip(bytes, count, at, jmp, sizeof(jmp)) - at, slot);
}

/* lld -z retpolineplt: mov slot(%rip),%r11; then call or jmp to the thunk that goes to %r11. */
static bool is_retpoline(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *slot)
{
	static const uint8_t mov[] = { 0x4c, 0x8b, 0x1d };

	if (count < 8 || (bytes[7] != CALL && bytes[7] != JMP))
		return false;
	return take_slot(bytes, count, address, 0, skip(bytes, count, 0, mov, sizeof(mov)), slot);
}

/*
 * bfd and gold     [endbr64] [bnd] jmp *slot(%rip), in .plt, .plt.got and .plt.sec
 * lld              [endbr64] jmp *slot(%rip), or the retpoline above
 * mold             [endbr64] [mov $index,%r11d] jmp *slot(%rip)
 */
static bool plt_slot(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *slot)
{
	static const uint8_t mov[] = { 0x41, 0xbb }, bnd[] = { 0xf2 };
	size_t start = skip_endbr64(bytes, count);
	size_t at = skip(bytes, count, start, mov, sizeof(mov));

	if (at != start) {
		if (count - at < 4)
			return false;
		at += 4;
	}
	at = skip(bytes, count, at, bnd, sizeof(bnd));
	return jumps_through(bytes, count, address, at, slot) || is_retpoline(bytes, count, address, slot);
}

static bool call_at(const uint8_t *bytes, size_t count, uint64_t address, struct rl_found *found)
{
	if (count >= 5 && (bytes[0] == CALL || bytes[0] == JMP))
		return found_at(found, bytes[0] == CALL ? RL_CALL : RL_TAIL, address, relative(bytes + 1, address + 1), false);
	if (count >= 6 && bytes[0] == 0xff && (bytes[1] == 0x15 || bytes[1] == 0x25))
		return found_at(found, bytes[1] == 0x15 ? RL_POINTER_CALL : RL_POINTER_TAIL, address, relative(bytes + 2, address + 2), true);
	if (count >= 6 && bytes[0] == ADDR32 && (bytes[1] == CALL || bytes[1] == JMP))
		return found_at(found, bytes[1] == CALL ? RL_POINTER_CALL : RL_POINTER_TAIL, address, relative(bytes + 2, address + 2),
				false);
	return false;
}

/*
 * What linkers have behind a lazy stub's jump, or where all of them come together:
 *
 *	bfd, gold, lld   push $index; [bnd] jmp header      bfd's .plt.sec: the same behind an endbr64
 *	mold             the header itself: [endbr64]; push %r11; push GOT+8(%rip)
 *	any              the header itself: push GOT+8(%rip)
 */
static bool unfilled(const uint8_t *bytes, size_t count)
{
	static const uint8_t push_r11[] = { 0x41, 0x53 };
	size_t at = skip_endbr64(bytes, count);

	if (count - at >= 11 && bytes[at] == 0x68)
		return bytes[at + 5] == JMP || (bytes[at + 5] == 0xf2 && bytes[at + 6] == JMP);
	at = skip(bytes, count, at, push_r11, sizeof(push_r11));
	return count - at >= 6 && bytes[at] == 0xff && bytes[at + 1] == 0x35;
}

static bool unfilled_by_stub(const uint8_t *bytes, size_t count)
{
	size_t at = skip_endbr64(bytes, count);

	return unfilled(bytes, count) && bytes[at] != 0x68;
}

static bool trampoline(const uint8_t *bytes, size_t count, uint64_t address, size_t *opcode, uint64_t *slot)
{
	size_t at = skip_endbr64(bytes, count);

	if (count - at < 5 || !is_ours(RL_TRAMPOLINE, bytes + at))
		return false;
	if (!jumps_through(bytes, count, address, at + 5, slot))
		return false;
	*opcode = at;
	return true;
}

/* Does the condition in the low bits of a jcc's opcode hold? */
static bool holds(uint8_t opcode, uint64_t flags)
{
	bool less = !(flags & SIGN) != !(flags & OVERFLOW);
	bool yes;

	switch (opcode >> 1 & 7) {
	case 0: yes = flags & OVERFLOW; break;
	case 1: yes = flags & CARRY; break;
	case 2: yes = flags & ZERO; break;
	case 3: yes = flags & (CARRY | ZERO); break;
	case 4: yes = flags & SIGN; break;
	case 5: yes = flags & PARITY; break;
	case 6: yes = less; break;
	default: yes = less || (flags & ZERO); break;
	}
	return yes != (opcode & 1);
}

/* The flags that a9 would set are left alone: where it stands for a call nobody looks, and a branch promises nothing. */
static bool emulate(enum rl_kind kind, uint64_t address, const uint8_t *bytes, uint64_t flags, struct rl_effect *effect)
{
	uint64_t next = address + length[kind];

	if (!is_ours(kind, bytes))
		return false;
	*effect = (struct rl_effect){ .ip = next };
	if (kind == RL_JCC) {
		if (holds(bytes[1], flags))
			effect->ip = relative(bytes + 2, address + 2);
	} else if (is_pointer(kind)) {
		effect->ip = relative(bytes + 2, address + 2);
		effect->through = bytes[0] == 0xff;
		effect->push = kind == RL_POINTER_CALL;
		effect->value = effect->push ? next : 0;
	} else if (bytes[0] == RET) {
		effect->ip = 0;
		effect->pop = true;
	} else if (bytes[0] == MOV) {
		effect->set_result = true;
		effect->value = load32(bytes + 1);
	} else if (bytes[0] == DATA16) {
		effect->copy_argument = true;
	} else if (bytes[0] != TEST) {
		effect->ip = relative(bytes + 1, address + 1);
		effect->push = bytes[0] == CALL;
		effect->value = effect->push ? next : 0;
	}
	return true;
}

/* e8 rel32, or ff /2 with an operand of up to five bytes more */
static bool ends_with_call(const uint8_t *bytes, size_t count)
{
	const uint8_t *end = bytes + count;

	if (count >= 5 && end[-5] == CALL)
		return true;
	for (size_t i = 2; i <= 7 && i <= count; i++)
		if (end[-(ptrdiff_t)i] == 0xff && (end[1 - (ptrdiff_t)i] >> 3 & 7) == 2)
			return true;
	return false;
}

/* eb rel8, 7x rel8, e9 rel32, 0f 8x rel32 */
static size_t jump(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *target)
{
	if (count >= 2 && (bytes[0] == 0xeb || (bytes[0] & 0xf0) == 0x70)) {
		*target = address + 2 + (uint64_t)(int64_t)(int8_t)bytes[1];
		return 2;
	}
	if (count >= 5 && bytes[0] == JMP) {
		*target = relative(bytes + 1, address + 1);
		return 5;
	}
	if (count >= 6 && bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80) {
		*target = relative(bytes + 2, address + 2);
		return 6;
	}
	return 0;
}

static bool one_store(enum rl_kind kind, uint64_t address)
{
	/* A pointer's way back to its variable changes the opcode, too. */
	if (is_pointer(kind))
		return (address & 7) <= 2;
	return ((address + length[kind] - 4u) & 7) <= 4;
}

/* A loop that compilers don't make a call of memcpy, which may not be there. */
static void copy_bytes(const uint8_t *from, size_t count, uint8_t *to)
{
	for (size_t i = 0; i < count; i++) {
		to[i] = from[i];
		__asm__ volatile("" : : : "memory");
	}
}

/* Where the instruction's pc-relative operand points; `next` is the address behind the instruction. */
static uint64_t points_to(const uint8_t *bytes, const struct rl_insn *insn, uint64_t next)
{
	const uint8_t *operand = bytes + insn->operand;

	if (insn->size == 1)
		return next + (((uint64_t)operand[0] ^ 0x80) - 0x80);
	return relative(operand, next - 4);
}

/* Lets an instruction that ends at `next` point to `target`. False: it can't, or is a short branch, see port.h. */
static bool point_to(uint8_t *bytes, const struct rl_insn *insn, uint64_t next, uint64_t target)
{
	uint64_t distance = target - next;

	if (insn->size != 4 || distance + 0x80000000u > UINT32_MAX)
		return false;
	store32(bytes + insn->operand, (uint32_t)distance);
	return true;
}

static bool move(const uint8_t *bytes, size_t count, uint64_t from, uint64_t to, uint8_t *out)
{
	struct rl_insn insn;

	for (size_t at = 0, end; at < count; at = end) {
		uint64_t target;

		/* what disp32(%eip) points to has no distance that is the same everywhere */
		if (!rl_x86_64_length(bytes + at, count - at, &insn) || insn.narrow)
			return false;
		end = at + insn.length;
		target = insn.size ? points_to(bytes + at, &insn, from + end) : from;
		copy_bytes(bytes + at, insn.length, out + at);
		if (target - from > count && !point_to(out + at, &insn, to + end, target))
			return false;
	}
	return true;
}

/* The forms that both vendors' manuals recommend; longer ones cost more to decode than they save. */
static void pad(uint8_t *out, size_t count)
{
	static const uint8_t nops[][9] = {
		{ 0x90 },
		{ 0x66, 0x90 },
		{ 0x0f, 0x1f, 0x00 },
		{ 0x0f, 0x1f, 0x40, 0x00 },
		{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
		{ 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	};

	while (count) {
		size_t size = count < sizeof(nops[0]) ? count : sizeof(nops[0]);

		copy_bytes(nops[size - 1], size, out);
		out += size;
		count -= size;
	}
}

static bool boundary(const uint8_t *bytes, size_t count, size_t at)
{
	struct rl_insn insn;
	size_t start = 0;

	while (start < at && start < count && rl_x86_64_length(bytes + start, count - start, &insn))
		start += insn.length;
	return start == at;
}

const struct rl_port rl_port_x86_64 = {
	.name = "x86-64",
	.machine = EM_X86_64,
	.guard = INT3,
	.through = TEST,
	.flip = { TEST, JMP },
	.lock = { DS, LOCK },
	.length = { [RL_BRANCH] = 5, [RL_CALL] = 5, [RL_TAIL] = 5, [RL_JCC] = 6, [RL_TRAMPOLINE] = 5,
		    [RL_POINTER_CALL] = 6, [RL_POINTER_TAIL] = 6 },
	.encode = encode,
	.expresses = expresses,
	.one_store = one_store,
	.classify = classify,
	.recognise = recognise,
	.refer = refer,
	.plt_slot = plt_slot,
	.call_at = call_at,
	.unfilled = unfilled,
	.unfilled_by_stub = unfilled_by_stub,
	.trampoline = trampoline,
	.emulate = emulate,
	.move = move,
	.pad = pad,
	.boundary = boundary,
	.ends_with_call = ends_with_call,
	.jump = jump,
	.seek = rl_x86_64_seek,
	.looks_like = rl_x86_64_looks_like,
	.reach = rl_x86_64_reach,
};
