/* SPDX-License-Identifier: MIT */
/* describe.c - choices and sites in words and in JSON, the same in every command. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "now.h"
#include "process.h"
#include "relink.h"

/* ---- words ---- */

char *function_of(const struct model *model, uint64_t address)
{
	const char *name;
	uint64_t offset, size;

	if (!model_symbol_at(model, address, &name, &offset, &size))
		return text_format("%s", "");
	return offset ? text_format("%s+0x%" PRIx64, name, offset) : text_format("%s", name);
}

char *source_of(struct model *model, uint64_t address)
{
	const char *file;
	int line;

	return model_line_at(model, address, &file, &line) ? text_format("%s:%d", file, line) : text_format("%s", "");
}

char *source_of_site(struct model *model, const struct model_site *s)
{
	const struct model_use *use = s->use == MODEL_NONE ? NULL : &model->uses[s->use];

	return use ? text_format("%s:%u", use->file, use->line) : source_of(model, s->address);
}

char *condition_of(const struct model *model, const struct model_arm *arm)
{
	const char *feature = model_feature_name(arm->feature), *no = arm->inverted ? "!" : "";

	if (arm->choice != MODEL_NONE)
		return text_format("%s%s", no, model->choices[arm->choice].name);
	return feature ? text_format("%s%s", no, feature) : text_format("%sfeature %u", no, arm->feature);
}

/* "a|b", each once */
static char *join(char *list, char *more)
{
	size_t length = strlen(more);
	char *joined;

	for (const char *at = list; length && (at = strstr(at, more)); at += length)
		if ((at == list || at[-1] == '|') && (!at[length] || at[length] == '|')) {
			free(more);
			return list;
		}
	joined = *list ? text_format("%s|%s", list, more) : text_format("%s", more);
	free(list);
	free(more);
	return joined;
}

char *choice_of_site(const struct model *model, const struct model_site *s)
{
	const struct model_choice *c = s->choice == MODEL_NONE ? NULL : &model->choices[s->choice];
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count = model_arms(model, s, arms);
	char *list = text_format("%s", "");

	if (c && c->kind == MODEL_OPTION && s->kind == RL_BRANCH && s->state >= 0 && (size_t)s->state < c->state_count) {
		free(list);
		return text_format("%s=%s", c->name, c->states[s->state].name);
	}
	if (s->kind != RL_ALTERNATIVE) {
		free(list);
		return text_format("%s", c ? c->name : "");
	}
	for (size_t i = 0; i < count; i++) {
		arms[i].inverted = false;
		list = join(list, condition_of(model, &arms[i]));
	}
	return list;
}

char *features_of(uint64_t needs)
{
	char *list = text_format("%s", "");

	for (unsigned bit = 0; bit < 64; bit++) {
		char *longer;

		if (!(needs >> bit & 1))
			continue;
		longer = model_feature_name(bit) ? text_format("%s%s%s", list, *list ? " " : "", model_feature_name(bit))
						 : text_format("%s%sfeature-%u", list, *list ? " " : "", bit);
		free(list);
		list = longer;
	}
	return list;
}

const char *default_of(const struct model_choice *c)
{
	return c->initial >= 0 && (size_t)c->initial < c->state_count ? c->states[c->initial].name : "";
}

const char *live_of(const struct model *model, const struct model_site *s)
{
	switch (s->kind) {
	case RL_BRANCH:
	case RL_LOCK:
		return "one byte";
	case RL_TRAMPOLINE:
		return "in steps";
	case RL_CALL:
	case RL_TAIL:
	case RL_JCC:
	case RL_POINTER_CALL:
	case RL_POINTER_TAIL:
		return model->port->one_store(s->kind, s->address) ? "one store" : "start-up, traps or stop";
	case RL_IMMEDIATE:
		return s->address >> 3 == (s->address + s->length - 1) >> 3 ? "one store" : "start-up or stop";
	case MODEL_BY_REGISTER:
	case MODEL_BY_GOT:
	case MODEL_BY_ADDRESS:
		return "never";
	default:
		return "start-up or stop";
	}
}

