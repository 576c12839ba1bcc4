/* SPDX-License-Identifier: MIT */
/* test: LABELS soak VARIANTS "-O2" "-O0" "-O2 -DSTORES" */
/*
 * stress_call.c - static calls at every alignment are led from target to target, to NULL, to constants, alone and in transactions,
 * by several committers at once, under eight threads that call.
 */
#include "stress_subjects.h"

#define READERS 8

static void *reader(void *unused)
{
	for (unsigned x = 0; running(); x++) {
		look(&subjects[x % SUBJECTS], x % 1024);
		if (x % 16 == 0)
			rest();
	}
	return unused;
}

static void set_shared(unsigned state)
{
	struct relink_error err;

	CHECK_CODE(to_shared(state, &err), RELINK_OK, &err);
	__atomic_fetch_add(&subjects[SHARED_].commits, 1, __ATOMIC_RELAXED);
}

/* Changes its own subject and, less often, the one that belongs to nobody. */
static void *committer(void *argument)
{
	struct subject *s = argument;
	struct chance chance = { s->states };

	while (running() && advance(s)) {
		if (draw(&chance, 8) == 0)
			set_shared(draw(&chance, 16));
		linger(&chance);
	}
	return NULL;
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };
	unsigned i;

#ifdef STORES
	check_allow_stores();
#endif
	CHECK(relink_get_status(&status) == 0);
	for (i = 0; i < READERS; i++)
		start(reader, NULL);
	for (i = 0; i < SUBJECTS; i++)
		if (!subjects[i].anybody)
			start(committer, &subjects[i]);
	sleep_for(soak_seconds());
	finish();
	for (i = 0; i < SUBJECTS; i++) {
		const struct subject *s = &subjects[i];

		check_settled(s->anybody ? &subjects[0] : s);
		check_sites(s, status.one_store);
		CHECKF(s->anybody || (s->commits > 10 && s->tellings > s->looks / 1000), "%s: only %lu commits, %lu of %lu looks could fail",
		       s->name, s->commits, s->tellings, s->looks);
		printf("%s: %lu commits, %lu looks\n", s->name, s->commits, s->looks);
	}
	return check_done();
}
