/* SPDX-License-Identifier: MIT */
/* number.c - immediates: choices whose states are numbers, which become states by being asked for. */
#include "core/core.h"

static uint64_t mask_of(const struct rl_choice *c)
{
	return c->width < 8 ? (UINT64_C(1) << 8 * c->width) - 1 : UINT64_MAX;
}

static bool fits(const struct rl_choice *c, uint64_t magnitude, bool negative)
{
	uint64_t mask = mask_of(c);

	if (!(c->flags & RELINK_SIGNED))
		return magnitude <= mask && (!negative || !magnitude);
	return magnitude <= mask / 2 + negative;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Decimal, or hexadecimal with 0x; a sign for signed ones. */
static bool parse(const struct rl_choice *c, const char *s, size_t n, uint64_t *value)
{
	bool negative = n && *s == '-';
	uint64_t v = 0;
	unsigned base = 10;
	size_t i = negative;

	if (n > i + 2 && s[i] == '0' && (s[i + 1] == 'x' || s[i + 1] == 'X')) {
		base = 16;
		i += 2;
	}
	if (i == n)
		return false;
	for (; i < n; i++) {
		unsigned digit = (unsigned)digit_of(s[i]);

		if (digit >= base || v > (UINT64_MAX - digit) / base)
			return false;
		v = v * base + digit;
	}
	if (!fits(c, v, negative))
		return false;
	*value = (negative ? 0 - v : v) & mask_of(c);
	return true;
}

static void name_of(const struct rl_choice *c, uint64_t value, char *name, size_t size)
{
	struct rl_text t = rl_text_into(name, size);

	if ((c->flags & RELINK_SIGNED) && value > mask_of(c) / 2) {
		rl_text_add(&t, "-");
		value = (0 - value) & mask_of(c);
	}
	rl_text_add_dec(&t, value);
}

static bool is_asked(const struct rl_choice *c, int state)
{
	if (c->state == state || c->initial == state || (c->touched && c->next_state == state))
		return true;
	for (int level = 0; level < RELINK_LEVELS; level++)
		if (c->asked[level] == state || (c->touched && c->next_asked[level] == state))
			return true;
	return false;
}

void rl_forget_numbers(struct rl_core *core, struct rl_choice *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->variants[i].module && !is_asked(c, (int)i)) {
			core->hooks->free((void *)(uintptr_t)c->variants[i].name);
			c->states[i] = c->variants[i].name = 0;
			c->variants[i].module = 0;
			c->usable[i] = 0;
		}
}

static int free_place(struct rl_core *core, struct rl_choice *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->variants[i].module)
			return (int)i;
	if (c->count == c->capacity && !rl_grow_states(core, c))
		return RL_NONE;
	return (int)c->count++;
}

int rl_number_state(struct rl_core *core, struct rl_choice *c, uint64_t value)
{
	char name[24];
	int place;

	value &= mask_of(c);
	for (size_t i = 0; i < c->count; i++)
		if (c->variants[i].module && c->variants[i].constant == value)
			return (int)i;
	place = free_place(core, c);
	if (place == RL_NONE)
		return RL_NONE;
	name_of(c, value, name, sizeof(name));
	c->variants[place] = (struct rl_variant){ .name = rl_copy_string(core, name), .constant = value, .what = RL_CONSTANT };
	c->states[place] = c->variants[place].name;
	if (!c->states[place])
		return RL_NONE;
	c->variants[place].module = c->module;
	c->usable[place] = 1;
	return place;
}

int rl_want_state(struct rl_core *core, struct rl_choice *c, const char *state, size_t length)
{
	uint64_t value;

	if (c->kind != RELINK_IMM)
		return rl_find_state(c, state, length);
	return parse(c, state, length, &value) ? rl_number_state(core, c, value) : RL_NONE;
}

bool rl_add_immediate(struct rl_core *core, struct rl_module *module, const struct relink_choice_record *record)
{
	struct relink_immediate *immediate = record->object;
	struct rl_choice *c = rl_new_choice(core, module, RELINK_IMM, record->name, record->doc);

	if (!c)
		return false;
	c->flags = record->head.flags;
	c->width = (unsigned)record->count;
	c->immediate = immediate;
	c->initial = c->state = rl_number_state(core, c, immediate->value);
	immediate->choice = c;
	return c->state != RL_NONE;
}
