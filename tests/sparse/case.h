/* SPDX-License-Identifier: MIT */
/*
 * What every case may use. A line of a case says behind it what sparse prints for that line: `// expect: words`. Nothing else may
 * be printed. Cases are compiled, too: what sparse reports is C that compilers take, unless the case says `// only: sparse`.
 */
#include <stddef.h>
#include <relink/relink.h>

struct codec { int (*decode)(int); int (*encode)(int); };

RELINK_DECLARE_KEY(trace);
RELINK_DECLARE_OPTION(idle, halt, poll);
RELINK_DECLARE_IMMEDIATE(int, batch, 64);
RELINK_DECLARE_CALL(int, hash, (int x));
#define FS_OPS(op) op(int, size, (int x)) op(void, sync, (void))
RELINK_DECLARE_OPS(fs, FS_OPS);
extern const struct fs_ops disk_fs;

extern int (*RELINK_SEALED handler)(int);
extern int (*RELINK_SEALED table[4])(int);
extern struct codec RELINK_SEALED codec;

extern int (*plain)(int);
extern int other(int);
extern int use(void);
