/* SPDX-License-Identifier: MIT */
/*
 * flow.c - one function: its instructions in the order of addresses, what is known where ways join, and then what is wrong.
 *
 * Nothing is known at the function's start. What only a table of jumps leads to is looked at as if nothing were known there either.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define STEPS_MAX 400000
#define VISITS 50 /* of one block, on average: ways that do not settle are left as they are */

struct flow {
	struct context context;
	struct step *steps;
	size_t count, capacity;
	uint32_t *at;        /* offset in the function -> step + 1 */
	uint32_t *block_of;  /* step -> block + 1, if one begins there */
	struct state *blocks;
	size_t *first;       /* of each block: its first step */
	size_t block_count;
	uint32_t *work;
	size_t work_count;
	bool *waits;
};

/* ---- reading ---- */

static void decode(struct flow *f)
{
	struct subject *s = f->context.subject;
	const struct function *function = f->context.function;

	for (uint64_t at = function->start; at - function->start < function->size && f->count < STEPS_MAX;) {
		f->steps = grown(f->steps, f->count, &f->capacity, sizeof(*f->steps));
		step_decode(s, at, &f->steps[f->count]);
		f->at[at - function->start] = (uint32_t)++f->count;
		at += f->steps[f->count - 1].length;
	}
}

static bool ends(const struct step *step)
{
	return step->kind == STEP_JUMP || step->kind == STEP_RETURN || step->kind == STEP_STOP;
}

/* The step that a jump leads to, or -1. */
static int64_t step_at(const struct flow *f, uint64_t target)
{
	uint64_t offset = target - f->context.function->start;

	return target && offset < f->context.function->size ? (int64_t)f->at[offset] - 1 : -1;
}

static void mark_block(struct flow *f, int64_t step)
{
	if (step >= 0 && (size_t)step < f->count && !f->block_of[step])
		f->block_of[step] = (uint32_t)++f->block_count;
}

static bool find_blocks(struct flow *f)
{
	size_t block = 0;

	f->block_of = calloc(f->count + 1, sizeof(*f->block_of));
	if (!f->block_of)
		return false;
	mark_block(f, 0);
	for (size_t i = 0; i < f->count; i++) {
		const struct step *step = &f->steps[i];

		if (step->kind == STEP_JUMP || step->kind == STEP_BRANCH)
			mark_block(f, step_at(f, step->target));
		if (ends(step) || step->kind == STEP_BRANCH)
			mark_block(f, (int64_t)i + 1);
	}
	f->blocks = calloc(f->block_count, sizeof(*f->blocks));
	f->first = calloc(f->block_count, sizeof(*f->first));
	f->work = calloc(f->block_count, sizeof(*f->work));
	f->waits = calloc(f->block_count, sizeof(*f->waits));
	if (!f->blocks || !f->first || !f->work || !f->waits)
		return false;
	for (size_t i = 0; i < f->count; i++) /* in the order of addresses */
		if (f->block_of[i]) {
			f->first[block] = i;
			f->block_of[i] = (uint32_t)++block;
		}
	return true;
}

/* ---- ways ---- */

static void go(struct flow *f, int64_t step, const struct state *state)
{
	uint32_t block;

	if (step < 0 || (size_t)step >= f->count || !f->block_of[step])
		return;
	block = f->block_of[step] - 1;
	if (!state_join(&f->blocks[block], state) || f->waits[block])
		return;
	f->waits[block] = true;
	f->work[f->work_count++] = block;
}

static void run_block(struct flow *f, uint32_t block, bool report)
{
	struct state state = f->blocks[block];

	for (size_t i = f->first[block]; i < f->count; i++) {
		const struct step *step = &f->steps[i];

		if (i > f->first[block] && f->block_of[i]) {
			if (!report)
				go(f, (int64_t)i, &state);
			return;
		}
		step_run(&f->context, step, &state, report);
		if (!report && (step->kind == STEP_JUMP || step->kind == STEP_BRANCH))
			go(f, step_at(f, step->target), &state);
		if (ends(step))
			return;
	}
}

static void settle(struct flow *f, size_t *budget)
{
	while (f->work_count && *budget) {
		uint32_t block = f->work[--f->work_count];

		--*budget;
		f->waits[block] = false;
		run_block(f, block, false);
	}
}

static void run(struct flow *f)
{
	size_t budget = f->block_count * VISITS + 1000;
	struct state start;

	state_clear(&start);
	start.reg[REG_RSP].kind = VALUE_STACK;
	go(f, 0, &start);
	settle(f, &budget);
	for (size_t i = 0; i < f->block_count; i++) {
		if (f->blocks[i].reached)
			continue;
		state_clear(&start);
		/* Start-up code that was left and entered again may have committed; to say so would be a guess. */
		go(f, (int64_t)f->first[i], &start);
		settle(f, &budget);
	}
	for (size_t i = 0; i < f->block_count; i++)
		run_block(f, (uint32_t)i, true);
}

/* ---- is there anything to look at? ---- */

static bool mentions(const struct subject *s, uint64_t address)
{
	uint64_t held;

	return marked_at(s, address) || (slot_address(s, address, &held) && marked_at(s, held));
}

#define BEHIND_MAX 8 /* bytes of an instruction behind its displacement */

/* Any four bytes may be an address, or a displacement. Asked of all code, so that most of it need not be decoded. */
static bool function_mentions(const struct subject *s, const struct function *f)
{
	const uint8_t *bytes = model_bytes(s->model, f->start, f->size);

	for (uint64_t i = 0; bytes && i + 4 <= f->size; i++) {
		uint32_t value = get32(bytes + i);
		uint64_t target = f->start + i + 4 + (uint64_t)(int64_t)(int32_t)value;

		if (marked_at(s, value))
			return true;
		if ((target + BEHIND_MAX < s->low || target >= s->high) && (target + BEHIND_MAX < s->got_start || target >= s->got_stop))
			continue;
		for (unsigned k = 0; k <= BEHIND_MAX; k++)
			if (mentions(s, target + k))
				return true;
	}
	return false;
}

static void mark_seen(struct subject *s, const struct function *f)
{
	size_t i;

	is_number_in(s->references, s->reference_count, f->start, &i);
	for (; s->seen && i < s->reference_count && s->references[i] - f->start < f->size; i++)
		s->seen[i] = true;
}

void check_function(struct subject *s, const struct function *function)
{
	struct flow f = { .context = { s, function, false } };

	if (function->size > model_bytes_from(s->model, function->start))
		return;
	mark_seen(s, function);
	if (!function_mentions(s, function))
		return;
	f.at = calloc(function->size, sizeof(*f.at));
	if (f.at) {
		decode(&f);
		if (f.count && find_blocks(&f))
			run(&f);
	}
	free(f.steps);
	free(f.at);
	free(f.block_of);
	free(f.blocks);
	free(f.first);
	free(f.work);
	free(f.waits);
}
