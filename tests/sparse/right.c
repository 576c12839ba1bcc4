// SPDX-License-Identifier: MIT
// What correct programs do.
#include "case.h"

static int one(int x) { return x; }

RELINK_POINTER int (*RELINK_SEALED handler)(int) = one;
RELINK_POINTER_INFO(handler, "who handles");
RELINK_POINTER int (*RELINK_SEALED table[4])(int) = { one };
RELINK_POINTER_INFO(table, "all of them");
RELINK_POINTER struct codec RELINK_SEALED codec = { one, one };
RELINK_POINTER_INFO(codec, "how", RELINK_FINAL);
RELINK_POINTER static int (*unmarked)(int) = one; /* headers and definitions need no mark in the type */

RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(idle, "an option", halt, poll);
RELINK_IMMEDIATE(int, batch, 64, "a number");
RELINK_DEFINE_CALL(hash, one, "a call");
static int no_size(int x) { return x; }
static void no_sync(void) { }
const struct fs_ops disk_fs = { no_size, RELINK_OP_NOP(fs, sync) };
static const struct fs_ops net_fs = { no_size, no_sync };
RELINK_DEFINE_OPS(fs, FS_OPS, disk_fs, "a table");
RELINK_BACKEND(fs, net_fs, .rank = 3);

RELINK_INIT_CODE static void start(void)
{
	relink_pointer_init(handler, other);
	relink_pointer_init(table[2], other);
	relink_pointer_init(codec.decode, other);
	unmarked = other;
}

static int change(struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_pointer(&c, handler, other);
	relink_set_key(&c, trace, true);
	relink_set_option(&c, idle, poll);
	relink_set_ops(&c, fs, &net_fs);
	return relink_commit(&c, RELINK_LIVE, err) + relink_pointer_set(table[1], NULL, err) + relink_pointer_clear(codec.encode, err) +
	       relink_immediate_set(batch, 3, err) + relink_call_set(hash, other, err) + relink_bind_ops(fs, &net_fs, err) +
	       relink_key_inc(trace, err) + relink_pointers_commit(err);
}

int use(void)
{
	int (*copy)(int) = handler;

	start();
	fs_sync();
	if (relink_unlikely(trace) && relink_option_is(idle, poll) && relink_key_enabled(trace))
		return change(NULL);
	return copy(1) + handler(2) + table[3](4) + codec.decode(5) + (handler == other) + hash(2) + fs_size(1) + unmarked(2) +
	       relink_immediate(batch) + relink_option_state(idle) + relink_backend_op(fs, disk_fs, size)(1) + (relink_ops_bound(fs) == &disk_fs) +
	       (relink_call_target(hash) == other);
}
