/* SPDX-License-Identifier: MIT */
/*
 * threads.c - whether lock prefixes of atomic operations may go: the built-in key `locks`.
 *
 * The rule: while `locks` is off, the process has one thread and would notice a second one. What keeps it is not the
 * precedence of opinions. The state `off` is unusable, so that opinions which ask for it are not heard, until the
 * program's watcher has proved that all creation of threads comes by; and again from the moment in which the first
 * one does. What has begun stays begun, in children of a fork too, until relink_threads_ended() proves that it is
 * over.
 */
#include "runtime/runtime.h"

static struct relink_key_true locks = RELINK_KEY_INIT_TRUE;
static unsigned char usable[2] = { 0, 1 };
static struct relink_watch *watch; /* the program's, if it has been taken */
static bool offered; /* it has been here */
static bool begun;
static const char *why;
static char text[160];

static void because(const char *reason)
{
	rl_runtime.core.locks_why = why = reason;
}

void rl_locks_start(void)
{
	struct rl_core *core = &rl_runtime.core;

	because("creation of threads would not be noticed: link the program with relink_target(.. LOCKS)");
	core->locks = rl_add_builtin_key(core, &locks.key, "locks", "atomic operations have their lock prefix (relink/atomic.h)",
					 RELINK_DEFAULT_TRUE);
	if (!core->locks)
		return;
	core->locks->owner->patched = true;
	core->locks->owner->usable = usable;
}

/* The opinion of a choice function. A positive result is no failure: somebody above speaks. */
static int decide(bool on, struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	struct rl_decision d = { .choice = core->locks->owner, .level = RELINK_BY_FUNCTION, .state = on };

	return rl_commit(core, &d, 1, RELINK_LIVE, err);
}

static int lock(struct relink_error *err)
{
	unsigned char before = usable[0];
	int r;

	if (begun || !rl_runtime.core.locks)
		return 0;
	usable[0] = 0;
	r = decide(true, err);
	if (r < 0) {
		usable[0] = before;
		return r;
	}
	because("threads run, or did until relink_threads_ended() is called");
	/* Threads that find this set go on without the lock. */
	__atomic_store_n(&begun, true, __ATOMIC_RELEASE);
	return 0;
}

static __thread bool ignore __attribute__((tls_model("initial-exec")));

void rl_locks_ignore(bool on)
{
	ignore = on;
}

/* What the watchers define; it is part of the program, or not. */
extern const int relink_watches_threads __attribute__((weak));

bool rl_locks_expect_watch(void)
{
	return &relink_watches_threads && !offered;
}

int rl_locks_begin(struct relink_error *err)
{
	int r;

	if (ignore || __atomic_load_n(&begun, __ATOMIC_ACQUIRE))
		return 0;
	r = rl_lock(err);
	if (r)
		return r;
	r = lock(err);
	rl_unlock();
	return r;
}

/* A handler that interrupts this must not find `begun`: it has to be refused, as all that interrupts a commit. */
static int unlock(struct relink_error *err)
{
	unsigned char before = usable[0];
	bool had_begun = begun;
	int r;

	__atomic_store_n(&begun, false, __ATOMIC_RELEASE);
	usable[0] = 1;
	r = decide(false, err);
	if (r < 0) {
		usable[0] = before;
		__atomic_store_n(&begun, had_begun, __ATOMIC_RELEASE);
	}
	return r;
}

static int end(struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;

	if (!core->locks || !watch || watch->why)
		return rl_fail(err, RELINK_E_THREADS, core->locks ? core->locks->owner : 0, watch && watch->why ? watch->why : why);
	return unlock(err);
}

int rl_locks_ended(struct relink_error *err)
{
	int r = rl_lock(err);

	if (r)
		return r;
	r = end(err);
	rl_unlock();
	return r;
}

static void remember(const struct relink_error *err)
{
	struct rl_text t = rl_text_into(text, sizeof(text));

	rl_text_add(&t, err->text);
	because(text);
}

static void take(struct relink_watch *whose)
{
	struct relink_error err;

	if (whose->why) {
		because(whose->why);
		return;
	}
	watch = whose;
	__atomic_store_n(&watch->on, 1, __ATOMIC_SEQ_CST);
	/* What the lists said of `off` was not heard so far. */
	rl_apply_lists(NULL);
	if (__atomic_load_n(&watch->early, __ATOMIC_SEQ_CST)) {
		lock(0);
		because("a thread was created before start-up was over");
	} else if (unlock(&err) < 0) {
		remember(&err);
	}
}

void rl_locks_watch(struct relink_watch *whose)
{
	struct relink_error err;

	if (!whose || whose->size < sizeof(*whose) || rl_lock(&err))
		return;
	offered = true;
	if (rl_runtime.core.locks && !watch)
		take(whose);
	rl_unlock();
	rl_agent_start_if_asked();
}

void rl_describe_locks(char *buffer, size_t size)
{
	struct rl_text t = rl_text_into(buffer, size);
	const struct rl_key *k = rl_runtime.core.locks;

	rl_text_add(&t, k && !k->state ? "off: " : "on: ");
	if (k && usable[0])
		rl_text_add(&t, k->state ? "asked for" : "one thread runs, and a second one would be noticed");
	else
		rl_text_add(&t, watch && watch->why ? watch->why : why);
}
