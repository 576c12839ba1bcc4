/* SPDX-License-Identifier: MIT */
/* interpose.c - definitions that a dynamic program has instead of libc's; see watch.h. */
#include <dlfcn.h>
#include <link.h>

#include "watch.h"

#define RL_EXPORT __attribute__((visibility("default")))

/* The linker is asked for it (-u), so that this object is part of the program. */
RL_EXPORT const int relink_watches_threads = 1;

static void *find(void **known, const char *name)
{
	void *found = __atomic_load_n(known, __ATOMIC_RELAXED);

	if (!found) {
		found = dlsym(RTLD_NEXT, name);
		__atomic_store_n(known, found, __ATOMIC_RELAXED);
	}
	return found;
}

struct relink_watch rl_watch = { .size = sizeof(rl_watch) };

static const char *lost; /* why threads may be created that nobody notices */

static bool leads_here(const char *name, void *ours)
{
	return dlsym(RTLD_DEFAULT, name) == ours;
}

/* ---- the entry points ---- */

#define DEFINE(name, result, parameters, arguments, permitted, otherwise) \
	static void *real_##name; \
	RL_EXPORT result name parameters; \
	result name parameters \
	{ \
		result (*real) parameters = (result (*) parameters)(uintptr_t)find(&real_##name, #name); \
		if (!real) { \
			errno = ENOSYS; \
			return -1; \
		} \
		return permitted ? real arguments : otherwise; \
	}
WATCHED(DEFINE)
WATCHED_LOOKUP(DEFINE)

static void *real_clone;

#define CLONE ((int (*)(int (*)(void *), void *, int, void *, ...))(uintptr_t)find(&real_clone, "clone"))
RL_EXPORT int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
RL_EXPORT int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
WATCHED_CLONE(clone, CLONE)
WATCHED_CLONE(__clone, CLONE)

/* ---- modules that look elsewhere first ---- */

#if defined(__x86_64__) && defined(__GLIBC__)

/*
 * A module loaded with RTLD_DEEPBIND, or into a namespace of its own, has its own idea of who comes first. From then
 * on nothing is known. Libc's functions look at who called them, so that they are entered by a jump, with the stack
 * as it was.
 */
extern void *relink_real_dlopen __attribute__((visibility("hidden")));
extern void *relink_real_dlmopen __attribute__((visibility("hidden")));
extern int relink_before_load(int blind) __attribute__((visibility("hidden")));
void *relink_real_dlopen, *relink_real_dlmopen;

/* The mode that is added to the caller's: nothing, or one that makes libc refuse in its own words. */
int relink_before_load(int blind)
{
	find(&relink_real_dlopen, "dlopen");
	find(&relink_real_dlmopen, "dlmopen");
	if (!blind)
		return 1;
	rl_watch.why = lost = "a module was loaded with RTLD_DEEPBIND or dlmopen, whose threads nobody would notice";
	return may_begin();
}

#define JUMP_STUB(name, real, file, mode, blind) \
	".globl " name "\n\t.type " name ", @function\n" \
	name ":\n\t.cfi_startproc\n\tendbr64\n\t" \
	"push %rdi\n\t.cfi_adjust_cfa_offset 8\n\tpush %rsi\n\t.cfi_adjust_cfa_offset 8\n\tpush %rdx\n\t.cfi_adjust_cfa_offset 8\n\t" \
	blind \
	"call relink_before_load\n\t" \
	"pop %rdx\n\t.cfi_adjust_cfa_offset -8\n\tpop %rsi\n\t.cfi_adjust_cfa_offset -8\n\tpop %rdi\n\t.cfi_adjust_cfa_offset -8\n\t" \
	"test %eax, %eax\n\tjnz 1f\n\txor " mode ", " mode "\n1:\tjmp *" real "(%rip)\n\t.cfi_endproc\n\t" \
	".size " name ", . - " name "\n\t"
#define DEEPBIND "8"

__asm__(".pushsection .text\n\t"
	JUMP_STUB("dlopen", "relink_real_dlopen", "%rdi", "%esi",
		  "mov %esi, %edi\n\tand $" DEEPBIND ", %edi\n\t")
	JUMP_STUB("dlmopen", "relink_real_dlmopen", "%rsi", "%edx",
		  "and $" DEEPBIND ", %edx\n\tor %rdx, %rdi\n\txor %eax, %eax\n\ttest %rdi, %rdi\n\tsetnz %al\n\tmov %eax, %edi\n\t")
	".popsection");

#endif

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
/* The loader's own list: a program's copy of _r_debug may be an old one, and a short one. */
static bool has_namespaces(void)
{
	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_DEBUG && d->d_un.d_ptr) {
			const struct r_debug_extended *debug = (const void *)d->d_un.d_ptr;

			return debug->base.r_version > 1 && debug->r_next;
		}
	return true;
}
#else
static bool has_namespaces(void)
{
	return false;
}
#endif

/* ---- start ---- */

static const char *find_why(void)
{
#define CHECK(name, result, parameters, arguments, permitted, otherwise) \
	if (!leads_here(#name, (void *)(uintptr_t)name)) \
		return "calls of " #name " do not lead to where they would be noticed";
	WATCHED(CHECK)
	WATCHED_LOOKUP(CHECK)
	CHECK(clone,,,,,)
	CHECK(dlopen,,,,,)
	CHECK(dlmopen,,,,,)
	if (has_namespaces())
		return "modules in a namespace of their own create threads that nobody would notice";
	return lost;
}

static void resolve(void)
{
#define RESOLVE(name, result, parameters, arguments, permitted, otherwise) find(&real_##name, #name);
	WATCHED(RESOLVE)
	WATCHED_LOOKUP(RESOLVE)
	RESOLVE(clone,,,,,)
}

static void __attribute__((constructor(101))) start(void)
{
	resolve();
	rl_watch.why = find_why();
	relink_threads_watch(&rl_watch);
}
