/* SPDX-License-Identifier: MIT */
/*
 * recorder.c - sees calls that go through slots of the global offset table.
 *
 * A slot that is watched holds the address of one of our entries instead of its function's. An entry stands between any caller
 * and any function: it keeps every register but %r11, which linkage may change, and goes on to the function by a jump, so
 * that nothing of ours is on the stack then. It may be reached from signal handlers, from children of vfork and from
 * any thread, at any time; so it counts in memory of its own, without locks, and a count that two have changed at once
 * may be lost.
 *
 * A caller that comes often is work for whoever asked. That runs on a stack of its own with all signals blocked, since the
 * caller's may be small, and one at a time; who comes meanwhile is counted another time.
 */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <sys/mman.h>

#ifdef RL_X86_64

#include <cpuid.h>
#include <sys/single_threaded.h>
#include <time.h>

#pragma weak __libc_single_threaded

#define PLAIN RL_RAW __attribute__((target("general-regs-only")))
#define ENTRY_SIZE 16
#define PAD_SIZE 8
#define STACK_SIZE 65536

/* Callers: the return address, the watch, when they came first, and how often, in one word. */
#define CALLERS 16384u /* a power of two */
#define PROBES 8u
#define COUNT_BITS 5
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)
#define SETTLED COUNT_MASK /* there is nothing more to be done about it */
#define TICK_BITS 13
#define TICK_MASK ((UINT64_C(1) << TICK_BITS) - 1)
#define WATCH_SHIFT (COUNT_BITS + TICK_BITS)
#define WATCH_BITS 13
#define ADDRESS_SHIFT (WATCH_SHIFT + WATCH_BITS)
#define ADDRESS_BITS 33 /* those above are as in the slot's own address, or next to them: both are in reach of the same code */
#define LATE RL_LATE /* slots that the loader is about to fill */
#define LATE_CALLS 4u /* that may come before somebody looks */
#define HOT RL_HOT    /* callers that are looked at together */
#define TIRED 32u     /* slots that are given back together */
#define WAIT 1024u    /* calls, for which fewer of either may wait */
#define QUICK 2u       /* ticks, within which a hot caller becomes so */

/* What the entry has pushed, from the bottom up. */
struct registers {
	uint64_t watch; /* %r11 at the entry */
	uint64_t r10, r9, r8, rdi, rsi, rdx, rcx, rax, rbx;
	uintptr_t caller; /* the return address */
};

struct result { /* in %rax and %rdx */
	uintptr_t target;
	uint64_t work;
};

static struct rl_watch watches[RL_WATCHES];
static unsigned watch_count;
static uint64_t callers[CALLERS];
static uint64_t recorded;
static uint64_t waited; /* of these: calls of callers that are hot, and wait for others */
static uint64_t missed; /* nothing can be done about */
static unsigned late[LATE]; /* watch + 1; 0: free */
static unsigned late_count;
static uint64_t late_since; /* of the calls recorded */
static struct rl_hot_caller hot[HOT];
static unsigned hot_count, tired_count;
static unsigned hot_total;     /* that there have been */
static uint64_t waiting_since; /* of the calls recorded */
static unsigned tick;          /* the time, as far as callers are concerned */
static unsigned pace;          /* calls, after which somebody is asked what time it is; 0: nobody */
static uint64_t asked_time;    /* of the calls recorded */
static bool drowsy;            /* nothing else is work */
static rl_recorder_work *worker;
static unsigned threshold, patience;

static struct {
	unsigned busy;
	uint64_t mask;
	struct rl_recorded job;
} work;

/* For the assembly below, which is a part of this file; under link-time optimisation it may come to lie in another. */
struct result rl_recorder_count(struct registers *r) RL_HIDDEN;
void rl_recorder_run(void) RL_HIDDEN;
void rl_recorder_leave(void) RL_HIDDEN;
extern const char rl_recorder_entries[] RL_HIDDEN, rl_pads[] RL_HIDDEN;
RL_HIDDEN uintptr_t rl_pad_words[RL_PADS];
RL_HIDDEN uint8_t *rl_recorder_stack; /* its top */
RL_HIDDEN uint8_t *rl_recorder_vectors;
RL_HIDDEN uint64_t rl_recorder_saves; /* what xsave is to save; 0: fxsave is all there is */

