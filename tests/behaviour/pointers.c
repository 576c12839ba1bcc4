// SPDX-License-Identifier: MIT
// test: VARIANTS "-O0" "-O2" "-O2 -fPIC" "-O2 -DDECLARE=RELINK_WRITABLE_CODE" "-O2 -DDECLARE=RELINK_TRAPS" "-O2 -DFINAL=RELINK_FINAL" NOT generic
/* Accelerated pointers: ordinary C before the first commit, bound and protected after it, changed by commits. */
#include <relink/relink.h>

#include "check.h"

#ifndef DECLARE
#define DECLARE 0
#endif
#ifndef FINAL
#define FINAL 0
#endif

static int one(int x)
{
	return x + 1;
}

static int two(int x)
{
	return x + 2;
}

static int three(int x)
{
	return x + 3;
}

struct codec {
	int (*decode)(int);
	int (*encode)(int);
};

RELINK_POINTER int (*handler)(int) = one;
RELINK_POINTER_INFO(handler, "what handles", FINAL);
RELINK_POINTER static int (*hidden)(int);
RELINK_POINTER_INFO(hidden, "a static one", FINAL);
RELINK_POINTER static int (*table[4])(int) = { one, two };
RELINK_POINTER_INFO(table, "four of them", FINAL);
RELINK_POINTER struct codec codec = { one, two };
RELINK_POINTER_INFO(codec, "a table", FINAL);
RELINK_POINTER int (*bare)(int) = two; /* without a record */

#define APART __attribute__((noinline))

APART static int call_handler(int x)
{
	return handler(x) * 10;
}

APART static int tail_handler(int x)
{
	return handler(x);
}

APART static int call_hidden(int x)
{
	return hidden ? hidden(x) * 10 : 0;
}

APART static int call_codec(int x)
{
	return codec.decode(x) * 100 + codec.encode(x);
}

APART static int call_element(int x)
{
	return table[1](x) * 10;
}

APART static int call_index(volatile int *i, int x)
{
	return table[*i](x) * 10;
}

APART static int call_bare(int x)
{
	return bare(x) * 10;
}

/* ---- what became of the sites ---- */

struct seen {
	unsigned calls, bound, finals, uncommitted, left, uses[RELINK_REASONS];
};

static bool leads_directly(const uint8_t *code)
{
	return code[0] == 0x67 && (code[1] == 0xe8 || code[1] == 0xe9);
}

static bool leads_through(const uint8_t *code)
{
	return code[0] == 0xff && (code[1] == 0x15 || code[1] == 0x25);
}

/* Those with a record that says so: the script of the linkers adds one without. */
static bool is_final(const char *name)
{
	return !strcmp(name, "handler") || !strcmp(name, "hidden") || !strncmp(name, "codec+", 6) || !strncmp(name, "table[", 6);
}

static int see(const struct relink_site_info *info, void *ctx)
{
	const uint8_t *code = (const uint8_t *)info->address;
	struct seen *s = ctx;

	if (info->kind == RELINK_SITE_POINTER_USE)
		s->uses[info->reason]++;
	if (info->kind != RELINK_SITE_POINTER_CALL && info->kind != RELINK_SITE_POINTER_TAIL)
		return 0;
	s->calls++;
	s->bound += info->reason == RELINK_BOUND;
	s->finals += FINAL && is_final(info->choice);
	s->uncommitted += info->reason == RELINK_UNCOMMITTED;
	s->left += info->reason != RELINK_BOUND && DECLARE == RELINK_WRITABLE_CODE && !FINAL && (info->address & 7) <= 2;
	CHECKF(info->reason == RELINK_BOUND ? leads_directly(code) : leads_through(code), "%s: %02x %02x is %s", info->choice, code[0],
	       code[1], relink_reason_name(info->reason));
	return 0;
}

static struct seen look(void)
{
	struct seen s = { 0 };

	CHECK(!relink_each_site(see, &s));
	return s;
}

