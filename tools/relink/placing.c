/* SPDX-License-Identifier: MIT */
/*
 * placing.c - moves an image that nobody has relocated or run yet, and tells the kernel.
 *
 * Such an image has its address in three places: its mappings, the auxiliary vector, and what the kernel remembers for /proc, debuggers
 * and core dumps (PR_SET_MM_MAP, which needs no privilege).
 */
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "placing.h"

#ifdef __x86_64__

#define HEADERS 64

/* What a filter of system calls, or a policy, could forbid: tried in a process of our own that has the same filters. */
const char *placing_rehearse(void)
{
	const uint64_t size = 2 * IMAGE_PAGE;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *room = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *code = mmap(NULL, IMAGE_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	unsigned int map_size;

	if (fd < 0)
		return "there is no /proc";
	close(fd);
	if (room == MAP_FAILED || code == MAP_FAILED || mremap(code, IMAGE_PAGE, IMAGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) != room ||
	    mprotect(room, IMAGE_PAGE, PROT_READ) || mprotect(room, IMAGE_PAGE, PROT_READ | PROT_EXEC) || munmap(room, size))
		return "mappings can't be moved here";
	if (prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &map_size, 0, 0) || map_size != sizeof(struct prctl_mm_map))
		return "the kernel does not let programs say where they are (CONFIG_CHECKPOINT_RESTORE)";
	return NULL;
}

static bool read_image(const struct tracee *t, struct place_image *image, uint64_t at, uint64_t count, uint64_t bias)
{
	Elf64_Phdr headers[HEADERS];

	return count && count <= HEADERS && tracee_read(t, at, headers, count * sizeof(*headers)) &&
	       place_image_read(image, headers, count, at, bias);
}

const char *placing_executable(const struct tracee *t, struct place_image *image)
{
	if (tracee_auxv(t, AT_PHENT) != sizeof(Elf64_Phdr) || !read_image(t, image, tracee_auxv(t, AT_PHDR), tracee_auxv(t, AT_PHNUM), 0))
		return "its program headers are unusual";
	return NULL;
}

bool placing_loader(const struct tracee *t, struct place_image *image)
{
	uint64_t base = tracee_auxv(t, AT_BASE);
	Elf64_Ehdr head;

	return tracee_read(t, base, &head, sizeof(head)) && head.e_phentsize == sizeof(Elf64_Phdr) &&
	       read_image(t, image, base + head.e_phoff, head.e_phnum, base) && image->bias == base;
}

int64_t placing_reserve(struct tracee *t, uint64_t at, uint64_t size)
{
	uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : 0);
	int64_t got = tracee_call(t, SYS_mmap, (uint64_t[]){ at, size, PROT_NONE, flags, (uint64_t)-1, 0 });

	/* Before 4.17 the kernel does not know the flag, and takes the address for a hint. */
	if (at && got > 0 && (uint64_t)got != at) {
		placing_release(t, (uint64_t)got, (uint64_t)got + size);
		return -1;
	}
	return got;
}

void placing_release(struct tracee *t, uint64_t start, uint64_t stop)
{
	if (start < stop)
		tracee_call(t, SYS_munmap, (uint64_t[]){ start, stop - start, 0, 0, 0, 0 });
}

static int64_t protect(struct tracee *t, uint64_t start, uint64_t size, int prot)
{
	return tracee_call(t, SYS_mprotect, (uint64_t[]){ start, size, (uint64_t)prot, 0, 0, 0 });
}

static int64_t move_mapping(struct tracee *t, const struct mapping *m, int64_t by)
{
	uint64_t size = m->stop - m->start, to = m->start + (uint64_t)by;

	return tracee_call(t, SYS_mremap, (uint64_t[]){ m->start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to, 0 });
}

/*
 * Profilers learn of mappings by mmap and mprotect, not by mremap: the latter two say where the code is now. Whether they are allowed has
 * been tried before (placing_rehearse).
 */
static void announce_code(struct tracee *t, const struct mapping *m, int64_t by)
{
	uint64_t at = m->start + (uint64_t)by, size = m->stop - m->start;

	if (m->prot & PROT_EXEC && !protect(t, at, size, m->prot & ~PROT_EXEC))
		protect(t, at, size, m->prot);
}

static bool lies_in(const struct mapping *m, const struct place_image *image)
{
	return m->start >= image->start && m->stop <= image->stop;
}

/* The image's mappings, in order, to the front of the list. */
static bool pick(struct tracee *t, const struct place_image *image)
{
	size_t count = 0;

	if (!tracee_read_maps(t))
		return false;
	for (size_t i = 0; i < t->map_count; i++) {
		const struct mapping *m = &t->maps[i];

		if (lies_in(m, image))
			t->maps[count++] = *m;
		else if (m->start < image->stop && m->stop > image->start)
			return false;
	}
	t->map_count = count;
	return count > 0;
}

static bool is_mapped(const struct tracee *t, uint64_t address)
{
	for (size_t i = 0; i < t->map_count; i++)
		if (t->maps[i].start <= address && address < t->maps[i].stop)
			return true;
	return false;
}

/* Whatever of it is not where it was. */
static void move_back(struct tracee *t, const struct mapping *was, size_t count, int64_t by)
{
	if (!tracee_read_maps(t))
		return;
	for (size_t i = 0; i < count; i++) {
		struct mapping moved = was[i];

		moved.start += (uint64_t)by;
		moved.stop += (uint64_t)by;
		if (!is_mapped(t, was[i].start))
			move_mapping(t, &moved, -by);
	}
}

