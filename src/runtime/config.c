/* SPDX-License-Identifier: MIT */
/*
 * config.c - what file, environment and command line ask for: lists of name=state.
 *
 *	level         source
 *	file          /etc/relink/PROGRAM.conf, then ${XDG_CONFIG_HOME:-~/.config}/relink/PROGRAM.conf; RELINK_CONFIG=FILE instead of both
 *	environment   RELINK="name=state,..."
 *	command line  --relink LIST, --relink=LIST
 *
 * An entry in braces is queries about uses, see <relink/use.h>: {file net.c +; func parse_* -}
 * Files hold lists too, one or more lines; `#` starts a comment. Under AT_SECURE only /etc is read. Later entries win.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/runtime.h"

#define FILE_MAX 65536

static bool between(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Up to the brace that closes it, or the end. Quotes hide braces. */
static const char *query_end(const char *p)
{
	char quote = 0;

	for (; *p && (quote || *p != '}'); p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? 0 : *p;
	}
	return p;
}

static bool query_entry(const char **at, const char *p, struct rl_entry *entry)
{
	const char *end = query_end(p + 1);

	*at = end + (*end != 0);
	*entry = (struct rl_entry){ .name = p + 1, .name_length = (size_t)(end - p - 1), .state = "", .query = true, .closed = *end != 0 };
	return true;
}

bool rl_next_entry(const char **at, struct rl_entry *entry)
{
	const char *p = *at, *end, *equals;

	while (between(*p))
		p++;
	if (*p == '{')
		return query_entry(at, p, entry);
	entry->query = false;
	for (end = p; *end && !between(*end);)
		end++;
	*at = end;
	if (p == end)
		return false;
	for (equals = p; equals < end && *equals != '=';)
		equals++;
	entry->name = p;
	entry->name_length = (size_t)(equals - p);
	entry->state = equals < end ? equals + 1 : "on"; /* a bare name is on */
	entry->state_length = equals < end ? (size_t)(end - equals - 1) : 2;
	return true;
}

/* ---- sources ---- */

static void strip_comments(char *text)
{
	bool comment = false;

	for (; *text; text++) {
		if (*text == '\n')
			comment = false;
		else if (*text == '#')
			comment = true;
		if (comment)
			*text = ' ';
	}
}

static void append(int level, const char *text)
{
	char **list = &rl_runtime.lists[level];
	size_t have = *list ? strlen(*list) : 0, more = strlen(text);
	char *grown = realloc(*list, have + more + 2);

	if (!grown)
		return;
	grown[have] = have ? ' ' : 0;
	memcpy(grown + have + (have != 0), text, more + 1);
	*list = grown;
}

static bool read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	text = !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size < FILE_MAX ? malloc((size_t)st.st_size + 1) : 0;
	if (text)
		n = read(fd, text, (size_t)st.st_size);
	close(fd);
	if (n >= 0) {
		text[n] = 0;
		strip_comments(text);
		append(RELINK_BY_FILE, text);
	} else {
		rl_remark("a configuration file could not be read: it must be a regular file of less than 64 KiB");
	}
	free(text);
	return true;
}

static void read_named(const char *directory, const char *between_)
{
	char path[512];
	struct rl_text t = rl_text_into(path, sizeof(path));

	rl_text_add(&t, directory);
	rl_text_add(&t, between_);
	rl_text_add(&t, rl_program_name());
	rl_text_add(&t, ".conf");
	read_file(path);
}

static void read_files(void)
{
	const char *own = rl_runtime.secure ? 0 : getenv("RELINK_CONFIG");
	const char *home;

	if (own) {
		if (!read_file(own))
			rl_remark("the file that RELINK_CONFIG names could not be opened");
		return;
	}
	read_named("/etc", "/relink/");
	if (rl_runtime.secure)
		return;
	home = getenv("XDG_CONFIG_HOME");
	if (home && *home)
		read_named(home, "/relink/");
	else if ((home = getenv("HOME")))
		read_named(home, "/.config/relink/");
}

void rl_read_configuration(void)
{
	const char *environment = rl_runtime.secure ? 0 : getenv("RELINK");

	if (rl_files_allowed())
		read_files();
	if (environment)
		append(RELINK_BY_ENVIRONMENT, environment);
}

/* ---- into the choices ---- */

