/* SPDX-License-Identifier: MIT */
/* list.c - `relink list`: choices and sites of files. */
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "agent_list.h"
#include "client.h"
#include "now.h"
#include "process.h"
#include "relink.h"

static const char help[] =
	"usage: relink list [OPTION]... FILE|PID...\n"
	"\n"
	"Lists the choices of programs and shared objects: kind, default, states, sites and what they are for. Files that belong\n"
	"together are better named together: which calls lead to static calls of a shared object only that object says.\n"
	"A number is a process (a file of that name is ./123): of one with an agent (RELINK_AGENT=1) choices, who decided, and uses;\n"
	"sites, and everything of the others, as they are in its memory.\n"
	"\n"
	"  -s, --sites              one line per site, with function and source line\n"
	"  -u, --uses QUERY         uses of keys that are choices of their own: 'file net/*.c line 100-200; func parse_*', '' for all\n"
	"  -c, --choice PATTERN     choices of that name alone (shell pattern, also module:name)\n"
	"  -k, --kind KIND          choices or sites of that kind alone: key, call, option, ops, immediate, sequence, pointer;\n"
	"                           branch, use, tail, jcc, trampoline, lock, alternative, pointer-call, pointer-tail,\n"
	"                           pointer-register, pointer-got, pointer-address\n"
	"  -f, --function PATTERN   sites in functions of that name alone\n"
	"      --json               for programs; see relink(1) for the keys\n"
	"      --color WHEN         auto, always or never\n"
	"\n"
	"Filters of one kind add up, filters of different kinds narrow down.\n";

#define FILTERS_MAX 32

struct filter {
	const char *choices[FILTERS_MAX], *kinds[FILTERS_MAX], *functions[FILTERS_MAX];
	size_t choice_count, kind_count, function_count;
};

struct request {
	struct common common;
	struct filter filter;
	bool sites;
	const char *terms; /* uses are asked for, and which */
	struct model_queries *queries; /* these, understood */
};

/* ---- filters ---- */

static bool is_kind(const char *name)
{
	if (!strcmp(name, "use"))
		return true;
	for (int i = 0; i < MODEL_CHOICE_KINDS; i++)
		if (!strcmp(name, model_choice_kind_name(i)))
			return true;
	for (int i = 0; i < MODEL_SITE_KINDS; i++)
		if (!strcmp(name, model_site_kind_name(i)))
			return true;
	return false;
}

static bool matches_choice(const struct filter *f, const struct model *model, int choice)
{
	char *full;
	bool found = !f->choice_count;

	if (found || choice == MODEL_NONE)
		return found;
	full = text_format("%s:%s", model->name, model->choices[choice].name);
	for (size_t i = 0; i < f->choice_count && !found; i++)
		found = !fnmatch(f->choices[i], model->choices[choice].name, 0) || !fnmatch(f->choices[i], full, 0);
	free(full);
	if (!found && model->choices[choice].table != MODEL_NONE)
		return matches_choice(f, model, model->choices[choice].table);
	return found;
}

/* Names of choices in brackets stand for themselves, too: per_queue[3]. */
static bool is_named(const struct filter *f, const struct model *model, int choice)
{
	for (size_t i = 0; i < f->choice_count && choice != MODEL_NONE; i++)
		if (!strcmp(f->choices[i], model->choices[choice].name))
			return true;
	return matches_choice(f, model, choice);
}

static bool matches_kind(const struct filter *f, const struct model *model, const struct model_site *s)
{
	const struct model_choice *c = s->choice == MODEL_NONE ? NULL : &model->choices[s->choice];

	for (size_t i = 0; i < f->kind_count; i++) {
		if (!strcmp(f->kinds[i], model_site_kind_name(s->kind)) || (s->use != MODEL_NONE && !strcmp(f->kinds[i], "use")))
			return true;
		if (c && (!strcmp(f->kinds[i], "key") || !strcmp(f->kinds[i], "option") || !strcmp(f->kinds[i], "pointer")) && !strcmp(f->kinds[i], model_choice_kind_name(c->kind)))
			return true;
		if (c && c->table != MODEL_NONE && !strcmp(f->kinds[i], "ops"))
			return true;
	}
	return !f->kind_count;
}

