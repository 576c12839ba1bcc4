/* SPDX-License-Identifier: MIT */
/*
 * sitemap.c - the sites that the library finds are those that Capstone finds in the same functions: an independent decoder, started where
 * each function starts. Without arguments: this program and its libraries, but for large ones, which take their time.
 */
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <capstone/capstone.h>

#include "elf/sitemap.h"

#define LARGE 3000000

static const struct rl_port *const port = &rl_port_x86_64;

struct list {
	uint64_t *items;
	size_t count, room;
};

struct subject {
	struct rl_view view;
	struct rl_sitemap map;
	csh capstone;
	cs_insn *insn;
	struct list ours, theirs;
	struct list blind; /* where Capstone knows no instruction: it does not see the rest of that function */
};

static void add(struct list *list, uint64_t item)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 4096;
		list->items = realloc(list->items, list->room * sizeof(*list->items));
		if (!list->items)
			exit(2);
	}
	list->items[list->count++] = item;
}

static int add_ours(const struct rl_sitemap_site *site, void *ctx)
{
	add(&((struct subject *)ctx)->ours, site->address);
	return 0;
}

/* ---- Capstone ---- */

static bool decode(struct subject *s, const struct rl_piece *piece, uint64_t address)
{
	const uint8_t *bytes = piece->bytes + (address - piece->address);
	size_t count = (size_t)(piece->size - (address - piece->address));

	return address - piece->address < piece->size && cs_disasm_iter(s->capstone, &bytes, &count, &address, s->insn);
}

/* Where a word at a distance from the instruction is; false: its operand is something else. */
static bool word_of(const cs_insn *insn, uint64_t *word)
{
	const cs_x86 *x86 = &insn->detail->x86;

	if (x86->op_count != 1 || x86->operands[0].type != X86_OP_MEM || x86->operands[0].mem.base != X86_REG_RIP ||
	    x86->operands[0].mem.index != X86_REG_INVALID || x86->operands[0].mem.segment != X86_REG_INVALID)
		return false;
	*word = insn->address + insn->size + (uint64_t)x86->operands[0].mem.disp;
	return true;
}

static bool is_r11(const cs_insn *insn)
{
	unsigned reg = insn->detail->x86.operands[0].reg;

	return insn->id == X86_INS_MOV && insn->detail->x86.operands[0].type == X86_OP_REG && (reg == X86_REG_R11 || reg == X86_REG_R11D);
}

/* [endbr64] [mov $index,%r11d] jmp *slot(%rip), or mov slot(%rip),%r11 for a thunk. */
static bool is_stub(struct subject *s, uint64_t address)
{
	const struct rl_piece *piece = rl_view_code(&s->view, address);
	uint64_t word, start, stop;

	/* a function that is nothing but such a jump is one that makes it */
	if (address % 8 || (rl_functions_frame(&s->map.functions, address, &start, &stop) && (stop - start) % 8))
		return false;
	for (unsigned i = 0; piece && i < 3; i++) {
		if (!decode(s, piece, address))
			return false;
		if (s->insn->id == X86_INS_JMP)
			return word_of(s->insn, &word) && rl_sitemap_slot(&s->map, word);
		address += s->insn->size;
		if (is_r11(s->insn) && s->insn->detail->x86.operands[1].type == X86_OP_MEM)
			return rl_sitemap_slot(&s->map, address + (uint64_t)s->insn->detail->x86.operands[1].mem.disp);
		if (s->insn->id != X86_INS_ENDBR64 && !is_r11(s->insn))
			return false;
	}
	return false;
}

/* Returns the instruction's size, 0 at the end. */
static size_t look_at(struct subject *s, const struct rl_piece *piece, uint64_t address, uint64_t start, uint64_t stop)
{
	uint64_t word, target;
	size_t size;

	if (!decode(s, piece, address))
		return 0;
	size = s->insn->size;
	if (s->insn->id != X86_INS_CALL && s->insn->id != X86_INS_JMP)
		return size;
	if (s->insn->detail->x86.operands[0].type == X86_OP_IMM) {
		target = (uint64_t)s->insn->detail->x86.operands[0].imm;
		/* what is shorter is a short jump, and what stays in its function leads to no stub */
		if (size >= 5 && (target < start || target >= stop) && is_stub(s, target))
			add(&s->theirs, address + size - 5);
	} else if (word_of(s->insn, &word) && rl_sitemap_slot(&s->map, word) && piece->bytes[address - piece->address] != 0x66) {
		add(&s->theirs, address + size - 6);
	}
	return size;
}

/* Rows of stubs have frames, too. */
static bool holds_stubs(const struct subject *s, uint64_t start, uint64_t stop)
{
	for (uint64_t at = start; at < stop; at += 8)
		if (rl_sitemap_stub(&s->map, at))
			return true;
	return false;
}

