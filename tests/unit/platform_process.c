/* SPDX-License-Identifier: MIT */
/* platform_process.c - what is told about threads, processors, modules and names. */
#include "platform_test.h"

#include "platform/linux/system.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

/* ---- threads and processors ---- */

static void *wait_for_end(void *barrier)
{
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	return NULL;
}

#define THREADS 5

static void threads_are_counted(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[THREADS];
	unsigned before;

	/* the first one may bring a sanitizer's own */
	pthread_create(&threads[0], NULL, (void *(*)(void *))strdup, "");
	pthread_join(threads[0], NULL);
	before = rl_threads();
	if (before == 0) {
		skip("threads", "not known here");
		return;
	}
	CHECK(before < 4);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, wait_for_end, &barrier);
	pthread_barrier_wait(&barrier);
	CHECK(rl_threads() == before + THREADS);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 1000 && rl_threads() != before; i++)
		usleep(1000); /* joined, but maybe not quite gone */
	CHECK(rl_threads() == before);
}

static void processors_are_counted(void)
{
	cpu_set_t set;
	unsigned all = rl_cpus();

	CHECK(all >= 1);
	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0 && (unsigned)CPU_COUNT(&set) == all);
	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	CHECK(sched_setaffinity(0, sizeof(set), &set) == 0 && rl_cpus() == 1);
}

static void program_has_a_name(void)
{
	const char *name = rl_program_name();

	CHECK(strstr(name, "platform_process") && !strchr(name, '/'));
	CHECK(rl_program_name() == name);
	CHECK(!rl_secure());
}

/* ---- maps ---- */

static void mappings_are_found(void)
{
	struct rl_mapping mapping;
	struct stat status;
	char path[4096];
	int local, file = open("/proc/self/exe", O_RDONLY);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mapped = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, file, 0);
	char *anonymous = mmap(NULL, 3 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(rl_mapping_of((uintptr_t)mapped, &mapping, path, sizeof(path)));
	CHECK(fstat(file, &status) == 0 && mapping.inode == status.st_ino && path[0] == '/');
	CHECK(mapping.start == (uintptr_t)mapped);
	CHECK(rl_mapping_of((uintptr_t)mapped, &mapping, path, 4) && strlen(path) == 3);
	CHECK(rl_mapping_of((uintptr_t)mapped, &mapping, NULL, 0));
	CHECK(rl_mapping_of((uintptr_t)&local, &mapping, path, sizeof(path)) && mapping.inode == 0);
	munmap(anonymous + page, page);
	CHECK(rl_mapping_of((uintptr_t)anonymous, &mapping, path, sizeof(path)) && !path[0] && !mapping.inode);
	CHECK(!rl_mapping_of((uintptr_t)anonymous + page, &mapping, path, sizeof(path)));
	CHECK(!rl_mapping_of(0, &mapping, path, sizeof(path)));
	CHECK(!rl_mapping_of(UINTPTR_MAX, &mapping, path, sizeof(path)));
}

/* ---- modules ---- */

static struct rl_image image;

static const void *here(void)
{
	const void *address;
	int (*function)(void) = report;

	memcpy(&address, &function, sizeof(address));
	return address;
}

static void program_is_described(void)
{
	int on_stack;

	CHECK(rl_image_of(here(), &image));
	CHECK(image.main && strstr(image.path, "platform_process"));
	CHECK((uintptr_t)here() >= image.text_start && (uintptr_t)here() < image.text_stop);
	CHECK(rl_image_of(&tally, &image) && image.main); /* data of it too */
	CHECK(!rl_image_of(&on_stack, &image) && !rl_image_of(NULL, &image));
}

static bool maps_program(const char **why)
{
	struct rl_file file;
	bool elf;

	*why = "";
	if (rl_image_map_file(&image, &file, why) < 0)
		return false;
	elf = file.size > 4096 && memcmp(file.data, "\177ELF", 4) == 0;
	rl_file_unmap(&file);
	rl_file_unmap(&file);
	return elf && !file.data;
}

static void file_is_mapped(void)
{
	const char *why;

	CHECK(rl_image_of(here(), &image));
	CHECK(maps_program(&why));
}