static bool is_function(const struct filter *f, const char *name)
{
	for (size_t i = 0; i < f->function_count; i++)
		if (!fnmatch(f->functions[i], name, 0))
			return true;
	return !f->function_count;
}

/* A use says which function it was written in; its code may be inlined into another one. */
static bool matches_function(const struct filter *f, const struct model *model, const struct model_site *s)
{
	const char *name;
	uint64_t offset, size;

	if (!f->function_count || (s->use != MODEL_NONE && is_function(f, model->uses[s->use].function)))
		return true;
	return model_symbol_at(model, s->address, &name, &offset, &size) && is_function(f, name);
}

static bool keeps_use(const void *filter, const struct model *model, const struct model_use *use)
{
	return is_named(filter, model, use->choice) && is_function(filter, use->function);
}

static bool matches(const struct filter *f, const struct model *model, const struct model_site *s)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count;
	bool found = is_named(f, model, s->choice);

	if (!found) {
		count = model_arms(model, s, arms);
		for (size_t i = 0; i < count && !found; i++)
			found = arms[i].choice != MODEL_NONE && is_named(f, model, arms[i].choice);
	}
	return found && matches_kind(f, model, s) && matches_function(f, model, s);
}

/* ---- counts ---- */

struct counts {
	uint64_t (*of)[MODEL_SITE_KINDS]; /* by choice; members count for their tables */
	uint64_t all[MODEL_SITE_KINDS];
	uint64_t features; /* sites that no choice decides about */
	uint64_t sum;
};

static void count_for(struct counts *n, const struct model *model, int choice, unsigned kind)
{
	n->of[choice][kind]++;
	if (model->choices[choice].table != MODEL_NONE)
		n->of[model->choices[choice].table][kind]++;
}

/* An alternative counts for every key that it hangs on. */
static void count_arms(struct counts *n, const struct model *model, const struct model_site *s)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count = model_arms(model, s, arms);

	for (size_t i = 0; i < count; i++) {
		bool seen = arms[i].choice == MODEL_NONE || arms[i].choice == s->choice;

		for (size_t k = 0; k < i; k++)
			seen |= arms[k].choice == arms[i].choice;
		if (!seen)
			count_for(n, model, arms[i].choice, s->kind);
	}
}

static bool count(struct counts *n, const struct model *model, const struct filter *f)
{
	*n = (struct counts){ .of = calloc(model->choice_count + 1, sizeof(*n->of)) };
	if (!n->of)
		return false;
	for (size_t i = 0; i < model->site_count; i++) {
		const struct model_site *s = &model->sites[i];

		if (!matches(f, model, s))
			continue;
		n->all[s->kind]++;
		n->sum++;
		if (s->choice == MODEL_NONE)
			n->features++;
		else
			count_for(n, model, s->choice, s->kind);
		count_arms(n, model, s);
	}
	return true;
}

static bool any_site(const uint64_t counts[MODEL_SITE_KINDS])
{
	for (int i = 0; i < MODEL_SITE_KINDS; i++)
		if (counts[i])
			return true;
	return false;
}

/* Members are shown with their table; anonymous choices are shown where they have sites. */
static bool is_shown(const struct request *r, const struct model *model, const struct counts *n, size_t i)
{
	const struct filter *f = &r->filter;
	const struct model_choice *c = &model->choices[i];
	bool sites = any_site(n->of[i]), kind = !f->kind_count;

	if (c->table != MODEL_NONE)
		return false;
	for (size_t k = 0; k < f->kind_count; k++)
		kind |= !strcmp(f->kinds[k], model_choice_kind_name(c->kind));
	if (f->function_count || (f->kind_count && !kind))
		return sites;
	return is_named(f, model, (int)i) && (sites || !c->anonymous);
}

/* ---- text ---- */

