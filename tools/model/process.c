/* SPDX-License-Identifier: MIT */
/*
 * process.c - see process.h.
 *
 * A file is opened by what the kernel has mapped, not by its name, where that is allowed: map_files, then exe. Else by its name as the
 * process sees it (its root may be a container's), if it is the same file still. That it is the one that runs, its first bytes in
 * memory prove.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "layout.h"

#define HEAD 64 /* bytes of a file that must be those in memory */

/* A line of maps that has code of a file. */
struct mapping {
	uint64_t start, stop, offset, inode;
	char *path;
};

struct mappings {
	struct mapping *list;
	size_t count, capacity;
};

bool process_named(const char *name, int *pid)
{
	size_t digits = strspn(name, "0123456789");
	unsigned long value = digits && digits < 10 && !name[digits] ? strtoul(name, NULL, 10) : 0;

	*pid = (int)value;
	return value > 0 && value <= INT_MAX;
}

/* ---- maps ---- */

static void take_line(struct mappings *m, char *line)
{
	uint64_t start, stop, offset, inode;
	char rights[5];
	int path = 0;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64 " %n", &start, &stop, rights, &offset, &inode, &path) < 5)
		return;
	if (!path || !inode || rights[2] != 'x')
		return;
	m->list = grown(m->list, m->count, &m->capacity, sizeof(*m->list));
	m->list[m->count++] = (struct mapping){ start, stop, offset, inode, strdup(line + path) };
}

static const char *reason(int error)
{
	if (error == ENOENT || error == ESRCH)
		return "there is no such process";
	if (error == EACCES || error == EPERM)
		return "not allowed: its user or root may trace it, where kernel.yama.ptrace_scope lets them";
	return strerror(error);
}

static bool read_maps(int pid, struct mappings *m, char *why, size_t size)
{
	char path[40], *line = NULL;
	size_t room = 0, lines = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file) {
		snprintf(why, size, "%s", reason(errno));
		return false;
	}
	errno = 0;
	for (; getline(&line, &room, file) > 0; lines++)
		take_line(m, line);
	if (!lines)
		snprintf(why, size, "%s", errno ? reason(errno) : "it has no memory: a thread of the kernel's, or it has ended");
	free(line);
	fclose(file);
	return lines != 0;
}

static void free_maps(struct mappings *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->list[i].path);
	free(m->list);
}

/* ---- files ---- */

static bool is_file(const char *path, uint64_t inode)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_ino == inode;
}

/* A name by which the mapped file can be opened. False: there is none. */
static bool name_of(int pid, const struct mapping *m, char *name, size_t size)
{
	snprintf(name, size, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, m->start, m->stop);
	if (is_file(name, m->inode))
		return true;
	snprintf(name, size, "/proc/%d/exe", pid);
	if (is_file(name, m->inode))
		return true;
	snprintf(name, size, "/proc/%d/root%s", pid, m->path);
	return is_file(name, m->inode);
}

/* How far from where it was linked the code is. False: these are not that file's segments. */
static bool bias_of(const struct model *model, const struct mapping *m, uint64_t *bias)
{
	for (size_t i = 0; i < model->image->segment_count; i++) {
		const struct segment *s = &model->image->segments[i];

		if (!s->code || m->offset + 4096 <= s->offset || m->offset >= s->offset + s->size)
			continue;
		*bias = m->start - m->offset - (s->address - s->offset);
		return *bias % 4096 == 0;
	}
	return false;
}

/* The file may have been written since it was mapped, or be another one of that number. */
static bool is_what_runs(const struct process *process, const struct model *model)
{
	for (size_t i = 0; i < model->image->segment_count; i++) {
		const struct segment *s = &model->image->segments[i];
		uint8_t bytes[HEAD];

		if (s->offset == 0 && s->size >= HEAD)
			return process_read(process, s->address + model->bias, bytes, HEAD) && !memcmp(bytes, model->image->bytes, HEAD);
	}
	return true;
}

/* ---- modules ---- */

static void add_unread(struct process *process, const char *path, const char *why)
{
	struct unread *u;

	process->unread = grown(process->unread, process->unread_count, &process->unread_capacity, sizeof(*process->unread));
	u = &process->unread[process->unread_count++];
	u->path = strdup(path);
	snprintf(u->why, sizeof(u->why), "%s", why);
}

