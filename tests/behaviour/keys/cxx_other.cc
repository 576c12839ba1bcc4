/* SPDX-License-Identifier: MIT */
#include "cxx.h"

struct relink_key_true Holder::member_true = RELINK_KEY_INIT_TRUE;
RELINK_NAME_KEY(holder_true, Holder::member_true, "Holder::member_true", "a static member");

CXX_ROWS(other);
