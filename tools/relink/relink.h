/* SPDX-License-Identifier: MIT */
/* relink.h - what the subcommands share. */
#ifndef RELINK_TOOL_RELINK_H
#define RELINK_TOOL_RELINK_H

#include "command.h"
#include "json.h"
#include "model.h"
#include "text.h"

extern const struct command command_list;
extern const struct command command_show;
extern const struct command command_check;
extern const struct command command_index;
extern const struct command command_object;
extern const struct command command_bake;
extern const struct command command_ps;
extern const struct command command_status;
extern const struct command command_set;
extern const struct command command_watch;
extern const struct command command_linkage;
/* The program under the name `as`. */
int object_as(char **argv);

/* Opens all files and connects them. Those that can't be read are complained about; `status` gets worse. */
struct model **open_all(char **paths, size_t count, size_t *opened, int *status);
void close_all(struct model **models, size_t count);
/* For commands that are about files: false, and a complaint, if one of those opened is a process's. */
bool are_files(const struct command *command, struct model *const *models, size_t count, int *status);
/* Complains about what was found in the records. */
void report_findings(const struct model *model, int *status);

/* ---- what is written of a choice or a site, in both commands ---- */
void json_file(struct json *j, const struct model *model);
void json_choice(struct json *j, const struct model *model, const struct model_choice *c, const uint64_t counts[MODEL_SITE_KINDS]);
/* Opens an object and leaves it open. */
void json_open_site(struct json *j, struct model *model, const struct model_site *s);
void json_findings(struct json *j, struct model *model);

/* "parse_line+0x16", or "" */
char *function_of(const struct model *model, uint64_t address);
/* "parse.c:42", or "" */
char *source_of(struct model *model, uint64_t address);
/* Where a site is in the source: its use says it itself, else debug information does. */
char *source_of_site(struct model *model, const struct model_site *s);
/* What decides about a site: "trace", "idle=poll", "avx2", or several with "|". */
char *choice_of_site(const struct model *model, const struct model_site *s);
/* "avx2", "!avx2", "trace", "!trace" */
char *condition_of(const struct model *model, const struct model_arm *arm);
/* "avx2 bmi2", or "" */
char *features_of(uint64_t needs);
const char *default_of(const struct model_choice *c);
/* How a site can be changed while threads run. */
const char *live_of(const struct model *model, const struct model_site *s);
/* "3 call, 1 trampoline" */
char *counts_text(const uint64_t counts[MODEL_SITE_KINDS]);
void json_counts(struct json *j, const char *key, const uint64_t counts[MODEL_SITE_KINDS]);


void json_use(struct json *j, const char *key, const struct model *model, const struct model_use *use);

/* ---- linkage.c: calls between modules of a process, asked of its agent; *any: there are some, or could be ---- */
int linkage_list(const char *pid, struct json *j, bool *any);

/* ---- uses.c: lists uses of keys that are choices of their own ---- */
/* Which: those that the queries mean and `keeps` does not refuse. */
struct uses_wanted {
	struct model_queries *queries;
	bool (*keeps)(const void *ctx, const struct model *model, const struct model_use *use);
	const void *ctx;
};
void put_uses(struct uses_wanted *w, const struct model *model);
void json_uses(struct json *j, struct uses_wanted *w, const struct model *model);

#endif
