/* SPDX-License-Identifier: MIT */
/* uses_cxx_home.cc - the same inline functions in a shared object, which owns the keys. */
#include "behaviour/uses/cxx.h"

RELINK_KEY_FALSE(cxx_debug, "a key");
RELINK_KEY_TRUE(cxx_checks, "a key that is on");
namespace space {
RELINK_KEY_FALSE(spaced_debug, "in a namespace");
}
struct relink_key_false Class::debug = RELINK_KEY_INIT_FALSE;
RELINK_NAME_KEY(class_debug, Class::debug, "Class::debug", "a static member");

CXX_PLACES(plugin_places)
