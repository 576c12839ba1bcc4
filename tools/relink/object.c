/* SPDX-License-Identifier: MIT */
/* object.c - `relink object`: places of calls go into object files, for builds that can't keep relocations. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "objectpass.h"
#include "relink.h"
#include "replace.h"

static const char help[] =
	"usage: relink object [OPTION]... FILE.o...\n"
	"       relink object [OPTION]... --launch COMPILER ARGUMENT...\n"
	"\n"
	"Puts into object files a table of the places in their code that call static calls and accelerated pointers, for links without\n"
	"-Wl,--emit-relocs and for freestanding images. The linker keeps and drops a table together with its code.\n"
	"\n"
	"  -a, --all                also objects that don't include relink's headers, whose calls through variables of other files may be\n"
	"                           calls of accelerated pointers\n"
	"  -l, --launch             run a compiler, then do the object file that it wrote:\n"
	"                           CMAKE_C_COMPILER_LAUNCHER='relink;object;--launch', CC='relink object --launch gcc'\n"
	"  -v, --verbose            say what was done\n"
	"      --json               say it for programs; see relink(1) for the keys\n"
	"\n"
	"Run under the name `as`, it is an assembler for gcc -B DIRECTORY (clang: -fno-integrated-as): it runs the next `as` in PATH, or\n"
	"what RELINK_AS names, and then does the object file.\n"
	"Exit status: 0 done, 2 bad use or a file that can't be read or written; else that of the compiler.\n";

struct request {
	struct common common;
	bool all, launch, verbose;
	bool launched; /* what is no object for us is none of our business */
	struct json json;
};

/* ---- one file ---- */

static uint8_t *read_file(const char *path, size_t *size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	uint8_t *bytes = NULL;

	*size = 0;
	if (descriptor < 0)
		return NULL;
	if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode))
		errno = EINVAL;
	else
		bytes = malloc((size_t)status.st_size + 1);
	while (bytes && *size < (size_t)status.st_size) {
		ssize_t n = read(descriptor, bytes + *size, (size_t)status.st_size - *size);

		if (n <= 0)
			break;
		*size += (size_t)n;
	}
	close(descriptor);
	return bytes;
}

static int refuse(const char *path, const char *why)
{
	complain(path, "%s", why);
	return STATUS_BAD;
}

static void write_result(struct json *j, const char *path, const struct object_result *r)
{
	json_object(j, NULL);
	json_string(j, "file", path);
	json_bool(j, "changed", r->state == OBJECT_CHANGED);
	json_bool(j, "tables", r->state == OBJECT_CHANGED || r->state == OBJECT_DONE);
	if (r->state == OBJECT_CHANGED)
		json_number(j, "places", r->places);
	if (r->why)
		json_string(j, "why", r->why);
	json_end_object(j);
}

static int say(struct request *request, const char *path, const struct object_result *r)
{
	if (request->common.json)
		write_result(&request->json, path, r);
	else if (request->verbose && r->state == OBJECT_CHANGED)
		printf("%s: %zu places\n", path, r->places);
	else if (request->verbose)
		printf("%s: %s\n", path, r->state == OBJECT_DONE ? "has its places" : r->why ? r->why : "no places");
	return STATUS_FINE;
}

static int do_file(struct request *request, const char *path)
{
	size_t size;
	uint8_t *bytes = read_file(path, &size);
	struct object_result r;
	char why[300];
	int status;

	if (!bytes)
		return request->launched ? STATUS_FINE : refuse(path, errno == EINVAL ? "not a regular file" : strerror(errno));
	r = object_pass(bytes, size, request->all);
	free(bytes);
	if (r.state == OBJECT_BROKEN || (r.state == OBJECT_FOREIGN && !request->launched))
		return refuse(path, r.why);
	if (r.state == OBJECT_CHANGED && replace_file(path, path, r.bytes, r.size, false, why, sizeof(why)))
		status = refuse(path, why);
	else
		status = say(request, path, &r);
	free(r.bytes);
	return status;
}

/* ---- behind a compiler ---- */

static int do_outputs(struct request *request, struct outputs *outputs)
{
	int status = STATUS_FINE;

	for (size_t i = 0; i < outputs->count; i++)
		worse(&status, do_file(request, outputs->paths[i]));
	outputs_free(outputs);
	return status;
}

static int launch(struct request *request, char **argv)
{
	struct outputs outputs;
	int status = launch_wait(argv);

	if (status)
		return status;
	outputs = outputs_of_compiler(argv);
	return do_outputs(request, &outputs);
}

/* The assembler's own options are the caller's; ours come from the environment. */
int object_as(char **argv)
{
	struct request request = { .launched = true, .all = getenv("RELINK_OBJECT_ALL") != NULL };
	char *assembler = launch_next("as", "RELINK_AS");
	struct outputs outputs;
	int status;

	if (!assembler) {
		complain(NULL, "as: there is no other `as` in PATH; name one in RELINK_AS");
		return STATUS_BAD;
	}
	argv[0] = assembler;
	status = launch_wait(argv);
	if (!status) {
		outputs = outputs_of_assembler(argv);
		status = do_outputs(&request, &outputs);
	}
	free(assembler);
	return status;
}

/* ---- command line ---- */

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = { { "all", no_argument, NULL, 'a' }, { "launch", no_argument, NULL, 'l' },
						 { "verbose", no_argument, NULL, 'v' }, COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while (!r->launch && (option = getopt_long(argc, argv, "+:halv", options, NULL)) != -1) {
		if (option == 'a')
			r->all = true;
		else if (option == 'l')
			r->launch = r->launched = true;
		else if (option == 'v')
			r->verbose = true;
		else if (!common_option(&command_object, &r->common, option, argv, status))
			return false;
	}
	*status = STATUS_BAD;
	if (r->launch && r->common.json)
		complain(NULL, "object: --json is about files, not about what a compiler writes");
	return !(r->launch && r->common.json);
}

static int run(int argc, char **argv)
{
	struct request r = { .all = false };
	int status = STATUS_BAD;

	if (!parse(&r, argc, argv, &status))
		return status;
	if (optind == argc) {
		complain(NULL, r.launch ? "object: which compiler? see relink help object" : "object: which file? see relink help object");
		return STATUS_BAD;
	}
	if (r.launch)
		return launch(&r, argv + optind);
	status = STATUS_FINE;
	if (r.common.json) {
		r.json.out = stdout;
		json_begin(&r.json);
		json_array(&r.json, "files");
	}
	for (int i = optind; i < argc; i++)
		worse(&status, do_file(&r, argv[i]));
	if (r.common.json) {
		json_end_array(&r.json);
		json_end_object(&r.json);
	}
	return status;
}

const struct command command_object = { "object", help, run };
