/* SPDX-License-Identifier: MIT */
/* cxx_other.cc - the same inline functions in another file. */
#include "behaviour/uses/cxx.h"

CXX_PLACES(other_places)