/* Since Linux 6.17 with one call, if there are no holes. */
static bool move_at_once(struct tracee *t, int64_t by)
{
	struct mapping all = { .start = t->maps[0].start, .stop = t->maps[t->map_count - 1].stop };

	for (size_t i = 1; i < t->map_count; i++)
		if (t->maps[i].start != t->maps[i - 1].stop)
			return false;
	return t->map_count > 1 && move_mapping(t, &all, by) >= 0;
}

static bool move_each(struct tracee *t, int64_t by)
{
	for (size_t i = 0; i < t->map_count; i++)
		if (move_mapping(t, &t->maps[i], by) < 0)
			return false;
	return true;
}

/* In `t->maps` is what is to be moved. */
static bool move_all(struct tracee *t, int64_t by)
{
	struct mapping was[TRACEE_MAPPINGS];
	size_t count = t->map_count;

	memcpy(was, t->maps, count * sizeof(*was));
	if (move_at_once(t, by))
		return true;
	move_back(t, was, count, by);
	memcpy(t->maps, was, count * sizeof(*was));
	t->map_count = count;
	if (move_each(t, by))
		return true;
	move_back(t, was, count, by);
	return false;
}

const char *placing_move(struct tracee *t, const struct place_image *image, uint64_t at)
{
	int64_t by = (int64_t)(at - image->start);
	uint64_t hole = at;

	if (!pick(t, image))
		return "its mappings are unusual";
	if (!move_all(t, by))
		return "the kernel does not move its mappings";
	for (size_t i = 0; i < t->map_count; i++) {
		placing_release(t, hole, t->maps[i].start + (uint64_t)by);
		hole = t->maps[i].stop + (uint64_t)by;
		announce_code(t, &t->maps[i], by);
	}
	placing_release(t, hole, at + (image->stop - image->start));
	return NULL;
}

/*
 * What the kernel remembers: the auxiliary vector as it is on the stack, and how far the executable's code is from where it was. The
 * data's addresses stay the old ones: nothing but their difference is used, and kernels before 5.15, or with CONFIG_COMPAT_BRK, want the
 * heap behind them.
 */
bool placing_tell_kernel(struct tracee *t, int64_t by)
{
	struct prctl_mm_map map = {
		.start_code = t->stat[26] + (uint64_t)by,
		.end_code = t->stat[27] + (uint64_t)by,
		.start_data = t->stat[45],
		.end_data = t->stat[46],
		.start_brk = t->stat[47],
		.brk = t->stat[47], /* an empty heap */
		.start_stack = t->stat[28],
		.arg_start = t->stat[48],
		.arg_end = t->stat[49],
		.env_start = t->stat[50],
		.env_end = t->stat[51],
		.auxv = (void *)t->stack_auxv,
		.auxv_size = (uint32_t)(t->auxv_count * sizeof(t->auxv[0])),
		.exe_fd = (uint32_t)-1,
	};
	uint64_t at = (t->stack - 4096) & -(uint64_t)16; /* far below what it has, in the part of the stack that every exec maps */
	struct prctl_mm_map old;
	bool told;

	if (!tracee_read(t, at, &old, sizeof(old)) || !tracee_write(t, at, &map, sizeof(map)))
		return false;
	told = !tracee_call(t, SYS_prctl, (uint64_t[]){ PR_SET_MM, PR_SET_MM_MAP, at, sizeof(map), 0, 0 });
	return tracee_write(t, at, &old, sizeof(old)) && told;
}

/* In the vector that its loader will read, and in the kernel. */
static bool say(struct tracee *t, uint64_t headers, uint64_t entry, int64_t by)
{
	return tracee_set_auxv(t, AT_PHDR, headers + (uint64_t)by) && tracee_set_auxv(t, AT_ENTRY, entry + (uint64_t)by) &&
	       placing_tell_kernel(t, by);
}

static bool is_near(uint64_t a, uint64_t b)
{
	return a - b < IMAGE_LIMIT || b - a < IMAGE_LIMIT;
}

static const char *move_and_say(struct tracee *t, const struct place_image *image, uint64_t to)
{
	uint64_t headers = tracee_auxv(t, AT_PHDR), entry = tracee_auxv(t, AT_ENTRY);
	const char *why = "the kernel does not let it say where it is (CONFIG_CHECKPOINT_RESTORE)";

	if (say(t, headers, entry, (int64_t)(to - image->start)))
		why = placing_move(t, image, to);
	if (why)
		say(t, headers, entry, 0);
	return why;
}

const char *placing_near_loader(struct tracee *t, const struct place_image *image)
{
	uint64_t length = image->stop - image->start, size = length + (image->align > IMAGE_PAGE ? image->align : 0), to, at;
	int64_t got = placing_reserve(t, 0, size);
	const char *why = "there is no room near its loader";

	if (got < 0)
		return why;
	at = (uint64_t)got;
	to = place_image_fit(image, at, size);
	if (to && is_near(to, tracee_auxv(t, AT_BASE)))
		why = move_and_say(t, image, to);
	if (why) {
		placing_release(t, at, at + size);
		return why;
	}
	placing_release(t, at, to);
	placing_release(t, to + length, at + size);
	return NULL;
}

#endif
