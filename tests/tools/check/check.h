/* SPDX-License-Identifier: MIT */
/* check.h - records written by hand, as no macro would write them. */
#ifndef TOOLS_CHECK_H
#define TOOLS_CHECK_H

#include <relink/relink.h>
#include <relink/alternative.h>
#include <relink/immediate.h>
#include <relink/pointer.h>
#include <relink/sequence.h>
#include <relink/use.h>

/* Records of the label `site`; `word` is a symbol of a word that holds an address, `flags` text. */
#define BRANCH(site, word, flags) \
	".pushsection relink_branch,\"a\",@progbits\n\t.balign 4\n\t.long " site " - .\n\t.long " word " + " flags " - .\n\t.popsection\n\t"
#define PATCH(site, ref, length, kind) \
	".pushsection relink_patch,\"a\",@progbits\n\t.balign 4\n\t.long " site " - .\n\t.long " ref "\n\t" \
	".byte " length "\n\t.byte " kind "\n\t.short 0\n\t.popsection\n\t"
#define USE(site, word, flags, file, function, text, line) \
	".pushsection relink_use_sites,\"a\",@progbits\n\t.balign 4\n\t.long " site " - .\n\t.long " word " + " flags " - .\n\t" \
	".long " file "\n\t.long " function "\n\t.long " text "\n\t.long " line "\n\t.popsection\n\t"
#define FUNCTION(name, text) \
	__asm__(".text\n\t.balign 16\n\t.type " #name ",@function\n" #name ":\n\t" text "\n\tret\n\t.size " #name ", . - " #name "\n\t" \
		".skip 64, 0x90\n\t")
/* Words for records that name them. */
#define WORD(name, object) static const void *const name __attribute__((used)) = (object)

#endif
