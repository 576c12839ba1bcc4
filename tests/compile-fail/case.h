/* SPDX-License-Identifier: MIT */
/*
 * What every case may use. A case is one misuse: compiled as it is it must fail, and every compiler's output must hold
 * each `// expect:` text; with -DRIGHT it must compile without a warning, so that it fails for no other reason.
 * `// expect-c:` and `// expect-c++:` hold in one language; `// only: c native` names the only languages (c, c++)
 * and ports (native, generic) in which the misuse is one.
 */
#include <stddef.h>
#include <relink/relink.h>

/* Whole statements, since names that are pasted or quoted are not expanded. */
#ifdef RIGHT
#define MISUSE(wrong, right) right
#else
#define MISUSE(wrong, right) wrong
#endif

RELINK_DECLARE_CALL(int, hash, (int x));
RELINK_DECLARE_CALL(void, tick, (void));
RELINK_DECLARE_CALL_NORETURN(die, (const char *why));
RELINK_DECLARE_KEY(trace);
RELINK_DECLARE_OPTION(idle, halt, poll);
#define FS_OPS(op) op(int, size, (int x)) op(void, sync, (void))
RELINK_DECLARE_OPS(fs, FS_OPS);
#define NET_OPS(op) op(int, size, (int x))
RELINK_DECLARE_OPS(net, NET_OPS);
extern const struct fs_ops disk_fs;
extern const struct net_ops wire_net;

static inline int hash_good(int x) { return x; }
static inline int hash_wrong(long x) { return (int)x; }
static inline void tick_good(void) { }
