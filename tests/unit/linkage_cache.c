/* SPDX-License-Identifier: MIT */
/* test: NOT generic */
/*
 * The file of a program's hot calls: what is loaded is what was saved, of modules that are here and that are not; and what is no such file.
 * Modules are made up: nobody looks at their code. Each case is a process of its own, since the file is read once.
 */
#include "platform_test.h"

#include <sys/stat.h>

#include "runtime/cache.h"
#include "runtime/linkage.h"
#include "runtime/linkage_file.h"

#define VERSION 3
#define TEXT 0x10000u
#define ROOM (1u << 18)

static uint32_t words[2 * ROOM];
static char base[] = "/tmp/relink-hot-test-XXXXXX";

/* ---- a process with modules ---- */

static struct rl_linked made[6];
static char program_path[] = "/usr/bin/made-up";
static uint8_t ids[6][20] = { "the program", "a library", "another library", "a plugin", "has a build-id", "last one" };
static const struct rl_cache_name file_name = { "linkage", VERSION, ids[0], 20 };

enum { PROGRAM, LIBRARY, OTHER, PLUGIN, FOURTH };

static void begin(void)
{
	rl_linkage.options = (struct relink_linkage_options)RELINK_LINKAGE_OPTIONS;
	for (size_t i = 0; i < 6; i++) {
		made[i] = (struct rl_linked){ .main = i == PROGRAM, .path = program_path, .build_id_length = 20, .text_start = (i + 1) * TEXT,
					      .text_stop = (i + 2) * TEXT };
		memcpy(made[i].build_id, ids[i], 20);
	}
	rl_linkage.links = calloc(300000, sizeof(*rl_linkage.links));
	rl_linkage.module_count = rl_linkage.link_count = 0;
}

static void load_module(size_t which)
{
	rl_linkage.modules[rl_linkage.module_count++] = &made[which];
}

static size_t index_of(size_t which)
{
	size_t i = 0;

	while (rl_linkage.modules[i] != &made[which])
		i++;
	return i;
}

static void learn(size_t which, uint32_t offset)
{
	rl_linkage.links[rl_linkage.link_count++] = (struct rl_link){ .address = made[which].text_start + offset,
								      .module = (uint16_t)index_of(which), .state = RELINK_LINK_BOUND };
	made[which].news = true;
}

static bool are(const uint32_t *offsets, size_t count, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t wanted[] = { a, b, c };

	return count == (size_t)(a != 0) + (b != 0) + (c != 0) && !memcmp(offsets, wanted, count * sizeof(*offsets));
}

/* What this process knows of it; at most three calls, 0: none. */
static bool says(size_t which, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t *offsets;
	size_t count;
	bool same;

	if (!rl_hot_load(&made[which], &offsets, &count))
		return false;
	same = are(offsets, count, a, b, c);
	free(offsets);
	return same;
}

static bool says_nothing(size_t which)
{
	uint32_t *offsets;
	size_t count;

	return !rl_hot_load(&made[which], &offsets, &count);
}

/* And what stands in the file, which a process reads but once. */
static bool wrote(size_t which, uint32_t a, uint32_t b, uint32_t c)
{
	struct rl_hot_file file = { .words = words, .room = ROOM };
	struct rl_hot_module m;
	size_t size;

	return rl_cache_read(&file_name, words, sizeof(words), &size) == 0 && rl_hot_file_take(&file, size / sizeof(*words)) &&
	       rl_hot_file_find(&file, ids[which], 20, &m) && are(m.offsets, m.count, a, b, c);
}

/* Another process, with these modules; it learns what it is told to. */
static void in_another(void (*what)(void))
{
	int status = status_of(what);

	CHECK(status == 0);
}

static void first_run(void)
{
	load_module(PROGRAM);
	load_module(LIBRARY);
	load_module(PLUGIN);
	CHECK(says_nothing(PROGRAM) && says_nothing(LIBRARY) && says_nothing(PLUGIN));
	learn(LIBRARY, 0x300);
	learn(PROGRAM, 0x10);
	learn(LIBRARY, 0x100);
	learn(PLUGIN, 0x44);
	learn(LIBRARY, 0x200);
	rl_hot_save();
	CHECK(!made[LIBRARY].news && !made[PROGRAM].news);
}

