/* SPDX-License-Identifier: MIT */
/* now.h - what sites and choices of a process are at present, as its memory says: nobody in the process is asked. */
#ifndef RELINK_TOOL_NOW_H
#define RELINK_TOOL_NOW_H

#include "relink.h"

/* "on", "halt|sleep", "as linked", "42", "to parse_fast", "a breakpoint", "other bytes", "unreadable"; to be freed. */
char *site_now(struct model *model, const struct model_site *s);
/* The state that data says, or "" if there is none that does; to be freed. */
char *choice_now(const struct model *model, const struct model_choice *c);

#endif
