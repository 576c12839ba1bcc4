/* SPDX-License-Identifier: MIT */
/* The port of x86-64: what it finds in code that a linker has made: calls, jumps, stubs, trampolines, and nothing in noise. */
#include <stdlib.h>
#include <string.h>

#include "port_check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct rl_port *const port = &rl_port_x86_64;

/* ---- recognise ---- */

struct form {
	const char *text;
	uint8_t bytes[10]; /* the place is at offset 2; operands lead PLACE + 4 + 0x1234 */
	uint8_t size;
	bool site;
	enum rl_kind kind;
	int offset; /* of the site from the place */
	bool via_slot;
	uint64_t target;
};

#define PLACE 0x401234
#define THERE (PLACE + 4 + 0x1234)

static const struct form forms[] = {
	{ "call", { 0x00, 0xe8, 0x34, 0x12, 0, 0 }, 6, true, RL_CALL, -1, false, THERE },
	{ "addr32 call", { 0x67, 0xe8, 0x34, 0x12, 0, 0 }, 6, true, RL_CALL, -1, false, THERE },
	{ "nop; call", { 0x90, 0xe8, 0x34, 0x12, 0, 0 }, 6, true, RL_CALL, -1, false, THERE },
	{ "call back", { 0x00, 0xe8, 0xf0, 0xff, 0xff, 0xff }, 6, true, RL_CALL, -1, false, PLACE + 4 - 16 },
	{ "jmp", { 0x00, 0xe9, 0x34, 0x12, 0, 0 }, 6, true, RL_TAIL, -1, false, THERE },
	{ "nop; jmp", { 0x90, 0xe9, 0x34, 0x12, 0, 0 }, 6, true, RL_TAIL, -1, false, THERE },
	{ "jmp; nop, place moved", { 0x00, 0xe9, 0x34, 0x12, 0, 0, 0x90 }, 7, true, RL_TAIL, -1, false, THERE },
	{ "jo", { 0x0f, 0x80, 0x34, 0x12, 0, 0 }, 6, true, RL_JCC, -2, false, THERE },
	{ "jg", { 0x0f, 0x8f, 0x34, 0x12, 0, 0 }, 6, true, RL_JCC, -2, false, THERE },
	{ "call *slot", { 0xff, 0x15, 0x34, 0x12, 0, 0 }, 6, true, RL_CALL, -2, true, THERE },
	{ "jmp *slot", { 0xff, 0x25, 0x34, 0x12, 0, 0 }, 6, true, RL_TAIL, -2, true, THERE },
	{ "jmp; nop, place kept", { 0xe9, 0x34, 0x12, 0, 0, 0x90 }, 6, true, RL_TAIL, -2, false, THERE - 1 },
	{ "the same, looking like call", { 0xe9, 0xe8, 0x12, 0, 0, 0x90 }, 6, true, RL_TAIL, -2, false, PLACE + 3 + 0x12e8 },
	{ "the same, looking like jmp", { 0xe9, 0xe9, 0x12, 0, 0, 0x90 }, 6, true, RL_TAIL, -2, false, PLACE + 3 + 0x12e9 },
	{ "the same, backwards", { 0xe9, 0xe8, 0xf2, 0xff, 0xff, 0x90 }, 6, true, RL_TAIL, -2, false, PLACE + 3 - 0xd18 },
	{ "call behind an e9", { 0xe9, 0xe8, 0x34, 0x12, 0, 0 }, 6, true, RL_CALL, -1, false, THERE },
	{ "call behind 0f", { 0x0f, 0xe8, 0x34, 0x12, 0, 0 }, 6, true, RL_CALL, -1, false, THERE },
	{ "lea", { 0x8d, 0x05, 0x34, 0x12, 0, 0 }, 6, false, 0, 0, false, 0 },
	{ "mov", { 0x8b, 0x05, 0x34, 0x12, 0, 0 }, 6, false, 0, 0, false, 0 },
	{ "push", { 0xff, 0x35, 0x34, 0x12, 0, 0 }, 6, false, 0, 0, false, 0 },
	{ "setcc", { 0x0f, 0x90, 0x34, 0x12, 0, 0 }, 6, false, 0, 0, false, 0 },
	{ "loop", { 0x00, 0x80, 0x34, 0x12, 0, 0 }, 6, false, 0, 0, false, 0 },
	{ "e9 without nop", { 0xe9, 0x34, 0x12, 0, 0, 0x91 }, 6, false, 0, 0, false, 0 },
	{ "zeros", { 0 }, 6, false, 0, 0, false, 0 },
};

/* The window as a block of its own, so that a sanitizer sees reads past its ends. */
static bool recognise_cut(const struct form *f, size_t from, size_t count, size_t before, struct rl_found *found)
{
	uint8_t *window = malloc(count ? count : 1);
	bool is;

	if (!window)
		exit(1);
	memcpy(window, f->bytes + from, count);
	memset(found, 0x55, sizeof(*found));
	is = port->recognise(window, before, count, PLACE, found);
	free(window);
	return is;
}