/* ---- cases ---- */

static void comes_back(void)
{
	begin();
	in_another(first_run);
	load_module(PROGRAM);
	load_module(LIBRARY);
	load_module(OTHER);
	CHECK(says(LIBRARY, 0x100, 0x200, 0x300) && says(PROGRAM, 0x10, 0, 0) && says_nothing(OTHER));
	/* dlopen */
	load_module(PLUGIN);
	CHECK(says(PLUGIN, 0x44, 0, 0));
}

/* Who saves keeps what is known of others, loaded or not. */
static void learns_other(void)
{
	load_module(PROGRAM);
	load_module(LIBRARY);
	load_module(OTHER);
	CHECK(says(LIBRARY, 0x100, 0x200, 0x300));
	learn(OTHER, 0x77);
	rl_hot_save();
}

static void others_stay(void)
{
	begin();
	in_another(first_run);
	in_another(learns_other);
	load_module(PROGRAM);
	CHECK(says(LIBRARY, 0x100, 0x200, 0x300) && says(PROGRAM, 0x10, 0, 0) && says(PLUGIN, 0x44, 0, 0) && says(OTHER, 0x77, 0, 0));
}

/* Also what another process has written since this one has read the file; a module that has gone tells nothing. */
static void meanwhile(void)
{
	begin();
	load_module(PROGRAM);
	load_module(OTHER);
	load_module(FOURTH);
	CHECK(says_nothing(PROGRAM));
	in_another(first_run);
	learn(OTHER, 0x88);
	learn(FOURTH, 0x99);
	made[FOURTH].gone = true;
	rl_hot_save();
	CHECK(says(OTHER, 0x88, 0, 0) && says(LIBRARY, 0x100, 0x200, 0x300) && says(PLUGIN, 0x44, 0, 0) && says_nothing(FOURTH));
	CHECK(wrote(OTHER, 0x88, 0, 0) && wrote(LIBRARY, 0x100, 0x200, 0x300) && wrote(PLUGIN, 0x44, 0, 0) && !wrote(FOURTH, 0x99, 0, 0));
}

static bool is_there(void)
{
	size_t size;

	return rl_cache_read(&file_name, words, sizeof(words), &size) == 0;
}

static void not_written(void)
{
	begin();
	load_module(PROGRAM);
	load_module(LIBRARY);
	rl_hot_save();
	CHECK(!is_there());
	learn(LIBRARY, 1);
	rl_linkage.options.flags = RELINK_LINKAGE_NO_CACHE;
	rl_hot_save();
	CHECK(!is_there() && says_nothing(LIBRARY));
	rl_linkage.options.flags = 0;
	rl_linkage.options.policy = RELINK_LINKAGE_CACHED;
	rl_hot_save();
	CHECK(!is_there());
	rl_linkage.options.policy = RELINK_LINKAGE_LEARN;
	rl_hot_save();
	CHECK(is_there());
}

static void of_another_program(void)
{
	begin();
	in_another(first_run);
	made[PROGRAM].build_id[3] ^= 1;
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says_nothing(PROGRAM) && says_nothing(LIBRARY));
	learn(LIBRARY, 0x500);
	rl_hot_save();
	CHECK(says(LIBRARY, 0x500, 0, 0));
	/* and that one's is as it was */
	CHECK(wrote(LIBRARY, 0x100, 0x200, 0x300) && wrote(PROGRAM, 0x10, 0, 0));
}

/* By the path: not the program's next build, but its bytes are looked at anyway. A library without one is nobody. */
static void run_without_build_id(void)
{
	load_module(PROGRAM);
	load_module(LIBRARY);
	load_module(OTHER);
	learn(PROGRAM, 0x5);
	learn(LIBRARY, 0x6);
	learn(OTHER, 0x7);
	rl_hot_save();
}

