/* SPDX-License-Identifier: MIT */
/*
 * pointers.c - accelerated pointers, as the runtime finds them: words of the section relink_pointers, their records, and what code
 * does with them by the relocations that the linker kept.
 *
 * Which variable an instruction is about is said by the instruction, not by the relocation's symbol, which may be a section. A word
 * without a record is named after the symbol that spans it; it is a choice if code is about it, or if it holds a function.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "layout.h"

#define BEFORE 6 /* as in the runtime */
#define WINDOW 12
#define WORD 8
#define PAGE 4096u
#define NAME_LONGEST 159 /* of the runtime's */
#define ALIASES 16

/* A variable that the file's symbol table names. */
struct variable {
	uint64_t start, size;
	uint32_t index; /* in the symbol table */
	const char *name;
	size_t length;
};

struct search {
	struct model *model;
	struct model **others;
	size_t other_count;
	struct variable *variables; /* by address */
	size_t count, capacity;
	struct map slots; /* address of a slot -> index of the word in `targets` */
	struct word *targets;
	size_t target_count, target_capacity;
	uint8_t *wanted;
};

static const struct model_section *section(const struct model *model)
{
	return model->lookup->pointers;
}

static const struct model_section *find_section(struct model *model)
{
	for (size_t i = 0; i < model->image->section_count; i++) {
		const struct model_section *s = &model->image->sections[i];

		if (strcmp(s->name, "relink_pointers") != 0 || !s->size)
			continue;
		if (image_at(model->image, s->address, s->size))
			return s;
		find(model, FOUND_RECORD_SECTION, s->address, "the section %s is not loaded from the file", s->name);
	}
	return NULL;
}

static bool is_ours(const struct model *model, uint64_t address)
{
	const struct model_section *s = section(model);

	return s && address - s->address < s->size;
}

bool is_pointer_word(const struct model *model, uint64_t address)
{
	const struct model_section *s = section(model);

	return s && address % WORD == 0 && address - s->address < s->size && s->size - (address - s->address) >= WORD;
}

/* ---- choices ---- */

/* One state of its own: what it holds. The runtime takes that at the program's first commit; until then start-up code may assign it. */
static void add_start(struct model *model, int choice, uint64_t address)
{
	struct model_state *state;
	const char *name = NULL;
	uint64_t offset, size;
	struct word word = { 0, NULL };

	image_word(model->image, address, &word);
	if (!word.symbol && model_symbol_at(model, word.value, &name, &offset, &size) && offset)
		name = arena_format(model->arena, "%s+0x%llx", name, (unsigned long long)offset);
	if (!name)
		name = word.symbol ? word.symbol : word.value ? arena_format(model->arena, "0x%llx", (unsigned long long)word.value) : "NULL";
	state = add_state(model, choice, name);
	if (!state)
		return;
	state->symbol = word.symbol;
	state->want = (struct rl_want){ .what = word.value || word.symbol ? RL_FUNCTION : RL_NOTHING, .address = word.value };
	model->choices[choice].initial = 0;
}

static int add_pointer(struct model *model, const char *name, uint64_t address)
{
	int choice = add_choice(model, MODEL_POINTER, name);

	if (choice == MODEL_NONE)
		return MODEL_NONE;
	model->choices[choice].object = model->choices[choice].slot = address;
	map_put(&model->lookup->objects, address, (uint32_t)choice);
	add_start(model, choice, address);
	return choice;
}

static int known(const struct model *model, uint64_t address)
{
	uint32_t found;

	return map_get(&model->lookup->objects, address, &found) && model->choices[found].kind == MODEL_POINTER ? (int)found : MODEL_NONE;
}

/* "handler", "on_signal[3]", "codec+8" */
static const char *place_name(struct model *model, const char *name, size_t name_length, uint64_t offset, uint64_t length, bool is_array)
{
	int n = name_length > NAME_LONGEST ? NAME_LONGEST : (int)name_length;

	if (length <= WORD)
		return arena_format(model->arena, "%.*s", n, name);
	if (is_array)
		return arena_format(model->arena, "%.*s[%llu]", n, name, (unsigned long long)(offset / WORD));
	return arena_format(model->arena, "%.*s+%llu", n, name, (unsigned long long)offset);
}

