/* SPDX-License-Identifier: MIT */
/* decode_x86_64.h - reads what a site holds, independently of the library's own port. */
#ifndef TEST_DECODE_X86_64_H
#define TEST_DECODE_X86_64_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <relink/relink.h>

static inline uintptr_t leads_to(const uint8_t *operand)
{
	int32_t distance;

	memcpy(&distance, operand, sizeof(distance));
	return (uintptr_t)(operand + 4) + (uintptr_t)(intptr_t)distance;
}

/* Where an instruction of this kind leads; 0 if it is another one. */
static inline uintptr_t destination(int kind, const uint8_t *bytes)
{
	if (kind == RELINK_SITE_JCC)
		return bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80 ? leads_to(bytes + 2) : 0;
	if (bytes[0] != (kind == RELINK_SITE_CALL ? 0xe8 : 0xe9))
		return 0;
	return leads_to(bytes + 1);
}

/* Does the operand, which is what changes, lie in one aligned word? */
static inline bool one_store(int kind, uintptr_t address)
{
	uintptr_t operand = address + (kind == RELINK_SITE_JCC ? 2 : 1);

	return operand % 8 <= 4;
}

#endif
