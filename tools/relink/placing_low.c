/* SPDX-License-Identifier: MIT */
/*
 * placing_low.c - libraries near a program that can't be moved.
 *
 * Everything above a point within the program's reach is reserved, so that the kernel, which looks for room from the top, finds it right
 * below that point. When the loader has mapped all libraries, and before the first of their functions is called, the reservation goes:
 * later mappings go where they always go. The loader tells debuggers of that moment in _r_debug.r_state, which is watched. So is the
 * program's entry, for a loader that has a state and does not say it.
 */
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "placing.h"

#ifdef __x86_64__

#define FENCES 16
#define REACH (1ull << 31)
#define SPARE (1ull << 20)          /* of the reach, for what is counted from the end of a call, or rounded */
#define ROOM_FOR_LIBRARIES (1ull << 29)
#define RANDOM (1ull << 28)
#define ROOM_ELSEWHERE (1ull << 32)
#define SYMBOLS 4096                /* no loader exports more */

struct fence {
	uint64_t start, stop;
};

struct fences {
	struct fence each[FENCES];
	size_t count;
};

/* As the kernel would have: libraries lie at random places, unless it was told that nothing shall. */
static uint64_t random_offset(void)
{
	char text[2] = "";
	uint64_t random = 0;
	int fd = open("/proc/sys/kernel/randomize_va_space", O_RDONLY | O_CLOEXEC);
	bool wanted = !(personality(0xffffffff) & ADDR_NO_RANDOMIZE) && (fd < 0 || read(fd, text, 1) != 1 || text[0] != '0');

	if (fd >= 0)
		close(fd);
	if (!wanted || getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return 0;
	return random % RANDOM & -(uint64_t)IMAGE_PAGE;
}

/*
 * Below which address libraries are to lie. The heap begins up to 1 GiB above the program, and grows: libraries go into that gap if it is
 * large enough, its size being random already; else as far above the heap's start as the reach allows, less something random. From just
 * below 2 GiB on the address sanitizer has its shadow.
 */
static uint64_t ceiling(const struct tracee *t, const struct place_image *image)
{
	uint64_t heap = t->stat[47] & -(uint64_t)IMAGE_PAGE, top = image->start + REACH;

	if (heap > image->stop && heap - image->stop >= ROOM_FOR_LIBRARIES && heap - image->start < REACH - SPARE)
		return heap;
	if (image->stop < REACH / 2)
		top = REACH;
	return top - SPARE - random_offset();
}

static uint64_t end_below(const struct tracee *t, uint64_t address)
{
	uint64_t end = 0;

	for (size_t i = 0; i < t->map_count; i++)
		if (t->maps[i].stop <= address && t->maps[i].stop > end)
			end = t->maps[i].stop;
	return end;
}

static bool add_fence(struct tracee *t, struct fences *f, uint64_t start, uint64_t stop)
{
	if (f->count == FENCES || start >= stop || placing_reserve(t, start, stop - start) != (int64_t)start)
		return false;
	f->each[f->count++] = (struct fence){ start, stop };
	return true;
}

static void drop_fences(struct tracee *t, const struct fences *f)
{
	for (size_t i = 0; i < f->count; i++)
		placing_release(t, f->each[i].start, f->each[i].stop);
}

/* Most of it, in one piece: up to what is there already. */
static void fence_below(struct tracee *t, struct fences *f, uint64_t top)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < t->map_count; i++)
		if (t->maps[i].stop > top && t->maps[i].start < first)
			first = t->maps[i].start;
	if (first != UINT64_MAX && first > top)
		add_fence(t, f, top, first);
}