/* ---- records ---- */

static void add_record_words(struct model *model, const char *name, uint64_t object, uint64_t record, const uint8_t *bytes)
{
	uint64_t length = get64(bytes + POINTER_LENGTH);
	uint32_t flags = get32(bytes + 4);
	const char *doc = doc_of(model, record, POINTER_DOC);

	for (uint64_t at = 0; length - at >= WORD && is_pointer_word(model, object + at); at += WORD) {
		int choice = known(model, object + at);

		if (choice == MODEL_NONE)
			choice = add_pointer(model, place_name(model, name, strlen(name), at, length, !(flags & RELINK_POINTER_STRUCT)), object + at);
		if (choice == MODEL_NONE)
			return;
		model->choices[choice].doc = doc;
		model->choices[choice].flags = flags & (RELINK_FINAL | RELINK_NONFORCIBLE);
		model->choices[choice].record = record;
	}
}

static void pointer_record(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	unsigned kind = bytes[2] | (unsigned)bytes[3] << 8;
	struct word object = { 0, NULL };
	uint64_t length;
	const char *name;

	if (kind != RELINK_RECORD_POINTER)
		return;
	if (size < POINTER_SIZE) {
		find(model, FOUND_RECORD_SIZE, record, "a pointer's record of %zu bytes is too short", size);
		return;
	}
	name = string_of(model, record, POINTER_NAME, "name");
	if (!name)
		return;
	length = get64(bytes + POINTER_LENGTH);
	image_word(model->image, record + POINTER_OBJECT, &object);
	if (object.symbol || !is_pointer_word(model, object.value))
		find(model, FOUND_POINTER_RECORD, record, "%s: RELINK_POINTER_INFO of a variable that is not marked RELINK_POINTER in this file", name);
	else if (length < WORD || length % WORD || !is_pointer_word(model, object.value + length - WORD))
		find(model, FOUND_POINTER_RECORD, record, "%s: a variable of %llu bytes is no pointer, and none are in it", name,
		     (unsigned long long)length);
	else
		add_record_words(model, name, object.value, record, bytes);
}

/* ---- symbols ---- */

static int by_start(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void keep_variable(struct search *s, struct variable variable)
{
	s->variables = grown(s->variables, s->count, &s->capacity, sizeof(*s->variables));
	s->variables[s->count++] = variable;
}

static int indexed_variable(const struct rl_index_variable *v, void *ctx)
{
	struct search *s = ctx;

	keep_variable(s, (struct variable){ v->address, v->size, (uint32_t)s->count, v->name, v->name_length });
	return 0;
}

static void list_variables(struct search *s)
{
	const struct rl_elf *elf = &s->model->image->relocs;
	struct rl_elf_symbol symbol;

	if (s->model->has_index)
		rl_index_each_variable(&s->model->table->index, indexed_variable, s);
	for (uint32_t i = 1; i < rl_elf_symbol_count(elf) && !s->model->has_index; i++)
		if (rl_elf_symbol(elf, i, &symbol) && !symbol.undefined && symbol.type == STT_OBJECT && is_ours(s->model, symbol.value))
			keep_variable(s, (struct variable){ symbol.value, symbol.size, i, symbol.name, symbol.name_length });
	if (s->count)
		qsort(s->variables, s->count, sizeof(*s->variables), by_start);
}

/* Where several span a word, the first one in the symbol table names it. More than a few do in no file that a linker made. */
static const struct variable *variable_at(const struct search *s, uint64_t word)
{
	const struct variable *found = NULL;
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->variables[middle].start <= word)
			low = middle + 1;
		else
			high = middle;
	}
	for (unsigned tries = 0; low && tries < ALIASES; tries++) {
		const struct variable *v = &s->variables[--low];

		if (word - v->start < v->size && (!found || v->index < found->index))
			found = v;
	}
	return found;
}

static int choice_at(struct search *s, uint64_t word)
{
	int choice = known(s->model, word);
	const struct variable *v = choice == MODEL_NONE ? variable_at(s, word) : NULL;

	if (choice != MODEL_NONE)
		return choice;
	if (v)
		return add_pointer(s->model, place_name(s->model, v->name, v->length, word - v->start, v->size, false), word);
	return add_pointer(s->model, arena_format(s->model->arena, "pointer@0x%llx", (unsigned long long)word), word);
}

