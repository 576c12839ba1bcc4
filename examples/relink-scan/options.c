/* SPDX-License-Identifier: MIT */
/* options.c - the command line, apart from --relink. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "workers.h"

#define LIMIT_DEFAULT ((uint64_t)256 << 20)
#define SECONDS_MOST 86400.0

void options_help(void)
{
	puts("usage: relink-scan [--relink NAME=STATE,..] [option..] PATH..\n"
	     "\n"
	     "Scans all regular files under the paths in parallel: how many lines, whether it is UTF-8, the CRC-32C.\n"
	     "Then scans them again and again from memory, while its inner routines are exchanged under the running\n"
	     "threads, and checks every result against the generic routines; and reads some of them again while the way\n"
	     "of reading is exchanged.\n"
	     "\n"
	     "  --relink LIST    decide choices; they then stay as they are. Also in the environment: RELINK=LIST\n"
	     "  --threads N      worker threads (default: one per CPU)\n"
	     "  --limit BYTES    read so much at most, suffix K, M or G; 0: no limit, needs --seconds 0 (default 256M)\n"
	     "  --seconds S      how long each of the four phases takes, a reading a quarter; 0: scan once (default 1)\n"
	     "  --list           print the results of every file\n"
	     "  --help           this text and the choices\n"
	     "\n"
	     "Status: 0, 1 if a result differs, 2 on any other trouble.");
}

static uint64_t parse_suffix(const char *text, const char *whole)
{
	static const char letters[] = "KMG";
	const char *found;

	if (!*text)
		return 1;
	found = strchr(letters, *text);
	if (!found || text[1])
		die("--limit %s: not a number of bytes; try 64M", whole);
	return (uint64_t)1 << 10 * (found - letters + 1);
}

static uint64_t parse_limit(const char *text)
{
	uint64_t value, unit;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || *text < '0' || *text > '9')
		die("--limit %s: not a number of bytes; try 64M", text);
	unit = parse_suffix(end, text);
	if (errno || value > UINT64_MAX / unit)
		die("--limit %s: too large", text);
	return value ? value * unit : UINT64_MAX;
}

static unsigned parse_threads(const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < 1 || value > WORKERS_MOST)
		die("--threads %s: not a number from 1 to %u", text, WORKERS_MOST);
	return (unsigned)value;
}

static double parse_seconds(const char *text)
{
	char *end;
	double value;

	value = strtod(text, &end);
	if (end == text || *end || !(value >= 0 && value <= SECONDS_MOST))
		die("--seconds %s: not a number from 0 to %.0f", text, SECONDS_MOST);
	return value;
}

static void check(const struct options *o)
{
	if (o->path_count == 0)
		die("nothing to scan: name files or directories (--help explains)");
	if (o->limit == UINT64_MAX && o->seconds > 0)
		die("--limit 0 needs --seconds 0: the phases keep their input in memory");
}

void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "threads", required_argument, NULL, 't' }, { "limit", required_argument, NULL, 'b' },
		{ "seconds", required_argument, NULL, 's' }, { "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
	};
	int letter;

	*o = (struct options){ .limit = LIMIT_DEFAULT, .seconds = 1 };
	while ((letter = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		switch (letter) {
		case 't': o->threads = parse_threads(optarg); break;
		case 'b': o->limit = parse_limit(optarg); break;
		case 's': o->seconds = parse_seconds(optarg); break;
		case 'l': o->list = true; break;
		case 'h': o->help = true; break;
		case ':': die("%s needs a value (--help explains)", argv[optind - 1]);
		default: die("%s: not understood (--help lists the options)", argv[optind - 1]);
		}
	}
	o->paths = argv + optind;
	o->path_count = argc - optind;
	if (!o->help)
		check(o);
}
