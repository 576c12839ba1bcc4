/* SPDX-License-Identifier: MIT */
/*
 * frames.c - where a thread that stands still will go on: its pc, and every word on its stacks that may be a return address.
 *
 * Every aligned word from the stack pointer to the end of the stack counts, whoever put it there. That may find a
 * return address that an earlier call left behind; it can't miss one, whatever the code in between was compiled from,
 * and needs no table, no lock and no memory, of which the threads that stand still may hold any. What a signal handler
 * interrupted is known exactly: the kernel leaves the registers on the stack, below a return address that only signal
 * frames have.
 */
#include "park.h"

#ifdef RL_X86_64

#include <sys/mman.h>

extern const char rl_sigreturn[] RL_HIDDEN;

#define SIGNALS 64
#define EXTENTS 65536          /* the kernel's own limit on mappings is below */
#define LARGEST (256UL << 20)  /* bytes of stack that are looked at; who uses more is reported */
#define DEEPEST 64            /* signal handlers that one thread may be in */
#define SIGRETURN 9            /* bytes of mov $15, %rax; syscall */

struct extent {
	uintptr_t start, stop;
};

static struct {
	uintptr_t returns[SIGNALS + 1]; /* addresses that handlers return to */
	size_t return_count;
	struct extent *extents; /* memory that stacks may be in; neighbours are one, since mlock splits mappings */
	size_t extent_count;
} process;

/* ---- what belongs to the process ---- */

RL_RAW static void add_return(uintptr_t address)
{
	for (size_t i = 0; i < process.return_count; i++)
		if (process.returns[i] == address)
			return;
	process.returns[process.return_count++] = address;
}

RL_RAW static void find_returns(void)
{
	RL_FORGOTTEN struct rl_disposition now;

	process.return_count = 0;
	add_return((uintptr_t)rl_sigreturn);
	for (int signal = 1; signal <= SIGNALS; signal++)
		if (rl_disposition_set(signal, NULL, &now) == 0 && now.restorer && now.restorer != (uintptr_t)rl_park_return)
			add_return(now.restorer);
}

RL_RAW static void add_extent(const struct rl_mapping *mapping, void *ctx)
{
	struct extent *last = process.extent_count ? &process.extents[process.extent_count - 1] : NULL;

	(void)ctx;
	if (!mapping->stack_like)
		return;
	if (last && last->stop == mapping->start)
		last->stop = mapping->stop;
	else if (process.extent_count < EXTENTS)
		process.extents[process.extent_count++] = (struct extent){ mapping->start, mapping->stop };
}

