// test: VARIANTS "-O0" "-O2" TIMEOUT 60
/* SPDX-License-Identifier: MIT */
/*
 * Who wins: every subset of force, program, command line, environment, file and choice function speaks about a key, an option and a
 * call. What each level asked for is listed, whoever wins, and who withdraws leaves the word to the next.
 */
#include "check.h"
#include "choices/run.h"

#define EACH_LEVEL(X) X(function) X(file) X(environment) X(command_line) X(program) X(force)
#define BIT(level) (1u << (level))
#define FROM_OUTSIDE (BIT(RELINK_BY_FUNCTION) | BIT(RELINK_BY_FILE) | BIT(RELINK_BY_ENVIRONMENT) | BIT(RELINK_BY_COMMAND_LINE))

/* Each level asks for a state of its own. Keys have but two: bit LEVEL of the pattern. */
static const char *const words[RELINK_LEVELS] = { "start", "function", "file", "environment", "command_line", "program", "force" };
RELINK_KEY_FALSE(pk, "a key");
RELINK_OPTION(po, "an option", start, function, file, environment, command_line, program, force);
RELINK_DECLARE_CALL(int, pc, (void));
static int pc_start(void) { return RELINK_BY_DEFAULT; }
static int pc_function(void) { return RELINK_BY_FUNCTION; }
static int pc_file(void) { return RELINK_BY_FILE; }
static int pc_environment(void) { return RELINK_BY_ENVIRONMENT; }
static int pc_command_line(void) { return RELINK_BY_COMMAND_LINE; }
static int pc_program(void) { return RELINK_BY_PROGRAM; }
static int pc_force(void) { return RELINK_BY_FORCE; }
RELINK_DEFINE_CALL(pc, pc_start, "a call");
#define VARIANT(level) RELINK_VARIANT(pc, pc_##level, .rank = -1);
EACH_LEVEL(VARIANT)

/* What choice functions say is in the environment, so that one program has them all. */
static const char *pk_choose(const struct relink_facts *facts)
{
	const char *vote = getenv("VOTE_PK");

	return facts->cpus && vote ? vote : NULL;
}
static const char *po_choose(const struct relink_facts *facts) { return facts->cpus && getenv("VOTE_PK") ? "function" : NULL; }
static const char *pc_choose(const struct relink_facts *facts) { return facts->cpus && getenv("VOTE_PK") ? "function" : NULL; }
RELINK_CHOOSE(pk, pk_choose);
RELINK_CHOOSE(po, po_choose);
RELINK_CHOOSE(pc, pc_choose);

static struct relink_error err;

/* ---- what should be ---- */

static int winner(unsigned levels)
{
	int level = RELINK_LEVELS - 1;

	while (level && !(levels & BIT(level)))
		level--;
	return level;
}

static bool key_vote(unsigned pattern, int level)
{
	return level && (pattern & BIT(level));
}

/* ---- what is ---- */

struct expected {
	unsigned levels, pattern;
	int seen;
};

