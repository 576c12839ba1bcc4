/* SPDX-License-Identifier: MIT */
/* use.h - how per-use keys expand; read <relink/use.h> first. They are branches of keys with a longer record. */
#ifndef RELINK_DETAIL_USE_H
#define RELINK_DETAIL_USE_H

#pragma GCC system_header

#define relink_here(k, text) relink_here_at(&(k), text)
#define relink_here_likely(k, text) relink_here_likely_at(&(k), text)
#define relink_log_here(k, call, ...) \
	do { \
		if (relink_here(k, RELINK_FIRST_(__VA_ARGS__, 0))) \
			call(__VA_ARGS__); \
	} while (0)

#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <class T> inline constexpr bool is_text = false;
template <unsigned long n> inline constexpr bool is_text<const char[n]> = true;
template <unsigned long n> inline constexpr bool is_text<const char (&)[n]> = true;
}
}
#define RELINK_CHECK_USE_(p, text) \
	static_assert(relink_detail::is_key_type<__typeof__(*(p))>, "relink: this is not a static key"); \
	static_assert(relink_detail::is_text<__typeof__(text)>, "relink: the text of a use is a string literal");
#else
#define RELINK_CHECK_USE_(p, text) \
	RELINK_CHECK_(RELINK_IS_KEY_(*(p)), "relink: this is not a static key"); \
	RELINK_CHECK_(__builtin_types_compatible_p(__typeof__(text), char[sizeof(text)]), "relink: the text of a use is a string literal");
#endif

#if !RELINK_PATCHES_

/* A byte of its own, which starts as its key does. */
#define relink_here_at(p, text) __builtin_expect(RELINK_HERE_(p, text), 0)
#define relink_here_likely_at(p, text) __builtin_expect(RELINK_HERE_(p, text), 1)
#ifdef __cplusplus
#define RELINK_HERE_(p, text) \
	__extension__({ \
		struct relink_use_ { \
			static constexpr const void *relink_address_() { return (p); } \
			static constexpr bool relink_is_true_() { return relink_detail::is_true_type<__typeof__(*(p))>; } \
		}; \
		RELINK_CHECK_USE_(p, text) \
		typedef relink_detail::data_word<relink_detail::tu, relink_use_> relink_word_; \
		RELINK_DATA_USE_(&relink_word_::value, &relink_word_::flag, relink_word_::is_true ? RELINK_BRANCH_TRUE_KEY : 0u, text); \
		__atomic_load_n(&relink_word_::flag, __ATOMIC_RELAXED) != 0; \
	})
extern "C++" {
namespace relink_detail {
namespace {
struct tu {};
}
template <class Tu, class Use> struct data_word {
	static constexpr const void *value = Use::relink_address_();
	static constexpr bool is_true = Use::relink_is_true_();
	static inline unsigned char flag = is_true;
};
}
}
#else
#define RELINK_HERE_(p, text) \
	__extension__({ \
		static const void *const relink_ref_ = (p); \
		static unsigned char relink_flag_ = RELINK_IS_TRUE_KEY_(*(p)); \
		RELINK_CHECK_USE_(p, text) \
		RELINK_DATA_USE_(&relink_ref_, &relink_flag_, RELINK_IS_TRUE_KEY_(*(p)) ? RELINK_BRANCH_TRUE_KEY : 0u, text); \
		__atomic_load_n(&relink_flag_, __ATOMIC_RELAXED) != 0; \
	})
#endif
#define RELINK_DATA_USE_(ref, flag, flags, text) RELINK_USE_DATA_(ref, flag, flags, __FILE__, __func__, text, __LINE__)

#elif defined(__cplusplus)

#define RELINK_HERE_(p, on_false, text) \
	__extension__({ \
		struct relink_use_ { \
			static constexpr const void *relink_address_() { return (p); } \
			static constexpr bool relink_is_true_() { return relink_detail::is_true_type<__typeof__(*(p))>; } \
		}; \
		RELINK_CHECK_USE_(p, text) \
		RELINK_USE_BRANCH_((relink_detail::word<relink_detail::tu, relink_use_>), on_false, text) \
	})
