/* SPDX-License-Identifier: MIT */
/*
 * agent_requests.c - what clients ask: one line, words with single spaces between. docs/agent.md has the list.
 *
 * Bytes that a word can't contain are %XX. Nothing else is parsed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/agent.h"

/* ---- replies ---- */

void rl_agent_done(struct rl_json *out, const char *request, int code, const char *text)
{
	size_t mark = out->used;

	rl_json_begin(out);
	rl_json_string(out, "done", request);
	rl_json_signed(out, "code", code);
	rl_json_string(out, "name", relink_code_name(code));
	rl_json_string(out, "text", text);
	rl_json_end(out);
	if (out->full)
		rl_json_rewind(out, mark);
}

static void done_count(struct rl_client *c, const char *request)
{
	rl_agent_done(&c->out, request, RELINK_OK, "");
}

static void greeting(struct rl_json *out, const char *refused)
{
	rl_json_begin(out);
	rl_json_number(out, "relink-agent", RL_AGENT_VERSION);
	rl_json_number(out, "pid", (uint64_t)getpid());
	if (refused)
		rl_json_string(out, "refused", refused);
	else
		rl_json_string(out, "program", rl_program_name());
	rl_json_end(out);
}

void rl_agent_greet(struct rl_client *c)
{
	greeting(&c->out, NULL);
}

void rl_agent_refuse(struct rl_json *out, const char *why)
{
	greeting(out, why);
}

static enum rl_agent_answer fail(struct rl_client *c, const char *request, const char *text)
{
	rl_agent_done(&c->out, request, RELINK_E_ARGUMENT, text);
	return RL_ANSWERED;
}

/* ---- words ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. False: a `%` without two digits, or a NUL. */
static bool decode(char *word)
{
	char *to = word;

	for (; *word; word++) {
		*to = *word;
		if (*word == '%') {
			int high = digit_of(word[1]), low = high < 0 ? -1 : digit_of(word[2]);

			if (low < 0 || !(high * 16 + low))
				return false;
			*to = (char)(high * 16 + low);
			word += 2;
		}
		to++;
	}
	*to = 0;
	return true;
}

/* The next word, NULL: there is none. Cuts the line. */
static char *next_word(char **line)
{
	char *word = *line, *space;

	if (!word)
		return NULL;
	space = strchr(word, ' ');
	if (space)
		*space++ = 0;
	*line = space;
	return word;
}

/* ---- set and release ---- */

static int level_of(const char *word)
{
	if (word && !strcmp(word, "program"))
		return RELINK_BY_PROGRAM;
	return word && !strcmp(word, "force") ? RELINK_BY_FORCE : -1;
}

static int mode_of(const char *word)
{
	if (word && !strcmp(word, "live"))
		return RELINK_LIVE;
	return word && !strcmp(word, "stop") ? RELINK_STOP : -1;
}

