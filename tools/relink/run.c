/* SPDX-License-Identifier: MIT */
/* run.c - relink run: starts a program whose calls between modules become direct. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "place.h"
#include "run.h"
#include "text.h"

static const char help[] =
	"usage: relink run [OPTION]... [--] PROG [ARG]...\n\n"
	"Runs a program in which hot calls between libraries are direct. It need not know of relink. It is the same process:\n"
	"output, exit status, signals, name. Its children run as without.\n\n"
	"      --report[=FILE]  when it ends: what was bound, to standard error or a file\n"
	"      --dry-run        says what could be bound, runs nothing\n"
	"      --only LIB       calls of this module alone (libz.so.1, libz); may be given more than once\n"
	"      --not LIB        not those of this one; for libraries that check their own code\n"
	"      --budget SIZE    private memory that changed code may take: 8M unless said otherwise\n"
	"      --policy POLICY  hot: what earlier runs found hot, at once, and what turns out to be (default)\n"
	"                       all: every call that decoding finds, at once\n"
	"                       learn: as hot, but nothing from earlier runs; cached: nothing is learned\n"
	"      --verify         compares bound calls with where the loader leads them; with --report\n"
	"      --now            the loader binds everything first (LD_BIND_NOW): for programs with threads\n"
	"      --place          libraries are loaded near the program, so that its own calls are in reach\n"
	"      --no-cache       neither reads nor writes ~/.cache/relink\n"
	"      --children       for programs that it starts, too\n"
	"      --agent          relink list, relink linkage and relink set can reach it\n"
	"      --json           the report, for programs\n"
	"      --color WHEN     auto, always or never\n\n"
	"Exit status: that of PROG; 2 bad use, 126 it can't be run in this way, 127 there is no such program.\n";

enum { NOT_RUN = 126, NOT_FOUND = 127 };

struct request {
	struct common common;
	struct run_options options;
	bool report, failed;
	size_t room;
};

/* ---- options ---- */

static void add_word(struct request *r, const char *word, const char *value)
{
	size_t used = r->options.linkage ? strlen(r->options.linkage) : 0;
	size_t more = strlen(word) + (value ? strlen(value) + 1 : 0) + 2;
	char *longer = realloc(r->options.linkage, used + more);

	if (!longer) {
		r->failed = true;
		return;
	}
	r->options.linkage = longer;
	sprintf(longer + used, "%s%s%s%s", used ? "," : "", word, value ? "=" : "", value ? value : "");
}

static bool add_name(struct request *r, const char ***list, size_t *count, const char *name)
{
	const char **longer = realloc(*list, (*count + 2) * sizeof(*longer));

	if (!longer) {
		r->failed = true;
		return false;
	}
	*list = longer;
	longer[(*count)++] = name;
	longer[*count] = NULL;
	return true;
}

/* What is separated by commas in RELINK_LINKAGE has none itself. */
static bool is_plain(const char *option, const char *value, int *status)
{
	if (*value && !strchr(value, ','))
		return true;
	complain(NULL, "run: %s=%s: %s", option, value, *value ? "a comma is not possible here" : "a value is missing");
	*status = STATUS_BAD;
	return false;
}

static bool is_size(const char *value, int *status)
{
	char *end;

	strtoull(value, &end, 10);
	if (*value >= '0' && *value <= '9' && (!*end || (strchr("kKmMgG", *end) && !end[1])))
		return true;
	complain(NULL, "run: --budget=%s is no size; write 8M, 512K or a number of bytes", value);
	*status = STATUS_BAD;
	return false;
}

static bool is_policy(const char *value, int *status)
{
	static const char *const known[] = { "hot", "all", "learn", "cached" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i], value))
			return true;
	complain(NULL, "run: --policy=%s: it can be hot, all, learn or cached", value);
	*status = STATUS_BAD;
	return false;
}

static char *absolute(const char *path)
{
	char directory[4096], *whole;

	if (*path == '/' || !strcmp(path, "-"))
		return strdup(path);
	if (!getcwd(directory, sizeof(directory)) || !(whole = malloc(strlen(directory) + strlen(path) + 2)))
		return NULL;
	sprintf(whole, "%s/%s", directory, path);
	return whole;
}

/* Before the program has done its work. Nothing is made yet: it may not be run at all. */
static bool can_be_written(const char *file, int *status)
{
	const char *slash = strrchr(file, '/');
	char folder[4096];

	if (!slash || access(file, W_OK) == 0)
		return true;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file) + 1, file);
	if (errno == ENOENT && access(folder, W_OK) == 0)
		return true;
	complain(file, "the report can't be written: %s", strerror(errno));
	*status = STATUS_BAD;
	return false;
}

static bool take_report(struct request *r, const char *value, int *status)
{
	char *file = absolute(value ? value : "-");

	r->report = true;
	if (!file)
		complain(NULL, "run: --report=%s: the current directory is not known (%s); write the whole path", value, strerror(errno));
	if (!file || !is_plain("--report", value ? value : "-", status) || !is_plain("--report", file, status) ||
	    !can_be_written(file, status)) {
		free(file);
		return false;
	}
	add_word(r, "report", file);
	free(file);
	return true;
}

