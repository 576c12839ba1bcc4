/* SPDX-License-Identifier: MIT */
/* key.h - how key macros expand; read <relink/key.h> first. */
#ifndef RELINK_DETAIL_KEY_H
#define RELINK_DETAIL_KEY_H

/* Range initialisers, statement expressions and asm goto are extensions that these macros need. */
#pragma GCC system_header

#define RELINK_KEY_DECL_(storage, name, type) storage struct type name

#define RELINK_KEY_RECORD_(id, object, name, doc, flags, count) \
	static struct relink_choice_record RELINK_CAT_(relink_record_, id) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_KEY, (flags) }, (name), (doc), (object), RELINK_NULL_, (count) }

#define RELINK_KEY_DEF_(storage, type, init, default_, name, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	storage struct type name RELINK_IN_FILE_ = init; \
	RELINK_KEY_RECORD_(RELINK_CAT_(key_, name), &name.key, #name, (doc), (default_) | (flags), 0)

#define RELINK_KEY_ARRAY_(name, n, doc, type, default_) \
	RELINK_CHECK_DOC_(doc); \
	__extension__ struct type name[n] RELINK_IN_FILE_ = RELINK_INIT_ALL_(n, (default_) != 0); \
	RELINK_KEY_RECORD_(RELINK_CAT_(key_, name), &name[0].key, #name, (doc), (default_), (n))
#ifdef __cplusplus
#define RELINK_INIT_ALL_(n, on) {}
#else
#define RELINK_INIT_ALL_(n, on) { [0 ... (n) - 1] = { { (on), 0, RELINK_NULL_ } } }
#endif

#define RELINK_NAME_KEY_(id, lvalue, name, doc) \
	RELINK_KEY_RECORD_(RELINK_CAT_(named_, id), &(lvalue).key, (name), (doc), \
			   RELINK_IS_TRUE_KEY_(lvalue) ? RELINK_DEFAULT_TRUE : 0u, 0)

/* A word that holds an address, for an asm operand; `n` tells those of one statement apart. */
#ifdef __cplusplus
#define RELINK_WORD_DEF_(n, p) \
	struct relink_use_##n { \
		static constexpr const void *relink_address_() { return (p); } \
		static constexpr bool relink_is_true_() { return false; } \
	};
#define RELINK_WORD_OF_(n) (&relink_detail::word<relink_detail::tu, relink_use_##n>::value)
#else
#define RELINK_WORD_DEF_(n, p) static const void *const relink_word_##n __attribute__((unused)) = (p);
#define RELINK_WORD_OF_(n) (&relink_word_##n)
#endif

#ifdef __cplusplus

#define RELINK_IS_TRUE_KEY_(k) relink_detail::is_true_type<__typeof__(k)>
#define RELINK_KEY_PTR_(k) \
	__extension__({ static_assert(relink_detail::is_key_type<__typeof__(k)>, "relink: this is not a static key"); &(k).key; })

#else

#define RELINK_IS_TRUE_KEY_(k) __builtin_types_compatible_p(__typeof__(k), struct relink_key_true)
#define RELINK_IS_KEY_(k) (RELINK_IS_TRUE_KEY_(k) || __builtin_types_compatible_p(__typeof__(k), struct relink_key_false))
#define RELINK_KEY_PTR_(k) (RELINK_CHECK_(RELINK_IS_KEY_(k), "relink: this is not a static key"), &(k).key)

#endif

#define relink_unlikely(k) relink_unlikely_at(&(k))
#define relink_likely(k) relink_likely_at(&(k))

#if !RELINK_PATCHES_

#define relink_unlikely_at(p) __builtin_expect(relink_key_enabled(*RELINK_KEY_CHECKED_(p)), 0)
#define relink_likely_at(p) __builtin_expect(relink_key_enabled(*RELINK_KEY_CHECKED_(p)), 1)
#ifdef __cplusplus
#define RELINK_KEY_CHECKED_(p) \
	__extension__({ static_assert(relink_detail::is_key_type<__typeof__(*(p))>, "relink: this is not a static key"); (p); })
#else
#define RELINK_KEY_CHECKED_(p) (RELINK_CHECK_(RELINK_IS_KEY_(*(p)), "relink: this is not a static key"), (p))
#endif

#elif defined(__cplusplus)

/*
 * One reference word per use. Its type has internal linkage (through `tu`), so that the word has too: an asm operand may
 * then name it even in an inline function of a shared object.
 */
#define RELINK_KEY_USE_(p, on_false) \
	__extension__({ \
		struct relink_use_ { \
			static constexpr const void *relink_address_() { return (p); } \
			static constexpr bool relink_is_true_() { return relink_detail::is_true_type<__typeof__(*(p))>; } \
			static_assert(relink_detail::is_key_type<__typeof__(*(p))>, "relink: this is not a static key"); \
		}; \
		relink_detail::branch<relink_detail::word<relink_detail::tu, relink_use_>, on_false>(); \
	})
#define relink_unlikely_at(p) __builtin_expect(RELINK_KEY_USE_(p, false), 0)
#define relink_likely_at(p) __builtin_expect(!RELINK_KEY_USE_(p, true), 1)

#else

#define RELINK_BRANCH_FLAGS_(p, on_false) \
	((on_false) | (RELINK_IS_TRUE_KEY_(*(p)) ? RELINK_BRANCH_TRUE_KEY : 0u) | RELINK_DIRECT_REF_)
/* The state at link time: does the site jump? */
#define RELINK_BRANCH_BORN_(p, on_false) (RELINK_IS_TRUE_KEY_(*(p)) != (on_false))

#if RELINK_DIRECT_REF_
/* Unused; a pointer that is no address constant is told so in words that a person understands. */
#define RELINK_REF_(p) static const void *const relink_ref_ __attribute__((unused)) = (p);
#define RELINK_REF_OPERAND_(p) (p)
#else
#define RELINK_REF_(p) static const void *const relink_ref_ = (p);
#define RELINK_REF_OPERAND_(p) (&relink_ref_)
#endif

#if !defined(__clang__)
#define RELINK_KEY_USE_(p, on_false) \
	__extension__({ \
		__label__ relink_jumped_; \
		_Bool relink_r_ = 0; \
		RELINK_CHECK_(RELINK_IS_KEY_(*(p)), "relink: this is not a static key"); \
		RELINK_REF_(p) \
		RELINK_BRANCH_GOTO_(RELINK_REF_OPERAND_(p), RELINK_BRANCH_FLAGS_(p, on_false), \
				    RELINK_BRANCH_BORN_(p, on_false), relink_jumped_); \
		if (0) { relink_jumped_: relink_r_ = 1; } \
		relink_r_; \
	})
#else
/* clang lets no asm goto jump into a statement expression next to another one, so the label lives in a function that
 * is always inlined. Without optimisation its operands are no constants there, and a form without a label is used. */
#ifdef __OPTIMIZE__
static inline __attribute__((always_inline, unused)) _Bool
relink_branch_(const void *ref, unsigned flags, _Bool jumps)
{
	RELINK_BRANCH_GOTO_(ref, flags, jumps, jumped);
	return 0;
jumped:
	return 1;
}
#define RELINK_KEY_USE_(p, on_false) \
	__extension__({ \
		RELINK_CHECK_(RELINK_IS_KEY_(*(p)), "relink: this is not a static key"); \
		RELINK_REF_(p) \
		relink_branch_(RELINK_REF_OPERAND_(p), RELINK_BRANCH_FLAGS_(p, on_false), RELINK_BRANCH_BORN_(p, on_false)); \
	})
#else
#define RELINK_KEY_USE_(p, on_false) \
	__extension__({ \
		int relink_r_; \
		RELINK_CHECK_(RELINK_IS_KEY_(*(p)), "relink: this is not a static key"); \
		RELINK_REF_(p) \
		RELINK_BRANCH_OUT_(RELINK_REF_OPERAND_(p), RELINK_BRANCH_FLAGS_(p, on_false), \
				   RELINK_BRANCH_BORN_(p, on_false), relink_r_); \
		relink_r_ != 0; \
	})
#endif
#endif
#define relink_unlikely_at(p) __builtin_expect(RELINK_KEY_USE_(p, 0), 0)
#define relink_likely_at(p) __builtin_expect(!RELINK_KEY_USE_(p, 1), 1)

#endif

#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <class T> struct key_traits { static constexpr bool key = false, is_true = false; };
template <> struct key_traits<struct relink_key_false> { static constexpr bool key = true, is_true = false; };
template <> struct key_traits<struct relink_key_true> { static constexpr bool key = true, is_true = true; };
template <class T> struct bare { typedef T type; };
template <class T> struct bare<T &> { typedef T type; };
template <class T> inline constexpr bool is_key_type = key_traits<typename bare<T>::type>::key;
template <class T> inline constexpr bool is_true_type = key_traits<typename bare<T>::type>::is_true;

#if RELINK_PATCHES_
namespace {
struct tu {};
}
template <class Tu, class Use> struct word {
	static constexpr const void *value = Use::relink_address_();
	static constexpr bool is_true = Use::relink_is_true_();
};
#if RELINK_DIRECT_REF_
#define RELINK_WORD_(W) (W::value)
#else
#define RELINK_WORD_(W) (&W::value)
#endif
template <class W, bool on_false> static inline __attribute__((always_inline)) bool branch()
{
	RELINK_BRANCH_GOTO_(RELINK_WORD_(W), (on_false ? RELINK_BRANCH_ON_FALSE : 0u) | (W::is_true ? RELINK_BRANCH_TRUE_KEY : 0u) | RELINK_DIRECT_REF_,
			    W::is_true != on_false, jumped);
	return false;
jumped:
	return true;
}
#endif
}
}
#endif

#endif