static void check_bound(void)
{
	struct seen s = look();

	printf("%u calls, %u bound, by register %u, by address %u, by GOT %u\n", s.calls, s.bound, s.uses[RELINK_BY_REGISTER],
	       s.uses[RELINK_BY_ADDRESS], s.uses[RELINK_BY_GOT]);
	CHECK(s.uncommitted == 0 && s.left == 0);
	if (DECLARE == RELINK_TRAPS)
		CHECK(s.bound == s.calls);
	else if (FINAL)
		CHECKF(s.bound == s.finals, "%u final calls", s.finals);
	else if (DECLARE == 0)
		CHECK(s.bound == 0);
#if defined(COUNTS_VARY)
	/* under LTO, compilers clone and go through the GOT as they see fit */
#elif defined(__OPTIMIZE__) && defined(__PIC__) && !defined(__PIE__)
	CHECKF(s.calls >= 1, "%u calls", s.calls); /* what others could come before is found through the GOT: addresses, when linkers have relaxed that */
#elif defined(__OPTIMIZE__)
	/* handler twice, both members, the element, bare; hidden is loaded, and the table found with an index */
	CHECKF(s.calls >= 6, "%u calls", s.calls);
	CHECK(s.uses[RELINK_BY_REGISTER] + s.calls >= 7 && s.uses[RELINK_BY_ADDRESS] >= 1);
#else
	CHECK(s.calls + s.uses[RELINK_BY_REGISTER] + s.uses[RELINK_BY_ADDRESS] >= 7);
#endif
	CHECK(s.uses[RELINK_BY_GOT] == 0);
}

static const char *state;

static int find_state(const struct relink_choice_info *info, void *ctx)
{
	if (strcmp(info->name, ctx))
		return 0;
	CHECK(info->kind == RELINK_PTR);
	state = info->state;
	return 1;
}

/* Valid until the next change. */
static const char *state_of(const char *name)
{
	state = "nobody";
	relink_each_choice(find_state, (void *)(uintptr_t)name);
	return state;
}

static void check_values(int handled, int hidden_one, int codecs, int element)
{
	volatile int index = 1;

	CHECK(call_handler(0) == 10 * handled && tail_handler(0) == handled && call_hidden(0) == 10 * hidden_one);
	CHECK(call_codec(0) == codecs && call_element(0) == 10 * element && call_index(&index, 0) == 10 * element);
	CHECK(call_bare(1) == 30);
}

static void change(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	CHECK_CODE(relink_pointer_set(handler, two, &err), 0, &err);
	check_values(2, 2, 202, 3);
	CHECK(handler == two && !strncmp(state_of("handler"), "custom:", 7));
	CHECK_CODE(relink_pointer_set(codec.encode, three, &err), 0, &err);
	CHECK_CODE(relink_pointer_set(table[1], one, &err), 0, &err);
	check_values(2, 2, 203, 1);
	CHECK_CODE(relink_pointer_set(hidden, NULL, &err), 0, &err);
	CHECK(hidden == NULL && call_hidden(0) == 0 && !strcmp(state_of("hidden"), "custom:NULL"));
	CHECK_CODE(relink_pointer_set(hidden, one, &err), 0, &err);
	check_values(2, 1, 203, 1);
	relink_set_pointer(&c, handler, three);
	relink_set_pointer(&c, codec.decode, one);
	CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), 0, &err);
	check_values(3, 1, 103, 1);
	CHECK_CODE(relink_pointer_clear(handler, &err), 0, &err);
	check_values(1, 1, 103, 1);
	CHECK(handler == one);
}

int main(int argc, char **argv)
{
	struct relink_error err;
	struct seen s;
	int not_marked = 0;

	if (DECLARE == RELINK_WRITABLE_CODE ? !check_allow_stores() : DECLARE && relink_declare(DECLARE, &err))
		check_skip("the system does not allow it");
	CHECK_CODE(relink_init(&argc, argv, &err), 0, &err);
	hidden = two;
	table[1] = three;
	codec.decode = two;
	s = look();
	CHECK(s.bound == 0 && s.uncommitted == s.calls);
	check_values(1, 2, 202, 3);
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	check_bound();
	check_values(1, 2, 202, 3);
	CHECK(!strncmp(state_of("table[1]"), "0x", 2) || strcmp(state_of("table[1]"), "start"));
	CHECK(strcmp(state_of("codec+8"), "nobody") && strcmp(state_of("bare"), "nobody"));
	CHECK_CODE(relink_pointer_set_(&not_marked, (void (*)(void))one, &err), RELINK_E_UNKNOWN, &err);
	if (FINAL) {
		CHECK_CODE(relink_pointer_set(handler, two, &err), RELINK_E_FINAL, &err);
		check_values(1, 2, 202, 3);
	} else {
		change();
	}
	check_bound();
	check_print_status();
	return check_done();
}