static void read_piece(struct subject *s, const struct rl_piece *piece)
{
	uint64_t start, stop, size;

	for (uint64_t at = piece->address; at < piece->address + piece->size; at++) {
		if (!rl_functions_frame(&s->map.functions, at, &start, &stop))
			continue;
		for (uint64_t next = start; next < stop && !holds_stubs(s, start, stop); next += size) {
			size = look_at(s, piece, next, start, stop);
			if (!size) {
				add(&s->blind, next);
				break;
			}
		}
		at = stop - 1;
	}
}

/* ---- files ---- */

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;

	if (file && !fseek(file, 0, SEEK_END)) {
		*size = (size_t)ftell(file);
		rewind(file);
		bytes = malloc(*size + 1);
		if (bytes && fread(bytes, 1, *size, file) != *size)
			exit(2);
	}
	if (file)
		fclose(file);
	return bytes;
}

/* Does the library's decoder not come there? */
static bool is_lost(const struct subject *s, uint64_t address)
{
	const struct rl_piece *piece = rl_view_code(&s->view, address);
	uint64_t start, stop;
	struct rl_lead lead;
	size_t at;

	if (!piece || !rl_functions_frame(&s->map.functions, address, &start, &stop))
		return false;
	at = (size_t)(start - piece->address);
	return port->reach(piece->bytes, (size_t)piece->size, piece->address, &at, (size_t)(address - piece->address), &lead) == RL_REACH_LOST;
}

/* Is it in nobody's frame, or behind something that Capstone does not know? */
static bool is_not_seen(const struct subject *s, uint64_t address)
{
	uint64_t start, stop;

	if (!rl_functions_frame(&s->map.functions, address, &start, &stop))
		return true;
	for (size_t i = 0; i < s->blind.count; i++)
		if (s->blind.items[i] >= start && s->blind.items[i] <= address)
			return true;
	return false;
}

static int compare(const char *path, const struct subject *s)
{
	size_t i = 0, k = 0, differ = 0, others = 0;

	while (i < s->ours.count || k < s->theirs.count) {
		uint64_t our = i < s->ours.count ? s->ours.items[i] : UINT64_MAX, their = k < s->theirs.count ? s->theirs.items[k] : UINT64_MAX;

		if (our < their && is_not_seen(s, our))
			others++;
		else if (their < our && is_lost(s, their))
			others++;
		else if (our != their && differ++ < 10)
			printf("%s: only %s: %llx\n", path, our < their ? "here" : "Capstone", (unsigned long long)(our < their ? our : their));
		i += our <= their;
		k += their <= our;
	}
	printf("%s: %zu sites, %zu seen by one decoder alone, %zu differ\n", path, s->ours.count, others, differ);
	return differ != 0;
}

static int read_subject(const char *path)
{
	struct subject s = { .capstone = 0 };
	size_t size = 0, room;
	uint8_t *bytes = read_file(path, &size);
	const char *why = "can't be read";
	void *memory;
	int r;

	if (!bytes || !rl_view_file(&s.view, bytes, size, &why)) {
		printf("%s: %s\n", path, why);
		return 1;
	}
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &s.capstone) != CS_ERR_OK)
		return 1;
	cs_option(s.capstone, CS_OPT_DETAIL, CS_OPT_ON);
	s.insn = cs_malloc(s.capstone);
	room = rl_sitemap_size(&s.view, port);
	memory = malloc(room + 1);
	rl_sitemap_open(&s.map, &s.view, port, memory, room);
	rl_sitemap_each(&s.map, add_ours, &s, NULL);
	for (size_t i = 0; i < s.view.count; i++)
		if (s.view.pieces[i].flags & PF_X)
			read_piece(&s, &s.view.pieces[i]);
	r = compare(path, &s);
	cs_free(s.insn, 1);
	cs_close(&s.capstone);
	free(s.ours.items);
	free(s.theirs.items);
	free(s.blind.items);
	free(memory);
	free(bytes);
	return r;
}

static int read_module(struct dl_phdr_info *info, size_t size, void *ctx)
{
	int *state = ctx; /* modules, failures */
	struct stat status;

	(void)size;
	if (state[0]++ == 0)
		state[1] |= read_subject("/proc/self/exe");
	else if (info->dlpi_name[0] == '/' && stat(info->dlpi_name, &status) == 0 && status.st_size < LARGE)
		state[1] |= read_subject(info->dlpi_name);
	return 0;
}

int main(int argc, char **argv)
{
	int state[2] = { 0, 0 };

#ifndef __x86_64__
	if (argc == 1) {
		printf("skipped: this machine's code is no x86-64\n");
		return 77;
	}
#endif
	for (int i = 1; i < argc; i++)
		state[1] |= read_subject(argv[i]);
	if (argc == 1)
		dl_iterate_phdr(read_module, state);
	return state[1];
}
