/* SPDX-License-Identifier: MIT */
/* Files of the cache: written and read again, and everything that makes one no file. `cache secure` is run with other privileges. */
#include "platform_test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <utime.h>

#include "runtime/cache.h"

static const uint8_t build_id[20] = { 0xab, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0xef };
static const struct rl_cache_name sites = { "sites", 3, build_id, sizeof(build_id) };
#define FILE_NAME "sites-abcd0102030405060708090a0b0c0d0e0f1011ef"
static const char contents[] = "what was found out about a module";

static char base[] = "/tmp/relink-cache-test-XXXXXX";
static char folder[100], file[200], temporary[210];

static int load_as(const struct rl_cache_name *name)
{
	void *data = NULL;
	size_t size = 0;
	int r = rl_cache_load(name, &data, &size);

	CHECK(r <= 0 && (data != NULL) == !r);
	if (!r)
		CHECK(size == sizeof(contents) && !memcmp(data, contents, size));
	free(data);
	return r;
}

/* Into the caller's memory, of which there is enough. */
static int read_as(const struct rl_cache_name *name)
{
	char room[2 * sizeof(contents)];
	size_t size = 0;
	int r = rl_cache_read(name, room, sizeof(room), &size);

	CHECK(r <= 0 && (size == 0) == (r < 0));
	if (!r)
		CHECK(size == sizeof(contents) && !memcmp(room, contents, size));
	return r;
}

static int load(void)
{
	int r = load_as(&sites), into = read_as(&sites);

	/* a damaged size may be one that there is no room for */
	if (into != r && !(into == -EFBIG && r == -EBADMSG))
		CHECK(!"both say the same");
	return r;
}

