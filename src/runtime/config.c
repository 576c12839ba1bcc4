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

static void append(char **list, const char *text)
{
	size_t have = *list ? strlen(*list) : 0, more = strlen(text);
	char *grown = realloc(*list, have + more + 2);

	if (!grown)
		return;
	grown[have] = have ? ' ' : 0;
	memcpy(grown + have + (have != 0), text, more + 1);
	*list = grown;
}

/* What was read of the files, and what is to be said of that. */
struct reading {
	char *list;
	char said[sizeof(rl_runtime.file_notes)];
	struct rl_text notes;
};

static bool read_file(struct reading *to, const char *path)
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
		append(&to->list, text);
	} else {
		rl_text_add(&to->notes, "a configuration file could not be read: it must be a regular file of less than 64 KiB\n");
	}
	free(text);
	return true;
}

char rl_config_files[RL_CONFIG_FILES][RL_CONFIG_PATH];
static bool named_by_variable; /* in RELINK_CONFIG */

/* A path that does not fit is none. */
static void set_file(size_t i, const char *directory, const char *between_, const char *name, const char *suffix)
{
	struct rl_text t = rl_text_into(rl_config_files[i], sizeof(rl_config_files[i]));

	rl_text_add(&t, directory);
	rl_text_add(&t, between_);
	rl_text_add(&t, name);
	rl_text_add(&t, suffix);
	if (t.left <= 1)
		rl_config_files[i][0] = 0;
}

static void find_files(void)
{
	const char *own = rl_runtime.secure ? 0 : getenv("RELINK_CONFIG");
	const char *home;

	if (own) {
		named_by_variable = true;
		set_file(0, own, "", "", "");
		return;
	}
	set_file(0, "/etc", "/relink/", rl_program_name(), ".conf");
	if (rl_runtime.secure)
		return;
	home = getenv("XDG_CONFIG_HOME");
	if (home && *home)
		set_file(1, home, "/relink/", rl_program_name(), ".conf");
	else if ((home = getenv("HOME")))
		set_file(1, home, "/.config/relink/", rl_program_name(), ".conf");
}

static void read_files(struct reading *to)
{
	to->list = NULL;
	to->notes = rl_text_into(to->said, sizeof(to->said));
	for (size_t i = 0; i < RL_CONFIG_FILES; i++)
		if (!read_file(to, rl_config_files[i]) && i == 0 && named_by_variable)
			rl_text_add(&to->notes, "the file that RELINK_CONFIG names could not be opened\n");
}