/* What holds a function is a pointer, even if no code is seen to call it. Zero and data are not known to be. */
static void add_filled(struct search *s)
{
	const struct model_section *all = section(s->model);
	struct word word;

	for (uint64_t at = (all->address + WORD - 1) & ~(uint64_t)(WORD - 1); is_pointer_word(s->model, at); at += WORD)
		if (known(s->model, at) == MODEL_NONE && image_word(s->model->image, at, &word) &&
		    (word.symbol || (word.value && image_is_code(s->model->image, word.value))))
			choice_at(s, at);
}

void pointers_read(struct model *model)
{
	struct search s = { .model = model };

	model->lookup->pointers = find_section(model);
	each_record(model, pointer_record, false);
	if (!section(model))
		return;
	model->has_records = true;
	list_variables(&s);
	add_filled(&s);
	free(s.variables);
}

/* ---- slots of the GOT ---- */

static bool copies(const struct model *model, const char *name, size_t length)
{
	for (size_t i = 0; i < model->image->copied_count; i++)
		if (model->image->copied[i].length == length && !memcmp(model->image->copied[i].symbol, name, length))
			return true;
	return false;
}

/* What a program copies out of a shared object is in nobody's section: the loader leads everybody to the copy. */
static bool is_copied(const struct search *s, const struct import *import)
{
	for (size_t i = 0; i < s->other_count; i++)
		if (copies(s->others[i], import->symbol, import->length))
			return true;
	return false;
}

/* What the program makes of other files' pointers, for the check. */
static void note_copies(struct search *s)
{
	struct image *image = s->model->image;
	uint64_t address, size;

	for (size_t i = 0; i < image->copied_count; i++)
		for (size_t k = 0; k < s->other_count; k++)
			if (s->others[k] != s->model &&
			    model_symbol_named(s->others[k], image->copied[i].symbol, image->copied[i].length, &address, &size) &&
			    is_pointer_word(s->others[k], address & ~(uint64_t)7))
				image->copied[i].from = arena_copy(s->model->arena, s->others[k]->name, strlen(s->others[k]->name));
}

/* The word that a slot leads to; `symbol` is the name of the choice if that is another module's. */
static bool leads_to_pointer(struct search *s, const struct import *import, struct word *target)
{
	uint64_t address, size;

	*target = (struct word){ import->value, NULL };
	if (!import->undefined)
		return is_pointer_word(s->model, import->value & ~(uint64_t)7) && !is_copied(s, import);
	for (size_t i = 0; i < s->other_count; i++) {
		const struct model *other = s->others[i];
		int choice;

		if (other == s->model || !model_symbol_named(other, import->symbol, import->length, &address, &size))
			continue;
		choice = known(other, address & ~(uint64_t)7);
		if (choice == MODEL_NONE)
			continue;
		*target = (struct word){ 0, other->choices[choice].name };
		return !is_copied(s, import);
	}
	return false;
}

static void list_slots(struct search *s)
{
	for (size_t i = 0; i < s->model->image->import_count; i++) {
		const struct import *import = &s->model->image->imports[i];
		struct word target;

		if (!leads_to_pointer(s, import, &target))
			continue;
		s->targets = grown(s->targets, s->target_count, &s->target_capacity, sizeof(*s->targets));
		map_put(&s->slots, import->place, (uint32_t)s->target_count);
		s->targets[s->target_count++] = target;
	}
}

/* ---- sites ---- */

/* Local variables are found through their section, imported ones by their slot; mold keeps those without their symbol. */
static bool matters(const struct search *s, const struct rl_elf_symbol *symbol)
{
	return symbol->type == STT_SECTION || symbol->undefined || is_ours(s->model, symbol->value) ||
	       (s->target_count && symbol->type == STT_OBJECT);
}

