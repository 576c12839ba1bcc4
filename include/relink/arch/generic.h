/* SPDX-License-Identifier: MIT */
/*
 * generic.h - the port for machines that have none: keys are flags, static calls are pointers.
 *
 * A port header defines
 *   RELINK_PATCHES_            1 if it emits sites
 *   RELINK_BRANCH_..           the branch forms, if it does (see x86_64.h)
 *   RELINK_TRAMPOLINE_(name)   at file scope: the function `name` that jumps through `relink_slot_name`
 * Without a trampoline in assembly the name of a static call is a macro that calls through the slot.
 */
#ifndef RELINK_ARCH_GENERIC_H
#define RELINK_ARCH_GENERIC_H

#define RELINK_PATCHES_ 0
#define RELINK_DIRECT_REF_ 0

/*
 * The record of a use that is a choice of its own, which tests a byte. Its distances are what C has no expression for; this is
 * nothing but directives, which GNU assemblers for all machines have in common, and no instruction.
 */
#define RELINK_USE_DATA_(ref, flag, flags, file, function, text, line) \
	__asm__ volatile(".Lrelink_site%=:\n\t" RELINK_USE_ENTRY_("%c[relink_flag]") \
			 : : [relink_flag] "i"(flag), [relink_ref] "i"(ref), [relink_flags] "i"(flags), [relink_file] "i"(file), \
			     [relink_function] "i"(function), [relink_text] "i"(text), [relink_line] "i"((line) | RELINK_USE_DATA))

#endif