void rl_read_configuration(void)
{
	const char *environment = rl_runtime.secure ? 0 : getenv("RELINK");
	struct reading reading;

	if (rl_files_allowed()) {
		find_files();
		read_files(&reading);
		rl_runtime.lists[RELINK_BY_FILE] = reading.list;
		memcpy(rl_runtime.file_notes, reading.said, sizeof(reading.said));
	}
	if (environment)
		append(&rl_runtime.lists[RELINK_BY_ENVIRONMENT], environment);
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

	if (c && state != RL_NONE && (rl_is_baked(c) ? state == c->initial : c->usable[state]))
		return;
	rl_text_add(t, relink_level_name(level));
	rl_text_add(t, ": ");
	rl_text_add_n(t, e->name, e->name_length);
	rl_text_add(t, "=");
	rl_text_add_n(t, e->state, e->state_length);
	rl_text_add(t, !c ? (code == RELINK_E_AMBIGUOUS ? ": several choices of that name; write module:name\n" : ": no such choice\n")
		       : c->owner ? ": a member of an operations table, which is bound as a whole\n"
		       : state == RL_NONE ? ": no such state\n"
		       : rl_is_baked(c) ? ": baked into this file, can't be changed\n" : ": its condition does not hold here\n");
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

/* What is baked is run, whatever the machine is. */
static void note_baked(struct rl_text *t)
{
	const struct rl_core *core = &rl_runtime.core;

	for (const struct rl_choice *c = core->choices; c; c = c->next)
		if (rl_is_baked(c) && !c->owner && c->usable && !c->usable[c->initial]) {
			rl_text_add(t, c->name);
			rl_text_add(t, ": baked as ");
			rl_text_add(t, rl_state_name(c, c->initial));
			rl_text_add(t, ", whose condition does not hold here\n");
		}
	for (const struct rl_module *m = core->modules; m; m = m->next)
		if (rl_baked_for_others(core, m) != RL_NONE) {
			rl_text_add(t, m->name);
			rl_text_add(t, ": baked for other processors than this one\n");
		}
}

/* Entries of file and environment that found nothing; under the lock. */
void rl_list_notes(char *buffer, size_t size)
{
	struct rl_text t = rl_text_into(buffer, size);
	struct rl_entry e;

	rl_text_add(&t, rl_runtime.notes);
	rl_text_add(&t, rl_runtime.file_notes);
	rl_list_missed(&t);
	note_baked(&t);
	for (int level = RELINK_BY_FILE; level <= RELINK_BY_COMMAND_LINE; level++) {
		const char *at = rl_runtime.lists[level];

		while (at && rl_next_entry(&at, &e))
			if (e.query)
				note_queries(&t, level, &e);
			else
				note_entry(&t, level, &e);
	}
}

/* ---- files that change while the program runs ---- */

static size_t count_entries(const char *list)
{
	struct rl_entry e;
	size_t n = 0;

	while (rl_next_entry(&list, &e))
		n++;
	return n;
}

/* At most so many decisions: entries, and queries in braces. */
static size_t count_decisions(const char *list)
{
	size_t n = list ? count_entries(list) : 0;

	for (; list && *list; list++)
		n += *list == ';' || *list == '\n';
	return n;
}

static size_t add_query(struct rl_decision *decisions, const struct rl_query *q, const char *stop)
{
	if (!rl_query_finds(&rl_runtime.core, q))
		return 0;
	*decisions = (struct rl_decision){ .level = RELINK_BY_FILE, .query = q->text.at, .query_length = (size_t)(stop - q->text.at) };
	return 1;
}

/* One decision each: those that find nothing are left out. */
static size_t add_queries(struct rl_decision *decisions, const char *text, size_t length)
{
	struct rl_queries list = rl_queries_of(text, length);
	struct rl_query q;
	size_t n = 0;

	while (rl_query_next(&list, &q, NULL) > 0)
		n += add_query(&decisions[n], &q, list.at);
	return n;
}

/* What the file said before and says no more. */
static size_t withdraw(struct rl_decision *decisions)
{
	static const char all[] = "clear";
	size_t n = add_queries(decisions, all, sizeof(all) - 1);

	for (struct rl_choice *c = rl_runtime.core.choices; c; c = c->next)
		if (!c->owner && c->asked[RELINK_BY_FILE] != RL_NONE)
			decisions[n++] = (struct rl_decision){ .choice = c, .level = RELINK_BY_FILE, .state = RL_NONE };
	return n;
}

/* Entries that are no good are left out, and noted where the notes are listed. */
static size_t decide_file(const char *list, struct rl_decision *decisions)
{
	size_t n = withdraw(decisions);
	struct rl_entry e;
	int code;

	while (list && rl_next_entry(&list, &e)) {
		struct rl_choice *c = e.query ? NULL : rl_find_choice(&rl_runtime.core, e.name, e.name_length, &code);
		int state = c && !c->owner ? rl_want_state(&rl_runtime.core, c, e.state, e.state_length) : RL_NONE;

		if (e.query && e.closed)
			n += add_queries(&decisions[n], e.name, e.name_length);
		else if (state != RL_NONE && c->usable[state])
			decisions[n++] = (struct rl_decision){ .choice = c, .level = RELINK_BY_FILE, .state = state };
	}
	return n;
}

static bool is_refused(const struct rl_decision *d, const struct relink_error *err)
{
	char name[sizeof(err->choice)];
	struct rl_text t = rl_text_into(name, sizeof(name));

	if (!d->choice) /* queries of a file are refused for no choice's sake */
		return false;
	rl_text_add(&t, d->choice->name);
	return *err->choice && rl_same(name, err->choice);
}

static size_t drop_refused(struct rl_decision *decisions, size_t count, const struct relink_error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_refused(&decisions[i], err))
			decisions[n++] = decisions[i];
	return n;
}

/* One commit of all that can be done. An error that names no choice is one of the whole. */
static void commit_file(struct rl_decision *decisions, size_t count, struct rl_text *notes)
{
	struct relink_error err;
	size_t left;

	while (rl_commit(&rl_runtime.core, decisions, count, RELINK_LIVE, &err) < 0) {
		rl_text_add(notes, "file: ");
		rl_text_add(notes, err.text);
		rl_text_add(notes, "\n");
		left = drop_refused(decisions, count, &err);
		if (left == count)
			return;
		count = left;
	}
}

static size_t count_choices(void)
{
	size_t n = 0;

	for (const struct rl_choice *c = rl_runtime.core.choices; c; c = c->next)
		n++;
	return n;
}

/* Takes over the list. */
static int reload(struct reading *reading, struct relink_error *err)
{
	struct rl_decision *decisions;
	char **list = &rl_runtime.lists[RELINK_BY_FILE];

	/* Uses that a query could find, and those that an earlier one found. */
	decisions = calloc(count_choices() + count_decisions(reading->list) + 2, sizeof(*decisions));
	if (!decisions || (reading->list && strchr(reading->list, '{') && !rl_index_all_uses(&rl_runtime.core))) {
		free(decisions);
		free(reading->list);
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	}
	free(*list);
	*list = reading->list;
	commit_file(decisions, decide_file(*list, decisions), &reading->notes);
	memcpy(rl_runtime.file_notes, reading->said, sizeof(reading->said));
	rl_count_change(&rl_runtime.core); /* the notes */
	free(decisions);
	return 0;
}

/* What could not be done last time is tried again. */
static bool is_known(const struct reading *reading)
{
	const char *before = rl_runtime.lists[RELINK_BY_FILE];

	return !*rl_runtime.file_notes && !*reading->said &&
	       !strcmp(before ? before : "", reading->list ? reading->list : "");
}

/* Files may be slow: they are read without the lock. */
int rl_reload_files(struct relink_error *err)
{
	struct reading reading;
	int r;

	read_files(&reading);
	r = rl_lock(err);
	if (r) {
		free(reading.list);
		return r;
	}
	if (is_known(&reading))
		free(reading.list);
	else
		r = reload(&reading, err);
	rl_unlock();
	rl_pin_final_targets();
	return r;
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
		append(&rl_runtime.lists[RELINK_BY_COMMAND_LINE], list);
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
