/* SPDX-License-Identifier: MIT */
/*
 * cache.h - files that can be made again: what an earlier process has found out about a module or a program.
 *
 * They lie in $XDG_CACHE_HOME/relink (~/.cache/relink) as KIND-BUILDID, are the user's alone, and are read as a whole: nobody's later change
 * reaches a process that has read one. Whatever is not right about a file makes it one that is not there, and the next save
 * replaces it. What is in a file is as good as the user's own account, not better: callers check what they take out of it.
 *
 * Not under AT_SECURE, nor where a seccomp filter would kill who opens files. A filter that came later than that question is the
 * caller's to think of.
 */
#ifndef RL_CACHE_H
#define RL_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define RL_CACHE_KIND 16           /* bytes of a kind's name, with its end */
#define RL_CACHE_MAX (64u << 20)   /* bytes of contents */

struct rl_cache_name {
	const char *kind;          /* letters: "sites"; what its contents are */
	uint32_t version;          /* of the contents; another one is not read */
	const uint8_t *build_id;   /* of the module */
	size_t build_id_length;    /* 0: modules without one have no files */
};

/*
 * Reads the contents into memory that is to be freed. 0; -ENOENT: there is no such file, or no place for any; -EACCES: file or
 * directory is somebody else's, or others may write to it; -EBADMSG: it is damaged, of another version or another module;
 * -EPERM: files are not to be looked for; or what the kernel said.
 */
int rl_cache_load(const struct rl_cache_name *name, void **contents, size_t *size);
/* Into the caller's memory, for those who can't allocate any. As above, or -EFBIG: there are more than `most` bytes. Without 0 what is in
 * `room` means nothing. */
int rl_cache_read(const struct rl_cache_name *name, void *room, size_t most, size_t *size);
/*
 * Replaces the file, or leaves it as it was: whoever reads sees the old contents or the new ones. 0, or as above, or -EBUSY: another
 * process is writing this very file.
 */
int rl_cache_save(const struct rl_cache_name *name, const void *contents, size_t size);

#endif
