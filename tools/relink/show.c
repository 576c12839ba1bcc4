/* SPDX-License-Identifier: MIT */
/* show.c - `relink show`: the code of sites, as linked and in every state of their choice, side by side. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "code.h"
#include "now.h"
#include "process.h"

static const char help[] =
	"usage: relink show [OPTION]... FILE|PID [WHAT]...\n"
	"\n"
	"Shows the code of sites and around them, as linked and in every state of their choice, side by side.\n"
	"\n"
	"WHAT is a choice (trace), an address (0x401136), a function (parse_line: all sites in it), an offset in a function\n"
	"(parse_line+0x16), or a source line (parse.c:42). Without it all sites are shown.\n"
	"Of a process (PID, a number) also what is there now; an address is one of its memory.\n"
	"\n"
	"  -a, --all                all that there are, not the first 20 sites alone (JSON always has all)\n"
	"  -w, --with FILE          a file that defines choices which FILE uses (a shared object of the program)\n"
	"  -n, --context N          instructions in front and behind (3)\n"
	"      --intel              Intel's syntax\n"
	"      --json               for programs; see relink(1) for the keys\n"
	"      --color WHEN         auto, always or never\n";

#define FEW 20

#define WITH_MAX 64

struct request {
	struct common common;
	char *files[WITH_MAX + 1]; /* the one that is shown, and those that it uses */
	size_t file_count;
	bool all;
	unsigned context;
};

/* A file, or the modules of a process. */
struct shown {
	struct model **models;
	size_t count;
};

/* Sites to show; whether `all` matters. */
struct selection {
	size_t *sites;
	size_t count;
	int choice; /* that was asked for, or MODEL_NONE */
};

/* ---- what is meant ---- */

static void take(struct selection *s, size_t i)
{
	s->sites[s->count++] = i;
}

static bool take_address(const struct model *model, uint64_t address, struct selection *s)
{
	const struct model_site *site = model_site_at(model, address);

	if (!site)
		return false;
	for (size_t i = (size_t)(site - model->sites); i < model->site_count && model->sites[i].address == site->address; i++)
		take(s, i);
	return true;
}

static bool take_choice(const struct model *model, const char *what, struct selection *s)
{
	for (size_t i = 0; i < model->choice_count && s->choice == MODEL_NONE; i++) {
		const struct model_choice *c = &model->choices[i];
		size_t length = strlen(model->name);

		if (!strcmp(c->name, what) || (!strncmp(what, model->name, length) && what[length] == ':' && !strcmp(c->name, what + length + 1)))
			s->choice = (int)i;
	}
	if (s->choice == MODEL_NONE)
		return false;
	for (size_t i = 0; i < model->site_count; i++) {
		int owner = model->sites[i].choice;

		if (model_depends(model, &model->sites[i], s->choice) || (owner != MODEL_NONE && model->choices[owner].table == s->choice))
			take(s, i);
	}
	return true;
}

static bool ends_with_path(const char *path, const char *end)
{
	size_t a = strlen(path), b = strlen(end);

	return a >= b && !strcmp(path + a - b, end) && (a == b || path[a - b - 1] == '/');
}

static bool take_line(struct model *model, const char *what, struct selection *s)
{
	const char *colon = strrchr(what, ':'), *file;
	char *stop, *name;
	long wanted = colon ? strtol(colon + 1, &stop, 10) : 0;
	int line;

	if (wanted <= 0 || *stop)
		return false;
	name = strndup(what, (size_t)(colon - what));
	for (size_t i = 0; name && i < model->site_count; i++) {
		const struct model_use *use = model->sites[i].use == MODEL_NONE ? NULL : &model->uses[model->sites[i].use];

		if (use ? use->line == (unsigned long)wanted && ends_with_path(use->file, name)
			: model_line_at(model, model->sites[i].address, &file, &line) && line == wanted && ends_with_path(file, name))
			take(s, i);
	}
	free(name);
	return s->count != 0;
}

