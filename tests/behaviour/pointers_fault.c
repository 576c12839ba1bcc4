// SPDX-License-Identifier: MIT
// test: VARIANTS "-O2" "-O0" NOT generic address thread undefined
/* Whoever assigns an accelerated pointer behind relink's back faults there: address and function are the culprit's. */
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "check.h"

static int one(int x)
{
	return x + 1;
}

static int two(int x)
{
	return x + 2;
}

struct codec {
	int (*decode)(int), (*encode)(int);
};

/* Neighbours, which must stay writable. */
static int before[1024] = { 1 };
RELINK_POINTER int (*handler)(int) = one;
RELINK_POINTER static struct codec codec = { one, one };
RELINK_POINTER static int (*table[600])(int) = { one };
static int after[1024] = { 1 };

static sigjmp_buf back;
static void *volatile fault_address;
static volatile uintptr_t fault_ip;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	fault_address = info->si_addr;
	fault_ip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, 1);
}

/* In sections of their own, so that their ends are known. */
#define CULPRIT(name) __attribute__((noinline, section(#name)))

extern const char __start_culprit_direct[], __stop_culprit_direct[], __start_culprit_member[], __stop_culprit_member[],
	__start_culprit_indirect[], __stop_culprit_indirect[], __start_culprit_copy[], __stop_culprit_copy[];

CULPRIT(culprit_direct) static void assign(void)
{
	handler = two;
}

CULPRIT(culprit_member) static void assign_member(void)
{
	codec.encode = two;
}

CULPRIT(culprit_indirect) static void assign_through(int (*volatile *where)(int))
{
	*where = two;
}

CULPRIT(culprit_copy) static void copy_bytes(volatile char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = from[i];
}

#define FAULTS(call, address, where) \
	do { \
		fault_address = NULL; \
		if (!sigsetjmp(back, 1)) { \
			call; \
			CHECKF(false, "%s did not fault", #call); \
		} else { \
			CHECKF(fault_address == (void *)(address), "%s: fault at %p, not %p", #call, fault_address, (void *)(address)); \
			CHECKF(fault_ip >= (uintptr_t)__start_##where && fault_ip < (uintptr_t)__stop_##where, \
			       "%s: the culprit is at %#lx", #call, (unsigned long)fault_ip); \
		} \
	} while (0)

static void check_faults(void)
{
	static const struct codec other = { two, two };

	FAULTS(assign(), &handler, culprit_direct);
	FAULTS(assign_member(), &codec.encode, culprit_member);
	FAULTS(assign_through(&handler), &handler, culprit_indirect);
	FAULTS(assign_through(&table[0]), &table[0], culprit_indirect);
	FAULTS(assign_through(&table[599]), &table[599], culprit_indirect);
	FAULTS(copy_bytes((volatile char *)&codec, (const char *)&other, sizeof(codec)), &codec, culprit_copy);
	CHECK(handler == one && codec.decode == one && codec.encode == one && table[0] == one && !table[599]);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct relink_error err;

	CHECK(!sigaction(SIGSEGV, &action, NULL));
	assign();
	assign_member();
	handler = codec.encode = one;
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	check_faults();
	CHECK_CODE(relink_pointer_set(handler, two, &err), 0, &err);
	CHECK_CODE(relink_pointer_set(table[599], two, &err), 0, &err);
	CHECK(handler(1) == 3 && table[599](1) == 3);
	CHECK_CODE(relink_pointer_clear(handler, &err), 0, &err);
	CHECK_CODE(relink_pointer_clear(table[599], &err), 0, &err);
	check_faults();
	for (size_t i = 0; i < COUNT(before); i++)
		before[i] = after[i] = (int)i;
	CHECK(before[1023] + after[1] == 1024);
	return check_done();
}