static int save(void)
{
	return rl_cache_save(&sites, contents, sizeof(contents));
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 ? 0 : status.st_mode & 07777;
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void written(void)
{
	CHECK(load() == -ENOENT);
	umask(0777);
	CHECK(save() == 0);
	umask(022);
	CHECK(mode_of(folder) == 0700 && mode_of(file) == 0600 && !is_there(temporary));
	CHECK(load() == 0);
	CHECK(save() == 0 && load() == 0);
	CHECK(rl_cache_save(&(struct rl_cache_name){ "empty", 1, build_id, 1 }, NULL, 0) == 0);
	void *data;
	size_t size = 1;
	CHECK(rl_cache_load(&(struct rl_cache_name){ "empty", 1, build_id, 1 }, &data, &size) == 0 && size == 0);
	free(data);
}

static void into_room(void)
{
	char room[sizeof(contents) + 1];
	size_t size = 7;

	CHECK(rl_cache_read(&sites, room, sizeof(room), &size) == -ENOENT);
	CHECK(save() == 0);
	room[sizeof(contents)] = room[sizeof(contents) - 1] = 'x';
	CHECK(rl_cache_read(&sites, room, sizeof(contents) - 1, &size) == -EFBIG && size == 7 && room[sizeof(contents) - 1] == 'x');
	CHECK(rl_cache_read(&sites, room, sizeof(contents), &size) == 0 && size == sizeof(contents));
	CHECK(!memcmp(room, contents, size) && room[sizeof(contents)] == 'x');
}

static void of_another(void)
{
	struct rl_cache_name name = sites;
	uint8_t other[64] = { 0xab };
	char path[400];

	CHECK(save() == 0);
	name.version = 2;
	CHECK(load_as(&name) == -EBADMSG);
	name = sites;
	name.build_id_length = 0;
	CHECK(load_as(&name) == -ENOENT && rl_cache_save(&name, contents, sizeof(contents)) == -ENOENT);
	name.build_id_length = 65;
	CHECK(load_as(&name) == -ENOENT);
	name.build_id = other;
	name.build_id_length = sizeof(other);
	CHECK(load_as(&name) == -ENOENT);
	/* under another's name */
	snprintf(path, sizeof(path), "%s/linkage-abcd0102030405060708090a0b0c0d0e0f1011ef", folder);
	CHECK(rename(file, path) == 0);
	name = sites;
	name.kind = "linkage";
	CHECK(load_as(&name) == -EBADMSG && load() == -ENOENT);
	unlink(path);
}

/* ---- damage ---- */

static size_t read_raw(uint8_t *bytes, size_t room)
{
	int descriptor = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(descriptor, bytes, room);

	close(descriptor);
	return n > 0 ? (size_t)n : 0;
}

static void write_raw(const uint8_t *bytes, size_t count)
{
	int descriptor = open(file, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	if (write(descriptor, bytes, count) != (ssize_t)count)
		CHECK(!"written");
	close(descriptor);
}

static void damaged(void)
{
	uint8_t bytes[1000];
	size_t size;

	CHECK(save() == 0);
	size = read_raw(bytes, sizeof(bytes) - 1);
	CHECK(size > sizeof(contents));
	for (size_t i = 0; i < size; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			write_raw(bytes, size);
			bytes[i] ^= (uint8_t)(1 << bit);
			if (load() != -EBADMSG)
				CHECK(!"every bit counts");
		}
	for (size_t cut = 0; cut < size; cut++) {
		write_raw(bytes, cut);
		if (load() != -EBADMSG)
			CHECK(!"a file that is cut off is none");
	}
	bytes[size] = 0;
	write_raw(bytes, size + 1);
	CHECK(load() == -EBADMSG);
	write_raw(bytes, size);
	CHECK(load() == 0);
	write_raw(bytes, 10);
	CHECK(save() == 0 && load() == 0);
}

/* ---- whose ---- */

static void of_others(void)
{
	static const mode_t open_modes[] = { 0620, 0602, 0666 };

	CHECK(save() == 0);
	for (size_t i = 0; i < 3; i++) {
		CHECK(chmod(file, open_modes[i]) == 0);
		CHECK(load() == -EACCES);
	}
	CHECK(save() == 0 && load() == 0 && mode_of(file) == 0600);
	CHECK(chmod(folder, 0770) == 0 && load() == -EACCES && save() == -EACCES);
	CHECK(chmod(folder, 0700) == 0 && load() == 0);
	if (geteuid() != 0) {
		skip("files of another user", "only root can make some");
		return;
	}
	CHECK(chown(file, 1234, 1234) == 0 && load() == -EACCES);
	CHECK(save() == 0 && load() == 0);
	CHECK(chown(folder, 1234, 1234) == 0 && load() == -EACCES && save() == -EACCES);
}

static void no_file(void)
{
	char elsewhere[300];

	CHECK(save() == 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", base);
	CHECK(rename(file, elsewhere) == 0 && symlink(elsewhere, file) == 0);
	CHECK(load() == -EACCES);
	CHECK(save() == 0 && load() == 0);
	unlink(file);
	CHECK(mkfifo(file, 0600) == 0);
	CHECK(load() == -EACCES);
	unlink(file);
	CHECK(mkdir(file, 0700) == 0);
	CHECK(load() == -EACCES && save() < 0 && !is_there(temporary));
	CHECK(rmdir(file) == 0);
	/* the directory */
	snprintf(elsewhere, sizeof(elsewhere), "%s/other", base);
	CHECK(rename(folder, elsewhere) == 0 && symlink(elsewhere, folder) == 0);
	CHECK(load() == -EACCES && save() == -EACCES);
	unlink(folder);
	close(open(folder, O_CREAT | O_CLOEXEC, 0600));
	CHECK(load() == -EACCES && save() == -EACCES);
	unlink(folder);
}

static void places(void)
{
	char path[300];

	CHECK(setenv("XDG_CACHE_HOME", "relative", 1) == 0 && setenv("HOME", base, 1) == 0);
	CHECK(load() == -ENOENT && save() == 0 && load() == 0);
	snprintf(path, sizeof(path), "%s/.cache/relink/" FILE_NAME, base);
	CHECK(mode_of(path) == 0600);
	unsetenv("XDG_CACHE_HOME");
	CHECK(load() == 0);
	unsetenv("HOME");
	CHECK(load() == -ENOENT && save() == -ENOENT);
	setenv("HOME", "/nowhere/at/all", 1);
	CHECK(load() == -ENOENT && save() == -ENOENT);
}

/* ---- writing that fails, and others that write ---- */

static void too_large(void)
{
	struct rlimit limit = { 50, 50 };
	void *much = calloc(1, RL_CACHE_MAX + 1);

	CHECK(save() == 0);
	CHECK(rl_cache_save(&sites, much, RL_CACHE_MAX + 1) == -EFBIG && load() == 0);
	free(much);
	/* a signal would end us */
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(save() == -EFBIG && load() == 0 && !is_there(temporary));
}

static void left_behind(void)
{
	struct utimbuf old = { time(NULL) - 100, time(NULL) - 100 };

	CHECK(save() == 0 && unlink(file) == 0);
	close(open(temporary, O_CREAT | O_CLOEXEC, 0600));
	CHECK(save() == -EBUSY && is_there(temporary) && load() == -ENOENT);
	CHECK(utime(temporary, &old) == 0);
	CHECK(save() == 0 && !is_there(temporary) && load() == 0);
}

#define LARGE 100000

static void store_for_ever(unsigned which)
{
	uint8_t *bytes = malloc(LARGE);

	memset(bytes, (int)which, LARGE);
	for (;;)
		rl_cache_save(&sites, bytes, LARGE - which * 1000);
}

static void at_the_same_time(void)
{
	pid_t writers[4];
	unsigned seen = 0;

	for (unsigned i = 0; i < 4; i++) {
		writers[i] = fork();
		if (!writers[i])
			store_for_ever(i + 1);
	}
	for (unsigned n = 0; n < 2000 || (!seen && n < 200000); n++) {
		void *data;
		size_t size;
		int r = rl_cache_load(&sites, &data, &size);

		if (r == -ENOENT)
			continue;
		if (r) {
			CHECK(!"a whole file");
			break;
		}
		seen++;
		if (size != LARGE - *(uint8_t *)data * 1000u || memcmp(data, (char *)data + 1, size - 1) != 0)
			CHECK(!"somebody's file");
		free(data);
	}
	for (unsigned i = 0; i < 4; i++) {
		kill(writers[i], SIGKILL);
		waitpid(writers[i], NULL, 0);
	}
	CHECK(seen > 0);
}

/* A program of another user's or group's privileges neither reads nor writes. */
static void secure(void)
{
	char copy[100], command[900], self[400] = "";

	if (geteuid() != 0) {
		skip("privileges", "only root can make a set-group-ID program that is not this user's");
		return;
	}
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CHECK(save() == 0);
	snprintf(copy, sizeof(copy), "%s/secure", base);
	snprintf(command, sizeof(command), "cp '%s' '%s' && chgrp 1234 '%s' && chmod 2755 '%s'", self, copy, copy, copy);
	CHECK(system(command) == 0);
	snprintf(command, sizeof(command), "'%s' secure", copy);
	int status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("privileges", "no AT_SECURE here (nosuid?)");
	else
		CHECK(status == 0);
}

static int run_secure(void)
{
	void *data;
	size_t size;

	if (!rl_secure())
		return 77;
	return rl_cache_load(&sites, &data, &size) != -EPERM || rl_cache_save(&sites, contents, 1) != -EPERM;
}

static void clean(void)
{
	char command[200];

	snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'/* '%s'/.cache", base, base, base);
	if (system(command) != 0)
		printf("%s: can't be removed\n", base);
}

#define CASE(test) \
	do { \
		RUN(test); \
		clean(); \
	} while (0)

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "secure"))
		return run_secure();
	start_tally();
	if (!mkdtemp(base) || setenv("XDG_CACHE_HOME", base, 1) < 0)
		return 1;
	snprintf(folder, sizeof(folder), "%s/relink", base);
	snprintf(file, sizeof(file), "%s/" FILE_NAME, folder);
	snprintf(temporary, sizeof(temporary), "%s.new", file);
	CASE(written);
	CASE(into_room);
	CASE(of_another);
	CASE(damaged);
	CASE(of_others);
	CASE(no_file);
	CASE(places);
	CASE(too_large);
	CASE(left_behind);
	CASE(at_the_same_time);
	CASE(secure);
	rmdir(base);
	return report();
}
