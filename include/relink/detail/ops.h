/* SPDX-License-Identifier: MIT */
/* ops.h - how the macros of operations tables expand; read <relink/ops.h> first. */
#ifndef RELINK_DETAIL_OPS_H
#define RELINK_DETAIL_OPS_H

/* As in call.h: functions without a prototype, typeof, casts between functions and objects. */
#pragma GCC system_header

/*
 * RELINK_OPS_EACH_(list, M, a, b) is M(a, b, ret, name, args) for each op(ret, name, args) of a list, of any length.
 *
 * The list is expanded with op = (M, a, b), which gives (M, a, b)(ret, name, args)(M, a, b)(..)... HEAD_ takes the first of a pair,
 * TAIL_ the second, and each leaves the other behind it. The parentheses that they put come to be in the next pass, so that only
 * the pass after that sees calls of M.
 */
#define RELINK_OPS_EACH_(list, ...) RELINK_OPS_PASS_(RELINK_OPS_STOP_(RELINK_OPS_START_(list((__VA_ARGS__)))))
#define RELINK_OPS_START_(...) RELINK_OPS_HEAD_ __VA_ARGS__
#define RELINK_OPS_HEAD_(M, ...) M RELINK_OPS_OPEN_ RELINK_OPS_NONE_ () () __VA_ARGS__ RELINK_OPS_TAIL_
#define RELINK_OPS_TAIL_(...) , __VA_ARGS__ RELINK_OPS_CLOSE_ RELINK_OPS_NONE_ () () RELINK_OPS_HEAD_
#define RELINK_OPS_STOP_(...) RELINK_OPS_STOP2_(__VA_ARGS__)
#define RELINK_OPS_STOP2_(...) __VA_ARGS__##STOP_
#define RELINK_OPS_HEAD_STOP_
#define RELINK_OPS_OPEN_() (
#define RELINK_OPS_CLOSE_() )
#define RELINK_OPS_NONE_()
#define RELINK_OPS_PASS_(...) __VA_ARGS__

#define RELINK_OP_FIRST_(...) RELINK_FIRST_(__VA_ARGS__, ~)

/* ---- declaration ---- */

#define RELINK_OPS_DECL_(table, list) \
	struct table##_ops { \
		list(RELINK_OP_FIELD_) \
	}; \
	RELINK_OPS_EACH_(list, RELINK_OP_DECL_, table) \
	RELINK_C_ struct relink_ops relink_ops_##table