/* {queries about uses}: NULL, or what is wrong with it. */
static const char *add_queries(struct relink_commit *wishes, char *word, int level, bool release)
{
	size_t length;

	if (release)
		return "queries are not released but cleared: set {... clear}; nothing was done";
	if (!decode(word))
		return "% needs two hexadecimal digits; nothing was done";
	length = strlen(word);
	if (length < 2 || word[length - 1] != '}')
		return "a brace that is not closed: {query; query}; nothing was done";
	word[length - 1] = 0;
	relink_wish_uses(wishes, word + 1, level);
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *add_wish(struct relink_commit *wishes, char *word, int level, bool release)
{
	char *equals = strchr(word, '=');

	if (wishes->count == RL_AGENT_WISHES)
		return "a request holds at most 4096 choices; nothing was done";
	if (*word == '{')
		return add_queries(wishes, word, level, release);
	if (equals && !release)
		*equals++ = 0;
	if (!release && !equals)
		return "write name=state; nothing was done";
	if (!decode(word) || (!release && !decode(equals)))
		return "% needs two hexadecimal digits; nothing was done";
	if (!*word)
		return "a choice without a name; nothing was done";
	relink_wish_named(wishes, word, release ? NULL : equals, level);
	return NULL;
}

static const char *collect(struct relink_commit *wishes, char *rest, int level, bool release)
{
	const char *wrong = NULL;
	char *word;

	while (!wrong && (word = next_word(&rest)))
		wrong = add_wish(wishes, word, level, release);
	if (!wrong && !wishes->count)
		return "name at least one choice";
	return wrong ? wrong : wishes->error ? "out of memory; nothing was done" : NULL;
}

static enum rl_agent_answer commit(struct rl_client *c, const char *request, struct relink_commit *wishes, int mode)
{
	struct relink_error err;
	int r;

	memset(&err, 0, sizeof(err));
	r = rl_commit_wishes(wishes->wishes, wishes->count, mode, &err);
	if (r == RELINK_E_CONTEXT && rl_agent_must_leave())
		return RL_LATER;
	rl_agent_done(&c->out, request, r, r ? relink_error_text(&err) : "");
	return RL_ANSWERED;
}

static enum rl_agent_answer change(struct rl_client *c, const char *request, char *rest)
{
	struct relink_commit wishes = RELINK_COMMIT;
	int level = level_of(next_word(&rest)), mode = mode_of(next_word(&rest));
	enum rl_agent_answer answer = RL_ANSWERED;
	const char *wrong;

	if (level < 0 || mode < 0)
		return fail(c, request, "after the request: program or force, then live or stop, then choices");
	wrong = collect(&wishes, rest, level, !strcmp(request, "release"));
	if (wrong)
		fail(c, request, wrong);
	else
		answer = commit(c, request, &wishes, mode);
	relink_commit_discard(&wishes);
	return answer;
}

/* ---- the others ---- */

static enum rl_agent_answer hello(struct rl_client *c, const char *request, char *rest)
{
	const char *version = next_word(&rest);

	if (version && strcmp(version, "1"))
		return fail(c, request, "this agent speaks version 1");
	rl_agent_greet(c);
	done_count(c, request);
	return RL_ANSWERED;
}

static void begin_listing(struct rl_client *c, int listing)
{
	c->listing = listing;
	c->walk = (struct rl_walk){ .stage = RL_WALK_START };
	c->choice = NULL;
	c->count = 0;
}

static enum rl_agent_answer list(struct rl_client *c, const char *request, char *rest)
{
	const char *pattern = next_word(&rest);

	if (rest || (pattern && strlen(pattern) >= sizeof(c->pattern)))
		return fail(c, request, "one pattern of less than 512 bytes may follow");
	strcpy(c->pattern, pattern ? pattern : "");
	if (!decode(c->pattern))
		return fail(c, request, "% needs two hexadecimal digits");
	begin_listing(c, !strcmp(request, "sites") ? RL_LIST_SITES : RL_LIST_CHOICES);
	return RL_ANSWERED;
}

/* How many there are, or an error. */
static int check_queries(const char *text, struct relink_error *err)
{
	struct rl_queries list = rl_queries_of(text, strlen(text));
	struct rl_query query;
	int r, count = 0;

	list.selects = true;
	while ((r = rl_query_next(&list, &query, err)) > 0)
		count++;
	return r < 0 ? r : count;
}

/* Queries; actions are not needed. */
static enum rl_agent_answer uses(struct rl_client *c, const char *request, char *rest)
{
	const char *queries = next_word(&rest);
	struct relink_error err;
	int count;

	if (rest || (queries && strlen(queries) >= sizeof(c->pattern)))
		return fail(c, request, "queries of less than 512 bytes, in one word, may follow");
	strcpy(c->pattern, queries ? queries : "");
	if (!decode(c->pattern))
		return fail(c, request, "% needs two hexadecimal digits");
	count = check_queries(c->pattern, &err);
	if (count < 0)
		return fail(c, request, relink_error_text(&err));
	if (count > RL_AGENT_QUERIES)
		return fail(c, request, "at most 16 queries may follow");
	begin_listing(c, RL_LIST_USES);
	return RL_ANSWERED;
}

static enum rl_agent_answer status(struct rl_client *c, const char *request, char *rest)
{
	return rest ? fail(c, request, "nothing may follow") : rl_agent_status(c);
}

static enum rl_agent_answer reload(struct rl_client *c, const char *request, char *rest)
{
	struct relink_error err;
	int r;

	if (rest)
		return fail(c, request, "nothing may follow");
	memset(&err, 0, sizeof(err));
	r = rl_reload_files(&err);
	if (r == RELINK_E_CONTEXT && rl_agent_must_leave())
		return RL_LATER;
	rl_agent_done(&c->out, request, r, r ? relink_error_text(&err) : "");
	return RL_ANSWERED;
}

/* Everything is new to who begins. */
static enum rl_agent_answer subscribe(struct rl_client *c, const char *request, char *rest)
{
	if (rest)
		return fail(c, request, "nothing may follow");
	if (!c->subscribed)
		__atomic_fetch_add(&rl_agent.subscribers, 1, __ATOMIC_RELAXED);
	c->subscribed = true;
	c->ready = false;
	c->seen = 0;
	c->choice = NULL;
	done_count(c, request);
	return RL_ANSWERED;
}

static int change_linkage(const char *what, int mode, const char *module, struct relink_error *err)
{
	int r;

	if (!strcmp(what, "revert"))
		return rl_linkage_revert(module, mode, err);
	r = rl_linkage_refresh(mode, err);
	return r < 0 ? r : RELINK_OK;
}

/* linkage; linkage revert live|stop [MODULE]; linkage refresh live|stop */
static enum rl_agent_answer linkage(struct rl_client *c, const char *request, char *rest)
{
	char *what = next_word(&rest), *module;
	int mode = what ? mode_of(next_word(&rest)) : RELINK_LIVE, r;
	struct relink_error err;

	module = next_word(&rest);
	if (rest || mode < 0 || (what && strcmp(what, "revert") && strcmp(what, "refresh")) || (module && !decode(module)))
		return fail(c, request, "revert or refresh may follow, then live or stop, then a module");
	memset(&err, 0, sizeof(err));
	r = what ? change_linkage(what, mode, module, &err) : rl_agent_list_linkage(c);
	if (r == RELINK_E_CONTEXT && rl_agent_must_leave())
		return RL_LATER;
	rl_agent_done(&c->out, request, r, r && what ? relink_error_text(&err) : r ? "there are more modules than fit" : "");
	return RL_ANSWERED;
}

static const struct {
	const char *name;
	enum rl_agent_answer (*answer)(struct rl_client *c, const char *request, char *rest);
} requests[] = {
	{ "hello", hello }, { "list", list }, { "sites", list }, { "uses", uses }, { "status", status }, { "set", change }, { "release", change },
	{ "reload", reload }, { "subscribe", subscribe },
	{ "linkage", linkage },
};

enum rl_agent_answer rl_agent_request(struct rl_client *c, char *line)
{
	char *rest = line;
	const char *word;

	if (strlen(line) && line[strlen(line) - 1] == '\r')
		line[strlen(line) - 1] = 0;
	if (!*line)
		return RL_ANSWERED;
	word = next_word(&rest);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (!strcmp(word, requests[i].name))
			return requests[i].answer(c, requests[i].name, rest);
	return fail(c, "", "no such request; there are: hello, list, sites, uses, status, set, release, reload, subscribe, linkage");
}
