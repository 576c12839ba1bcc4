/* SPDX-License-Identifier: MIT */
/* test: LABELS soak TIMEOUT 90 NOT thread */
/*
 * process.c - while threads commit, the process forks with and without libc's help, spawns, drops its privileges, closes and reuses
 * descriptors that it does not know, starts and ends threads, and exits.
 */
#include "stress_subjects.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ROUNDS 12

extern char **environ;

/* ---- the background: some look, two commit; `shared` is changed by children alone ---- */

static void look_at_shared(void)
{
	const struct subject *s = &subjects[SHARED_];

	for (unsigned i = 0; i < s->count; i++)
		if (s->sites[i](i) != 0)
			CHECKF(false, "a child has changed site %u of its parent", i);
}

static void *spectator(void *unused)
{
	for (unsigned x = 0; running(); x++) {
		look(&subjects[x % SHARED_], x % 1024);
		look_at_shared();
		if (x % 4 == 0)
			rest();
	}
	return unused;
}

static void *change(void *argument)
{
	struct subject *s = argument;
	struct chance chance = { s->states };

	while (running() && advance(s))
		linger(&chance);
	return NULL;
}

static void start_background(void)
{
	for (unsigned i = 0; i < 4; i++)
		start(spectator, NULL);
	start(change, &subjects[ROUTE]);
	start(change, &subjects[LEFT]);
}

/* ---- children ---- */

static void *child_thread(void *argument)
{
	look(argument, 5);
	return NULL;
}

/* Everything that a process may do, and what its parent does meanwhile does not show. */
static void live_as_child(unsigned threads)
{
	struct relink_error err;

	team_size = 0;
	check_failed_ = check_passed_ = 0;
	for (unsigned i = 0; i < SUBJECTS; i++) {
		struct subject *s = &subjects[i];

		s->timeline.now = 0;
		CHECK_CODE(s->to(0, &err), RELINK_OK, &err);
		check_settled(s);
	}
	for (unsigned i = 0; i < 3 * SUBJECTS; i++) {
		struct subject *s = &subjects[i % SUBJECTS];

		if (threads)
			start(child_thread, s);
		advance(s);
		check_settled(s);
	}
	finish();
	sleep_for(2e-3);
	for (unsigned i = 0; i < SUBJECTS; i++)
		check_settled(&subjects[i]);
}

static void await(pid_t child, const char *what)
{
	int status = -1;

	if (CHECKF(child > 0 && waitpid(child, &status, 0) == child, "%s: no child", what))
		CHECKF(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: the child ended with %#x", what, status);
}

static void forks(double seconds)
{
	double end = now() + seconds;

	for (unsigned i = 0; now() < end; i++) {
		pid_t child = fork();

		if (!child) {
			live_as_child(i % 2);
			_exit(check_failed_ != 0);
		}
		await(child, "fork");
	}
}

/* A child of a child, and commits of all three. */
static void fork_again(void)
{
	pid_t child = fork();

	if (!child) {
		live_as_child(0);
		child = fork();
		if (!child) {
			live_as_child(1);
			_exit(check_failed_ != 0);
		}
		live_as_child(1);
		await(child, "grandchild");
		_exit(check_failed_ != 0);
	}
	await(child, "fork of a fork");
}

#if RELINK_PATCHES_ && defined(__x86_64__)
/* fork without libc, at any moment: a commit works, or is refused because one of the parent's was cut in two. */
static unsigned raw_fork(void)
{
	struct relink_error err;
	int status = -1;
	pid_t child = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);

	if (!child) {
		int r = relink_call_set(shared, target_03, &err);

		for (unsigned i = 0; i < COUNT(shared_sites); i++)
			if (shared_sites[i](i) != (r ? 0 : 3))
				_exit(2);
		_exit(r == RELINK_OK ? 0 : r == RELINK_E_CONTEXT ? 1 : 3);
	}
	waitpid(child, &status, 0);
	CHECKF(WIFEXITED(status) && WEXITSTATUS(status) < 2, "raw fork: the child ended with %#x", status);
	return status == 0;
}

