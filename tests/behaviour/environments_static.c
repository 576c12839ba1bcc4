// test: TIMEOUT 300 FLAGS -fno-pie LINK -static -no-pie NOT address undefined thread generic
/* SPDX-License-Identifier: MIT */
/* environments_static.c - a program without a loader starts under limits that no other gets through. */
#define STATIC_PROGRAM
#include "environments.c"
