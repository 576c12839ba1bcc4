/* SPDX-License-Identifier: MIT */
/* set.c - relink set: changes choices of a running process, all in one commit. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char help[] =
	"usage: relink set [OPTION]... PID NAME=STATE...\n"
	"       relink set [OPTION]... PID '{QUERY; QUERY}'...\n"
	"       relink set --release|--unset [OPTION]... PID NAME...\n\n"
	"Changes choices of a running process, all of them in one commit, or nothing. It needs an agent: RELINK_AGENT=1.\n"
	"Queries switch uses of keys: '{file net/*.c line 100-200 +; func parse_* -}'; see relink(7).\n\n"
	"      --force        above the program's own word, until --release\n"
	"      --release      lifts what was forced\n"
	"      --unset        withdraws the program's word: what is below it speaks again\n"
	"      --stop         all threads stand still meanwhile; final choices and sequences change, too\n"
	"      --json         for programs; see relink(1) for the keys\n"
	"      --color WHEN   auto, always or never\n\n"
	"Exit status: 0 done, 1 the process refused, or somebody above says otherwise, 2 bad use, or no such process.\n";

struct options {
	struct common common;
	bool force, release, unset, stop;
};

static bool parse(struct options *o, int argc, char **argv, int *status)
{
	static const struct option known[] = { { "force", 0, 0, 'f' }, { "release", 0, 0, 'r' }, { "unset", 0, 0, 'u' },
					       { "stop", 0, 0, 's' }, COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
		switch (option) {
		case 'f': o->force = true; break;
		case 'r': o->release = true; break;
		case 'u': o->unset = true; break;
		case 's': o->stop = true; break;
		default:
			if (!common_option(&command_set, &o->common, option, argv, status))
				return false;
		}
	*status = STATUS_BAD;
	if (o->force + o->release + o->unset > 1)
		complain(NULL, "set: --force, --release and --unset exclude each other");
	return o->force + o->release + o->unset <= 1 && common_ready(&o->common, status);
}

static void write_answer(const struct client *c)
{
	struct json j = { .out = stdout };

	json_begin(&j);
	json_signed(&j, "pid", c->process);
	json_string(&j, "program", c->program);
	json_value(&j, "answer", c->value);
	json_end_object(&j);
}

static int request(struct client *c, const struct options *o, char **words, int count)
{
	const char **all = calloc((size_t)count + 3, sizeof(*all));
	bool withdraw = o->release || o->unset;
	int status = STATUS_BAD;

	if (!all)
		return client_fail("out of memory");
	all[0] = withdraw ? "release" : "set";
	all[1] = o->force || o->release ? "force" : "program";
	all[2] = o->stop ? "stop" : "live";
	memcpy(all + 3, words, (size_t)count * sizeof(*all));
	if (client_send(c, all, (size_t)count + 3))
		status = client_reply(c, NULL, NULL);
	if (o->common.json && c->value)
		write_answer(c);
	free(all);
	return status;
}

/* Mistakes that need no process. */
static int check_words(const struct options *o, char **words, int count)
{
	for (int i = 0; i < count; i++) {
		const char *equals = strchr(words[i], '=');

		if (*words[i] == '{' && !o->release && !o->unset)
			continue;
		if (!o->release && !o->unset && (!equals || equals == words[i]))
			return client_fail("set: '%s' is no NAME=STATE; write %s=on, for example", words[i], *words[i] == '=' ? "trace" : words[i]);
		if ((o->release || o->unset) && equals)
			return client_fail("set: '%s': names alone follow --release and --unset", words[i]);
	}
	return STATUS_FINE;
}

static int run(int argc, char **argv)
{
	struct options o = { .force = false };
	int status = STATUS_BAD;
	struct client c;
	pid_t process;

	if (!parse(&o, argc, argv, &status))
		return status;
	if (argc - optind < 2)
		return client_fail("set: which process, and which choices? see relink help set");
	process = parse_process(argv[optind]);
	if (process < 0)
		return client_fail("set: '%s' is no process's number; relink ps lists them", argv[optind]);
	if (check_words(&o, argv + optind + 1, argc - optind - 1) || !client_connect(&c, process, false))
		return STATUS_BAD;
	client_patience(&c, 0); /* a stop takes as long as it takes */
	status = request(&c, &o, argv + optind + 1, argc - optind - 1);
	client_close(&c);
	return status;
}

const struct command command_set = { "set", help, run };
