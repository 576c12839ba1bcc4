/* SPDX-License-Identifier: MIT */
/* base.h - plumbing that every public header needs: linkage, sections, checks, list macros. */
#ifndef RELINK_DETAIL_BASE_H
#define RELINK_DETAIL_BASE_H

#ifdef __cplusplus
#define RELINK_BEGIN_DECLS extern "C" {
#define RELINK_END_DECLS }
#else
#define RELINK_BEGIN_DECLS
#define RELINK_END_DECLS
#endif

#define RELINK_API __attribute__((visibility("default")))

#include <relink/detail/checker.h>

#ifndef __has_attribute
#define __has_attribute(x) 0
#endif
/* A record must survive --gc-sections although nothing refers to it by name. */
#if __has_attribute(retain)
#define RELINK_KEEP_ used, retain
#else
#define RELINK_KEEP_ used
#endif
#define RELINK_RECORD_ __attribute__((section("relink_records"), aligned(8), RELINK_KEEP_))

/*
 * Keys and numbers are zero as a rule, and lie in initialised data all the same: `relink bake` writes another default into the
 * file, and .bss has no place there.
 */
#if defined(__ELF__)
#define RELINK_IN_FILE_ __attribute__((section(".data.relink")))
#else
#define RELINK_IN_FILE_
#endif

#define RELINK_GLOBAL_
#define RELINK_STATIC_ static

#define RELINK_STR_(x) RELINK_STR2_(x)
#define RELINK_STR2_(x) #x
#define RELINK_CAT_(a, b) RELINK_CAT2_(a, b)
#define RELINK_CAT2_(a, b) a##b
#define RELINK_FIRST_(first, ...) first

#ifdef __cplusplus
#define RELINK_STATIC_ASSERT_ static_assert
#elif defined(__CHECKER__)
#define RELINK_STATIC_ASSERT_(cond, message) _Static_assert(1, message)
#else
#define RELINK_STATIC_ASSERT_ _Static_assert
#endif

/* A static assertion that is an expression of type void. */
#ifdef __cplusplus
#define RELINK_CHECK_(cond, message) __extension__({ static_assert(cond, message); (void)0; })
#elif defined(__CHECKER__)
#define RELINK_CHECK_(cond, message) ((void)0)
#else
#define RELINK_CHECK_(cond, message) \
	((void)sizeof(struct { _Static_assert(cond, message); int relink_unused_; }))
#endif

/* A definition without a documentation string has flags, or the 0u that ends every list of arguments, in its place. */
#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <class T> inline constexpr bool is_flags = false;
template <> inline constexpr bool is_flags<unsigned> = true;
}
}
#define RELINK_IS_FLAGS_(x) relink_detail::is_flags<__typeof__(x)>
#else
#define RELINK_IS_FLAGS_(x) (__extension__ __builtin_types_compatible_p(__typeof__(x), unsigned))
#endif
#define RELINK_CHECK_DOC_(doc) RELINK_STATIC_ASSERT_(!RELINK_IS_FLAGS_(doc), "relink: a choice needs a documentation string")

/* How many arguments, from one to thirty-two. */
#define RELINK_COUNT_(...) \
	RELINK_COUNT_PICK_(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, \
			   12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, ~)
#define RELINK_COUNT_PICK_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, \
			   a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, n, ...) n

/* RELINK_EACH_(M, x, a, b, c): M(x, 0, a) M(x, 1, b) M(x, 2, c), up to sixteen. */
#define RELINK_EACH_(M, x, ...) \
	RELINK_EACH_PICK_(__VA_ARGS__, RELINK_E16_, RELINK_E15_, RELINK_E14_, RELINK_E13_, RELINK_E12_, RELINK_E11_, \
			  RELINK_E10_, RELINK_E9_, RELINK_E8_, RELINK_E7_, RELINK_E6_, RELINK_E5_, RELINK_E4_, \
			  RELINK_E3_, RELINK_E2_, RELINK_E1_, ~)(M, x, __VA_ARGS__)
#define RELINK_EACH_PICK_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, M, ...) M
#define RELINK_E1_(M, x, a) M(x, 0, a)
#define RELINK_E2_(M, x, a, b) M(x, 0, a) M(x, 1, b)
#define RELINK_E3_(M, x, a, b, c) RELINK_E2_(M, x, a, b) M(x, 2, c)
#define RELINK_E4_(M, x, a, b, c, d) RELINK_E3_(M, x, a, b, c) M(x, 3, d)
#define RELINK_E5_(M, x, a, b, c, d, e) RELINK_E4_(M, x, a, b, c, d) M(x, 4, e)
#define RELINK_E6_(M, x, a, b, c, d, e, f) RELINK_E5_(M, x, a, b, c, d, e) M(x, 5, f)
#define RELINK_E7_(M, x, a, b, c, d, e, f, g) RELINK_E6_(M, x, a, b, c, d, e, f) M(x, 6, g)
#define RELINK_E8_(M, x, a, b, c, d, e, f, g, h) RELINK_E7_(M, x, a, b, c, d, e, f, g) M(x, 7, h)
#define RELINK_E9_(M, x, a, b, c, d, e, f, g, h, i) RELINK_E8_(M, x, a, b, c, d, e, f, g, h) M(x, 8, i)
#define RELINK_E10_(M, x, a, b, c, d, e, f, g, h, i, j) RELINK_E9_(M, x, a, b, c, d, e, f, g, h, i) M(x, 9, j)
#define RELINK_E11_(M, x, a, b, c, d, e, f, g, h, i, j, k) \
	RELINK_E10_(M, x, a, b, c, d, e, f, g, h, i, j) M(x, 10, k)
#define RELINK_E12_(M, x, a, b, c, d, e, f, g, h, i, j, k, l) \
	RELINK_E11_(M, x, a, b, c, d, e, f, g, h, i, j, k) M(x, 11, l)
#define RELINK_E13_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m) \
	RELINK_E12_(M, x, a, b, c, d, e, f, g, h, i, j, k, l) M(x, 12, m)
#define RELINK_E14_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m, n) \
	RELINK_E13_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m) M(x, 13, n)
#define RELINK_E15_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) \
	RELINK_E14_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m, n) M(x, 14, o)
#define RELINK_E16_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
	RELINK_E15_(M, x, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) M(x, 15, p)

/* The record of a use, for assemblers: operands are named as in RELINK_USE_OPERANDS_. `site` is what it switches. */
#define RELINK_USE_ENTRY_(site) \
	".pushsection relink_use_sites,\"ao?\",@progbits,.Lrelink_site%=\n\t.balign 4\n.Lrelink_record%=:\n\t" \
	".long " site " - .\n\t.long %c[relink_ref] + %c[relink_flags] - .\n\t.long %c[relink_file] - .\n\t" \
	".long %c[relink_function] - .\n\t.long %c[relink_text] - .\n\t.long %c[relink_line]\n\t.popsection"

#include <relink/detail/arch.h>
#include <relink/detail/list.h>
#include <relink/detail/module.h>

#endif
