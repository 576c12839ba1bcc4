/* SPDX-License-Identifier: MIT */
/* model.c - opens files, and puts together what the other files find in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "layout.h"
#include "object.h"

/* Takes over the bytes, as image_read does. */
static const char *read_object(struct model *model, uint8_t *bytes, size_t count)
{
	struct linked linked;
	const char *problem = object_link(bytes, count, &linked);

	free(bytes);
	if (problem)
		return problem;
	model->is_object = true;
	model->outside_start = linked.outside_start;
	model->outside_stop = linked.outside_stop;
	problem = image_read(model, linked.bytes, linked.size);
	model->type = "object file";
	return problem;
}

struct model *model_of(const char *path, uint8_t *bytes, size_t count, char *why, size_t size)
{
	struct model *model = calloc(1, sizeof(*model));
	const char *problem, *slash = strrchr(path, '/');

	if (!model) {
		free(bytes);
		snprintf(why, size, "out of memory");
		return NULL;
	}
	model->arena = arena_new();
	model->path = arena_copy(model->arena, path, strlen(path));
	model->name = slash ? model->path + (slash + 1 - path) : model->path;
	model->port = &rl_port_x86_64;
	problem = is_object(bytes, count) ? read_object(model, bytes, count) : image_read(model, bytes, count);
	if (problem) {
		snprintf(why, size, "%s", problem);
		model_close(model);
		return NULL;
	}
	names_read(model);
	table_read(model);
	records_read(model);
	if (model->is_object) {
		model->finding_count = model->findings_lost = 0; /* what is missing in an object may be in another one */
		return model;
	}
	pointers_read(model);
	uses_read(model);
	sites_read(model);
	return model;
}

/* A copy: a file that is cut off while it is mapped would be the end of us. */
static uint8_t *read_all(int descriptor, size_t size, size_t *count)
{
	uint8_t *bytes = malloc(size ? size : 1);
	ssize_t n = 1;

	*count = 0;
	while (bytes && n > 0 && *count < size) {
		n = read(descriptor, bytes + *count, size - *count);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			*count += (size_t)n;
	}
	if (bytes && n < 0) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

uint8_t *model_read(const char *path, size_t *count, char *why, size_t size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	uint8_t *bytes;

	if (descriptor < 0 || fstat(descriptor, &status) < 0) {
		snprintf(why, size, "%s", strerror(errno));
		if (descriptor >= 0)
			close(descriptor);
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) {
		close(descriptor);
		snprintf(why, size, "%s", S_ISDIR(status.st_mode) ? "a directory" : "not a regular file");
		return NULL;
	}
	errno = 0;
	bytes = read_all(descriptor, (size_t)status.st_size, count);
	close(descriptor);
	if (!bytes)
		snprintf(why, size, "can't be read: %s", strerror(errno ? errno : ENOMEM));
	return bytes;
}

struct model *model_open(const char *path, char *why, size_t size)
{
	return model_open_as(path, path, why, size);
}

struct model *model_open_as(const char *name, const char *path, char *why, size_t size)
{
	size_t count;
	uint8_t *bytes = model_read(path, &count, why, size);

	return bytes ? model_of(name, bytes, count, why, size) : NULL;
}

static void count_site(struct model *model, const struct model_site *site)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count = model_arms(model, site, arms);

	if (site->choice == MODEL_NONE)
		return;
	model->choices[site->choice].sites[site->kind]++;
	/* Of every key that an arm hangs on, once. */
	for (size_t i = 0; i < count; i++) {
		bool seen = arms[i].choice == MODEL_NONE || arms[i].choice == site->choice;

		for (size_t k = 0; k < i; k++)
			seen |= arms[k].choice == arms[i].choice;
		if (!seen)
			model->choices[arms[i].choice].sites[site->kind]++;
	}
}

void model_connect(struct model **models, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pointers_connect(models[i], models, count);
		calls_read(models[i], models, count);
		for (size_t k = 0; k < models[i]->site_count; k++)
			count_site(models[i], &models[i]->sites[k]);
	}
}

void model_close(struct model *model)
{
	if (!model)
		return;
	lines_free(model->lines);
	names_free(model->names);
	image_free(model->image);
	for (size_t i = 0; i < model->choice_count; i++)
		free(model->choices[i].states);
	if (model->lookup) {
		map_free(&model->lookup->objects);
		map_free(&model->lookup->states);
		map_free(&model->lookup->outside);
		map_free(&model->lookup->marks);
		free(model->lookup->mark);
	}
	free(model->choices);
	free(model->sites);
	free(model->uses);
	free(model->findings);
	arena_free(model->arena);
	free(model);
}

/* ---- bytes ---- */

const uint8_t *model_file(const struct model *model, size_t *size)
{
	*size = model->image->size;
	return model->image->bytes;
}

const uint8_t *model_bytes(const struct model *model, uint64_t address, size_t count)
{
	return image_at(model->image, address, count);
}

size_t model_bytes_from(const struct model *model, uint64_t address)
{
	return (size_t)image_filled(model->image, address);
}

bool model_is_code(const struct model *model, uint64_t address)
{
	return image_is_code(model->image, address);
}
