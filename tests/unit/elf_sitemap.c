/* SPDX-License-Identifier: MIT */
/*
 * The index of sites.
 *
 *	elf_sitemap                      this program and its libraries: forms made for it; as loaded and as files the same
 *	elf_sitemap sites FILE           lists sites, slots that are read, and counts
 *	elf_sitemap objdump FILE         compares with `objdump -d -w FILE` on standard input: 0 the same sites, 3 objdump has less
 *	elf_sitemap time FILE            how long it takes
 */
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "elf/sitemap.h"

static const struct rl_port *const port = &rl_port_x86_64; /* ports compile everywhere */

struct subject {
	uint8_t *bytes;
	size_t size;
	struct rl_view view;
	struct rl_sitemap map;
	void *memory;
};

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(2);
}

static void read_subject(struct subject *s, const char *path)
{
	FILE *file = fopen(path, "rb");
	const char *why;

	if (!file || fseek(file, 0, SEEK_END))
		fail(path, "can't be read");
	s->size = (size_t)ftell(file);
	rewind(file);
	s->bytes = malloc(s->size + 1);
	if (!s->bytes || fread(s->bytes, 1, s->size, file) != s->size)
		fail(path, "can't be read");
	fclose(file);
	if (!rl_view_file(&s->view, s->bytes, s->size, &why))
		fail(path, why);
}

static void open_subject(struct subject *s, const char *path)
{
	size_t size;

	read_subject(s, path);
	size = rl_sitemap_size(&s->view, port);
	s->memory = malloc(size + 1);
	rl_sitemap_open(&s->map, &s->view, port, s->memory, size);
}

static void close_subject(struct subject *s)
{
	free(s->memory);
	free(s->bytes);
}

/* ---- lists ---- */

static const char *kind_word(enum rl_kind kind)
{
	return kind == RL_CALL ? "call" : kind == RL_TAIL ? "tail" : kind == RL_POINTER_CALL ? "pointer-call" : "pointer-tail";
}

static int print_site(const struct rl_sitemap_site *site, void *ctx)
{
	(void)ctx;
	printf("%s %llx %llx %s\n", kind_word(site->kind), (unsigned long long)site->address, (unsigned long long)site->home,
	       *site->slot->slot.name ? site->slot->slot.name : "-");
	return 0;
}

static void list_sites(const char *path)
{
	struct rl_sitemap_counts counts;
	struct subject s;

	open_subject(&s, path);
	rl_sitemap_each(&s.map, print_site, NULL, &counts);
	for (size_t i = 0; i < s.map.slot_count; i++)
		if (s.map.slots[i].read)
			printf("read %llx %s\n", (unsigned long long)s.map.slots[i].slot.address, s.map.slots[i].slot.name);
	printf("counts slots %zu stubs %zu left %zu outside %zu lost %zu\n", s.map.slot_count, s.map.stub_count, counts.left,
	       counts.outside, counts.lost);
	close_subject(&s);
}

/* ---- objdump ---- */

struct list {
	uint64_t *items;
	size_t count, room;
};

static void add(struct list *list, uint64_t item)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 1024;
		list->items = realloc(list->items, list->room * sizeof(*list->items));
		if (!list->items)
			exit(2);
	}
	list->items[list->count++] = item;
}

static int add_site(const struct rl_sitemap_site *site, void *ctx)
{
	add(ctx, site->address);
	return 0;
}

static size_t raw_bytes(const char *text)
{
	size_t count = 0;

	while (strspn(text, "0123456789abcdef") == 2) {
		count++;
		text += 2;
		text += *text == ' ';
	}
	return count;
}

/* The mnemonic, without prefixes that objdump writes as words. */
static const char *skip_prefixes(const char *text)
{
	static const char *const words[] = { "bnd ", "notrack ", "data16 ", "rex.W ", "rex ", "addr32 ", "ds ", "cs ", "es ", "ss " };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strncmp(text, words[i], strlen(words[i]))) {
			text += strlen(words[i]);
			i = (size_t)-1;
		}
	return text;
}

struct line {
	uint64_t site, target;
	bool left, direct;
};
struct comparing {
	struct list theirs, ours;
	struct line *lines;    /* calls and jumps of which it is not yet known where they lead */
	size_t line_count, line_room;
	uint64_t plt[16][2];   /* the linker's sections of stubs */
	size_t plt_count;
	size_t left;
	size_t missing, outside, extra, lost;
};