static bool take_function(const struct model *model, const char *what, struct selection *s)
{
	const char *plus = strrchr(what, '+');
	uint64_t offset = 0, address, size;
	char *stop;

	if (plus && plus != what) {
		offset = strtoull(plus + 1, &stop, 0);
		if (plus[1] && !*stop && model_symbol_named(model, what, (size_t)(plus - what), &address, &size))
			return take_address(model, address + offset, s);
	}
	if (!model_symbol_named(model, what, strlen(what), &address, &size))
		return false;
	for (size_t i = 0; i < model->site_count; i++)
		if (model->sites[i].address - address < (size ? size : 1))
			take(s, i);
	return s->count != 0;
}

static bool is_address(const char *what, uint64_t *address)
{
	char *stop;

	if (strncmp(what, "0x", 2) && strncmp(what, "0X", 2))
		return false;
	*address = strtoull(what, &stop, 16);
	return what[2] && !*stop;
}

static bool select_sites(struct model *model, const char *what, struct selection *s)
{
	uint64_t address;

	*s = (struct selection){ calloc(model->site_count + 1, sizeof(*s->sites)), 0, MODEL_NONE };
	if (!s->sites)
		return false;
	for (size_t i = 0; !what && i < model->site_count; i++)
		take(s, i);
	if (!what)
		return true;
	if (is_address(what, &address)) /* of a process: where it is in memory */
		return take_address(model, address - model->bias, s);
	return take_choice(model, what, s) || take_line(model, what, s) || take_function(model, what, s);
}

/* ---- text ---- */

static void put_code(const struct lines_of_code *code)
{
	struct table t = { .columns = 3 };

	for (size_t i = 0; i < code->count; i++) {
		char bytes[3 * 15 + 1] = "";

		for (size_t k = 0; k < code->lines[i].length; k++)
			sprintf(bytes + 3 * k, "%02x ", code->lines[i].bytes[k]);
		table_cell(&t, DIM, "0x%" PRIx64, code->lines[i].address);
		table_cell(&t, DIM, "%-23s", bytes);
		table_cell(&t, PLAIN, "%s", code->lines[i].text);
	}
	table_print(&t, 4, false);
}

/* Lines of one form, for its column: the label, then bytes and text. */
static void form_line(const struct form *f, size_t line, char **bytes, char **text)
{
	char hex[3 * 15 + 1] = "";

	*bytes = *text = NULL;
	if (line >= f->code.count) {
		*bytes = text_format("%s", "");
		*text = text_format("%s", line == 0 ? (f->known ? "" : "(not known here)") : "");
		return;
	}
	for (size_t k = 0; k < f->code.lines[line].length; k++)
		sprintf(hex + 3 * k, "%02x%s", f->code.lines[line].bytes[k], k + 1 < f->code.lines[line].length ? " " : "");
	*bytes = text_format("%s", hex);
	*text = text_format("%s", f->code.lines[line].text);
}

static size_t column_width(const struct form *f)
{
	size_t width = text_columns(f->label), widest = 0, hex = 0;

	for (size_t i = 0; i < f->code.count; i++) {
		size_t n = strlen(f->code.lines[i].text), b = 3u * f->code.lines[i].length;

		widest = n > widest ? n : widest;
		hex = b > hex ? b : hex;
	}
	widest += hex + 1;
	if (!f->known && widest < 16)
		widest = 16;
	return widest > width ? widest : width;
}

static size_t lines_in(const struct view *v, size_t from, size_t to)
{
	size_t most = 1;

	for (size_t i = from; i < to; i++)
		most = v->forms[i].code.count > most ? v->forms[i].code.count : most;
	return most;
}

/* As many columns as fit the line, at least one. */
static size_t columns_from(const struct view *v, size_t from)
{
	size_t used = 4, to = from;

	while (to < v->count && (to == from || used + column_width(&v->forms[to]) + 4 <= text_width()))
		used += column_width(&v->forms[to++]) + 4;
	return to;
}

static void put_pad(size_t n)
{
	printf("%*s", (int)n, "");
}

static void put_cell(enum colour colour, const char *text, size_t width)
{
	size_t n = text_columns(text);

	text_put(colour, "%s", text);
	put_pad(width > n ? width - n : 0);
}

