/* SPDX-License-Identifier: MIT */
/* wish.c - what people write, name=state and names of processors, and what that means in a file; by the rules of the runtime. */
#include <relink/cpu.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static bool same(const char *have, const char *text, size_t length)
{
	return strlen(have) == length && !memcmp(have, text, length);
}

/* ---- choices ---- */

/* "libfoo.so.1" goes by that name and by "libfoo". */
static bool is_module(const struct model *model, const char *text, size_t length)
{
	return same(model->name, text, length) || (strcspn(model->name, ".") == length && !memcmp(model->name, text, length));
}

static void list_choices(const struct model *model, char *text, size_t size)
{
	size_t used = 0;

	*text = 0;
	for (size_t i = 0; i < model->choice_count && used < size - 1; i++) {
		const struct model_choice *c = &model->choices[i];

		if (c->table != MODEL_NONE || c->elsewhere || c->anonymous)
			continue;
		if (used > size - 80) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%.60s", used ? ", " : "", c->name);
	}
}

/* The colon behind a module's name; NULL: there is none. Names of C++ have colons of their own. */
static const char *colon_of(const struct model *model, const char *text, size_t length)
{
	for (size_t i = 0; i < model->choice_count; i++)
		if (same(model->choices[i].name, text, length))
			return NULL;
	return memchr(text, ':', length);
}

/* MODEL_NONE, and why. */
static int choice_named(const struct model *model, const char *text, size_t length, char *why, size_t size)
{
	const char *colon = colon_of(model, text, length), *name = colon ? colon + 1 : text;
	size_t name_length = length - (size_t)(name - text);
	int found = MODEL_NONE;
	char list[300];

	if (colon && !is_module(model, text, (size_t)(colon - text))) {
		snprintf(why, size, "%.*s is not this file; bake that one", (int)(colon - text), text);
		return MODEL_NONE;
	}
	for (size_t i = 0; i < model->choice_count; i++) {
		if (!same(model->choices[i].name, name, name_length))
			continue;
		if (found != MODEL_NONE) {
			snprintf(why, size, "it has several choices named %.*s", (int)name_length, name);
			return MODEL_NONE;
		}
		found = (int)i;
	}
	if (found == MODEL_NONE) {
		list_choices(model, list, sizeof(list));
		snprintf(why, size, "no choice is named %.*s; there %s%s", (int)name_length, name, *list ? "are: " : "is none", list);
	}
	return found;
}

static bool can_be_baked(const struct model *model, const struct model_choice *c, char *why, size_t size)
{
	if (c->elsewhere)
		snprintf(why, size, "%s is defined by another module; bake that one, and name it with --with", c->name);
	else if (c->kind == MODEL_POINTER)
		snprintf(why, size, "%s is an accelerated pointer, which the program assigns itself: that can't be baked", c->name);
	else if (c->anonymous)
		snprintf(why, size, "%s has no record in this file; name it with RELINK_NAME_KEY", c->name);
	else if (c->table != MODEL_NONE)
		snprintf(why, size, "%s is a member of the table %s; bake a backend of that", c->name, model->choices[c->table].name);
	else
		return true;
	return false;
}

/* ---- states ---- */