/* What a line of objdump's says, if it is a call or jump to a constant place or through a constant word. */
static bool read_line(char *text, uint64_t address, struct line *line)
{
	size_t length = raw_bytes(text);
	char *raw = text, *operand, *end, *comment;
	bool call, jump;

	text = strchr(text, '\t');
	if (!text)
		return false;
	text = (char *)(uintptr_t)skip_prefixes(text + 1);
	call = !strncmp(text, "call", 4);
	jump = !strncmp(text, "jmp", 3);
	operand = strchr(text, ' ');
	if (!operand || (!call && *text != 'j'))
		return false;
	operand += strspn(operand, " ");
	line->direct = *operand != '*';
	if (line->direct) {
		line->left = !call && !jump;
		line->target = strtoull(operand, &end, 16);
		line->site = address + length - (line->left ? 6 : 5);
		return end != operand;
	}
	comment = strstr(operand, "(%rip)        # ");
	line->left = length > 6 && !strncmp(raw, "66 ", 3);
	line->site = address + length - 6;
	line->target = comment ? strtoull(comment + 16, NULL, 16) : 0;
	return comment != NULL;
}

static void add_line(struct comparing *c, struct line line)
{
	if (c->line_count == c->line_room) {
		c->line_room = c->line_room ? 2 * c->line_room : 4096;
		c->lines = realloc(c->lines, c->line_room * sizeof(*c->lines));
		if (!c->lines)
			exit(2);
	}
	c->lines[c->line_count++] = line;
}

static bool is_in_plt(const struct comparing *c, uint64_t target)
{
	for (size_t i = 0; i < c->plt_count; i++)
		if (target >= c->plt[i][0] && target <= c->plt[i][1])
			return true;
	return false;
}

static void read_lines(struct comparing *c)
{
	char *text = NULL;
	size_t room = 0;
	bool plt = false;

	while (getline(&text, &room, stdin) > 0) {
		char *end;
		uint64_t address = strtoull(text, &end, 16);
		struct line line;

		if (!strncmp(text, "Disassembly of section ", 23)) {
			plt = (!strncmp(text + 23, ".plt", 4) || !strncmp(text + 23, ".iplt", 5)) && c->plt_count < 16;
			if (plt)
				c->plt[c->plt_count++][0] = UINT64_MAX;
		}
		if (end == text || *end != ':')
			continue;
		if (plt) {
			uint64_t *range = c->plt[c->plt_count - 1];

			range[0] = address < range[0] ? address : range[0];
			range[1] = address;
		} else if (read_line(end + 2, address, &line)) {
			add_line(c, line);
		}
	}
	free(text);
}

/* Does decoding the function not come to this place? Then there is data in it, and objdump was lucky. */
static bool is_lost(const struct rl_sitemap *l, uint64_t site)
{
	const struct rl_piece *piece = rl_view_code(l->view, site);
	uint64_t start, stop;
	struct rl_lead lead;
	size_t at, offset;

	if (!piece || !rl_sitemap_function(l, site, &start, &stop))
		return false;
	at = (size_t)(start - piece->address);
	offset = (size_t)(site - piece->address);
	return at < offset && (port->reach(piece->bytes, (size_t)piece->size, piece->address, &at, offset, &lead) == RL_REACH_LOST ||
			       at + 4 < offset);
}

static void read_objdump(const struct rl_sitemap *l, struct comparing *c)
{
	read_lines(c);
	for (size_t i = 0; i < c->line_count; i++) {
		const struct line *line = &c->lines[i];

		if (line->direct ? !is_in_plt(c, line->target) : !rl_sitemap_slot(l, line->target))
			continue;
		if (is_lost(l, line->site)) {
			c->lost++;
			continue;
		}
		if (line->left)
			c->left++;
		else
			add(&c->theirs, line->site);
	}
}

static void compare(const struct rl_sitemap *l, struct comparing *c)
{
	size_t i = 0, k = 0;
	uint64_t start = 0, stop;

	while (i < c->ours.count || k < c->theirs.count) {
		uint64_t our = i < c->ours.count ? c->ours.items[i] : UINT64_MAX, their = k < c->theirs.count ? c->theirs.items[k] : UINT64_MAX;

		if (our == their) {
			i++;
			k++;
		} else if (our < their) {
			rl_sitemap_function(l, our, &start, &stop);
			printf("only here: %llx %llx\n", (unsigned long long)our, (unsigned long long)start);
			c->extra++;
			i++;
		} else if (rl_sitemap_function(l, their, &start, &stop)) {
			printf("only objdump: %llx\n", (unsigned long long)their);
			c->missing++;
			k++;
		} else {
			c->outside++;
			k++;
		}
	}
}

