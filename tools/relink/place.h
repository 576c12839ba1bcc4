/* SPDX-License-Identifier: MIT */
/*
 * place.h - starts a program so that its own code and its libraries are within reach of each other's direct calls.
 *
 * Linux maps a position-independent executable at 0x55.. and libraries at 0x7f.., a fixed one at 0x400000: never within +-2 GiB. Here
 * a helper process traces the exec and, before the new program has run one instruction, moves the executable next to its loader, or
 * keeps the kernel from mapping libraries anywhere but near it. docs/linkage-placement.md says what a program can notice.
 */
#ifndef RELINK_TOOL_PLACE_H
#define RELINK_TOOL_PLACE_H

/*
 * Where the environment has this text, place_exec puts the outcome: the reason why the program runs as it would have without placement, in
 * the place of the dots, or nothing. What is left over is commas, so that a list of words stays one; a reason has none.
 */
#define PLACE_ROOM                                                                                                                       \
	"why="                                                                                                                           \
	"............................................................"                                                                 \
	"............................................................"
#define PLACE_WORDS 120

/*
 * execve(path, argv, envp), placed where that can be done. Returns -1 and errno, only if the program can't be executed at all.
 * Call it with one thread. The process has no child more afterwards, and nobody traces it.
 */
int place_exec(const char *path, char *const argv[], char *const envp[]);

#endif
