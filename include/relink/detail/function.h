/* SPDX-License-Identifier: MIT */
/* function.h - how macros of function variants expand; read <relink/function.h> first. */
#ifndef RELINK_DETAIL_FUNCTION_H
#define RELINK_DETAIL_FUNCTION_H

#pragma GCC system_header

/* As RELINK_EACH_, which may go on around it; up to eight. */
#define RELINK_ALL_(M, x, ...) \
	RELINK_ALL_PICK_(__VA_ARGS__, RELINK_A8_, RELINK_A7_, RELINK_A6_, RELINK_A5_, RELINK_A4_, RELINK_A3_, RELINK_A2_, \
			 RELINK_A1_, ~)(M, x, __VA_ARGS__)
#define RELINK_ALL_PICK_(a, b, c, d, e, f, g, h, M, ...) M
#define RELINK_A1_(M, x, a) M(x, 0, a)
#define RELINK_A2_(M, x, a, b) M(x, 0, a) M(x, 1, b)
#define RELINK_A3_(M, x, a, b, c) RELINK_A2_(M, x, a, b) M(x, 2, c)
#define RELINK_A4_(M, x, a, b, c, d) RELINK_A3_(M, x, a, b, c) M(x, 3, d)
#define RELINK_A5_(M, x, a, b, c, d, e) RELINK_A4_(M, x, a, b, c, d) M(x, 4, e)
#define RELINK_A6_(M, x, a, b, c, d, e, f) RELINK_A5_(M, x, a, b, c, d, e) M(x, 5, f)
#define RELINK_A7_(M, x, a, b, c, d, e, f, g) RELINK_A6_(M, x, a, b, c, d, e, f) M(x, 6, g)
#define RELINK_A8_(M, x, a, b, c, d, e, f, g, h) RELINK_A7_(M, x, a, b, c, d, e, f, g) M(x, 7, h)

/* What stands between the elements of a list, by the index of what follows. */
#define RELINK_BETWEEN_(i, comma) RELINK_CAT_(RELINK_BETWEEN_, i)(comma)
#define RELINK_BETWEEN_0(comma)
#define RELINK_BETWEEN_1(comma) RELINK_BARE_ comma
#define RELINK_BETWEEN_2(comma) RELINK_BARE_ comma
#define RELINK_BETWEEN_3(comma) RELINK_BARE_ comma
#define RELINK_BETWEEN_4(comma) RELINK_BARE_ comma
#define RELINK_BETWEEN_5(comma) RELINK_BARE_ comma
#define RELINK_BETWEEN_6(comma) RELINK_BARE_ comma
#define RELINK_BETWEEN_7(comma) RELINK_BARE_ comma

/* ---- what there is to say of a read, by kind: k for keys, o for options, n for numbers ---- */

#ifdef __cplusplus
#define RELINK_READ_TYPE_relink_k(name) bool
#else
#define RELINK_READ_TYPE_relink_k(name) _Bool
#endif
#define RELINK_READ_TYPE_relink_o(name) int
#define RELINK_READ_TYPE_relink_n(name) relink_type_##name

#define RELINK_READ_NOW_relink_k(name) relink_key_enabled(name)
#define RELINK_READ_NOW_relink_o(name) relink_option_state(name)
#define RELINK_READ_NOW_relink_n(name) relink_immediate_value(name)

#define RELINK_READ_OBJECT_relink_k(name) RELINK_WHEN_KIND_KEY, 0, &(name).key
#define RELINK_READ_OBJECT_relink_o(name) RELINK_WHEN_KIND_OPTION, 0, &(name).option
#define RELINK_READ_OBJECT_relink_n(name) RELINK_WHEN_KIND_IMMEDIATE, 0, &(name)

#define RELINK_READ_VALUE_relink_k(name, state) RELINK_READ_VALUE_##state##_
#define RELINK_READ_VALUE_on_ 1
#define RELINK_READ_VALUE_off_ 0
#define RELINK_READ_VALUE_relink_o(name, state) RELINK_STATE(name, state)
#define RELINK_READ_VALUE_relink_n(name, value) RELINK_MASKED_(relink_type_##name, value)

/* ---- the function ---- */

/* Parameters behind those for the reads, and none for (void), which is known by having no names. */
#define RELINK_MORE_0(parameters)
#define RELINK_MORE_1(parameters) , RELINK_BARE_ parameters

#define RELINK_READ_PARAMETER_(x, i, read) RELINK_BETWEEN_(i, (,)) RELINK_READ_PARAMETER2_ read
#define RELINK_READ_PARAMETER2_(kind, name, parameter) const RELINK_READ_TYPE_##kind(name) parameter __attribute__((unused))
#define RELINK_FUNCTION_HEAD_(name, parameters, arguments, reads) \
	static inline __attribute__((always_inline)) relink_result_##name relink_body_##name( \
		RELINK_ALL_(RELINK_READ_PARAMETER_, ~, RELINK_BARE_ reads) \
		RELINK_CAT_(RELINK_MORE_, RELINK_ANY_ arguments)(parameters))

/* The name says what is wrong where it is not declared. Inside of a variant both are declared again for what that is for. */
#define RELINK_READ_DECLARE_(function, i, read) RELINK_READ_DECLARE2_(function, RELINK_BARE_ read)
#define RELINK_READ_DECLARE2_(...) RELINK_READ_DECLARE3_(__VA_ARGS__)
#define RELINK_READ_DECLARE3_(function, kind, name, parameter) enum { relink_##function##_reads_##name = 0, relink_##function##_has_##name = 0 };

