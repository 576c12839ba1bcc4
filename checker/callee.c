/* SPDX-License-Identifier: MIT */
/* callee.c - what is known of functions by their names: relink's own, which all begin with relink_, and libc's that write memory. */
#include <string.h>

#include "internal.h"

enum { RDI = 7, RSI = 6 };

static const char *name_at(const struct subject *s, uint64_t target)
{
	const uint8_t *bytes = model_bytes(s->model, target, 16);
	uint64_t offset, size, slot;
	const char *name;

	if (model_stub_at(s->model, target, &name))
		return name;
	if (bytes && s->model->port->plt_slot(bytes, 16, target, &slot) && (name = slot_function(s, slot)))
		return name;
	return model_symbol_at(s->model, target, &name, &offset, &size) ? name : NULL;
}

static const char *name_of(const struct subject *s, const struct step *step, const struct value *through)
{
	const struct place *m = &step->memory;

	if (step->target)
		return name_at(s, step->target);
	if (m->is_there && m->base == REG_RIP && m->index == REG_NONE)
		return slot_function(s, step->address + step->length + (uint64_t)m->displacement);
	if (through && through->kind == VALUE_FUNCTION)
		return name_at(s, through->number);
	if (through && through->kind == VALUE_IMPORT)
		return slot_function(s, through->number);
	return NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* memcpy, __memcpy_chk, __GI_memcpy, __new_memcpy_ifunc, __memcpy_avx_unaligned: whether the core of the name is one of those. */
static bool is_like(const char *name, const char *const *names)
{
	char core[32];

	if (!strncmp(name, "__GI_", 5))
		name += 5;
	if (!strncmp(name, "__new_", 6))
		name += 6;
	while (*name == '_')
		name++;
	if (is_one_of(name, names))
		return true;
	if (strcspn(name, "_") >= sizeof(core))
		return false;
	memcpy(core, name, strcspn(name, "_"));
	core[strcspn(name, "_")] = 0;
	return is_one_of(core, names);
}

/* What sanitizers call is told of addresses and keeps none; the rest of the name, or NULL. */
static const char *behind_sanitizer(const char *name)
{
	static const char *const prefixes[] = { "__asan_", "__hwasan_", "__tsan_", "__msan_", "__ubsan_", "__sanitizer_", NULL };

	for (const char *const *p = prefixes; *p; p++)
		if (!strncmp(name, *p, strlen(*p)))
			return name + strlen(*p);
	return NULL;
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

void callee_of(const struct subject *s, const struct function *from, const struct step *step, const struct value *through,
	       struct callee *callee)
{
	static const char *const first[] = { "memcpy", "memmove", "mempcpy", "memset", "bzero", "explicit_bzero", "strcpy", "strncpy",
					     "stpcpy", "strcat", "strncat", "memccpy", "wmemcpy", "wmemset", "wmemmove", NULL };
	static const char *const only_read[] = { "memcmp", "bcmp", "memchr", "memrchr", "strlen", "strnlen", "strcmp", "strncmp",
						  "strcasecmp", "strncasecmp", "strspn", "strcspn", "stack_chk_fail", "abort", NULL };
	static const char *const second[] = { "bcopy", NULL };
	const char *name = name_of(s, step, through), *told;

	*callee = (struct callee){ .name = name, .writes_to = REG_NONE };
	callee->inside = step->target && step->target - from->start < from->size;
	if (!name)
		return;
	callee->inside |= step->kind != STEP_CALL && from->name && (is_part(from->name, name) || is_part(name, from->name));
	callee->library = !strncmp(name, "relink_", 7);
	callee->commits = callee->library && commits(name);
	told = behind_sanitizer(name);
	if (is_like(told ? told : name, first))
		callee->writes_to = RDI;
	else if (is_like(name, second))
		callee->writes_to = RSI;
	callee->reads = (told && callee->writes_to == REG_NONE) || is_like(name, only_read);
}
