/* SPDX-License-Identifier: MIT */
/*
 * test_routines.c - every variant that this CPU can run against the generic one, and the generic ones against
 * published values and a decoder written another way. Prints what was tested; status 1 if anything differs.
 *
 * Buffers end or begin at a page that can't be read, so that reading beyond them is found too.
 */
#include "routines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTHS 301u
#define ALIGNMENTS 64u
#define ARENA (256u << 10)

static unsigned failures;
static uint64_t seed = 0x9e3779b97f4a7c15u;
static uint8_t *arena, *arena_end; /* ARENA bytes between two unreadable pages */

static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

static void fail(const char *routine, const char *what, size_t size)
{
	if (failures++ < 20)
		printf("FAILED: %s, %s, %zu bytes\n", routine, what, size);
}

static void make_arena(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, ARENA + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map, page, PROT_NONE) || mprotect(map + page + ARENA, page, PROT_NONE)) {
		perror("test_routines: no memory for the buffer");
		exit(2);
	}
	arena = map + page;
	arena_end = arena + ARENA;
}

/* ---- variants ---- */

struct crc_variant {
	const char *name;
	crc_fn *fn;
	bool here;
};
struct lines_variant {
	const char *name;
	lines_fn *fn;
	bool here;
};
struct utf8_variant {
	const char *name;
	utf8_fn *fn;
	bool here;
};

static struct crc_variant crcs[4] = { { "crc_generic", crc_generic, true } };
static struct lines_variant lineses[5] = { { "lines_generic", lines_generic, true } };
static struct utf8_variant utf8s[5] = { { "utf8_generic", utf8_generic, true } };

#if defined(__x86_64__)
#define HAS(feature) (__builtin_cpu_supports(feature) != 0)
static void add_variants(void)
{
	bool avx512 = HAS("avx512f") && HAS("avx512bw");

	crcs[1] = (struct crc_variant){ "crc_sse42", crc_sse42, HAS("sse4.2") };
	crcs[2] = (struct crc_variant){ "crc_vpclmul", crc_vpclmul,
					HAS("avx512f") && HAS("vpclmulqdq") && HAS("pclmul") && HAS("sse4.2") };
	lineses[1] = (struct lines_variant){ "lines_sse2", lines_sse2, true };
	lineses[2] = (struct lines_variant){ "lines_avx2", lines_avx2, HAS("avx2") };
	lineses[3] = (struct lines_variant){ "lines_avx512", lines_avx512, avx512 && HAS("popcnt") };
	utf8s[1] = (struct utf8_variant){ "utf8_ssse3", utf8_ssse3, HAS("ssse3") };
	utf8s[2] = (struct utf8_variant){ "utf8_avx2", utf8_avx2, HAS("avx2") };
	utf8s[3] = (struct utf8_variant){ "utf8_avx512", utf8_avx512, avx512 };
}
#else
static void add_variants(void)
{
}
#endif

static void show(const char *name, bool here)
{
	printf("%-14s %s\n", name, here ? "tested" : "not tested: this CPU lacks it");
}

static void show_variants(void)
{
	for (struct crc_variant *v = crcs; v->name; v++)
		show(v->name, v->here);
	for (struct lines_variant *v = lineses; v->name; v++)
		show(v->name, v->here);
	for (struct utf8_variant *v = utf8s; v->name; v++)
		show(v->name, v->here);
}

/* ---- one buffer through all variants ---- */

static void check_crc(const char *what, const uint8_t *p, size_t size)
{
	uint32_t start = rnd(), want = crc_generic(start, p, size);
	size_t cut = size ? rnd() % size : 0;

	for (struct crc_variant *v = crcs; v->name; v++) {
		if (!v->here)
			continue;
		if (v->fn(start, p, size) != want)
			fail(v->name, what, size);
		if (v->fn(v->fn(start, p, cut), p + cut, size - cut) != want)
			fail(v->name, "in two parts", size);
	}
}

static void check_lines(const char *what, const uint8_t *p, size_t size)
{
	uint64_t want = lines_generic(p, size);

	for (struct lines_variant *v = lineses; v->name; v++)
		if (v->here && v->fn(p, size) != want)
			fail(v->name, what, size);
}

static void check_utf8_is(const char *what, const uint8_t *p, size_t size, bool want)
{
	for (struct utf8_variant *v = utf8s; v->name; v++)
		if (v->here && v->fn(p, size) != want)
			fail(v->name, what, size);
}

static void check_all(const char *what, const uint8_t *p, size_t size)
{
	check_crc(what, p, size);
	check_lines(what, p, size);
	check_utf8_is(what, p, size, utf8_generic(p, size));
}

/* ---- content ---- */

