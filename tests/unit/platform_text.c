/* SPDX-License-Identifier: MIT */
/* test: TIMEOUT 60 SERIAL */
/* platform_text.c - writing code while descriptors, processes and signals do what they like. */
#include "platform_test.h"

#include "platform/linux/system.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/time.h>

#ifdef HAVE_CODE

/* Two pages, at least, of which nothing runs. */
extern const uint8_t pages_of_code[];
__asm__(".pushsection .text\n\t.balign 4096, 0xcc\npages_of_code:\n\t.skip 8192, 0xcc\n\t.popsection");

/* ---- the writer ---- */

static void probe_finds_everything(void)
{
	struct rl_text_abilities abilities;

	rl_text_probe(&abilities);
	CHECK(abilities.write && abilities.barrier);
	CHECK(strcmp(abilities.writer, "/proc/self/mem") == 0 && strcmp(abilities.barrier_name, "membarrier") == 0);
	CHECK(abilities.why[0] == '\0');
	CHECK(rl_text_context() == RL_TEXT_OK);
}

static void nothing_without_a_probe(void)
{
	const char *why = NULL;

	CHECK(rl_text_context() == RL_TEXT_OK);
	CHECK(rl_text_begin(&why) < 0 && why);
	rl_text_after_fork();
}

static void writes_run(void)
{
	if (!CHECK(probe()))
		return;
	for (unsigned i = 2; i < 1000; i++)
		if (!changes(i)) {
			CHECK(!"every write runs");
			return;
		}
	CHECK(subject() == 999);
}

static void bad_addresses_are_errors(void)
{
	const char *why;
	uint8_t byte = 0;

	CHECK(probe());
	CHECK(rl_text_begin(&why) == 0);
	CHECK(rl_text_write(8, &byte, 1) < 0);
	rl_text_end();
	CHECK(changes(5));
}

static void probe_twice(void)
{
	int descriptor;

	CHECK(probe() && probe());
	CHECK(memory_descriptors(&descriptor) == 1);
	CHECK(changes(6));
}

/* ---- stores ---- */

static int store_number(unsigned number)
{
	uint8_t word[8];

	memcpy(word, subject_code, sizeof(word));
	memcpy(word, &number, sizeof(number));
	return rl_text_store((uintptr_t)subject_code, word);
}

static int store(unsigned number, const char **why)
{
	int error = rl_text_begin(why);

	if (error < 0)
		return error;
	error = store_number(number);
	if (!error)
		error = rl_text_barrier();
	rl_text_end();
	return error;
}

/* "r-xp" or what else the kernel says of that address. */
static const char *protection_of(const void *address)
{
	static char found[5];
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, stop;
	char line[512], protection[5];

	strcpy(found, "none");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &start, &stop, protection) == 3 && (uintptr_t)address >= start && (uintptr_t)address < stop)
			strcpy(found, protection);
	if (maps)
		fclose(maps);
	return found;
}

static void stores_run(void)
{
	const char *why;

	CHECK(probe() && !rl_text_probe_store());
	for (unsigned i = 2; i < 1000; i++)
		if (!CHECK(store(i, &why) == 0 && subject() == i))
			return;
	CHECK(strcmp(protection_of(subject_code), "r-xp") == 0);
	CHECK(changes(5));
}

/* One page at a time, and only in the window. */
static void only_one_page_is_writable(void)
{
	const char *why;
	uint8_t word[8];

	CHECK(probe() && rl_text_begin(&why) == 0);
	memcpy(word, pages_of_code, sizeof(word));
	CHECK(store_number(9) == 0 && strcmp(protection_of(subject_code), "rwxp") == 0);
	for (int i = 0; i < 3; i++) {
		CHECK(rl_text_store((uintptr_t)pages_of_code + i % 2 * 4096u, word) == 0);
		CHECK(strcmp(protection_of(subject_code), "r-xp") == 0);
		CHECK(strcmp(protection_of(pages_of_code + i % 2 * 4096u), "rwxp") == 0);
		CHECK(strcmp(protection_of(pages_of_code + (i + 1) % 2 * 4096u), "r-xp") == 0);
	}
	rl_text_end();
	CHECK(strcmp(protection_of(pages_of_code), "r-xp") == 0 && subject() == 9);
}

