/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - no file makes its reader crash or hang: every file named is read whole, cut off at many places, and changed in
 * thousands of ways, the same in every run. What is read is read again by the sanitizers' rules (asan, ubsan). The reader is the
 * fuzz target RELINK_FUZZ_TARGET.
 *
 *	hostile CASES FILE...          directories stand for the files in them
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef RELINK_FUZZ_TARGET
#define RELINK_FUZZ_TARGET "../fuzz/model.c"
#endif
#include RELINK_FUZZ_TARGET

#define SECONDS_MAX 20 /* of the processor, for one case, even under a sanitizer; who waits for ever is ended by ctest */

static size_t files, cases;
static clock_t slowest;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void one(const uint8_t *bytes, size_t size)
{
	const struct itimerval limit = { .it_value = { .tv_sec = SECONDS_MAX } };
	clock_t start = clock(), spent;

	setitimer(ITIMER_PROF, &limit, NULL);
	LLVMFuzzerTestOneInput(bytes, size);
	spent = clock() - start;
	slowest = spent > slowest ? spent : slowest;
	cases++;
}

static void cut(const uint8_t *bytes, size_t size, size_t count)
{
	one(bytes, size);
	for (size_t i = 0; i < count; i++)
		one(bytes, i < 128 && i < size ? i : size * i / count);
}

/* Values that are at the edge of something. */
static uint64_t edge(uint64_t random)
{
	static const uint64_t edges[] = { 0, 1, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
					  0x8000000000000000, 0xfffffffffffffff8, 0xffffffffffffffff };

	return edges[random % (sizeof(edges) / sizeof(*edges))];
}

/* Headers decide more than bytes of code do: the first half of the changes is at both ends of the file. */
static size_t place(uint64_t *state, size_t size)
{
	uint64_t random = next_random(state);

	switch (random % 4) {
	case 0:
		return (size_t)(next_random(state) % (size < 1024 ? size : 1024));
	case 1:
		return size - 1 - (size_t)(next_random(state) % (size < 3072 ? size : 3072));
	default:
		return (size_t)(next_random(state) % size);
	}
}

static void change(uint8_t *bytes, size_t size, uint64_t *state)
{
	size_t at = place(state, size), width = (size_t)1 << next_random(state) % 4;
	uint64_t value = next_random(state) & 1 ? edge(next_random(state)) : next_random(state);

	if (next_random(state) % 4 == 0)
		value = (uint64_t)size - 16 + next_random(state) % 32;
	at -= at % width;
	for (size_t i = 0; i < width && at + i < size; i++)
		bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void mutate(const uint8_t *bytes, size_t size, size_t count)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15) ^ size;
	uint8_t *copy = malloc(size);

	for (size_t i = 0; copy && i < count; i++) {
		memcpy(copy, bytes, size);
		for (size_t n = 1 + next_random(&state) % 8; n; n--)
			change(copy, size, &state);
		one(copy, size);
	}
	free(copy);
}

static void read_one(const char *path, size_t count)
{
	FILE *in = fopen(path, "rb");
	struct stat status;
	uint8_t *bytes;

	files++;
	if (!in || fstat(fileno(in), &status) < 0) {
		perror(path);
		exit(1);
	}
	bytes = malloc((size_t)status.st_size + 1);
	if (bytes && status.st_size && fread(bytes, 1, (size_t)status.st_size, in) == (size_t)status.st_size) {
		cut(bytes, (size_t)status.st_size, count / 8);
		mutate(bytes, (size_t)status.st_size, count - count / 8);
	}
	free(bytes);
	fclose(in);
}

static void read_all(const char *path, size_t count)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[4096];

	if (!dir) {
		read_one(path, count);
		return;
	}
	while ((entry = readdir(dir))) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			read_one(name, count);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	for (int i = 2; i < argc; i++)
		read_all(argv[i], strtoul(argv[1], NULL, 10));
	printf("%zu cases of %zu files, the slowest in %.3f s\n", cases, files, (double)slowest / CLOCKS_PER_SEC);
	return 0;
}