static void raw_forks(bool quiet)
{
	unsigned good = 0;

	for (unsigned i = 0; i < 10 * ROUNDS; i++)
		good += raw_fork();
	CHECKF(quiet ? good == 10 * ROUNDS : good > 0, "%u of %u raw children could commit", good, 10 * ROUNDS);
}
#else
static void raw_forks(bool quiet)
{
	(void)quiet;
}
#endif

/* ---- children that share the memory ---- */

static __attribute__((noinline)) void vfork_once(void)
{
	static struct relink_status status;
	static volatile int committed, asked;
	static volatile unsigned broken;
	int ended = -1;
	pid_t child = vfork();

	if (!child) {
		status.size = sizeof(status);
		committed = relink_call_set(shared, target_03, NULL);
		asked = relink_get_status(&status);
		for (unsigned i = 0; i < COUNT(route_sites); i++)
			broken += route_sites[i](i) >= BROKEN;
		_exit(7);
	}
	waitpid(child, &ended, 0);
	CHECKF(WIFEXITED(ended) && WEXITSTATUS(ended) == 7, "vfork: the child ended with %#x", ended);
	CHECKF(!RELINK_PATCHES_ || committed == RELINK_E_CONTEXT, "a commit in a vfork child: %s", relink_code_name(committed));
	CHECKF(!RELINK_PATCHES_ || asked == RELINK_E_CONTEXT, "a question in a vfork child: %s", relink_code_name(asked));
	CHECKF(!broken, "%u sites broken in a vfork child", broken);
	if (!RELINK_PATCHES_)
		relink_call_clear(shared, NULL);
}

static void spawn_once(void)
{
	char *arguments[] = { (char *)"sh", (char *)"-c", (char *)"exit 5", NULL };
	FILE *pipe_;
	char line[16] = "";
	int status = -1;
	pid_t child;

	if (CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0))
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5);
	status = system("exit 6");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	pipe_ = popen("echo out", "r");
	CHECK(pipe_ && fgets(line, sizeof(line), pipe_) && strcmp(line, "out\n") == 0);
	CHECK(pipe_ && pclose(pipe_) == 0);
}

/* ---- descriptors ---- */

/* The one through which code is written, or -1. */
static int find_writer(unsigned *count)
{
	int found = -1;

	*count = 0;
	for (int fd = 0; fd < 256; fd++) {
		char name[64], link[64] = "";

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if (readlink(name, link, sizeof(link) - 1) < 0 || strlen(link) < 4 || strcmp(link + strlen(link) - 4, "/mem"))
			continue;
		found = fd;
		++*count;
	}
	return found;
}

static void commit_some(const char *when)
{
	for (unsigned i = 0; i < SHARED_; i++) {
		CHECKF(advance(&subjects[i]), "%s", when);
		check_settled(&subjects[i]);
	}
}

/* A file, a pipe, another memory, that got the number: untouched. */
static void reuse(int writer, int other, const char *what)
{
	off_t place = lseek(other, 0, SEEK_CUR);
	struct stat before, after;
	unsigned count;

	CHECK(dup2(other, writer) == writer && fstat(other, &before) == 0);
	commit_some(what);
	CHECK(fstat(writer, &after) == 0);
	CHECKF(after.st_ino == before.st_ino && after.st_dev == before.st_dev, "%s: the descriptor is not what it was", what);
	CHECKF(after.st_size == before.st_size && lseek(other, 0, SEEK_CUR) == place, "%s: it has been written to", what);
	close(writer);
	commit_some("after that");
	find_writer(&count);
	CHECKF(count == 1, "%s: %u descriptors to write code with", what, count);
}

