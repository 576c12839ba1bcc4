/* SPDX-License-Identifier: MIT */
/* Finding what leads somewhere in code that nobody has marked: quick lengths are the decoder's, no operand is left out, and what is found is right. */
#include "port_check.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64_decode.h"
#include "arch/x86_64_scan.h"

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* ---- lengths ---- */

static void same_length(const uint8_t *bytes, size_t count)
{
	struct rl_insn insn;
	size_t length = rl_x86_64_length(bytes, count, &insn), quick = rl_x86_64_skip(bytes, count);

	if (length != quick)
		check(false, "%s: %zu, the decoder says %zu", hex(bytes, count), quick, length);
}

/* Every opcode and ModRM byte behind every prefix, and behind any bytes at all. */
static void lengths(void)
{
	static const uint8_t prefixes[][4] = { { 0 }, { 0x66 }, { 0x48 }, { 0x66, 0x48 }, { 0xf3 }, { 0xf2, 0x66 }, { 0x67 }, { 0x64, 0x48 }, { 0x48, 0x66 },
					       { 0x0f }, { 0x66, 0x0f }, { 0xf3, 0x48, 0x0f }, { 0x0f, 0x38 }, { 0xc5 }, { 0x66, 0x66, 0x66 } };

	for (size_t p = 0; p < sizeof(prefixes) / sizeof(*prefixes); p++)
		for (unsigned n = 0; n < 0x20000; n++) {
			uint8_t bytes[20];
			size_t at = 0;

			for (size_t i = 0; i < sizeof(bytes); i++)
				bytes[i] = (uint8_t)next_random();
			for (; at < 4 && prefixes[p][at]; at++)
				bytes[at] = prefixes[p][at];
			bytes[at] = (uint8_t)n;
			bytes[at + 1] = (uint8_t)(n >> 8);
			if (n & 0x10000)
				bytes[at + 2] = 0x25; /* SIB without a base */
			same_length(bytes, 15);
		}
	for (unsigned n = 0; n < 2000000; n++) {
		uint8_t bytes[15];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)next_random();
		same_length(bytes, n % 16);
	}
	check(true, "lengths");
}

/* Real code of this program. */
static void lengths_of_code(void)
{
	const uint8_t *code = (const uint8_t *)(uintptr_t)lengths;

	for (size_t i = 0; i < 2000; i++)
		same_length(code + i, 15);
}

/* ---- seek ---- */

static uint64_t leads_to(const uint8_t *bytes, uint64_t address)
{
	int32_t distance;

	memcpy(&distance, bytes, 4);
	return address + 4 + (uint64_t)(int64_t)distance;
}

static void seek_like_a_child(const uint8_t *bytes, size_t count, uint64_t address, const struct rl_area areas[2])
{
	size_t at = 0;

	for (size_t i = 0; i + 4 <= count; i++) {
		uint64_t target = leads_to(bytes + i, address + i), found;

		if (target - areas[0].start >= areas[0].size && target - areas[1].start >= areas[1].size)
			continue;
		at = rl_x86_64_seek(bytes, count, at, address, areas, &found);
		if (!check(at == i && found == target, "an operand at %zu of %zu is not found (%zu)", i, count, at))
			return;
		at++;
	}
	check(rl_x86_64_seek(bytes, count, at, address, areas, &(uint64_t){ 0 }) == count, "something is found at the end of %zu", count);
}

static void seeks(void)
{
	static const uint64_t addresses[] = { 0, 0x1000, 0x7ffffff0, 0xfffffff0, 0x555555554000, 0xffffffffffffff00u };
	static const uint64_t sizes[] = { 0, 1, 8, 0x1000, 0x10000000, 0xffffffff, 0x100000000, UINT64_MAX };

	for (unsigned n = 0; n < 3000; n++) {
		size_t count = next_random() % 120;
		uint64_t address = addresses[n % 6];
		struct rl_area areas[2] = { { address + next_random() % 0x20000000 - 0x10000000, sizes[next_random() % 8] },
					    { next_random(), sizes[next_random() % 8] } };
		uint8_t *bytes = malloc(count + !count); /* its end is watched */

		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)(next_random() % 3 ? next_random() : next_random() & 1 ? 0xff : 0);
		seek_like_a_child(bytes, count, address, areas);
		free(bytes);
	}
}

/* ---- single instructions ---- */

