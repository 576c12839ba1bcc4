/* SPDX-License-Identifier: MIT */
/* names.c - words for numbers, and what NULL is. */
#include <relink/linkage.h>

#include "core/core.h"

#define NAME(list, i) ((i) >= 0 && (size_t)(i) < sizeof(list) / sizeof(*(list)) ? (list)[i] : "unknown")

const char *relink_level_name(int level)
{
	static const char *const names[] = { "default", "choice function", "file", "environment", "command line", "program", "force",
					     "baked file" };

	return NAME(names, level);
}

const char *relink_site_kind_name(int kind)
{
	static const char *const names[] = { "branch", "call", "tail call", "conditional tail call", "trampoline",
						 "lock prefix", "immediate", "alternative", "sequence",
						 "pointer call", "pointer tail call", "pointer use" };

	return NAME(names, kind);
}

const char *relink_reason_name(int reason)
{
	static const char *const names[] = { "bound", "unaligned", "undeclared", "out of range", "indirect", "by stub",
						 "uncommitted", "by register", "by GOT", "by address" };

	return NAME(names, reason);
}

const char *relink_linkage_state_name(int state)
{
	static const char *const names[] = { "through the stub", "bound", "out of range", "not filled yet", "threads", "over budget",
					     "foreign bytes", "no module's code", "slot changed", "unwritable" };

	return NAME(names, state);
}

const char *relink_code_name(int code)
{
	static const char *const names[] = {
		"RELINK_OK", "RELINK_E_ARGUMENT", "RELINK_E_MEMORY", "RELINK_E_UNKNOWN", "RELINK_E_STATE", "RELINK_E_CONDITION",
		"RELINK_E_FINAL", "RELINK_E_NONFORCIBLE", "RELINK_E_COUNT", "RELINK_E_BREAKPOINT", "RELINK_E_BYTES", "RELINK_E_WRITE",
		"RELINK_E_BARRIER", "RELINK_E_THREADS", "RELINK_E_CONTEXT", "RELINK_E_RUNTIME", "RELINK_E_PENDING",
		"RELINK_E_DEGRADED", "RELINK_E_AMBIGUOUS", "RELINK_E_SYNTAX", "RELINK_E_TRAPS", "RELINK_E_STOP",
		"RELINK_E_MODE", "RELINK_E_AGENT", "RELINK_E_BAKED",
	};

	return code == RELINK_OVERRIDDEN ? "RELINK_OVERRIDDEN" : NAME(names, -code);
}

const char *relink_error_text(const struct relink_error *err)
{
	return err && err->code ? err->text : "no error";
}

void relink_do_nothing(void)
{
}