static char *states_text(const struct model_choice *c)
{
	char *list = text_format("%s", "");

	if (c->kind == MODEL_IMMEDIATE) {
		free(list);
		return text_format("%u-bit %s", 8 * c->width, c->flags & RELINK_SIGNED ? "signed" : "unsigned");
	}
	for (size_t i = 0; i < c->state_count; i++) {
		char *longer;

		if (text_columns(list) > 44) {
			longer = text_format("%s, %zu more", list, c->state_count - i);
			free(list);
			return longer;
		}
		longer = text_format("%s%s%s", list, i ? " " : "", c->states[i].name);
		free(list);
		list = longer;
	}
	return list;
}

static void put_heading(struct table *t, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		table_cell(t, BOLD, "%s", names[i]);
}

static void put_flags(struct table *t, const struct model_choice *c)
{
	uint32_t flags = c->elsewhere ? 0 : c->flags;
	const char *final = flags & RELINK_FINAL ? "final" : "", *nonforcible = flags & RELINK_NONFORCIBLE ? "nonforcible" : "";

	if (c->baked)
		table_cell(t, YELLOW, "%s", "baked");
	else
		table_cell(t, YELLOW, "%s%s%s", final, *final && *nonforcible ? " " : "", nonforcible);
}

static void put_choice(struct table *t, const struct model *model, const struct model_choice *c, const uint64_t counts[MODEL_SITE_KINDS])
{
	char *states = states_text(c), *sites = counts_text(counts), *now = choice_now(model, c);
	const char *remark = c->elsewhere ? "(defined by another module)" : c->anonymous ? "(no record in this file)" : c->doc;

	table_cell(t, c->elsewhere || c->anonymous ? PLAIN : GREEN, "%s", c->name);
	table_cell(t, PLAIN, "%s", model_choice_kind_name(c->kind));
	table_cell(t, CYAN, "%s", default_of(c));
	table_cell(t, BOLD, "%s", now);
	table_cell(t, PLAIN, "%s", c->elsewhere ? "" : states);
	table_cell(t, PLAIN, "%s", sites);
	put_flags(t, c);
	table_cell(t, DIM, "%s", remark);
	free(states);
	free(sites);
	free(now);
}

static bool put_choices(const struct request *r, const struct model *model, const struct counts *n)
{
	static const char *const names[] = { "CHOICE", "KIND", "DEFAULT", "NOW", "STATES", "SITES", "FLAGS", "DESCRIPTION" };
	struct table t = { .columns = sizeof(names) / sizeof(*names) };
	bool any = false;

	put_heading(&t, names, t.columns);
	for (size_t i = 0; i < model->choice_count; i++)
		if (is_shown(r, model, n, i)) {
			put_choice(&t, model, &model->choices[i], n->of[i]);
			any = true;
		}
	table_print(&t, 2, any);
	return any;
}

static void put_memory(struct table *t, const struct model *model, const struct model_site *s)
{
	if (model->process)
		table_cell(t, DIM, "0x%" PRIx64, s->address + model->bias);
	else
		table_cell(t, DIM, "%s", "");
}

static void put_sites(const struct request *r, struct model *model)
{
	static const char *const names[] = { "ADDRESS", "IN MEMORY", "KIND", "CHOICE", "NOW", "FUNCTION", "SOURCE" };
	struct table t = { .columns = sizeof(names) / sizeof(*names) };

	put_heading(&t, names, t.columns);
	for (size_t i = 0; i < model->site_count; i++) {
		const struct model_site *s = &model->sites[i];
		char *choice, *function, *source, *now;

		if (i % 256 == 0)
			progress("looking up site", i, model->site_count);
		if (!matches(&r->filter, model, s))
			continue;
		choice = choice_of_site(model, s);
		function = function_of(model, s->address);
		source = source_of_site(model, s);
		now = model->process ? site_now(model, s) : text_format("%s", "");
		table_cell(&t, PLAIN, "0x%" PRIx64, s->address);
		put_memory(&t, model, s);
		table_cell(&t, PLAIN, "%s", model_site_kind_name(s->kind));
		table_cell(&t, GREEN, "%s", choice);
		table_cell(&t, BOLD, "%s", now);
		table_cell(&t, PLAIN, "%s", function);
		table_cell(&t, DIM, "%s", source);
		free(choice);
		free(function);
		free(source);
		free(now);
	}
	progress_end();
	table_print(&t, 2, true);
}

