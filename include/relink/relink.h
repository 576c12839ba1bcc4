/* SPDX-License-Identifier: MIT */
/*
 * relink.h - everything. A program that decides something once should not pay for it on every call.
 *
 *	call.h     static calls: ordinary C calls whose target is decided at run time
 *	key.h      static keys: an `if` that costs one instruction
 *	use.h      per-use keys: every place that asks for a key is a choice of its own
 *	option.h   named options with several states, choice functions
 *	function.h     one body, compiled once per state of what it reads
 *	immediate.h    numbers in the instruction stream
 *	atomic.h       atomic operations whose lock prefix is a site
 *	alternative.h  instruction sequences chosen by CPU features and keys
 *	sequence.h     instructions with operands, replaced as a whole
 *	ops.h      operations tables: a struct of functions, bound as a whole
 *	pointer.h  accelerated pointers: C function pointers, arrays and tables of them, whose calls become direct
 *	commit.h   transactions over any of these
 *	status.h   start-up, listing, status
 *	linkage.h  calls between libraries, bound directly in programs that know nothing of relink
 *	agent.h    operators and their tools talk to the running process
 *	error.h    error values
 *	abi.h      the records, for tools
 *	linux.h    the Linux kernel's names for all of this; not included here
 */
#ifndef RELINK_RELINK_H
#define RELINK_RELINK_H

#include <relink/abi.h>
#include <relink/agent.h>
#include <relink/alternative.h>
#include <relink/atomic.h>
#include <relink/call.h>
#include <relink/commit.h>
#include <relink/cpu.h>
#include <relink/error.h>
#include <relink/function.h>
#include <relink/immediate.h>
#include <relink/key.h>
#include <relink/ops.h>
#include <relink/linkage.h>
#include <relink/option.h>
#include <relink/pointer.h>
#include <relink/sequence.h>
#include <relink/status.h>
#include <relink/use.h>

#endif
