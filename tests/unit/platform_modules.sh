#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 600
#
# platform_modules.sh - several modules in one process: one runtime among copies of the library, files that are replaced
# under a loaded module, modules that stay for ever.
set -u

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# One copy of the platform layer, seen from outside through functions whose names start with the copy's.
cat >"$work/copy.c" <<'END'
#include "platform/platform.h"

#include <stdio.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define PUBLIC __attribute__((visibility("default")))

PUBLIC void *JOIN(COPY, _rendezvous)(void *mine);
PUBLIC void JOIN(COPY, _pin)(void);
PUBLIC int JOIN(COPY, _map)(char *path, size_t size, const char **why);

static int somewhere;
static struct rl_image image;

void *JOIN(COPY, _rendezvous)(void *mine)
{
	return rl_rendezvous(mine);
}

void JOIN(COPY, _pin)(void)
{
	rl_pin_module(&somewhere);
}

int JOIN(COPY, _map)(char *path, size_t size, const char **why)
{
	struct rl_file file;

	if (!rl_image_of(&somewhere, &image))
		return -2;
	snprintf(path, size, "%s", image.path);
	if (rl_image_map_file(&image, &file, why) < 0)
		return -1;
	rl_file_unmap(&file);
	return 0;
}
END

cat >"$work/program.c" <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *program_rendezvous(void *mine), *shared_rendezvous(void *mine);

static int failed;

#define CHECK(condition) ((condition) ? 0 : (failed++, printf("failed: %s\n", #condition)))

typedef void *rendezvous(void *mine);
typedef int map(char *path, size_t size, const char **why);

static void *find(void *module, const char *name)
{
	void *found = dlsym(module, name);

	if (!found)
		printf("%s: %s\n", name, dlerror());
	return found;
}

static rendezvous *meet[4];
static pthread_barrier_t barrier;

static void *race(void *number)
{
	pthread_barrier_wait(&barrier);
	return meet[(long)number - 1](number);
}

/* All copies at once: everybody hears of the same one. */
static void race_for_it(void)
{
	pthread_t threads[4];
	void *results[4];

	pthread_barrier_init(&barrier, NULL, 4);
	for (long i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, race, (void *)(i + 1));
	for (long i = 0; i < 4; i++)
		pthread_join(threads[i], &results[i]);
	for (long i = 1; i < 4; i++)
		CHECK(results[i] == results[0] && results[0]);
}

static int say(const char *path)
{
	static char buffer[4096];
	const char *why = "";
	void *module = dlopen(path, RTLD_NOW);
	map *plugin_map = (map *)find(module, "plugin_map");
	char command[8192];

	CHECK(plugin_map(buffer, sizeof(buffer), &why) == 0 && strcmp(buffer, path) == 0);
	snprintf(command, sizeof(command), "cp %s %s.new && mv %s.new %s", path, path, path, path);
	(void)!system(command);
	/* the same build-id, if there is one */
	CHECK(plugin_map(buffer, sizeof(buffer), &why) == 0 || strstr(why, "not the one"));
	unlink(path);
	CHECK(plugin_map(buffer, sizeof(buffer), &why) == -1 && strstr(why, "gone"));
	snprintf(command, sizeof(command), "echo another >%s", path);
	(void)!system(command);
	CHECK(plugin_map(buffer, sizeof(buffer), &why) == -1 && strstr(why, "not the one"));
	return failed;
}

int main(int argc, char **argv)
{
	void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL), *another = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
	int who[4];

	if (!plugin || !another)
		return printf("%s\n", dlerror()), 1;
	if (argc > 4)
		return say(argv[2]);
	meet[0] = program_rendezvous;
	meet[1] = shared_rendezvous;
	meet[2] = (rendezvous *)find(plugin, "plugin_rendezvous");
	meet[3] = (rendezvous *)find(another, "plugin_rendezvous");
	if (!meet[2] || !meet[3])
		return 1;
	if (argv[3][0] == 'r') {
		race_for_it();
		return failed;
	}
	CHECK(meet[2] != meet[3]);
	for (int first = argv[3][0] - '0', i = 0; i < 4; i++)
		CHECK(meet[(first + i) % 4](&who[i]) == &who[0]);
	((void (*)(void))find(plugin, "plugin_pin"))();
	dlclose(plugin);
	CHECK(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD)); /* has stayed */
	dlclose(another);
	CHECK(!dlopen(argv[2], RTLD_NOW | RTLD_NOLOAD)); /* has not */
	return failed;
}
END

