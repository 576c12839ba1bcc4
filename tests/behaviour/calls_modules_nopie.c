// test: FLAGS -fno-pie LINK -no-pie -rdynamic -Wl,--no-as-needed $<TARGET_FILE:plugin_calls_home>
/* SPDX-License-Identifier: MIT */
/* As calls_modules.c, in a program that is no PIE and has made a PLT stub the address of a static call. */
#define CALLS_TAKE_ADDRESS
#include "calls_modules.c"