#define RELINK_OP_FIELD_(ret, name, args) ret (*RELINK_PRIVATE_ name) args;
/* The function type that is left of the operation's when only the first argument counts. */
#define RELINK_OP_DECL_(table, ret, name, args) \
	RELINK_CALL_DECL_OF_(ret, table##_##name, args, 1); \
	typedef ret relink_first_##table##_##name(RELINK_OP_FIRST_ args);

/* ---- definition ---- */

#define RELINK_OPS_DEF_(table, list, backend, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_CHECK_BACKEND_(table, backend); \
	RELINK_C_DEF_(extern struct relink_op relink_op_##table[] __attribute__((visibility("hidden")));) \
	struct relink_ops relink_ops_##table = { \
		{ RELINK_FORCED_(void (*)(void), &relink_ops_##table.bound), RELINK_NULL_, RELINK_NULL_ }, #table, (void (*)(void))&backend }; \
	RELINK_OPS_EACH_(list, RELINK_OP_DEF_, table, backend, flags) \
	static struct relink_op_list relink_op_list_##table = { \
		&relink_ops_##table, relink_op_##table, sizeof(struct table##_ops) / sizeof(void (*)(void)) }; \
	RELINK_C_DEF_(struct relink_op relink_op_##table[] = { RELINK_OPS_EACH_(list, RELINK_OP_ENTRY_, table) };) \
	static struct relink_ops_record relink_record_ops_##table RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_ops_record), RELINK_RECORD_OPS, (flags) }, #table, (doc), &relink_op_list_##table }; \
	RELINK_BACKEND_RECORDS_(table, #backend, .fn = (void (*)(void))&backend)

#define RELINK_OP_DEF_(table, backend, flags, ret, name, args) \
	RELINK_OP_MISSING_FN_(table, ret, name) \
	RELINK_OP_STORAGE_(table##_##name, backend.name) \
	RELINK_TRAMPOLINE_(table##_##name) \
	static struct relink_choice_record relink_record_call_##table##_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_CALL, ((flags) & RELINK_FINAL) | RELINK_OWNED }, \
		#table "_" #name, "", &relink_call_##table##_##name, RELINK_NULL_, 0 };

#define RELINK_OP_ENTRY_(table, ret, name_, args) \
	{ #name_, &relink_op_list_##table, &relink_call_##table##_##name_, (void (*)(void))relink_missing_##table##_##name_, \
	  offsetof(struct table##_ops, name_), RELINK_NULL_ },
#define RELINK_OP_AT_(table, name) (&relink_op_##table[offsetof(struct table##_ops, name) / sizeof(void (*)(void))])

/* Takes whatever the caller passes, and returns zero of any type. Where the caller expects nothing, C returns a char. */
#ifdef __cplusplus
#define RELINK_OP_MISSING_FN_(table, ret, name) \
	extern "C" __attribute__((used, visibility("hidden"))) ret relink_missing_##table##_##name(...) \
	{ \
		relink_op_missing_(RELINK_OP_AT_(table, name), __builtin_return_address(0)); \
		return relink_detail::zero<ret>(); \
	}
#else
#ifdef __CHECKER__
#define RELINK_OP_ANY_ARGS_ (void)
#else
#define RELINK_OP_ANY_ARGS_ ()
#endif
#define RELINK_NOT_VOID_(is_void, T) __typeof__(*__builtin_choose_expr(is_void, (char *)0, (T *)0))
#define RELINK_OP_MISSING_FN_(table, ret, name) \
	__attribute__((used, visibility("hidden"))) \
	RELINK_NOT_VOID_(RELINK_IS_VOID_(ret), ret) relink_missing_##table##_##name RELINK_OP_ANY_ARGS_ \
	{ \
		static __typeof__(relink_missing_##table##_##name()) zero; \
		relink_op_missing_(RELINK_OP_AT_(table, name), __builtin_return_address(0)); \
		return zero; \
	}
#endif

/* A backend's member is no constant in C, but its address is: until the runtime has read the backend a few instructions do. */
#if RELINK_PATCHES_
#define RELINK_OP_STORAGE_(name, member) \
	RELINK_C_DEF_( \
		extern const void *const relink_at_##name __attribute__((visibility("hidden"))); \
		const void *const relink_at_##name __attribute__((used, visibility("hidden"))) = &member; \
		extern void relink_early_##name(void) __attribute__((visibility("hidden"))); \
		RELINK_CALL_STORAGE_(name, relink_early_##name)) \
	RELINK_EARLY_(name)
#else
#define RELINK_OP_STORAGE_(name, member) RELINK_C_DEF_(RELINK_CALL_STORAGE_(name, relink_missing_##name))
#endif

/* ---- backends ---- */

#define RELINK_BACKEND_EXPAND_(table, backend, ...) RELINK_BACKEND_(table, backend, __VA_ARGS__)
#define RELINK_BACKEND_(table, backend, ...) \
	RELINK_CHECK_BACKEND_(table, backend); \
	RELINK_BACKEND_RECORDS_(table, #backend, .fn = (void (*)(void))&__VA_ARGS__)

/* A module with a copy of the library of its own says what markers are there. */
#define RELINK_BACKEND_RECORDS_(table, name_, ...) \
	RELINK_OP_MARK_(RELINK_OP_MARK_NOP, (void (*)(void))relink_do_nothing, 0, 0u); \
	RELINK_OP_MARK_(RELINK_OP_MARK_IDENTITY, (void (*)(void))relink_do_identity, 0, 0u); \
	static struct relink_variant_record RELINK_CAT_(relink_backend_##table##_, __COUNTER__) RELINK_RECORD_ = { \
		.head = { (uint16_t)sizeof(struct relink_variant_record), RELINK_RECORD_VARIANT, 0u }, \
		.call = &relink_ops_##table.call, .name = (name_), __VA_ARGS__ }
#define RELINK_OP_MARK_(what, fn, constant, flags) \
	static struct relink_op_mark_record RELINK_CAT_(relink_op_mark_, __COUNTER__) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_op_mark_record), RELINK_RECORD_OP_MARK, (flags) }, (what), (fn), (constant) }

#define RELINK_NO_BACKEND_ "relink: this is not a struct of functions of that table"
#define RELINK_NOP_NEEDS_VOID_ "relink: a member that does nothing must return void"
#define RELINK_IDENTITY_NEEDS_WORD_ \
	"relink: a member that returns its first argument needs an argument and a result of one size, integers or pointers"

#ifdef __cplusplus
extern "C++" {
namespace relink_detail {
template <class R> R zero() { return R(); }
template <class T> struct plain { typedef T type; };
template <class T> struct plain<const T> { typedef T type; };
template <class A, class B> inline constexpr bool is_same = false;
template <class A> inline constexpr bool is_same<A, A> = true;
template <class F> struct first { static constexpr bool is_result = false; };
template <class R, class A> struct first<R(A)> {
	static constexpr bool is_result = is_word<R> && is_word<A> && sizeof(R) == sizeof(A) &&
					  sizeof(R) <= sizeof(void *) && is_same<R, bool> == is_same<A, bool>;
};
template <class A> struct first<void(A)> { static constexpr bool is_result = false; };
template <bool ok> struct nop {
	static_assert(ok, RELINK_NOP_NEEDS_VOID_);
	static constexpr int zero = 0;
};
template <bool ok> struct identity {
	static_assert(ok, RELINK_IDENTITY_NEEDS_WORD_);
	static constexpr int zero = 0;
};
template <class F, class V> struct constant;
template <class R, class... A, class V> struct constant<R(A...), V> {
	static R fn(A...) { return V::value(); }
};
template <class T, class P> inline any backend(P *p)
{
	static_assert(is_same<T, typename plain<P>::type>, RELINK_NO_BACKEND_);
	return (any)p;
}
}
}
#define RELINK_CHECK_BACKEND_(table, backend) \
	static_assert(relink_detail::is_same<relink_detail::plain<__typeof__(backend)>::type, struct table##_ops>, RELINK_NO_BACKEND_)
#define RELINK_BACKEND_FN_(table, backend_) relink_detail::backend<struct table##_ops>(backend_)
#define RELINK_OP_NOP_(table, member) \
	((relink_fn_##table##_##member *)((char *)relink_do_nothing + \
					  relink_detail::nop<relink_nullable_##table##_##member != 0>::zero))
#define RELINK_OP_IDENTITY_(table, member) \
	((relink_fn_##table##_##member *)((char *)relink_do_identity + \
					  relink_detail::identity<relink_detail::first<relink_first_##table##_##member>::is_result>::zero))
#define RELINK_SAME_TYPE_(a, b) relink_detail::is_same<a, b>
#define RELINK_OP_CONST_FN_(call, name, value_) \
	namespace { \
	struct relink_value_##name { \
		static relink_result_##call value() { return (value_); } \
	}; \
	} \
	static constexpr relink_fn_##call *name __attribute__((unused)) = \
		&relink_detail::constant<relink_fn_##call, relink_value_##name>::fn;
#else
#define RELINK_SAME_TYPE_(a, b) __builtin_types_compatible_p(a, b)
#define RELINK_CHECK_BACKEND_(table, backend) \
	_Static_assert(__builtin_types_compatible_p(__typeof__(backend), struct table##_ops), RELINK_NO_BACKEND_)
#define RELINK_BACKEND_FN_(table, backend) \
	(RELINK_CHECK_(_Generic((backend), struct table##_ops *: 1, const struct table##_ops *: 1, default: 0), RELINK_NO_BACKEND_), \
	 (void (*)(void))(backend))
/* Nothing is added: the size is where a check may stand in an address constant. */
#define RELINK_CHECKED_(cond, message) (0 * sizeof(struct { _Static_assert(cond, message); int relink_unused_; }))
#define RELINK_OP_NOP_(table, member) \
	((relink_fn_##table##_##member *)((char *)relink_do_nothing + \
					  RELINK_CHECKED_(relink_nullable_##table##_##member, RELINK_NOP_NEEDS_VOID_)))
#define RELINK_OP_IDENTITY_(table, member) \
	((relink_fn_##table##_##member *)((char *)relink_do_identity + \
					  RELINK_CHECKED_(RELINK_IS_IDENTITY_(table##_##member), RELINK_IDENTITY_NEEDS_WORD_)))
#define RELINK_IS_IDENTITY_(call) \
	(!relink_void_##call && RELINK_IS_WORD_(RELINK_NOT_VOID_(relink_void_##call, relink_result_##call)) && \
	 sizeof(relink_result_##call) <= sizeof(void *) && \
	 (RELINK_FIRST_IS_(call, relink_result_##call) || \
	  (!__builtin_types_compatible_p(relink_result_##call, _Bool) && RELINK_FIRST_IS_A_WORD_(call))))
#define RELINK_FIRST_IS_(call, T) \
	(sizeof(relink_result_##call) == sizeof(T) && __builtin_types_compatible_p(relink_first_##call, relink_result_##call(T)))
#define RELINK_FIRST_IS_A_WORD_(call) \
	(RELINK_FIRST_IS_(call, char) || RELINK_FIRST_IS_(call, signed char) || RELINK_FIRST_IS_(call, unsigned char) || \
	 RELINK_FIRST_IS_(call, short) || RELINK_FIRST_IS_(call, unsigned short) || RELINK_FIRST_IS_(call, int) || \
	 RELINK_FIRST_IS_(call, unsigned) || RELINK_FIRST_IS_(call, long) || RELINK_FIRST_IS_(call, unsigned long) || \
	 RELINK_FIRST_IS_(call, long long) || RELINK_FIRST_IS_(call, unsigned long long) || RELINK_FIRST_IS_(call, void *) || \
	 RELINK_FIRST_IS_(call, const void *))
/* The alias has the member's prototype, its body has none. */
#define RELINK_OP_CONST_FN_(call, name, value) \
	static __attribute__((used)) relink_result_##call relink_const_##call##_##name RELINK_ANY_ARGS_ { return (value); } \
	static relink_fn_##call name __attribute__((unused, alias("relink_const_" #call "_" #name)));
#endif

/* ---- pvop.h ---- */

#define RELINK_PVOP_VCALL_(table, op, args) RELINK_PVOP_VCALL2_(table, op, args)
#define RELINK_PVOP_VCALL2_(table, op, args) \
	(RELINK_CHECK_(relink_void_##table##op, "relink: PVOP_VCALL is for members that return nothing; PVOP_CALL names the result"), \
	 table##op args)
#define RELINK_PVOP_CALL_(type, table, op, args) RELINK_PVOP_CALL2_(type, table, op, args)
#define RELINK_PVOP_CALL2_(type, table, op, args) \
	(RELINK_CHECK_(RELINK_SAME_TYPE_(type, relink_result_##table##op), "relink: PVOP_CALL names another result than the table"), \
	 table##op args)

/* ---- constants ---- */

#define RELINK_OP_CONST_(table, member, name, value) RELINK_OP_CONST2_(table##_##member, name, value)
#define RELINK_OP_CONST2_(call, name, value) \
	RELINK_CHECK_CONST_(call, value); \
	RELINK_OP_CONST_FN_(call, name, value) \
	RELINK_OP_MARK_(RELINK_OP_MARK_CONST, (void (*)(void))name, (uint64_t)(uintptr_t)(value), \
			sizeof(relink_result_##call) <= 4 ? RELINK_VARIANT_NARROW : 0u)

#endif