/*
 * Entry i: endbr64; mov $i, %r11d; jmp common. 16 bytes each.
 *
 * The frame is described to unwinders throughout: a profiler's signal may arrive at any instruction.
 */
__asm__(".pushsection .text\n"
	".globl rl_recorder_entries, rl_recorder_common, rl_pads\n"
	".hidden rl_recorder_entries, rl_recorder_common, rl_pads\n"
	".balign 64\n"
	".type rl_recorder_entries, @function\n"
	"rl_recorder_entries:\n"
	"	.cfi_startproc\n"
	".set rl_i, 0\n"
	".rept 8192\n" /* RL_WATCHES */
	"	endbr64\n"
	"	mov	$rl_i, %r11d\n"
	"	.byte	0xe9\n"
	"	.long	rl_recorder_common - . - 4\n"
	"	.balign 16\n"
	".set rl_i, rl_i + 1\n"
	".endr\n"
	"	.cfi_endproc\n"
	".size rl_recorder_entries, . - rl_recorder_entries\n"
	".type rl_pads, @function\n"
	"rl_pads:\n"
	"	.cfi_startproc\n"
	".set rl_i, 0\n"
	".rept 1024\n" /* RL_PADS */
	"	jmp	*rl_pad_words + 8 * rl_i(%rip)\n"
	"	.balign 8\n"
	".set rl_i, rl_i + 1\n"
	".endr\n"
	"	.cfi_endproc\n"
	".size rl_pads, . - rl_pads\n"
	".type rl_recorder_common, @function\n"
	"rl_recorder_common:\n"
	"	.cfi_startproc\n"
	"	push	%rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbx, 0\n"
	"	push	%rax\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%rcx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%rdx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%r8\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%r9\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%r10\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%r11\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	mov	%rsp, %rbx\n"
	"	.cfi_def_cfa %rbx, 88\n"
	"	and	$-16, %rsp\n"
	"	mov	%rbx, %rdi\n"
	"	cld\n"
	"	call	rl_recorder_count\n"
	"	mov	%rax, (%rbx)\n"
	"	test	%rdx, %rdx\n"
	"	jnz	2f\n"
	"1:	mov	%rbx, %rsp\n"
	"	.cfi_def_cfa %rsp, 88\n"
	"	pop	%r11\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%r10\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%r9\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%r8\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rdx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rcx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rax\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %rbx\n"
	"	jmp	*%r11\n"
	"	.cfi_def_cfa %rbx, 88\n"
	"	.cfi_rel_offset %rbx, 72\n"
	"2:	mov	rl_recorder_stack(%rip), %rsp\n"
	"	mov	rl_recorder_saves(%rip), %rax\n"
	"	mov	rl_recorder_vectors(%rip), %rcx\n"
	"	test	%rax, %rax\n"
	"	jz	3f\n"
	"	xor	%edx, %edx\n"
	"	xsave64	(%rcx)\n"
	"	call	rl_recorder_run\n"
	"	mov	rl_recorder_saves(%rip), %rax\n"
	"	mov	rl_recorder_vectors(%rip), %rcx\n"
	"	xor	%edx, %edx\n"
	"	xrstor64 (%rcx)\n"
	"	jmp	4f\n"
	"3:	fxsave64 (%rcx)\n"
	"	call	rl_recorder_run\n"
	"	mov	rl_recorder_vectors(%rip), %rcx\n"
	"	fxrstor64 (%rcx)\n"
	"4:	mov	%rbx, %rsp\n"
	"	and	$-16, %rsp\n"
	"	call	rl_recorder_leave\n"
	"	jmp	1b\n"
	"	.cfi_endproc\n"
	".size rl_recorder_common, . - rl_recorder_common\n"
	".popsection\n");

