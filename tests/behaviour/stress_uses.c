/* SPDX-License-Identifier: MIT */
/* test: LABELS soak VARIANTS "-O2" "-O0" */
/*
 * stress_uses.c - uses are switched by queries as fast as possible under eight threads: by function, by line, by text, by key, lists of
 * queries and whole keys. Each state of the timeline says for every use whether it is on; who looks between two
 * settled moments sees just that. A commit that fails changes nothing.
 */
#include "stress.h"

#define READERS 8
#define USES 80

RELINK_KEY_FALSE(debug, "false at link time");
RELINK_KEY_TRUE(checks, "true at link time");

static unsigned long commits, refused, looks, tellings;

/* ---- sites: use n of each key, both ways; across cache lines and pages ---- */

#define LOOK(n, boundary, skip) \
	static __attribute__((noinline)) unsigned look_##boundary##_##n(void) \
	{ \
		unsigned seen = 0; \
		SKIP_TO(boundary, skip); \
		if (relink_here(debug, "debug " #boundary " " #n)) \
			seen |= 1; \
		if (relink_here_likely(checks, "check " #boundary " " #n)) \
			seen |= 2; \
		return seen; \
	}
#define LOOKS(n) LOOK(n, 64, n)
#define LOOKS_ACROSS(n) LOOK(n, 4096, 4094 - n)
EACH_64(LOOKS)
EACH_16(LOOKS_ACROSS)

typedef unsigned look(void);
#define NAME(n) look_64_##n,
#define NAME_ACROSS(n) look_4096_##n,
static look *const table[USES] = { EACH_64(NAME) EACH_16(NAME_ACROSS) };
static const char *name_of(unsigned n, char *buffer)
{
	sprintf(buffer, "look_%s_0%o", n < 64 ? "64" : "4096", n % 64); /* as EACH_64 counts */
	return buffer;
}

/* ---- what is true: bit 0 and bit 1 of every use, for the settled state and the one before ---- */

static unsigned long moment; /* 2n: state n is settled; 2n + 1: it is being replaced */
static uint8_t states[2][USES];

/* ---- the committer's model: opinions of the program about keys and uses, as the documentation has them ---- */

static int key_asked[2];          /* -1: none */
static int8_t use_asked[2][USES]; /* -1: none */

static unsigned model(unsigned n)
{
	unsigned seen = 0;

	for (int k = 0; k < 2; k++) {
		int on = use_asked[k][n] >= 0 ? use_asked[k][n] : key_asked[k] >= 0 ? key_asked[k] : k;

		seen |= (unsigned)on << k;
	}
	return seen;
}

static void publish(void)
{
	unsigned long next = moment / 2 + 1;

	for (unsigned n = 0; n < USES; n++)
		__atomic_store_n(&states[next & 1][n], (uint8_t)model(n), __ATOMIC_RELAXED);
}

static void ask(int key, unsigned first, unsigned last, int opinion)
{
	for (unsigned n = first; n <= last; n++)
		for (int k = 0; k < 2; k++)
			if (key < 0 || key == k)
				use_asked[k][n] = (int8_t)opinion;
}

static const char *action(int opinion)
{
	return opinion < 0 ? "clear" : opinion ? "+" : "-";
}

static size_t add_query(struct chance *c, char *text)
{
	int opinion = (int)draw(c, 3) - 1;
	unsigned n = draw(c, USES);
	char name[32];

	switch (draw(c, 5)) {
	case 0:
		ask(-1, n, n, opinion);
		return (size_t)sprintf(text, "func %s %s\n", name_of(n, name), action(opinion));
	case 1:
		ask(0, 0, 63, opinion);
		return (size_t)sprintf(text, "format \"debug 64 *\" %s;", action(opinion));
	case 2:
		ask(1, 64, 79, opinion);
		return (size_t)sprintf(text, "func look_4096_* key ch?cks %s ; ", action(opinion));
	case 3:
		ask(-1, 8, 15, opinion);
		return (size_t)sprintf(text, "func look_64_01? file *stress_uses.c %s;", action(opinion));
	}
	ask(-1, 0, USES - 1, opinion);
	return (size_t)sprintf(text, "line 1- %s;", action(opinion));
}

static int key_asks(struct chance *c, struct relink_error *err)
{
	int k = (int)draw(c, 2), on = (int)draw(c, 2);

	key_asked[k] = on;
	ask(k, 0, USES - 1, -1);
	publish();
	__atomic_store_n(&moment, moment + 1, __ATOMIC_SEQ_CST);
	return k ? relink_key_set(checks, on, err) : relink_key_set(debug, on, err);
}

static int query_asks(struct chance *c, struct relink_error *err)
{
	char text[1024];
	size_t used = 0;

	for (unsigned n = draw(c, 4) + 1; n; n--)
		used += add_query(c, text + used);
	publish();
	__atomic_store_n(&moment, moment + 1, __ATOMIC_SEQ_CST);
	return relink_uses_query(text, err);
}

static void commit(struct chance *c)
{
	struct relink_error err;

	if (draw(c, 16) == 0) {
		/* The first of two queries is good, but nothing of it may happen. */
		CHECK_CODE(relink_uses_query("func look_* +; func nobody +", &err), RELINK_E_UNKNOWN, &err);
		refused++;
		return;
	}
	if (draw(c, 8) == 0)
		CHECK_CODE(key_asks(c, &err), RELINK_OK, &err);
	else
		CHECK_CODE(query_asks(c, &err), RELINK_OK, &err);
	__atomic_store_n(&moment, moment + 1, __ATOMIC_SEQ_CST);
	commits++;
}

static void *reader(void *arg)
{
	struct chance c = { (uintptr_t)arg * 7919 };
	unsigned long mine = 0, told = 0;

	while (running()) {
		unsigned n = draw(&c, USES);
		unsigned long before = __atomic_load_n(&moment, __ATOMIC_SEQ_CST);
		unsigned want = __atomic_load_n(&states[before / 2 & 1][n], __ATOMIC_RELAXED), seen = table[n]();
		unsigned long after = __atomic_load_n(&moment, __ATOMIC_SEQ_CST);

		mine++;
		if (before != after || before & 1)
			continue;
		told++;
		CHECKF(seen == want, "use %u at %lu: %u, want %u", n, before, seen, want);
	}
	__atomic_fetch_add(&looks, mine, __ATOMIC_RELAXED);
	__atomic_fetch_add(&tellings, told, __ATOMIC_RELAXED);
	return NULL;
}

int main(void)
{
	pthread_t threads[READERS];
	struct chance c = { 42 };
	double until;

	key_asked[0] = key_asked[1] = -1;
	memset(use_asked, -1, sizeof(use_asked));
	for (unsigned n = 0; n < USES; n++)
		states[0][n] = states[1][n] = 2;
	for (uintptr_t i = 0; i < READERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, reader, (void *)(i + 1)));
	for (until = now() + soak_seconds(); now() < until;) {
		commit(&c);
		linger(&c);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned n = 0; n < USES; n++)
		CHECK(table[n]() == model(n));
	printf("%lu commits, %lu refused, %lu looks, %lu of them tell\n", commits, refused, looks, tellings);
	CHECK(commits > 20 && tellings > 1000);
	return check_done();
}