/* Options with one word in RELINK_LINKAGE. */
static bool take_flag(struct request *r, int option)
{
	static const struct {
		int option;
		const char *word;
	} flags[] = { { 'v', "verify" }, { 'c', "no-cache" }, { 'd', "children" }, { 'a', "agent" }, { 'x', "control" } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (flags[i].option == option) {
			add_word(r, flags[i].word, NULL);
			return true;
		}
	return false;
}

static bool take_value(struct request *r, int option, int *status)
{
	switch (option) {
	case 'o':
		add_word(r, "only", optarg);
		return is_plain("--only", optarg, status) && add_name(r, &r->options.only, &r->options.only_count, optarg);
	case 'n':
		add_word(r, "not", optarg);
		return is_plain("--not", optarg, status) && add_name(r, &r->options.not_, &r->options.not_count, optarg);
	case 'b':
		r->options.budget = optarg;
		add_word(r, "budget", optarg);
		return is_size(optarg, status);
	case 'p':
		add_word(r, optarg, NULL);
		return is_policy(optarg, status);
	}
	return take_report(r, optarg, status);
}

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option known[] = {
		{ "report", optional_argument, 0, 'r' }, { "dry-run", 0, 0, 'y' }, { "only", required_argument, 0, 'o' },
		{ "not", required_argument, 0, 'n' }, { "budget", required_argument, 0, 'b' }, { "policy", required_argument, 0, 'p' },
		{ "verify", 0, 0, 'v' }, { "now", 0, 0, 'w' }, { "place", 0, 0, 'l' }, { "no-cache", 0, 0, 'c' }, { "children", 0, 0, 'd' },
		{ "agent", 0, 0, 'a' }, { "control", 0, 0, 'x' }, COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:h", known, NULL)) != -1)
		switch (option) {
		case 'y': r->options.dry_run = true; break;
		case 'w': r->options.now = true; break;
		case 'l': r->options.place = true; break;
		case 'r': case 'o': case 'n': case 'b': case 'p':
			if (!take_value(r, option, status))
				return false;
			break;
		default:
			if (!take_flag(r, option) && !common_option(&command_run, &r->common, option, argv, status))
				return false;
		}
	*status = STATUS_BAD;
	if (r->common.json)
		add_word(r, "json", NULL);
	r->options.json = r->common.json;
	return common_ready(&r->common, status);
}

/* ---- the environment ---- */

/* In front, so that what others preload can still be seen in the slots. */
static bool preload(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *list = malloc(strlen(library) + (others ? strlen(others) : 0) + 2);
	bool set;

	if (!list)
		return false;
	sprintf(list, "%s%s%s", library, others && *others ? ":" : "", others ? others : "");
	set = setenv("LD_PRELOAD", list, 1) == 0;
	free(list);
	return set;
}

static int prepare(struct request *r, const struct run_program *program)
{
	char library[4096], why[4400], hops[16];

	if (!run_library(library, sizeof(library), why, sizeof(why))) {
		complain(NULL, "run: %s", why);
		return NOT_RUN;
	}
	if (program->hops) {
		snprintf(hops, sizeof(hops), "%u", program->hops);
		add_word(r, "hops", hops);
	}
	if (r->options.place)
		add_word(r, program->hops ? "why=it is started by another program (env)" : PLACE_ROOM, NULL);
	if (r->options.now && !getenv("LD_BIND_NOW")) {
		add_word(r, "now", NULL);
		setenv("LD_BIND_NOW", "1", 1);
	}
	if (r->failed || !preload(library) || setenv("RELINK_LINKAGE", r->options.linkage ? r->options.linkage : "", 1) < 0) {
		complain(NULL, "run: out of memory");
		return NOT_RUN;
	}
	return 0;
}

/* ---- the program ---- */

static int start(struct request *r, const struct run_program *program, char **argv)
{
	int status = prepare(r, program);

	if (status)
		return status;
	if (r->options.place && !program->hops)
		place_exec(program->path, argv, environ);
	else
		execv(program->path, argv);
	complain(argv[0], "%s", strerror(errno));
	return NOT_RUN;
}

static int refuse(const char *name, const char *why)
{
	complain(name, "%s; calls are not bound there, so it is not run", why);
	return NOT_RUN;
}

/* Says what could be done, and does nothing. */
static int plan(const struct request *r, const char *name, const struct run_program *program, enum run_kind kind)
{
	if (kind == RUN_DYNAMIC)
		return plan_show(name, program, &r->options);
	complain(name, "statically linked: it has no calls between modules; nothing would be bound");
	return STATUS_REFUSED;
}

static int run_it(struct request *r, char **argv)
{
	static const char *const watchers[] = { "LD_AUDIT", "LD_PROFILE" };
	struct run_program program;
	enum run_kind kind;

	for (size_t i = 0; i < sizeof(watchers) / sizeof(*watchers); i++)
		if (getenv(watchers[i])) {
			complain(NULL, "run: %s is set, and wants to see calls between libraries; unset it", watchers[i]);
			return NOT_RUN;
		}
	kind = run_find(argv[0], &program);
	if (r->options.dry_run && (kind == RUN_DYNAMIC || kind == RUN_STATIC))
		return plan(r, argv[0], &program, kind);
	switch (kind) {
	case RUN_MISSING:
		complain(argv[0], "%s", errno == ENOENT ? "there is no such program" : strerror(errno));
		return errno == ENOENT ? NOT_FOUND : NOT_RUN;
	case RUN_REFUSED:
		return refuse(argv[0], program.why);
	case RUN_STATIC:
		if (r->report)
			complain(argv[0], "statically linked: it has no calls between modules, and runs as it is");
		break;
	case RUN_DYNAMIC:
		return start(r, &program, argv);
	}
	execv(program.path, argv);
	complain(argv[0], "%s", strerror(errno));
	return NOT_RUN;
}

static int run(int argc, char **argv)
{
	struct request r = { .report = false };
	int status = STATUS_BAD;
	bool is_understood = parse(&r, argc, argv, &status);

	if (is_understood && optind == argc)
		complain(NULL, "run: which program? see relink help run");
	else if (is_understood)
		status = run_it(&r, argv + optind);
	free(r.options.linkage);
	free(r.options.only);
	free(r.options.not_);
	return status;
}

const struct command command_run = { "run", help, run };
