// test: SHARED LINK -rdynamic -Wl,--no-as-needed $<TARGET_FILE:plugin_calls_home>
/* SPDX-License-Identifier: MIT */
/* As calls_modules.c, in a program that uses librelink.so. */
#include "calls_modules.c"
