/* SPDX-License-Identifier: MIT */
/* call.h - how static-call macros expand; read <relink/call.h> first. */
#ifndef RELINK_DETAIL_CALL_H
#define RELINK_DETAIL_CALL_H

/* Designated initialisers in C++17 and functions without a prototype in C are extensions that these macros need. */
#pragma GCC system_header

#ifdef __cplusplus
#define RELINK_C_ extern "C"
#define RELINK_C_DEF_(decl) extern "C" { decl }
#else
#define RELINK_C_ extern
#define RELINK_C_DEF_(decl) decl
#endif

#if RELINK_PATCHES_
#define RELINK_CALL_PROTOTYPE_(ret, name, args, attr) RELINK_C_ ret name args attr; RELINK_CALL_DECLARED_(name)
/* For `relink object`: which of the functions that an object calls are static calls. Linkers drop the section. */
#ifdef __ELF__
#define RELINK_CALL_DECLARED_(name) \
	__asm__(".pushsection relink_declared,\"e\",%progbits\n\t.asciz \"" #name "\"\n\t.popsection");
#else
#define RELINK_CALL_DECLARED_(name)
#endif
/* The slot is hidden, so that the trampoline reaches it directly; `used` keeps its name under LTO. The hidden second name of the
 * trampoline is its real address even where an executable's PLT stub has become the function's public address. */
#define RELINK_CALL_STORAGE_(name, target) \
	extern void (*relink_slot_##name)(void) __attribute__((visibility("hidden"))); \
	void (*relink_slot_##name)(void) __attribute__((used, visibility("hidden"))) = (void (*)(void))(target); \
	extern void relink_entry_##name(void) __attribute__((visibility("hidden"))); \
	struct relink_call relink_call_##name = { &relink_slot_##name, relink_entry_##name, RELINK_NULL_ };
#else
/* No trampoline: the name is a pointer, and calling it reads the same. */
#define RELINK_CALL_PROTOTYPE_(ret, name, args, attr) RELINK_C_ ret (*name) args attr;
#define RELINK_CALL_STORAGE_(name, target) \
	__typeof__(name) name = (__typeof__(name))(target); \
	struct relink_call relink_call_##name = { (void (**)(void))&name, RELINK_NULL_, RELINK_NULL_ };
#define RELINK_TRAMPOLINE_(name)
#endif

/* Names of states and flags are constants, so that misuse is found at compile time. */
#ifdef __cplusplus
#define RELINK_IS_VOID_(ret) relink_detail::is_void<ret>
extern "C++" {
namespace relink_detail {
template <class T> inline constexpr bool is_void = false;
template <> inline constexpr bool is_void<void> = true;
/* Also a function that is noexcept or noreturn on top of the prototype. */
template <class F> constexpr bool accepts(F *) { return true; }
template <class F> constexpr bool accepts(...) { return false; }
/* What `f` is: a function, NULL (which is an integer of a type that nothing else is taken for), or anything else. */
struct null {};
struct other {};
template <class T> struct unless_null { typedef other *type; };
template <> struct unless_null<__typeof__(__null)> {};
template <class G> G *pointer(G *);
null *pointer(decltype(nullptr));
#ifdef __clang__ /* does not take `x ? 0 : NULL` for a null pointer */
null *pointer(__typeof__(__null));
#endif
template <class T> typename unless_null<T>::type pointer(T);
template <class T> inline constexpr bool is_null = false;
template <> inline constexpr bool is_null<null *> = true;
template <class F> constexpr bool accepts(null *) { return true; }
template <class T> inline constexpr bool is_pointer = false;
template <class T> inline constexpr bool is_pointer<T *> = true;
template <class T> inline constexpr bool is_word = !__is_class(T) && !__is_union(T);
template <> inline constexpr bool is_word<float> = false;
template <> inline constexpr bool is_word<double> = false;
template <> inline constexpr bool is_word<long double> = false;
typedef void (*any)(void);
template <class F, bool nullable, class G> inline any fn(G *g)
{
	static_assert(accepts<F>((G *)nullptr), "relink: this function does not have the prototype of the static call");
	return (any)g;
}
template <class F, bool nullable> inline any fn(null *)
{
	static_assert(nullable, "relink: NULL needs a static call that returns void, and does return");
	return 0;
}
}
}
#define RELINK_FN_(name, f) (relink_detail::fn<relink_fn_##name, relink_nullable_##name != 0>((RELINK_POINTER_(f))(f)))
#define RELINK_POINTER_(f) decltype(relink_detail::pointer(f))
#define RELINK_IS_NULL_(f) relink_detail::is_null<RELINK_POINTER_(f)>
#define RELINK_CHECK_TARGET_(name, f) \
	static_assert(relink_detail::accepts<relink_fn_##name>((RELINK_POINTER_(f))nullptr), \
		      "relink: this function does not have the prototype of the static call")
#define RELINK_IS_WORD_(T) relink_detail::is_word<T>
#define RELINK_IS_KNOWN_(T, value) (relink_detail::is_pointer<T> || __builtin_constant_p(value))
#else
#define RELINK_IS_VOID_(ret) __builtin_types_compatible_p(ret, void)
/* NULL has every prototype, a number has none. */
#define RELINK_DECAY_(name, f) _Generic((f), void *: (relink_fn_##name *)0, int: (char *)0, long: (char *)0, default: (f))
#define RELINK_SAME_FN_(name, f) (__extension__ __builtin_types_compatible_p(__typeof__(*RELINK_DECAY_(name, f)), relink_fn_##name))
#define RELINK_FN_(name, f) \
	(RELINK_CHECK_(RELINK_SAME_FN_(name, f), "relink: this function does not have the prototype of the static call"), \
	 RELINK_CHECK_(_Generic((f), void *: relink_nullable_##name, default: 1), \
		       "relink: NULL needs a static call that returns void, and does return"), \
	 (void (*)(void))(f))
#define RELINK_CHECK_TARGET_(name, f) \
	_Static_assert(RELINK_SAME_FN_(name, f), "relink: this function does not have the prototype of the static call")
#define RELINK_IS_NULL_(f) _Generic((f), void *: 1, default: 0)
#define RELINK_IS_WORD_(T) (RELINK_CLASSIFY_(*(T *)0) <= 5)
#define RELINK_IS_KNOWN_(T, value) 1
#endif
#define RELINK_CHECK_DEFAULT_(name, f) \
	RELINK_CHECK_TARGET_(name, f); \
	RELINK_STATIC_ASSERT_(!RELINK_IS_NULL_(f), \
		"relink: a default must be a function; RELINK_DEFINE_CALL_NULL makes a call that does nothing")

#define RELINK_CALL_DECL_(ret, name, args) RELINK_CALL_DECL_OF_(ret, name, args, 0)
/* `owned`: the call is a member of a table. */
#define RELINK_CALL_DECL_OF_(ret, name, args, owned) \
	typedef ret relink_fn_##name args; \
	typedef ret relink_result_##name; \
	RELINK_CALL_PROTOTYPE_(ret, name, args, ) \
	RELINK_C_ struct relink_call relink_call_##name; \
	enum { relink_nullable_##name = RELINK_IS_VOID_(ret), relink_void_##name = RELINK_IS_VOID_(ret), relink_owned_##name = owned }
#define RELINK_CALL_DECL_NORETURN_(name, args) \
	typedef void relink_fn_##name args; \
	typedef void relink_result_##name; \
	RELINK_CALL_PROTOTYPE_(void, name, args, __attribute__((noreturn))) \
	RELINK_C_ struct relink_call relink_call_##name; \
	enum { relink_nullable_##name = 0, relink_void_##name = 1, relink_owned_##name = 0 }

#define RELINK_CALL_BODY_(name, target, doc, flags) \
	RELINK_C_DEF_(RELINK_CALL_STORAGE_(name, target)) \
	RELINK_TRAMPOLINE_(name) \
	static struct relink_choice_record relink_record_call_##name RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_choice_record), RELINK_RECORD_CALL, \
		  (flags) | (relink_nullable_##name ? RELINK_NULLABLE : 0u) }, \
		#name, (doc), &relink_call_##name, RELINK_NULL_, 0 }

#define RELINK_CALL_DEF_(name, target, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_CHECK_DEFAULT_(name, target); \
	RELINK_CALL_BODY_(name, target, doc, flags); \
	RELINK_VARIANT_RECORD_(name, #target, 0u, .fn = (void (*)(void))(target))
#define RELINK_CALL_DEF_NULL_(name, doc, flags, ...) \
	RELINK_CHECK_DOC_(doc); \
	RELINK_STATIC_ASSERT_(relink_nullable_##name, "relink: NULL needs a static call that returns void, and does return"); \
	RELINK_CALL_BODY_(name, relink_do_nothing, doc, (flags) | RELINK_DEFAULT_NULL)

/* One expansion more, so that the name is the function's and not the macro's that picks it. */
#define RELINK_VARIANT_EXPAND_(call, function, ...) RELINK_VARIANT_(call, function, __VA_ARGS__)
#define RELINK_CHECK_FREE_(call) \
	RELINK_STATIC_ASSERT_(!relink_owned_##call, "relink: a member of an operations table has no variants, RELINK_BACKEND is for the table")
#define RELINK_VARIANT_(call, function, ...) \
	RELINK_CHECK_FREE_(call); \
	RELINK_CHECK_TARGET_(call, function); \
	RELINK_STATIC_ASSERT_(!RELINK_IS_NULL_(function), "relink: a variant must be a function"); \
	RELINK_VARIANT_RECORD_(call, #function, 0u, .fn = (void (*)(void))__VA_ARGS__)

#ifdef __cplusplus
#define RELINK_ANY_ARGS_ (...)
#elif defined(__CHECKER__)
#define RELINK_ANY_ARGS_ (void)
#else
#define RELINK_ANY_ARGS_ ()
#endif

#define RELINK_CHECK_CONST_(call, value) \
	RELINK_STATIC_ASSERT_(!relink_void_##call, "relink: a constant needs a static call that returns a value"); \
	RELINK_STATIC_ASSERT_(RELINK_IS_WORD_(relink_result_##call), "relink: a constant is an integer or a pointer"); \
	RELINK_STATIC_ASSERT_(sizeof(relink_result_##call) <= 8, "relink: a constant must fit a register"); \
	RELINK_STATIC_ASSERT_(RELINK_IS_KNOWN_(relink_result_##call, value), "relink: a constant must be known when compiling")

/* A function that takes whatever the caller passes and returns the constant: sites that can't hold the constant go there. */
#define RELINK_VARIANT_CONST_(call, name, value, ...) \
	RELINK_CHECK_FREE_(call); \
	RELINK_CHECK_CONST_(call, value); \
	static relink_result_##call relink_const_##call##_##name RELINK_ANY_ARGS_ { return (value); } \
	RELINK_VARIANT_RECORD_(call, #name, RELINK_VARIANT_IS_CONST | (sizeof(relink_result_##call) <= 4 ? RELINK_VARIANT_NARROW : 0u), \
			       .fn = (void (*)(void))relink_const_##call##_##name, .constant = (uint64_t)(uintptr_t)__VA_ARGS__)

#define RELINK_VARIANT_RECORD_(call_, name_, flags_, ...) \
	static struct relink_variant_record RELINK_CAT_(relink_variant_##call_##_, __COUNTER__) RELINK_RECORD_ = { \
		.head = { (uint16_t)sizeof(struct relink_variant_record), RELINK_RECORD_VARIANT, (flags_) }, \
		.call = &relink_call_##call_, .name = (name_), __VA_ARGS__ }

#endif
