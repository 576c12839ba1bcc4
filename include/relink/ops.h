/* SPDX-License-Identifier: MIT */
/*
 * ops.h - operations tables: a struct of functions that a backend fills, and one static call per member.
 *
 *	// pv.h: result, name and arguments of each operation, once
 *	#define PV_OPS(op) \
 *		op(unsigned long, irq_save, (void)) \
 *		op(void, irq_restore, (unsigned long flags)) \
 *		op(unsigned long, make_pte, (unsigned long value))
 *	RELINK_DECLARE_OPS(pv, PV_OPS);
 *
 *	// native.c: the default backend
 *	const struct pv_ops native_pv = { .irq_save = native_irq_save, ... };
 *	RELINK_DEFINE_OPS(pv, PV_OPS, native_pv, "interrupts and page tables");
 *
 *	// xen.c, any source file, any module, loaded at any time
 *	static const struct pv_ops xen_pv = { .irq_save = xen_irq_save, .make_pte = RELINK_OP_IDENTITY(pv, make_pte), ... };
 *	RELINK_BACKEND(pv, xen_pv, .condition = on_xen, .rank = 10);
 *
 *	// anywhere: an ordinary call
 *	flags = pv_irq_save();
 *
 * RELINK_DECLARE_OPS makes struct pv_ops, with a pointer for each member, and a static call pv_MEMBER for each (see
 * call.h); lists may consist of other lists. The table is one choice: its states are the backends, a state's name is
 * the backend's, in full or without the table's (pv=xen_pv, pv=xen). Precedence, RELINK_CHOOSE, conditions and ranks
 * are those of every choice. To bind a backend is one commit over all members; at each moment of it each call reaches
 * the function of the one backend or of the other.
 *
 * A backend is a struct of functions and nothing else. What a bound call becomes:
 *
 *	member is                                        the call is (x86-64)
 *	a function                                       call function
 *	RELINK_OP_NOP(pv, irq_enable)                    test $..,%eax: does nothing; the result must be void
 *	a name made by RELINK_OP_CONST                   mov $constant,%eax
 *	RELINK_OP_IDENTITY(pv, make_pte)                 mov %rdi,%rax: the first argument
 *	NULL, or left out                                call of a function that reports it and returns zero
 *
 * Members are not choices of their own: they are set with their table alone, and relink_each_choice shows the table.
 * What identifies a member is its offset in the struct.
 *
 * Ownership: a backend belongs to its module and is read when it is bound; it must not change while it is bound, and
 * one that was registered with RELINK_BACKEND may come and go with its module: the table falls back to the best of
 * those that remain. One that was only bound must stay mapped until another one is bound, or it is unbound.
 *
 * Before the constructor of the table's module has run, calls reach the default backend (with RELINK_ARCH=generic:
 * nobody).
 *
 * Calls of members may stand anywhere that calls of the backend's functions may, signal handlers included; everything
 * that changes tables is a commit (commit.h): any thread, no signal handler.
 */
#ifndef RELINK_OPS_H
#define RELINK_OPS_H

#include <stddef.h>
#include <relink/call.h>
#include <relink/commit.h>

RELINK_BEGIN_DECLS

/* Describes one table; relink_ops_NAME. Read-only for programs. */
struct relink_ops {
	struct relink_call call; /* its slot is `bound` */
	const char *name;
	void (*RELINK_PRIVATE_ bound)(void); /* address of the backend */
};

/* One member. */
struct relink_op {
	const char *name;
	struct relink_op_list *list;
	struct relink_call *call;
	void (*missing)(void); /* where NULL leads */
	uint64_t offset;       /* in the struct that backends fill */
	const void *missed;    /* who called it in vain first */
};

struct relink_op_list {
	struct relink_ops *ops;
	struct relink_op *op;
	uint64_t count;
};

/* In a header: struct NAME_ops and the calls NAME_member. */
#define RELINK_DECLARE_OPS(name, list) RELINK_OPS_DECL_(name, list)
/* RELINK_DEFINE_OPS(name, list, default_backend, doc [, flags]) in one source file; flags are RELINK_FINAL and
 * RELINK_NONFORCIBLE. */
#define RELINK_DEFINE_OPS(...) RELINK_OPS_DEF_(__VA_ARGS__, 0u, 0u)

/* RELINK_BACKEND(name, backend [, .needs = RELINK_CPU(..)] [, .condition = f] [, .rank = n]), as RELINK_VARIANT.
 * `backend` names a struct NAME_ops, not a pointer. The default backend has rank 0. */
#define RELINK_BACKEND(table, ...) RELINK_BACKEND_EXPAND_(table, RELINK_FIRST_(__VA_ARGS__, ~), __VA_ARGS__)

/* In the initialiser of a backend. */
#define RELINK_OP_NOP(table, member) RELINK_OP_NOP_(table, member)
#define RELINK_OP_IDENTITY(table, member) RELINK_OP_IDENTITY_(table, member)
/* At file scope, in front of the backend: `name` stands for a function that takes the member's arguments and returns `value`. */
#define RELINK_OP_CONST(table, member, name, value) RELINK_OP_CONST_(table, member, name, value)

/* The backend that is bound now, a const struct NAME_ops *. Any thread, any context. */
#define relink_ops_bound(table) \
	((const struct table##_ops *)(uintptr_t)__atomic_load_n(RELINK_FORCED_(void *, &relink_ops_##table.bound), __ATOMIC_ACQUIRE))

/* The function that `backend`, a struct TABLE_ops, has for a member: for a backend that falls back on another one. A call through it goes
 * past what is bound; sparse reports every other way to get there. */
#define relink_backend_op(table, backend, member) \
	(*RELINK_FORCED_(relink_fn_##table##_##member *const, &(backend).member))

/* Commit of one table, live. `backend` is a const struct NAME_ops *; one that is not registered is shown as custom:symbol. */
#define relink_bind_ops(table, backend, err) \
	relink_call_set_(&relink_ops_##table.call, RELINK_BACKEND_FN_(table, backend), (err))
/* The program has no opinion any more: lower levels decide. */
#define relink_unbind_ops(table, err) relink_call_clear_(&relink_ops_##table.call, (err))
/* In a transaction. By name: relink_set(&c, "pv", "xen_pv"). */
#define relink_set_ops(c, table, backend) \
	relink_wish_call((c), &relink_ops_##table.call, RELINK_BACKEND_FN_(table, backend))

/*
 * Called each time that somebody calls a member that the bound backend has not, in the thread and context of that
 * call, without any lock of relink's; `caller` is the address behind the call, or behind that of a function that ended
 * with it. NULL: nobody; the first call of each member is then kept for the notes of the status. Set it early: a call
 * under way may still see the old one.
 */
typedef void relink_missing_op_fn(const char *table, const char *member, const void *caller, void *ctx);
RELINK_API void relink_on_missing_op(relink_missing_op_fn *fn, void *ctx);

/* What the markers stand for. */
RELINK_API uintptr_t relink_do_identity(uintptr_t first);
RELINK_API void relink_op_missing_(struct relink_op *op, const void *caller);

RELINK_END_DECLS

#include <relink/detail/ops.h>

#endif
