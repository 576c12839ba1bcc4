/* SPDX-License-Identifier: MIT */
/* option.h - how option macros expand; read <relink/option.h> first. */
#ifndef RELINK_DETAIL_OPTION_H
#define RELINK_DETAIL_OPTION_H

#pragma GCC system_header

/*
 * The type of an option depends on the number of its states alone, and the index of a state is the size of an array that
 * nobody defines: both may be declared again, so that the definition may see the declaration and has to agree with it.
 *
 * The first state is the default: its key is true at link time, the others are false. The runtime relies on the keys
 * following `option` as an array of struct relink_key.
 */
#define RELINK_OPTION_TYPE_(n) \
	struct relink_option_##n { \
		struct relink_option option; \
		struct relink_key_true first; \
		struct relink_key_false rest[n - 1]; \
	};
RELINK_OPTION_TYPE_(2)
RELINK_OPTION_TYPE_(3)
RELINK_OPTION_TYPE_(4)
RELINK_OPTION_TYPE_(5)
RELINK_OPTION_TYPE_(6)
RELINK_OPTION_TYPE_(7)
RELINK_OPTION_TYPE_(8)
RELINK_OPTION_TYPE_(9)
RELINK_OPTION_TYPE_(10)
RELINK_OPTION_TYPE_(11)
RELINK_OPTION_TYPE_(12)
RELINK_OPTION_TYPE_(13)
RELINK_OPTION_TYPE_(14)
RELINK_OPTION_TYPE_(15)
RELINK_OPTION_TYPE_(16)

#define RELINK_OPTION_STRUCT_(...) struct RELINK_CAT_(relink_option_, RELINK_COUNT_(__VA_ARGS__))
#define RELINK_OPTION_STATE_(name, i, st) extern char relink_state_##name##_##st[(i) + 1];
#define RELINK_OPTION_NAME_(name, i, st) #st,

#define RELINK_OPTION_DECL_(name, ...) \
	RELINK_STATIC_ASSERT_(RELINK_COUNT_(__VA_ARGS__) >= 2 && RELINK_COUNT_(__VA_ARGS__) <= 16, \
			      "relink: an option has two to sixteen states"); \
	RELINK_EACH_(RELINK_OPTION_STATE_, name, __VA_ARGS__) \
	extern RELINK_OPTION_STRUCT_(__VA_ARGS__) name
#define RELINK_OPTION_DEF_(name, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_OPTION_DECL_(name, __VA_ARGS__); \
	RELINK_OPTION_STRUCT_(__VA_ARGS__) name = { { 0, 0, RELINK_NULL_ }, RELINK_KEY_INIT_TRUE, { RELINK_KEY_INIT_FALSE } }; \
	static const char *const relink_state_names_##name[] = { RELINK_EACH_(RELINK_OPTION_NAME_, name, __VA_ARGS__) }; \
	static struct relink_choice_record relink_record_option_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_OPTION, (flags) }, \
		#name, (doc), &name.option, relink_state_names_##name, RELINK_COUNT_(__VA_ARGS__) }

#define RELINK_STATE_(name, st) ((int)sizeof(relink_state_##name##_##st) - 1)

#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <int i> struct state_key {
	template <class T> static constexpr struct relink_key_false *of(T &option) { return &option.rest[i - 1]; }
};
template <> struct state_key<0> {
	template <class T> static constexpr struct relink_key_true *of(T &option) { return &option.first; }
};
}
}
#define RELINK_OPTION_IS_(name, st) relink_unlikely_at(relink_detail::state_key<RELINK_STATE_(name, st)>::of(name))
#else
#define RELINK_STATE_KEY_(name, st) (&(name).rest[RELINK_STATE_(name, st) ? RELINK_STATE_(name, st) - 1 : 0])
#define RELINK_OPTION_IS_(name, st) \
	__builtin_choose_expr(RELINK_STATE_(name, st) == 0, relink_likely_at(&(name).first), \
			      relink_unlikely_at(RELINK_STATE_KEY_(name, st)))
#endif

#ifdef __cplusplus
#define RELINK_CHECK_CHOOSE_(fn) static_assert(true, "the initialiser of the record checks it")
#else
#define RELINK_CHECK_CHOOSE_(fn) \
	_Static_assert(__builtin_types_compatible_p(__typeof__(*(fn)), const char *(const struct relink_facts *)), \
		       "relink: a choice function takes const struct relink_facts * and returns const char *")
#endif
#define RELINK_CHOOSE_(choice, fn) \
	RELINK_CHECK_CHOOSE_(fn); \
	static struct relink_choose_record RELINK_CAT_(relink_choose_, __COUNTER__) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choose_record), RELINK_RECORD_CHOOSE, 0 }, #choice, (fn) }
#define RELINK_DRIVE_(option, st, choice, to) \
	RELINK_STATIC_ASSERT_(RELINK_STATE(option, st) >= 0, "relink: no such state"); \
	static struct relink_drive_record RELINK_CAT_(relink_drive_, __COUNTER__) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_drive_record), RELINK_RECORD_DRIVE, 0 }, #option, \
		#st, #choice, (to) }

#endif
