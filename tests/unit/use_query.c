/* SPDX-License-Identifier: MIT */
/* use_query.c - globs, the grammar of queries, and what errors say, by tables. */
#include "behaviour/check.h"
#include "core/query.h"

static const struct {
	const char *pattern, *text;
	bool matches;
} globs[] = {
	{ "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "abc", true }, { "a", "a", true }, { "a", "b", false },
	{ "a", "ab", false }, { "ab", "a", false }, { "a*", "a", true }, { "a*", "abc", true }, { "*c", "abc", true }, { "*b", "abc", false },
	{ "a*c", "abbbc", true }, { "a*c", "abcb", false }, { "a*b*c", "axbxbxc", true }, { "**a**", "a", true }, { "?", "a", true },
	{ "?", "", false }, { "??", "a", false }, { "a?c", "abc", true }, { "*?", "", false }, { "*?", "x", true },
	{ "parse_*", "parse_header", true }, { "parse_*", "Parse_header", false }, { "*.c", "net/a.c", true }, { "net/*.c", "net/x/y.c", true },
	{ "[abc]", "b", true }, { "[abc]", "d", false }, { "[a-c]x", "bx", true }, { "[a-c]", "d", false }, { "[!a-c]", "d", true },
	{ "[^a-c]", "b", false }, { "[]a]", "]", true }, { "[!]a]", "]", false }, { "[a-]", "-", true }, { "[a-", "[a-", true },
	{ "[", "[", true }, { "[]", "[]", true }, { "[\\]]", "]", true }, { "x[0-9]*", "x7y", true }, { "[z-a]", "m", false },
	{ "\\*", "*", true }, { "\\*", "a", false }, { "a\\nb", "a\nb", true }, { "a\\tb", "a\tb", true }, { "\\\\", "\\", true },
	{ "\\", "\\", true }, { "100%%*", "100%% of %s", true }, { "\303\251*", "\303\251t\303\251", true }, { "[\200-\377]", "\303", true },
	{ "a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

static const struct {
	const char *pattern, *path;
	bool matches;
} paths[] = {
	{ "conn.c", "conn.c", true }, { "conn.c", "/src/net/conn.c", true }, { "conn.c", "/src/net/myconn.c", false },
	{ "net/*.c", "/src/net/conn.c", true }, { "net/*.c", "../subnet/conn.c", false }, { "net/*", "net/conn.c", true },
	{ "/src/net/conn.c", "/src/net/conn.c", true }, { "/net/conn.c", "/src/net/conn.c", false }, { "*.c", "x", false },
	{ "*.[ch]", "src/a.h", true }, { "", "src/", true }, { "", "src/a", false },
};

/* What a list of queries is understood as: for each "has first last opinion glob glob ...". */
static const struct {
	const char *text, *is;
} lists[] = {
	{ "+", "+" }, { " + ", "+" }, { "-;+", "- +" }, { ";;+;\n;", "+" }, { "=p", "+" }, { "+p", "+" }, { "-p", "-" }, { "=_", "-" },
	{ "clear", "0" }, { "file a.c +", "file[a.c]+" }, { "func f line 3 -", "func[f]line[3-3]-" },
	{ "line 100-200 +", "line[100-200]+" }, { "line 5- +", "line[5-16777215]+" }, { "line -9 +", "line[0-9]+" },
	{ "file a +\nfile b -", "file[a]+ file[b]-" }, { "format \"a b; c\" +", "format[a b; c]+" }, { "format 'say \"x\"' +", "format[say \"x\"]+" },
	{ "format \"a\\\"b\" +", "format[a\\\"b]+" }, { "file file +", "file[file]+" }, { "func + +", "func[+]+" }, { "func \"+\" -", "func[+]-" },
	{ "module lib\\ x.so +", "module[lib\\ x.so]+" }, { "\tkey\tnet_*\t+\r\n", "key[net_*]+" },
	{ "key k file f func g format h module m line 1 +", "key[k]file[f]func[g]format[h]module[m]line[1-1]+" }, { "format \"\" +", "format[]+" },
};

static const struct {
	const char *text, *says;
} errors[] = {
	{ "", "no query" }, { " ; ", "no query" }, { "file a.c", "query 1, character 9: the query ends without" },
	{ "fil a.c +", "query 1, character 1: no term is called 'fil'" }, { "+; file a.c + x", "query 2, character 15: a query ends with its action, but here follows 'x'" },
	{ "file a.c file b.c +", "query 1, character 10: one query says twice 'file'" }, { "file", "query 1, character 1: nothing follows 'file'" },
	{ "line x +", "query 1, character 6: no line, and no range of lines, is 'x'" }, { "line 5-3 +", "'5-3'" }, { "line - +", "'-'" },
	{ "line 1-2-3 +", "'1-2-3'" }, { "line 16777216 +", "'16777216'" }, { "line 99999999999999999999999 +", "'9999999" },
	{ "format \"a +", "query 1, character 8: a quote that is not closed" }, { "format \"a\"b +", "query 1, character 11: something follows a closing quote" },
	{ "+;+;\n\nfoo bar", "query 3, character 7: no term is called 'foo'" }, { "\"file\" a +", "no term is called 'file'" },
	{ "file a \"+\"", "no term is called '+'" }, { "++", "'++'" }, { "on", "no term is called 'on'" },
};

static void describe(const struct rl_query *q, char *out)
{
	static const char *const names[] = { "key", "file", "func", "format", "module" };

	for (int i = 0; i < RL_TERM_LINE; i++)
		if (q->has & 1u << i)
			out += sprintf(out, "%s[%.*s]", names[i], (int)q->glob[i].length, q->glob[i].at);
	if (q->has & 1u << RL_TERM_LINE)
		out += sprintf(out, "line[%u-%u]", q->first, q->last);
	sprintf(out, "%c", q->opinion == RL_USE_WANT_ON ? '+' : q->opinion == RL_USE_WANT_OFF ? '-' : '0');
}

static void test_lists(void)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct rl_queries list = rl_queries_of(lists[i].text, strlen(lists[i].text));
		struct relink_error err = { .code = 0 };
		char is[512] = "";
		struct rl_query q;
		int r;

		CHECK_CODE(rl_queries_check(lists[i].text, strlen(lists[i].text), &err), 0, &err);
		while ((r = rl_query_next(&list, &q, &err)) > 0)
			describe(&q, is + strlen(strcat(is, *is ? " " : "")));
		CHECKF(!r && !strcmp(is, lists[i].is), "\"%s\" is %s, not %s", lists[i].text, is, lists[i].is);
	}
}

static void test_errors(void)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct relink_error err = { .code = 0 };

		CHECK_CODE(rl_queries_check(errors[i].text, strlen(errors[i].text), &err), RELINK_E_SYNTAX, &err);
		CHECKF(strstr(err.text, errors[i].says), "\"%s\" says \"%s\", not \"%s\"", errors[i].text, err.text, errors[i].says);
	}
}