/* With another device than stat's, as on btrfs; without /proc/self/maps; and with nothing to go by. */
static void identity_is_checked(void)
{
	struct rl_image as_loaded;
	const char *why;

	CHECK(rl_image_of(here(), &image));
	as_loaded = image;
	image.build_id_length = 0;
	CHECK(maps_program(&why));
	image.inode++;
	CHECK(!maps_program(&why) && strstr(why, "not the one"));
	image.inode = 0;
	CHECK(!maps_program(&why) && strstr(why, "can't be told"));
	image = as_loaded;
	image.main = false;
	image.path[0] = '\0';
	CHECK(!maps_program(&why) && strstr(why, "no file"));
	strcpy(image.path, "/nonexistent/file");
	CHECK(!maps_program(&why) && strstr(why, "gone"));
	strcpy(image.path, "/dev/null");
	CHECK(!maps_program(&why));
	image = as_loaded;
	if (!image.build_id_length) {
		skip("build-id", "this program has none");
		return;
	}
	image.device = image.inode = 0;
	CHECK(maps_program(&why));
	image = as_loaded;
	image.build_id[3] ^= 1;
	CHECK(!maps_program(&why) && strstr(why, "not the one"));
}

/* A copy of this program that is moved, replaced or removed while it runs. */
static void copy_of_program(char *path)
{
	char command[256];
	int file = mkstemp(path);

	if (!CHECK(file >= 0))
		_exit(1);
	close(file);
	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), path);
	CHECK(system(command) == 0 && chmod(path, 0755) == 0);
}

static int as_copy(const char *path)
{
	char moved[256];
	const char *why;

	CHECK(rl_image_of(here(), &image) && strcmp(image.path, path) == 0);
	snprintf(moved, sizeof(moved), "%s.moved", path);
	CHECK(rename(path, moved) == 0);
	CHECK(maps_program(&why));
	CHECK(unlink(moved) == 0);
	CHECK(maps_program(&why));
	CHECK(rl_image_of(here(), &image) && strcmp(image.path, moved) == 0); /* without the kernel's remark */
	CHECK(maps_program(&why));
	CHECK(strstr(rl_program_name(), "platform_process") && !strstr(rl_program_name(), "deleted"));
	return tally->failed ? 1 : 0;
}

static void moved_while_running(void)
{
	char path[] = "/tmp/platform_processXXXXXX", command[256];

	copy_of_program(path);
	snprintf(command, sizeof(command), "%s copy", path);
	CHECK(system(command) == 0);
	unlink(path);
}

/* ---- trust ---- */

#define NOBODY 65534

/* A copy that runs with root's rights for somebody else. */
static void trusted_by_nobody(void)
{
	char path[] = "/tmp/platform_processXXXXXX";
	int status = -1;
	pid_t child;

	if (geteuid() != 0) {
		skip("AT_SECURE", "not root");
		return;
	}
	copy_of_program(path);
	CHECK(chmod(path, 04755) == 0);
	child = fork();
	if (child == 0) {
		if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0)
			execl(path, path, "secure", (char *)NULL);
		_exit(3);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WEXITSTATUS(status) == 77)
		skip("AT_SECURE", "programs in /tmp don't get their owner's rights");
	else
		CHECK(status == 0);
	unlink(path);
}

static int as_secure(void)
{
	if (geteuid() == getuid())
		return 77;
	return rl_secure() ? 0 : 1;
}

/* ---- names and company ---- */

static void addresses_have_names(void)
{
	char name[64];

	rl_symbol_name((const void *)0x10, name, sizeof(name));
	CHECK(strcmp(name, "0x10") == 0);
	rl_symbol_name(here(), name, sizeof(name));
	CHECK(name[0] != '\0');
	rl_symbol_name(here(), name, 3);
	CHECK(strlen(name) == 2);
	rl_pin_module(here());
	rl_pin_module(NULL);
}

static void first_runtime_wins(void)
{
	int first, second;

	CHECK(rl_rendezvous(&first) == &first);
	CHECK(rl_rendezvous(&second) == &first);
	CHECK(rl_rendezvous(&first) == &first);
}

int main(int argc, char **argv)
{
	start_tally();
	if (argc > 1)
		return strcmp(argv[1], "secure") == 0 ? as_secure() : as_copy(argv[0]);
	RUN(threads_are_counted);
	RUN(processors_are_counted);
	RUN(program_has_a_name);
	RUN(mappings_are_found);
	RUN(program_is_described);
	RUN(file_is_mapped);
	RUN(identity_is_checked);
	RUN(moved_while_running);
	RUN(trusted_by_nobody);
	RUN(addresses_have_names);
	RUN(first_runtime_wins);
	return report();
}