static int compare_with_objdump(const char *path)
{
	struct comparing c = { .left = 0 };
	struct rl_sitemap_counts counts;
	struct subject s;
	int status;

	open_subject(&s, path);
	rl_sitemap_each(&s.map, add_site, &c.ours, &counts);
	read_objdump(&s.map, &c);
	compare(&s.map, &c);
	status = c.missing || counts.left != c.left ? 1 : c.extra ? 3 : 0;
	printf("%zu slots, %zu stubs, %zu sites (%zu e8, %zu e9, %zu ff 15, %zu ff 25), %zu left (objdump %zu), %zu lost (%zu of objdump's), "
	       "outside of functions %zu (objdump %zu); %zu only here, %zu only objdump's\n",
	       s.map.slot_count, s.map.stub_count, c.ours.count, counts.sites[RL_CALL], counts.sites[RL_TAIL],
	       counts.sites[RL_POINTER_CALL], counts.sites[RL_POINTER_TAIL], counts.left, c.left, counts.lost, c.lost, counts.outside, c.outside,
	       c.extra, c.missing);
	free(c.ours.items);
	free(c.theirs.items);
	free(c.lines);
	close_subject(&s);
	return status;
}

/* ---- time ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void time_it(const char *path)
{
	double best_open = 1e9, best_each = 1e9;
	uint64_t text = 0;
	struct subject s;

	for (unsigned i = 0; i < 7; i++) {
		double start, opened, done;
		size_t size;

		read_subject(&s, path);
		start = now();
		size = rl_sitemap_size(&s.view, port);
		s.memory = malloc(size + 1);
		rl_sitemap_open(&s.map, &s.view, port, s.memory, size);
		opened = now();
		rl_sitemap_each(&s.map, NULL, NULL, NULL);
		done = now();
		best_open = opened - start < best_open ? opened - start : best_open;
		best_each = done - opened < best_each ? done - opened : best_each;
		if (i < 6)
			close_subject(&s);
	}
	for (size_t i = 0; i < s.view.count; i++)
		text += s.view.pieces[i].flags & PF_X ? s.view.pieces[i].size : 0;
	printf("%s: %.1f MB of code: slots and stubs %.2f ms, sites %.2f ms\n", path, (double)text / 1e6, best_open, best_each);
	close_subject(&s);
}

/* ---- this program ---- */

static int failures;

#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #what); \
			failures++; \
		} \
	} while (0)

#if defined(__x86_64__) && defined(__LP64__)

/* Never run. `forms_data` looks like a call of the stub, as an operand; the bytes behind `forms_lost` are no instruction. */
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl forms, forms_stop, forms_lost, forms_lost_stop\n"
	".hidden forms, forms_stop, forms_lost, forms_lost_stop\n"
	"forms:\n"
	"	.cfi_startproc\n"
	"forms_call: call getppid@PLT\n"
	"	.byte 0xf2\n"
	"forms_bnd: call getppid@PLT\n"
	"	.byte 0x66, 0x66, 0x48\n"
	"forms_tls: call getppid@PLT\n"
	"forms_left: jne getppid@PLT\n"
	"	movabs $0x00000000e8, %rax\n"
	"forms_pointer_call: .byte 0xff, 0x15\n"
	"	.long getppid@GOTPCREL - 4\n"
	"	.byte 0x66, 0x48, 0xff, 0x15\n" /* left, too */
	"	.long getppid@GOTPCREL - 4\n"
	"forms_tail: jmp getppid@PLT\n"
	"	.byte 0xf2\n"
	"forms_bnd_tail: jmp getppid@PLT\n"
	"	.balign 8\n" /* as stubs are, within a function */
	"forms_pointer_tail: .byte 0xff, 0x25\n"
	"	.long getppid@GOTPCREL - 4\n"
	"	.cfi_endproc\n"
	"forms_stop: .skip 16, 0x90\n"
	"	.balign 16\n"
	"forms_lost:\n"
	"	.cfi_startproc\n"
	"forms_before: call getppid@PLT\n"
	"	jmp 1f\n"
	"	.byte 0x06, 0x06\n"
	"1:	call getppid@PLT\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"forms_lost_stop:\n"
	".popsection\n");
extern const char forms[], forms_stop[], forms_lost[], forms_lost_stop[];
extern const char forms_call[], forms_bnd[], forms_tls[], forms_pointer_call[], forms_tail[], forms_bnd_tail[], forms_pointer_tail[],
	forms_before[];

struct seen {
	struct rl_sitemap_site sites[64];
	size_t count;
	uint64_t start, stop;
};

static int see(const struct rl_sitemap_site *site, void *ctx)
{
	struct seen *seen = ctx;

	if (site->address >= seen->start && site->address < seen->stop && seen->count < 64)
		seen->sites[seen->count++] = *site;
	return 0;
}

static int stop_at_once(const struct rl_sitemap_site *site, void *ctx)
{
	*(uint64_t *)ctx = site->address;
	return 42;
}

