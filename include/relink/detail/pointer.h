/* SPDX-License-Identifier: MIT */
/* pointer.h - how the macros for accelerated pointers expand; read <relink/pointer.h> first. */
#ifndef RELINK_DETAIL_POINTER_H
#define RELINK_DETAIL_POINTER_H

/* Functions converted to data pointers, and statement expressions. */
#pragma GCC system_header

/*
 * Each object file's part of the section begins on a page and is padded to whole pages, so that a module's part is alone on its
 * pages wherever a linker puts it. A subsection comes behind all variables of the file, in whatever order they are emitted.
 * `used`: a static variable that its file never writes would be taken for a constant.
 */
#ifdef __ELF__
#define RELINK_PTR_PAGES_ \
	__asm__(".pushsection relink_pointers,\"aw\",%progbits\n\t.subsection 1\n\t.balign 4096\n\t.popsection");
#define RELINK_PTR_SECTION_ __attribute__((section("relink_pointers"), used))
/* Its own section survives linking, and so tells who may write; inlined elsewhere it would not. */
#define RELINK_PTR_INIT_CODE_ __attribute__((section("relink_init_code"), noinline))
#else
#define RELINK_PTR_INIT_CODE_ __attribute__((noinline))
#define RELINK_PTR_PAGES_
#define RELINK_PTR_SECTION_
#endif

/* sparse evaluates nothing: that the types fit is what compilers check. */
#ifdef __CHECKER__
#define RELINK_PTR_SLOT_(pointer) ((__attribute__((force)) void *)&(pointer))
#define RELINK_PTR_INIT_(pointer, value) ((void)sizeof(pointer), (void)sizeof(value))
#else
#define RELINK_PTR_SLOT_(pointer) ((void *)&(pointer))
#define RELINK_PTR_INIT_(pointer, value) ((void)((pointer) = (value)))
#endif

#ifdef __cplusplus
#include <type_traits>
extern "C++" {
namespace relink_detail {
template <class P> inline void (*pointer_target(P fn))(void)
{
	static_assert(std::is_pointer<P>::value && std::is_function<typename std::remove_pointer<P>::type>::value,
		      "relink: an accelerated pointer is a pointer to a function");
	return (void (*)(void))fn;
}
template <class P> inline void (*pointer_target(...))(void)
{
	static_assert(!std::is_same<P, P>::value, "relink: this function does not have the type of the pointer");
	return 0;
}
}
}
#define RELINK_PTR_FN_(pointer, fn) (relink_detail::pointer_target<std::remove_reference<decltype((pointer))>::type>(fn))
#define RELINK_PTR_IS_STRUCT_(object) (std::is_class<decltype(object)>::value)
#else
#define RELINK_PTR_DECAY_(pointer, fn) _Generic((fn), void *: (pointer), int: (char *)0, long: (char *)0, default: (fn))
#define RELINK_PTR_FN_(pointer, fn) \
	(RELINK_CHECK_((__extension__ __builtin_types_compatible_p(__typeof__(*RELINK_PTR_DECAY_(pointer, fn)), __typeof__(*(pointer)))), \
		       "relink: this function does not have the type of the pointer"), \
	 RELINK_CHECK_((__extension__ __builtin_types_compatible_p(__typeof__(**(pointer)), __typeof__(*(pointer)))), \
		       "relink: an accelerated pointer is a pointer to a function"), \
	 (void (*)(void))(fn))
#define RELINK_PTR_IS_STRUCT_(object) (RELINK_CLASSIFY_(object) == 12)
#endif

#define RELINK_PTR_INFO_(object, doc, flags, ...) RELINK_PTR_INFO_NAMED_(object, doc, flags, __COUNTER__)
#define RELINK_PTR_INFO_NAMED_(object_, doc_, flags_, n) \
	RELINK_CHECK_DOC_(doc_); \
	static struct relink_pointer_record RELINK_CAT_(relink_pointer_, n) RELINK_RECORD_ = { \
		{ (uint16_t)sizeof(struct relink_pointer_record), RELINK_RECORD_POINTER, \
		  (flags_) | (RELINK_PTR_IS_STRUCT_(object_) ? RELINK_POINTER_STRUCT : 0u) }, \
		#object_, (doc_), RELINK_PTR_SLOT_(object_), sizeof(object_) }

#endif
