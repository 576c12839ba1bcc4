/* SPDX-License-Identifier: MIT */
/*
 * write.c - bytes into code: one at a time, by aligned words, or by spans of neighbouring changes.
 *
 * A span rewrites bytes between the changes with their own values. It is read immediately before and after the write: a byte
 * that somebody else changed since we planned is taken over, not lost, and counted.
 */
#include "core/core.h"

#define GAP 1024 /* a second system call costs more than copying this much */
#define PAGE 4096u
#define EIO_ 5
#define EILSEQ_ 84

static void copy(uint8_t *to, const void *from, size_t n)
{
	__builtin_memcpy(to, from, n);
}

static bool differs(const void *a, const void *b, size_t n)
{
	return __builtin_memcmp(a, b, n) != 0;
}

static void step(struct rl_core *core, int at)
{
	if (core->hooks->step)
		core->hooks->step(at);
}

static int write_checked(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length)
{
	int r = core->hooks->write(address, bytes, length);

	core->writes++;
	if (r < 0)
		return r;
	return differs((const void *)address, bytes, length) ? -EIO_ : 0;
}

/* Takes over what others changed in the span; a foreign change to a byte of ours is an error. */
static int merge_foreign(struct rl_core *core, struct rl_span *s)
{
	const volatile uint8_t *now = (const volatile uint8_t *)s->start;

	if (!differs((const void *)s->start, s->old, s->length))
		return 0;
	for (size_t i = 0; i < s->length; i++) {
		uint8_t byte = now[i];

		if (byte == s->old[i])
			continue;
		if (s->old[i] != s->new[i])
			return -EILSEQ_;
		s->old[i] = s->new[i] = byte;
		core->foreign++;
	}
	return 0;
}

int rl_span_flush(struct rl_core *core)
{
	struct rl_span *s = core->span;
	int r;

	if (!s->length)
		return 0;
	step(core, RL_STEP_SPAN);
	r = merge_foreign(core, s);
	if (!r && differs(s->old, s->new, s->length))
		r = write_checked(core, s->start, s->new, s->length);
	s->length = 0;
	return r;
}

static bool extend(struct rl_span *s, uintptr_t address, size_t length)
{
	uintptr_t end = s->start + s->length;
	size_t more;

	if (!s->length || address < s->start)
		return false;
	if (address + length <= end)
		return true;
	if (address > end + GAP || address + length > s->start + RL_SPAN)
		return false;
	more = address + length - end;
	copy(s->old + s->length, (const void *)end, more);
	copy(s->new + s->length, s->old + s->length, more);
	s->length += more;
	return true;
}

int rl_span_put(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length)
{
	struct rl_span *s = core->span;
	int r;

	if (!extend(s, address, length)) {
		r = rl_span_flush(core);
		if (r)
			return r;
		s->start = address;
		s->length = length;
		copy(s->old, (const void *)address, length);
		copy(s->new, s->old, length);
	}
	copy(s->new + (address - s->start), bytes, length);
	return 0;
}

int rl_store_word(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length)
{
	const uint8_t *now = (const uint8_t *)address;
	uint8_t buffer[8];
	uintptr_t word;
	size_t first = 0;

	while (first < length && now[first] == bytes[first])
		first++;
	if (first == length)
		return 0;
	/* The port promised that all bytes that differ lie in this word. */
	word = (address + first) & ~(uintptr_t)7;
	copy(buffer, (const void *)word, sizeof(buffer));
	for (size_t i = 0; i < length; i++)
		if (address + i >= word && address + i < word + 8)
			buffer[address + i - word] = bytes[i];
	return write_checked(core, word, buffer, sizeof(buffer));
}

static int privatise_page(struct rl_core *core, struct rl_module *module, uintptr_t address)
{
	size_t page = address / PAGE - module->text_start / PAGE;
	uint8_t byte;
	int r;

	if (page >= module->pages || (module->private_pages[page / 8] & (1u << page % 8)))
		return 0;
	byte = *(const volatile uint8_t *)address;
	r = write_checked(core, address, &byte, 1);
	if (!r)
		module->private_pages[page / 8] |= (uint8_t)(1u << page % 8);
	return r;
}

int rl_make_private(struct rl_core *core, struct rl_module *module, uintptr_t address, size_t length)
{
	int r = privatise_page(core, module, address);

	if (!r && (address & (PAGE - 1)) + length > PAGE)
		r = privatise_page(core, module, address + length - 1);
	return r;
}

int rl_sync(struct rl_core *core)
{
	int r = rl_span_flush(core);

	if (r)
		return r;
	core->barriers++;
	return core->hooks->barrier();
}
