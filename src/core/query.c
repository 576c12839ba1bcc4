/* SPDX-License-Identifier: MIT */
/*
 * query.c - which uses a person means: the grammar of <relink/use.h>, and globs. Pure: knows neither modules nor commits, keeps
 * slices of the text that it reads, and asks for no memory.
 */
#include "core/query.h"
#include "core/core.h"

static const char *const terms[RL_TERMS] = { "key", "file", "func", "format", "module", "line" };

/* ---- globs ---- */

static char escaped(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/* One character of a pattern, which may be escaped. */
static char literal(const char **p, const char *stop)
{
	const char *at = *p;

	if (*at == '\\' && at + 1 < stop) {
		*p = at + 2;
		return escaped(at[1]);
	}
	*p = at + 1;
	return *at;
}

/* Behind the bracket that closes a class, or NULL: then the bracket that opens it is an ordinary character. */
static const char *class_end(const char *p, const char *stop)
{
	p += p < stop && (*p == '!' || *p == '^');
	p += p < stop && *p == ']'; /* the first one is a member */
	while (p < stop && *p != ']')
		p += *p == '\\' && p + 1 < stop ? 2 : 1;
	return p < stop ? p + 1 : 0;
}

/* `p` is behind the opening bracket, `end` behind the closing one. */
static bool in_class(const char *p, const char *end, char c)
{
	bool negated = *p == '!' || *p == '^', found = false;

	p += negated;
	do {
		char low = literal(&p, end), high = low;

		if (p + 1 < end - 1 && *p == '-') {
			p++;
			high = literal(&p, end);
		}
		found |= (unsigned char)c >= (unsigned char)low && (unsigned char)c <= (unsigned char)high;
	} while (p < end - 1);
	return found != negated;
}

/* Does the pattern's first element, which is no star, match this character? Moves behind it. */
static bool element(const char **p, const char *stop, char c)
{
	const char *end = **p == '[' ? class_end(*p + 1, stop) : 0, *start = *p + 1;

	if (end) {
		*p = end;
		return in_class(start, end, c);
	}
	if (**p == '?') {
		*p = start;
		return true;
	}
	return literal(p, stop) == c;
}

/* Behind a star: where the pattern's next element, if it is a plain character, may match. A hundred thousand texts are searched. */
static const char *next_chance(const char *p, const char *stop, const char *s)
{
	if (p < stop && *p != '*' && *p != '?' && *p != '[' && *p != '\\')
		while (*s && *s != *p)
			s++;
	return s;
}

/* Linear but for the last star, to which it comes back. */
bool rl_glob(const struct rl_slice *pattern, const char *s)
{
	const char *p = pattern->at, *stop = p + pattern->length, *star = 0, *retry = 0;

	while (*s) {
		const char *next = p;

		if (p < stop && *p == '*') {
			star = ++p;
			retry = s = next_chance(p, stop, s);
		} else if (p < stop && element(&next, stop, *s)) {
			p = next;
			s++;
		} else if (star) {
			p = star;
			retry = s = next_chance(p, stop, retry + 1);
		} else {
			return false;
		}
	}
	while (p < stop && *p == '*')
		p++;
	return p == stop;
}

/* All of the name, or what follows one of its slashes. */
bool rl_glob_path(const struct rl_slice *pattern, const char *path)
{
	if (rl_glob(pattern, path))
		return true;
	for (; *path; path++)
		if (*path == '/' && rl_glob(pattern, path + 1))
			return true;
	return false;
}

/* ---- words ---- */

struct word {
	struct rl_slice text; /* without its quotes */
	const char *start;
	bool quoted;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool separator(char c)
{
	return c == ';' || c == '\n';
}

static int complain(const struct rl_queries *list, const char *at, const char *what, const struct rl_slice *word, const char *remedy,
		    struct relink_error *err)
{
	char reason[400];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, "query ");
	rl_text_add_dec(&t, list->number);
	rl_text_add(&t, ", character ");
	rl_text_add_dec(&t, (uint64_t)(at - list->start) + 1);
	rl_text_add(&t, ": ");
	rl_text_add(&t, what);
	if (word) {
		rl_text_add(&t, " '");
		rl_text_add_n(&t, word->at, word->length < 64 ? word->length : 64);
		rl_text_add(&t, "'");
	}
	rl_text_add(&t, remedy);
	return rl_fail(err, RELINK_E_SYNTAX, 0, reason);
}

static int quoted_word(struct rl_queries *list, struct word *w, struct relink_error *err)
{
	char quote = *list->at++;

	w->quoted = true;
	w->text.at = list->at;
	while (list->at < list->stop && *list->at != quote)
		list->at += *list->at == '\\' && list->at + 1 < list->stop ? 2 : 1;
	if (list->at >= list->stop)
		return complain(list, w->start, "a quote that is not closed", 0, "", err);
	w->text.length = (size_t)(list->at++ - w->text.at);
	if (list->at < list->stop && !blank(*list->at) && !separator(*list->at))
		return complain(list, list->at, "something follows a closing quote; a blank is missing", 0, "", err);
	return 1;
}

/* 1: a word; 0: this query ends here. */
static int next_word(struct rl_queries *list, struct word *w, struct relink_error *err)
{
	while (list->at < list->stop && blank(*list->at))
		list->at++;
	*w = (struct word){ { list->at, 0 }, list->at, false };
	if (list->at == list->stop || separator(*list->at))
		return 0;
	if (*list->at == '"' || *list->at == '\'')
		return quoted_word(list, w, err);
	while (list->at < list->stop && !blank(*list->at) && !separator(*list->at))
		list->at += *list->at == '\\' && list->at + 1 < list->stop ? 2 : 1;
	w->text.length = (size_t)(list->at - w->text.at);
	return 1;
}

static bool is(const struct word *w, const char *s)
{
	return !w->quoted && rl_same_n(s, w->text.at, w->text.length);
}

/* ---- terms ---- */

static bool number(const char **at, const char *stop, uint32_t *n)
{
	const char *start = *at;
	uint64_t v = 0;

	for (; *at < stop && **at >= '0' && **at <= '9' && v <= RELINK_USE_LINE; ++*at)
		v = 10 * v + (uint64_t)(**at - '0');
	*n = (uint32_t)v;
	return *at > start && v <= RELINK_USE_LINE;
}

static bool range(const struct rl_slice *w, struct rl_query *q)
{
	const char *at = w->at, *stop = at + w->length;
	bool first = number(&at, stop, &q->first), last;

	q->last = q->first;
	if (at == stop)
		return first;
	if (*at++ != '-')
		return false;
	if (!first)
		q->first = 0;
	last = number(&at, stop, &q->last);
	if (!last)
		q->last = RELINK_USE_LINE;
	return at == stop && (first || last) && q->first <= q->last;
}

static int action(const struct word *w, struct rl_query *q)
{
	static const struct {
		const char *word;
		int opinion;
	} actions[] = { { "+", RL_USE_WANT_ON }, { "-", RL_USE_WANT_OFF }, { "clear", RL_USE_WANT_NOTHING }, { "+p", RL_USE_WANT_ON },
			{ "-p", RL_USE_WANT_OFF }, { "=p", RL_USE_WANT_ON }, { "=_", RL_USE_WANT_OFF } };

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (is(w, actions[i].word)) {
			q->opinion = actions[i].opinion;
			return 1;
		}
	return 0;
}

static int term_named(const struct word *w)
{
	for (int i = 0; i < RL_TERMS; i++)
		if (is(w, terms[i]))
			return i;
	return -1;
}

static int add_term(struct rl_queries *list, const struct word *name, struct rl_query *q, struct relink_error *err)
{
	int term = term_named(name);
	struct word value;
	int r;

	if (term < 0)
		return complain(list, name->start, "no term is called", &name->text,
				"; there are key, file, func, line, format, module, and at the end + or - or clear", err);
	if (q->has & 1u << term)
		return complain(list, name->start, "one query says twice", &name->text, "; write two queries", err);
	r = next_word(list, &value, err);
	if (r < 0)
		return r;
	if (!r)
		return complain(list, name->start, "nothing follows", &name->text, "", err);
	q->has |= 1u << term;
	if (term != RL_TERM_LINE)
		q->glob[term] = value.text;
	else if (!range(&value.text, q))
		return complain(list, value.start, "no line, and no range of lines, is", &value.text, "; write 100, 100-200, 100- or -200", err);
	return 0;
}

static int parse(struct rl_queries *list, struct rl_query *q, struct relink_error *err)
{
	struct word w, behind;
	int r;

	while ((r = next_word(list, &w, err)) > 0) {
		if (action(&w, q)) {
			r = next_word(list, &behind, err);
			return r > 0 ? complain(list, behind.start, "a query ends with its action, but here follows", &behind.text,
						"; a semicolon goes between two queries", err)
				     : r < 0 ? r : 1;
		}
		r = add_term(list, &w, q, err);
		if (r < 0)
			return r;
	}
	if (!r && list->selects)
		return 1;
	return r < 0 ? r : complain(list, list->at, "the query ends without + or - or clear", 0, "", err);
}

int rl_query_next(struct rl_queries *list, struct rl_query *q, struct relink_error *err)
{
	while (list->at < list->stop && (blank(*list->at) || separator(*list->at)))
		list->at++;
	if (list->at == list->stop)
		return 0;
	list->number++;
	*q = (struct rl_query){ .text = { list->at, 0 }, .number = list->number };
	return parse(list, q, err);
}

struct rl_queries rl_queries_of(const char *text, size_t length)
{
	return (struct rl_queries){ text, text, text + length, 0, false };
}

int rl_queries_check(const char *text, size_t length, struct relink_error *err)
{
	struct rl_queries list = rl_queries_of(text, length);
	struct rl_query q;
	int r;

	while ((r = rl_query_next(&list, &q, err)) > 0)
		;
	if (!r && !list.number)
		return rl_fail(err, RELINK_E_SYNTAX, 0, "no query; write for instance: file net.c line 100-200 +");
	return r;
}

/* ---- matching ---- */

/* Neighbouring uses share their strings, and a string is one address in a module: what was found out once holds for the next. */
static bool matches_string(struct rl_match *m, int term, const char *s)
{
	if (!(m->query->has & 1u << term))
		return true;
	if (m->last[term] != s) {
		m->last[term] = s;
		m->result[term] = term == RL_TERM_FILE ? rl_glob_path(&m->query->glob[term], s) : rl_glob(&m->query->glob[term], s);
	}
	return m->result[term];
}

bool rl_query_matches_place(struct rl_match *m, uint32_t line, const char *file, const char *function, const char *text)
{
	const struct rl_query *q = m->query;

	if (q->has & 1u << RL_TERM_LINE && (line < q->first || line > q->last))
		return false;
	return matches_string(m, RL_TERM_FILE, file) && matches_string(m, RL_TERM_FUNCTION, function) &&
	       matches_string(m, RL_TERM_FORMAT, text);
}

bool rl_query_matches(struct rl_match *m, const struct relink_use_record *use)
{
	return rl_query_matches_place(m, use->line & RELINK_USE_LINE, rl_use_file(use), rl_use_function(use), rl_use_text(use));
}

/* libfoo.so.1, or libfoo */
bool rl_query_matches_module(const struct rl_query *q, const char *name)
{
	char stem[128];
	size_t n = 0;

	if (!(q->has & 1u << RL_TERM_MODULE) || rl_glob(&q->glob[RL_TERM_MODULE], name))
		return true;
	for (; n < sizeof(stem) - 1 && name[n] && name[n] != '.'; n++)
		stem[n] = name[n];
	stem[n] = 0;
	return rl_glob(&q->glob[RL_TERM_MODULE], stem);
}

bool rl_query_matches_key(const struct rl_query *q, const char *name)
{
	return !(q->has & 1u << RL_TERM_KEY) || rl_glob(&q->glob[RL_TERM_KEY], name);
}