static bool is_there(const struct process *process, const struct model *model)
{
	for (size_t i = 0; i < process->count; i++)
		if (process->models[i]->bias == model->bias && !strcmp(process->models[i]->path, model->path))
			return true;
	return false;
}

static void add_module(struct process *process, const struct mapping *m)
{
	char name[PATH_MAX + 32], why[PROCESS_WHY];
	struct model *model;

	if (!name_of(process->pid, m, name, sizeof(name))) {
		add_unread(process, m->path, "its file is gone, or another one has its name; only root can open what is mapped");
		return;
	}
	model = model_open_as(m->path, name, why, sizeof(why));
	if (!model) {
		add_unread(process, m->path, why);
		return;
	}
	model->process = process;
	if (!bias_of(model, m, &model->bias) || !is_what_runs(process, model)) {
		add_unread(process, m->path, "the file is not the one that runs: it was written since");
		model_close(model);
		return;
	}
	if (is_there(process, model)) { /* another part of it */
		model_close(model);
		return;
	}
	process->models = grown(process->models, process->count, &process->capacity, sizeof(*process->models));
	process->models[process->count++] = model;
}

/* All are needed to find calls from one to another; what has nothing to do with relink has names. */
static void keep_users(struct process *process)
{
	size_t kept = 0;

	process->others = calloc(process->count + 1, sizeof(*process->others));
	model_connect(process->models, process->count);
	for (size_t i = 0; i < process->count; i++)
		if (process->models[i]->has_records || process->models[i]->site_count)
			process->models[kept++] = process->models[i];
		else if (process->others)
			process->others[process->other_count++] = process->models[i];
		else
			model_close(process->models[i]);
	process->count = kept;
}

static bool open_memory(struct process *process, char *why, size_t size)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/mem", process->pid);
	process->memory = open(path, O_RDONLY | O_CLOEXEC);
	if (process->memory < 0)
		snprintf(why, size, "%s", reason(errno));
	return process->memory >= 0;
}

struct process *process_open(int pid, char *why, size_t size)
{
	struct process *process = calloc(1, sizeof(*process));
	struct mappings maps = { NULL, 0, 0 };
	bool ok = process != NULL;

	snprintf(why, size, "out of memory");
	if (!process)
		return NULL;
	process->pid = pid;
	process->memory = -1;
	ok = read_maps(pid, &maps, why, size) && open_memory(process, why, size);
	for (size_t i = 0; i < maps.count && ok; i++)
		add_module(process, &maps.list[i]);
	free_maps(&maps);
	if (!ok) {
		process_close(process);
		return NULL;
	}
	keep_users(process);
	return process;
}

void process_close(struct process *process)
{
	if (!process)
		return;
	for (size_t i = 0; i < process->count; i++)
		model_close(process->models[i]);
	for (size_t i = 0; i < process->other_count; i++)
		model_close(process->others[i]);
	free(process->others);
	for (size_t i = 0; i < process->unread_count; i++)
		free(process->unread[i].path);
	if (process->memory >= 0)
		close(process->memory);
	free(process->models);
	free(process->unread);
	free(process);
}

/* ---- memory ---- */

bool process_read(const struct process *process, uint64_t address, uint8_t *bytes, size_t count)
{
	while (count) {
		ssize_t n = address <= INT64_MAX ? pread(process->memory, bytes, count, (off_t)address) : -1;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		address += (uint64_t)n;
		count -= (size_t)n;
	}
	return true;
}

const struct model *process_model_at(const struct process *process, uint64_t address)
{
	for (size_t i = 0; i < process->count; i++)
		if (image_is_code(process->models[i]->image, address - process->models[i]->bias))
			return process->models[i];
	for (size_t i = 0; i < process->other_count; i++)
		if (image_is_code(process->others[i]->image, address - process->others[i]->bias))
			return process->others[i];
	return NULL;
}

uint64_t process_object(const struct model *model, const struct model_choice *c)
{
	uint8_t bytes[8];
	struct word word;

	if (!c->record || !image_word(model->image, c->record + CHOICE_OBJECT, &word) || word.symbol ||
	    !model_now(model, c->record + CHOICE_OBJECT, bytes, sizeof(bytes)))
		return c->object;
	return get64(bytes) - model->bias + (c->object - word.value);
}

bool model_now(const struct model *model, uint64_t address, uint8_t *bytes, size_t count)
{
	return model->process && process_read(model->process, address + model->bias, bytes, count);
}
