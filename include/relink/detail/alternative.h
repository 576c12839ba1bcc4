/* SPDX-License-Identifier: MIT */
/* alternative.h - how macros of alternatives expand; read <relink/alternative.h> first. */
#ifndef RELINK_DETAIL_ALTERNATIVE_H
#define RELINK_DETAIL_ALTERNATIVE_H

#pragma GCC system_header

/* An address constant that has been looked at. */
#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <class T> constexpr const void *key_address(const T &key)
{
	static_assert(is_key_type<T>, "relink: this is not a static key");
	return &key;
}
}
}
#define RELINK_WHEN_KEY_(k) relink_detail::key_address(k)
#else
#define RELINK_WHEN_KEY_(k) \
	((const char *)&(k) + 0 * sizeof(struct { _Static_assert(RELINK_IS_KEY_(k), "relink: this is not a static key"); int unused; }))
#endif

#if RELINK_PATCHES_

#define RELINK_ARM_OPERANDS_(n, feature, flags) \
	[relink_word##n] "i"(RELINK_WORD_OF_(n)), [relink_feature##n] "i"(feature), [relink_flags##n] "i"(flags)

/* A condition is three arguments. */
#define RELINK_ALTERNATIVE_1_(native, a, af, ag, ak, outputs, inputs, clobbers) \
	do { \
		RELINK_WORD_DEF_(1, ak) \
		__asm__ volatile(RELINK_ALTERNATIVE_TEXT_1_(native, a) \
				 : RELINK_BARE_ outputs : RELINK_ARM_OPERANDS_(1, af, ag) RELINK_AFTER_ inputs : RELINK_BARE_ clobbers); \
	} while (0)
#define RELINK_ALTERNATIVE_2_(native, a, af, ag, ak, b, bf, bg, bk, outputs, inputs, clobbers) \
	do { \
		RELINK_WORD_DEF_(1, ak) \
		RELINK_WORD_DEF_(2, bk) \
		__asm__ volatile(RELINK_ALTERNATIVE_TEXT_2_(native, a, b) \
				 : RELINK_BARE_ outputs : RELINK_ARM_OPERANDS_(1, af, ag), RELINK_ARM_OPERANDS_(2, bf, bg) RELINK_AFTER_ inputs : RELINK_BARE_ clobbers); \
	} while (0)
#define RELINK_ALTERNATIVE_3_(native, a, af, ag, ak, b, bf, bg, bk, c, cf, cg, ck, outputs, inputs, clobbers) \
	do { \
		RELINK_WORD_DEF_(1, ak) \
		RELINK_WORD_DEF_(2, bk) \
		RELINK_WORD_DEF_(3, ck) \
		__asm__ volatile(RELINK_ALTERNATIVE_TEXT_3_(native, a, b, c) \
				 : RELINK_BARE_ outputs \
				 : RELINK_ARM_OPERANDS_(1, af, ag), RELINK_ARM_OPERANDS_(2, bf, bg), RELINK_ARM_OPERANDS_(3, cf, cg) RELINK_AFTER_ inputs \
				 : RELINK_BARE_ clobbers); \
	} while (0)

#else

/* The unused operand takes the comma in front of the inputs. */
#define RELINK_NATIVE_(conditions, native, outputs, inputs, clobbers) \
	do { \
		conditions \
		__asm__ volatile(native : RELINK_BARE_ outputs : [relink_unused] "i"(0) RELINK_AFTER_ inputs : RELINK_BARE_ clobbers); \
	} while (0)
#define RELINK_LOOK_AT_(feature, flags, key) (void)(feature); (void)(key);
#define RELINK_ALTERNATIVE_1_(native, a, af, ag, ak, outputs, inputs, clobbers) \
	RELINK_NATIVE_(RELINK_LOOK_AT_(af, ag, ak), native, outputs, inputs, clobbers)
#define RELINK_ALTERNATIVE_2_(native, a, af, ag, ak, b, bf, bg, bk, outputs, inputs, clobbers) \
	RELINK_NATIVE_(RELINK_LOOK_AT_(af, ag, ak) RELINK_LOOK_AT_(bf, bg, bk), native, outputs, inputs, clobbers)
#define RELINK_ALTERNATIVE_3_(native, a, af, ag, ak, b, bf, bg, bk, c, cf, cg, ck, outputs, inputs, clobbers) \
	RELINK_NATIVE_(RELINK_LOOK_AT_(af, ag, ak) RELINK_LOOK_AT_(bf, bg, bk) RELINK_LOOK_AT_(cf, cg, ck), native, outputs, inputs, clobbers)

#endif

#endif