/* The kernel itself says where it would put the next mapping; what is there is reserved until that place is the wanted one. */
static const char *raise_fences(struct tracee *t, struct fences *f, const struct place_image *image, uint64_t top)
{
	for (;;) {
		int64_t got = placing_reserve(t, 0, IMAGE_PAGE);
		uint64_t probe = (uint64_t)got, start;

		if (got < 0)
			return "it has no room for a mapping";
		placing_release(t, probe, probe + IMAGE_PAGE);
		if (probe >= image->stop && probe < top)
			return NULL;
		if (probe < top || !tracee_read_maps(t))
			return "the kernel maps libraries below it";
		start = end_below(t, probe);
		/* In the compatible layout the kernel looks upwards, and never below where it starts. */
		if (f->count && start == f->each[f->count - 1].stop && start == probe)
			return "the kernel maps libraries from below (setarch -L or vm.legacy_va_layout)";
		if (!add_fence(t, f, start > top ? start : top, probe + IMAGE_PAGE))
			return "the address space around it can't be reserved (RLIMIT_AS or RLIMIT_STACK?)";
	}
}

/* Above all fences: there the kernel looks at last. The stack's own room is not counted. */
static bool has_room_elsewhere(struct tracee *t, const struct fences *f, uint64_t stack)
{
	uint64_t top = 0, next = UINT64_MAX;

	for (size_t i = 0; i < f->count; i++)
		if (f->each[i].stop > top)
			top = f->each[i].stop;
	if (!tracee_read_maps(t))
		return false;
	for (size_t i = 0; i < t->map_count; i++) {
		if (t->maps[i].start <= top && top < t->maps[i].stop)
			top = t->maps[i].stop;
		if (t->maps[i].start > top && t->maps[i].start < next)
			next = t->maps[i].start;
	}
	return next - top >= ROOM_ELSEWHERE && (stack == RLIM_INFINITY || next - top - ROOM_ELSEWHERE >= stack);
}

/* ---- the loader ---- */

/* Its tables are as in the file: it has not relocated itself. */
static uint64_t find_state(const struct tracee *t, const struct place_image *loader)
{
	static const char name[] = "_r_debug";
	uint64_t symbols = 0, strings = 0;
	char text[sizeof(name)];
	Elf64_Dyn dyn;
	Elf64_Sym symbol;

	for (uint64_t at = loader->dynamic; at + sizeof(dyn) <= loader->stop; at += sizeof(dyn)) {
		if (!tracee_read(t, at, &dyn, sizeof(dyn)) || dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_SYMTAB)
			symbols = loader->bias + dyn.d_un.d_ptr;
		if (dyn.d_tag == DT_STRTAB)
			strings = loader->bias + dyn.d_un.d_ptr;
	}
	if (!loader->dynamic || !symbols)
		return 0;
	for (uint64_t i = 0; i < SYMBOLS && symbols + i * sizeof(symbol) < strings; i++)
		if (tracee_read(t, symbols + i * sizeof(symbol), &symbol, sizeof(symbol)) && symbol.st_shndx != SHN_UNDEF &&
		    tracee_read(t, strings + symbol.st_name, text, sizeof(text)) && !memcmp(text, name, sizeof(name)))
			return loader->bias + symbol.st_value + offsetof(struct r_debug, r_state);
	return 0;
}

static void shift(struct place_image *image, uint64_t by)
{
	image->bias += by;
	image->start += by;
	image->stop += by;
	image->dynamic += by;
}

static const char *move_loader(struct tracee *t, struct place_image *loader, uint64_t to)
{
	uint64_t base = tracee_auxv(t, AT_BASE), by = to - loader->start;
	const char *why = "the kernel does not let it say where its loader is";

	if (tracee_set_auxv(t, AT_BASE, base + by) && placing_tell_kernel(t, 0))
		why = placing_move(t, loader, to);
	if (why) {
		tracee_set_auxv(t, AT_BASE, base);
		placing_tell_kernel(t, 0);
		return why;
	}
	if (t->start.rip >= loader->start && t->start.rip < loader->stop)
		t->start.rip += by;
	if (t->gate >= loader->start && t->gate < loader->stop)
		t->gate += by;
	shift(loader, by);
	return NULL;
}