static void check_form(const struct form *f)
{
	size_t needed = f->site ? (size_t)-f->offset : 0;

	for (size_t from = 0; from <= 3; from++)
		for (size_t count = 0; count + from <= f->size; count++) {
			size_t before = from < 3 ? 2 - from : 3;
			bool must = f->site && from < 3 && before >= needed && count >= before + 4;
			struct rl_found found;
			bool is = recognise_cut(f, from, count, before, &found);

			/* with less in front it may look like something else, but then it leads elsewhere */
			if (is && !must)
				must = before < needed && before && count >= before + 4 && found.target != f->target;
			check(is == must, "recognise %s: %zu bytes from %zu: %s", f->text, count, from, is ? "yes" : "no");
			if (is && before >= needed)
				check(found.kind == f->kind && found.address == PLACE + (uint64_t)f->offset &&
				      found.target == f->target && found.via_slot == f->via_slot,
				      "recognise %s: %s at %+lld to %#llx", f->text, kind_name[found.kind], (long long)(found.address - PLACE),
				      (unsigned long long)found.target);
		}
}

/* Every byte pair in front of the place: the opcode decides, and what is found agrees with what executing it does. */
static void test_recognise_pairs(void)
{
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		uint8_t bytes[6] = { (uint8_t)(pair >> 8), (uint8_t)pair, 0x21, 0x43, 0x05, 0 };
		bool jcc = bytes[0] == 0x0f && bytes[1] >> 4 == 8, slot = pair == 0xff15 || pair == 0xff25;
		bool must = jcc || slot || bytes[1] == 0xe8 || bytes[1] == 0xe9;
		struct rl_found found = { 0 };
		struct rl_effect effect = { 0 };
		bool is = port->recognise(bytes, 2, 6, PLACE, &found);

		if (is != must)
			check(false, "recognise %s: %s", hex(bytes, 6), is ? "yes" : "no");
		if (is && !slot) {
			port->emulate(found.kind, found.address, bytes + 2 - (PLACE - found.address), 0x895, &effect);
			if (!jcc && effect.ip != found.target)
				check(false, "recognise %s: leads elsewhere", hex(bytes, 6));
		}
	}
	check(true, "pairs");
}

static void test_recognise(void)
{
	uint8_t bytes[6] = { 0x0f, 0x84, 0, 0, 0, 0 };
	struct rl_found found;

	for (size_t i = 0; i < COUNT(forms); i++)
		check_form(&forms[i]);
	test_recognise_pairs();
	check(!port->recognise(bytes, 2, SIZE_MAX, PLACE, &found) || found.kind == RL_JCC, "recognise: huge window");
	check(!port->recognise(bytes, SIZE_MAX, 6, PLACE, &found), "recognise: place behind the window");
	check(!port->recognise(bytes, SIZE_MAX, SIZE_MAX, PLACE, &found), "recognise: place at the window's end");
	check(!port->recognise(bytes, 6, 6, PLACE, &found), "recognise: place at the end");
}

/* ---- stubs ---- */

#define STUB 0x401000