static bool mark_symbols(struct search *s)
{
	const struct rl_elf *elf = &s->model->image->relocs;
	uint32_t count = rl_elf_symbol_count(elf);
	struct rl_elf_symbol symbol;

	s->wanted = calloc(count / 8u + 1u, 1);
	if (!s->wanted)
		return false;
	s->wanted[0] |= 1;
	for (uint32_t i = 1; i < count; i++)
		if (rl_elf_symbol(elf, i, &symbol) && matters(s, &symbol))
			s->wanted[i / 8] |= (uint8_t)(1u << i % 8);
	return true;
}

static void add(struct search *s, uint64_t address, uint64_t place, const struct word *target, int kind)
{
	struct model *model = s->model;
	int choice = target->symbol ? choice_outside(model, MODEL_POINTER, target->symbol, strlen(target->symbol))
				    : choice_at(s, target->value & ~(uint64_t)7);

	if (choice != MODEL_NONE)
		*add_site(model) = (struct model_site){ .address = address, .record = place, .home = target->value, .choice = choice,
							.state = MODEL_NONE, .use = MODEL_NONE, .kind = (uint8_t)kind,
							.length = kind < RL_POINTER_USE ? model->port->length[kind] : 0 };
}

static int consider_place(uint64_t place, void *ctx)
{
	struct search *s = ctx;
	struct model *model = s->model;
	const uint8_t *window = image_at(model->image, place - BEFORE, WINDOW);
	struct rl_reference r;
	struct word target;
	uint32_t slot;

	if (!window || place < model->text_start + BEFORE || place + WINDOW - BEFORE > model->text_stop)
		return 0;
	model->port->refer(window, BEFORE, WINDOW, place, &r);
	target = (struct word){ r.target, NULL };
	if (r.use == RL_USE_OTHER)
		return 0;
	if (is_pointer_word(model, r.target & ~(uint64_t)7)) {
		if (r.use == RL_USE_CALL || r.use == RL_USE_TAIL)
			add(s, r.address, place, &target, r.use == RL_USE_CALL ? RL_POINTER_CALL : RL_POINTER_TAIL);
		else
			add(s, place, place, &target, r.use == RL_USE_LOAD ? MODEL_BY_REGISTER : MODEL_BY_ADDRESS);
	} else if (r.use == RL_USE_LOAD && map_get(&s->slots, r.target, &slot)) {
		add(s, place, place, &s->targets[slot], MODEL_BY_GOT);
	}
	return 0;
}

static int consider(const struct rl_elf_reloc *reloc, void *ctx)
{
	return consider_place(reloc->place, ctx);
}

static void search(struct search *s)
{
	struct model *model = s->model;

	if (model->has_index) {
		rl_index_each(&model->table->index, consider_place, s);
	} else if (!model->has_relocs && model->has_places) {
		each_place(model, "relink_sites", consider_place, s);
		each_place(model, "relink_got_sites", consider_place, s);
	} else if (mark_symbols(s) && rl_elf_each_reloc(&model->image->relocs, s->wanted, consider, s) < 0) {
		find(model, FOUND_RELOCS, 0, "its sections of kept relocations are broken: some calls through pointers are not found");
	}
}

void pointers_connect(struct model *model, struct model **others, size_t count)
{
	struct search s = { .model = model, .others = others, .other_count = count };

	note_copies(&s);
	list_slots(&s);
	if (section(model) || s.target_count) {
		list_variables(&s);
		search(&s);
	}
	map_free(&s.slots);
	free(s.variables);
	free(s.targets);
	free(s.wanted);
}

/* ---- what may be wrong ---- */

/* The runtime protects whole pages; what is not on them can be assigned unseen. */
void pointers_check(struct model *model)
{
	const struct model_section *s = section(model);

	if (s && ((s->address | s->size) % PAGE))
		find(model, FOUND_POINTER_PAGES, s->address,
		     "its accelerated pointers share a page with other data (LTO in parts, a linker script?): there an assignment does not fault");
	for (size_t i = 0; i < model->image->copied_count; i++) {
		const struct copied *c = &model->image->copied[i];

		if (c->from)
			find(model, FOUND_POINTER_COPIED, c->place,
			     "%.*s: an accelerated pointer of %s is copied here, so that nothing binds its calls: compile with -fPIC",
			     c->length > 100 ? 100 : (int)c->length, c->symbol, c->from);
	}
}
