/* SPDX-License-Identifier: MIT */
/* generic.c - the port of machines whose code is never rewritten: calls go through pointers, keys are flags. */
#include "arch/port.h"

static enum rl_fit encode(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want,
			  const uint8_t *old, uint8_t *out)
{
	(void)kind, (void)address, (void)home, (void)want, (void)old, (void)out;
	return RL_FITS_NOT;
}

static bool expresses(enum rl_kind kind, uint64_t address, uint64_t home, const struct rl_want *want, const uint8_t *bytes)
{
	(void)kind, (void)address, (void)home, (void)want, (void)bytes;
	return false;
}

static enum rl_change classify(enum rl_kind kind, uint64_t address, const uint8_t *old, const uint8_t *out)
{
	(void)kind, (void)address, (void)old, (void)out;
	return RL_SPLIT;
}

static bool recognise(const uint8_t *window, size_t before, size_t count, uint64_t place, struct rl_found *found)
{
	(void)window, (void)before, (void)count, (void)place, (void)found;
	return false;
}

static void refer(const uint8_t *window, size_t before, size_t count, uint64_t place, struct rl_reference *reference)
{
	(void)window, (void)before, (void)count;
	*reference = (struct rl_reference){ RL_USE_OTHER, place, 0 };
}

static bool plt_slot(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *slot)
{
	(void)bytes, (void)count, (void)address, (void)slot;
	return false;
}

static bool trampoline(const uint8_t *bytes, size_t count, uint64_t address, size_t *opcode, uint64_t *slot)
{
	(void)bytes, (void)count, (void)address, (void)opcode, (void)slot;
	return false;
}

static bool emulate(enum rl_kind kind, uint64_t address, const uint8_t *bytes, uint64_t flags, struct rl_effect *effect)
{
	(void)kind, (void)address, (void)bytes, (void)flags, (void)effect;
	return false;
}

static bool ends_with_call(const uint8_t *bytes, size_t count)
{
	(void)bytes, (void)count;
	return false;
}

static size_t jump(const uint8_t *bytes, size_t count, uint64_t address, uint64_t *target)
{
	(void)bytes, (void)count, (void)address, (void)target;
	return 0;
}

static bool one_store(enum rl_kind kind, uint64_t address)
{
	(void)kind, (void)address;
	return false;
}

static bool move(const uint8_t *bytes, size_t count, uint64_t from, uint64_t to, uint8_t *out)
{
	(void)bytes, (void)count, (void)from, (void)to, (void)out;
	return false;
}

static void pad(uint8_t *out, size_t count)
{
	(void)out, (void)count;
}

static bool boundary(const uint8_t *bytes, size_t count, size_t at)
{
	(void)bytes, (void)count, (void)at;
	return false;
}

static size_t seek(const uint8_t *bytes, size_t count, size_t from, uint64_t address, const struct rl_area areas[2], uint64_t *target)
{
	(void)bytes, (void)from, (void)address, (void)areas, (void)target;
	return count;
}

static enum rl_kind looks_like(const uint8_t *bytes, size_t count, size_t field, size_t beyond)
{
	(void)bytes, (void)count, (void)field, (void)beyond;
	return RL_KINDS;
}

static enum rl_reach reach(const uint8_t *bytes, size_t count, uint64_t address, size_t *at, size_t field, struct rl_lead *lead)
{
	(void)bytes, (void)count, (void)address, (void)at, (void)field, (void)lead;
	return RL_REACH_LOST;
}

const struct rl_port rl_port_generic = {
	.name = "generic",
	.encode = encode,
	.expresses = expresses,
	.one_store = one_store,
	.classify = classify,
	.recognise = recognise,
	.refer = refer,
	.plt_slot = plt_slot,
	.trampoline = trampoline,
	.emulate = emulate,
	.move = move,
	.pad = pad,
	.boundary = boundary,
	.ends_with_call = ends_with_call,
	.jump = jump,
	.seek = seek,
	.looks_like = looks_like,
	.reach = reach,
};