static void without_build_id(void)
{
	begin();
	made[PROGRAM].build_id_length = made[OTHER].build_id_length = 0;
	in_another(run_without_build_id);
	load_module(PROGRAM);
	load_module(LIBRARY);
	load_module(OTHER);
	CHECK(says(PROGRAM, 5, 0, 0) && says(LIBRARY, 6, 0, 0) && says_nothing(OTHER));
	CHECK(!is_there());
}

static void without_name(void)
{
	char unknown[] = "/proc/self/exe";

	begin();
	made[PROGRAM].build_id_length = 0;
	made[PROGRAM].path = unknown;
	in_another(run_without_build_id);
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says_nothing(PROGRAM) && says_nothing(LIBRARY));
}

static void elsewhere(void)
{
	char other[] = "/usr/bin/made-uq";

	begin();
	made[PROGRAM].build_id_length = 0;
	in_another(run_without_build_id);
	made[PROGRAM].path = other;
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says_nothing(PROGRAM) && says_nothing(LIBRARY));
}

/* Two copies of one library have one build-id; one of them tells. */
static void copies(void)
{
	begin();
	memcpy(made[OTHER].build_id, made[LIBRARY].build_id, 20);
	in_another(run_without_build_id); /* it has one */
	load_module(PROGRAM);
	load_module(LIBRARY);
	load_module(OTHER);
	CHECK(says(PROGRAM, 5, 0, 0) && says(LIBRARY, 6, 0, 0) && says(OTHER, 6, 0, 0));
}

/* ---- how much ---- */

static void put(struct rl_hot_file *file, unsigned number, size_t count)
{
	uint8_t id[20] = "made up ";
	size_t most;
	uint32_t *offsets;

	memcpy(id + 8, &number, sizeof(number));
	offsets = rl_hot_file_begin(file, id, sizeof(id), &most);
	for (size_t i = 0; offsets && i < count; i++)
		offsets[i] = (uint32_t)(i * 5);
	if (offsets)
		rl_hot_file_end(file, count);
}

static size_t stays(unsigned number)
{
	struct rl_linked m = { .build_id = "made up ", .build_id_length = 20 };
	uint32_t *offsets;
	size_t count;

	memcpy(m.build_id + 8, &number, sizeof(number));
	if (!rl_hot_load(&m, &offsets, &count))
		return 0;
	free(offsets);
	return count;
}

/* 256 KiB in all; the first ones of the file, and none in part. */
static void grows(void)
{
	struct rl_hot_file file = { .words = words, .room = ROOM };

	begin();
	for (unsigned i = 0; i < 100; i++)
		put(&file, i, 1000);
	CHECK(rl_cache_save(&file_name, words, file.count * sizeof(*words)) == 0);
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(stays(0) == 1000 && stays(99) == 1000);
	learn(LIBRARY, 0x20);
	rl_hot_save();
	CHECK(says(LIBRARY, 0x20, 0, 0) && stays(0) == 1000 && stays(64) == 1000 && !stays(65) && !stays(99));
	/* what is loaded stays, however much that is */
	file.count = file.modules = 0;
	for (unsigned i = 0; i < 3; i++)
		put(&file, i, 60000);
	CHECK(rl_cache_save(&file_name, words, file.count * sizeof(*words)) == 0);
	memset(made[OTHER].build_id, 0, 20);
	memcpy(made[OTHER].build_id, "made up ", 8);
	made[OTHER].build_id[8] = 2;
	load_module(OTHER);
	learn(LIBRARY, 0x30);
	rl_hot_save();
	CHECK(says(LIBRARY, 0x20, 0x30, 0) && stays(2) == 60000 && !stays(0) && !stays(1));
}

