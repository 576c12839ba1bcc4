/* SPDX-License-Identifier: MIT */
/*
 * checker.h - marks that sparse understands, nothing for compilers; read "Checking" in <relink/pointer.h> first.
 *
 * Two kinds of mark, since there are two kinds of misuse. What may be read and called but not assigned is const, in an address
 * space of its own, so that an address that loses the mark is reported as well. What may not even be read is noderef. The library's
 * own macros get at both through forced casts.
 *
 * sparse reads the macros as the plain C port has them. It knows neither __builtin_classify_type nor types in _Generic as
 * compilers do, so that checks of types, which every compiler makes, are left out.
 */
#ifndef RELINK_DETAIL_CHECKER_H
#define RELINK_DETAIL_CHECKER_H

#ifdef __CHECKER__
#define RELINK_SEALED const __attribute__((address_space(relink)))
#define RELINK_PRIVATE_ __attribute__((noderef, address_space(relink)))
#define RELINK_FORCED_(type, p) ((__typeof__(type) __attribute__((force)) *)(p))
#define RELINK_CLASSIFY_(x) 1
#else
#define RELINK_SEALED
#define RELINK_PRIVATE_
#define RELINK_FORCED_(type, p) (p)
#define RELINK_CLASSIFY_(x) __builtin_classify_type(x)
#endif

/* Headers are C and C++. */
#ifdef __cplusplus
#define RELINK_NULL_ 0
#else
#define RELINK_NULL_ ((void *)0)
#endif

#endif