_Static_assert(sizeof(struct registers) == 88, "the assembly pushes as much");
_Static_assert(RL_WATCHES == 8192 && RL_PADS == 1024, "the assembly has as many entries");

static uintptr_t entry_of(unsigned watch)
{
	return (uintptr_t)rl_recorder_entries + (uintptr_t)watch * ENTRY_SIZE;
}

/* ---- counting ---- */

/* The word of a caller, made if there is room: who has been settled makes it. NULL: there is none. */
PLAIN static uint64_t *find_caller(unsigned watch, uintptr_t caller)
{
	uint64_t key = (uint64_t)caller << ADDRESS_SHIFT | (uint64_t)watch << WATCH_SHIFT;
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15) >> 40, *room = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t *word = &callers[(hash + i) & (CALLERS - 1)], found = __atomic_load_n(word, __ATOMIC_RELAXED);

		if (found >> WATCH_SHIFT == key >> WATCH_SHIFT && found)
			return word;
		if (!room && (found == 0 || (found & COUNT_MASK) == SETTLED))
			room = word;
		if (found == 0)
			break;
	}
	if (room)
		__atomic_store_n(room, key | (tick & TICK_MASK) << COUNT_BITS, __ATOMIC_RELAXED);
	return room;
}

_Static_assert(ADDRESS_BITS + ADDRESS_SHIFT == 64 && RL_WATCHES == 1u << WATCH_BITS, "a caller's word");

/* Who is called for the first time has an answer soon: the loader puts it where we were. */
PLAIN static void note_late(unsigned watch)
{
	for (unsigned i = 0; i < LATE; i++)
		if (!late[i]) {
			late[i] = watch + 1;
			late_count++;
			late_since = recorded;
			return;
		}
}

/* Not at once: the slot is filled behind the first call that we pass on. */
PLAIN static bool is_late_due(void)
{
	return late_count && (late_count >= LATE / 2 || recorded - late_since >= LATE_CALLS);
}

PLAIN static bool is_single(void)
{
	return !&__libc_single_threaded || __libc_single_threaded;
}

PLAIN static uint64_t begin_work(enum rl_recorded_what what, struct rl_watch *w, uintptr_t caller)
{
	uint64_t all = ~RL_SYNCHRONOUS, old = 0;

	rl_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)&old, sizeof(all));
	if (__atomic_exchange_n(&work.busy, 1, __ATOMIC_ACQUIRE)) {
		rl_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof(old));
		return 0;
	}
	work.mask = old;
	work.job = (struct rl_recorded){ .watch = w, .caller = caller, .what = what };
	return 1;
}

PLAIN static void wait_no_longer(void)
{
	if (!hot_count && !tired_count)
		waiting_since = recorded;
}

/* A caller that nothing can be done about costs time with each call. */
PLAIN static uint64_t miss(struct rl_watch *w, const struct registers *r)
{
	missed++;
	if (++w->missed < patience || w->state != RL_WATCH_ON)
		return 0;
	wait_no_longer();
	w->state = RL_WATCH_TIRED;
	return ++tired_count >= TIRED && !drowsy ? begin_work(RL_RECORDED_ENOUGH, w, r->caller) : 0;
}

/* False: others have to be looked at first. */
PLAIN static bool note_hot(struct rl_watch *w, uintptr_t caller, uint64_t word)
{
	unsigned i = hot_count;

	if (i >= HOT)
		return false;
	wait_no_longer();
	hot[i] = (struct rl_hot_caller){ w, caller, ((tick - (word >> COUNT_BITS)) & TICK_MASK) <= QUICK };
	hot_count = i + 1;
	hot_total++;
	return true;
}

/* The first ones at once; the more there are, the more of them together. */
PLAIN static bool is_hot_due(void)
{
	return hot_count >= HOT || hot_count > hot_total / 32;
}