static void apply_entry(int level, const struct rl_entry *e, struct rl_module *arriving)
{
	int code;
	struct rl_choice *c = rl_find_choice(&rl_runtime.core, e->name, e->name_length, &code);
	int state = c ? rl_want_state(&rl_runtime.core, c, e->state, e->state_length) : RL_NONE;

	if (state == RL_NONE || !c->usable[state])
		return;
	c->asked[level] = state;
	rl_apply_key_to_uses(arriving, c, level);
}

void rl_apply_lists(struct rl_module *arriving)
{
	struct rl_entry e;

	for (int level = RELINK_BY_FILE; level <= RELINK_BY_COMMAND_LINE; level++) {
		const char *at = rl_runtime.lists[level];

		while (at && rl_next_entry(&at, &e))
			if (e.query)
				rl_apply_queries(&rl_runtime.core, arriving, e.name, e.name_length, level);
			else
				apply_entry(level, &e, arriving);
	}
}

static void note_entry(struct rl_text *t, int level, const struct rl_entry *e)
{
	int code;
	struct rl_choice *c = rl_find_choice(&rl_runtime.core, e->name, e->name_length, &code);
	int state = c ? rl_want_state(&rl_runtime.core, c, e->state, e->state_length) : RL_NONE;

	if (c && state != RL_NONE && c->usable[state])
		return;
	rl_text_add(t, relink_level_name(level));
	rl_text_add(t, ": ");
	rl_text_add_n(t, e->name, e->name_length);
	rl_text_add(t, "=");
	rl_text_add_n(t, e->state, e->state_length);
	rl_text_add(t, !c ? (code == RELINK_E_AMBIGUOUS ? ": several choices of that name; write module:name\n" : ": no such choice\n")
		       : c->owner ? ": a member of an operations table, which is bound as a whole\n"
		       : state == RL_NONE ? ": no such state\n" : ": its condition does not hold here\n");
}

static void note_queries(struct rl_text *t, int level, const struct rl_entry *e)
{
	struct rl_queries list = rl_queries_of(e->name, e->name_length);
	struct relink_error err;
	struct rl_query q;
	int r;

	while ((r = rl_query_next(&list, &q, &err)) > 0) {
		if (rl_query_finds(&rl_runtime.core, &q))
			continue;
		rl_text_add(t, relink_level_name(level));
		rl_text_add(t, ": {");
		rl_text_add_n(t, q.text.at, (size_t)(list.at - q.text.at));
		rl_text_add(t, "}: no use matches\n");
	}
	if (r < 0 || !e->closed) {
		rl_text_add(t, relink_level_name(level));
		rl_text_add(t, ": ");
		rl_text_add(t, r < 0 ? err.text : "a brace that is not closed");
		rl_text_add(t, "\n");
	}
}

/* Entries of file and environment that found nothing; under the lock. */
void rl_list_notes(char *buffer, size_t size)
{
	struct rl_text t = rl_text_into(buffer, size);
	struct rl_entry e;

	rl_text_add(&t, rl_runtime.notes);
	rl_list_missed(&t);
	for (int level = RELINK_BY_FILE; level <= RELINK_BY_COMMAND_LINE; level++) {
		const char *at = rl_runtime.lists[level];

		while (at && rl_next_entry(&at, &e))
			if (e.query)
				note_queries(&t, level, &e);
			else
				note_entry(&t, level, &e);
	}
}

/* ---- the command line ---- */

/* module:name, and the module isn't there. */
static bool may_come(const struct rl_core *core, const struct rl_entry *e)
{
	const char *colon = memchr(e->name, ':', e->name_length);

	return colon && !rl_has_module(core, e->name, (size_t)(colon - e->name));
}

