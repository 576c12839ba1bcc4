/* SPDX-License-Identifier: MIT */
/* sarif.c - findings for programs that show them beside the source: SARIF 2.1.0. */
#include <stdlib.h>

#include "report.h"

static void rule_id(char id[32], int number)
{
	snprintf(id, 32, "relink-%d", number);
}

static void write_rules(struct json *j)
{
	char id[32];

	json_array(j, "rules");
	for (int number = 100; number < 500; number++) {
		if (!model_finding_name(number))
			continue;
		rule_id(id, number);
		json_object(j, NULL);
		json_string(j, "id", id);
		json_object(j, "shortDescription");
		json_string(j, "text", model_finding_name(number));
		json_end_object(j);
		json_object(j, "defaultConfiguration");
		json_string(j, "level", model_finding_is_error(number) ? "error" : "warning");
		json_end_object(j);
		json_end_object(j);
	}
	json_end_array(j);
}

/* The source line where it is known, else the file; the address in any case. */
static void write_location(struct json *j, struct model *model, const struct model_finding *f)
{
	const char *file, *name;
	uint64_t offset, size;
	int line;
	bool known = model_line_at(model, f->address, &file, &line);

	json_array(j, "locations");
	json_object(j, NULL);
	json_object(j, "physicalLocation");
	json_object(j, "artifactLocation");
	json_string(j, "uri", known ? file : model->path);
	json_end_object(j);
	if (known) {
		json_object(j, "region");
		json_number(j, "startLine", (uint64_t)line);
		json_end_object(j);
	}
	json_object(j, "address");
	json_number(j, "absoluteAddress", f->address);
	json_end_object(j);
	json_end_object(j);
	if (model_symbol_at(model, f->address, &name, &offset, &size)) {
		json_array(j, "logicalLocations");
		json_object(j, NULL);
		json_string(j, "name", name);
		json_string(j, "kind", "function");
		json_end_object(j);
		json_end_array(j);
	}
	json_end_object(j);
	json_end_array(j);
}

static void write_result(struct json *j, struct model *model, const struct model_finding *f)
{
	char id[32];

	rule_id(id, f->number);
	json_object(j, NULL);
	json_string(j, "ruleId", id);
	json_string(j, "level", model_finding_is_error(f->number) ? "error" : "warning");
	json_object(j, "message");
	json_string(j, "text", f->text);
	json_end_object(j);
	write_location(j, model, f);
	json_end_object(j);
}

static void write_unused(struct json *j, const struct unused *unused, size_t i)
{
	char id[32], *text = text_format("the suppression \"%s\" suppresses nothing", unused->rules[i].text);

	rule_id(id, UNUSED_NUMBER);
	json_object(j, NULL);
	json_string(j, "ruleId", id);
	json_string(j, "level", "warning");
	json_object(j, "message");
	json_string(j, "text", text);
	json_end_object(j);
	json_array(j, "locations");
	json_object(j, NULL);
	json_object(j, "physicalLocation");
	json_object(j, "artifactLocation");
	json_string(j, "uri", unused->file);
	json_end_object(j);
	json_object(j, "region");
	json_number(j, "startLine", unused->rules[i].line);
	json_end_object(j);
	json_end_object(j);
	json_end_object(j);
	json_end_array(j);
	json_end_object(j);
	free(text);
}

void write_sarif(struct model **models, size_t count, const struct unused *unused)
{
	struct json j = { .out = stdout };

	json_object(&j, NULL);
	json_string(&j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_string(&j, "version", "2.1.0");
	json_array(&j, "runs");
	json_object(&j, NULL);
	json_object(&j, "tool");
	json_object(&j, "driver");
	json_string(&j, "name", "relink");
	json_string(&j, "version", RELINK_VERSION);
	write_rules(&j);
	json_end_object(&j);
	json_end_object(&j);
	json_array(&j, "results");
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < models[i]->finding_count; k++)
			write_result(&j, models[i], &models[i]->findings[k]);
	for (size_t i = 0; i < unused->count; i++)
		write_unused(&j, unused, i);
	json_end_array(&j);
	json_end_object(&j);
	json_end_array(&j);
	json_end_object(&j);
}

