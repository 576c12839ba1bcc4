/* SPDX-License-Identifier: MIT */
/* findings.c - keeps what is wrong with a file's records. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

#define MOST 1000

void find(struct model *model, int number, uint64_t address, const char *format, ...)
{
	char line[400];
	va_list args;

	if (model->finding_count >= MOST) {
		model->findings_lost++;
		return;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	model->findings = grown(model->findings, model->finding_count, &model->finding_capacity, sizeof(*model->findings));
	model->findings[model->finding_count++] = (struct model_finding){ number, address, arena_format(model->arena, "%s", line) };
}