options="-std=gnu11 -D_GNU_SOURCE -DRELINK_INTERNAL -I$source/include -I$source/src -O2 -fPIC -fvisibility=hidden"
options+=" ${RELINK_CFLAGS:-}"
platform="$source/src/platform/linux/*.c $source/src/elf/relocs.c $source/src/arch/*.c"

expect()
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $name: $output"
	fi
}

# build NAME FLAGS...: a program and a library with a copy each, two plugins with a copy each
build()
{
	local to=$work/$1
	shift
	mkdir -p "$to" &&
	$cc $options "$@" -shared -DCOPY=shared "$work/copy.c" $platform -o "$to/libshared.so" -pthread &&
	$cc $options "$@" -shared -DCOPY=plugin "$work/copy.c" $platform -o "$to/plugin.so" -pthread &&
	cp "$to/plugin.so" "$to/another.so" &&
	$cc $options "$@" -DCOPY=program "$work/copy.c" "$work/program.c" $platform -o "$to/program" -L"$to" -lshared \
		-Wl,-rpath,"$to" -pthread -ldl
}

# strip must leave the notes
try()
{
	local name=$1 to=$work/$1
	if ! build "$@" >"$work/log" 2>&1; then
		echo "skipped: $* does not build here: $(head -1 "$work/log")"
		return
	fi
	for first in 0 1 2 3; do
		expect "$name, copy $first first" "$to/program" "$to/plugin.so" "$to/another.so" $first
	done
	for round in 1 2 3 4 5; do
		expect "$name, all at once" "$to/program" "$to/plugin.so" "$to/another.so" race
	done
	for file in program libshared.so plugin.so another.so; do
		strip "$to/$file"
	done
	expect "$name, stripped" "$to/program" "$to/plugin.so" "$to/another.so" 3
	expect "$name, file replaced" "$to/program" "$to/plugin.so" "$to/another.so" 0 replaced
}

try default
try gc -ffunction-sections -fdata-sections -Wl,--gc-sections
try lld -fuse-ld=lld -Wl,--gc-sections
try mold -fuse-ld=mold -Wl,--gc-sections
case ${RELINK_CFLAGS:-} in
*sanitize*) ;;
*) try lto -flto ;;
esac

# A static program has no loader; it must link without a warning.
if [[ ${RELINK_CFLAGS:-} != *sanitize* ]] &&
	$cc -x c - -static -o "$work/empty" <<<'int main(void) { return 0; }' 2>/dev/null; then
	cat >"$work/static.c" <<'END'
#include <stdio.h>

extern void *program_rendezvous(void *mine);
extern void program_pin(void);
extern int program_map(char *path, size_t size, const char **why);

int main(void)
{
	static char path[4096];
	const char *why = "";
	int one, two;

	program_pin();
	if (program_rendezvous(&one) != &one || program_rendezvous(&two) != &one)
		return printf("rendezvous\n"), 1;
	if (program_map(path, sizeof(path), &why) < 0)
		return printf("map: %s\n", why), 1;
	return 0;
}
END
	for kind in -static -static-pie; do
		warnings=$($cc $options $kind -DCOPY=program "$work/copy.c" "$work/static.c" $platform \
			-o "$work/static" -pthread 2>&1)
		if [[ -z $warnings ]]; then
			expect "$kind" "$work/static"
		elif [[ $kind == -static ]]; then
			failed=$((failed + 1))
			echo "failed: $kind: $warnings"
		else
			echo "skipped: $kind: $warnings"
		fi
	done
fi

echo "$passed passed, $failed failed"
((failed == 0))
