/* SPDX-License-Identifier: MIT */
/* list.h - lists of macro arguments that come in parentheses. */
#ifndef RELINK_DETAIL_LIST_H
#define RELINK_DETAIL_LIST_H

/* That a list may be empty is an extension. */
#pragma GCC system_header

#define RELINK_BARE_(...) __VA_ARGS__
#define RELINK_AFTER_(...) , ##__VA_ARGS__

/* 0 if there is nothing, else 1; up to thirty-one. */
#define RELINK_ANY_(...) \
	RELINK_ANY_PICK_(~, ##__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, \
			 0, ~)
#define RELINK_ANY_PICK_(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, \
			 a23, a24, a25, a26, a27, a28, a29, a30, a31, any, ...) any

#endif
