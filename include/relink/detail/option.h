/* SPDX-License-Identifier: MIT */
/* option.h - how option macros expand; read <relink/option.h> first. */
#ifndef RELINK_DETAIL_OPTION_H
#define RELINK_DETAIL_OPTION_H

#pragma GCC system_header

/* The first state is the default: its key is true at link time, the others are false. */
#define RELINK_OPTION_MEMBER_(name, i, st) struct RELINK_CAT_(relink_option_key_, i) st;
#define RELINK_OPTION_INDEX_(name, i, st) relink_state_##name##_##st = i,
#define RELINK_OPTION_INIT_(name, i, st) RELINK_CAT_(RELINK_OPTION_KEY_INIT_, i)
#define RELINK_OPTION_NAME_(name, i, st) #st,

#define relink_option_key_0 relink_key_true
#define RELINK_OPTION_KEY_INIT_0 RELINK_KEY_INIT_TRUE
#define relink_option_key_1 relink_key_false
#define RELINK_OPTION_KEY_INIT_1 , RELINK_KEY_INIT_FALSE
#define relink_option_key_2 relink_key_false
#define RELINK_OPTION_KEY_INIT_2 , RELINK_KEY_INIT_FALSE
#define relink_option_key_3 relink_key_false
#define RELINK_OPTION_KEY_INIT_3 , RELINK_KEY_INIT_FALSE
#define relink_option_key_4 relink_key_false
#define RELINK_OPTION_KEY_INIT_4 , RELINK_KEY_INIT_FALSE
#define relink_option_key_5 relink_key_false
#define RELINK_OPTION_KEY_INIT_5 , RELINK_KEY_INIT_FALSE
#define relink_option_key_6 relink_key_false
#define RELINK_OPTION_KEY_INIT_6 , RELINK_KEY_INIT_FALSE
#define relink_option_key_7 relink_key_false
#define RELINK_OPTION_KEY_INIT_7 , RELINK_KEY_INIT_FALSE
#define relink_option_key_8 relink_key_false
#define RELINK_OPTION_KEY_INIT_8 , RELINK_KEY_INIT_FALSE
#define relink_option_key_9 relink_key_false
#define RELINK_OPTION_KEY_INIT_9 , RELINK_KEY_INIT_FALSE
#define relink_option_key_10 relink_key_false
#define RELINK_OPTION_KEY_INIT_10 , RELINK_KEY_INIT_FALSE
#define relink_option_key_11 relink_key_false
#define RELINK_OPTION_KEY_INIT_11 , RELINK_KEY_INIT_FALSE
#define relink_option_key_12 relink_key_false
#define RELINK_OPTION_KEY_INIT_12 , RELINK_KEY_INIT_FALSE
#define relink_option_key_13 relink_key_false
#define RELINK_OPTION_KEY_INIT_13 , RELINK_KEY_INIT_FALSE
#define relink_option_key_14 relink_key_false
#define RELINK_OPTION_KEY_INIT_14 , RELINK_KEY_INIT_FALSE
#define relink_option_key_15 relink_key_false
#define RELINK_OPTION_KEY_INIT_15 , RELINK_KEY_INIT_FALSE

/* The runtime relies on the keys following `option` as an array of struct relink_key. */
#define RELINK_OPTION_TYPE_(name, ...) \
	struct relink_option_##name { \
		struct relink_option option; \
		RELINK_EACH_(RELINK_OPTION_MEMBER_, name, __VA_ARGS__) \
	}; \
	enum { RELINK_EACH_(RELINK_OPTION_INDEX_, name, __VA_ARGS__) relink_states_of_##name };

#define RELINK_OPTION_DECL_(name, ...) \
	RELINK_OPTION_TYPE_(name, __VA_ARGS__) \
	extern struct relink_option_##name name
#define RELINK_OPTION_DEFINE_(name, doc, flags, ...) \
	struct relink_option_##name name = { { 0, 0, 0 }, RELINK_EACH_(RELINK_OPTION_INIT_, name, __VA_ARGS__) }; \
	static const char *const relink_state_names_##name[] = { RELINK_EACH_(RELINK_OPTION_NAME_, name, __VA_ARGS__) }; \
	static struct relink_choice_record relink_record_option_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_OPTION, (flags) }, \
		#name, (doc), &name.option, relink_state_names_##name, relink_states_of_##name }
#define RELINK_OPTION_DEF_(name, doc, flags, ...) \
	RELINK_OPTION_TYPE_(name, __VA_ARGS__) \
	RELINK_OPTION_DEFINE_(name, doc, flags, __VA_ARGS__)

#ifdef __cplusplus
#define RELINK_OPTION_IS_(name, st) relink_unlikely_at(&(name).st)
#else
#define RELINK_OPTION_IS_(name, st) \
	__builtin_choose_expr(RELINK_IS_TRUE_KEY_((name).st), relink_likely_at(&(name).st), relink_unlikely_at(&(name).st))
#endif

#define RELINK_CHOOSE_(choice, fn) \
	static struct relink_choose_record RELINK_CAT_(relink_choose_, __COUNTER__) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choose_record), RELINK_RECORD_CHOOSE, 0 }, #choice, (fn) }
#define RELINK_DRIVE_(option, st, choice, to) \
	static struct relink_drive_record RELINK_CAT_(relink_drive_, __COUNTER__) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_drive_record), RELINK_RECORD_DRIVE, 0 }, #option, \
		(RELINK_CHECK_STATE_(option, st) #st), #choice, (to) }
#define RELINK_CHECK_STATE_(option, st)

#endif
