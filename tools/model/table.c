/* SPDX-License-Identifier: MIT */
/*
 * table.c - finds the note of relink's headers, and the index that it leads to. By segments alone: sections may be gone.
 *
 * Notes are looked for, not walked: linkers put those of different alignments into one segment, with padding between them.
 */
#include <string.h>

#include "internal.h"

#define NOTE_HEAD 20 /* three words and "relink", padded */

const uint8_t *table_code(uint64_t place, void *ctx)
{
	const struct model *model = ctx;

	return model_is_code(model, place) ? image_at(model->image, place, 4) : NULL;
}

/* How long the description of a note is that is ours; 0: it is not. */
static uint32_t is_ours(const uint8_t *note, uint64_t left)
{
	uint32_t length = get32(note + 4);

	if (get32(note) != sizeof("relink") || get32(note + 8) != RELINK_NOTE_INDEX || memcmp(note + 12, "relink\0", 8) != 0)
		return 0;
	if (length != sizeof(struct relink_index_place) && length != sizeof(struct relink_index_place) + RELINK_NOTE_ROOM)
		return 0;
	return length <= left - NOTE_HEAD ? length : 0;
}

static bool find_note(const struct model *model, struct table *table)
{
	const struct image *image = model->image;

	for (size_t i = 0; i < image->note_count; i++) {
		const struct note *notes = &image->notes[i];
		const uint8_t *bytes = image_at(image, notes->address, notes->size);

		for (uint64_t at = 0; bytes && at + NOTE_HEAD <= notes->size; at += 4) {
			uint32_t length = is_ours(bytes + at, notes->size - at);

			if (!length)
				continue;
			table->note = notes->address + at;
			table->place = table->note + NOTE_HEAD + length - sizeof(struct relink_index_place);
			return true;
		}
	}
	return false;
}

void table_read(struct model *model)
{
	struct table *table = arena_take(model->arena, sizeof(*table));
	const uint8_t *place, *bytes;
	uint64_t address;
	uint32_t size;

	model->table = table;
	if (!find_note(model, table))
		return;
	place = image_at(model->image, table->place, sizeof(struct relink_index_place));
	if (!place || !image_field(model->image, table->place, &address) || address == table->place)
		return;
	table->there = true;
	size = get32(place + 4);
	bytes = image_at(model->image, address, size);
	table->why = bytes ? rl_index_open(&table->index, bytes, size, address) : "its index is not in the file";
	if (!table->why)
		table->why = rl_index_fits(&table->index, table_code, model);
	if (table->why)
		find(model, FOUND_INDEX, table->place, "%s", table->why);
	model->has_index = !table->why;
}

bool model_note(const struct model *model, uint64_t *note, uint64_t *place)
{
	*note = model->table->note;
	*place = model->table->place;
	return *note != 0;
}

bool model_is_indexed(const struct model *model)
{
	return model->table->there;
}
