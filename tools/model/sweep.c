/* SPDX-License-Identifier: MIT */
/*
 * sweep.c - the instructions of a function, as far as it is sure that they are some.
 *
 * Behind a jump or a return there may be data, so what follows counts once some instruction that is sure leads there. Code that is reached
 * through a table alone is left out.
 */
#include <stdlib.h>

#include "internal.h"

#define INSN_MAX 15
#define PASSES 8
#define TARGETS_MAX 1000000

struct targets {
	uint64_t *list; /* sorted, once a pass is over */
	size_t count, capacity, sorted;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, each once. */
static void put_in_order(struct targets *t)
{
	size_t kept = 0;

	if (t->count)
		qsort(t->list, t->count, sizeof(*t->list), by_value);
	for (size_t i = 0; i < t->count; i++)
		if (!kept || t->list[kept - 1] != t->list[i])
			t->list[kept++] = t->list[i];
	t->count = t->sorted = kept;
}

/* The first target at or behind an address, or UINT64_MAX. */
static uint64_t target_from(const struct targets *t, uint64_t address)
{
	size_t low = 0, high = t->sorted;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (t->list[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->sorted ? t->list[low] : UINT64_MAX;
}

uint64_t insn_target(const struct model *model, uint64_t address, const struct rl_insn *insn)
{
	const uint8_t *operand = image_at(model->image, address + insn->operand, insn->size);
	uint64_t next = address + insn->length;

	if (!operand || !insn->branch || !insn->size)
		return 0;
	return insn->size == 1 ? next + (uint64_t)(int64_t)(int8_t)operand[0] : next + (uint64_t)(int64_t)(int32_t)get32(operand);
}

size_t insn_at(const struct model *model, uint64_t address, struct rl_insn *insn)
{
	size_t room = model_bytes_from(model, address);

	return room ? rl_x86_64_length(image_at(model->image, address, 1), room < INSN_MAX ? room : INSN_MAX, insn) : 0;
}

static void add_target(struct targets *t, uint64_t target, uint64_t start, uint64_t size)
{
	if (target - start >= size || t->count >= TARGETS_MAX)
		return;
	t->list = grown(t->list, t->count, &t->capacity, sizeof(*t->list));
	t->list[t->count++] = target;
}

/* One way through the function. Without a visitor targets are collected. */
static void pass(const struct model *model, uint64_t start, uint64_t size, struct targets *t, insn_visitor *visit, void *ctx)
{
	struct rl_insn insn;
	bool sure = true;

	for (uint64_t at = start; at - start < size;) {
		uint64_t next = target_from(t, at);
		size_t length;

		sure |= next == at;
		length = sure ? insn_at(model, at, &insn) : 0;
		if (!length) {
			if (next == at) /* it was tried */
				next = target_from(t, at + 1);
			if (next == UINT64_MAX)
				return;
			at = next;
			sure = false;
			continue;
		}
		if (!visit)
			add_target(t, insn_target(model, at, &insn), start, size);
		else if (!visit(at, &insn, ctx))
			return;
		sure = !insn.ends;
		at += length;
	}
}

void sweep(const struct model *model, uint64_t start, uint64_t size, insn_visitor *visit, void *ctx)
{
	struct targets t = { NULL, 0, 0, 0 };
	size_t before = SIZE_MAX;

	for (int i = 0; i < PASSES && before != t.sorted; i++) {
		before = t.sorted;
		pass(model, start, size, &t, NULL, NULL);
		put_in_order(&t);
	}
	pass(model, start, size, &t, visit, ctx);
	free(t.list);
}