static bool same_word(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* A call's states are its functions' names. */
static const char *stem(const char *state)
{
	return state && !strncmp(state, "pc_", 3) ? state + 3 : state;
}

static const char *asked_word(const struct relink_choice_info *info, const struct expected *e, int level)
{
	if (!(e->levels & BIT(level)))
		return NULL;
	return info->kind == RELINK_KEY ? key_vote(e->pattern, level) ? "on" : "off" : words[level];
}

static int check_listed(const struct relink_choice_info *info, void *ctx)
{
	struct expected *e = ctx;
	int by = winner(e->levels);
	const char *state = info->kind == RELINK_KEY ? key_vote(e->pattern, by) ? "on" : "off" : words[by];

	e->seen++;
	CHECKF(info->decided_by == by, "%s, levels %#x: decided by %s, want %s", info->name, e->levels,
	       relink_level_name(info->decided_by), relink_level_name(by));
	CHECKF(same_word(stem(info->state), state), "%s, levels %#x: listed as %s, want %s", info->name, e->levels, info->state, state);
	for (int level = RELINK_BY_FUNCTION; level < RELINK_LEVELS; level++)
		CHECKF(same_word(stem(info->asked[level]), asked_word(info, e, level)), "%s, levels %#x: %s asked for %s", info->name,
		       e->levels, relink_level_name(level), info->asked[level] ? info->asked[level] : "nothing");
	return 0;
}

static void check_states(unsigned levels, unsigned pattern)
{
	struct expected e = { levels, pattern, 0 };
	int by = winner(levels);
	bool on = key_vote(pattern, by), branch = false;

	if (relink_unlikely(pk))
		branch = true;
	CHECKF(branch == on && relink_key_enabled(pk) == on, "key, levels %#x, pattern %#x: %d", levels, pattern, branch);
	CHECKF(relink_option_state(po) == by, "option, levels %#x: %d, want %d", levels, relink_option_state(po), by);
	CHECK(relink_option_is(po, start) == (by == RELINK_BY_DEFAULT));
#define CHECK_IS(level) CHECK(relink_option_is(po, level) == (relink_option_state(po) == RELINK_STATE(po, level)));
	EACH_LEVEL(CHECK_IS)
	CHECKF(pc() == by, "call, levels %#x: %d, want %d", levels, pc(), by);
	CHECK(relink_each_choice(check_listed, &e) == 0 && e.seen == 3);
}

/* ---- asking ---- */

/* The code that asking for a state has, and the text that says who is in the way. */
static void check_answer(int code, int asked, unsigned levels, bool differs, const char *state)
{
	int by = winner(levels);

	if (by <= asked || !differs) {
		CHECK_CODE(code, RELINK_OK, &err);
		return;
	}
	CHECK_CODE(code, RELINK_OVERRIDDEN, &err);
	CHECK_HAS(err.text, relink_level_name(by));
	CHECK_HAS(err.text, state);
}

static int ask_by_name(const char *name, const char *state, int level)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_wish_named(&c, name, state, level);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static void ask(int level, unsigned *levels, unsigned pattern)
{
	int by;

	*levels |= BIT(level);
	by = winner(*levels);
	check_answer(ask_by_name("pk", key_vote(pattern, level) ? "on" : "off", level), level, *levels,
		     key_vote(pattern, by) != key_vote(pattern, level), key_vote(pattern, by) ? "on" : "off");
	check_answer(ask_by_name("po", words[level], level), level, *levels, true, words[by]);
	check_answer(ask_by_name("pc", words[level], level), level, *levels, true, words[by]);
	check_states(*levels, pattern);
}

static void withdraw(int level, unsigned *levels, unsigned pattern)
{
	*levels &= ~BIT(level);
	CHECK_CODE(ask_by_name("pk", NULL, level), RELINK_OK, &err);
	CHECK_CODE(ask_by_name("po", NULL, level), RELINK_OK, &err);
	CHECK_CODE(ask_by_name("pc", NULL, level), RELINK_OK, &err);
	check_states(*levels, pattern);
}

/* The typed functions are the program's voice. */
static void ask_typed(unsigned *levels, unsigned pattern)
{
	int by;

	*levels |= BIT(RELINK_BY_PROGRAM);
	by = winner(*levels);
	check_answer(relink_key_set(pk, key_vote(pattern, RELINK_BY_PROGRAM), &err), RELINK_BY_PROGRAM, *levels,
		     key_vote(pattern, by) != key_vote(pattern, RELINK_BY_PROGRAM), key_vote(pattern, by) ? "on" : "off");
	check_answer(relink_option_set(po, program, &err), RELINK_BY_PROGRAM, *levels, true, words[by]);
	check_answer(relink_call_set(pc, pc_program, &err), RELINK_BY_PROGRAM, *levels, true, words[by]);
	check_states(*levels, pattern);
}

static void withdraw_typed(unsigned *levels, unsigned pattern)
{
	*levels &= ~BIT(RELINK_BY_PROGRAM);
	CHECK_CODE(relink_key_clear(pk, &err), RELINK_OK, &err);
	CHECK_CODE(relink_option_clear(po, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(pc, &err), RELINK_OK, &err);
	check_states(*levels, pattern);
}

/* Program and force come and go, in both orders, above what the outside says. */
static void walk(unsigned levels, unsigned pattern)
{
	check_states(levels, pattern);
	ask(RELINK_BY_PROGRAM, &levels, pattern);
	ask(RELINK_BY_FORCE, &levels, pattern);
	withdraw(RELINK_BY_PROGRAM, &levels, pattern);
	ask_typed(&levels, pattern);
	withdraw(RELINK_BY_FORCE, &levels, pattern);
	ask(RELINK_BY_FORCE, &levels, pattern);
	withdraw_typed(&levels, pattern);
	withdraw(RELINK_BY_FORCE, &levels, pattern);
	ask_typed(&levels, pattern);
	withdraw(RELINK_BY_PROGRAM, &levels, pattern);
}

/* ---- one process for each subset of the outer levels ---- */

static int child(int argc, char **argv)
{
	unsigned levels = (unsigned)atoi(argv[1]), pattern = (unsigned)atoi(argv[2]);

	check_states(levels & ~BIT(RELINK_BY_COMMAND_LINE), pattern);
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	CHECK(argc == 3 && !argv[3]);
	walk(levels, pattern);
	return check_done();
}

static void list_of(char *list, size_t size, const char *before, unsigned pattern, int level, char separator)
{
	snprintf(list, size, "%spk=%s%cpo=%s%cpc=%s", before, key_vote(pattern, level) ? "on" : "off", separator, words[level], separator,
		 words[level]);
}

static void write_file(const char *path, unsigned pattern)
{
	FILE *file = fopen(path, "w");
	char list[128];

	list_of(list, sizeof(list), "# what the file says: po=force\n", pattern, RELINK_BY_FILE, '\n');
	CHECK(file && fputs(list, file) >= 0 && !fclose(file));
}

static void run_child(unsigned levels, unsigned pattern, const char *path)
{
	static struct run r;
	char numbers[2][16], environment[128], config[128], vote[32], list[128];
	int n = 0;

	memset(&r, 0, sizeof(r));
	snprintf(numbers[0], sizeof(numbers[0]), "%u", levels);
	snprintf(numbers[1], sizeof(numbers[1]), "%u", pattern);
	r.argv[0] = numbers[0];
	r.argv[1] = numbers[1];
	snprintf(config, sizeof(config), "RELINK_CONFIG=%s", levels & BIT(RELINK_BY_FILE) ? path : "/dev/null");
	r.environment[n++] = config;
	if (levels & BIT(RELINK_BY_FUNCTION)) {
		snprintf(vote, sizeof(vote), "VOTE_PK=%s", key_vote(pattern, RELINK_BY_FUNCTION) ? "on" : "off");
		r.environment[n++] = vote;
	}
	if (levels & BIT(RELINK_BY_ENVIRONMENT)) {
		list_of(environment, sizeof(environment), "RELINK=", pattern, RELINK_BY_ENVIRONMENT, ',');
		r.environment[n++] = environment;
	}
	if (levels & BIT(RELINK_BY_COMMAND_LINE)) {
		list_of(list, sizeof(list), "", pattern, RELINK_BY_COMMAND_LINE, ' ');
		r.argv[2] = "--relink";
		r.argv[3] = list;
	}
	run(&r);
	CHECKF(r.status == 0, "levels %#x, pattern %#x: status %d\n%s", levels, pattern, r.status, r.output);
}

int main(int argc, char **argv)
{
	static const unsigned patterns[] = { 0x2a, 0x54, 0x4c };
	char path[] = "/tmp/relink-precedence-XXXXXX";

	if (argc > 2)
		return child(argc, argv);
	CHECK(mkstemp(path) >= 0);
	for (size_t p = 0; p < COUNT(patterns); p++) {
		write_file(path, patterns[p]);
		for (unsigned levels = 0; levels <= FROM_OUTSIDE; levels += BIT(RELINK_BY_FUNCTION))
			run_child(levels, patterns[p], path);
	}
	unlink(path);
	return check_done();
}
