/* SPDX-License-Identifier: MIT */
/*
 * linkage_plan.c - relink run --dry-run: the calls that could be bound, before anything runs.
 *
 * What is hot nobody knows before, nor where the kernel puts what: it says what there is, what binding all of it would take, and what
 * can't be bound however hot it is.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "elf/sitemap.h"
#include "json.h"
#include "run.h"
#include "text.h"

#define PAGE 4096u
#define BUDGET "8M" /* see relink/linkage.h */

static const struct rl_port *const port = &rl_port_x86_64;

struct planned {
	const char *path, *name;
	const char *why;        /* its calls are left alone; NULL: they are not */
	bool program, lazy_slots;
	size_t slots, stubs;
	struct rl_sitemap_counts counts;
	uint64_t found, too_far, lazy;
	uint64_t pages, last_page; /* that bound calls are on */
	bool placed;
};

struct plan {
	const struct run_options *options;
	struct planned *modules;
	size_t count;
	uint64_t found, too_far, pages;
};

/* ---- files ---- */

static bool read_all(int descriptor, uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = read(descriptor, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

/* The whole file, in memory that is to be freed; NULL, and a complaint: it can't be read. */
static uint8_t *read_file(const char *path, size_t *size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t *bytes = NULL;
	struct stat status;

	if (descriptor < 0 || fstat(descriptor, &status) < 0) {
		complain(path, "%s", strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		complain(path, "it is no regular file");
	} else {
		*size = (size_t)status.st_size;
		bytes = malloc(*size + 1);
		if (!bytes || !read_all(descriptor, bytes, *size)) {
			complain(path, "it can't be read as a whole");
			free(bytes);
			bytes = NULL;
		}
	}
	if (descriptor >= 0)
		close(descriptor);
	return bytes;
}

static bool open_view(struct rl_view *view, const char *path, const uint8_t *bytes, size_t size)
{
	const char *why = NULL;
	Elf64_Ehdr header;

	if (rl_view_file(view, bytes, size, &why)) {
		memcpy(&header, bytes, sizeof(header));
		if (header.e_machine == port->machine)
			return true;
		why = "not a file for x86-64";
	}
	complain(path, "%s", why);
	return false;
}

/* ---- which modules ---- */

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Is `name` the module's, or that up to ".so"? */
static bool is_named(const char *module, const char *name)
{
	const char *so = strstr(module, ".so");
	size_t length = strlen(name);

	return !strcmp(module, name) || (so && (size_t)(so - module) == length && !strncmp(module, name, length));
}

static bool lists(const char *const *names, const char *module)
{
	for (; names && *names; names++)
		if (is_named(module, *names))
			return true;
	return false;
}

/* relink's own, and the loader: their code runs while others' changes. */
static bool is_never_changed(const char *name)
{
	return !strncmp(name, "librelink", 9) || !strncmp(name, "ld-", 3) || !strncmp(name, "ld.so", 5);
}

static const char *why_left(const struct run_options *options, const char *name)
{
	if (is_never_changed(name))
		return "never changed";
	if (options->only && !lists(options->only, name))
		return "not among those asked for";
	return lists(options->not_, name) ? "excluded" : NULL;
}

/* ---- one module ---- */

static bool fills_at_start(const struct rl_view *view, const struct run_options *options)
{
	const char *now = getenv("LD_BIND_NOW");
	uint64_t value;

	return options->now || (now && *now) || rl_view_dynamic(view, DT_BIND_NOW, false, &value) ||
	       (rl_view_dynamic(view, DT_FLAGS, false, &value) && value & DF_BIND_NOW) ||
	       (rl_view_dynamic(view, DT_FLAGS_1, false, &value) && value & DF_1_NOW);
}

static void count_page(struct planned *m, uint64_t address)
{
	uint64_t page = address / PAGE;

	m->pages += page + 1 > m->last_page;
	m->last_page = page + 1 > m->last_page ? page + 1 : m->last_page;
}

/* The program is far from its libraries, and near what it defines itself. */
static int plan_site(const struct rl_sitemap_site *site, void *ctx)
{
	struct planned *m = ctx;

	m->found++;
	if (m->program && !m->placed && !site->slot->slot.defined) {
		m->too_far++;
		return 0;
	}
	m->lazy += m->lazy_slots && site->slot->slot.kind == RL_SLOT_JUMP;
	count_page(m, site->address);
	count_page(m, site->address + port->length[site->kind] - 1);
	return 0;
}

static void plan_view(struct planned *m, const struct rl_view *view)
{
	size_t size = rl_sitemap_size(view, port);
	void *memory = malloc(size + 1);
	struct rl_sitemap map;

	if (!memory) {
		m->why = "out of memory";
		return;
	}
	rl_sitemap_open(&map, view, port, memory, size);
	m->slots = map.slot_count;
	m->stubs = map.stub_count;
	if (!m->why)
		rl_sitemap_each(&map, plan_site, m, &m->counts);
	free(memory);
}

static bool plan_module(struct planned *m, const char *path, const struct run_options *options)
{
	struct rl_view view;
	size_t size;
	uint8_t *bytes = read_file(path, &size);
	bool ok = bytes && open_view(&view, path, bytes, size);

	m->path = path;
	m->name = last_component(path);
	m->why = why_left(options, m->name);
	m->placed = options->place;
	if (ok) {
		m->lazy_slots = !fills_at_start(&view, options);
		plan_view(m, &view);
	} else {
		m->why = "can't be read";
	}
	free(bytes);
	return ok;
}

static int plan_all(struct plan *plan, const struct loaded_list *list)
{
	int status = STATUS_FINE;

	for (size_t i = 0; i < list->count; i++) {
		struct planned *m = &plan->modules[plan->count++];

		m->program = i == 0;
		if (!plan_module(m, list->paths[i], plan->options))
			worse(&status, STATUS_BAD);
		plan->found += m->found;
		plan->too_far += m->too_far;
		plan->pages += m->pages;
	}
	return status;
}

/* ---- output ---- */

static uint64_t budget_of(const char *text)
{
	static const char units[] = "kmg";
	char *end;
	uint64_t size = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
	int shift = unit ? 10 * (int)(unit - units + 1) : 0;

	return size > UINT64_MAX >> shift ? UINT64_MAX : size << shift;
}

static void put_number(struct table *t, enum colour colour, uint64_t number)
{
	if (number)
		table_cell(t, colour, "%" PRIu64, number);
	else
		table_cell(t, PLAIN, "%s", "");
}

static void put_module(struct table *t, const struct planned *m)
{
	const size_t *sites = m->counts.sites;

	table_cell(t, BOLD, "%s", m->name);
	put_number(t, PLAIN, m->slots);
	put_number(t, PLAIN, sites[RL_CALL] + sites[RL_POINTER_CALL]);
	put_number(t, PLAIN, sites[RL_TAIL] + sites[RL_POINTER_TAIL]);
	put_number(t, YELLOW, m->too_far);
	put_number(t, PLAIN, m->lazy);
	put_number(t, PLAIN, m->counts.left + m->counts.outside);
	if (m->pages)
		table_cell(t, PLAIN, "%" PRIu64 " KiB", m->pages * PAGE / 1024);
	else
		table_cell(t, PLAIN, "%s", "");
	table_cell(t, DIM, "%s", m->why ? m->why : m->counts.lost ? "data among its code" : "");
}

static void put_plan(const struct plan *plan)
{
	static const char *const headings[] = { "module", "slots", "calls", "jumps", "too far", "lazy", "left", "private", "" };
	struct table table = { .columns = sizeof(headings) / sizeof(*headings) };
	const char *budget = plan->options->budget ? plan->options->budget : BUDGET;

	for (size_t i = 0; i < table.columns; i++)
		table_cell(&table, BOLD, "%s", headings[i]);
	for (size_t i = 0; i < plan->count; i++)
		put_module(&table, &plan->modules[i]);
	table_print(&table, 0, true);
	printf("%" PRIu64 " calls and jumps, %" PRIu64 " could be bound; all of them: %" PRIu64 " KiB of private memory, %s the budget of %s\n",
	       plan->found, plan->found - plan->too_far, plan->pages * PAGE / 1024,
	       plan->pages * PAGE > budget_of(budget) ? "more than" : "within", budget);
	if (plan->too_far)
		printf("too far: the program is not near its libraries; --place puts them there\n");
}

static void write_module(struct json *j, const struct planned *m)
{
	json_object(j, NULL);
	json_string(j, "module", m->path);
	json_bool(j, "program", m->program);
	json_number(j, "slots", m->slots);
	json_number(j, "stubs", m->stubs);
	json_object(j, "sites");
	json_number(j, "call", m->counts.sites[RL_CALL]);
	json_number(j, "tail", m->counts.sites[RL_TAIL]);
	json_number(j, "pointer_call", m->counts.sites[RL_POINTER_CALL]);
	json_number(j, "pointer_tail", m->counts.sites[RL_POINTER_TAIL]);
	json_end_object(j);
	json_number(j, "found", m->found);
	json_number(j, "too_far", m->too_far);
	json_number(j, "lazy", m->lazy);
	json_number(j, "left", m->counts.left);
	json_number(j, "outside", m->counts.outside);
	json_number(j, "lost", m->counts.lost);
	json_number(j, "private_bytes", m->pages * PAGE);
	json_string(j, "why", m->why);
	json_end_object(j);
}

static void write_plan(const struct plan *plan)
{
	struct json j = { .out = stdout };
	const char *budget = plan->options->budget ? plan->options->budget : BUDGET;

	json_begin(&j);
	json_array(&j, "modules");
	for (size_t i = 0; i < plan->count; i++)
		write_module(&j, &plan->modules[i]);
	json_end_array(&j);
	json_number(&j, "found", plan->found);
	json_number(&j, "too_far", plan->too_far);
	json_number(&j, "private_bytes", plan->pages * PAGE);
	json_number(&j, "budget_bytes", budget_of(budget));
	json_end_object(&j);
}

static int show(const struct loaded_list *list, const struct run_options *options)
{
	struct plan plan = { .options = options, .modules = calloc(list->count, sizeof(*plan.modules)) };
	int status;

	if (!plan.modules) {
		complain(NULL, "run: out of memory");
		return STATUS_BAD;
	}
	status = plan_all(&plan, list);
	if (options->json)
		write_plan(&plan);
	else
		put_plan(&plan);
	free(plan.modules);
	return status;
}

int plan_show(const char *name, const struct run_program *program, const struct run_options *options)
{
	struct loaded_list list = { .count = 0 };
	struct rl_view view;
	size_t size;
	uint8_t *bytes;
	char why[5000];
	int status = STATUS_BAD;

	if (program->hops) {
		complain(name, "%s only starts the program that is meant; name that one", program->file);
		return STATUS_BAD;
	}
	bytes = read_file(program->file, &size);
	if (bytes && open_view(&view, program->file, bytes, size)) {
		if (loader_list(program->file, bytes, size, &list, why, sizeof(why)))
			status = show(&list, options);
		else
			complain(name, "%s", why);
	}
	loader_free(&list);
	free(bytes);
	return status;
}