static void bad_stores_are_errors(void)
{
	const uint8_t word[8] = { 0 };
	const char *why;
	char *hole = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(probe() && rl_text_begin(&why) == 0);
	CHECK(rl_text_store((uintptr_t)hole, word) < 0);
	CHECK(strcmp(protection_of(hole), "r--s") == 0);
	rl_text_end();
	CHECK(store(3, &why) == 0 && subject() == 3);
}

/* A fork in the middle, which no handler sees. */
static void a_child_closes_the_page(void)
{
	const char *why;
	pid_t child;
	int status = 1;

	CHECK(probe() && rl_text_begin(&why) == 0 && store_number(4) == 0);
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		CHECK(rl_text_context() == RL_TEXT_FORK_CHILD);
		CHECK(strcmp(protection_of(subject_code), "r-xp") == 0);
		CHECK(store(5, &why) == 0 && subject() == 5 && strcmp(protection_of(subject_code), "r-xp") == 0);
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
	CHECK(strcmp(protection_of(subject_code), "rwxp") == 0);
	rl_text_end();
	CHECK(strcmp(protection_of(subject_code), "r-xp") == 0 && subject() == 4);
}

/* Not only this thread may be running the code. */
static unsigned stop_reading, wrong;

static void *keep_reading(void *unused)
{
	while (!__atomic_load_n(&stop_reading, __ATOMIC_RELAXED)) {
		unsigned now = subject();

		if (now != 1 && now != 0x01010101 && now != 0x7f7f7f7f)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

static void other_threads_see_whole_numbers(void)
{
	pthread_t threads[3];
	const char *why;

	CHECK(probe());
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, keep_reading, NULL);
	for (int i = 0; i < 20000; i++)
		store(i & 1 ? 0x01010101 : 0x7f7f7f7f, &why);
	__atomic_store_n(&stop_reading, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK(wrong == 0);
}

/* Two words in turn, so that the reader comes at any moment, and not when a word has just changed. Of pwrite(2)'s words it
 * sees halves, on processors where the kernel copies byte by byte. */
static unsigned halves, sightings;

static void *compare_words(void *unused)
{
	const volatile uint64_t *words = (const volatile uint64_t *)pages_of_code;

	for (uint64_t last[2] = { 0, 0 }; !__atomic_load_n(&stop_reading, __ATOMIC_RELAXED);) {
		for (int i = 0; i < 2; i++) {
			uint64_t word = words[i];

			if (word != last[i])
				__atomic_store_n(&sightings, sightings + 1, __ATOMIC_RELAXED);
			last[i] = word;
			if (word != UINT64_C(0x1111111111111111) && word != UINT64_C(0xcccccccccccccccc))
				__atomic_add_fetch(&halves, 1, __ATOMIC_RELAXED);
		}
	}
	return unused;
}

static bool enough_seen(void)
{
	return rl_cpus() == 1 || __atomic_load_n(&sightings, __ATOMIC_RELAXED) > 2000;
}

static unsigned store_words(unsigned count)
{
	unsigned errors = 0;
	uint8_t word[8];
	const char *why;

	CHECK(rl_text_begin(&why) == 0);
	for (unsigned i = 0; i < count; i++) {
		memset(word, i & 2 ? 0xcc : 0x11, sizeof(word));
		errors += rl_text_store((uintptr_t)(pages_of_code + i % 2 * 8), word) < 0;
		for (int k = 0; k < 20; k++)
			__builtin_ia32_pause();
	}
	rl_text_end();
	return errors;
}

static void stores_are_seen_whole(void)
{
	unsigned errors = 0;
	pthread_t thread;

	CHECK(probe());
	pthread_create(&thread, NULL, compare_words, NULL);
	for (int i = 0; i < 200 || (i < 20000 && !enough_seen()); i++)
		errors += store_words(1000);
	__atomic_store_n(&stop_reading, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(!errors && !halves);
	if (!CHECK(enough_seen()))
		printf("only %u changes were seen\n", sightings);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

static void without_writable_code(void)
{
	if (prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0) {
		skip("PR_SET_MDWE", strerror(errno));
		return;
	}
	CHECK(probe());
	CHECK(changes(8));
	CHECK(rl_text_probe_store() && strstr(rl_text_probe_store(), "PR_SET_MDWE"));
	CHECK(changes(9));
}

/* ---- the descriptor ---- */

static void descriptor_closed(void)
{
	int descriptor = -1, another;

	CHECK(probe());
	CHECK(memory_descriptors(&descriptor) == 1 && descriptor > 2);
	CHECK(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
	close(descriptor);
	CHECK(changes(9));
	CHECK(memory_descriptors(&another) == 1);
	for (int i = 3; i < 256; i++)
		close(i);
	CHECK(changes(10));
}

static void descriptor_reused(void)
{
	char content[64] = "", name[] = "/tmp/platform_textXXXXXX";
	int file = mkstemp(name), descriptor = -1;

	CHECK(probe());
	CHECK(memory_descriptors(&descriptor) == 1);
	CHECK(write(file, "the program's own data", 22) == 22);
	CHECK(dup2(file, descriptor) == descriptor);
	CHECK(changes(11));
	CHECK(lseek(descriptor, 0, SEEK_CUR) == 22);
	CHECK(pread(descriptor, content, sizeof(content), 0) == 22 && strcmp(content, "the program's own data") == 0);
	unlink(name);
}

/* The memory of somebody else, under our number. */
static void descriptor_of_another_process(void)
{
	char path[64];
	int descriptor = -1, foreign;
	unsigned found = 0;
	pid_t other;

	CHECK(probe());
	CHECK(changes(12));
	other = fork();
	if (other == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", other);
	CHECK(memory_descriptors(&descriptor) == 1);
	foreign = open(path, O_RDWR);
	if (foreign < 0) {
		skip("another process's memory", strerror(errno));
	} else {
		CHECK(dup2(foreign, descriptor) == descriptor);
		CHECK(changes(13));
		CHECK(pread(foreign, &found, sizeof(found), (off_t)(uintptr_t)subject_code) == sizeof(found));
		CHECK(found == 12);
	}
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

static void low_descriptors_are_left_alone(void)
{
	int descriptor = -1;

	close(0);
	CHECK(probe());
	CHECK(memory_descriptors(&descriptor) == 1 && descriptor > 2);
	CHECK(open("/dev/null", O_RDONLY) == 0);
	CHECK(changes(14));
}

/* ---- forks ---- */

static void child_that_asks(void)
{
	int descriptor;

	CHECK(rl_text_context() == RL_TEXT_FORK_CHILD);
	CHECK(rl_text_context() == RL_TEXT_OK);
	CHECK(memory_descriptors(&descriptor) == 0);
	CHECK(changes(20));
	CHECK(memory_descriptors(&descriptor) == 1);
}

static void child_with_handler(void)
{
	rl_text_after_fork();
	CHECK(rl_text_context() == RL_TEXT_OK);
	CHECK(changes(21));
}

static void child_that_just_writes(void)
{
	CHECK(changes(22));
	CHECK(rl_text_context() == RL_TEXT_OK);
	CHECK(status_of(child_that_asks) == 0);
	CHECK(subject() == 22);
}

/* The number was closed and used by the child before it came to us. */
static void child_with_reused_descriptor(void)
{
	int descriptor = -1, null = open("/dev/null", O_RDWR);

	CHECK(memory_descriptors(&descriptor) == 1);
	CHECK(dup2(null, descriptor) == descriptor);
	CHECK(changes(23));
	CHECK(fcntl(descriptor, F_GETFD) >= 0);
}

static void children_change_only_themselves(void)
{
	CHECK(probe());
	CHECK(changes(19));
	CHECK(status_of(child_that_asks) == 0);
	CHECK(status_of(child_with_handler) == 0);
	CHECK(status_of(child_that_just_writes) == 0);
	CHECK(status_of(child_with_reused_descriptor) == 0);
	CHECK(subject() == 19 && changes(24));
}

static int context_seen;

static void look_at_context(void)
{
	context_seen = (int)rl_text_context();
	rl_syscall(SYS_exit_group, 0, 0, 0, 0);
}

/* Sanitizers have their own idea of vfork and clone. */
extern long clone_to(long flags, void *stack, void (*function)(void));
__asm__(".pushsection .text\n"
	"clone_to:\n"
	"	mov	%rdx, %r9\n"
	"	xor	%edx, %edx\n"
	"	xor	%r10d, %r10d\n"
	"	xor	%r8d, %r8d\n"
	"	mov	$56, %eax\n"
	"	syscall\n"
	"	test	%rax, %rax\n"
	"	jz	1f\n"
	"	ret\n"
	"1:	xor	%ebp, %ebp\n"
	"	call	*%r9\n"
	"	hlt\n"
	".popsection");

static void vfork_child(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t child;

	CHECK(probe());
	child = (pid_t)clone_to(CLONE_VM | CLONE_VFORK | SIGCHLD, stack + sizeof(stack), look_at_context);
	CHECK(child > 0 && waitpid(child, NULL, 0) == child);
	CHECK(context_seen == RL_TEXT_VFORK_CHILD);
	CHECK(rl_text_context() == RL_TEXT_OK);
	CHECK(changes(25));
}

/* ---- signals ---- */

static volatile sig_atomic_t in_window, interrupted, alarms;

RL_RAW static void on_alarm(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	alarms++;
	interrupted += in_window;
}

static void no_signals_in_the_window(void)
{
	const struct itimerval often = { { 0, 50 }, { 0, 50 } };
	struct rl_disposition action;
	sigset_t before, after;
	const char *why;

	CHECK(probe());
	rl_disposition_ours(&action, on_alarm, SA_RESTART); /* sanitizers would hold signals back */
	rl_disposition_set(SIGALRM, &action, NULL);
	sigprocmask(SIG_BLOCK, NULL, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 100000 || (alarms < 100 && i < 5000000); i++) {
		if (rl_text_begin(&why) < 0)
			break;
		in_window = 1;
		if (i % 64 == 0)
			rl_text_barrier();
		in_window = 0;
		rl_text_end();
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(alarms >= 100 && interrupted == 0);
	CHECK(memcmp(&before, &after, 8) == 0); /* the kernel's part */
}

static void dispositions_are_left_alone(void)
{
	struct sigaction before, after;

	sigaction(SIGSYS, NULL, &before);
	CHECK(probe() && changes(30));
	sigaction(SIGSYS, NULL, &after);
	CHECK(before.sa_handler == after.sa_handler && before.sa_flags == after.sa_flags);
	signal(SIGSYS, SIG_IGN);
	CHECK(changes(31));
	sigaction(SIGSYS, NULL, &after);
	CHECK(after.sa_handler == SIG_IGN);
}

static void errno_is_left_alone(void)
{
	int descriptor = -1;

	CHECK(probe());
	memory_descriptors(&descriptor);
	close(descriptor);
	errno = 12345;
	CHECK(changes(32));
	CHECK(errno == 12345);
}

/* For emulators that run the old code: the probe must notice, and leave things as they were. */
static int in_an_emulator(void)
{
	struct rl_text_abilities abilities;
	const char *why = NULL;

	rl_text_probe(&abilities);
	CHECK(!abilities.write && strstr(abilities.why, "/proc/self/mem") && strcmp(abilities.writer, "none") == 0);
	CHECK(rl_text_begin(&why) < 0 && why);
	CHECK(rl_text_probe_store());
	CHECK(subject() == 1);
	return report();
}

int main(int argc, char **argv)
{
	start_tally();
	if (argc > 1 && strcmp(argv[1], "emulated") == 0)
		return in_an_emulator();
	RUN(nothing_without_a_probe);
	RUN(probe_finds_everything);
	if (tally->failed)
		return report();
	RUN(writes_run);
	RUN(bad_addresses_are_errors);
	RUN(probe_twice);
	RUN(stores_run);
	RUN(only_one_page_is_writable);
	RUN(bad_stores_are_errors);
	RUN(a_child_closes_the_page);
	RUN(other_threads_see_whole_numbers);
	RUN(stores_are_seen_whole);
	RUN(without_writable_code);
	RUN(descriptor_closed);
	RUN(descriptor_reused);
	RUN(descriptor_of_another_process);
	RUN(low_descriptors_are_left_alone);
	RUN(children_change_only_themselves);
	RUN(vfork_child);
	RUN(no_signals_in_the_window);
	RUN(dispositions_are_left_alone);
	RUN(errno_is_left_alone);
	return report();
}

#else

int main(void)
{
	struct rl_text_abilities abilities;
	const char *why = NULL;

	start_tally();
	rl_text_probe(&abilities);
	CHECK(!abilities.write && !abilities.barrier && abilities.why[0]);
	CHECK(rl_text_begin(&why) < 0 && why);
	return report();
}

#endif
