/* SPDX-License-Identifier: MIT */
/* opening.c - opens files and processes for commands that are about several of them. */
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "relink.h"

struct opening {
	struct model **models;
	size_t count;
};

/* Mappings that are files only in name. */
static bool is_special(const char *path)
{
	static const char *const special[] = { "/dev/", "/memfd:", "/SYSV", "/anon_hugepage" };

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (!strncmp(path, special[i], strlen(special[i])))
			return true;
	return false;
}

static bool make_room(struct opening *o, size_t more)
{
	struct model **longer = realloc(o->models, (o->count + more + 1) * sizeof(*longer));

	if (longer)
		o->models = longer;
	return longer != NULL;
}

static void open_process(struct opening *o, int pid, const char *name, int *status)
{
	char why[PROCESS_WHY];
	struct process *process = process_open(pid, why, sizeof(why));

	if (!process) {
		complain(name, "%s", why);
		*status = STATUS_BAD;
		return;
	}
	for (size_t i = 0; i < process->unread_count; i++)
		if (!is_special(process->unread[i].path)) {
			complain(name, "%s: %s", process->unread[i].path, process->unread[i].why);
			*status = STATUS_BAD;
		}
	if (!process->count) {
		complain(name, "no module of this process uses relink, as far as could be read");
		*status = STATUS_BAD;
	}
	if (!process->count || !make_room(o, process->count)) {
		process_close(process);
		return;
	}
	memcpy(o->models + o->count, process->models, process->count * sizeof(*o->models));
	o->count += process->count;
}

static void open_file(struct opening *o, const char *path, int *status)
{
	char why[300];
	struct model *model = model_open(path, why, sizeof(why));

	if (model && model->is_object)
		snprintf(why, sizeof(why), "an object file: link it first; relink check reads it as it is");
	else if (model && make_room(o, 1)) {
		o->models[o->count++] = model;
		return;
	}
	complain(path, "%s", model && !model->is_object ? "out of memory" : why);
	model_close(model);
	*status = STATUS_BAD;
}

/* Those of a process are connected already. */
static void connect_files(const struct opening *o)
{
	struct model **files = calloc(o->count + 1, sizeof(*files));
	size_t count = 0;

	for (size_t i = 0; i < o->count && files; i++)
		if (!o->models[i]->process)
			files[count++] = o->models[i];
	if (files)
		model_connect(files, count);
	free(files);
}

struct model **open_all(char **paths, size_t count, size_t *opened, int *status)
{
	struct opening o = { NULL, 0 };
	int pid;

	make_room(&o, 0);
	for (size_t i = 0; i < count && o.models; i++) {
		progress("reading", i, count);
		if (process_named(paths[i], &pid))
			open_process(&o, pid, paths[i], status);
		else
			open_file(&o, paths[i], status);
	}
	progress_end();
	connect_files(&o);
	*opened = o.count;
	return o.models;
}

bool are_files(const struct command *command, struct model *const *models, size_t count, int *status)
{
	for (size_t i = 0; i < count; i++)
		if (models[i]->process) {
			complain(NULL, "%s: %d is a process; name files (one of that name is ./%d)", command->name, models[i]->process->pid,
				 models[i]->process->pid);
			*status = STATUS_BAD;
			return false;
		}
	return true;
}

/* The models of a process stand together, and are its own. */
void close_all(struct model **models, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct process *process = models[i]->process;

		if (!process) {
			model_close(models[i]);
			continue;
		}
		while (i + 1 < count && models[i + 1]->process == process)
			i++;
		process_close((struct process *)(uintptr_t)process);
	}
	free(models);
}

void report_findings(const struct model *model, int *status)
{
	for (size_t i = 0; i < model->finding_count; i++)
		complain(model->path, "0x%llx: %s [%d]", (unsigned long long)model->findings[i].address, model->findings[i].text,
			 model->findings[i].number);
	if (model->findings_lost)
		complain(model->path, "and %zu more of that kind", model->findings_lost);
	if (model->finding_count)
		worse(status, STATUS_FINDINGS);
}
