/* SPDX-License-Identifier: MIT */
/*
 * function.h - function variants: one body, compiled once per state of what it reads, reached through a static call.
 *
 *	RELINK_DECLARE_CALL(int, work, (int x));                                   // header
 *
 *	RELINK_FUNCTION(work, (int x), (x), "adds things up",                      // one source file
 *			(RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how), RELINK_READS_NUMBER(depth, levels)),
 *			RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, fast)),
 *			RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, fast), RELINK_IS_NUMBER(depth, 4)))
 *	{
 *		if (tracing)                                                       // a constant, where RELINK_FOR says so
 *			print(x);
 *		return how == RELINK_STATE(mode, fast) ? x + levels : slowly(x);
 *	}
 *
 *	work(3);                                                                   // anywhere: a plain call of what fits now
 *
 * The body has what it reads as further parameters, named by the second arguments: a bool for a key, the index of the state for
 * an option, a number of its type for an immediate. One variant is compiled for each RELINK_FOR; there what it names is known
 * when compiling, and what it does not name is read once per call. A combination that no RELINK_FOR fits runs the
 * generic body, which reads everything once per call. Where several fit, the one that names most is taken; then the first.
 *
 * A commit that changes what a function reads rebinds its calls along with everything else it changes. A thread runs one
 * variant from beginning to end, so that it has all states from before that commit or all from after it; those
 * that a variant reads per call may each be from before or after.
 *
 * The variants are states of the call `work`, named generic and, for instance, trace=off+mode=fast: listings show which is in
 * force, and whatever ranks above a choice function (relink_call_set, the command line, ..) picks another. Variants are
 * sections of their own: --icf=all (lld, mold) makes those that became the same code one.
 */
#ifndef RELINK_FUNCTION_H
#define RELINK_FUNCTION_H

#include <relink/call.h>
#include <relink/immediate.h>
#include <relink/key.h>
#include <relink/option.h>

/* RELINK_FUNCTION(call, (parameters), (their names), doc, (what is read), RELINK_FOR(..), ...) { body }: up to eight reads, sixteen
 * variants. The call has been declared; this defines it. */
#define RELINK_FUNCTION(name, parameters, arguments, doc, reads, ...) \
	RELINK_FUNCTION_(0u, name, parameters, arguments, doc, reads, __VA_ARGS__)
/* The same for what is decided once, RELINK_FINAL: every call is bound directly whatever its alignment. Later a commit of what the
 * function reads, which would have to rebind it, is refused as one of a final choice is (RELINK_E_FINAL); RELINK_STOP does it. */
#define RELINK_FUNCTION_FINAL(name, parameters, arguments, doc, reads, ...) \
	RELINK_FUNCTION_(RELINK_FINAL, name, parameters, arguments, doc, reads, __VA_ARGS__)

#define RELINK_READS_KEY(key, parameter) (relink_k, key, parameter)
#define RELINK_READS_OPTION(option, parameter) (relink_o, option, parameter)
#define RELINK_READS_NUMBER(immediate, parameter) (relink_n, immediate, parameter)

#define RELINK_FOR(...) (__VA_ARGS__)
#define RELINK_IS_ON(key) (relink_k, key, on)
#define RELINK_IS_OFF(key) (relink_k, key, off)
#define RELINK_IS(option, state) (relink_o, option, state)
#define RELINK_IS_NUMBER(immediate, value) (relink_n, immediate, value)

#include <relink/detail/function.h>

#endif
