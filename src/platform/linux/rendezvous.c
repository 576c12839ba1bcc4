/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.c - one runtime per process, although several modules may have linked a copy of this library.
 *
 * Each copy carries a note that leads to its anchor. Symbols may be hidden or stripped; a note can be found in every
 * module that is loaded.
 */
#include "../platform.h"
#include "system.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#define OWNER "relink"
#define TYPE 0x52454c31 /* REL1 */
#define ABI 1

struct anchor {
	uint32_t abi; /* of this structure */
	void *runtime; /* of the copy that came first */
};

extern struct anchor rl_anchor RL_HIDDEN;

/* The descriptor is 8 bytes; not every assembler has a relocation that fills them. */
#if defined __LP64__ && !defined __riscv
typedef int64_t anchor_offset;
#define OFFSET(expression) ".8byte " expression
#else
typedef int32_t anchor_offset;
#define OFFSET(expression) ".4byte " expression ", 0"
#endif

#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

__asm__(".pushsection .data\n"
	".balign 8\n"
	".globl rl_anchor\n"
	".hidden rl_anchor\n"
	".type rl_anchor, %object\n"
	"rl_anchor:\n"
	"	.4byte	" TEXT(ABI) ", 0, 0, 0\n"
	".size rl_anchor, . - rl_anchor\n"
	".popsection\n"
	".pushsection .note.relink, \"a\", %note\n"
	".balign 4\n"
	"	.4byte	7, 8, " TEXT(TYPE) "\n" /* sizes of name and descriptor */
	"	.asciz	\"" OWNER "\"\n"
	".balign 4\n"
	"9:\n"
	"	" OFFSET("rl_anchor - 9b") "\n"
	".popsection\n");

/* The anchor of the copy in that module, NULL if there is none that can be used. */
static struct anchor *anchor_in(const struct dl_phdr_info *info)
{
	size_t length;
	const uint8_t *descriptor = rl_note(info, OWNER, TYPE, &length);
	anchor_offset offset;
	uintptr_t address;
	struct anchor *anchor;

	if (!descriptor || length != 8)
		return NULL;
	memcpy(&offset, descriptor, sizeof(offset));
	address = (uintptr_t)descriptor + (uintptr_t)(intptr_t)offset;
	if (address % _Alignof(struct anchor) || !rl_segment_holds(info, address, sizeof(*anchor), PF_R | PF_W))
		return NULL;
	anchor = (struct anchor *)address;
	return anchor->abi == ABI ? anchor : NULL;
}

static int find_first(struct dl_phdr_info *info, size_t size, void *context)
{
	const struct anchor *anchor = anchor_in(info);
	void **first = context;

	(void)size;
	if (anchor)
		*first = __atomic_load_n(&anchor->runtime, __ATOMIC_ACQUIRE);
	return *first != NULL;
}

struct offer {
	void *mine, *winner;
};

/* The loader holds its lock around the visit of the first module too: nobody else can be looking. */
static int decide(struct dl_phdr_info *info, size_t size, void *context)
{
	struct offer *offer = context;

	(void)info, (void)size;
	dl_iterate_phdr(find_first, &offer->winner);
	if (!offer->winner) {
		offer->winner = offer->mine;
		__atomic_store_n(&rl_anchor.runtime, offer->mine, __ATOMIC_RELEASE);
	}
	return 1;
}

void *rl_rendezvous(void *mine)
{
	struct offer offer = { mine, NULL };

	dl_iterate_phdr(decide, &offer);
	return offer.winner ? offer.winner : mine;
}