static const struct stub {
	const char *text;
	uint8_t bytes[24];
	uint8_t needs;        /* bytes that must be there */
	uint8_t plt;          /* end of the plt_slot form's operand, 0: none; the slot is 0x2468 behind */
	int8_t trampoline;    /* offset of the opcode byte, -1: no trampoline */
} stubs[] = {
	{ "bfd, lld, gold .plt", { 0xff, 0x25, 0x68, 0x24, 0, 0, 0x68, 0, 0, 0, 0, 0xe9 }, 6, 6, -1 },
	{ "bfd .plt.got", { 0xff, 0x25, 0x68, 0x24, 0, 0, 0x66, 0x90 }, 6, 6, -1 },
	{ "bfd bnd", { 0xf2, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 7, 7, -1 },
	{ "bfd, lld, mold ibt", { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 10, 10, -1 },
	{ "bfd ibt bnd", { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 11, 11, -1 },
	{ "mold", { 0x41, 0xbb, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 12, 12, -1 },
	{ "mold ibt", { 0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0xbb, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 16, 16, -1 },
	{ "lld retpoline", { 0x4c, 0x8b, 0x1d, 0x68, 0x24, 0, 0, 0xe8, 0, 0, 0, 0 }, 8, 7, -1 },
	{ "lld retpoline now", { 0x4c, 0x8b, 0x1d, 0x68, 0x24, 0, 0, 0xe9, 0, 0, 0, 0 }, 8, 7, -1 },
	{ "a load of r11", { 0x4c, 0x8b, 0x1d, 0x68, 0x24, 0, 0, 0xc3, 0, 0, 0, 0 }, 8, 0, -1 },
	{ ".plt header", { 0xff, 0x35, 0x68, 0x24, 0, 0, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 6, 0, -1 },
	{ "mold header", { 0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0x53, 0xff, 0x35, 0, 0, 0, 0, 0xff, 0x25 }, 6, 0, -1 },
	{ "ibt .plt without a slot", { 0xf3, 0x0f, 0x1e, 0xfa, 0x68, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0 }, 6, 0, -1 },
	{ "call *slot", { 0xff, 0x15, 0x68, 0x24, 0, 0 }, 6, 0, -1 },
	{ "trampoline, test", { 0xa9, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 11, 0, 0 },
	{ "trampoline, jmp", { 0xe9, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 11, 0, 0 },
	{ "trampoline, ret", { 0xc3, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 11, 0, 0 },
	{ "trampoline, endbr64", { 0xf3, 0x0f, 0x1e, 0xfa, 0xa9, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 15, 0, 4 },
	{ "trampoline, endbr64, jmp", { 0xf3, 0x0f, 0x1e, 0xfa, 0xe9, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 15, 0, 4 },
	{ "trampoline, endbr64, ret", { 0xf3, 0x0f, 0x1e, 0xfa, 0xc3, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 15, 0, 4 },
	{ "endbr32", { 0xf3, 0x0f, 0x1e, 0xfb, 0xc3, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 15, 0, -1 },
	{ "no slot", { 0xe9, 1, 2, 3, 4, 0xff, 0x15, 0x68, 0x24, 0, 0 }, 11, 0, -1 },
	{ "guarded trampoline", { 0xcc, 1, 2, 3, 4, 0xff, 0x25, 0x68, 0x24, 0, 0 }, 11, 0, -1 },
};

static void check_stub(const struct stub *s, size_t count)
{
	uint8_t *bytes = malloc(count ? count : 1);
	uint64_t slot = 1;
	size_t opcode = 99;
	bool is, must = s->plt && count >= s->needs;

	if (!bytes)
		exit(1);
	memcpy(bytes, s->bytes, count);
	is = port->plt_slot(bytes, count, STUB, &slot);
	check(is == must, "plt_slot %s, %zu bytes: %s", s->text, count, is ? "yes" : "no");
	check(slot == (must ? STUB + s->plt + 0x2468u : 1), "plt_slot %s, %zu bytes: slot %#llx", s->text, count,
	      (unsigned long long)slot);

	slot = 1;
	must = s->trampoline >= 0 && count >= s->needs;
	is = port->trampoline(bytes, count, STUB, &opcode, &slot);
	check(is == must, "trampoline %s, %zu bytes: %s", s->text, count, is ? "yes" : "no");
	check(slot == (must ? STUB + s->needs + 0x2468u : 1) && opcode == (must ? (size_t)s->trampoline : 99),
	      "trampoline %s, %zu bytes: opcode at %zu, slot %#llx", s->text, count, opcode, (unsigned long long)slot);
	free(bytes);
}

static void test_stubs(void)
{
	static const uint8_t back[] = { 0xff, 0x25, 0xf8, 0xff, 0xff, 0xff };
	uint64_t slot = 0;

	for (size_t i = 0; i < COUNT(stubs); i++)
		for (size_t count = 0; count <= sizeof(stubs[i].bytes); count++)
			check_stub(&stubs[i], count);
	check(port->plt_slot(back, sizeof(back), STUB, &slot) && slot == STUB - 2, "plt_slot: a slot in front");
}

/* Random bytes: for sanitizers. Sizes of blocks are exact. */
static void test_noise(void)
{
	static const uint8_t spice[] = {
		0xe8, 0xe9, 0x0f, 0x84, 0xff, 0x25, 0x15, 0xf3, 0x1e, 0xfa, 0xf2, 0x41, 0xbb, 0x90, 0xa9, 0xc3,
	};
	uint64_t random = 88172645463325252u;

	for (unsigned round = 0; round < 200000; round++) {
		size_t count, before, opcode;
		struct rl_found found;
		uint8_t *bytes;
		uint64_t slot;

		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		count = random % 24;
		before = random / 32 % 8;
		bytes = malloc(count ? count : 1);
		if (!bytes)
			exit(1);
		for (size_t i = 0; i < count; i++)
			bytes[i] = spice[(random >> (i * 5 % 60)) % sizeof(spice)];
		if (port->recognise(bytes, before, count, PLACE, &found) && (before > count || count - before < 4))
			check(false, "recognise: %s at %zu of %zu", hex(bytes, count), before, count);
		if (port->plt_slot(bytes, count, STUB, &slot) && count < 6)
			check(false, "plt_slot: %s", hex(bytes, count));
		if (port->trampoline(bytes, count, STUB, &opcode, &slot) && (count < 11 || opcode > 4))
			check(false, "trampoline: %s", hex(bytes, count));
		free(bytes);
	}
	check(true, "noise");
}

/* ---- the generic port ---- */

static void test_generic(void)
{
	const struct rl_port *none = &rl_port_generic;
	struct rl_found found;
	uint64_t slot;
	size_t opcode;

	check(!none->recognise(forms[0].bytes, 2, 6, PLACE, &found), "generic: recognise");
	check(!none->plt_slot(stubs[0].bytes, 24, STUB, &slot), "generic: plt_slot");
	check(!none->trampoline(stubs[14].bytes, 24, STUB, &opcode, &slot), "generic: trampoline");
}

int main(void)
{
	test_recognise();
	test_stubs();
	test_noise();
	test_generic();
	return check_summary();
}
