// SPDX-License-Identifier: MIT
#include "inline.h"

int other(int x) { return inline_sites(x) + template_sites<2>(x) + template_sites<8>(x) + cxx_call(x); }
