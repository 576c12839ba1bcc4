/* SPDX-License-Identifier: MIT */
/* sites.c - branches, patches and trampolines: sites that records name. Calls are in calls.c. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "layout.h"

struct model_site *add_site(struct model *model)
{
	model->sites = grown(model->sites, model->site_count, &model->site_capacity, sizeof(*model->sites));
	model->sites[model->site_count] = (struct model_site){ .choice = MODEL_NONE, .use = MODEL_NONE };
	return &model->sites[model->site_count++];
}

bool lies_in_code(struct model *model, uint64_t record, uint64_t site, uint64_t length)
{
	if (site >= model->text_start && site < model->text_stop && length <= model->text_stop - site)
		return true;
	find(model, FOUND_SITE_OUTSIDE, record, "the site 0x%llx does not lie in code", (unsigned long long)site);
	return false;
}

/* ---- branches ---- */

static void branch_record(struct model *model, uint64_t record)
{
	struct word key = { 0, NULL };
	struct model_site *s;
	uint64_t site, ref;
	unsigned flags;
	int choice, state = MODEL_NONE;

	if (!image_field(model->image, record, &site) || !image_field(model->image, record + 4, &ref))
		return;
	flags = ref & 7;
	ref &= ~(uint64_t)7;
	if (!lies_in_code(model, record, site, 1))
		return;
	if (flags & RELINK_BRANCH_DIRECT)
		key.value = ref;
	else if (!image_word(model->image, ref, &key))
		key = (struct word){ 0, NULL };
	choice = choice_behind(model, &key, MODEL_KEY, &state);
	if (choice == MODEL_NONE) {
		find(model, FOUND_SITE_CHOICE, record, "the branch 0x%llx belongs to no key", (unsigned long long)site);
		return;
	}
	s = add_site(model);
	*s = (struct model_site){ .address = site, .record = record, .ref = ref, .choice = choice, .state = state, .use = MODEL_NONE,
				  .kind = RL_BRANCH, .length = model->port->length[RL_BRANCH], .flags = (uint8_t)flags };
}

/* ---- patches ---- */

static int locks(struct model *model)
{
	int *known = &model->lookup->locks;

	if (*known != MODEL_NONE)
		return *known;
	*known = add_choice(model, MODEL_KEY, "locks");
	if (*known == MODEL_NONE)
		return MODEL_NONE;
	add_state(model, *known, "off");
	add_state(model, *known, "on");
	model->choices[*known].initial = 1;
	model->choices[*known].doc = "atomic operations have their lock prefix (built in)";
	return *known;
}

static int choice_of_word(struct model *model, uint64_t place, enum model_choice_kind kind)
{
	struct word word;

	return image_word(model->image, place, &word) ? choice_behind(model, &word, kind, NULL) : MODEL_NONE;
}

static bool read_arm(const struct model *model, uint64_t at, struct model_arm *arm, uint64_t *word, uint8_t *flags)
{
	const uint8_t *bytes = image_at(model->image, at, ARM_SIZE);

	if (!bytes || !image_field(model->image, at, &arm->code) || !image_field(model->image, at + 4, word))
		return false;
	arm->length = bytes[8];
	arm->feature = bytes[9];
	*flags = bytes[10];
	arm->inverted = (*flags & RELINK_ARM_NOT) != 0;
	arm->choice = MODEL_NONE;
	return true;
}

/* The key of an arm that has been looked at when the site was added. */
static int known_key(const struct model *model, uint64_t place)
{
	struct word word;
	uint32_t choice;
	char name[OUTSIDE_NAME];

	if (!image_word(model->image, place, &word))
		return MODEL_NONE;
	if (!word.symbol)
		return map_get(&model->lookup->objects, word.value, &choice) ? (int)choice : MODEL_NONE;
	name_outside(&word, name);
	return map_get(&model->lookup->outside, hash_of(name, strlen(name)), &choice) ? (int)choice : MODEL_NONE;
}

size_t model_arms(const struct model *model, const struct model_site *site, struct model_arm arms[MODEL_ARMS_MAX])
{
	uint8_t flags = 0;
	uint64_t word;
	size_t n = 0;

	if (site->kind != RL_ALTERNATIVE)
		return 0;
	while (n < MODEL_ARMS_MAX && !(flags & RELINK_ARM_LAST)) {
		if (!read_arm(model, site->ref + n * ARM_SIZE, &arms[n], &word, &flags))
			break;
		if (flags & RELINK_ARM_KEY)
			arms[n].choice = known_key(model, word);
		n++;
	}
	return n;
}

bool model_depends(const struct model *model, const struct model_site *site, int choice)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count;

	if (site->choice == choice)
		return true;
	if (site->choice == MODEL_NONE || choice == MODEL_NONE || site->kind != RL_ALTERNATIVE)
		return false;
	count = model_arms(model, site, arms);
	for (size_t i = 0; i < count; i++)
		if (arms[i].choice == choice)
			return true;
	return false;
}

/* The first key among the conditions is the site's choice. False: the list has no end, or can't be read. */
static bool choice_of_arms(struct model *model, uint64_t list, int *choice)
{
	for (unsigned i = 0; i < MODEL_ARMS_MAX; i++, list += ARM_SIZE) {
		struct model_arm arm;
		uint64_t word;
		uint8_t flags;
		int key;

		if (!read_arm(model, list, &arm, &word, &flags))
			return false;
		if (flags & RELINK_ARM_KEY) {
			key = choice_of_word(model, word, MODEL_KEY);
			if (key == MODEL_NONE)
				return false;
			if (*choice == MODEL_NONE)
				*choice = key;
		}
		if (flags & RELINK_ARM_LAST)
			return true;
	}
	return false;
}

