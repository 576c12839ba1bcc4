/* SPDX-License-Identifier: MIT */
/* rules.c - when something is a finding, which one, and what is said. */
#include <stdio.h>

#include "internal.h"

#define IN_START_UP " in start-up code, behind a call that commits"

/* True: start-up code, before any commit. */
static bool is_fine(const struct context *c, int *number)
{
	if (!c->function->start_up)
		return false;
	*number = FOUND_LATE;
	return !c->committed;
}

static void say(const struct context *c, const struct step *step, const struct pointed *p, int number, const char *what, const char *by)
{
	struct model *model = c->subject->model;
	const char *name = marked_name(c->subject, p->marked, p->address, p->exact);

	find_about(model, number, step->address, name, "%s%s the %s %s%s%s%s", p->maybe ? "may be that it " : "", what,
		   marked_kind_name(p->marked->kind), p->exact ? "" : "(somewhere in) ", name, by, number == FOUND_LATE ? IN_START_UP : "");
}

void say_store(const struct context *c, const struct step *step, const struct pointed *to)
{
	bool update = step->memory.read;
	int number = update ? FOUND_UPDATE : step->vector ? FOUND_VECTOR : to->direct ? FOUND_STORE : FOUND_THROUGH;

	if (is_fine(c, &number))
		return;
	say(c, step, to, number, update ? "reads and writes" : step->vector ? "stores a vector to" : "stores to",
	    to->direct ? "" : ", through a register");
}

void say_copy(const struct context *c, const struct step *step, const struct pointed *to, const char *by)
{
	int number = FOUND_COPY;
	char text[96] = ", by a string instruction";

	if (is_fine(c, &number))
		return;
	if (by)
		snprintf(text, sizeof(text), ", by %s", by);
	say(c, step, to, number, "writes", text);
}

void say_unknown(const struct context *c, const struct step *step, const struct pointed *what)
{
	if (!c->function->start_up)
		say(c, step, what, FOUND_UNSEEN, "an instruction that the disassembler does not know names", "");
}

/* Keys and the like are there to be handed around: only an accelerated pointer's address is worth a word. */
void say_escape(const struct context *c, const struct step *step, const struct pointed *what, int number, const char *to)
{
	static const char *const words[] = { "passes the address of", "stores the address of", "returns the address of" };
	char text[128] = "";

	if (what->marked->kind != MARKED_POINTER || (c->function->start_up && !c->committed))
		return;
	if (number == FOUND_PASSED)
		snprintf(text, sizeof(text), " to %s", to ? to : "a function that is not known");
	say(c, step, what, number, words[number - FOUND_PASSED], text);
}
