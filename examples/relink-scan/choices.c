/* SPDX-License-Identifier: MIT */
/* choices.c - the choices of the program, their variants and what each variant needs. */
#include "choices.h"

#include "source.h"

RELINK_DEFINE_CALL(crc, crc_generic, "CRC-32C of a block");
RELINK_DEFINE_CALL(lines, lines_generic, "newlines in a block");
RELINK_DEFINE_CALL(utf8, utf8_generic, "is a block well-formed UTF-8");

#if defined(__x86_64__)
RELINK_VARIANT(crc, crc_sse42, .needs = RELINK_CPU(sse4_2), .rank = 10);
RELINK_VARIANT(crc, crc_vpclmul, .needs = RELINK_CPU(sse4_2, pclmulqdq, avx512f, vpclmulqdq), .rank = 20);
RELINK_VARIANT(lines, lines_sse2, .rank = 10);
RELINK_VARIANT(lines, lines_avx2, .needs = RELINK_CPU(avx2), .rank = 20);
RELINK_VARIANT(lines, lines_avx512, .needs = RELINK_CPU(avx512f, avx512bw, popcnt), .rank = 30);
RELINK_VARIANT(utf8, utf8_ssse3, .needs = RELINK_CPU(ssse3), .rank = 10);
RELINK_VARIANT(utf8, utf8_avx2, .needs = RELINK_CPU(avx2), .rank = 20);
RELINK_VARIANT(utf8, utf8_avx512, .needs = RELINK_CPU(avx512f, avx512bw), .rank = 30);
#endif

RELINK_KEY_FALSE(trace, "print every file as it is read, to stderr");
RELINK_OPTION(idle, "what a worker does while the queue is empty: sleep, or look again and again", halt, poll);

struct named {
	const char *name;
	uintptr_t address;
};

static const char *find(const struct named *list, size_t count, uintptr_t address)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].address == address)
			return list[i].name;
	return NULL;
}

#define NAMED(function) { #function, (uintptr_t)(function) }
/* The first backend that has a function gives it its name. */
#define MEMBER(backend, member) { #backend "." #member, (uintptr_t)relink_backend_op(source, backend, member) }

const char *choices_function_at(uintptr_t address)
{
	const struct named list[] = {
		NAMED(crc_generic), NAMED(lines_generic), NAMED(utf8_generic), NAMED(crc), NAMED(lines), NAMED(utf8),
#if defined(__x86_64__)
		NAMED(crc_sse42), NAMED(crc_vpclmul), NAMED(lines_sse2), NAMED(lines_avx2), NAMED(lines_avx512),
		NAMED(utf8_ssse3), NAMED(utf8_avx2), NAMED(utf8_avx512),
#endif
		NAMED(source_begin), NAMED(source_look), NAMED(source_fill),
		MEMBER(ahead_source, begin), MEMBER(mmap_source, begin),
		MEMBER(read_source, look), MEMBER(mmap_source, look), MEMBER(read_source, fill), MEMBER(mmap_source, fill),
	};

	return find(list, sizeof(list) / sizeof(list[0]), address);
}
