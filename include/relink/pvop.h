/* SPDX-License-Identifier: MIT */
/*
 * pvop.h - members of an operations table in the spelling of the 2007 patches, for code that comes from there. Not in relink.h.
 *
 *	#define PVOP_TABLE pv                       // which table; pv if nothing is said. It may change from place to place
 *	#include <relink/pvop.h>
 *
 *	PVOP_VCALL0(setup_boot_clock);              // pv_setup_boot_clock();
 *	value = PVOP_CALL2(unsigned long, read_msr, msr, &error);
 *
 * Each is the call of the static call TABLE_member and nothing else: arguments are checked as in any call, and results must be
 * what the table declares. PVOP_VCALLn is for members that return nothing, PVOP_CALLn names the result's type. They may stand
 * wherever expressions may, in any context. New code calls pv_read_msr(msr, &error).
 */
#ifndef RELINK_PVOP_H
#define RELINK_PVOP_H

#include <relink/ops.h>

#ifndef PVOP_TABLE
#define PVOP_TABLE pv
#endif

#define PVOP_VCALL0(op) RELINK_PVOP_VCALL_(PVOP_TABLE, _##op, ())
#define PVOP_VCALL1(op, a) RELINK_PVOP_VCALL_(PVOP_TABLE, _##op, (a))
#define PVOP_VCALL2(op, a, b) RELINK_PVOP_VCALL_(PVOP_TABLE, _##op, (a, b))
#define PVOP_VCALL3(op, a, b, c) RELINK_PVOP_VCALL_(PVOP_TABLE, _##op, (a, b, c))
#define PVOP_VCALL4(op, a, b, c, d) RELINK_PVOP_VCALL_(PVOP_TABLE, _##op, (a, b, c, d))

#define PVOP_CALL0(type, op) RELINK_PVOP_CALL_(type, PVOP_TABLE, _##op, ())
#define PVOP_CALL1(type, op, a) RELINK_PVOP_CALL_(type, PVOP_TABLE, _##op, (a))
#define PVOP_CALL2(type, op, a, b) RELINK_PVOP_CALL_(type, PVOP_TABLE, _##op, (a, b))
#define PVOP_CALL3(type, op, a, b, c) RELINK_PVOP_CALL_(type, PVOP_TABLE, _##op, (a, b, c))
#define PVOP_CALL4(type, op, a, b, c, d) RELINK_PVOP_CALL_(type, PVOP_TABLE, _##op, (a, b, c, d))

#endif