PLAIN static uint64_t count(struct rl_watch *w, const struct registers *r)
{
	uint64_t *caller = find_caller((unsigned)r->watch, r->caller);
	uint64_t came;

	if (!caller)
		return miss(w, r);
	came = *caller & COUNT_MASK;
	if (came < threshold)
		++*caller;
	if (came + 1 < threshold)
		return 0;
	if (came == SETTLED || !is_single())
		return miss(w, r);
	/* Who waits for others is bound with them: that is no reason to give the slot back, by which others come, too. */
	if (came == threshold && hot_count) {
		waited++;
		return 0;
	}
	if (came == threshold)
		return miss(w, r);
	if (!note_hot(w, r->caller, *caller)) {
		--*caller;
		return miss(w, r);
	}
	return is_hot_due() && !drowsy ? begin_work(RL_RECORDED_HOT, w, r->caller) : 0;
}

/* Whoever has waited for others of his kind for long enough. */
PLAIN static uint64_t look_at_waiting(struct rl_watch *w, const struct registers *r)
{
	if (is_late_due() && is_single())
		return begin_work(RL_RECORDED_LATE, w, r->caller);
	if (pace && recorded - asked_time >= pace && is_single()) {
		asked_time = recorded;
		return begin_work(RL_RECORDED_TIME, w, r->caller);
	}
	if (drowsy || (!hot_count && !tired_count) || recorded - waiting_since < WAIT)
		return 0;
	waiting_since = recorded;
	if (hot_count && is_single())
		return begin_work(RL_RECORDED_HOT, w, r->caller);
	return tired_count ? begin_work(RL_RECORDED_ENOUGH, w, r->caller) : 0;
}

PLAIN static uint64_t look_at(struct rl_watch *w, const struct registers *r)
{
	if (w->ask && w->state != RL_WATCH_OFF && w->ask(r->rdi, r->rsi))
		return begin_work(RL_RECORDED_ASKED, w, r->caller);
	switch (w->state) {
	case RL_WATCH_ON:
		return w->ask ? 0 : count(w, r);
	case RL_WATCH_UNFILLED:
		w->state = RL_WATCH_LATE;
		note_late((unsigned)r->watch);
		break;
	case RL_WATCH_TIRED:
		missed++;
		break;
	}
	return 0;
}

PLAIN struct result rl_recorder_count(struct registers *r)
{
	struct rl_watch *w = &watches[r->watch];
	struct result result = { __atomic_load_n(w->through ? w->through : &w->target, __ATOMIC_ACQUIRE), 0 };

	recorded++;
	/* This call first: if it was asked for, or the loader is about to fill the slot, there is no second time. */
	result.work = look_at(w, r);
	if (!result.work)
		result.work = look_at_waiting(w, r);
	return result;
}

/* On the stack of our own. */
void rl_recorder_run(void)
{
	worker(&work.job);
}

PLAIN void rl_recorder_leave(void)
{
	uint64_t mask = work.mask;

	__atomic_store_n(&work.busy, 0, __ATOMIC_RELEASE);
	rl_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof(mask));
}

/* ---- for whoever asks; under the runtime's lock ---- */

/* SSE, AVX and AVX-512: what arguments are passed in, and what compiled code may use. */
#define VECTORS (1u << 1 | 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7)
#define LEGACY_SIZE 576u

static size_t vectors_size(void)
{
	unsigned eax, ebx, ecx, edx, size = LEGACY_SIZE;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
		return size;
	if (!__get_cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx))
		return size;
	rl_recorder_saves = VECTORS & eax;
	for (unsigned i = 2; i < 8; i++)
		if (rl_recorder_saves & 1u << i && __get_cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx) && ebx + eax > size)
			size = ebx + eax;
	return size;
}