char *counts_text(const uint64_t counts[MODEL_SITE_KINDS])
{
	char *list = text_format("%s", "");

	for (int kind = 0; kind < MODEL_SITE_KINDS; kind++) {
		char *longer;

		if (!counts[kind])
			continue;
		longer = text_format("%s%s%" PRIu64 " %s", list, *list ? ", " : "", counts[kind], model_site_kind_name(kind));
		free(list);
		list = longer;
	}
	return list;
}

/* ---- JSON ---- */

void json_counts(struct json *j, const char *key, const uint64_t counts[MODEL_SITE_KINDS])
{
	json_object(j, key);
	for (int kind = 0; kind < MODEL_SITE_KINDS; kind++)
		if (counts[kind])
			json_number(j, model_site_kind_name(kind), counts[kind]);
	json_end_object(j);
}

void json_file(struct json *j, const struct model *model)
{
	json_string(j, "file", model->path);
	json_string(j, "module", model->name);
	json_string(j, "type", model->type);
	json_string(j, "machine", model->port->name);
	json_string(j, "build_id", *model->build_id ? model->build_id : NULL);
	json_bool(j, "relocations", model->has_relocs);
	json_bool(j, "index", model->has_index);
	json_bool(j, "places", model->has_places);
	json_bool(j, "symbols", model->has_symbols);
	if (model->process) {
		json_number(j, "process", (uint64_t)model->process->pid);
		json_address(j, "bias", model->bias);
	}
}

static void json_state(struct json *j, const struct model *model, const struct model_choice *c, const struct model_state *s)
{
	static const char *const whats[] = { [RL_FUNCTION] = "function", [RL_NOTHING] = "nothing", [RL_CONSTANT] = "constant",
					     [RL_IDENTITY] = "identity" };
	bool code = c->kind == MODEL_CALL || c->kind == MODEL_OPS || c->kind == MODEL_SEQUENCE || c->kind == MODEL_POINTER;
	const char *name = s->symbol;
	uint64_t offset, size;

	json_object(j, NULL);
	json_string(j, "name", s->name);
	if (code) {
		json_string(j, "what", c->kind == MODEL_OPS ? "backend" : s->is_template ? "template" : whats[s->want.what]);
		if (name || (s->want.what != RL_NOTHING && model_symbol_at(model, s->want.address, &name, &offset, &size)))
			json_string(j, "symbol", name);
		if (!s->symbol && s->want.what != RL_NOTHING)
			json_address(j, "address", s->want.address);
		if (s->want.what == RL_CONSTANT)
			json_number(j, "constant", s->want.constant);
		json_signed(j, "rank", s->rank);
		json_bool(j, "condition", s->condition);
		json_array(j, "needs");
		for (unsigned bit = 0; bit < 64; bit++)
			if (s->needs >> bit & 1)
				json_string(j, NULL, model_feature_name(bit) ? model_feature_name(bit) : "unknown");
		json_end_array(j);
		if (s->when)
			json_string(j, "when", s->when);
	}
	json_end_object(j);
}

static void json_members(struct json *j, const struct model *model, const struct model_choice *table)
{
	json_array(j, "members");
	for (size_t i = 0; i < model->choice_count; i++)
		if (model->choices[i].table == table - model->choices) {
			json_object(j, NULL);
			json_string(j, "name", model->choices[i].name);
			json_number(j, "offset", model->choices[i].offset);
			json_counts(j, "sites", model->choices[i].sites);
			json_end_object(j);
		}
	json_end_array(j);
}

