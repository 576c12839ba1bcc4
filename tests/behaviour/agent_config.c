/* test: TIMEOUT 240 */
/* SPDX-License-Identifier: MIT */
/* The agent and the configuration file: written, replaced, removed, not there yet, full of nonsense, on top of other words. */
#include "agent/client.h"
#include "choices/run.h"

RELINK_KEY_FALSE(trace, "print what is read");
RELINK_KEY_FALSE(loud, "says where it is");
RELINK_KEY_FALSE(extra, "more of it");
RELINK_KEY_FALSE(decided, "decided at start", RELINK_FINAL);
RELINK_OPTION(idle, "what a worker does", halt, poll, spin);
RELINK_KEY_FALSE(guarded, "not for operators", RELINK_NONFORCIBLE);

static struct relink_error err;
static struct client a;
static char dir[96], file[128];

__attribute__((noinline)) static int is_traced(void)
{
	return relink_unlikely(trace) ? 1 : 0;
}

static void write_to(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CHECKF(f && fputs(text, f) >= 0 && !fclose(f), "%s: %s", path, strerror(errno));
}

static void replace(const char *text)
{
	char other[140];

	snprintf(other, sizeof(other), "%s.new~", file);
	write_to(other, text);
	CHECK(!rename(other, file));
}

/* Until the agent has seen it. */
static bool becomes(bool traced, const char *option)
{
	double end = agent_now() + PATIENCE_MS;

	while (agent_now() < end) {
		if (is_traced() == traced && !strcmp(agent_member(agent_choice(&a, "idle"), "state"), option))
			return true;
		agent_sleep(5);
	}
	return false;
}

#define BECOMES(traced, option) CHECKF(becomes(traced, "\"" option "\""), "traced %d, %s", is_traced(), agent_choice(&a, "idle"))

static const char *notes(void)
{
	static struct relink_status s;

	s.size = sizeof(s);
	relink_get_status(&s);
	return s.notes;
}

static bool will_note(const char *what, bool noted)
{
	double end = agent_now() + PATIENCE_MS;

	while (agent_now() < end) {
		if (!!strstr(notes(), what) == noted)
			return true;
		agent_sleep(5);
	}
	return false;
}

static void test_edits(void)
{
	BECOMES(true, "poll"); /* what was there at start */
	write_to(file, "# nothing\n");
	BECOMES(false, "halt");
	write_to(file, "trace, idle=spin\n");
	BECOMES(true, "spin");
	AGENT_HAS(agent_choice(&a, "trace"), "decided_by", "\"file\"");
	replace("idle=poll");
	BECOMES(false, "poll");
	replace("idle=poll trace=on\n");
	BECOMES(true, "poll");
	CHECK(!unlink(file));
	BECOMES(false, "halt");
	write_to(file, "trace=on\n");
	BECOMES(true, "halt");
}

__attribute__((noinline)) static int loud_uses(void)
{
	return (relink_here(loud, "one") ? 1 : 0) | (relink_here(loud, "two") ? 2 : 0) | (relink_here(loud, "three") ? 4 : 0);
}

static bool will_be_loud(int uses)
{
	double end = agent_now() + PATIENCE_MS;

	while (agent_now() < end && loud_uses() != uses)
		agent_sleep(5);
	return loud_uses() == uses;
}

/* Queries of a file: those that have gone are taken back, those that find nothing are noted, the order is the file's. */
static void test_queries(void)
{
	write_to(file, "{format t* +}\n");
	CHECKF(will_be_loud(6), "%d", loud_uses());
	write_to(file, "{format t* +; format two -} {func nowhere +;\nformat one +}\n");
	CHECKF(will_be_loud(5), "%d", loud_uses());
	CHECK_HAS(notes(), "no use matches");
	write_to(file, "{format two +} loud=on {format one -}\n");
	CHECKF(will_be_loud(6), "%d", loud_uses());
	CHECKF(will_note("no use matches", false), "%s", notes());
	write_to(file, "{format two + {\n");
	CHECKF(will_be_loud(0), "%d", loud_uses());
	CHECK_HAS(notes(), "a semicolon goes between two queries");
	write_to(file, "{format three +} trace=on\n");
	CHECKF(will_be_loud(4), "%d", loud_uses());
	AGENT_CODE(agent_ask(&a, "set program live {format%%20two%%20+}"), RELINK_OK);
	write_to(file, "trace=on\n");
	CHECKF(will_be_loud(2), "%d", loud_uses());
	AGENT_CODE(agent_ask(&a, "set program live {clear}"), RELINK_OK);
	CHECK(!loud_uses());
	write_to(file, "idle=spin\n");
	BECOMES(false, "spin");
}