int rl_recorder_start(rl_recorder_work *fn, unsigned often, unsigned misses)
{
	size_t size = (vectors_size() + 63) & ~(size_t)63;
	uint8_t *memory;

	worker = fn;
	threshold = often < 1 ? 1 : often >= SETTLED ? SETTLED - 1 : often;
	patience = misses;
	if (rl_recorder_stack)
		return 0;
	/* The page below the stack stays out of reach. */
	memory = mmap(NULL, 4096 + STACK_SIZE + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	mprotect(memory, 4096, PROT_NONE);
	rl_recorder_vectors = memory + 4096 + STACK_SIZE;
	rl_recorder_stack = rl_recorder_vectors;
	return 0;
}

static struct rl_watch *gone;

static struct rl_watch *take_gone(uintptr_t target)
{
	for (struct rl_watch **at = &gone; *at; at = &(*at)->next)
		if ((*at)->target == target) {
			struct rl_watch *w = *at;

			*at = w->next;
			return w;
		}
	return NULL;
}

void rl_watch_drop(struct rl_watch *w)
{
	w->state = RL_WATCH_GONE;
	w->through = NULL;
	w->next = gone;
	gone = w;
}

void rl_recorder_sweep(void)
{
	for (unsigned i = 0; i < LATE; i++)
		if (late[i] && watches[late[i] - 1].state == RL_WATCH_GONE) {
			late[i] = 0;
			late_count--;
		}
	for (unsigned i = 0; i < hot_count; i++)
		if (hot[i].watch->state == RL_WATCH_GONE)
			hot[i--] = hot[--hot_count];
	for (unsigned i = 0; i < CALLERS; i++)
		if (callers[i] && watches[callers[i] >> WATCH_SHIFT & (RL_WATCHES - 1)].state == RL_WATCH_GONE)
			callers[i] = 0;
}

struct rl_watch *rl_watch_add(uintptr_t slot, uintptr_t target, bool filled)
{
	struct rl_watch *w = take_gone(target);

	if (!w && watch_count == RL_WATCHES)
		return NULL;
	w = w ? w : &watches[watch_count++];
	*w = (struct rl_watch){ .slot = slot, .target = target, .state = filled ? RL_WATCH_ON : RL_WATCH_UNFILLED };
	return w;
}

uintptr_t rl_watch_entry(const struct rl_watch *w)
{
	return entry_of((unsigned)(w - watches));
}

uintptr_t rl_pad_code(unsigned pad)
{
	return (uintptr_t)rl_pads + (uintptr_t)pad * PAD_SIZE;
}

uintptr_t *rl_pad_word(unsigned pad)
{
	return &rl_pad_words[pad];
}

bool rl_is_pad(uintptr_t address)
{
	return address - (uintptr_t)rl_pads < RL_PADS * PAD_SIZE;
}

struct rl_watch *rl_watch_of_entry(uintptr_t address)
{
	uintptr_t offset = address - (uintptr_t)rl_recorder_entries;

	return offset % ENTRY_SIZE == 0 && offset / ENTRY_SIZE < watch_count ? &watches[offset / ENTRY_SIZE] : NULL;
}

unsigned rl_recorder_take_late(struct rl_watch *list[RL_LATE])
{
	unsigned count = 0;

	for (unsigned i = 0; i < LATE; i++) {
		if (late[i])
			list[count++] = &watches[late[i] - 1];
		late[i] = 0;
	}
	late_count = 0;
	return count;
}

void rl_recorder_still_late(const struct rl_watch *w)
{
	note_late((unsigned)(w - watches));
}

unsigned rl_recorder_take_hot(struct rl_hot_caller list[RL_HOT], bool leave_one)
{
	unsigned count = hot_count - (leave_one && hot_count);

	for (unsigned i = 0; i < count; i++) {
		uint64_t *caller = find_caller((unsigned)(hot[i].watch - watches), hot[i].caller);

		list[i] = hot[i];
		if (caller)
			*caller |= SETTLED;
	}
	hot[0] = hot[count < HOT ? count : 0];
	hot_count -= count;
	return count;
}

uint64_t rl_recorder_waited(void)
{
	return waited;
}

uint64_t rl_recorder_missed(void)
{
	return missed;
}

unsigned rl_recorder_tired(void)
{
	return tired_count;
}

void rl_recorder_none_tired(void)
{
	tired_count = 0;
}

void rl_recorder_set_tick(unsigned now)
{
	tick = now;
}

void rl_recorder_set_pace(unsigned calls, bool sleeps)
{
	pace = calls;
	asked_time = recorded;
	drowsy = sleeps;
}

uint64_t rl_recorder_total(void)
{
	return recorded;
}

/* The one next to the slot of all addresses that end with these bits. */
static uintptr_t caller_of(const struct rl_watch *w, uint64_t word)
{
	uintptr_t near = w->through ? (uintptr_t)w->through : w->slot;
	int64_t distance = (int64_t)(((word >> ADDRESS_SHIFT) - near) << (64 - ADDRESS_BITS)) >> (64 - ADDRESS_BITS);

	return near + (uintptr_t)distance;
}

void rl_recorder_each(void (*visit)(struct rl_watch *w, uintptr_t caller, void *ctx), void *ctx)
{
	for (unsigned i = 0; i < CALLERS; i++) {
		uint64_t word = callers[i], came = word & COUNT_MASK;
		struct rl_watch *w = &watches[word >> WATCH_SHIFT & (RL_WATCHES - 1)];

		if (word && came >= threshold && came != SETTLED)
			visit(w, caller_of(w, word), ctx);
	}
}

bool rl_recorder_is_single(void)
{
	return is_single();
}

#define PATIENCE 10000 /* of 100 us */

bool rl_recorder_hold(void)
{
	const struct timespec pause = { 0, 100000 };

	for (int i = 0; i < PATIENCE; i++) {
		if (!__atomic_exchange_n(&work.busy, 1, __ATOMIC_ACQUIRE))
			return true;
		rl_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
	}
	return false;
}

void rl_recorder_release(void)
{
	__atomic_store_n(&work.busy, 0, __ATOMIC_RELEASE);
}

void rl_recorder_after_fork(void)
{
	work.busy = 0;
}

#else

int rl_recorder_start(rl_recorder_work *fn, unsigned often, unsigned misses)
{
	(void)fn, (void)often, (void)misses;
	return -ENOSYS;
}

struct rl_watch *rl_watch_add(uintptr_t slot, uintptr_t target, bool filled)
{
	(void)slot, (void)target, (void)filled;
	return NULL;
}

void rl_watch_drop(struct rl_watch *w)
{
	(void)w;
}

void rl_recorder_sweep(void)
{
}

uintptr_t rl_watch_entry(const struct rl_watch *w)
{
	(void)w;
	return 0;
}

uintptr_t rl_pad_code(unsigned pad)
{
	(void)pad;
	return 0;
}

uintptr_t *rl_pad_word(unsigned pad)
{
	(void)pad;
	return NULL;
}

bool rl_is_pad(uintptr_t address)
{
	(void)address;
	return false;
}

struct rl_watch *rl_watch_of_entry(uintptr_t address)
{
	(void)address;
	return NULL;
}

unsigned rl_recorder_take_late(struct rl_watch *list[RL_LATE])
{
	(void)list;
	return 0;
}

void rl_recorder_still_late(const struct rl_watch *w)
{
	(void)w;
}

unsigned rl_recorder_take_hot(struct rl_hot_caller list[RL_HOT], bool leave_one)
{
	(void)list, (void)leave_one;
	return 0;
}

uint64_t rl_recorder_waited(void)
{
	return 0;
}

uint64_t rl_recorder_missed(void)
{
	return 0;
}

unsigned rl_recorder_tired(void)
{
	return 0;
}

void rl_recorder_none_tired(void)
{
}

void rl_recorder_set_tick(unsigned now)
{
	(void)now;
}

void rl_recorder_set_pace(unsigned calls, bool sleeps)
{
	(void)calls, (void)sleeps;
}

uint64_t rl_recorder_total(void)
{
	return 0;
}

void rl_recorder_each(void (*visit)(struct rl_watch *w, uintptr_t caller, void *ctx), void *ctx)
{
	(void)visit, (void)ctx;
}

bool rl_recorder_is_single(void)
{
	return false;
}

bool rl_recorder_hold(void)
{
	return false;
}

void rl_recorder_release(void)
{
}

void rl_recorder_after_fork(void)
{
}

#endif