/* What people write for on and off. */
static int key_state(const char *text, size_t length)
{
	static const char *const words[] = { "off", "on", "0", "1", "no", "yes", "false", "true" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (same(words[i], text, length))
			return (int)(i & 1);
	return MODEL_NONE;
}

/* crc=generic is crc=crc_generic, pv=xen is pv=xen_pv. */
static bool is_short_for(const struct model_choice *c, const char *have, const char *text, size_t length)
{
	size_t name = strlen(c->name);

	if (strlen(have) != name + 1 + length)
		return false;
	if (c->kind == MODEL_CALL)
		return !memcmp(have, c->name, name) && have[name] == '_' && !memcmp(have + name + 1, text, length);
	return c->kind == MODEL_OPS && !memcmp(have, text, length) && have[length] == '_' && !memcmp(have + length + 1, c->name, name);
}

static int state_named(const struct model_choice *c, const char *text, size_t length)
{
	if (c->kind == MODEL_KEY)
		return key_state(text, length);
	for (size_t i = 0; i < c->state_count; i++)
		if (same(c->states[i].name, text, length) || is_short_for(c, c->states[i].name, text, length))
			return (int)i;
	return MODEL_NONE;
}

static bool fail_state(const struct model_choice *c, const char *text, size_t length, char *why, size_t size)
{
	size_t used = (size_t)snprintf(why, size, "%s has no state %.*s; there are:", c->name, (int)length, text);

	for (size_t i = 0; i < c->state_count && used < size; i++)
		used += (size_t)snprintf(why + used, size - used, "%s %s", i ? "," : "", c->states[i].name);
	return false;
}

/* ---- numbers ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static bool fits(const struct model_choice *c, uint64_t magnitude, bool negative, uint64_t mask)
{
	if (!(c->flags & RELINK_SIGNED))
		return magnitude <= mask && (!negative || !magnitude);
	return magnitude <= mask / 2 + negative;
}

/* Decimal, or hexadecimal with 0x; a sign for signed ones. */
static bool number_of(const struct model_choice *c, const char *text, size_t length, uint64_t *number)
{
	uint64_t mask = c->width < 8 ? (UINT64_C(1) << 8 * c->width) - 1 : UINT64_MAX, v = 0;
	bool negative = length && *text == '-';
	size_t i = negative;
	unsigned base = 10;

	if (length > i + 2 && text[i] == '0' && (text[i + 1] == 'x' || text[i + 1] == 'X')) {
		base = 16;
		i += 2;
	}
	if (i == length)
		return false;
	for (; i < length; i++) {
		unsigned digit = (unsigned)digit_of(text[i]);

		if (digit >= base || v > (UINT64_MAX - digit) / base)
			return false;
		v = v * base + digit;
	}
	*number = (negative ? 0 - v : v) & mask;
	return fits(c, v, negative, mask);
}

bool model_wish_of(const struct model *model, const char *text, size_t length, struct model_wish *wish, char *why, size_t size)
{
	const char *equals = memchr(text, '=', length), *state = equals ? equals + 1 : "on";
	size_t name_length = equals ? (size_t)(equals - text) : length;
	size_t state_length = equals ? length - name_length - 1 : 2;
	const struct model_choice *c;

	*wish = (struct model_wish){ .state = MODEL_NONE };
	wish->choice = choice_named(model, text, name_length, why, size);
	if (wish->choice == MODEL_NONE)
		return false;
	c = &model->choices[wish->choice];
	if (!can_be_baked(model, c, why, size))
		return false;
	if (c->kind == MODEL_IMMEDIATE) {
		wish->state = 0;
		if (number_of(c, state, state_length, &wish->number))
			return true;
		snprintf(why, size, "%s: %.*s is no %ssigned number of %u bits, in decimal or with 0x", c->name, (int)state_length, state,
			 c->flags & RELINK_SIGNED ? "" : "un", 8 * c->width);
		return false;
	}
	wish->state = state_named(c, state, state_length);
	return wish->state == MODEL_NONE ? fail_state(c, state, state_length, why, size) : true;
}

/* ---- processors ---- */

#define V2 RELINK_CPU(sse3, ssse3, sse4_1, sse4_2, popcnt)
#define V3 (V2 | RELINK_CPU(avx, avx2, bmi1, bmi2, f16c, fma, lzcnt, movbe))
#define V4 (V3 | RELINK_CPU(avx512f, avx512bw, avx512cd, avx512dq, avx512vl))

static bool features_named(const char *text, size_t length, uint64_t *mask)
{
	static const struct { const char *name; uint64_t mask; } levels[] = {
		{ "x86-64", 0 }, { "x86-64-v2", V2 }, { "x86-64-v3", V3 }, { "x86-64-v4", V4 },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (same(levels[i].name, text, length)) {
			*mask = levels[i].mask;
			return true;
		}
	for (unsigned bit = 1; bit < 64; bit++)
		if (model_feature_name(bit) && same(model_feature_name(bit), text, length)) {
			*mask = UINT64_C(1) << bit;
			return true;
		}
	return false;
}

bool model_cpu_of(const char *text, struct model_cpu *cpu, char *why, size_t size)
{
	while (*text) {
		size_t length = strcspn(text, ", ");
		bool not = length && *text == '-';
		uint64_t mask = 0;

		if (length == 2 && !memcmp(text, "-*", 2)) {
			cpu->lacks |= ~cpu->has;
		} else if (length && !features_named(text + not, length - not, &mask)) {
			snprintf(why, size, "%.*s is no feature of processors; relink(1) lists them", (int)length, text);
			return false;
		}
		*(not ? &cpu->lacks : &cpu->has) |= mask;
		*(not ? &cpu->has : &cpu->lacks) &= ~mask;
		text += length + (text[length] != 0);
	}
	return true;
}