void json_choice(struct json *j, const struct model *model, const struct model_choice *c, const uint64_t counts[MODEL_SITE_KINDS])
{
	json_object(j, NULL);
	json_string(j, "name", c->name);
	json_string(j, "kind", model_choice_kind_name(c->kind));
	json_string(j, "doc", c->doc);
	json_string(j, "default", c->initial == MODEL_NONE ? NULL : default_of(c));
	json_bool(j, "elsewhere", c->elsewhere);
	json_bool(j, "anonymous", c->anonymous);
	json_bool(j, "final", (c->flags & RELINK_FINAL) != 0);
	json_bool(j, "nonforcible", (c->flags & RELINK_NONFORCIBLE) != 0);
	json_bool(j, "baked", c->baked);
	if (model->process) {
		char *now = choice_now(model, c);

		json_string(j, "now", *now ? now : NULL);
		free(now);
	}
	json_string(j, "chosen_by", c->chosen_by);
	if (c->kind == MODEL_IMMEDIATE) {
		json_number(j, "bytes", c->width);
		json_bool(j, "signed", (c->flags & RELINK_SIGNED) != 0);
	}
	json_array(j, "states");
	for (size_t i = 0; i < c->state_count; i++)
		json_state(j, model, c, &c->states[i]);
	json_end_array(j);
	if (c->kind == MODEL_OPS)
		json_members(j, model, c);
	if (c->uses)
		json_number(j, "uses", c->uses);
	json_counts(j, "sites", counts);
	json_end_object(j);
}

void json_use(struct json *j, const char *key, const struct model *model, const struct model_use *use)
{
	json_object(j, key);
	json_string(j, "key", model->choices[use->choice].name);
	json_string(j, "file", use->file);
	json_number(j, "line", use->line);
	json_string(j, "function", use->function);
	json_string(j, "text", use->text);
	json_bool(j, "default", use->on);
	json_address(j, "address", use->address);
	json_bool(j, "data", use->data);
	json_end_object(j);
}

static void json_choices_of(struct json *j, const struct model *model, const struct model_site *s)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count = model_arms(model, s, arms);

	if (!count)
		return;
	json_array(j, "arms");
	for (size_t i = 0; i < count; i++) {
		bool key = arms[i].choice != MODEL_NONE;

		json_object(j, NULL);
		json_string(j, key ? "choice" : "feature", key ? model->choices[arms[i].choice].name : model_feature_name(arms[i].feature));
		json_bool(j, "inverted", arms[i].inverted);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_now(struct json *j, struct model *model, const struct model_site *s)
{
	uint8_t bytes[MODEL_BYTES_MAX];
	char *now = site_now(model, s);

	json_address(j, "memory", s->address + model->bias);
	json_string(j, "now", now);
	if (model_now(model, s->address, bytes, s->length))
		json_bytes(j, "now_bytes", bytes, s->length);
	free(now);
}

static void json_where(struct json *j, struct model *model, uint64_t address)
{
	const char *name;
	uint64_t offset, size;
	int line;

	if (model_symbol_at(model, address, &name, &offset, &size)) {
		json_string(j, "function", name);
		json_number(j, "offset", offset);
	}
	if (model_line_at(model, address, &name, &line)) {
		json_string(j, "source", name);
		json_number(j, "line", (uint64_t)line);
	}
}

void json_open_site(struct json *j, struct model *model, const struct model_site *s)
{
	const struct model_choice *c = s->choice == MODEL_NONE ? NULL : &model->choices[s->choice];

	json_object(j, NULL);
	json_address(j, "address", s->address);
	json_number(j, "length", s->length);
	json_string(j, "kind", model_site_kind_name(s->kind));
	json_string(j, "choice", c ? c->name : NULL);
	if (c && c->table != MODEL_NONE)
		json_string(j, "table", model->choices[c->table].name);
	if (c && c->kind == MODEL_OPTION && s->state >= 0 && (size_t)s->state < c->state_count)
		json_string(j, "state", c->states[s->state].name);
	json_choices_of(j, model, s);
	if (s->use != MODEL_NONE)
		json_use(j, "use", model, &model->uses[s->use]);
	json_string(j, "live", live_of(model, s));
	if (model->process)
		json_now(j, model, s);
	json_where(j, model, s->address);
}

void json_findings(struct json *j, struct model *model)
{
	json_array(j, "findings");
	for (size_t i = 0; i < model->finding_count; i++) {
		json_object(j, NULL);
		json_number(j, "number", (uint64_t)model->findings[i].number);
		json_address(j, "address", model->findings[i].address);
		json_string(j, "text", model->findings[i].text);
		json_string(j, "level", model_finding_is_error(model->findings[i].number) ? "error" : "warning");
		json_string(j, "variable", model->findings[i].variable);
		json_where(j, model, model->findings[i].address);
		json_end_object(j);
	}
	json_end_array(j);
}