/* More than there is room for: whole modules are left out. */
static void too_much(void)
{
	static const size_t modules[] = { LIBRARY, OTHER, PLUGIN, FOURTH };

	begin();
	load_module(PROGRAM);
	for (size_t i = 0; i < 4; i++) {
		load_module(modules[i]);
		for (uint32_t n = 0; n < 65536; n++)
			learn(modules[i], n);
	}
	learn(PROGRAM, 3);
	rl_hot_save();
	CHECK(says(PROGRAM, 3, 0, 0) && says_nothing(FOURTH) && is_there());
	for (size_t i = 0; i < 3; i++) {
		uint32_t *offsets = NULL;
		size_t count = 0;

		CHECK(rl_hot_load(&made[modules[i]], &offsets, &count) && count == 65536 && offsets[65535] == 65535);
		free(offsets);
	}
}

/* Where the budget is short, who got hot first comes first. */
static void runs_short(void)
{
	load_module(PROGRAM);
	load_module(LIBRARY);
	rl_linkage.pages = 10;
	rl_linkage.options.budget = 10 * 4096;
	learn(LIBRARY, 0x300);
	learn(LIBRARY, 0x100);
	learn(LIBRARY, 0x200);
	rl_hot_save();
}

static void scarce(void)
{
	begin();
	in_another(runs_short);
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says(LIBRARY, 0x300, 0x100, 0x200));
}

/* ---- what is none ---- */

/* A program whose file has these words, checksum and all, starts with nothing, and its first save replaces them. */
static void is_none(const uint32_t *contents, size_t size)
{
	CHECK(rl_cache_save(&file_name, contents, size) == 0);
	begin();
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says_nothing(PROGRAM) && says_nothing(LIBRARY) && says_nothing(OTHER));
	learn(LIBRARY, 0x42);
	rl_hot_save();
	CHECK(says(LIBRARY, 0x42, 0, 0) && says_nothing(OTHER) && wrote(LIBRARY, 0x42, 0, 0));
}

static struct rl_hot_file two_modules(void)
{
	struct rl_hot_file file = { .words = words, .room = 100 };
	size_t most;
	uint32_t *offsets = rl_hot_file_begin(&file, ids[PROGRAM], 20, &most);

	offsets[0] = 0x10;
	rl_hot_file_end(&file, 1);
	offsets = rl_hot_file_begin(&file, ids[OTHER], 20, &most);
	offsets[0] = 0x10;
	offsets[1] = 0x20;
	rl_hot_file_end(&file, 2);
	return file;
}

#define NONE(name, ...) \
	static void name(void) \
	{ \
		struct rl_hot_file file = two_modules(); \
		size_t size = file.count * sizeof(uint32_t); \
		__VA_ARGS__; \
		is_none(words, size); \
	}

NONE(odd_size, size += 1)
NONE(cut_off, size -= 4)
NONE(longer, (words[file.count] = 0, size += 4))
NONE(counts_more, words[8 + 1] = 3)
NONE(counts_less, words[8 + 1] = 1)
NONE(counts_all, words[1] = UINT32_MAX)
NONE(long_build_id, (words[8] = 33, words[9] = 1, size = (8 + 2 + 9 + 1) * 4)) /* all right otherwise */
NONE(not_filled_up, (words[8] = 19, words[14] = 1u << 24))
NONE(longest_build_id, words[0] = UINT32_MAX)
NONE(same_module, memcpy(words + 10, words + 2, 20))
NONE(too_large, (words[1] = 2 * ROOM - 7, size = sizeof(words))) /* all right otherwise */

static void of_version_1(void)
{
	const struct rl_cache_name old = { "linkage", 1, ids[PROGRAM], 20 };
	uint32_t offsets[] = { 0x10, 0x20 };

	CHECK(rl_cache_save(&old, offsets, sizeof(offsets)) == 0);
	begin();
	load_module(PROGRAM);
	CHECK(says_nothing(PROGRAM));
}

