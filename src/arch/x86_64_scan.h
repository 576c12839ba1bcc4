/* SPDX-License-Identifier: MIT */
/* x86_64_scan.h - see port.h for what these do. Pure functions. */
#ifndef RL_ARCH_X86_64_SCAN_H
#define RL_ARCH_X86_64_SCAN_H

#include "arch/port.h"

/* The length that rl_x86_64_length says, sooner. */
size_t rl_x86_64_skip(const uint8_t *bytes, size_t count);

size_t rl_x86_64_seek(const uint8_t *bytes, size_t count, size_t from, uint64_t address, const struct rl_area areas[2],
		      uint64_t *target);
enum rl_kind rl_x86_64_looks_like(const uint8_t *bytes, size_t count, size_t field, size_t beyond);
enum rl_reach rl_x86_64_reach(const uint8_t *bytes, size_t count, uint64_t address, size_t *at, size_t field, struct rl_lead *lead);

#endif
