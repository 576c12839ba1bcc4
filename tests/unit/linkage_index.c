/* SPDX-License-Identifier: MIT */
/* test: NOT generic */
/* The index of a module's calls: decoded once, then read from the cache; a file that is not right is made again. Tail jumps of a function, and of a module. */
#include "platform_test.h"

#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>

#include "runtime/linkage.h"

static char base[] = "/tmp/relink-index-test-XXXXXX";
static char file[300];

/* The first jump goes elsewhere, two go through a stub and one through the slot; one is an operand's bytes. Never run. */
__asm__(".pushsection .text\n"
	".globl jumps, jumps_one, jumps_two, jumps_three, jumps_stop, no_jumps\n"
	".hidden jumps, jumps_one, jumps_two, jumps_three, jumps_stop, no_jumps\n"
	"jumps:\n"
	"	.cfi_startproc\n"
	"	jmp getpgrp@PLT\n"
	"	call getppid@PLT\n"
	"	jne getppid@PLT\n"
	"	.byte 0x48, 0xb8\n" /* mov $.., %rax */
	"operand: jmp getppid@PLT\n"
	"	.byte 0, 0, 0\n"
	"jumps_one: jmp getppid@PLT\n"
	"	.byte 0xf2\n"
	"jumps_two: jmp getppid@PLT\n"
	"jumps_three: .byte 0xff, 0x25\n"
	"	.long getppid@GOTPCREL - 4\n"
	"	.cfi_endproc\n"
	"jumps_stop: nop\n"
	"no_jumps:\n"
	"	.cfi_startproc\n"
	"	call getppid@PLT\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".popsection\n");
extern const char jumps[], jumps_one[], jumps_two[], jumps_three[], jumps_stop[], no_jumps[];

static struct rl_linked *program(void)
{
	struct rl_linked *m = NULL;

	if (rl_linkage.module_count)
		return rl_linked_at((uintptr_t)jumps);
	rl_runtime.core.port = &rl_port_x86_64;
	rl_linkage.options = (struct relink_linkage_options)RELINK_LINKAGE_OPTIONS;
	if (!rl_linkage_look() || !(m = rl_linked_at((uintptr_t)jumps)))
		printf("this program is not among the modules\n");
	return m;
}

static uint32_t *load(size_t *count)
{
	uint32_t *offsets = NULL;

	CHECK(rl_all_load(program(), &offsets, count));
	return offsets;
}

static void name_file(const struct rl_linked *m)
{
	size_t at = (size_t)snprintf(file, sizeof(file), "%s/relink/sites-", base);

	for (size_t i = 0; i < m->build_id_length && at + 3 < sizeof(file); i++)
		at += (size_t)sprintf(file + at, "%02x", m->build_id[i]);
}

static bool is_there(void)
{
	struct stat status;

	return stat(file, &status) == 0;
}

static void check_same(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	CHECK(a_count == b_count && !memcmp(a, b, a_count * sizeof(*a)));
}

static bool has(const uint32_t *offsets, size_t count, const char *address)
{
	for (size_t i = 0; i < count; i++)
		if (offsets[i] == (uintptr_t)address - program()->text_start)
			return true;
	return false;
}

static void change_file(long at)
{
	int descriptor = open(file, O_RDWR | O_CLOEXEC);
	char byte = 0;

	CHECK(pread(descriptor, &byte, 1, at) == 1);
	byte = (char)(byte ^ 0x10);
	CHECK(pwrite(descriptor, &byte, 1, at) == 1);
	close(descriptor);
}

static void indexed(void)
{
	size_t count, again;
	uint32_t *first, *second;

	CHECK(program() && program()->build_id_length);
	name_file(program());
	rl_linkage.options.flags = RELINK_LINKAGE_NO_CACHE;
	free(load(&count));
	CHECK(!is_there());
	rl_linkage.options.flags = 0;
	first = load(&count);
	CHECK(count > 5 && is_there());
	CHECK(has(first, count, jumps_one) && has(first, count, jumps_two) && has(first, count, jumps_three));
	CHECK(!has(first, count, jumps_stop));
	second = load(&again);
	check_same(first, count, second, again);
	free(second);
	change_file(200);
	second = load(&again);
	check_same(first, count, second, again);
	free(second);
	/* and it has been replaced: this one says something else, and is believed */
	second = load(&again);
	check_same(first, count, second, again);
	free(second);
	free(first);
}

/* What the cache says is only where to look. */
static void believed(void)
{
	struct rl_link link;
	uint32_t *offsets;
	size_t count;

	offsets = load(&count);
	CHECK(!rl_link_at(program(), program()->text_start + offsets[0] + 1, &link));
	CHECK(rl_link_at(program(), (uintptr_t)jumps_one, &link) && link.kind == RL_TAIL);
	CHECK(!rl_link_at(program(), program()->text_stop + 100, &link));
	free(offsets);
}

static const struct rl_linked_slot *slot_named(const char *name, const struct rl_link *like)
{
	const struct rl_linked *m = program();

	for (size_t i = m->first; i < m->first + m->count; i++)
		if (!strcmp(rl_linkage.slots[i].name, name) && (!like || like->slot == i))
			return &rl_linkage.slots[i];
	return NULL;
}

/* Linkers have one slot for stubs and for pointers, or two. */
static void tails(void)
{
	struct rl_link through_stub, through_slot, link;
	const struct rl_linked_slot *slot;

	CHECK(rl_link_at(program(), (uintptr_t)jumps_one, &through_stub) && rl_link_at(program(), (uintptr_t)jumps_three, &through_slot));
	slot = slot_named("getppid", &through_stub);
	CHECK(slot && rl_link_tail(program(), (uintptr_t)jumps, slot, &link));
	CHECK(link.address == (uintptr_t)jumps_one && link.kind == RL_TAIL);
	CHECK(rl_link_tail(program(), (uintptr_t)jumps_two, slot, &link) && link.address == (uintptr_t)jumps_one);
	if (through_slot.slot != through_stub.slot) {
		slot = slot_named("getppid", &through_slot);
		CHECK(slot && rl_link_tail(program(), (uintptr_t)jumps, slot, &link));
		CHECK(link.address == (uintptr_t)jumps_three && link.kind == RL_POINTER_TAIL);
	}
	CHECK(!rl_link_tail(program(), (uintptr_t)no_jumps, slot, &link));
	CHECK(!rl_link_tail(program(), (uintptr_t)jumps_stop, slot, &link)); /* no function is there */
	slot = slot_named("getpgrp", NULL);
	CHECK(slot && rl_link_tail(program(), (uintptr_t)jumps, slot, &link) && link.address == (uintptr_t)jumps);
	CHECK(!rl_link_tail(program(), (uintptr_t)jumps_stop + 0x10000000, slot, &link));
}

static size_t count_tails(const char *name, const struct rl_link *like, size_t room)
{
	struct rl_link links[8];

	return rl_link_tails(program(), slot_named(name, like), links, room < 8 ? room : 8);
}

/* All of a slot's, and no other: in the order of their addresses, neither an operand's bytes nor the stub's own jump. */
static void all_tails(void)
{
	struct rl_link through_stub, through_slot, links[8];
	size_t count, expected;

	CHECK(rl_link_at(program(), (uintptr_t)jumps_one, &through_stub) && rl_link_at(program(), (uintptr_t)jumps_three, &through_slot));
	expected = through_slot.slot == through_stub.slot ? 3 : 2;
	count = rl_link_tails(program(), &rl_linkage.slots[through_stub.slot], links, 8);
	if (!CHECK(count == expected))
		return;
	CHECK(links[0].address == (uintptr_t)jumps_one && links[1].address == (uintptr_t)jumps_two && links[1].kind == RL_TAIL);
	if (expected == 3)
		CHECK(links[2].address == (uintptr_t)jumps_three && links[2].kind == RL_POINTER_TAIL);
	else
		CHECK(count_tails("getppid", &through_slot, 8) == 1);
	CHECK(count_tails("getppid", &through_stub, 1) == 1 && count_tails("getppid", &through_stub, 0) == 0);
	CHECK(count_tails("getpgrp", NULL, 8) == 1);
	CHECK(count_tails("mkdtemp", NULL, 8) == 0);
	CHECK(count_tails("getppid", &through_stub, 8) == expected); /* as often as one likes */
}

int main(void)
{
	char command[100];

	start_tally();
	if (!mkdtemp(base) || setenv("XDG_CACHE_HOME", base, 1) < 0)
		return 1;
	indexed();
	believed();
	tails();
	all_tails();
	snprintf(command, sizeof(command), "rm -rf %s", base);
	CHECK(system(command) == 0);
	return report();
}