static void put_form_line(const struct form *f, size_t line, size_t width)
{
	size_t hex = 0, used;
	char *bytes, *text;

	for (size_t i = 0; i < f->code.count; i++)
		hex = 3u * f->code.lines[i].length > hex ? 3u * f->code.lines[i].length : hex;
	form_line(f, line, &bytes, &text);
	put_cell(DIM, bytes, hex);
	used = hex + (hex ? 1 : 0);
	put_pad(hex ? 1 : 0);
	put_cell(line < f->code.count ? PLAIN : DIM, text, width > used ? width - used : 0);
	free(bytes);
	free(text);
}

static void put_forms(const struct view *v)
{
	for (size_t from = 0, to; from < v->count; from = to) {
		to = columns_from(v, from);
		put_pad(4);
		for (size_t i = from; i < to; i++) {
			put_cell(CYAN, v->forms[i].label, i + 1 < to ? column_width(&v->forms[i]) + 4 : 0);
		}
		putchar('\n');
		for (size_t line = 0; line < lines_in(v, from, to); line++) {
			put_pad(4);
			for (size_t i = from; i < to; i++) {
				put_form_line(&v->forms[i], line, i + 1 < to ? column_width(&v->forms[i]) + 4 : 0);
			}
			putchar('\n');
		}
	}
}

static void put_notes(const struct view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->forms[i].note) {
			put_pad(4);
			text_put(DIM, "%s", v->forms[i].note);
			putchar('\n');
		}
}

static void put_now(struct model *model, const struct model_site *s)
{
	char *now = site_now(model, s);

	text_put(DIM, "  0x%" PRIx64 " in memory, now: ", s->address + model->bias);
	text_put(BOLD, "%s", now);
	putchar('\n');
	free(now);
}

static void put_site(const struct request *r, struct model *model, const struct model_site *s)
{
	char *function = function_of(model, s->address), *source = source_of_site(model, s), *choice = choice_of_site(model, s);
	struct view v;

	view_of(model, s, r->context, &v);
	text_put(BOLD, "0x%" PRIx64, s->address);
	text_put(PLAIN, "%s%s  %s of ", *function ? "  " : "", function, model_site_kind_name(s->kind));
	text_put(GREEN, "%s", *choice ? choice : "processor features");
	text_put(DIM, "%s%s  ", *source ? "  " : "", source);
	if (s->length)
		text_put(DIM, "%u byte%s, live: %s", s->length, s->length == 1 ? "" : "s", live_of(model, s));
	else
		text_put(DIM, "%s", "is not rewritten");
	putchar('\n');
	if (model->process)
		put_now(model, s);
	if (s->use != MODEL_NONE) {
		text_put(PLAIN, "    %s", model->uses[s->use].text);
		putchar('\n');
	}
	put_code(&v.before);
	put_forms(&v);
	put_notes(&v);
	put_code(&v.after);
	view_free(&v);
	free(function);
	free(source);
	free(choice);
}

static void put_state(struct table *t, const struct model *model, const struct model_choice *c, size_t i)
{
	const struct model_state *s = &c->states[i];
	char *needs = features_of(s->needs), *leads = NULL;
	bool code = c->kind == MODEL_CALL || c->kind == MODEL_SEQUENCE || c->kind == MODEL_OPS || c->kind == MODEL_POINTER;

	if (s->symbol)
		leads = text_format("%s", s->symbol);
	else if (code && s->want.what == RL_CONSTANT)
		leads = text_format("%" PRIu64, s->want.constant);
	else if (code && s->want.what == RL_FUNCTION && !s->is_template && c->kind != MODEL_OPS)
		leads = function_of(model, s->want.address);
	table_cell(t, CYAN, "%s", s->name);
	table_cell(t, PLAIN, "%s", (int)i != c->initial ? "" : c->baked ? "baked" : "default");
	table_cell(t, PLAIN, "%s", leads ? leads : s->is_template ? "template" : "");
	table_cell(t, PLAIN, "%s", needs);
	table_cell(t, PLAIN, "%s", s->condition ? "asks" : "");
	if (s->rank)
		table_cell(t, PLAIN, "%" PRId64, s->rank);
	else
		table_cell(t, PLAIN, "%s", "");
	table_cell(t, PLAIN, "%s", s->when ? s->when : "");
	free(needs);
	free(leads);
}