static bool all_zeros(int file, size_t size)
{
	static char buffer[1 << 20];

	if (pread(file, buffer, sizeof(buffer), 0) != (ssize_t)size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (buffer[i])
			return false;
	return true;
}

static void *close_all(void *unused)
{
	while (running()) {
		syscall(SYS_close_range, 3, ~0U, 0);
		rest();
	}
	return unused;
}

/* In a child: nobody else would survive it. */
static void closed_all_the_time(void)
{
	pid_t child = fork();

	if (!child) {
		team_size = 0;
		check_failed_ = 0;
		start(close_all, NULL);
		for (unsigned i = 0; i < 20 * ROUNDS; i++)
			commit_some("while somebody closes all");
		finish();
		_exit(check_failed_ != 0);
	}
	await(child, "closefrom at any moment");
}

static void descriptors(void)
{
	unsigned count;
	int writer = find_writer(&count), pipes[2];
	FILE *file;

	if (!RELINK_PATCHES_ || !CHECKF(count == 1, "%u descriptors to write code with", count))
		return;
	CHECK(fcntl(writer, F_GETFD) & FD_CLOEXEC);
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(syscall(SYS_close_range, 3, ~0U, 0) == 0 || errno == ENOSYS);
		commit_some("after closefrom");
	}
	closed_all_the_time();
	file = tmpfile();
	if (!CHECK(file && ftruncate(fileno(file), 1 << 20) == 0 && pipe2(pipes, O_NONBLOCK) == 0))
		return;
	for (unsigned i = 0; i < ROUNDS; i++) {
		writer = find_writer(&count);
		reuse(writer, fileno(file), "a file");
		reuse(find_writer(&count), pipes[1], "a pipe");
		lseek(fileno(file), 4096 + i, SEEK_SET);
	}
	CHECK(all_zeros(fileno(file), 1 << 20));
	CHECK(read(pipes[0], &count, 1) < 0 && errno == EAGAIN);
	fclose(file);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- privileges ---- */

static void refused_after_drop(void)
{
	struct relink_error err;
	struct subject *s = &subjects[ROUTE];

	CHECK_CODE(s->to((unsigned)((s->timeline.now / 2 + 1) % s->states), &err), RELINK_E_WRITE, &err);
	CHECK_HAS(err.text, "permission denied");
	check_settled(s);
	prctl(PR_SET_DUMPABLE, 1);
	commit_some("dumpable again");
}

/* The open descriptor serves on; who needs a new one is told. */
static void drop_privileges(void)
{
	pid_t child;

	commit_some("as root");
	start_background();
	sleep_for(0.02);
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	sleep_for(0.02);
	finish();
	commit_some("after the drop");
	child = fork();
	if (!child) {
		refused_after_drop();
		_exit(check_failed_ != 0);
	}
	await(child, "fork after the drop");
	if (find_writer(&(unsigned){ 0 }) >= 0) {
		close(find_writer(&(unsigned){ 0 }));
		refused_after_drop();
	}
}

static void privileges(void)
{
	pid_t child;

	if (!RELINK_PATCHES_ || geteuid() != 0) {
		printf("dropping privileges is not tested: %s\n", RELINK_PATCHES_ ? "we have none" : "nothing is written");
		return;
	}
	child = fork();
	if (!child) {
		team_size = 0;
		check_failed_ = 0;
		drop_privileges();
		_exit(check_failed_ != 0);
	}
	await(child, "setuid");
}

/* ---- threads come and go ---- */

static void *short_life(void *unused)
{
	look(&subjects[ROUTE], 3);
	look(&subjects[LEFT], 3);
	return unused;
}

static void *churn(void *unused)
{
	pthread_t some[4];

	while (running()) {
		for (unsigned i = 0; i < COUNT(some); i++)
			if (!CHECK(pthread_create(&some[i], NULL, short_life, NULL) == 0))
				return NULL;
		for (unsigned i = 0; i < COUNT(some); i++)
			pthread_join(some[i], NULL);
	}
	return unused;
}

/* The program ends while others commit. */
static void exits(void)
{
	fflush(stdout); /* or the children say it, too */
	for (unsigned i = 0; i < ROUNDS; i++) {
		pid_t child = fork();

		if (!child) {
			team_size = 0;
			start_background();
			start(churn, NULL);
			sleep_for(1e-3 * i);
			exit(0);
		}
		await(child, "exit");
	}
}

int main(void)
{
	double seconds = soak_seconds();

	descriptors();
	privileges();
	raw_forks(true);
	exits();
	start_background();
	forks(seconds / 2);
	fork_again();
	raw_forks(false);
	for (unsigned i = 0; i < ROUNDS; i++) {
		vfork_once();
		spawn_once();
	}
	start(churn, NULL);
	sleep_for(seconds / 4);
	finish();
	look_at_shared();
	commit_some("in the end");
	printf("%lu commits\n", subjects[ROUTE].commits + subjects[LEFT].commits);
	return check_done();
}