/* While nobody stands still: memory. */
bool rl_frames_prepare(void)
{
	void *memory;

	if (process.extents)
		return true;
	memory = mmap(NULL, EXTENTS * sizeof(struct extent), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	process.extents = memory;
	return true;
}

RL_RAW bool rl_frames_begin(void)
{
	process.extent_count = 0;
	find_returns();
	return rl_mappings_each(add_extent, NULL);
}

/* The end of the memory that this address is in, 0 if it is in none that is a stack. */
RL_RAW static uintptr_t extent_end(uintptr_t address)
{
	size_t low = 0, high = process.extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process.extents[middle].stop <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < process.extent_count && process.extents[low].start <= address ? process.extents[low].stop : 0;
}

/* ---- one thread ---- */

struct walk {
	const struct rl_stack_walk *thread;
	const struct rl_ranges *ranges;
	struct rl_frame_found *found;
	struct extent stacks[RL_STACKS]; /* start is where the stack pointer is */
	size_t count, depth;
};

RL_RAW static bool give_up(struct walk *w, uintptr_t address, const char *why)
{
	*w->found = (struct rl_frame_found){ .address = address, .why = why };
	return true;
}

RL_RAW static bool look_up(struct walk *w, uintptr_t address, bool pc)
{
	const struct rl_range *range = rl_ranges_find(w->ranges, address, pc);

	if (range && !pc && address == range->start && !w->thread->context)
		range = NULL; /* the caller is on its way to nowhere else */
	if (range)
		*w->found = (struct rl_frame_found){ .address = address, .range = range };
	return range != NULL;
}

/* A stack ends where its memory ends, or where the thread's own data begins, or as the kernel was told. */
RL_RAW static uintptr_t stack_end(const struct walk *w, uintptr_t sp)
{
	const stack_t *other = w->thread->context ? &w->thread->context->uc_stack : NULL;
	uintptr_t end = extent_end(sp);

	if (other && sp - (uintptr_t)other->ss_sp < other->ss_size)
		return (uintptr_t)other->ss_sp + other->ss_size;
	return w->thread->tcb > sp && w->thread->tcb < end ? w->thread->tcb : end;
}

/* True: it can't be known. */
RL_RAW static bool add_stack(struct walk *w, uintptr_t sp)
{
	struct extent stack = { sp, stack_end(w, sp) };

	for (size_t i = 0; i < w->count; i++)
		if (sp >= w->stacks[i].start && sp < w->stacks[i].stop)
			return false;
	if (!stack.stop)
		return give_up(w, sp, "its stack is in memory that can't be found");
	if (stack.stop - sp > LARGEST)
		return give_up(w, sp, "its stack is too large to be looked through");
	if (w->count == RL_STACKS)
		return give_up(w, sp, "it is in signal handlers on too many stacks");
	w->stacks[w->count++] = stack;
	return false;
}

RL_RAW static bool take_context(struct walk *w, const ucontext_t *context);

RL_RAW static bool is_return(uintptr_t address)
{
	for (size_t i = 0; i < process.return_count; i++)
		if (process.returns[i] == address)
			return true;
	return false;
}

/* Between a handler's return and the kernel, the frame is right above the stack pointer. */
RL_RAW static bool take_returning(struct walk *w, uintptr_t pc, uintptr_t sp)
{
	uintptr_t end = extent_end(sp);

	for (size_t i = 0; i < process.return_count && end; i++)
		if (pc >= process.returns[i] && pc <= process.returns[i] + SIGRETURN && end - sp >= sizeof(ucontext_t))
			return take_context(w, (const ucontext_t *)sp);
	return false;
}

/* Registers hold return addresses in code that was written by hand. */
RL_RAW static bool take_context(struct walk *w, const ucontext_t *context)
{
	const greg_t *registers = context->uc_mcontext.gregs;

	if (look_up(w, (uintptr_t)registers[REG_RIP], true))
		return true;
	for (int i = REG_R8; i < REG_RSP; i++)
		if (look_up(w, (uintptr_t)registers[i], false))
			return true;
	if (!w->ranges->frames)
		return false;
	if (w->depth++ == DEEPEST)
		return give_up(w, (uintptr_t)registers[REG_RIP], "it is in too many signal handlers");
	return add_stack(w, (uintptr_t)registers[REG_RSP]) ||
	       take_returning(w, (uintptr_t)registers[REG_RIP], (uintptr_t)registers[REG_RSP]);
}

/* The word is where a signal handler returns to: behind it is what the handler interrupted. */
RL_RAW static bool take_signal_frame(struct walk *w, const uintptr_t *word, uintptr_t stop)
{
	const ucontext_t *context = (const ucontext_t *)(const void *)(word + 1);

	if ((uintptr_t)(&context->uc_mcontext + 1) > stop)
		return false;
	/* Handlers of ours send threads to where calls lead: it may be on its way. */
	if (w->ranges->functions && *word == (uintptr_t)rl_sigreturn)
		return give_up(w, *word, "it is in a trap handler of relink's");
	if (!extent_end((uintptr_t)context->uc_mcontext.gregs[REG_RSP]))
		return false; /* left over from a frame that something has overwritten since */
	return take_context(w, context);
}

RL_RAW static bool read_stack(struct walk *w, const struct extent *stack)
{
	uintptr_t first = (stack->start + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);

	for (const uintptr_t *word = (const uintptr_t *)first; (uintptr_t)(word + 1) <= stack->stop; word++)
		if (look_up(w, *word, false) || (is_return(*word) && take_signal_frame(w, word, stack->stop)))
			return true;
	return false;
}

RL_RAW static bool take_thread(struct walk *w)
{
	if (w->thread->context)
		return take_context(w, w->thread->context);
	return look_up(w, w->thread->pc, true) || (w->ranges->frames && add_stack(w, w->thread->sp));
}

RL_RAW bool rl_frames_inside(const struct rl_stack_walk *walk, const struct rl_ranges *ranges, struct rl_frame_found *found)
{
	struct walk w;

	w.thread = walk;
	w.ranges = ranges;
	w.found = found;
	w.count = w.depth = 0;
	if (take_thread(&w))
		return true;
	for (size_t i = 0; i < w.count; i++)
		if (read_stack(&w, &w.stacks[i]))
			return true;
	return false;
}

#endif
