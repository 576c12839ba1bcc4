/* SPDX-License-Identifier: MIT */
/*
 * deny.c - `deny PROGRAM [ARGUMENT]...` runs a program that can't change code: no file is opened for reading and writing, there is no
 * pwrite, and no mprotect that makes anything executable.
 */
#include "behaviour/environments/limits.h"

#include <sys/mman.h>

static const char *limit_mprotect(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, REFUSE(EPERM)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install_filter(program, COUNT(program));
}

int main(int argc, char **argv)
{
	static const unsigned calls[] = { SYS_pwrite64, SYS_pwritev, SYS_process_vm_writev };
	const char *why = argc > 1 ? limit_open_to_write(REFUSE(EPERM)) : "which program?";

	for (size_t i = 0; !why && i < COUNT(calls); i++)
		why = limit_call(calls[i], REFUSE(EPERM));
	why = why ? why : limit_mprotect();
	if (!why)
		execv(argv[1], argv + 1);
	fprintf(stderr, "deny: %s\n", why ? why : strerror(errno));
	return 77;
}
