/* SPDX-License-Identifier: MIT */
/* sequence.h - how macros of sequences expand; read <relink/sequence.h> first. */
#ifndef RELINK_DETAIL_SEQUENCE_H
#define RELINK_DETAIL_SEQUENCE_H

#pragma GCC system_header

#include <relink/alternative.h>

#ifdef __cplusplus
#define RELINK_INPUT_(x) __extension__({ \
		static_assert(RELINK_IS_WORD_(__typeof__(x)), "relink: an operand of a sequence is an integer or a pointer"); (uint64_t)(x); })
#else
#define RELINK_INPUT_(x) \
	(RELINK_CHECK_(RELINK_IS_WORD_(__typeof__(x)), "relink: an operand of a sequence is an integer or a pointer"), (uint64_t)(x))
#endif

#define RELINK_SEQUENCE_DECL_(name) RELINK_C_ struct relink_sequence name
#ifdef __cplusplus
#define RELINK_SEQUENCE_STORAGE_(name) extern "C" { struct relink_sequence name = { { &name.fn, RELINK_NULL_, RELINK_NULL_ }, relink_do_nothing }; }
#else
#define RELINK_SEQUENCE_STORAGE_(name) struct relink_sequence name = { { &name.fn, RELINK_NULL_, RELINK_NULL_ }, relink_do_nothing }
#endif
#define RELINK_SEQUENCE_DEF_(name, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_SEQUENCE_DECL_(name); \
	RELINK_SEQUENCE_STORAGE_(name); \
	static struct relink_choice_record relink_record_sequence_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_CALL, \
		  (flags) | RELINK_SEQUENCE_FLAG | RELINK_NULLABLE | RELINK_DEFAULT_NULL }, \
		#name, (doc), &name.call, RELINK_NULL_, 0 }

#define RELINK_SEQUENCE_VARIANT_(sequence, name_, flags_, ...) \
	static struct relink_variant_record RELINK_CAT_(relink_variant_##sequence##_, __COUNTER__) RELINK_RECORD_ = { \
		.head = { (uint16_t)sizeof(struct relink_variant_record), RELINK_RECORD_VARIANT, (flags_) }, \
		.call = &sequence.call, .name = (name_), __VA_ARGS__ }
#define RELINK_SEQUENCE_CALL_(sequence, name, ...) \
	RELINK_SEQUENCE_VARIANT_(sequence, #name, 0u, .fn = (void (*)(void))__VA_ARGS__)

#if RELINK_PATCHES_

#define RELINK_WRAP_(sequence, native, on, outputs, in, inputs, clobbers) \
	do { \
		RELINK_WORD_DEF_(1, &sequence) \
		RELINK_LONG_TEXT_ \
		__asm__ volatile(RELINK_SEQUENCE_TEXT_(native, RELINK_OUT_##on##_, RELINK_IN1_##in##_, RELINK_IN2_##in##_, RELINK_IN3_##in##_, \
						       RELINK_TAKE_##in##_, RELINK_GIVE_##on##_, RELINK_CLOBBER_LIST_(clobbers)) \
				 : RELINK_BARE_ outputs : RELINK_BARE_ inputs [relink_word] "i"(RELINK_WORD_OF_(1)) \
				 : "memory" RELINK_VECTORS_ RELINK_AFTER_ clobbers); \
		RELINK_LONG_TEXT_END_ \
	} while (0)
/* C promises strings of 4095 characters; clang sees these as the user's own. */
#ifdef __clang__
#define RELINK_LONG_TEXT_ _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Woverlength-strings\"")
#define RELINK_LONG_TEXT_END_ _Pragma("clang diagnostic pop")
#else
#define RELINK_LONG_TEXT_
#define RELINK_LONG_TEXT_END_
#endif
#define RELINK_CLOBBER_LIST_(clobbers) RELINK_CLOBBER_TEXT_ clobbers
#define RELINK_CLOBBER_TEXT_(...) #__VA_ARGS__

#define RELINK_TEMPLATE_TABLE_(sequence, name) relink_template_##sequence##_##name
#define RELINK_TEMPLATE_RECORD_(sequence, name, operands, ...) \
	RELINK_C_ const char RELINK_TEMPLATE_TABLE_(sequence, name)[] __attribute__((visibility("hidden"))); \
	RELINK_SEQUENCE_VARIANT_(sequence, #name, RELINK_VARIANT_IS_TEMPLATE, \
				 .fn = (void (*)(void))(uintptr_t)RELINK_TEMPLATE_TABLE_(sequence, name), .constant = (operands), __VA_ARGS__)
#define RELINK_OPERAND_out_ 0
#define RELINK_OPERAND_in1_ 1
#define RELINK_OPERAND_in2_ 2
#define RELINK_OPERAND_in3_ 3
#define RELINK_TEMPLATE_0_(sequence, name, text, ...) \
	__asm__(RELINK_TEMPLATE_0_TEXT_("relink_template_" #sequence "_" #name, text)); \
	RELINK_TEMPLATE_RECORD_(sequence, name, 255u | 255u << 8, __VA_ARGS__)
#define RELINK_TEMPLATE_1_(sequence, name, a, text, ...) \
	__asm__(RELINK_TEMPLATE_1_TEXT_("relink_template_" #sequence "_" #name, #a, text)); \
	RELINK_TEMPLATE_RECORD_(sequence, name, RELINK_OPERAND_##a##_ | 255u << 8, __VA_ARGS__)
#define RELINK_TEMPLATE_2_(sequence, name, a, b, text, ...) \
	__asm__(RELINK_TEMPLATE_2_TEXT_("relink_template_" #sequence "_" #name, #a, #b, text)); \
	RELINK_TEMPLATE_RECORD_(sequence, name, RELINK_OPERAND_##a##_ | (unsigned)RELINK_OPERAND_##b##_ << 8, __VA_ARGS__)

#else

#define RELINK_WRAP_(sequence, native, on, outputs, in, inputs, clobbers) \
	__asm__ volatile(native : RELINK_BARE_ outputs : RELINK_BARE_ inputs [relink_unused] "i"(0) : "memory" RELINK_AFTER_ clobbers)
#define RELINK_TEMPLATE_0_(sequence, name, ...) RELINK_STATIC_ASSERT_(1, "")
#define RELINK_TEMPLATE_1_(sequence, name, a, ...) RELINK_STATIC_ASSERT_(1, "")
#define RELINK_TEMPLATE_2_(sequence, name, a, b, ...) RELINK_STATIC_ASSERT_(1, "")

#endif

#endif
