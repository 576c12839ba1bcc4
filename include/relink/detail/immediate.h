/* SPDX-License-Identifier: MIT */
/* immediate.h - how macros of immediates expand; read <relink/immediate.h> first. */
#ifndef RELINK_DETAIL_IMMEDIATE_H
#define RELINK_DETAIL_IMMEDIATE_H

#pragma GCC system_header

#ifdef __cplusplus
#define RELINK_C_VARIABLE_ extern "C"
extern "C++" {
namespace relink_detail {
template <class T> inline constexpr bool is_number = __is_enum(T);
template <> inline constexpr bool is_number<bool> = true;
template <> inline constexpr bool is_number<char> = true;
template <> inline constexpr bool is_number<signed char> = true;
template <> inline constexpr bool is_number<unsigned char> = true;
template <> inline constexpr bool is_number<wchar_t> = true;
template <> inline constexpr bool is_number<char16_t> = true;
template <> inline constexpr bool is_number<char32_t> = true;
template <> inline constexpr bool is_number<short> = true;
template <> inline constexpr bool is_number<unsigned short> = true;
template <> inline constexpr bool is_number<int> = true;
template <> inline constexpr bool is_number<unsigned> = true;
template <> inline constexpr bool is_number<long> = true;
template <> inline constexpr bool is_number<unsigned long> = true;
template <> inline constexpr bool is_number<long long> = true;
template <> inline constexpr bool is_number<unsigned long long> = true;
}
}
#define RELINK_IS_NUMBER_(type) relink_detail::is_number<type>
#define RELINK_IMMEDIATE_STORAGE_(name, value) extern "C" { struct relink_immediate name RELINK_IN_FILE_ = { (value), RELINK_NULL_ }; }
#else
#define RELINK_C_VARIABLE_ extern
#define RELINK_IS_NUMBER_(type) (RELINK_CLASSIFY_((type)0) <= 4)
#define RELINK_IMMEDIATE_STORAGE_(name, value) struct relink_immediate name RELINK_IN_FILE_ = { (value), RELINK_NULL_ };
#endif

/* The default is the sizes of three arrays that nobody defines: that may be declared again, and has to agree. */
#define RELINK_IMMEDIATE_DECL_(type, name, value) \
	typedef type relink_type_##name; \
	extern char relink_default_low_##name[(RELINK_MASKED_(type, value) & 0x7fffffff) + 1]; \
	extern char relink_default_middle_##name[(RELINK_MASKED_(type, value) >> 31 & 0x7fffffff) + 1]; \
	extern char relink_default_high_##name[(RELINK_MASKED_(type, value) >> 62) + 1]; \
	RELINK_C_VARIABLE_ struct relink_immediate name
#define RELINK_DEFAULT_OF_(name) \
	((uint64_t)(sizeof(relink_default_low_##name) - 1) | (uint64_t)(sizeof(relink_default_middle_##name) - 1) << 31 | \
	 (uint64_t)(sizeof(relink_default_high_##name) - 1) << 62)
#define RELINK_MASKED_(type, value) \
	((uint64_t)(type)(value) & (sizeof(type) < 8 ? (UINT64_C(1) << (8 * sizeof(type)) % 64) - 1 : UINT64_MAX))
#define RELINK_IMMEDIATE_DEF_(type, name, value, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_STATIC_ASSERT_(RELINK_IS_NUMBER_(type) && sizeof(type) <= 8, "relink: an immediate is an integer of up to 8 bytes"); \
	RELINK_IMMEDIATE_DECL_(type, name, value); \
	RELINK_IMMEDIATE_STORAGE_(name, RELINK_MASKED_(type, value)) \
	static struct relink_choice_record relink_record_immediate_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_IMMEDIATE, \
		  (flags) | ((type)-1 < (type)1 ? RELINK_SIGNED : 0u) }, \
		#name, (doc), &name, RELINK_NULL_, sizeof(type) }

#define RELINK_IMMEDIATE_VALUE_(name, v) RELINK_MASKED_(relink_type_##name, v)

#if !RELINK_PATCHES_
#define RELINK_IMMEDIATE_USE_(name) relink_immediate_value(name)
#else
/* Each width has a variable of its own, or compilers would extend what is extended already. */
#define RELINK_IMMEDIATE_USE_(name) \
	__extension__({ \
		relink_type_##name relink_v_; \
		RELINK_WORD_DEF_(1, &name) \
		if (sizeof(relink_type_##name) <= 4) { \
			uint32_t relink_n_; \
			RELINK_IMMEDIATE_4_(RELINK_WORD_OF_(1), (uint32_t)RELINK_DEFAULT_OF_(name), relink_n_); \
			relink_v_ = (relink_type_##name)relink_n_; \
		} else { \
			uint64_t relink_n_; \
			RELINK_IMMEDIATE_8_(RELINK_WORD_OF_(1), RELINK_DEFAULT_OF_(name), relink_n_); \
			relink_v_ = (relink_type_##name)relink_n_; \
		} \
		relink_v_; \
	})
#endif

#endif
