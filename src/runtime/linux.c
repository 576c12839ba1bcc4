/* SPDX-License-Identifier: MIT */
/*
 * linux.c - what <relink/linux.h> needs beyond relink's own functions: keys that are counted as the kernel counts them, and
 * errors of functions that return nothing.
 *
 * The kernel's count is the state: a key that is born true has one use. Ours is the distance from there: at 0 the program has no
 * opinion and lower levels of the precedence speak, above it the key is on, below it off.
 */
#include <time.h>

#include "runtime/runtime.h"

static struct relink_error latest;
static relink_linux_error_fn *error_fn;
static void *error_ctx;

void rl_linux_on_error(relink_linux_error_fn *fn, void *ctx)
{
	struct relink_error unused;

	if (rl_lock(&unused))
		return;
	error_fn = fn;
	error_ctx = ctx;
	rl_unlock();
}

int rl_linux_last_error(struct relink_error *err)
{
	struct relink_error unused;
	int r = rl_lock(&unused);

	if (r)
		return r;
	if (err)
		*err = latest;
	r = latest.code;
	latest.code = 0;
	rl_unlock();
	return r;
}

void rl_linux_report(const struct relink_error *err)
{
	struct relink_error unused;
	relink_linux_error_fn *fn;
	void *ctx;

	/* In a handler that interrupts a commit nothing can be kept. */
	if (rl_lock(&unused))
		return;
	latest = *err;
	fn = error_fn;
	ctx = error_ctx;
	rl_unlock();
	if (fn)
		fn(err, ctx);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000 + 1;
}

static int commit_count(struct rl_key *k, int count, int state, struct relink_error *err)
{
	struct rl_choice *c = k->owner;
	struct rl_decision d = { .choice = c, .level = RELINK_BY_PROGRAM, .state = state };
	int r = rl_commit(&rl_runtime.core, &d, 1, RELINK_LIVE, err);

	if (r >= 0) {
		c->uses = count - k->born;
		__atomic_store_n(&k->key->count, c->uses, __ATOMIC_RELAXED);
	}
	return r;
}

static int step(struct rl_key *k, int count, struct relink_error *err)
{
	int uses = count - k->born;

	if (count < 0)
		return rl_fail(err, RELINK_E_COUNT, k->owner, "more dec than inc: the count is 0");
	return commit_count(k, count, uses ? uses > 0 : RL_NONE, err);
}

/* In the kernel the state is the count, so there is no such thing as a key that is off and in use. */
static int disable(struct rl_key *k, int count, struct relink_error *err)
{
	if (count > 1)
		return rl_fail(err, RELINK_E_COUNT, k->owner, "disabled while it is in use more than once");
	return commit_count(k, 0, 0, err);
}

static int deferred_dec(struct rl_key *k, int count, struct relink_linux_deferred *d, struct relink_error *err)
{
	if (count != 1 || !d->timeout)
		return step(k, count - 1, err);
	if (d->due)
		return rl_fail(err, RELINK_E_COUNT, k->owner, "more dec than inc: the last one is pending");
	d->due = now() + d->timeout;
	return 0;
}

/* An overdue dec and an inc make nothing, and nothing is rewritten. */
static int deferred_inc(struct rl_key *k, int count, struct relink_linux_deferred *d, struct relink_error *err)
{
	if (!d->due || d->due > now())
		return step(k, count + 1, err);
	d->due = 0;
	return 0;
}

static int pending_dec(struct rl_key *k, int count, struct relink_linux_deferred *d, struct relink_error *err)
{
	int r = d->due ? step(k, count - 1, err) : 0;

	if (r >= 0)
		d->due = 0;
	return r;
}

static int change(struct rl_key *k, struct relink_linux_deferred *d, int what, struct relink_error *err)
{
	int count = k->owner->uses + k->born, r;

	if (k->owner->kind != RELINK_KEY)
		return rl_fail(err, RELINK_E_ARGUMENT, k->owner, "this key belongs to an option; set the option");
	switch (what) {
	case RELINK_LINUX_COUNT_:
		return count;
	case RELINK_LINUX_INC_:
		return step(k, count + 1, err);
	case RELINK_LINUX_DEC_:
		return step(k, count - 1, err);
	case RELINK_LINUX_ENABLE_:
		return commit_count(k, count > 1 ? count : 1, 1, err);
	case RELINK_LINUX_DISABLE_:
		return disable(k, count, err);
	case RELINK_LINUX_DEFERRED_INC_:
		return deferred_inc(k, count, d, err);
	case RELINK_LINUX_FLUSH_:
		return pending_dec(k, count, d, err);
	default:
		r = d->due && d->due <= now() ? pending_dec(k, count, d, err) : 0;
		return r < 0 ? r : deferred_dec(k, k->owner->uses + k->born, d, err);
	}
}

int rl_linux_key(struct relink_key *key, struct relink_linux_deferred *d, int what, struct relink_error *err)
{
	struct rl_key *k;
	int r = rl_lock(err);

	if (r)
		return r;
	k = rl_key_of(&rl_runtime.core, key);
	r = k ? change(k, d, what, err) : rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	rl_unlock();
	return r;
}
