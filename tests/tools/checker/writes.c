/* SPDX-License-Identifier: MIT */
/*
 * writes.c - what programs do to marked variables, wrong and right. A line says behind it what is found there, in whatever way it is
 * compiled: numbers of which there is at least one and nothing else; a word in parentheses: only where that is so (pic: the
 * variable is found through the GOT in shared objects).
 */
#include <stdlib.h>
#include <string.h>
#include <relink/relink.h>

#define CASE __attribute__((noinline, used))
#define HIDDEN __attribute__((visibility("hidden")))

struct codec { int (*decode)(int), (*encode)(int), (*flush)(int), (*reset)(int); };
typedef int fn(int);

CASE static int one(int x) { return x; }
CASE static int two(int x) { return x + 1; }

RELINK_POINTER HIDDEN fn *handler = one;
RELINK_POINTER fn *visible = one;
RELINK_POINTER static fn *inner = one;
RELINK_POINTER static struct codec codec = { one, one, one, one };
RELINK_POINTER static fn *table[16] = { one };
RELINK_POINTER_INFO(codec, "a table");
RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(idle, "an option", halt, poll);
RELINK_IMMEDIATE(int, batch, 64, "a number");

fn *plain = one;
extern void take(void *p);
extern fn **given(void);
static fn *plain_table[16];

/* ---- wrong ---- */

CASE void direct(void)
{
	handler = two; // expect: 401
	visible = two; // expect: 401 405
	inner = NULL; // expect: 401
}

CASE void member(fn *f)
{
	codec.encode = f; // expect: 401
}

CASE void element(fn *f)
{
	table[3] = f; // expect: 401
}

CASE void indexed(fn *f, unsigned long i)
{
	table[i] = f; // expect: 401 405
}

CASE void whole(const struct codec *from)
{
	codec = *from; // expect: 401 403 404 405
}

CASE void filled(fn *f)
{
	for (size_t i = 0; i < 16; i++)
		table[i] = f; // expect: 401 403 405
}

CASE void pointed(fn *f, int on)
{
	fn **p = &handler;

	if (on)
		p = &codec.decode;
	*p = f; // expect: 401 405
}

CASE void maybe(fn *f, int on)
{
	fn **p = on ? &inner : &plain;

	*p = f; // expect: 401 405
}

CASE void walked(fn *f, size_t n)
{
	for (fn **p = table; p < table + n; p++)
		*p = f; // expect: 401 403 404 405
}

CASE void kept_over_a_call(void)
{
	fn **p = &inner;
	fn *f = *given();

	*p = f; // expect: 401 405
}

CASE void copied(const void *from, size_t size)
{
	memcpy(&codec, from, size); // expect: 404
	memset(table, 0, size); // expect: 404
}

CASE void exchanged(void)
{
	plain = __atomic_exchange_n(&handler, two, __ATOMIC_ACQ_REL); // expect: 402
}

CASE _Bool compared(fn *old)
{
	return __atomic_compare_exchange_n(&inner, &old, two, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); // expect: 402
}

CASE void state(void)
{
	trace.key.state = 1; // expect: 401 405
	trace.key.count += 2; // expect: 401 402 405
	idle.option.state = 1; // expect: 401 405
	batch.value = 5; // expect: 401 405
}

CASE void passed(void)
{
	take(&handler); // expect: 411
	take(&table[2]); // expect: 411
}

void *volatile stash;
CASE void stored(void)
{
	stash = &codec; // expect: 412
}

CASE void *returned(void) { return &codec.encode; } // expect: 413

__attribute__((used)) void *const in_data[] = { &plain, &inner };

/* ---- right ---- */

CASE int called(int x, size_t i)
{
	int sum = handler(x) + visible(x) + inner(x) + codec.decode(x) + codec.encode(x) + table[3](x) + table[i](x);

	if (handler && inner == two)
		sum += handler(x);
	return sum;
}

CASE int called_last(int x, size_t i)
{
	return i ? codec.reset(x) : table[i & 7](x);
}

CASE int called_all(int x)
{
	int sum = 0;

	for (size_t i = 0; i < 16; i++)
		if (table[i])
			sum += table[i](x);
	return sum;
}

CASE void read_out(struct codec *to, size_t size)
{
	*to = codec;
	memcpy(to, &codec, size);
	plain = handler;
	memcpy(plain_table, table, sizeof(plain_table));
}

CASE int looked_at(const void *other)
{
	return memcmp(&codec, other, sizeof(codec)) + (handler != NULL) + (&handler == other);
}

CASE int changed(struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_pointer(&c, handler, two);
	relink_set_pointer(&c, codec.flush, NULL);
	relink_set_key(&c, trace, true);
	return relink_commit(&c, RELINK_LIVE, err) + relink_pointer_set(inner, two, err) + relink_pointer_clear(table[1], err) +
	       relink_key_inc(trace, err) + relink_option_set(idle, poll, err) + relink_immediate_set(batch, 4, err) +
	       (relink_key_enabled(trace) ? relink_option_state(idle) : relink_immediate_value(batch));
}

CASE int asked(void)
{
	return relink_unlikely(trace) && relink_option_is(idle, poll) ? relink_immediate(batch) : 0;
}

CASE void others(fn *f, size_t i)
{
	plain = f;
	plain_table[i] = f;
	memset(plain_table, 0, sizeof(plain_table));
	take(&plain);
}

RELINK_INIT_CODE __attribute__((used)) void chosen(fn *f)
{
	relink_pointer_init(handler, f);
	relink_pointer_init(codec.decode, f);
	memset(table, 0, sizeof(table));
}

CASE __attribute__((constructor)) void constructed(void)
{
	inner = two;
	table[4] = two;
}

CASE void configured(fn *f)
{
	inner = f; // expect: 401
}

CASE __attribute__((section("my_init"))) void in_section(fn *f)
{
	inner = f; // expect: 401
}

int main(int argc, char **argv)
{
	fn *f = argc > 1 ? one : two;

	(void)argv;
	handler = f;
	codec.reset = f;
	if (relink_pointers_commit(NULL) < 0)
		return 1;
	inner = f; // expect: 406
	return called(1, 2);
}
