/* SPDX-License-Identifier: MIT */
/* options.c - the words of RELINK_LINKAGE. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"

struct word {
	const char *name, *value; /* value: behind "=", or "" */
	size_t name_length, value_length;
};

static bool is(const struct word *w, const char *name)
{
	return strlen(name) == w->name_length && !memcmp(w->name, name, w->name_length);
}

static bool append(char *list, size_t size, const struct word *w)
{
	size_t used = strlen(list);

	if (used + w->value_length + 2 > size)
		return false;
	if (used)
		list[used++] = ',';
	memcpy(list + used, w->value, w->value_length);
	list[used + w->value_length] = '\0';
	return true;
}

/* "8M", "512K", "1G", or bytes; what is more than there can be is all. */
static bool read_size(const struct word *w, uint64_t *size)
{
	char *end;
	unsigned long long n = strtoull(w->value, &end, 10);
	static const char units[] = "KMG";
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;

	if (end == w->value || w->value[0] == '-')
		return false;
	if (unit && *unit) {
		int shift = 10 * (int)(unit - units + 1);

		n = n > ULLONG_MAX >> shift ? ULLONG_MAX : n << shift;
		end++;
	}
	*size = n;
	return (size_t)(end - w->value) == w->value_length;
}

static bool take_policy(const struct word *w, int *policy)
{
	static const char *const names[] = { "hot", "all", "learn", "cached" };

	for (int i = 0; i < 4; i++)
		if (is(w, names[i])) {
			*policy = i;
			return true;
		}
	return false;
}

static bool take(const struct word *w, struct rl_run_options *o)
{
	if (take_policy(w, &o->linkage.policy))
		return true;
	if (is(w, "only"))
		return append(o->only, sizeof(o->only), w);
	else if (is(w, "not"))
		return append(o->not_, sizeof(o->not_), w);
	else if (is(w, "report"))
		return append(o->report, sizeof(o->report), w);
	else if (is(w, "why"))
		return append(o->placed, sizeof(o->placed), w);
	else if (is(w, "budget"))
		return read_size(w, &o->linkage.budget);
	else if (is(w, "verify"))
		o->linkage.flags |= RELINK_LINKAGE_VERIFY;
	else if (is(w, "no-cache"))
		o->linkage.flags |= RELINK_LINKAGE_NO_CACHE;
	else if (is(w, "control"))
		o->linkage.flags |= RELINK_LINKAGE_CONTROL;
	else if (is(w, "children"))
		o->children = true;
	else if (is(w, "agent"))
		o->agent = true;
	else if (is(w, "now"))
		o->now = true;
	else if (is(w, "hops"))
		o->hops = (unsigned)strtoul(w->value, NULL, 10);
	else if (is(w, "json"))
		o->json = true;
	else
		return w->name_length == 0;
	return true;
}

static void note_unknown(const char *word, size_t length, struct rl_run_options *o)
{
	if (o->unknown[0])
		return;
	length = length < sizeof(o->unknown) ? length : sizeof(o->unknown) - 1;
	memcpy(o->unknown, word, length);
	o->unknown[length] = '\0';
}

void rl_run_parse(const char *list, struct rl_run_options *o)
{
	memset(o, 0, sizeof(*o));
	o->linkage = (struct relink_linkage_options)RELINK_LINKAGE_OPTIONS;
	for (const char *at = list; *at;) {
		size_t length = strcspn(at, ",");
		const char *equals = memchr(at, '=', length);
		struct word w = { at, equals ? equals + 1 : "", equals ? (size_t)(equals - at) : length, 0 };

		w.value_length = equals ? length - w.name_length - 1 : 0;
		if (!take(&w, o))
			note_unknown(at, length, o);
		at += length + (at[length] == ',');
	}
	o->linkage.only = o->only[0] ? o->only : NULL;
	o->linkage.not_ = o->not_[0] ? o->not_ : NULL;
}
