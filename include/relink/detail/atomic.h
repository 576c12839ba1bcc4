/* SPDX-License-Identifier: MIT */
/* atomic.h - how macros of atomic operations expand; read <relink/atomic.h> first. */
#ifndef RELINK_DETAIL_ATOMIC_H
#define RELINK_DETAIL_ATOMIC_H

#pragma GCC system_header

#ifndef __cplusplus
#include <stdbool.h>
#endif

/* As GCC's typeclass.h has it: integers, characters, enumerations and truth values come first, then pointers. */
#define RELINK_CHECK_ATOMIC_CLASS_(p, last, text) \
	RELINK_CHECK_((sizeof(*(p)) == 4 || sizeof(*(p)) == 8) && RELINK_CLASS_OF_(p) <= (last), text)
#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <class T> struct class_of { enum : int { value = __builtin_classify_type(T()) }; };
template <class T> struct class_of<T &> : class_of<T> {};
}
}
#define RELINK_CLASS_OF_(p) relink_detail::class_of<__typeof__(*(p))>::value
#else
#define RELINK_CLASS_OF_(p) RELINK_CLASSIFY_(*(p))
#endif
#define RELINK_CHECK_ATOMIC_(p) RELINK_CHECK_ATOMIC_CLASS_(p, 4, "relink: atomic operations are on integers of 4 or 8 bytes")
#define RELINK_CHECK_ATOMIC_WORD_(p) \
	RELINK_CHECK_ATOMIC_CLASS_(p, 5, "relink: atomic operations are on integers of 4 or 8 bytes, and on pointers")
/* The type of what is there, as a value: in C++ that of *(p) would be a reference. */
#define RELINK_ATOMIC_TYPE_(p) __typeof__(__atomic_load_n((p), __ATOMIC_RELAXED))

/* ---- always locked ---- */

