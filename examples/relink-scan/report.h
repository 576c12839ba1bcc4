/* SPDX-License-Identifier: MIT */
/* report.h - tables of what relink knows and of what was found in the files. */
#ifndef SCAN_REPORT_H
#define SCAN_REPORT_H

#include "catalog.h"
#include "inventory.h"
#include "workers.h"

void report_heading(const char *text);
/* Each choice, its state and who decided it. */
void report_choices(const struct inventory *v);
/* Each choice with its states and what it is about. */
void report_choices_help(const struct inventory *v);
/* The sites by kind and by reason, and how code is changed here. */
void report_sites(void);

/* What was found altogether, and how long it took. */
void report_totals(const struct catalog *c, double seconds);
/* One line for each file. */
void report_files(const struct catalog *c);
/* The example of a wrong result, if there is one. */
void report_difference(const struct tally *t);

#endif
