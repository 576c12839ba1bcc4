/* SPDX-License-Identifier: MIT */
/*
 * alternative.h - two, three or four instruction sequences in one place, chosen by CPU features and choices.
 *
 *	RELINK_ALTERNATIVE("call slow_count", "popcntq %[x], %[n]", RELINK_WHEN_HAS(popcnt),
 *			   RELINK_OUT([n] "=a"(n)), RELINK_IN([x] "D"(x)), RELINK_CLOBBERS("rcx", "cc"));
 *
 *	RELINK_ALTERNATIVE_2("mfence", "lfence", RELINK_WHEN_HAS(sse4_2), "", RELINK_WHEN_OFF(ordered),
 *			     RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS("memory"));
 *
 * The first text is what runs from the first instruction on, whatever relink can do. Each arm is text with the same operands
 * and a condition:
 *
 *	RELINK_WHEN_HAS(feature)     the CPU has it (names as in cpu.h)
 *	RELINK_WHEN_LACKS(feature)   it has not
 *	RELINK_WHEN_ON(key)          a static key is true (a key of option.h's options too)
 *	RELINK_WHEN_OFF(key)         it is false
 *
 * The LAST arm whose condition holds is there; without one, the first text. The place is as long as the longest of them, padded
 * with nops; the assembler counts, and refuses more than 255 bytes. Jumps, calls and rip-relative operands of an arm lead where they
 * would have led from the place of the first text; jumps inside of an arm stay inside. Operands must be named. An arm must leave the
 * stack pointer where the first text leaves it at the same depth, since both are unwound by the same tables.
 *
 * The compiler does not know of calls and pushes in a text: files with such ones are compiled with -mno-red-zone, or what functions
 * that call nothing keep below their stack pointer is overwritten, and what is called must not need an aligned stack.
 *
 * Features are decided when the module is loaded, before its code runs. Arms on keys are several instructions: they change at
 * start-up, or with all threads parked: RELINK_STOP (RELINK_E_MODE otherwise). Static calls named in a text are reached
 * through their trampolines.
 *
 * Machines whose code is not rewritten (RELINK_PATCHES_ is 0) run the first text.
 */
#ifndef RELINK_ALTERNATIVE_H
#define RELINK_ALTERNATIVE_H

#include <relink/cpu.h>
#include <relink/key.h>

#define RELINK_WHEN_HAS(feature) RELINK_CPU_BIT_##feature, 0u, 0
#define RELINK_WHEN_LACKS(feature) RELINK_CPU_BIT_##feature, RELINK_ARM_NOT, 0
#define RELINK_WHEN_ON(key) 0, RELINK_ARM_KEY, RELINK_WHEN_KEY_(key)
#define RELINK_WHEN_OFF(key) 0, RELINK_ARM_KEY | RELINK_ARM_NOT, RELINK_WHEN_KEY_(key)

#define RELINK_OUT(...) (__VA_ARGS__)
#define RELINK_IN(...) (__VA_ARGS__)
#define RELINK_CLOBBERS(...) (__VA_ARGS__)

#define RELINK_ALTERNATIVE(native, arm, ...) RELINK_ALTERNATIVE_1_(native, arm, __VA_ARGS__)
#define RELINK_ALTERNATIVE_2(native, arm, ...) RELINK_ALTERNATIVE_2_(native, arm, __VA_ARGS__)
#define RELINK_ALTERNATIVE_3(native, arm, ...) RELINK_ALTERNATIVE_3_(native, arm, __VA_ARGS__)

#include <relink/detail/alternative.h>

#endif