#define RELINK_SHARED_VOID_(op, p, v) \
	(RELINK_CHECK_ATOMIC_(p), (void)__atomic_fetch_##op((p), (RELINK_ATOMIC_TYPE_(p))(v), __ATOMIC_SEQ_CST))
#define RELINK_SHARED_CMPXCHG_(p, expected, desired) \
	__extension__({ \
		RELINK_CHECK_ATOMIC_WORD_(p); \
		RELINK_ATOMIC_TYPE_(p) relink_found_ = (RELINK_ATOMIC_TYPE_(p))(expected); \
		__atomic_compare_exchange_n((p), &relink_found_, (desired), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		relink_found_; \
	})
#define RELINK_BIT_(p, nr) ((RELINK_ATOMIC_TYPE_(p))(UINT64_C(1) << ((nr) & (8 * sizeof(*(p)) - 1))))
/* `nr` is looked at twice, so it is taken once. */
#define RELINK_SHARED_BIT_(op, p, nr) \
	__extension__({ \
		RELINK_CHECK_ATOMIC_(p); \
		const unsigned relink_nr_ = (unsigned)(nr) & (8 * (unsigned)sizeof(*(p)) - 1); \
		((uint64_t)__atomic_fetch_##op((p), RELINK_SHARED_MASK_##op##_(p, relink_nr_), __ATOMIC_SEQ_CST) >> relink_nr_ & 1) != 0; \
	})
#define RELINK_SHARED_MASK_or_(p, nr) RELINK_BIT_(p, nr)
#define RELINK_SHARED_MASK_and_(p, nr) (~RELINK_BIT_(p, nr))
#define RELINK_SHARED_MASK_xor_(p, nr) RELINK_BIT_(p, nr)

#define RELINK_SHARED_FETCH_(op, p, v) (RELINK_CHECK_ATOMIC_(p), __atomic_fetch_##op((p), (v), __ATOMIC_SEQ_CST))
#define RELINK_SHARED_TEST_(p, v) (RELINK_CHECK_ATOMIC_(p), __atomic_sub_fetch((p), (v), __ATOMIC_SEQ_CST) == 0)
#define RELINK_SHARED_TRY_(p, expected, desired) \
	(RELINK_CHECK_ATOMIC_WORD_(p), \
	 RELINK_CHECK_(sizeof(*(p)) == sizeof(*(expected)), "relink: the expected value is of another width"), \
	 __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))

#define RELINK_REF_UNLESS_ZERO_(try, p) \
	__extension__({ \
		RELINK_ATOMIC_TYPE_(p) relink_seen_ = relink_atomic_load(p); \
		while (relink_seen_ != 0 && !try((p), &relink_seen_, relink_seen_ + 1)) \
			; \
		relink_seen_ != 0; \
	})

/* A race detector knows the compiler's operations, not ours. */
#if defined(__SANITIZE_THREAD__)
#define RELINK_ATOMIC_SITES_ 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RELINK_ATOMIC_SITES_ 0
#endif
#endif
#ifndef RELINK_ATOMIC_SITES_
#define RELINK_ATOMIC_SITES_ RELINK_PATCHES_
#endif

#if !RELINK_ATOMIC_SITES_

#define RELINK_ATOMIC_VOID_(op, p, v) RELINK_LOCKED_##op##_(p, v)
#define RELINK_ATOMIC_UNARY_(op, p) RELINK_LOCKED_##op##_(p)
#define RELINK_ATOMIC_FETCH_(p, v) relink_atomic_fetch_add_shared(p, v)
#define RELINK_ATOMIC_CMPXCHG_(p, expected, desired) relink_atomic_cmpxchg_shared(p, expected, desired)
#define RELINK_ATOMIC_TRY_(p, expected, desired) relink_atomic_try_cmpxchg_shared(p, expected, desired)
#define RELINK_LOCKED_add_(p, v) relink_atomic_add_shared(p, v)
#define RELINK_LOCKED_sub_(p, v) relink_atomic_sub_shared(p, v)
#define RELINK_LOCKED_and_(p, v) relink_atomic_and_shared(p, v)
#define RELINK_LOCKED_or_(p, v) relink_atomic_or_shared(p, v)
#define RELINK_LOCKED_xor_(p, v) relink_atomic_xor_shared(p, v)
#define RELINK_LOCKED_inc_(p) relink_atomic_inc_shared(p)
#define RELINK_LOCKED_dec_(p) relink_atomic_dec_shared(p)
#define RELINK_LOCKED_dec_and_test_(p) relink_atomic_dec_and_test_shared(p)
#define RELINK_LOCKED_sub_and_test_(p, v) relink_atomic_sub_and_test_shared(p, v)
#define RELINK_LOCKED_bts_(p, nr) relink_atomic_test_and_set_bit_shared(p, nr)
#define RELINK_LOCKED_btr_(p, nr) relink_atomic_test_and_clear_bit_shared(p, nr)
#define RELINK_LOCKED_btc_(p, nr) relink_atomic_test_and_change_bit_shared(p, nr)

#else

/* The operand may be an int, a long or a long long. */
typedef uint32_t relink_u32_ __attribute__((may_alias));
typedef uint64_t relink_u64_ __attribute__((may_alias));

#define RELINK_ATOMIC_FN_ static inline __attribute__((always_inline, unused))

#define RELINK_ATOMIC_BINARY_DEF_(op, bits, letter, constraint) \
	RELINK_ATOMIC_FN_ void relink_##op##_##bits##_(volatile void *p, uint##bits##_t v) \
	{ \
		__asm__ __inline__ volatile(RELINK_LOCK_ #op letter " %1, %0" \
					    : "+m"(*(volatile relink_u##bits##_ *)p) : constraint(v) : "memory", "cc"); \
	}
#define RELINK_ATOMIC_UNARY_DEF_(op, bits, letter) \
	RELINK_ATOMIC_FN_ void relink_##op##_##bits##_(volatile void *p) \
	{ \
		__asm__ __inline__ volatile(RELINK_LOCK_ #op letter " %0" \
					    : "+m"(*(volatile relink_u##bits##_ *)p) : : "memory", "cc"); \
	}
#define RELINK_ATOMIC_BIT_DEF_(op, bits, letter) \
	RELINK_ATOMIC_FN_ bool relink_##op##_##bits##_(volatile void *p, uint##bits##_t nr) \
	{ \
		bool was; \
		__asm__ __inline__ volatile(RELINK_LOCK_ #op letter " %2, %0" \
					    : "+m"(*(volatile relink_u##bits##_ *)p), "=@ccc"(was) \
					    : "Jr"(nr & (bits - 1)) : "memory", "cc"); \
		return was; \
	}

#define RELINK_ATOMIC_DEFS_(bits, letter, immediate) \
	RELINK_ATOMIC_BINARY_DEF_(add, bits, letter, immediate) \
	RELINK_ATOMIC_BINARY_DEF_(sub, bits, letter, immediate) \
	RELINK_ATOMIC_BINARY_DEF_(and, bits, letter, immediate) \
	RELINK_ATOMIC_BINARY_DEF_(or, bits, letter, immediate) \
	RELINK_ATOMIC_BINARY_DEF_(xor, bits, letter, immediate) \
	RELINK_ATOMIC_UNARY_DEF_(inc, bits, letter) \
	RELINK_ATOMIC_UNARY_DEF_(dec, bits, letter) \
	RELINK_ATOMIC_BIT_DEF_(bts, bits, letter) \
	RELINK_ATOMIC_BIT_DEF_(btr, bits, letter) \
	RELINK_ATOMIC_BIT_DEF_(btc, bits, letter) \
	RELINK_ATOMIC_FN_ bool relink_dec_and_test_##bits##_(volatile void *p) \
	{ \
		bool zero; \
		__asm__ __inline__ volatile(RELINK_LOCK_ "dec" letter " %0" \
					    : "+m"(*(volatile relink_u##bits##_ *)p), "=@ccz"(zero) : : "memory", "cc"); \
		return zero; \
	} \
	RELINK_ATOMIC_FN_ bool relink_sub_and_test_##bits##_(volatile void *p, uint##bits##_t v) \
	{ \
		bool zero; \
		__asm__ __inline__ volatile(RELINK_LOCK_ "sub" letter " %2, %0" \
					    : "+m"(*(volatile relink_u##bits##_ *)p), "=@ccz"(zero) : immediate(v) : "memory", "cc"); \
		return zero; \
	} \
	RELINK_ATOMIC_FN_ uint##bits##_t relink_fetch_add_##bits##_(volatile void *p, uint##bits##_t v) \
	{ \
		__asm__ __inline__ volatile(RELINK_LOCK_ "xadd" letter " %0, %1" \
					    : "+r"(v), "+m"(*(volatile relink_u##bits##_ *)p) : : "memory", "cc"); \
		return v; \
	} \
	RELINK_ATOMIC_FN_ bool relink_try_cmpxchg_##bits##_(volatile void *p, void *expected, uint##bits##_t desired) \
	{ \
		relink_u##bits##_ *e = (relink_u##bits##_ *)expected; \
		uint##bits##_t found = *e; \
		bool same; \
		__asm__ __inline__ volatile(RELINK_LOCK_ "cmpxchg" letter " %3, %1" \
					    : "+a"(found), "+m"(*(volatile relink_u##bits##_ *)p), "=@ccz"(same) \
					    : "r"(desired) : "memory", "cc"); \
		if (!same) \
			*e = found; \
		return same; \
	} \
	RELINK_ATOMIC_FN_ uint##bits##_t relink_cmpxchg_##bits##_(volatile void *p, uint##bits##_t found, uint##bits##_t desired) \
	{ \
		__asm__ __inline__ volatile(RELINK_LOCK_ "cmpxchg" letter " %2, %1" \
					    : "+a"(found), "+m"(*(volatile relink_u##bits##_ *)p) : "r"(desired) : "memory", "cc"); \
		return found; \
	}

RELINK_ATOMIC_DEFS_(32, "l", "ir")
RELINK_ATOMIC_DEFS_(64, "q", "er")

#define RELINK_ATOMIC_VOID_(op, p, v) \
	(RELINK_CHECK_ATOMIC_(p), sizeof(*(p)) == 4 ? relink_##op##_32_((p), (uint32_t)(v)) : relink_##op##_64_((p), (uint64_t)(v)))
#define RELINK_ATOMIC_UNARY_(op, p) \
	(RELINK_CHECK_ATOMIC_(p), sizeof(*(p)) == 4 ? relink_##op##_32_(p) : relink_##op##_64_(p))
#define RELINK_ATOMIC_FETCH_(p, v) \
	(RELINK_CHECK_ATOMIC_(p), \
	 (RELINK_ATOMIC_TYPE_(p))(sizeof(*(p)) == 4 ? relink_fetch_add_32_((p), (uint32_t)(v)) \
						    : relink_fetch_add_64_((p), (uint64_t)(v))))
#define RELINK_ATOMIC_CMPXCHG_(p, expected, desired) \
	(RELINK_CHECK_ATOMIC_WORD_(p), \
	 (RELINK_ATOMIC_TYPE_(p))(sizeof(*(p)) == 4 \
					  ? relink_cmpxchg_32_((p), (uint32_t)(uint64_t)(expected), (uint32_t)(uint64_t)(desired)) \
					  : relink_cmpxchg_64_((p), (uint64_t)(expected), (uint64_t)(desired))))
#define RELINK_ATOMIC_TRY_(p, expected, desired) \
	(RELINK_CHECK_ATOMIC_WORD_(p), \
	 RELINK_CHECK_(sizeof(*(p)) == sizeof(*(expected)), "relink: the expected value is of another width"), \
	 sizeof(*(p)) == 4 ? relink_try_cmpxchg_32_((p), (expected), (uint32_t)(uint64_t)(desired)) \
			   : relink_try_cmpxchg_64_((p), (expected), (uint64_t)(desired)))

#endif

#endif
