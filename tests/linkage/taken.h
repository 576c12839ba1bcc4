/* SPDX-License-Identifier: MIT */
/* taken.h - functions that are called and whose address is taken: where the linker makes one slot and a stub in .plt.got for both. */
#ifndef TAKEN_H
#define TAKEN_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

typedef int function(int n);

/* m(100) .. m(259) */
#define TEN(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7) m(n##8) m(n##9)
#define ROWS(m) TEN(m, 10) TEN(m, 11) TEN(m, 12) TEN(m, 13) TEN(m, 14) TEN(m, 15) TEN(m, 16) TEN(m, 17) \
	TEN(m, 18) TEN(m, 19) TEN(m, 20) TEN(m, 21) TEN(m, 22) TEN(m, 23) TEN(m, 24) TEN(m, 25)
#define ROW_COUNT 160

int taken(int n);
int hook(int n);                /* what a test puts into the slot of `taken` */
function *address(void);        /* of `taken`, read from the slot */
int once(int n);                /* one call of `taken` */
int calls_taken(int times);     /* another, in a loop */

/* Jumps through a slot: with endbr64 and bnd, or without. */
static inline const unsigned char *jump_of(const unsigned char *stub)
{
	stub += memcmp(stub, "\xf3\x0f\x1e\xfa", 4) ? 0 : 4;
	stub += *stub == 0xf2;
	return stub[0] == 0xff && stub[1] == 0x25 ? stub : NULL;
}

static inline int32_t displacement(const unsigned char *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uintptr_t *slot_behind(const unsigned char *stub)
{
	const unsigned char *jump = jump_of(stub);

	return jump ? (uintptr_t *)((uintptr_t)jump + 6 + (uintptr_t)(intptr_t)displacement(jump + 2)) : NULL;
}

/* The first call in a function: of the stub whose slot holds that target. To be asked before anything is bound. */
static inline const unsigned char *stub_in(const void *caller, const void *target)
{
	const unsigned char *at = caller;

	for (int i = 0; i < 48; i++)
		if (at[i] == 0xe8) {
			const unsigned char *stub = at + i + 5 + displacement(at + i + 1);

			/* the byte may be an operand's: what it leads to need not be memory */
			if (stub > at - 65536 && stub < at + 65536 && slot_behind(stub) && *slot_behind(stub) == (uintptr_t)target)
				return stub;
		}
	return NULL;
}

/* As tools that hook functions do. */
static inline void put(uintptr_t *slot, const void *value)
{
	mprotect((void *)((uintptr_t)slot & ~(uintptr_t)4095), 4096, PROT_READ | PROT_WRITE);
	__atomic_store_n(slot, (uintptr_t)value, __ATOMIC_RELEASE);
}

#endif
