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

#endif