/* So that the libraries' calls of it stay in reach, too: __tls_get_addr is one that is called often. */
static const char *bring_loader(struct tracee *t, struct place_image *loader)
{
	uint64_t length = loader->stop - loader->start, size = length + (loader->align > IMAGE_PAGE ? loader->align : 0), at, to;
	int64_t got = placing_reserve(t, 0, size);
	const char *why = "there is no room for its loader near it";

	if (got < 0)
		return why;
	at = (uint64_t)got;
	to = place_image_fit(loader, at, size);
	if (to)
		why = move_loader(t, loader, to);
	placing_release(t, at, why ? at + size : to);
	if (!why)
		placing_release(t, to + length, at + size);
	return why;
}

/* Writes to `state`, four bytes, and the execution of `entry`, in this thread; or nothing (0). */
static bool watch(const struct tracee *t, uint64_t state, uint64_t entry)
{
	const uint64_t control = 1ull << 0 | 1ull << 16 | 3ull << 18 | 1ull << 2;

	if (!state)
		return !ptrace(PTRACE_POKEUSER, t->pid, offsetof(struct user, u_debugreg[7]), 0L);
	return !ptrace(PTRACE_POKEUSER, t->pid, offsetof(struct user, u_debugreg[0]), state) &&
	       !ptrace(PTRACE_POKEUSER, t->pid, offsetof(struct user, u_debugreg[1]), entry) &&
	       !ptrace(PTRACE_POKEUSER, t->pid, offsetof(struct user, u_debugreg[7]), control);
}

/* A loader that says nothing of its state is done when the program begins. */
static bool is_done(struct tracee *t, uint64_t state, uint64_t entry, bool *adding)
{
	struct user_regs_struct regs;
	int now;

	if (ptrace(PTRACE_GETREGS, t->pid, 0L, &regs) < 0 || !tracee_read(t, state, &now, sizeof(now))) {
		t->gone = true;
		return true;
	}
	*adding |= now == RT_ADD;
	return regs.rip == entry || (*adding && now == RT_CONSISTENT);
}

/* Lets the loader run until it has mapped and relocated what there is. */
static const char *run_loader(struct tracee *t, uint64_t state, uint64_t entry)
{
	bool adding = false;

	t->gone = ptrace(PTRACE_SETREGS, t->pid, 0L, &t->start) < 0 || ptrace(PTRACE_SETSIGMASK, t->pid, sizeof(t->mask), &t->mask) < 0;
	do
		t->gone = t->gone || tracee_run(t->pid, PTRACE_CONT) != TRACEE_TRAP; /* a library was not found, or something killed it */
	while (!t->gone && !is_done(t, state, entry, &adding));
	t->gone = t->gone || !tracee_stand(t);
	return t->gone ? "the process ended" : NULL;
}

const char *placing_near_program(struct tracee *t, const struct place_image *image, uint64_t stack)
{
	struct fences fences = { .count = 0 };
	struct place_image loader, was;
	const char *why;
	uint64_t state, entry = tracee_auxv(t, AT_ENTRY), top = ceiling(t, image);

	/* The kernel lets nobody block or ignore the traps of its own, and forgets that they were. */
	if (!t->may_trap)
		return "it blocks or ignores SIGTRAP";
	if (!placing_loader(t, &loader) || !find_state(t, &loader))
		return "its loader does not say when it is done (_r_debug)";
	fence_below(t, &fences, top);
	was = loader;
	why = raise_fences(t, &fences, image, top);
	if (!why && !has_room_elsewhere(t, &fences, stack))
		why = "libraries that are too large to be near would find no room (ulimit -Hs)";
	if (!why)
		why = bring_loader(t, &loader);
	if (!why && !add_fence(t, &fences, was.start, was.stop))
		why = "the place that its loader left can't be reserved";
	if (!why) {
		state = find_state(t, &loader);
		why = "there is no debug register to watch its loader";
		if (watch(t, state, entry))
			why = run_loader(t, state, entry);
		if (!t->gone)
			watch(t, 0, 0);
	}
	drop_fences(t, &fences);
	return why;
}

#endif