static size_t encode(uint32_t c, uint8_t *p)
{
	if (c < 0x80) {
		p[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xc0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xe0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		p[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (uint8_t)(0xf0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	p[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static bool is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

static uint32_t random_character(void)
{
	static const uint32_t limits[] = { 0x80, 0x800, 0x10000, 0x110000 };
	uint32_t c;

	do
		c = rnd() % limits[rnd() % 4];
	while (is_surrogate(c));
	return c;
}

enum content { ASCII, NEWLINES, TEXT, NOISE, CONTENTS };
static const char *const content_names[] = { "ASCII", "newlines", "well-formed text", "noise" };

static void fill_text(uint8_t *p, size_t size)
{
	while (size) {
		uint8_t bytes[4];
		size_t n = encode(random_character(), bytes);

		if (n > size)
			continue;
		memcpy(p, bytes, n);
		p += n;
		size -= n;
	}
}

static void fill(enum content content, uint8_t *p, size_t size)
{
	if (content == TEXT) {
		fill_text(p, size);
		return;
	}
	for (size_t i = 0; i < size; i++)
		p[i] = content == NOISE ? (uint8_t)rnd() : content == ASCII || rnd() % 3 ? (uint8_t)(rnd() & 0x7f) : '\n';
}

/* ---- tests ---- */

static void test_lengths(void)
{
	for (int content = 0; content < CONTENTS; content++) {
		for (size_t size = 0; size < LENGTHS; size++) {
			for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
				fill((enum content)content, arena + shift, size);
				check_all(content_names[content], arena + shift, size);
				memmove(arena_end - size - shift, arena + shift, size);
				check_all(content_names[content], arena_end - size - shift, size);
			}
		}
	}
}

/* Where the counters of bytes and the lanes of the CRC go round. */
static void test_long(void)
{
	static const size_t sizes[] = { 383, 384, 385, 3071, 3072, 3073, 4079, 4080, 4081, 4096, 8159, 8160, 8161,
					16319, 16320, 16321, 16384, 32640, 65536, 99999, ARENA };

	for (int content = 0; content < CONTENTS; content++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			fill((enum content)content, arena_end - sizes[i], sizes[i]);
			check_all(content_names[content], arena_end - sizes[i], sizes[i]);
		}
	}
	memset(arena, '\n', ARENA);
	check_all("newlines only", arena, ARENA);
	if (lines_generic(arena, ARENA) != ARENA)
		fail("lines_generic", "newlines only", ARENA);
}

static void test_crc_values(void)
{
	uint8_t bytes[48];

	if (crc_generic(0, "123456789", 9) != 0xe3069283)
		fail("crc_generic", "check value of the catalogue", 9);
	memset(bytes, 0, 32);
	if (crc_generic(0, bytes, 32) != 0x8a9136aa)
		fail("crc_generic", "RFC 3720 B.4, zeros", 32);
	memset(bytes, 0xff, 32);
	if (crc_generic(0, bytes, 32) != 0x62a8ab43)
		fail("crc_generic", "RFC 3720 B.4, ones", 32);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	if (crc_generic(0, bytes, 32) != 0x46dd794e)
		fail("crc_generic", "RFC 3720 B.4, counting up", 32);
}

/* Decodes by the bits of the first byte and judges the value; shares no code with the variants. */
static bool is_utf8(const uint8_t *p, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	while (size) {
		unsigned ones = p[0] < 0x80 ? 0 : (unsigned)__builtin_clz(~((uint32_t)p[0] << 24));
		size_t length = ones ? ones : 1;
		uint32_t c = ones ? p[0] & (0xffu >> (ones + 1)) : p[0];

		if (ones == 1 || ones > 4 || length > size)
			return false;
		for (size_t i = 1; i < length; i++) {
			if (p[i] >> 6 != 2)
				return false;
			c = c << 6 | (p[i] & 0x3f);
		}
		if (c < least[length] || c > 0x10ffff || is_surrogate(c))
			return false;
		p += length;
		size -= length;
	}
	return true;
}

/* A short sequence alone, and in the midst of ASCII across every boundary of a vector. */
static void check_sequence(const char *what, const uint8_t *sequence, size_t size, bool everywhere)
{
	static const size_t places[] = { 13, 14, 15, 16, 29, 30, 31, 32, 61, 62, 63, 64 };
	bool want = is_utf8(sequence, size);
	uint8_t *p = arena_end - 80;

	memcpy(arena_end - size, sequence, size);
	check_utf8_is(what, arena_end - size, size, want);
	if (!everywhere)
		return;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memset(p, 'a', 80);
		memcpy(p + places[i], sequence, size);
		check_utf8_is(what, p, 80, want);
		check_utf8_is(what, p, places[i] + size, want);
	}
}

/* All characters there are; all sequences of one and two bytes; of three and four with the rest from the bounds of ranges. */
static void test_utf8_exhaustively(void)
{
	static const uint8_t bounds[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff };
	uint8_t s[4];

	for (uint32_t c = 0; c < 0x200000; c++)
		check_sequence("one character", s, encode(c, s), false);
	for (unsigned ab = 0; ab < 0x10000; ab++) {
		s[0] = (uint8_t)(ab >> 8);
		s[1] = (uint8_t)ab;
		check_sequence("one byte", s, 1, ab % 256 == 0);
		check_sequence("two bytes", s, 2, s[0] >= 0x80);
		for (size_t i = 0; i < sizeof(bounds); i++) {
			s[2] = bounds[i];
			check_sequence("three bytes", s, 3, s[0] >= 0x80);
			for (size_t j = 0; s[0] >= 0x80 && j < sizeof(bounds); j++) {
				s[3] = bounds[j];
				check_sequence("four bytes", s, 4, false);
			}
		}
	}
}

struct flaw {
	const char *what;
	uint8_t bytes[6];
	size_t size;
};
static const struct flaw flaws[] = {
	{ "overlong, two bytes", { 0xc0, 0xaf }, 2 },
	{ "overlong, two bytes, highest", { 0xc1, 0xbf }, 2 },
	{ "overlong, three bytes", { 0xe0, 0x80, 0xaf }, 3 },
	{ "overlong, three bytes, highest", { 0xe0, 0x9f, 0xbf }, 3 },
	{ "overlong, four bytes", { 0xf0, 0x80, 0x80, 0xaf }, 4 },
	{ "overlong, four bytes, highest", { 0xf0, 0x8f, 0xbf, 0xbf }, 4 },
	{ "surrogate, first", { 0xed, 0xa0, 0x80 }, 3 },
	{ "surrogate, last", { 0xed, 0xbf, 0xbf }, 3 },
	{ "pair of surrogates", { 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80 }, 6 },
	{ "U+110000", { 0xf4, 0x90, 0x80, 0x80 }, 4 },
	{ "U+13FFFF", { 0xf4, 0xbf, 0xbf, 0xbf }, 4 },
	{ "U+140000", { 0xf5, 0x80, 0x80, 0x80 }, 4 },
	{ "five bytes", { 0xf8, 0x88, 0x80, 0x80, 0x80 }, 5 },
	{ "six bytes", { 0xfc, 0x84, 0x80, 0x80, 0x80, 0x80 }, 6 },
	{ "fe", { 0xfe }, 1 },
	{ "ff", { 0xff }, 1 },
	{ "continuation alone", { 0x80 }, 1 },
	{ "continuation too many after two bytes", { 0xc3, 0xa4, 0x80 }, 3 },
	{ "continuation too many after three bytes", { 0xe2, 0x82, 0xac, 0xbf }, 4 },
	{ "continuation too many after four bytes", { 0xf0, 0x9f, 0x98, 0x80, 0x80 }, 5 },
	{ "two bytes, cut", { 0xc3 }, 1 },
	{ "three bytes, cut to one", { 0xe2 }, 1 },
	{ "three bytes, cut to two", { 0xe2, 0x82 }, 2 },
	{ "four bytes, cut to one", { 0xf0 }, 1 },
	{ "four bytes, cut to two", { 0xf0, 0x9f }, 2 },
	{ "four bytes, cut to three", { 0xf0, 0x9f, 0x98 }, 3 },
	{ "cut by the next lead byte", { 0xe2, 0x82, 0xc3, 0xa4 }, 4 },
};

/* Every class of flaw at every place of a text, also at its very end, ASCII or not around it. */
static void test_utf8_flaws(void)
{
	for (size_t f = 0; f < sizeof(flaws) / sizeof(flaws[0]); f++) {
		for (size_t place = 0; place < 200; place++) {
			for (size_t after = 0; after < 140; after += 1 + after / 8) {
				size_t size = place + flaws[f].size + after;
				uint8_t *p = arena_end - size;

				fill(place & 1 ? TEXT : ASCII, p, place);
				memcpy(p + place, flaws[f].bytes, flaws[f].size);
				fill(after & 1 ? TEXT : ASCII, p + place + flaws[f].size, after);
				check_utf8_is(flaws[f].what, p, size, false);
			}
		}
	}
}

/* Well-formed text with one byte changed. */
static void test_utf8_mutations(void)
{
	for (int round = 0; round < 200000; round++) {
		size_t size = 1 + rnd() % 300;
		uint8_t *p = arena_end - size;

		fill(TEXT, p, size);
		check_utf8_is("well-formed text", p, size, true);
		p[rnd() % size] = (uint8_t)rnd();
		check_utf8_is("text with one byte changed", p, size, is_utf8(p, size));
		size = rnd() % size;
		check_utf8_is("the same, cut somewhere", p, size, is_utf8(p, size));
	}
}

int main(void)
{
	make_arena();
	add_variants();
	show_variants();
	test_crc_values();
	test_lengths();
	test_long();
	test_utf8_exhaustively();
	test_utf8_flaws();
	test_utf8_mutations();
	if (failures) {
		printf("%u checks failed\n", failures);
		return 1;
	}
	puts("all variants agree");
	return 0;
}
