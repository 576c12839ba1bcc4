// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* The same inline functions and templates in a shared object, which has some of the keys. */
#include "behaviour/keys/cxx.h"

namespace outer {
namespace inner {
RELINK_KEY_TRUE(spaced_true, "in a namespace of a shared object");
}
}

CXX_ROWS(shared);