/* Any bytes, cut off anywhere, end without reading behind them: sanitizers watch. */
static void test_garbage(void)
{
	static const char alphabet[] = "file func line 0-9 +-;\n\"'\\[]*?clear{}";
	unsigned seed = 12345;

	for (int n = 0; n < 20000; n++) {
		size_t length = seed % 40;
		char *text = malloc(length + !length);
		struct relink_error err;
		struct rl_slice pattern = { text, length };

		for (size_t i = 0; i < length; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		CHECK(rl_queries_check(text, length, &err) <= 0);
		rl_glob(&pattern, "file func line 0-9 [x]*");
		free(text);
		seed = seed * 1103515245 + 12345;
	}
}

int main(void)
{
	for (size_t i = 0; i < COUNT(globs); i++) {
		char *copy = strdup(globs[i].pattern); /* so that reading behind it is seen */
		struct rl_slice pattern = { copy, strlen(copy) };

		CHECKF(rl_glob(&pattern, globs[i].text) == globs[i].matches, "%s and %s", copy, globs[i].text);
		free(copy);
	}
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct rl_slice pattern = { paths[i].pattern, strlen(paths[i].pattern) };

		CHECKF(rl_glob_path(&pattern, paths[i].path) == paths[i].matches, "%s and %s", paths[i].pattern, paths[i].path);
	}
	test_lists();
	test_errors();
	test_garbage();
	return check_done();
}