/* False, and a finding: there is no such choice. */
static bool choice_of_patch(struct model *model, struct model_site *s, uint8_t kind)
{
	uint64_t word;

	switch (kind) {
	case RELINK_PATCH_LOCK:
		s->kind = RL_LOCK;
		s->choice = locks(model);
		return true;
	case RELINK_PATCH_IMMEDIATE:
		s->kind = RL_IMMEDIATE;
		s->choice = choice_of_word(model, s->ref, MODEL_IMMEDIATE);
		break;
	case RELINK_PATCH_ALTERNATIVE:
		s->kind = RL_ALTERNATIVE;
		if (choice_of_arms(model, s->ref, &s->choice))
			return true;
		find(model, FOUND_SITE_ARMS, s->record, "the arms of the alternative 0x%llx can't be read", (unsigned long long)s->address);
		return false;
	default:
		s->kind = RL_SEQUENCE;
		if (!image_at(model->image, s->ref, USE_SIZE) || !image_field(model->image, s->ref, &word)) {
			find(model, FOUND_SITE_USE, s->record, "the operands of the sequence 0x%llx can't be read", (unsigned long long)s->address);
			return false;
		}
		s->choice = choice_of_word(model, word, MODEL_SEQUENCE);
	}
	if (s->choice == MODEL_NONE)
		find(model, FOUND_SITE_CHOICE, s->record, "the %s 0x%llx belongs to no choice", model_site_kind_name(s->kind),
		     (unsigned long long)s->address);
	return s->choice != MODEL_NONE;
}

static void patch_record(struct model *model, uint64_t record)
{
	const uint8_t *bytes = image_at(model->image, record, PATCH_SIZE);
	struct model_site site = { .record = record, .choice = MODEL_NONE, .use = MODEL_NONE };

	if (!bytes || !image_field(model->image, record, &site.address) || !image_field(model->image, record + 4, &site.ref))
		return;
	site.length = bytes[8];
	site.baked = (bytes[PATCH_FLAGS] & RELINK_PATCH_BAKED) != 0;
	site.arm = site.baked ? bytes[PATCH_FLAGS + 1] : 0;
	if (!bytes[9] || bytes[9] > RELINK_PATCH_SEQUENCE || !site.length) {
		find(model, FOUND_SITE_KIND, record, "a site of kind %u with %u bytes", bytes[9], bytes[8]);
		return;
	}
	if (lies_in_code(model, record, site.address, site.length) && choice_of_patch(model, &site, bytes[9]))
		*add_site(model) = site;
}

/* ---- sections ---- */

static void read_section(struct model *model, const struct model_section *s, size_t size, void (*read)(struct model *, uint64_t))
{
	if (!image_at(model->image, s->address, s->size) || s->size % size)
		find(model, FOUND_RECORD_SECTION, s->address, "the section %s is not loaded from the file, or has a wrong size", s->name);
	else
		for (uint64_t at = 0; at < s->size; at += size)
			read(model, s->address + at);
}

static void add_trampolines(struct model *model)
{
	for (size_t i = 0; i < model->choice_count; i++) {
		const struct model_choice *c = &model->choices[i];
		size_t opcode = 0, count = model_bytes_from(model, c->entry);
		const uint8_t *bytes;
		uint64_t slot;

		if (!c->entry)
			continue;
		bytes = image_at(model->image, c->entry, count < 32 ? count : 32);
		if (bytes && model->port->trampoline(bytes, count < 32 ? count : 32, c->entry, &opcode, &slot))
			*add_site(model) = (struct model_site){ .address = c->entry + opcode, .home = c->entry, .choice = (int)i, .use = MODEL_NONE,
								.kind = RL_TRAMPOLINE, .length = model->port->length[RL_TRAMPOLINE] };
	}
}

/* The built-in key has no record: each prefix says whether it stays. */
static void judge_locks(struct model *model)
{
	bool baked = model->lookup->locks != MODEL_NONE;

	for (size_t i = 0; i < model->site_count; i++)
		baked &= model->sites[i].kind != RL_LOCK || model->sites[i].baked;
	if (baked)
		model->choices[model->lookup->locks].baked = true;
}

/* Two headers may name one section of the file: together they can't be larger than it. */
void sites_read(struct model *model)
{
	uint64_t budget = model->image->size;

	for (size_t i = 0; i < model->image->section_count; i++) {
		const struct model_section *s = &model->image->sections[i];
		bool branches = !strcmp(s->name, "relink_branch"), patches = !strcmp(s->name, "relink_patch");

		model->has_places |= !strcmp(s->name, "relink_sites");
		model->has_records |= branches || patches || !strcmp(s->name, "relink_records");
		if ((!branches && !patches) || s->size > budget)
			continue;
		budget -= s->size;
		read_section(model, s, branches ? BRANCH_SIZE : PATCH_SIZE, branches ? branch_record : patch_record);
	}
	add_trampolines(model);
	judge_locks(model);
	sites_sort(model);
}

static int by_address(const void *a, const void *b)
{
	const struct model_site *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : x->record < y->record ? -1 : x->record > y->record;
}

void sites_sort(struct model *model)
{
	if (model->site_count)
		qsort(model->sites, model->site_count, sizeof(*model->sites), by_address);
}

const struct model_site *model_site_at(const struct model *model, uint64_t address)
{
	size_t low = 0, high = model->site_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (model->sites[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low && model->sites[low - 1].address == address)
		low--;
	if (low < model->site_count && model->sites[low].address == address)
		return &model->sites[low];
	return low && address - model->sites[low - 1].address < model->sites[low - 1].length ? &model->sites[low - 1] : NULL;
}