static const struct row {
	const char *text;
	uint8_t bytes[15];
	size_t length, field;
	enum rl_kind kind;
	size_t site;      /* offset */
	bool fixed;
} rows[] = {
	{ "call", { 0xe8, 1, 2, 3, 0 }, 5, 1, RL_CALL, 0, false },
	{ "bnd call", { 0xf2, 0xe8, 1, 2, 3, 0 }, 6, 2, RL_CALL, 1, false },
	{ "data16 data16 rex.W call", { 0x66, 0x66, 0x48, 0xe8, 1, 2, 3, 0 }, 8, 4, RL_CALL, 3, false },
	{ "addr32 call", { 0x67, 0xe8, 1, 2, 3, 0 }, 6, 2, RL_CALL, 1, false },
	{ "jmp", { 0xe9, 1, 2, 3, 0 }, 5, 1, RL_TAIL, 0, false },
	{ "bnd jmp", { 0xf2, 0xe9, 1, 2, 3, 0 }, 6, 2, RL_TAIL, 1, false },
	{ "jne", { 0x0f, 0x85, 1, 2, 3, 0 }, 6, 2, RL_JCC, 0, false },
	{ "bnd jne", { 0xf2, 0x0f, 0x85, 1, 2, 3, 0 }, 7, 3, RL_JCC, 1, false },
	{ "call *", { 0xff, 0x15, 1, 2, 3, 0 }, 6, 2, RL_POINTER_CALL, 0, false },
	{ "bnd call *", { 0xf2, 0xff, 0x15, 1, 2, 3, 0 }, 7, 3, RL_POINTER_CALL, 1, false },
	{ "notrack jmp *", { 0x3e, 0xff, 0x25, 1, 2, 3, 0 }, 7, 3, RL_POINTER_TAIL, 1, false },
	{ "rex.W call *", { 0x48, 0xff, 0x15, 1, 2, 3, 0 }, 7, 3, RL_POINTER_CALL, 1, false },
	{ "data16 rex.W call *", { 0x66, 0x48, 0xff, 0x15, 1, 2, 3, 0 }, 8, 4, RL_POINTER_CALL, 2, true },
	{ "call *%fs:", { 0x64, 0xff, 0x15, 1, 2, 3, 0 }, 7, 3, RL_POINTER_CALL, 1, true },
	{ "jmp *", { 0xff, 0x25, 1, 2, 3, 0 }, 6, 2, RL_POINTER_TAIL, 0, false },
	{ "push", { 0xff, 0x35, 1, 2, 3, 0 }, 6, 2, RL_POINTER_USE, 0, false },
	{ "mov", { 0x48, 0x8b, 0x05, 1, 2, 3, 0 }, 7, 3, RL_POINTER_USE, 1, false },
	{ "lea", { 0x4c, 0x8d, 0x1d, 1, 2, 3, 0 }, 7, 3, RL_POINTER_USE, 1, false },
	{ "cmpq $1", { 0x48, 0x83, 0x3d, 1, 2, 3, 0, 1 }, 8, 3, RL_POINTER_USE, 1, false },
	{ "cmpw $1", { 0x66, 0x81, 0x3d, 1, 2, 3, 0, 1, 0 }, 9, 3, RL_POINTER_USE, 1, false },
	{ "movq $1", { 0x48, 0xc7, 0x05, 1, 2, 3, 0, 1, 0, 0, 0 }, 11, 3, RL_POINTER_USE, 1, false },
	{ "xmm mov", { 0xf3, 0x0f, 0x7e, 0x05, 1, 2, 3, 0 }, 8, 4, RL_POINTER_USE, 2, false },
	{ "vex ff 15", { 0xc5, 0xfd, 0xfe, 0x15, 1, 2, 3, 0 }, 8, 4, RL_POINTER_USE, 2, false },
};

static void single(const struct row *row)
{
	uint8_t bytes[32];
	struct rl_lead lead;
	size_t at = 0, beyond = row->length - row->field - 4;
	uint64_t base = 0x401000;

	/* a nop in front, and ret behind */
	memset(bytes, 0xc3, sizeof(bytes));
	bytes[0] = 0x90;
	memcpy(bytes + 1, row->bytes, row->length);
	if (!check(rl_x86_64_reach(bytes, sizeof(bytes), base, &at, row->field + 1, &lead) == RL_REACHED, "%s is not reached", row->text))
		return;
	check(at == 1 && lead.kind == row->kind && lead.fixed == row->fixed, "%s: kind %d fixed %d", row->text, lead.kind, lead.fixed);
	check(lead.address == base + 1 + row->site, "%s: at %llx", row->text, (unsigned long long)lead.address);
	check(lead.target == base + 1 + row->length + 0x30201, "%s: leads to %llx", row->text, (unsigned long long)lead.target);
	check(rl_x86_64_looks_like(bytes, sizeof(bytes), row->field + 1, beyond) == row->kind, "%s: does not look like it", row->text);
	/* every other place in it is no operand */
	for (size_t field = 0; field < row->length; field++) {
		at = 0;
		if (field != row->field)
			check(rl_x86_64_reach(bytes, sizeof(bytes), base, &at, field + 1, &lead) == RL_REACH_INSIDE, "%s: an operand at %zu",
			      row->text, field);
	}
	/* cut off */
	at = 0;
	check(rl_x86_64_reach(bytes, row->length, base, &at, row->field + 1, &lead) != RL_REACHED, "%s: cut off", row->text);
}

static void reaches(void)
{
	static const uint8_t data[] = { 0x06, 0x06, 0x06, 0xe8, 0, 0, 0, 0 }, immediate[] = { 0x48, 0xb8, 0xe8, 1, 0, 0, 0, 2, 3, 4 };
	struct rl_lead lead;
	size_t at = 0;

	check(rl_x86_64_reach(data, sizeof(data), 0, &at, 4, &lead) == RL_REACH_LOST, "bytes that are no instruction");
	at = 0;
	check(rl_x86_64_reach(immediate, sizeof(immediate), 0, &at, 3, &lead) == RL_REACH_INSIDE, "a call within an immediate");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		single(&rows[i]);
}

int main(void)
{
	lengths();
	lengths_of_code();
	seeks();
	reaches();
	return check_summary();
}
