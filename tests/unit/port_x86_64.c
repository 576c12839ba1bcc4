/* SPDX-License-Identifier: MIT */
/* The port of x86-64: what it encodes, whether that means what was wished, and whether threads survive the way there. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "port_check.h"
#include "relink/arch/x86_64.h"

#define GIB ((uint64_t)1 << 30)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct rl_port *const port = &rl_port_x86_64;

/* One instruction of each kind per opcode, operands 0. The last byte of a jcc's opcode is the condition. */
static const struct sample {
	enum rl_kind kind;
	uint8_t bytes[RL_SITE_MAX];
} samples[] = {
	{ RL_BRANCH, { 0xa9 } }, { RL_BRANCH, { 0xe9 } },
	{ RL_CALL, { 0xe8 } }, { RL_CALL, { 0xa9 } }, { RL_CALL, { 0xb8 } }, { RL_CALL, { 0x66, 0x66, 0x48, 0x89, 0xf8 } },
	{ RL_TAIL, { 0xe9 } }, { RL_TAIL, { 0xc3 } },
	{ RL_JCC, { 0x0f, 0x84 } }, { RL_JCC, { 0x0f, 0x8f } },
	{ RL_TRAMPOLINE, { 0xa9 } }, { RL_TRAMPOLINE, { 0xe9 } }, { RL_TRAMPOLINE, { 0xc3 } },
};

static const uint64_t bases[] = { 0x1000, 0x401000, 0x7f1234567000, 0xffffffff81000000 };