static bool has_calls(const struct model *model)
{
	for (size_t i = 0; i < model->choice_count; i++)
		if (model->choices[i].entry || model->choices[i].kind == MODEL_POINTER ||
		    (model->choices[i].elsewhere && model->choices[i].kind == MODEL_CALL))
			return true;
	return false;
}

/* What a person should know about the file's sites. */
static void put_remarks(const struct model *model)
{
	if (has_calls(model) && !model->has_relocs && !model->has_index && !model->has_places)
		text_put(YELLOW, "%s", model->has_symbols ? "  its calls are not known: link with -Wl,--emit-relocs; they go through trampolines and pointers"
							  : "  its calls are not known: it is stripped; they go through trampolines and pointers");
	else if (model->through_got)
		text_put(YELLOW, "  %" PRIu64 " calls go through the GOT (-fno-plt) and are not rewritten", model->through_got);
	else
		return;
	putchar('\n');
}

static void put_summary(const struct filter *f, const struct model *model, const struct counts *n)
{
	char *sites = counts_text(n->all);

	if (n->sum)
		text_put(PLAIN, "  %" PRIu64 " sites: %s", n->sum, sites);
	if (n->features)
		text_put(DIM, "%s%" PRIu64 " hang on processor features alone", n->sum ? "; " : "  ", n->features);
	if (n->sum)
		putchar('\n');
	if (model->use_count && !f->choice_count && !f->kind_count && !f->function_count) {
		text_put(PLAIN, "  %zu %s: relink list --uses ''", model->use_count,
			 model->use_count == 1 ? "use is a choice of its own" : "uses are choices of their own");
		putchar('\n');
	}
	free(sites);
}

static void put_file(const struct request *r, struct model *model, const struct counts *n)
{
	text_put(BOLD, "%s", model->path);
	text_put(PLAIN, ": %s for %s", model->type, model->port->name);
	if (model->process)
		text_put(PLAIN, ", in process %d", model->process->pid);
	if (!model->has_records && !model->choice_count && !n->sum) {
		text_put(PLAIN, "%s", ", uses no relink");
		putchar('\n');
		return;
	}
	putchar('\n');
	if (r->queries) {
		put_uses(&(struct uses_wanted){ r->queries, keeps_use, &r->filter }, model);
		return;
	}
	if (r->sites && n->sum)
		put_sites(r, model);
	else if (!r->sites && !put_choices(r, model, n))
		puts("  nothing matches");
	put_summary(&r->filter, model, n);
	put_remarks(model);
}

/* ---- JSON ---- */

static void write_file(struct json *j, const struct request *r, struct model *model, const struct counts *n)
{
	json_object(j, NULL);
	json_file(j, model);
	json_number(j, "through_got", model->through_got);
	json_counts(j, "counts", n->all);
	json_array(j, "choices");
	for (size_t i = 0; i < model->choice_count; i++)
		if (is_shown(r, model, n, i))
			json_choice(j, model, &model->choices[i], n->of[i]);
	json_end_array(j);
	if (r->sites) {
		json_array(j, "sites");
		for (size_t i = 0; i < model->site_count; i++)
			if (matches(&r->filter, model, &model->sites[i])) {
				json_open_site(j, model, &model->sites[i]);
				json_end_object(j);
			}
		json_end_array(j);
	}
	if (r->queries)
		json_uses(j, &(struct uses_wanted){ r->queries, keeps_use, &r->filter }, model);
	json_findings(j, model);
	json_end_object(j);
}

static int list(const struct request *r, struct model **models, size_t count_, int status)
{
	struct json j = { .out = stdout };
	struct counts n;

	if (r->common.json) {
		json_begin(&j);
		json_array(&j, "files");
	}
	for (size_t i = 0; i < count_; i++) {
		if (!count(&n, models[i], &r->filter))
			return STATUS_BAD;
		if (r->common.json)
			write_file(&j, r, models[i], &n);
		else
			put_file(r, models[i], &n);
		free(n.of);
		report_findings(models[i], &status);
	}
	if (r->common.json) {
		json_end_array(&j);
		json_end_object(&j);
	}
	return status;
}