/* The directory goes, and comes back; so does the one above it. */
static void test_directories(void)
{
	char command[400];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	CHECK(!system(command));
	BECOMES(false, "halt");
	snprintf(command, sizeof(command), "mkdir -p %s && echo trace=on >%s", dir, file);
	CHECK(!system(command));
	BECOMES(true, "halt");
	snprintf(command, sizeof(command), "mv %s %s.other", dir, dir);
	CHECK(!system(command));
	BECOMES(false, "halt");
	snprintf(command, sizeof(command), "echo idle=spin >%s.other/program.conf && mv %s.other %s", dir, dir, dir);
	CHECK(!system(command));
	BECOMES(false, "spin");
}

/* What is good in it is done, what is not is noted, and forgotten with the line. */
static void test_nonsense(void)
{
	static char large[70000];

	write_to(file, "trace=on, nothing=on idle=nonsense = ==,,,= \x80\xff=\x01 decided=on\n#\n");
	BECOMES(true, "halt");
	CHECK_HAS(notes(), "nothing=on: no such choice");
	CHECK_HAS(notes(), "idle=nonsense: no such state");
	CHECK_HAS(notes(), "decided");
	CHECK(!relink_key_enabled(decided));
	memset(large, 'x', sizeof(large) - 1);
	write_to(file, large);
	CHECK(will_note("less than 64 KiB", true));
	BECOMES(false, "halt");
	write_to(file, "trace=on idle=poll\n");
	BECOMES(true, "poll");
	CHECKF(will_note("decided", false) && will_note("64 KiB", false), "%s", notes());
}

static void test_precedence(void)
{
	CHECK_CODE(relink_key_set(trace, false, &err), RELINK_OK, &err);
	write_to(file, "trace=on idle=spin\n");
	BECOMES(false, "spin");
	AGENT_HAS(agent_choice(&a, "trace"), "asked", "{\"file\":\"on\",\"program\":\"off\"}");
	CHECK_CODE(relink_key_clear(trace, &err), RELINK_OK, &err);
	BECOMES(true, "spin");
	AGENT_CODE(agent_ask(&a, "set force live trace=off"), RELINK_OK);
	write_to(file, "trace=on idle=poll\n");
	BECOMES(false, "poll");
	AGENT_CODE(agent_ask(&a, "release force live trace"), RELINK_OK);
	BECOMES(true, "poll");
	CHECK_HAS(agent_choice(&a, "extra"), "\"decided_by\":\"environment\"");
}

/* Many writes at once end with the last one. */
static void test_storm(void)
{
	for (int i = 0; i < 300; i++) {
		if (i % 3)
			replace(i & 1 ? "trace=on" : "idle=spin");
		else
			write_to(file, "trace=off idle=poll");
	}
	replace("trace=on idle=spin");
	BECOMES(true, "spin");
	AGENT_CODE(agent_ask(&a, "reload"), RELINK_OK);
}

static int program(void)
{
	snprintf(dir, sizeof(dir), "%s/config/relink", getenv("XDG_RUNTIME_DIR"));
	snprintf(file, sizeof(file), "%s/program.conf", dir);
	strcpy(agent_dir, getenv("XDG_RUNTIME_DIR"));
	if (!agent_open(&a, getpid()))
		return check_done();
	test_edits();
	test_directories();
	test_queries();
	test_nonsense();
	test_precedence();
	test_storm();
	close(a.fd);
	return check_done();
}

/* Its files' name is the program's. */
int main(int argc, char **argv)
{
	static struct run r;
	char path[96], config[160], command[300];

	(void)argv;
	if (argc > 1)
		return program();
	agent_set_up();
	snprintf(path, sizeof(path), "%s/program", agent_dir);
	snprintf(config, sizeof(config), "XDG_CONFIG_HOME=%s/config", agent_dir);
	snprintf(command, sizeof(command), "mkdir -p %s/config/relink && echo trace=on,idle=poll >%s/config/relink/program.conf", agent_dir,
		 agent_dir);
	CHECK(!system(command));
	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), path);
	CHECK(!system(command));
	r = (struct run){ .program = path, .argv = { "program" }, .environment = { "RELINK_AGENT=1", "RELINK=extra=on", config } };
	run(&r);
	CHECKF(r.status == 0, "%d %s", r.status, r.output);
	agent_tear_down();
	return check_done();
}