/* Finds the decision for an entry. 0, or an error; RELINK_OVERRIDDEN stands for "kept until its module loads". */
static int decide_entry(const struct rl_entry *e, struct rl_decision *d, struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	int code;

	*d = (struct rl_decision){ .level = RELINK_BY_COMMAND_LINE };
	if (e->query) {
		d->query = e->name;
		d->query_length = e->name_length;
		return e->closed ? 0 : rl_fail(err, RELINK_E_SYNTAX, 0, "a brace that is not closed: {query; query}");
	}
	if (!e->name_length)
		return rl_fail(err, RELINK_E_SYNTAX, 0, "a state without a name; write name=state,name=state");
	d->choice = rl_find_choice(core, e->name, e->name_length, &code);
	if (code == RELINK_E_AMBIGUOUS)
		return rl_fail(err, code, 0, "several modules have a choice of that name; write module:name");
	if (!d->choice && may_come(core, e))
		return RELINK_OVERRIDDEN;
	if (!d->choice)
		return rl_fail_unknown(core, err, e->name, e->name_length);
	if (d->choice->owner)
		return rl_fail_member(err, d->choice);
	d->state = rl_want_state(core, d->choice, e->state, e->state_length);
	return d->state == RL_NONE ? rl_fail_state(err, d->choice, e->state, e->state_length) : 0;
}

static size_t count_entries(const char *list)
{
	struct rl_entry e;
	size_t n = 0;

	while (rl_next_entry(&list, &e))
		n++;
	return n;
}

static int commit_list(const char *list, struct rl_decision *decisions, struct relink_error *err)
{
	const char *at = list;
	struct rl_entry e;
	size_t n = 0;
	int r;

	while (rl_next_entry(&at, &e)) {
		r = decide_entry(&e, &decisions[n], err);
		if (r < 0)
			return r;
		n += r == 0;
	}
	r = rl_commit(&rl_runtime.core, decisions, n, RELINK_LIVE, err);
	if (r >= 0)
		append(RELINK_BY_COMMAND_LINE, list);
	return r;
}

static int apply_list(const char *list, bool close, struct relink_error *err)
{
	struct rl_decision *decisions = calloc(count_entries(list) + 1, sizeof(*decisions));
	int r;

	if (!decisions)
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	r = rl_lock(err);
	if (!r) {
		r = commit_list(list, decisions, err);
		if (r >= 0 && close)
			rl_runtime.core.closed = true;
		rl_unlock();
		rl_pin_final_targets();
	}
	free(decisions);
	return r;
}

int rl_apply(const char *list, struct relink_error *err)
{
	return list ? apply_list(list, false, err) : rl_fail(err, RELINK_E_ARGUMENT, 0, "a NULL list");
}

/* The list of an argument, or NULL; *taken says how many arguments it uses. */
static const char *option_list(char **argv, int i, int argc, int *taken)
{
	static const char option[] = "--relink";
	size_t n = sizeof(option) - 1;

	*taken = 1;
	if (strncmp(argv[i], option, n))
		return 0;
	if (argv[i][n] == '=')
		return argv[i] + n + 1;
	*taken = 2;
	return !argv[i][n] && i + 1 < argc ? argv[i + 1] : 0;
}

static int missing_list(char **argv, int argc, struct relink_error *err)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--relink") && i + 1 == argc)
			return rl_fail(err, RELINK_E_SYNTAX, 0, "--relink needs a list: --relink name=state,name=state");
	return 0;
}

/* Joins all lists of argv; with `remove` also takes them out. */
static char *take_lists(int *argc, char **argv, bool remove)
{
	size_t size = 1, used = 0;
	int to = 1, i, taken;
	char *all;

	for (i = 1; i < *argc; i++)
		size += strlen(argv[i]) + 1;
	all = calloc(size, 1);
	for (i = 1; all && i < *argc && strcmp(argv[i], "--"); i += taken) {
		const char *list = option_list(argv, i, *argc, &taken);

		if (list) {
			used += strlen(strcat(strcpy(all + used, used ? " " : ""), list));
		} else {
			taken = 1;
			if (remove)
				argv[to++] = argv[i];
		}
	}
	for (; remove && all && i <= *argc; i++)
		argv[to++] = argv[i];
	if (remove && all)
		*argc = to - 1;
	return all;
}

int rl_init(int *argc, char **argv, struct relink_error *err)
{
	char *list;
	int r;

	if (!argc || !argv)
		return rl_fail(err, RELINK_E_ARGUMENT, 0, "relink_init(&argc, argv, &err) takes main's arguments");
	r = missing_list(argv, *argc, err);
	if (r)
		return r;
	list = take_lists(argc, argv, false);
	if (!list)
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	r = apply_list(list, true, err);
	free(list);
	if (r >= 0)
		free(take_lists(argc, argv, true));
	return r;
}
