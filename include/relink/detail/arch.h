/* SPDX-License-Identifier: MIT */
/* arch.h - selects what the macros emit. -DRELINK_ARCH_GENERIC forces the plain C fallback, on any machine; sparse, which emits nothing,
 * gets it too. */
#ifndef RELINK_DETAIL_ARCH_H
#define RELINK_DETAIL_ARCH_H

#if defined(RELINK_ARCH_GENERIC) || defined(__CHECKER__) || !defined(__x86_64__) || !defined(__LP64__) || !defined(__ELF__)
#include <relink/arch/generic.h>
#else
#include <relink/arch/x86_64.h>
#endif

#endif
