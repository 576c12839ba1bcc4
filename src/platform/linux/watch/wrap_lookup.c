/* SPDX-License-Identifier: MIT */
/* wrap_lookup.c - getaddrinfo_a in a static program; see watch.h. */
#include "watch.h"

#define DEFINE(name, result, parameters, arguments, permitted, otherwise) \
	extern result __real_##name parameters; \
	extern result __wrap_##name parameters; \
	result __wrap_##name parameters \
	{ \
		return permitted ? __real_##name arguments : otherwise; \
	}
WATCHED_LOOKUP(DEFINE)