/* No call is bound twice; what is wrong with one module says nothing against the others. */
static void same_call(void)
{
	struct rl_hot_file file = two_modules();

	words[file.count - 1] = words[file.count - 2];
	CHECK(rl_cache_save(&file_name, words, file.count * sizeof(*words)) == 0);
	begin();
	load_module(PROGRAM);
	load_module(OTHER);
	CHECK(says(PROGRAM, 0x10, 0, 0) && says_nothing(OTHER));
	words[file.count - 2]++;
	CHECK(rl_cache_save(&file_name, words, file.count * sizeof(*words)) == 0);
	learn(PROGRAM, 0x11);
	rl_hot_save();
	CHECK(wrote(PROGRAM, 0x11, 0, 0) && wrote(OTHER, 0x11, 0x10, 0));
}

#define LATER RL_HOT_LATER

static void learn_later(size_t which, uint32_t offset)
{
	learn(which, offset);
	rl_linkage.links[rl_linkage.link_count - 1].later = true;
}

static void first_slow_run(void)
{
	load_module(PROGRAM);
	load_module(LIBRARY);
	learn_later(LIBRARY, 0x300);
	learn(LIBRARY, 0x200);
	learn_later(LIBRARY, 0x100);
	learn(PROGRAM, 0x10);
	rl_hot_save();
}

/* Comes to one of them, which is quick now. */
static void second_run(void)
{
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says(LIBRARY, 0x200, 0, 0) && made[LIBRARY].has_later);
	learn(LIBRARY, 0x200);
	learn(LIBRARY, 0x100);
	rl_hot_save();
}

/* What is slow is not loaded at start, and neither lost nor written twice. */
static void for_later(void)
{
	struct rl_hot_module hot;

	begin();
	in_another(first_slow_run);
	CHECK(wrote(LIBRARY, 0x100 | LATER, 0x200, 0x300 | LATER));
	in_another(second_run);
	CHECK(wrote(LIBRARY, 0x100, 0x200, 0x300 | LATER));
	load_module(PROGRAM);
	load_module(LIBRARY);
	CHECK(says(LIBRARY, 0x100, 0x200, 0) && made[LIBRARY].has_later && rl_hot_later(&made[LIBRARY], &hot));
	CHECK(are(hot.offsets, hot.count, 0x100, 0x200, 0x300 | LATER));
	CHECK(says(PROGRAM, 0x10, 0, 0) && !made[PROGRAM].has_later && !rl_hot_later(&made[PROGRAM], &hot));
	/* The control of benchmarks does what is done at start; who does not learn has no later. */
	rl_linkage.options.policy = RELINK_LINKAGE_CACHED;
	rl_linkage.options.flags = RELINK_LINKAGE_CONTROL;
	CHECK(says(LIBRARY, 0x100, 0x200, 0));
	rl_linkage.options.flags = 0;
	CHECK(says(LIBRARY, 0x100, 0x200, 0x300) && !made[LIBRARY].has_later);
	rl_linkage.options.policy = RELINK_LINKAGE_HOT;
	rl_linkage.awake = true;
	CHECK(says(LIBRARY, 0x100, 0x200, 0x300));
}

static void clean(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'/*", base);
	CHECK(system(command) == 0);
}

#define CASE(test) \
	do { \
		RUN(test); \
		clean(); \
	} while (0)

int main(void)
{
	start_tally();
	if (!mkdtemp(base) || setenv("XDG_CACHE_HOME", base, 1) < 0)
		return 1;
	CASE(comes_back);
	CASE(others_stay);
	CASE(meanwhile);
	CASE(not_written);
	CASE(of_another_program);
	CASE(without_build_id);
	CASE(without_name);
	CASE(elsewhere);
	CASE(copies);
	CASE(grows);
	CASE(too_much);
	CASE(scarce);
	CASE(odd_size);
	CASE(cut_off);
	CASE(longer);
	CASE(counts_more);
	CASE(counts_less);
	CASE(counts_all);
	CASE(long_build_id);
	CASE(not_filled_up);
	CASE(longest_build_id);
	CASE(same_module);
	CASE(too_large);
	CASE(of_version_1);
	CASE(same_call);
	CASE(for_later);
	rmdir(base);
	return report();
}