static void put_choice(const struct model *model, const struct model_choice *c)
{
	static const char *const names[] = { "STATE", "", "LEADS TO", "NEEDS", "CONDITION", "RANK", "WHILE" };
	struct table t = { .columns = sizeof(names) / sizeof(*names) };
	char *now = choice_now(model, c);

	text_put(GREEN, "%s", c->name);
	text_put(PLAIN, "  %s%s%s%s%s", model_choice_kind_name(c->kind), c->baked ? ", baked" : "",
		 c->flags & RELINK_FINAL ? ", final" : "",
		 c->flags & RELINK_NONFORCIBLE ? ", nonforcible" : "", c->elsewhere ? ", defined by another module" : "");
	text_put(DIM, "%s%s", *c->doc ? "  " : "", c->doc);
	putchar('\n');
	if (c->chosen_by) {
		text_put(PLAIN, "  chosen by %s", c->chosen_by);
		putchar('\n');
	}
	for (size_t i = 0; i < t.columns; i++)
		table_cell(&t, BOLD, "%s", names[i]);
	for (size_t i = 0; i < c->state_count; i++)
		put_state(&t, model, c, i);
	table_print(&t, 2, true);
	if (*now) {
		text_put(BOLD, "  now: %s", now);
		putchar('\n');
	}
	putchar('\n');
	free(now);
}

/* ---- JSON ---- */

static void write_code(struct json *j, const char *key, const struct lines_of_code *code)
{
	json_array(j, key);
	for (size_t i = 0; i < code->count; i++) {
		json_object(j, NULL);
		json_address(j, "address", code->lines[i].address);
		json_bytes(j, "bytes", code->lines[i].bytes, code->lines[i].length);
		json_string(j, "text", code->lines[i].text);
		json_end_object(j);
	}
	json_end_array(j);
}

static void write_site(struct json *j, const struct request *r, struct model *model, const struct model_site *s)
{
	struct view v;

	view_of(model, s, r->context, &v);
	json_open_site(j, model, s);
	write_code(j, "before", &v.before);
	json_array(j, "forms");
	for (size_t i = 0; i < v.count; i++) {
		json_object(j, NULL);
		json_string(j, "label", v.forms[i].label);
		json_bool(j, "known", v.forms[i].known);
		if (v.forms[i].note)
			json_string(j, "note", v.forms[i].note);
		if (v.forms[i].known)
			json_bytes(j, "bytes", v.forms[i].bytes, v.forms[i].length);
		write_code(j, "code", &v.forms[i].code);
		json_end_object(j);
	}
	json_end_array(j);
	write_code(j, "after", &v.after);
	json_end_object(j);
	view_free(&v);
}

static void write_selection(struct json *j, const struct request *r, struct model *model, const char *what, const struct selection *s)
{
	json_object(j, NULL);
	json_string(j, "asked", what);
	json_string(j, "module", model->name);
	if (s->choice != MODEL_NONE) {
		json_array(j, "choices");
		json_choice(j, model, &model->choices[s->choice], model->choices[s->choice].sites);
		json_end_array(j);
	}
	json_array(j, "sites");
	for (size_t i = 0; i < s->count; i++)
		write_site(j, r, model, &model->sites[s->sites[i]]);
	json_end_array(j);
	json_end_object(j);
}

/* ---- all together ---- */

static void put_selection(const struct request *r, struct model *model, const struct selection *s)
{
	if (s->choice != MODEL_NONE)
		put_choice(model, &model->choices[s->choice]);
	for (size_t i = 0; i < s->count && (r->all || i < FEW); i++) {
		if (i)
			putchar('\n');
		put_site(r, model, &model->sites[s->sites[i]]);
	}
	if (!r->all && s->count > FEW) {
		putchar('\n');
		text_put(DIM, "and %zu more sites: --all", s->count - FEW);
		putchar('\n');
	}
}