static void check_forms(const struct rl_sitemap *l, uint64_t bias)
{
	const struct {
		enum rl_kind kind;
		const char *address;
	} want[] = { { RL_CALL, forms_call }, { RL_CALL, forms_bnd }, { RL_CALL, forms_tls }, { RL_POINTER_CALL, forms_pointer_call },
		     { RL_TAIL, forms_tail }, { RL_TAIL, forms_bnd_tail }, { RL_POINTER_TAIL, forms_pointer_tail }, { RL_CALL, forms_before } };
	struct seen seen = { .start = (uintptr_t)forms - bias, .stop = (uintptr_t)forms_lost_stop - bias };
	struct rl_sitemap_counts counts;
	struct rl_sitemap_site site, tails[2];
	uint64_t start, stop, first = 0;

	CHECK(rl_sitemap_each(l, see, &seen, &counts) == 0);
	CHECK(counts.left == 2 && counts.lost == 1);
	CHECK(seen.count == sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < seen.count; i++) {
		uint64_t address = (uintptr_t)want[i].address - bias;

		CHECK(seen.sites[i].kind == want[i].kind && seen.sites[i].address == address);
		CHECK(!strcmp(seen.sites[i].slot->slot.name, "getppid"));
		CHECK(rl_sitemap_at(l, address, &site) && site.kind == want[i].kind && site.address == address && site.slot == seen.sites[i].slot);
		CHECK(!rl_sitemap_at(l, address + 1, &site));
	}
	CHECK(rl_sitemap_function(l, (uintptr_t)forms_tail - bias, &start, &stop));
	CHECK(start == (uintptr_t)forms - bias && stop == (uintptr_t)forms_stop - bias);
	CHECK(!rl_sitemap_function(l, (uintptr_t)forms_stop - bias, &start, &stop));
	for (size_t i = 0; i < l->slot_count; i++) {
		size_t count = rl_sitemap_tails(l, (uintptr_t)forms - bias, (uintptr_t)forms_stop - bias, l->slots[i].slot.address, tails, 2);

		if (strcmp(l->slots[i].slot.name, "getppid") != 0)
			CHECK(count == 0);
		else
			first += count;
	}
	CHECK(first == 3); /* through one slot or two, as the linker likes */
	CHECK(rl_sitemap_each(l, stop_at_once, &first, NULL) == 42 && rl_sitemap_at(l, first, &site));
}

struct lists {
	struct list sites;
	uint64_t sum; /* of what is said of each */
};

static int note_site(const struct rl_sitemap_site *site, void *ctx)
{
	struct lists *lists = ctx;

	CHECK(!lists->sites.count || lists->sites.items[lists->sites.count - 1] < site->address);
	add(&lists->sites, site->address);
	lists->sum = (lists->sum * 31 + site->home) * 31 + site->kind + site->slot->slot.address;
	return 0;
}

/* Bytes of sites that are the same in the file and in memory; a loader changes slots alone. */
static void compare_loaded(const char *path, const struct rl_sitemap *loaded)
{
	struct lists file = { .sum = 0 }, memory = { .sum = 0 };
	struct subject s;

	open_subject(&s, path);
	rl_sitemap_each(&s.map, note_site, &file, NULL);
	rl_sitemap_each(loaded, note_site, &memory, NULL);
	if (file.sum != memory.sum || file.sites.count != memory.sites.count)
		printf("%s: %zu sites in the file, %zu in memory\n", path, file.sites.count, memory.sites.count);
	CHECK(file.sum == memory.sum && file.sites.count == memory.sites.count && s.map.stub_count == loaded->stub_count);
	printf("%s: %zu slots, %zu stubs, %zu sites\n", path, loaded->slot_count, loaded->stub_count, memory.sites.count);
	free(file.sites.items);
	free(memory.sites.items);
	close_subject(&s);
}

static int check_module(struct dl_phdr_info *info, size_t size, void *ctx)
{
	bool main = !*(int *)ctx;
	struct rl_sitemap map;
	struct rl_view view;
	void *memory;

	++*(int *)ctx;
	if ((!main && info->dlpi_name[0] != '/') || !rl_view_loaded(&view, info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr))
		return 0;
	size = rl_sitemap_size(&view, port);
	memory = malloc(size + 1);
	rl_sitemap_open(&map, &view, port, memory, size);
	if (main)
		check_forms(&map, info->dlpi_addr);
	compare_loaded(main ? "/proc/self/exe" : info->dlpi_name, &map);
	free(memory);
	return 0;
}

static int check_self(void)
{
	int modules = 0;

	dl_iterate_phdr(check_module, &modules);
	printf("%d modules\n", modules);
	return failures != 0;
}

#else

static int check_self(void)
{
	printf("skipped: this machine's code is no x86-64\n");
	return 77;
}

#endif

int main(int argc, char **argv)
{
	if (argc == 1)
		return check_self();
	if (argc == 3 && !strcmp(argv[1], "sites"))
		list_sites(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "objdump"))
		return compare_with_objdump(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "time"))
		time_it(argv[2]);
	return 0;
}
