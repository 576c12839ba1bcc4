/* SPDX-License-Identifier: MIT */
/* callee.c - what is known of functions by their names: relink's own, which all begin with relink_, and libc's that write memory. */
#include <string.h>

#include "internal.h"

enum { RDI = 7, RSI = 6 };

static const char *base_name(const struct subject *s, const struct step *step)
{
	uint64_t target = step->target, offset, size;
	const char *name;
	struct word word;

	if (!target && step->memory.is_there && step->memory.base == REG_RIP && step->memory.index == REG_NONE) {
		uint64_t slot = step->address + step->length + (uint64_t)step->memory.displacement;

		if (!image_word(s->model->image, slot, &word))
			return NULL;
		if (word.symbol)
			return word.symbol;
		if (!slot_address(s, slot, &target))
			return NULL;
	}
	if (!target)
		return NULL;
	if (model_stub_at(s->model, target, &name))
		return name;
	return model_symbol_at(s->model, target, &name, &offset, &size) ? name : NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* memcpy, __memcpy_chk and __GI_memcpy, __memcpy_avx_unaligned: the core of the name. */
static const char *core_of(const char *name, char core[64])
{
	size_t length;

	if (!strncmp(name, "__GI_", 5))
		name += 5;
	while (*name == '_')
		name++;
	length = strlen(name);
	if (length >= 64)
		return "";
	memcpy(core, name, length + 1);
	if (length > 4 && !strcmp(core + length - 4, "_chk"))
		core[length - 4] = 0;
	else if (strchr(core, '_') && strncmp(core, "explicit", 8) != 0)
		*strchr(core, '_') = 0;
	return core;
}

static bool commits(const char *name)
{
	static const char *const parts[] = { "_commit", "_set", "_count", "_clear", "_bind", NULL };

	if (!strncmp(name, "relink_wish", 11) || strstr(name, "discard"))
		return false;
	for (const char *const *p = parts; *p; p++)
		if (strstr(name, *p))
			return true;
	return false;
}

/* foo.cold and foo.part.0 belong to foo. */
static bool is_part(const char *whole, const char *part)
{
	size_t length = strlen(whole);

	return !strncmp(whole, part, length) && (!part[length] || part[length] == '.');
}

void callee_of(const struct subject *s, const struct function *from, const struct step *step, struct callee *callee)
{
	static const char *const first[] = { "memcpy", "memmove", "mempcpy", "memset", "bzero", "explicit_bzero", "strcpy", "strncpy", "stpcpy",
					     "strcat", "strncat", "memccpy", "wmemcpy", "wmemset", "wmemmove", NULL };
	static const char *const only_read[] = { "memcmp", "bcmp", "memchr", "memrchr", NULL };
	const char *name = base_name(s, step), *core;
	char buffer[64];

	*callee = (struct callee){ .name = name, .writes_to = REG_NONE };
	callee->inside = step->target && step->target - from->start < from->size;
	if (!name)
		return;
	callee->inside |= step->kind != STEP_CALL && from->name && (is_part(from->name, name) || is_part(name, from->name));
	callee->library = !strncmp(name, "relink_", 7);
	callee->commits = callee->library && commits(name);
	core = core_of(name, buffer);
	if (is_one_of(core, first))
		callee->writes_to = RDI;
	else if (!strcmp(core, "bcopy"))
		callee->writes_to = RSI;
	callee->reads = is_one_of(core, only_read);
}
