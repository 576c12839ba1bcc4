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

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

#define BLOCK 32

/*
 * While code changes, nothing may run that somebody could be changing: no call leaves the library, so these two loops are
 * our own. The empty asm keeps compilers from making a call of memcpy out of the first; blocks of known size are moves.
 */
static void copy(uint8_t *to, const void *from_, size_t n)
{
	const uint8_t *from = from_;

	for (; n >= BLOCK; n -= BLOCK, to += BLOCK, from += BLOCK) {
		__builtin_memcpy(to, from, BLOCK);
		__asm__("" : "+r"(to));
	}
	for (; n; n--) {
		*to++ = *from++;
		__asm__("" : "+r"(to));
	}
}

static bool differs(const void *a_, const void *b_, size_t n)
{
	const uint8_t *a = a_, *b = b_;

	for (; n >= BLOCK; n -= BLOCK, a += BLOCK, b += BLOCK) {
		const word *x = (const word *)(const void *)a, *y = (const word *)(const void *)b;

		if ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]))
			return true;
	}
	for (; n; n--)
		if (*a++ != *b++)
			return true;
	return false;
}

static void step(struct rl_core *core, int at)
{
	if (core->hooks->step)
		core->hooks->step(at);
}

/* The first failure of a commit is the one that it reports. */
static int failed(struct rl_core *core, uintptr_t address, size_t length, int r)
{
	if (!core->failed_length) {
		core->failed_at = address;
		core->failed_length = length;
	}
	return r;
}

/* `r`: what the write said. */
static int check(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length, int r)
{
	core->writes++;
	if (r < 0)
		return failed(core, address, length, r);
	__asm__ volatile("" : : : "memory"); /* the code is to be read again */
	return differs((const void *)address, bytes, length) ? failed(core, address, length, -EIO_) : 0;
}

static int write_checked(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length)
{
	return check(core, address, bytes, length, core->hooks->write(address, bytes, length));
}

static bool is_ours(const struct rl_span *s, size_t at)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->changes[i].at == at)
			return true;
	return false;
}

/* Takes over what others changed since the span was read; a foreign change to a byte of ours is an error. */
static int merge_foreign(struct rl_core *core, struct rl_span *s)
{
	const volatile uint8_t *now = (const volatile uint8_t *)s->start;

	for (size_t i = 0; i < s->length; i++) {
		uint8_t byte = now[i];

		if (byte == s->image[i])
			continue;
		if (is_ours(s, i))
			return failed(core, s->start + i, 1, -EILSEQ_);
		s->image[i] = byte;
		core->foreign++;
	}
	return 0;
}

/* One bit for each page of the span in which a byte changes. */
static uint32_t apply_changes(struct rl_span *s)
{
	size_t skipped = s->start & (PAGE - 1);
	uint32_t pages = 0;

	_Static_assert(RL_SPAN / PAGE < 32, "a span's pages fit into a word");
	for (size_t i = 0; i < s->count; i++) {
		size_t at = s->changes[i].at;
		uint32_t changes = s->image[at] != s->changes[i].to;

		pages |= changes << (skipped + at) / PAGE;
		s->image[at] = s->changes[i].to;
	}
	return pages;
}

/*
 * Writes neighbouring pages together, but none in which nothing changes: a roll-back may be due because just that page can't be
 * written for want of memory.
 */
static int write_pages(struct rl_core *core, const struct rl_span *s, uint32_t pages)
{
	uintptr_t base = s->start & ~(uintptr_t)(PAGE - 1), end = s->start + s->length;
	int r = 0;

	while (pages && !r) {
		unsigned first = (unsigned)__builtin_ctz(pages), count = (unsigned)__builtin_ctz(~(pages >> first));
		uintptr_t from = base + first * PAGE, to = from + count * PAGE;

		from = from < s->start ? s->start : from;
		to = to > end ? end : to;
		r = write_checked(core, from, s->image + (from - s->start), to - from);
		pages &= pages + (UINT32_C(1) << first); /* without its lowest run */
	}
	return r;
}

int rl_span_flush(struct rl_core *core)
{
	struct rl_span *s = core->span;
	size_t length = s->length;
	int r = 0;

	if (!length)
		return 0;
	step(core, RL_STEP_SPAN);
	if (differs((const void *)s->start, s->image, length))
		r = merge_foreign(core, s);
	if (!r)
		r = write_pages(core, s, apply_changes(s));
	s->length = s->count = 0;
	return r;
}

static bool extend(struct rl_span *s, uintptr_t address, size_t length)
{
	uintptr_t end = s->start + s->length;
	size_t more;

	if (!s->length || address < s->start || s->count + length > RL_SPAN_CHANGES)
		return false;
	if (address + length <= end)
		return true;
	if (address > end + GAP || address + length > s->start + RL_SPAN)
		return false;
	more = address + length - end;
	copy(s->image + s->length, (const void *)end, more);
	s->length += more;
	return true;
}

static int restart(struct rl_core *core, uintptr_t address, size_t length)
{
	struct rl_span *s = core->span;
	int r = rl_span_flush(core);

	s->start = address;
	s->length = length;
	s->count = 0;
	copy(s->image, (const void *)address, length);
	return r;
}

int rl_span_put(struct rl_core *core, uintptr_t address, const uint8_t *bytes, size_t length)
{
	struct rl_span *s = core->span;
	int r = extend(s, address, length) ? 0 : restart(core, address, length);

	for (size_t i = 0; i < length; i++, s->count++) {
		s->changes[s->count].at = (uint16_t)(address - s->start + i);
		s->changes[s->count].to = bytes[i];
	}
	return r;
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
	return check(core, word, buffer, sizeof(buffer), core->hooks->store(word, buffer));
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

/* After a fork a page is copied with the next write again, in the parent as in the child. */
static void forget_before_fork(const struct rl_core *core, struct rl_module *module)
{
	unsigned forks = __atomic_load_n(&core->forks, __ATOMIC_RELAXED);

	if (module->forks == forks)
		return;
	for (size_t i = 0; i < module->pages / 8 + 1; i++)
		module->private_pages[i] = 0;
	module->forks = forks;
}

int rl_make_private(struct rl_core *core, struct rl_module *module, uintptr_t address, size_t length)
{
	int r;

	forget_before_fork(core, module);
	r = privatise_page(core, module, address);
	if (!r && (address & (PAGE - 1)) + length > PAGE)
		r = privatise_page(core, module, address + length - 1);
	return r;
}
