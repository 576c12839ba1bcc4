// test: NOT address thread
/* SPDX-License-Identifier: MIT */
/* A program that has more rights than who starts it (AT_SECURE) trusts neither environment nor user files. Needs root. */
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "check.h"
#include "choices/run.h"

RELINK_KEY_FALSE(from_environment, "asked for in RELINK=");
RELINK_KEY_FALSE(from_file, "asked for in RELINK_CONFIG=");
RELINK_KEY_FALSE(from_user, "asked for in the user's file");
RELINK_KEY_FALSE(from_command_line, "asked for by the command line");

#define NOBODY 65534

/* Says what it is and what it sees, a digit each; has it an agent's thread, may it have one? */
static int child(int argc, char **argv)
{
	struct relink_error err;
	struct stat tasks;

	if (relink_init(&argc, argv, &err))
		printf("%s\n", relink_error_text(&err));
	stat("/proc/self/task", &tasks);
	printf("%lu%d%d%d%d agent %d%d\n", getauxval(AT_SECURE), relink_key_enabled(from_environment), relink_key_enabled(from_file),
	       relink_key_enabled(from_user), relink_key_enabled(from_command_line), (int)tasks.st_nlink - 3,
	       relink_agent_start(&err) == RELINK_OK);
	return 0;
}

static char dir[] = "/tmp/relink-secure-XXXXXX", program[64], config[80], home[80];

static bool copy_self(mode_t mode)
{
	char command[128];

	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), program);
	return !system(command) && !chown(program, 0, 0) && !chmod(program, mode);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	CHECK(file && fputs(text, file) >= 0 && !fclose(file) && !chmod(path, 0644));
}

static void make_dir(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(!mkdir(path, 0755));
}

static void set_up(void)
{
	CHECK(mkdtemp(dir) && !chmod(dir, 0755));
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(config, sizeof(config), "RELINK_CONFIG=%s/config", dir);
	snprintf(home, sizeof(home), "XDG_CONFIG_HOME=%s/home", dir);
	write_file("config", "from_file");
	make_dir("home");
	make_dir("home/relink");
	write_file("home/relink/program.conf", "from_user");
}

/* As another user, with the environment asking for all it can. */
static void check(mode_t mode, const char *third, const char *want)
{
	static struct run r;

	CHECK(copy_self(mode));
	r = (struct run){ .program = program, .user = NOBODY, .argv = { "--relink", "from_command_line" },
			  .environment = { "RELINK=from_environment", third, "RELINK_AGENT=1", "XDG_RUNTIME_DIR=" } };
	run(&r);
	CHECKF(r.status == 0 && !strcmp(r.output, want), "mode %o: status %d, says %s, want %s", mode, r.status, r.output, want);
}

int main(int argc, char **argv)
{
	struct statvfs fs;
	char command[80];

	if (argc > 1)
		return child(argc, argv);
	if (getuid())
		check_skip("only root can make a program that is more than its user");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		check_skip("this process may not get new privileges");
	if (statvfs("/tmp", &fs) || (fs.f_flag & (ST_NOSUID | ST_NOEXEC)))
		check_skip("/tmp is mounted without setuid programs");
	set_up();
	check(0755, config, "01101 agent 11\n");
	check(0755, home, "01011 agent 11\n");
	check(04755, config, "10001 agent 00\n");
	check(04755, home, "10001 agent 00\n");
	check(02755, config, "10001 agent 00\n");
	rmdir("/tmp/relink-65534"); /* its sockets' place, unless somebody else uses it */
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(!system(command));
	return check_done();
}