/* ---- command line ---- */

static bool add_filter(const char *list[FILTERS_MAX], size_t *count_, const char *value)
{
	if (*count_ == FILTERS_MAX) {
		complain(NULL, "list: more than %d filters of one kind", FILTERS_MAX);
		return false;
	}
	list[(*count_)++] = value;
	return true;
}

static bool add_kind(struct filter *f, const char *kind)
{
	if (is_kind(kind))
		return add_filter(f->kinds, &f->kind_count, kind);
	complain(NULL, "list: there is no kind %s; see relink help list", kind);
	return false;
}

/* Who decided, and states of uses, only the process itself can say; which code a site is, its memory says best. */
static bool by_agent(const struct request *r, char **words, int count)
{
	for (int i = 0; i < count; i++)
		if (!names_process(words[i]) || r->filter.function_count || (r->sites && client_may_read(words[i])) ||
		    !client_answers(words[i]))
			return false;
	return true;
}

static int list_by_agent(const struct request *r, char **words, int count)
{
	const struct filter *f = &r->filter;
	struct process_view view = { .what = r->queries ? PROCESS_USES : r->sites ? PROCESS_SITES : PROCESS_CHOICES, .terms = r->terms,
				     .choices = f->choices, .choice_count = f->choice_count, .kinds = f->kinds, .kind_count = f->kind_count,
				     .json = r->common.json };

	return list_processes(words, (size_t)count, &view);
}

static bool add_queries(struct request *r, const char *text)
{
	char why[400];

	if (r->queries) {
		complain(NULL, "list: --uses is there twice; a semicolon goes between two queries");
		return false;
	}
	r->queries = model_queries_read(text, why, sizeof(why));
	if (!r->queries)
		complain(NULL, "list: --uses: %s", why);
	r->terms = text;
	return r->queries != NULL;
}

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{ "sites", no_argument, NULL, 's' }, { "choice", required_argument, NULL, 'c' }, { "kind", required_argument, NULL, 'k' },
		{ "function", required_argument, NULL, 'f' }, { "uses", required_argument, NULL, 'u' }, COMMON_OPTIONS, { NULL, 0, NULL, 0 }
	};
	struct filter *f = &r->filter;
	int option;
	bool ok = true;

	opterr = 0;
	while (ok && (option = getopt_long(argc, argv, ":sc:k:f:u:h", options, NULL)) != -1) {
		if (option == 's')
			r->sites = true;
		else if (option == 'c')
			ok = add_filter(f->choices, &f->choice_count, optarg);
		else if (option == 'f')
			ok = add_filter(f->functions, &f->function_count, optarg);
		else if (option == 'u')
			ok = add_queries(r, optarg);
		else if (option == 'k')
			ok = add_kind(f, optarg);
		else if (!common_option(&command_list, &r->common, option, argv, status))
			return false;
	}
	*status = STATUS_BAD;
	return ok && common_ready(&r->common, status);
}

static int run(int argc, char **argv)
{
	struct request r = { .sites = false };
	int status = STATUS_BAD;
	struct model **models;
	size_t opened;

	if (!parse(&r, argc, argv, &status)) {
		model_queries_free(r.queries);
		return status;
	}
	if (optind == argc) {
		complain(NULL, "list: which file? see relink help list");
		model_queries_free(r.queries);
		return STATUS_BAD;
	}
	if (by_agent(&r, argv + optind, argc - optind)) {
		status = list_by_agent(&r, argv + optind, argc - optind);
		model_queries_free(r.queries);
		return status;
	}
	status = STATUS_FINE;
	models = open_all(argv + optind, (size_t)(argc - optind), &opened, &status);
	status = list(&r, models, opened, status);
	close_all(models, opened);
	model_queries_free(r.queries);
	return status;
}

const struct command command_list = { "list", help, run };
