/* SPDX-License-Identifier: MIT */
/* options.h - the command line, apart from --relink. */
#ifndef SCAN_OPTIONS_H
#define SCAN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	unsigned threads; /* 0: as many as CPUs */
	uint64_t limit;   /* UINT64_MAX: none */
	double seconds;   /* of each phase; 0: no phases */
	bool list, help;
	char *const *paths;
	int path_count;
};

/* Ends the program where the command line is wrong. */
void options_parse(struct options *o, int argc, char **argv);
void options_help(void);

#endif
