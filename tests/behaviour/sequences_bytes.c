/* test: VARIANTS "-O2" "-O2 -fPIC" "-Os -fomit-frame-pointer" NOT generic thread address undefined */
/* SPDX-License-Identifier: MIT */
/*
 * sequences_bytes.c - a template that is bound is, byte for byte, what the compiler would have emitted: two functions with the same
 * operands in the same registers, one with the text compiled in, the other with a longer text and a template in its place.
 */
#include "check.h"

#define TEMPLATES(T) \
	T(copy, "mov %[in1], %[out]", out, in1, "mov %\\in1, %\\out") \
	T(zero, "xorl %k[out], %k[out]", out, in1, "xorl %\\outd, %\\outd") \
	T(sum, "lea 5(%[in1],%[in1]), %[out]", out, in1, "lea 5(%\\in1,%\\in1), %\\out") \
	T(load, "mov bytes_word(%%rip), %[out]", out, in1, "mov bytes_word(%rip), %\\out") \
	T(narrow, "movl %k[in2], %k[out]", out, in2, "movl %\\in2d, %\\outd")

RELINK_SEQUENCE(place, "what is replaced");
RELINK_SEQUENCE(plain, "as it is compiled");
__attribute__((used)) uint64_t bytes_word = 99;

#define LONG "mov %[in1], %[out]; add %[in2], %[out]; add %[in1], %[out]; add %[in2], %[out]; add $0x12345, %[out]; add $3, %[out]"
#define LONG_LENGTH 23 /* bytes, in any registers but the accumulator */

/* Short nops, so that the end of the text is known: none of the texts ends with such a byte. */
#define PADDED(text) "990: " text "; 991: .fill 23 - (991b - 990b), 1, 0x90"

#define IN(reg, value) register uint64_t in_##reg __asm__(#reg) = (value)
#define FUNCTION(name, sequence, text, o, a, b) \
	static __attribute__((noinline, aligned(64))) uint64_t name(uint64_t x, uint64_t y) \
	{ \
		register uint64_t r __asm__(#o); \
		IN(a, x); \
		IN(b, y); \
		__asm__ volatile("" : "+r"(in_##a), "+r"(in_##b)); \
		relink_wrap(sequence, text, RELINK_OREG(r), RELINK_IREG2(in_##a, in_##b), RELINK_CLOBBERS("cc")); \
		return r; \
	}
#define EACH_SET(M, ...) M(1, __VA_ARGS__, rcx, rdi, rsi) M(2, __VA_ARGS__, r8, r15, rbx) M(3, __VA_ARGS__, r13, rdx, r12) M(4, __VA_ARGS__, rbx, r9, r14)
#define REPLACED(n, name, o, a, b) FUNCTION(name##_##n, place, LONG, o, a, b)
EACH_SET(REPLACED, replaced)
#define COMPILED(n, name, text, o, a, b) FUNCTION(compiled_##name##_##n, plain, PADDED(text), o, a, b)
#define TEMPLATE(name, text, a, b, with) RELINK_TEMPLATE_2(place, name, a, b, with, .rank = -1); EACH_SET(COMPILED, name, text)
TEMPLATES(TEMPLATE)

typedef uint64_t function(uint64_t x, uint64_t y);
#define NAME(name, text, a, b, with) { #name, { compiled_##name##_1, compiled_##name##_2, compiled_##name##_3, compiled_##name##_4 } },
static const struct { const char *name; function *compiled[4]; } templates[] = { TEMPLATES(NAME) };
static function *const replaced[4] = { replaced_1, replaced_2, replaced_3, replaced_4 };

static struct relink_error err;

struct found {
	uintptr_t low, high, site;
};

static int find(const struct relink_site_info *info, void *ctx)
{
	struct found *f = ctx;

	if (info->kind == RELINK_SITE_SEQUENCE && info->address >= f->low && info->address < f->high)
		f->site = info->address;
	return 0;
}

/* Where the sequence is in a function. */
static uintptr_t site_in(function *fn)
{
	struct found f = { (uintptr_t)fn, (uintptr_t)fn + 64, 0 };

	CHECK(relink_each_site(find, &f) == 0 && f.site);
	return f.site;
}

/* What the manuals recommend for n bytes. */
static const unsigned char nops[][9] = {
	{ 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0 }, { 0x0f, 0x1f, 0x40, 0 }, { 0x0f, 0x1f, 0x44, 0, 0 }, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 },
	{ 0x0f, 0x1f, 0x80, 0, 0, 0, 0 }, { 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 }, { 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
};

static void pad_with_longest(unsigned char *bytes)
{
	unsigned at = LONG_LENGTH;

	while (at && bytes[at - 1] == 0x90)
		at--;
	while (at < LONG_LENGTH) {
		unsigned n = LONG_LENGTH - at < 9 ? LONG_LENGTH - at : 9;

		memcpy(bytes + at, nops[n], n);
		at += n;
	}
}

static void compare(const char *name, function *a, function *b)
{
	const unsigned char *p = (const unsigned char *)site_in(a), *q = (const unsigned char *)site_in(b);
	int32_t at;
	unsigned char moved[LONG_LENGTH];

	memcpy(moved, q, sizeof(moved));
	if (!strcmp(name, "load")) { /* the same word, from another place */
		memcpy(&at, q + 3, 4);
		at += (int32_t)(q - p);
		memcpy(moved + 3, &at, 4);
	}
	pad_with_longest(moved);
	for (unsigned i = 0; i < LONG_LENGTH; i++)
		if (!CHECKF(p[i] == moved[i], "%s: byte %u is %02x, not %02x", name, i, p[i], moved[i]))
			break;
	CHECKF(a(1000, UINT64_C(7) << 33) == b(1000, UINT64_C(7) << 33), "%s: %llu", name, (unsigned long long)a(1000, 7));
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	if (relink_get_status(&status) || strncmp(status.mode, "direct", 6))
		check_skip(status.mode);
	for (size_t i = 0; i < COUNT(templates); i++) {
		struct relink_commit c = RELINK_COMMIT;

		relink_set(&c, "place", templates[i].name);
		CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_OK, &err);
		for (size_t k = 0; k < COUNT(replaced); k++)
			compare(templates[i].name, replaced[k], templates[i].compiled[k]);
	}
	return check_done();
}