#define RELINK_READ_ARGUMENT_(function, i, read) RELINK_BETWEEN_(i, (,)) RELINK_READ_ARGUMENT2_(function, RELINK_BARE_ read)
#define RELINK_READ_ARGUMENT2_(...) RELINK_READ_ARGUMENT3_(__VA_ARGS__)
#define RELINK_READ_ARGUMENT3_(function, kind, name, parameter) \
	(RELINK_READ_TYPE_##kind(name))(relink_##function##_reads_##name \
		? (RELINK_READ_TYPE_##kind(name))relink_##function##_has_##name : (RELINK_READ_TYPE_##kind(name))RELINK_READ_NOW_##kind(name))
#define RELINK_CALL_BODY_OF_(name, arguments, reads) \
	relink_body_##name(RELINK_ALL_(RELINK_READ_ARGUMENT_, name, RELINK_BARE_ reads) RELINK_AFTER_ arguments)

/* A condition of RELINK_FOR: in the variant, in its record, in its name. */
#define RELINK_GIVEN_(function, i, is) RELINK_GIVEN2_(function, RELINK_BARE_ is)
#define RELINK_GIVEN2_(...) RELINK_GIVEN3_(__VA_ARGS__)
#define RELINK_GIVEN3_(function, kind, name, value) \
	(void)relink_##function##_reads_##name; \
	enum { relink_##function##_reads_##name = 1 }; \
	const RELINK_READ_TYPE_##kind(name) relink_##function##_has_##name __attribute__((unused)) = \
		(RELINK_READ_TYPE_##kind(name))RELINK_READ_VALUE_##kind(name, value);
#define RELINK_GIVEN_WHEN_(function, i, is) RELINK_GIVEN_WHEN2_ is
#define RELINK_GIVEN_WHEN2_(kind, name, value) { RELINK_READ_OBJECT_##kind(name), RELINK_READ_VALUE_##kind(name, value) },
#define RELINK_GIVEN_NAME_(function, i, is) RELINK_BETWEEN_(i, ("+")) RELINK_GIVEN_NAME2_ is
#define RELINK_GIVEN_NAME2_(kind, name, value) #name "=" RELINK_STR_(value)
/* More conditions rank higher; of as many, what comes first. Compilers do not keep the order of records. */
#define RELINK_RANK_(i, conditions) (0 RELINK_ALL_(RELINK_ONE_MORE_, ~, RELINK_BARE_ conditions)) * 16 + 15 - (i)
#define RELINK_ONE_MORE_(x, i, is) +1

/* A function without a result returns what its body does not. */
#ifdef __cplusplus
#define RELINK_VARIANT_BODY_(name, variant, parameters, ...) \
	__attribute__((section(".text.relink." #name "." #variant))) static relink_result_##name relink_##name##_##variant parameters \
	{ __VA_ARGS__ }
#else
#define RELINK_VARIANT_BODY_(name, variant, parameters, ...) \
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpedantic\"") \
	__attribute__((section(".text.relink." #name "." #variant))) static relink_result_##name relink_##name##_##variant parameters \
	{ __VA_ARGS__ } \
	_Pragma("GCC diagnostic pop")
#endif

#define RELINK_FOR_(x, i, conditions) RELINK_FOR2_(RELINK_BARE_ x, i, conditions)
#define RELINK_FOR2_(...) RELINK_FOR3_(__VA_ARGS__)
#define RELINK_FOR3_(name, parameters, arguments, reads, i, conditions) \
	RELINK_VARIANT_BODY_(name, i, parameters, RELINK_ALL_(RELINK_GIVEN_, name, RELINK_BARE_ conditions) \
						  return RELINK_CALL_BODY_OF_(name, arguments, reads);) \
	static const struct relink_when relink_when_##name##_##i[] = { \
		RELINK_ALL_(RELINK_GIVEN_WHEN_, ~, RELINK_BARE_ conditions) { 0, 0, RELINK_NULL_, 0 } \
	}; \
	RELINK_VARIANT_RECORD_(name, RELINK_ALL_(RELINK_GIVEN_NAME_, ~, RELINK_BARE_ conditions), 0u, \
			       .fn = (void (*)(void))relink_##name##_##i, \
			       .rank = RELINK_RANK_(i, conditions), .when = relink_when_##name##_##i);

#define RELINK_FUNCTION_(flags, name, parameters, arguments, doc, reads, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_FUNCTION_HEAD_(name, parameters, arguments, reads); \
	RELINK_ALL_(RELINK_READ_DECLARE_, name, RELINK_BARE_ reads) \
	RELINK_VARIANT_BODY_(name, generic, parameters, return RELINK_CALL_BODY_OF_(name, arguments, reads);) \
	RELINK_CHECK_TARGET_(name, relink_##name##_generic); \
	RELINK_CALL_BODY_(name, relink_##name##_generic, doc, flags); \
	RELINK_VARIANT_RECORD_(name, "generic", 0u, .fn = (void (*)(void))relink_##name##_generic); \
	RELINK_EACH_(RELINK_FOR_, (name, parameters, arguments, reads), __VA_ARGS__) \
	RELINK_FUNCTION_HEAD_(name, parameters, arguments, reads)

#endif