static void show_selection(const struct request *r, struct model *model, const char *what, const struct selection *s, struct json *j,
			   bool first)
{
	if (r->common.json) {
		write_selection(j, r, model, what, s);
		return;
	}
	if (!first)
		putchar('\n');
	if (model->process) {
		text_put(BOLD, "%s", model->path);
		text_put(PLAIN, ", in process %d", model->process->pid);
		putchar('\n');
	}
	put_selection(r, model, s);
}

/* In the modules of a process: wherever it is. */
static int show_one(const struct request *r, const struct shown *all, const char *what, struct json *j, bool first)
{
	size_t found = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct selection s;

		if (select_sites(all->models[i], what, &s) && (what || s.count || all->count == 1)) {
			show_selection(r, all->models[i], what, &s, j, first && !found);
			found++;
		}
		free(s.sites);
	}
	if (found || !what)
		return STATUS_FINE;
	complain(r->files[0], "there is no site, choice, function or line with a site that is %s; relink list --sites shows them", what);
	return STATUS_BAD;
}

static int show(const struct request *r, const struct shown *all, char **whats, size_t count)
{
	struct json j = { .out = stdout };
	int status = STATUS_FINE;

	if (r->common.json) {
		json_begin(&j);
		json_file(&j, all->models[0]);
		json_array(&j, "shown");
	}
	for (size_t i = 0; i < count; i++)
		worse(&status, show_one(r, all, whats[i], &j, !i));
	if (!count)
		worse(&status, show_one(r, all, NULL, &j, true));
	if (r->common.json) {
		json_end_array(&j);
		json_findings(&j, all->models[0]);
		json_end_object(&j);
	}
	for (size_t i = 0; i < all->count; i++)
		report_findings(all->models[i], &status);
	return status;
}

static bool read_context(const char *value, unsigned *context)
{
	char *stop;
	unsigned long n = strtoul(value, &stop, 10);

	if (*value < '0' || *value > '9' || *stop || n > 64) {
		complain(NULL, "show: --context %s: it is a number up to 64", value);
		return false;
	}
	*context = (unsigned)n;
	return true;
}

static bool add_file(struct request *r, char *path)
{
	if (r->file_count > WITH_MAX) {
		complain(NULL, "show: more than %d times --with", WITH_MAX);
		return false;
	}
	r->files[r->file_count++] = path;
	return true;
}

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' }, { "context", required_argument, NULL, 'n' }, { "intel", no_argument, NULL, 'I' },
		{ "with", required_argument, NULL, 'w' },
		COMMON_OPTIONS, { NULL, 0, NULL, 0 }
	};
	bool ok = true;
	int option;

	opterr = 0;
	while (ok && (option = getopt_long(argc, argv, ":an:w:h", options, NULL)) != -1) {
		if (option == 'a')
			r->all = true;
		else if (option == 'n')
			ok = read_context(optarg, &r->context);
		else if (option == 'w')
			ok = add_file(r, optarg);
		else if (option == 'I')
			disasm_intel();
		else if (!common_option(&command_show, &r->common, option, argv, status))
			return false;
	}
	*status = STATUS_BAD;
	return ok && common_ready(&r->common, status);
}

static int run(int argc, char **argv)
{
	struct request r = { .context = 3, .file_count = 1 };
	int status = STATUS_BAD;
	struct model **models;
	struct shown all;
	size_t opened;

	if (!parse(&r, argc, argv, &status))
		return status;
	if (argc == optind) {
		complain(NULL, "show: which file? see relink help show");
		return STATUS_BAD;
	}
	status = STATUS_FINE;
	r.files[0] = argv[optind];
	models = open_all(r.files, r.file_count, &opened, &status);
	all = (struct shown){ models, opened };
	for (size_t i = 0; i < opened; i++)
		if (models[i]->process != models[0]->process || (i && !models[0]->process)) {
			all.count = i;
			break;
		}
	if (opened && (status == STATUS_FINE || models[0]->process))
		worse(&status, show(&r, &all, argv + optind + 1, (size_t)(argc - optind - 1)));
	close_all(models, opened);
	return status;
}

const struct command command_show = { "show", help, run };