static void put32(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* The operand of a site of this kind. */
static uint8_t *operand(enum rl_kind kind, uint8_t *bytes)
{
	return bytes + port->length[kind] - 4;
}

/* ---- the tables of the port ---- */

static void test_description(void)
{
	check(port->machine == EM_X86_64, "machine is %u", port->machine);
	check(!strcmp(port->name, "x86-64"), "name is %s", port->name);
	check(port->guard == 0xcc && port->through == 0xa9, "guard %02x, through %02x", port->guard, port->through);
	check(port->flip[0] == 0xa9 && port->flip[1] == 0xe9, "flip is %s", hex(port->flip, 2));
	for (unsigned kind = 0; kind < 5; kind++)
		check(port->length[kind] == (kind == RL_JCC ? 6 : 5) && port->length[kind] <= RL_SITE_MAX,
		      "length of a %s is %u", kind_name[kind], port->length[kind]);
}

/* ---- encode: bytes, written down by hand ---- */

#define SITE 0x401003
#define HOME 0x402000
#define NEAR 0x403000
#define FAR (SITE + 4 * GIB)

static const struct encoding {
	enum rl_kind kind;
	struct rl_want want;
	uint64_t home;
	uint8_t old[6], bytes[6];
	enum rl_fit fit;
} encodings[] = {
	{ RL_BRANCH, { .what = RL_FALL }, 0, { 0xe9, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_FITS },
	{ RL_BRANCH, { .what = RL_JUMP }, 0, { 0xa9, 1, 2, 3, 4 }, { 0xe9, 1, 2, 3, 4 }, RL_FITS },
	{ RL_BRANCH, { .what = RL_JUMP }, 0, { 0xe9, 1, 2, 3, 4 }, { 0xe9, 1, 2, 3, 4 }, RL_FITS },
	{ RL_BRANCH, { .what = RL_NOTHING }, HOME, { 0xe9, 1, 2, 3, 4 }, { 0xe9, 1, 2, 3, 4 }, RL_FITS_NOT },
	{ RL_BRANCH, { .what = RL_FUNCTION, .address = NEAR }, HOME, { 0xa9, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_FITS_NOT },

	{ RL_CALL, { .what = RL_HOME }, HOME, { 0xa9, 1, 2, 3, 4 }, { 0xe8, 0xf8, 0x0f, 0, 0 }, RL_FITS },
	{ RL_CALL, { .what = RL_FUNCTION, .address = NEAR }, HOME, { 0xe8, 1, 2, 3, 4 }, { 0xe8, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_CALL, { .what = RL_FUNCTION, .address = SITE }, HOME, { 0xb8, 1, 2, 3, 4 },
	  { 0xe8, 0xfb, 0xff, 0xff, 0xff }, RL_FITS },
	{ RL_CALL, { .what = RL_FUNCTION, .address = FAR }, HOME, { 0xb8, 1, 2, 3, 4 }, { 0xe8, 0xf8, 0x0f, 0, 0 }, RL_TOO_FAR },
	{ RL_CALL, { .what = RL_NOTHING }, HOME, { 0xe8, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_FITS },
	{ RL_CALL, { .what = RL_CONSTANT, .address = NEAR, .constant = 0 }, HOME, { 0xe8, 1, 2, 3, 4 },
	  { 0xb8, 0, 0, 0, 0 }, RL_FITS },
	{ RL_CALL, { .what = RL_CONSTANT, .address = NEAR, .constant = 0xfedcba98 }, HOME, { 0xe8, 1, 2, 3, 4 },
	  { 0xb8, 0x98, 0xba, 0xdc, 0xfe }, RL_FITS },
	{ RL_CALL, { .what = RL_CONSTANT, .address = NEAR, .constant = 0x100000000 }, HOME, { 0xe8, 1, 2, 3, 4 },
	  { 0xe8, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_CALL, { .what = RL_CONSTANT, .narrow = true, .address = NEAR, .constant = UINT64_MAX }, HOME, { 0xe8, 1, 2, 3, 4 },
	  { 0xb8, 0xff, 0xff, 0xff, 0xff }, RL_FITS },
	{ RL_CALL, { .what = RL_CONSTANT, .address = FAR, .constant = UINT64_MAX }, HOME, { 0xe8, 1, 2, 3, 4 },
	  { 0xe8, 0xf8, 0x0f, 0, 0 }, RL_TOO_FAR },
	{ RL_CALL, { .what = RL_CONSTANT, .address = FAR, .constant = 7 }, FAR, { 0xe8, 1, 2, 3, 4 },
	  { 0xb8, 7, 0, 0, 0 }, RL_FITS },
	{ RL_CALL, { .what = RL_IDENTITY, .address = NEAR }, HOME, { 0xe8, 1, 2, 3, 4 }, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, RL_FITS },
	{ RL_CALL, { .what = RL_IDENTITY, .address = FAR }, FAR, { 0xa9, 1, 2, 3, 4 }, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, RL_FITS },
	{ RL_CALL, { .what = RL_FUNCTION, .address = NEAR }, HOME, { 0x66, 0x66, 0x48, 0x89, 0xf8 },
	  { 0xe8, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_CALL, { .what = RL_HOME }, FAR, { 0xb8, 1, 2, 3, 4 }, { 0xb8, 1, 2, 3, 4 }, RL_TOO_FAR },
	{ RL_CALL, { .what = RL_FUNCTION, .address = FAR }, FAR, { 0xa9, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_TOO_FAR },
	{ RL_CALL, { .what = RL_JUMP }, HOME, { 0xa9, 1, 2, 3, 4 }, { 0xe8, 0xf8, 0x0f, 0, 0 }, RL_FITS_NOT },

	{ RL_TAIL, { .what = RL_HOME }, HOME, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x0f, 0, 0 }, RL_FITS },
	{ RL_TAIL, { .what = RL_FUNCTION, .address = NEAR }, HOME, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_TAIL, { .what = RL_FUNCTION, .address = FAR }, HOME, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x0f, 0, 0 }, RL_TOO_FAR },
	{ RL_TAIL, { .what = RL_NOTHING }, HOME, { 0xe9, 1, 2, 3, 4 }, { 0xc3, 1, 2, 3, 4 }, RL_FITS },
	{ RL_TAIL, { .what = RL_CONSTANT, .address = NEAR, .constant = 7 }, HOME, { 0xe9, 1, 2, 3, 4 },
	  { 0xe9, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_TAIL, { .what = RL_IDENTITY, .address = NEAR }, HOME, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_TAIL, { .what = RL_IDENTITY, .address = FAR }, HOME, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x0f, 0, 0 }, RL_TOO_FAR },

	{ RL_JCC, { .what = RL_HOME }, HOME, { 0x0f, 0x84, 1, 2, 3, 4 }, { 0x0f, 0x84, 0xf7, 0x0f, 0, 0 }, RL_FITS },
	{ RL_JCC, { .what = RL_FUNCTION, .address = NEAR }, HOME, { 0x0f, 0x8f, 1, 2, 3, 4 },
	  { 0x0f, 0x8f, 0xf7, 0x1f, 0, 0 }, RL_FITS },
	{ RL_JCC, { .what = RL_FUNCTION, .address = FAR }, HOME, { 0x0f, 0x8f, 1, 2, 3, 4 },
	  { 0x0f, 0x8f, 0xf7, 0x0f, 0, 0 }, RL_TOO_FAR },
	{ RL_JCC, { .what = RL_NOTHING }, HOME, { 0x0f, 0x8a, 1, 2, 3, 4 }, { 0x0f, 0x8a, 0xf7, 0x0f, 0, 0 }, RL_FITS_NOT },
	{ RL_JCC, { .what = RL_NOTHING }, FAR, { 0x0f, 0x8a, 1, 2, 3, 4 }, { 0x0f, 0x8a, 1, 2, 3, 4 }, RL_TOO_FAR },
	{ RL_JCC, { .what = RL_CONSTANT, .address = NEAR, .constant = 7 }, HOME, { 0x0f, 0x80, 1, 2, 3, 4 },
	  { 0x0f, 0x80, 0xf7, 0x1f, 0, 0 }, RL_FITS },
	{ RL_JCC, { .what = RL_IDENTITY, .address = NEAR }, HOME, { 0x0f, 0x80, 1, 2, 3, 4 },
	  { 0x0f, 0x80, 0xf7, 0x1f, 0, 0 }, RL_FITS },

	{ RL_TRAMPOLINE, { .what = RL_HOME }, FAR, { 0xe9, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_FITS },
	{ RL_TRAMPOLINE, { .what = RL_FUNCTION, .address = NEAR }, 0, { 0xa9, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_TRAMPOLINE, { .what = RL_FUNCTION, .address = FAR }, 0, { 0xe9, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_TOO_FAR },
	{ RL_TRAMPOLINE, { .what = RL_NOTHING }, 0, { 0xe9, 1, 2, 3, 4 }, { 0xc3, 1, 2, 3, 4 }, RL_FITS },
	{ RL_TRAMPOLINE, { .what = RL_CONSTANT, .address = NEAR, .constant = 7 }, 0, { 0xa9, 1, 2, 3, 4 },
	  { 0xe9, 0xf8, 0x1f, 0, 0 }, RL_FITS },
	{ RL_TRAMPOLINE, { .what = RL_IDENTITY, .address = NEAR }, 0, { 0xa9, 1, 2, 3, 4 }, { 0xe9, 0xf8, 0x1f, 0, 0 }, RL_FITS },
};

static void test_encodings(void)
{
	for (size_t i = 0; i < COUNT(encodings); i++) {
		const struct encoding *e = &encodings[i];
		uint8_t out[RL_SITE_MAX], size = port->length[e->kind];
		enum rl_fit fit;

		memset(out, 0x55, sizeof(out));
		fit = port->encode(e->kind, SITE, e->home, &e->want, e->old, out);
		check(fit == e->fit && !memcmp(out, e->bytes, size), "encoding %zu: %s %s gives %s(%s), not %s(%s)", i,
		      kind_name[e->kind], what_name[e->want.what], hex(out, size), fit_name[fit],
		      hex(e->bytes, size), fit_name[e->fit]);
		check(out[size] == 0x55, "encoding %zu: writes behind the site", i);

		/* in place */
		memcpy(out, e->old, sizeof(e->old));
		fit = port->encode(e->kind, SITE, e->home, &e->want, out, out);
		check(fit == e->fit && !memcmp(out, e->bytes, size), "encoding %zu: in place gives %s", i, hex(out, size));
	}
}

/* ---- encode: reach ---- */

static void check_reach(enum rl_kind kind, uint64_t address, int64_t distance, bool within)
{
	uint64_t end = address + port->length[kind], home = address + 64;
	uint8_t old[RL_SITE_MAX] = { 0x0f, 0x84 }, out[RL_SITE_MAX];
	struct rl_want want = { .what = RL_FUNCTION, .address = end + (uint64_t)distance };
	enum rl_fit fit = port->encode(kind, address, home, &want, old, out);
	struct rl_effect effect = { 0 };
	uint64_t goal = within ? want.address : kind == RL_TRAMPOLINE ? end : home;

	check(fit == (within ? RL_FITS : RL_TOO_FAR), "%s at %#llx to %+lld: %s", kind_name[kind],
	      (unsigned long long)address, (long long)distance, fit_name[fit]);
	port->emulate(kind, address, out, 0x40, &effect);
	check(effect.ip == goal, "%s at %#llx to %+lld leads to %#llx", kind_name[kind], (unsigned long long)address,
	      (long long)distance, (unsigned long long)effect.ip);
	check(port->expresses(kind, address, home, &want, out), "%s at %#llx to %+lld: %s is not what was encoded",
	      kind_name[kind], (unsigned long long)address, (long long)distance, hex(out, 6));

	/* the same distance for home */
	want.what = RL_HOME;
	fit = port->encode(kind, address, want.address, &want, old, out);
	within |= kind == RL_TRAMPOLINE;
	check(fit == (within ? RL_FITS : RL_TOO_FAR), "%s at %#llx, home at %+lld: %s", kind_name[kind],
	      (unsigned long long)address, (long long)distance, fit_name[fit]);
	check(within || !memcmp(out, old, port->length[kind]), "%s, home too far: not the old bytes", kind_name[kind]);
	check(port->expresses(kind, address, want.address, &want, out) == within, "%s, home at %+lld: expresses is wrong",
	      kind_name[kind], (long long)distance);
}

static void test_reach(void)
{
	static const struct {
		int64_t distance;
		bool within;
	} rows[] = {
		{ 0, true }, { 1, true }, { -1, true }, { -5, true }, { 0x7ffffffe, true }, { 0x7fffffff, true },
		{ 0x80000000, false }, { 0x80000001, false }, { -0x7fffffff, true }, { -0x80000000LL, true },
		{ -0x80000001LL, false }, { 0xffffffff, false }, { 0x100000000, false }, { -0x100000000, false }, { INT64_MAX, false }, { INT64_MIN, false },
	};

	for (unsigned kind = RL_CALL; kind <= RL_TRAMPOLINE; kind++)
		for (size_t b = 0; b < COUNT(bases); b++)
			for (unsigned align = 0; align < 8; align++)
				for (size_t i = 0; i < COUNT(rows); i++)
					check_reach(kind, bases[b] + align, rows[i].distance, rows[i].within);
}

/* ---- encode, expresses, emulate: does a site do what was wished? ---- */

/* A wish, and which of its wishes are one and the same for a kind (same number: same bytes). */
static const struct wish {
	struct rl_want want; /* address is relative to the site */
	uint8_t group[5];    /* 0: not for this kind */
} wishes[] = {
	{ { .what = RL_FALL }, { 1 } },
	{ { .what = RL_JUMP }, { 2 } },
	{ { .what = RL_HOME }, { 0, 3, 3, 3, 3 } },
	{ { .what = RL_FUNCTION, .address = 0x1234567 }, { 0, 4, 4, 4, 4 } },
	{ { .what = RL_FUNCTION, .address = 0x12345e7 }, { 0, 5, 5, 5, 5 } },
	{ { .what = RL_FUNCTION, .address = -(uint64_t)0x654321 }, { 0, 6, 6, 6, 6 } },
	{ { .what = RL_FUNCTION, .address = 3 * GIB }, { 0, 3, 3, 3, 3 } },
	{ { .what = RL_NOTHING }, { 0, 7, 7, 3, 7 } },
	{ { .what = RL_CONSTANT, .address = 0x7000 }, { 0, 8, 9, 9, 9 } },
	{ { .what = RL_CONSTANT, .address = 0x7000, .constant = 1 }, { 0, 10, 9, 9, 9 } },
	{ { .what = RL_CONSTANT, .address = 0x7000, .constant = UINT32_MAX }, { 0, 11, 9, 9, 9 } },
	{ { .what = RL_CONSTANT, .address = 0x7000, .constant = (uint64_t)UINT32_MAX + 1 }, { 0, 9, 9, 9, 9 } },
	{ { .what = RL_CONSTANT, .address = 0x7000, .constant = (uint64_t)-1 }, { 0, 9, 9, 9, 9 } },
	{ { .what = RL_CONSTANT, .address = 0x7000, .constant = (uint64_t)-1, .narrow = true }, { 0, 11, 9, 9, 9 } },
	{ { .what = RL_CONSTANT, .address = 3 * GIB, .constant = UINT64_MAX }, { 0, 3, 3, 3, 3 } },
	{ { .what = RL_CONSTANT, .address = 3 * GIB, .constant = 1 }, { 0, 10, 3, 3, 3 } },
	{ { .what = RL_IDENTITY, .address = 0x7000 }, { 0, 12, 9, 9, 9 } },
	{ { .what = RL_IDENTITY, .address = 3 * GIB }, { 0, 12, 3, 3, 3 } },
};

#define HOME_AWAY 0x4321

static struct rl_want want_at(const struct wish *wish, uint64_t address)
{
	struct rl_want want = wish->want;

	want.address += address;
	return want;
}

/* What executing the site is to do, taken from the meaning of the groups, not from bytes. `taken`: a jcc's condition holds. */
static struct rl_effect intended(enum rl_kind kind, const struct wish *wish, uint64_t address, uint64_t branch, bool taken)
{
	uint64_t next = address + port->length[kind];
	struct rl_effect e = { .ip = next };

	switch (wish->group[kind]) {
	case 1:
		return e;
	case 2:
		return (struct rl_effect){ .ip = branch };
	case 7:
		return kind == RL_CALL ? e : (struct rl_effect){ .pop = true };
	case 8:
	case 10:
	case 11:
		e.set_result = true;
		e.value = (uint32_t)wish->want.constant;
		return e;
	case 12:
		e.copy_argument = true;
		return e;
	case 3:
		e.ip = kind == RL_TRAMPOLINE ? next : address + HOME_AWAY;
		break;
	default:
		e.ip = address + wish->want.address;
	}
	if (kind == RL_CALL) {
		e.push = true;
		e.value = next;
	} else if (kind == RL_JCC && !taken) {
		e.ip = next;
	}
	return e;
}

static bool same_effect(const struct rl_effect *a, const struct rl_effect *b)
{
	return a->push == b->push && a->pop == b->pop && a->set_result == b->set_result && a->copy_argument == b->copy_argument && (a->pop || a->ip == b->ip) &&
	       (!(a->push || a->set_result) || a->value == b->value);
}

static bool ignores_operand(enum rl_kind kind, uint8_t opcode)
{
	return (opcode == 0xc3 && (kind == RL_TAIL || kind == RL_TRAMPOLINE)) ||
	       (opcode == 0xa9 && (kind == RL_CALL || kind == RL_TRAMPOLINE));
}

static void check_expresses(enum rl_kind kind, uint64_t address, const struct wish *wish, const uint8_t *bytes)
{
	uint64_t home = address + HOME_AWAY;
	struct rl_want want = want_at(wish, address);

	check(port->expresses(kind, address, home, &want, bytes), "%s %s at %#llx: %s is not what was encoded", kind_name[kind],
	      what_name[want.what], (unsigned long long)address, hex(bytes, 6));
	for (size_t other = 0; other < COUNT(wishes); other++) {
		bool same = wishes[other].group[kind] == wish->group[kind];
		struct rl_want it = want_at(&wishes[other], address);

		if (!wishes[other].group[kind])
			same = (it.what == RL_FALL || it.what == RL_JUMP) && kind != RL_BRANCH && wish->group[kind] == 3;
		check(port->expresses(kind, address, home, &it, bytes) == same, "%s at %#llx: %s %s %s (wish %zu)",
		      kind_name[kind], (unsigned long long)address, hex(bytes, 6), same ? "does not express" : "expresses",
		      what_name[it.what], other);
	}
	for (unsigned i = 0; i < port->length[kind]; i++) {
		bool opcode = i < port->length[kind] - 4u;
		bool ignored = !opcode && (kind == RL_BRANCH || ignores_operand(kind, bytes[0]));
		uint8_t changed[RL_SITE_MAX] = { 0 };

		memcpy(changed, bytes, port->length[kind]);
		changed[i] ^= kind == RL_JCC && i == 1 ? 0x10 : 0x20;
		check(port->expresses(kind, address, home, &want, changed) == ignored, "%s at %#llx: %s %s %s",
		      kind_name[kind], (unsigned long long)address, hex(changed, 6), ignored ? "does not express" : "expresses",
		      what_name[want.what]);
	}
}

static void check_wish(const struct sample *sample, uint64_t address, const struct wish *wish)
{
	enum rl_kind kind = sample->kind;
	uint8_t old[RL_SITE_MAX], out[RL_SITE_MAX] = { 0 };
	struct rl_want want = want_at(wish, address);
	struct rl_effect effect, goal;

	memcpy(old, sample->bytes, sizeof(old));
	put32(operand(kind, old), 0x89abcd);
	port->encode(kind, address, address + HOME_AWAY, &want, old, out);
	for (unsigned taken = 0; taken < 2; taken++) {
		/* 84 is je, 8f is jg: ZF set means taken, not taken */
		uint64_t flags = taken == (old[1] == 0x84) ? 0x40 : 0;

		goal = intended(kind, wish, address, address + port->length[kind] + 0x89abcd, taken);
		check(port->emulate(kind, address, out, flags, &effect) && same_effect(&effect, &goal),
		      "%s %s at %#llx: %s does something else", kind_name[kind], what_name[want.what],
		      (unsigned long long)address, hex(out, 6));
	}
	check(kind != RL_JCC || (out[0] == old[0] && out[1] == old[1]), "jcc: condition lost, %s", hex(out, 6));
	check(!ignores_operand(kind, out[0]) || !memcmp(operand(kind, out), operand(kind, old), 4), "%s %s: operand not kept",
	      kind_name[kind], what_name[want.what]);
	check_expresses(kind, address, wish, out);
}

static void test_meaning(void)
{
	for (size_t s = 0; s < COUNT(samples); s++)
		for (size_t b = 0; b < COUNT(bases); b++)
			for (unsigned align = 0; align < 8; align++)
				for (size_t w = 0; w < COUNT(wishes); w++)
					if (wishes[w].group[samples[s].kind])
						check_wish(&samples[s], bases[b] + align, &wishes[w]);
}

/* The identity has no operand that could be another. */
static bool is_whole(const struct sample *sample)
{
	return sample->bytes[0] == 0x66;
}

/* Nothing but a site's own instructions expresses anything, and nothing else is emulated. */
static void test_foreign(void)
{
	for (unsigned kind = 0; kind <= RL_TRAMPOLINE; kind++)
		for (unsigned opcode = 0; opcode < 0x10000; opcode++) {
			uint8_t bytes[RL_SITE_MAX] = { (uint8_t)opcode, (uint8_t)(opcode >> 8) };
			struct rl_effect effect;
			bool ours = false, any = false;

			for (size_t s = 0; s < COUNT(samples); s++)
				ours |= samples[s].kind == kind && samples[s].bytes[0] == bytes[0] && !is_whole(&samples[s]) &&
					(kind != RL_JCC || bytes[1] >> 4 == 8);
			for (size_t w = 0; w < COUNT(wishes); w++) {
				struct rl_want want = want_at(&wishes[w], 0x401000);

				any |= port->expresses(kind, 0x401000, 0x401000 + HOME_AWAY, &want, bytes);
			}
			if (!ours && any)
				check(false, "%s: %s expresses something", kind_name[kind], hex(bytes, 5));
			if (port->emulate(kind, 0x401000, bytes, 0, &effect) != ours)
				check(false, "%s: %s is%s emulated", kind_name[kind], hex(bytes, 5), ours ? " not" : "");
		}
	check(true, "no foreign instruction");
}

/* ---- classify against a model of what racing threads see ---- */

/* Do two instructions act alike, whatever the flags? */
static bool alike(enum rl_kind kind, uint64_t address, const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i < 32; i++) {
		uint64_t flags = (i & 1) | (i & 2) << 1 | (i & 4) << 4 | (i & 8) << 4 | (i & 16) << 7;
		struct rl_effect ea, eb;

		if (!port->emulate(kind, address, a, flags, &ea) || !port->emulate(kind, address, b, flags, &eb))
			return false;
		if (!same_effect(&ea, &eb))
			return false;
	}
	return true;
}

/* `to` with the operand bytes of `from` whose bit in `mask` is set. */
static void mix(enum rl_kind kind, uint8_t *to, const uint8_t *from, unsigned mask)
{
	unsigned start = port->length[kind] - 4u;

	for (unsigned i = 0; i < 4; i++)
		if (mask >> i & 1)
			to[start + i] = from[start + i];
}

/* While the operand is written in pieces, do threads go on doing what `old` does, and does the first byte then do the rest? */
static bool operand_may_tear(enum rl_kind kind, uint64_t address, const uint8_t *old, const uint8_t *new)
{
	uint8_t seen[RL_SITE_MAX];

	for (unsigned mask = 0; mask < 16; mask++) {
		memcpy(seen, old, sizeof(seen));
		mix(kind, seen, new, mask);
		if (!alike(kind, address, seen, old))
			return false;
	}
	seen[0] = new[0];
	return alike(kind, address, seen, new);
}

static bool in_one_word(uint64_t address, const uint8_t *old, const uint8_t *new, size_t size)
{
	uint64_t word = 0;
	bool any = false;

	for (size_t i = 0; i < size; i++) {
		if (old[i] == new[i])
			continue;
		if (any && (address + i) / 8 != word)
			return false;
		word = (address + i) / 8;
		any = true;
	}
	return true;
}

/* The cheapest way on which every state is old or new; for a trampoline, or through the slot. */
static enum rl_change cheapest(enum rl_kind kind, uint64_t address, const uint8_t *old, const uint8_t *new)
{
	uint8_t one[RL_SITE_MAX], through[RL_SITE_MAX];

	if (alike(kind, address, old, new))
		return RL_SAME;
	memcpy(one, old, sizeof(one));
	one[0] = new[0];
	if (alike(kind, address, one, new))
		return RL_OPCODE;
	if (operand_may_tear(kind, address, old, new))
		return RL_OPERAND_FIRST;
	memcpy(through, old, sizeof(through));
	through[0] = port->through;
	if (kind == RL_TRAMPOLINE && operand_may_tear(kind, address, through, new))
		return RL_DETOUR;
	return in_one_word(address, old, new, port->length[kind]) ? RL_STORE : RL_SPLIT;
}

static void check_classify(const struct sample *from, const struct sample *to, uint64_t address, unsigned mask)
{
	static const uint32_t odd = 0x5a11f077;
	enum rl_kind kind = from->kind;
	uint8_t old[RL_SITE_MAX], new[RL_SITE_MAX], other[RL_SITE_MAX] = { 0 };
	enum rl_change is, must;

	memcpy(old, from->bytes, sizeof(old));
	memcpy(new, to->bytes, sizeof(new));
	if (!is_whole(from))
		put32(operand(kind, old), 0x13572468);
	if (!is_whole(to))
		put32(operand(kind, new), 0x13572468);
	put32(operand(kind, other), odd);
	if (!is_whole(to))
		mix(kind, new, other, mask);
	is = port->classify(kind, address, old, new);
	must = cheapest(kind, address, old, new);
	check(is == must, "%s at %#llx: %s to %s is %s, not %s", kind_name[kind], (unsigned long long)address,
	      hex(old, port->length[kind]), hex(new, port->length[kind]), change_name[is], change_name[must]);
}

static void test_classify(void)
{
	for (size_t b = 0; b < COUNT(bases); b++)
		for (unsigned align = 0; align < 8; align++)
			for (size_t i = 0; i < COUNT(samples); i++)
				for (size_t j = 0; j < COUNT(samples); j++)
					for (unsigned mask = 0; mask < 16; mask++) {
						/* the operand of a branch never changes */
						if (samples[i].kind != samples[j].kind || (samples[i].kind == RL_BRANCH && mask))
							continue;
						check_classify(&samples[i], &samples[j], bases[b] + align, mask);
					}
}

/* The rows that DESIGN and callers count on, by hand. */
static void test_classify_table(void)
{
	static const struct {
		enum rl_kind kind;
		uint64_t address;
		uint8_t old[6], new[6];
		enum rl_change change;
	} rows[] = {
		{ RL_BRANCH, 7, { 0xa9, 1, 2, 3, 4 }, { 0xe9, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_BRANCH, 7, { 0xe9, 1, 2, 3, 4 }, { 0xe9, 1, 2, 3, 4 }, RL_SAME },
		{ RL_BRANCH, 4, { 0xa9, 1, 2, 3, 4 }, { 0xa9, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_BRANCH, 4, { 0xe9, 1, 2, 3, 4 }, { 0xa9, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_BRANCH, 0, { 0xa9, 1, 2, 3, 4 }, { 0xe9, 5, 6, 7, 8 }, RL_STORE },
		{ RL_CALL, 0, { 0xe8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_STORE },
		{ RL_CALL, 3, { 0xe8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_STORE },
		{ RL_CALL, 4, { 0xe8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_CALL, 4, { 0xe8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 4 }, RL_STORE },
		{ RL_CALL, 7, { 0xe8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_STORE },
		{ RL_CALL, 7, { 0xe8, 1, 2, 3, 4 }, { 0xb8, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_CALL, 7, { 0xe8, 1, 2, 3, 4 }, { 0xb8, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_CALL, 7, { 0xe8, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_CALL, 7, { 0xe8, 1, 2, 3, 4 }, { 0xa9, 5, 6, 7, 8 }, RL_OPCODE },
		{ RL_CALL, 0, { 0xb8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_STORE },
		{ RL_CALL, 4, { 0xb8, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_CALL, 4, { 0xb8, 1, 2, 3, 4 }, { 0xb8, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_CALL, 5, { 0xa9, 1, 2, 3, 4 }, { 0xb8, 5, 6, 7, 8 }, RL_OPERAND_FIRST },
		{ RL_CALL, 3, { 0xe8, 1, 2, 3, 4 }, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, RL_STORE },
		{ RL_CALL, 4, { 0xe8, 1, 2, 3, 4 }, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, RL_SPLIT },
		{ RL_CALL, 0, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, { 0xe8, 1, 2, 3, 4 }, RL_STORE },
		{ RL_CALL, 7, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, { 0xa9, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_CALL, 7, { 0xa9, 0x66, 0x48, 0x89, 0xf8 }, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, RL_OPCODE },
		{ RL_CALL, 5, { 0xa9, 1, 2, 3, 4 }, { 0xe8, 5, 6, 7, 8 }, RL_OPERAND_FIRST },
		{ RL_CALL, 5, { 0xa9, 1, 2, 3, 4 }, { 0xe8, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_CALL, 5, { 0xa9, 1, 2, 3, 4 }, { 0xa9, 5, 6, 7, 8 }, RL_SAME },
		{ RL_TAIL, 5, { 0xc3, 1, 2, 3, 4 }, { 0xc3, 5, 6, 7, 8 }, RL_SAME },
		{ RL_TAIL, 5, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 5, 6, 7, 8 }, RL_OPERAND_FIRST },
		{ RL_TAIL, 5, { 0xe9, 1, 2, 3, 4 }, { 0xc3, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_TAIL, 5, { 0xe9, 1, 2, 3, 4 }, { 0xe9, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_JCC, 2, { 0x0f, 0x84, 1, 2, 3, 4 }, { 0x0f, 0x84, 5, 6, 7, 8 }, RL_STORE },
		{ RL_JCC, 3, { 0x0f, 0x84, 1, 2, 3, 4 }, { 0x0f, 0x84, 5, 6, 7, 8 }, RL_SPLIT },
		{ RL_JCC, 6, { 0x0f, 0x84, 1, 2, 3, 4 }, { 0x0f, 0x84, 5, 6, 7, 8 }, RL_STORE },
		{ RL_TRAMPOLINE, 0, { 0xe9, 1, 2, 3, 4 }, { 0xe9, 5, 6, 7, 8 }, RL_DETOUR },
		{ RL_TRAMPOLINE, 0, { 0xe9, 1, 2, 3, 4 }, { 0xa9, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_TRAMPOLINE, 0, { 0xe9, 1, 2, 3, 4 }, { 0xc3, 5, 6, 7, 8 }, RL_OPCODE },
		{ RL_TRAMPOLINE, 0, { 0xa9, 1, 2, 3, 4 }, { 0xc3, 1, 2, 3, 4 }, RL_OPCODE },
		{ RL_TRAMPOLINE, 0, { 0xa9, 1, 2, 3, 4 }, { 0xe9, 5, 6, 7, 8 }, RL_OPERAND_FIRST },
		{ RL_TRAMPOLINE, 0, { 0xc3, 1, 2, 3, 4 }, { 0xe9, 5, 6, 7, 8 }, RL_OPERAND_FIRST },
		{ RL_TRAMPOLINE, 0, { 0xa9, 1, 2, 3, 4 }, { 0xa9, 5, 6, 7, 8 }, RL_SAME },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		enum rl_change is = port->classify(rows[i].kind, 0x401000 + rows[i].address, rows[i].old, rows[i].new);

		check(is == rows[i].change, "change %zu: %s, not %s", i, change_name[is], change_name[rows[i].change]);
	}
}

/* Sites that may be led anywhere by one store: those of which no pair of targets is more than a store apart. */
static void test_one_store(void)
{
	static const uint8_t jcc[RL_SITE_MAX] = { 0x0f, 0x84, 1, 2, 3, 4 }, call[RL_SITE_MAX] = { 0xe8, 1, 2, 3, 4 };

	for (unsigned kind = RL_CALL; kind <= RL_JCC; kind++)
		for (unsigned align = 0; align < 8; align++) {
			uint8_t old[RL_SITE_MAX], new[RL_SITE_MAX];
			enum rl_change change;

			memcpy(old, kind == RL_JCC ? jcc : call, sizeof(old));
			if (kind == RL_TAIL)
				old[0] = 0xe9;
			memcpy(new, old, sizeof(new));
			put32(operand(kind, new), 0xfcfdfeff);
			change = port->classify(kind, 0x401000 + align, old, new);
			check(port->one_store(kind, 0x401000 + align) == (change == RL_STORE), "one_store: %s at %u, %s",
			      kind_name[kind], align, change_name[change]);
		}
}

/* From any wish to any other: take the steps that classify names, then the site must express the new one. */
static void check_way(enum rl_kind kind, uint64_t address, const struct wish *from, const struct wish *to)
{
	uint8_t site[RL_SITE_MAX] = { kind == RL_JCC ? 0x0f : 0xe9, 0x85 }, out[RL_SITE_MAX] = { 0 };
	struct rl_want a = want_at(from, address), b = want_at(to, address);
	uint64_t home = address + HOME_AWAY;

	port->encode(kind, address, home, &a, site, site);
	port->encode(kind, address, home, &b, site, out);
	switch (port->classify(kind, address, site, out)) {
	case RL_SAME:
		break;
	case RL_OPCODE:
		site[0] = out[0];
		break;
	default:
		memcpy(site, out, port->length[kind]);
	}
	check(port->expresses(kind, address, home, &b, site), "%s at %#llx: no way from %s to %s", kind_name[kind],
	      (unsigned long long)address, what_name[a.what], what_name[b.what]);
}

static void test_ways(void)
{
	for (unsigned kind = 0; kind <= RL_TRAMPOLINE; kind++)
		for (unsigned align = 0; align < 8; align++)
			for (size_t i = 0; i < COUNT(wishes); i++)
				for (size_t j = 0; j < COUNT(wishes); j++)
					if (wishes[i].group[kind] && wishes[j].group[kind])
						check_way(kind, 0x401000 + align, &wishes[i], &wishes[j]);
}

/* ---- emulate ---- */

/* The conditions of jo, jno, jb, .. as the manual's table of tttn puts them. */
static bool model_condition(unsigned code, uint64_t flags)
{
	bool cf = flags & 1, pf = flags >> 2 & 1, zf = flags >> 6 & 1, sf = flags >> 7 & 1, of = flags >> 11 & 1;

	switch (code) {
	case 0x0: return of;
	case 0x1: return !of;
	case 0x2: return cf;
	case 0x3: return !cf;
	case 0x4: return zf;
	case 0x5: return !zf;
	case 0x6: return cf || zf;
	case 0x7: return !cf && !zf;
	case 0x8: return sf;
	case 0x9: return !sf;
	case 0xa: return pf;
	case 0xb: return !pf;
	case 0xc: return sf != of;
	case 0xd: return sf == of;
	case 0xe: return zf || sf != of;
	default: return !zf && sf == of;
	}
}

#ifdef __x86_64__
/* int cpu_condition(code, flags): what this processor makes of it. A function of its own keeps the red zone intact. */
int cpu_condition(unsigned code, uint64_t flags);

#define SET(name) "\t.balign 16\n\tset" name " %al\n\tmovzbl %al,%eax\n\tret\n"
__asm__(".text\n\t.globl cpu_condition\n\t.type cpu_condition,@function\n"
	"cpu_condition:\n\tlea .Lcpu_table(%rip),%rax\n\tshl $4,%edi\n\tadd %rdi,%rax\n\tpush %rsi\n\tpopfq\n\tjmp *%rax\n"
	"\t.balign 16\n.Lcpu_table:\n"
	SET("o") SET("no") SET("b") SET("ae") SET("e") SET("ne") SET("be") SET("a")
	SET("s") SET("ns") SET("p") SET("np") SET("l") SET("ge") SET("le") SET("g")
	"\t.size cpu_condition, . - cpu_condition\n");
#endif

static void test_conditions(void)
{
	static const uint64_t rest[] = { 0x202, ~(uint64_t)0x8c5 };

	for (unsigned code = 0; code < 16; code++)
		for (unsigned i = 0; i < 32; i++) {
			uint64_t flags = (i & 1) | (i & 2) << 1 | (i & 4) << 4 | (i & 8) << 4 | (i & 16) << 7;
			uint8_t bytes[6] = { 0x0f, (uint8_t)(0x80 | code), 0x10, 0, 0, 0 };
			bool must = model_condition(code, flags);

#ifdef __x86_64__
			check(cpu_condition(code, flags | 0x202) == must, "the model of condition %x, flags %#llx", code,
			      (unsigned long long)flags);
#endif
			for (size_t r = 0; r < COUNT(rest); r++) {
				struct rl_effect effect;
				bool done = port->emulate(RL_JCC, 0x401000, bytes, flags | rest[r], &effect);

				check(done && effect.ip == 0x401006u + (must ? 0x10 : 0) && !effect.push && !effect.pop &&
				      !effect.set_result, "condition %x, flags %#llx", code, (unsigned long long)(flags | rest[r]));
			}
		}
}

static void test_emulate(void)
{
	static const struct {
		enum rl_kind kind;
		uint8_t bytes[6];
		struct rl_effect effect;
	} rows[] = {
		{ RL_BRANCH, { 0xa9, 8, 0, 0, 0 }, { .ip = 0x401005 } },
		{ RL_BRANCH, { 0xe9, 8, 0, 0, 0 }, { .ip = 0x40100d } },
		{ RL_CALL, { 0xe8, 8, 0, 0, 0 }, { .ip = 0x40100d, .push = true, .value = 0x401005 } },
		{ RL_CALL, { 0xe8, 0xfb, 0xff, 0xff, 0xff }, { .ip = 0x401000, .push = true, .value = 0x401005 } },
		{ RL_CALL, { 0xa9, 8, 0, 0, 0 }, { .ip = 0x401005 } },
		{ RL_CALL, { 0xb8, 0xff, 0xff, 0xff, 0xff }, { .ip = 0x401005, .set_result = true, .value = 0xffffffff } },
		{ RL_CALL, { 0x66, 0x66, 0x48, 0x89, 0xf8 }, { .ip = 0x401005, .copy_argument = true } },
		{ RL_TAIL, { 0xe9, 8, 0, 0, 0 }, { .ip = 0x40100d } },
		{ RL_TAIL, { 0xc3, 8, 0, 0, 0 }, { .pop = true } },
		{ RL_TRAMPOLINE, { 0xa9, 8, 0, 0, 0 }, { .ip = 0x401005 } },
		{ RL_TRAMPOLINE, { 0xe9, 0, 0, 0, 0x80 }, { .ip = 0x401005 - 2 * GIB } },
		{ RL_TRAMPOLINE, { 0xc3, 8, 0, 0, 0 }, { .pop = true } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct rl_effect *must = &rows[i].effect;
		struct rl_effect is;

		memset(&is, 0x55, sizeof(is));
		check(port->emulate(rows[i].kind, 0x401000, rows[i].bytes, 0, &is) && is.ip == must->ip && is.push == must->push &&
		      is.pop == must->pop && is.set_result == must->set_result && is.copy_argument == must->copy_argument &&
		      is.value == must->value,
		      "emulate %s %s", kind_name[rows[i].kind], hex(rows[i].bytes, 5));
	}
	test_conditions();
}

/* ---- what the header emits ---- */

#if defined(__x86_64__) && defined(__linux__)
void *relink_slot_port_probe;
extern const uint8_t port_probe[];
RELINK_TRAMPOLINE_(port_probe)

static void test_header(void)
{
	uint64_t slot = 0, address = (uint64_t)(uintptr_t)port_probe;
	size_t opcode = 99;

	check(port->trampoline(port_probe, 32, address, &opcode, &slot), "the header's trampoline: %s", hex(port_probe, 16));
	check(slot == (uint64_t)(uintptr_t)&relink_slot_port_probe, "the header's trampoline: slot %#llx",
	      (unsigned long long)slot);
	check(opcode < 32 && port_probe[opcode] == port->through, "the header's trampoline is not born through its slot");
	check((address + opcode) % 8 + 5 <= 8, "the header's trampoline: opcode at %#llx", (unsigned long long)address + opcode);
}
#else
static void test_header(void)
{
}
#endif

/* ---- the generic port ---- */

static void test_generic(void)
{
	const struct rl_port *none = &rl_port_generic;
	uint8_t out[RL_SITE_MAX] = { 0x55 };
	struct rl_effect effect;

	check(!none->machine && !none->guard && !none->through && !none->flip[0] && !none->flip[1], "generic: bytes");
	for (size_t i = 0; i < COUNT(samples); i++) {
		enum rl_kind kind = samples[i].kind;
		const uint8_t *bytes = samples[i].bytes;
		struct rl_want want = { .what = RL_HOME };

		check(!none->length[kind], "generic: length");
		check(none->encode(kind, SITE, HOME, &want, bytes, out) == RL_FITS_NOT && out[0] == 0x55, "generic: encode");
		check(!none->expresses(kind, SITE, HOME, &want, bytes), "generic: expresses");
		check(none->classify(kind, SITE, bytes, bytes) == RL_SPLIT, "generic: classify");
		check(!none->one_store(kind, SITE & ~7), "generic: one_store");
		check(!none->emulate(kind, SITE, bytes, 0, &effect), "generic: emulate");
	}
}

int main(void)
{
	test_description();
	test_encodings();
	test_reach();
	test_meaning();
	test_foreign();
	test_classify();
	test_classify_table();
	test_one_store();
	test_ways();
	test_emulate();
	test_header();
	test_generic();
	return check_summary();
}