#define RELINK_WORD_FLAGS_(W, on_false) \
	((on_false ? RELINK_BRANCH_ON_FALSE : 0u) | (W::is_true ? RELINK_BRANCH_TRUE_KEY : 0u) | RELINK_DIRECT_REF_)

/* A label needs a function around it, and its arguments are constants in there only if somebody optimises. */
#ifdef __OPTIMIZE__
#define RELINK_USE_BRANCH_(W, on_false, text) \
	relink_detail::use_branch<RELINK_BARE_ W, on_false>(__FILE__, __func__, text, __LINE__);
extern "C++" {
namespace relink_detail {
template <class W, bool on_false>
static inline __attribute__((always_inline)) bool use_branch(const char *file, const char *function, const char *text, unsigned line)
{
	RELINK_USE_GOTO_(RELINK_WORD_(W), RELINK_WORD_FLAGS_(W, on_false), W::is_true != on_false, file, function, text, line, jumped);
	return false;
jumped:
	return true;
}
}
}
#else
#define RELINK_USE_BRANCH_(W, on_false, text) \
	int relink_r_; \
	typedef RELINK_BARE_ W relink_word_; \
	RELINK_USE_OUT_(RELINK_WORD_(relink_word_), RELINK_WORD_FLAGS_(relink_word_, on_false), relink_word_::is_true != on_false, \
			__FILE__, __func__, text, __LINE__, relink_r_); \
	relink_r_ != 0;
#endif

#else

#if !defined(__clang__)
#define RELINK_HERE_(p, on_false, text) \
	__extension__({ \
		__label__ relink_jumped_; \
		_Bool relink_r_ = 0; \
		RELINK_CHECK_USE_(p, text) \
		RELINK_REF_(p) \
		RELINK_USE_GOTO_(RELINK_REF_OPERAND_(p), RELINK_BRANCH_FLAGS_(p, on_false), RELINK_BRANCH_BORN_(p, on_false), \
				 __FILE__, __func__, text, __LINE__, relink_jumped_); \
		if (0) { relink_jumped_: relink_r_ = 1; } \
		relink_r_; \
	})
#elif defined(__OPTIMIZE__) /* as with plain branches, see key.h */
static inline __attribute__((always_inline, unused)) _Bool
relink_use_branch_(const void *ref, unsigned flags, _Bool jumps, const char *file, const char *function, const char *text, unsigned line)
{
	RELINK_USE_GOTO_(ref, flags, jumps, file, function, text, line, jumped);
	return 0;
jumped:
	return 1;
}
#define RELINK_HERE_(p, on_false, text) \
	__extension__({ \
		RELINK_CHECK_USE_(p, text) \
		RELINK_REF_(p) \
		relink_use_branch_(RELINK_REF_OPERAND_(p), RELINK_BRANCH_FLAGS_(p, on_false), RELINK_BRANCH_BORN_(p, on_false), \
				   __FILE__, __func__, text, __LINE__); \
	})
#else
#define RELINK_HERE_(p, on_false, text) \
	__extension__({ \
		int relink_r_; \
		RELINK_CHECK_USE_(p, text) \
		RELINK_REF_(p) \
		RELINK_USE_OUT_(RELINK_REF_OPERAND_(p), RELINK_BRANCH_FLAGS_(p, on_false), RELINK_BRANCH_BORN_(p, on_false), \
				__FILE__, __func__, text, __LINE__, relink_r_); \
		relink_r_ != 0; \
	})
#endif
#endif

#if RELINK_PATCHES_
#define relink_here_at(p, text) __builtin_expect(RELINK_HERE_(p, 0, text), 0)
#define relink_here_likely_at(p, text) __builtin_expect(!RELINK_HERE_(p, 1, text), 1)
#endif

#endif
