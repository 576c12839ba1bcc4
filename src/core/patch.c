/* SPDX-License-Identifier: MIT */
/*
 * patch.c - lock prefixes, immediates and alternatives: what their bytes are to be, and which of them a commit changes.
 *
 * Patches are not grouped: a commit that moves a choice with patches looks through the records of all modules. That costs a
 * few nanoseconds each, and no memory. Only code of several instructions is remembered as it was linked.
 */
#include "core/core.h"

#define PATCH_MAX 255
#define CHUNK RL_SITE_MAX

static bool is_wide(const struct relink_patch_record *p)
{
	return p->kind == RELINK_PATCH_ALTERNATIVE || p->kind == RELINK_PATCH_SEQUENCE;
}

static const struct relink_sequence_use *use_of(const struct relink_patch_record *p)
{
	return (const struct relink_sequence_use *)rl_at_field(&p->ref);
}

static void *object_of(const int32_t *ref)
{
	return *(void *const *)rl_at_field(ref);
}

static const struct relink_arm *arms_of(const struct relink_patch_record *p)
{
	return (const struct relink_arm *)rl_at_field(&p->ref);
}

static struct rl_key *key_of(const struct relink_arm *arm)
{
	struct relink_key *key = object_of(&arm->ref);

	return key->choice;
}

static const struct rl_choice *immediate_choice(const struct relink_patch_record *p)
{
	return ((struct relink_immediate *)object_of(&p->ref))->choice;
}

/* ---- modules come and go ---- */

static bool is_usable(const struct rl_module *module, const struct relink_patch_record *p)
{
	uintptr_t site = rl_patch_site(p);

	return site >= module->text_start && p->length && p->kind && p->kind <= RELINK_PATCH_SEQUENCE && p->length <= module->text_stop - site && site < module->text_stop;
}

/* The key may be another module's that has not come yet. */
static bool depend(struct rl_core *core, struct rl_module *module, struct relink_key *key)
{
	struct rl_key *k = key->choice ? key->choice : rl_anonymous_key(core, module, key, key->state != 0);

	if (!k)
		return false;
	k->owner->patched = true;
	return true;
}

static bool depend_on_arms(struct rl_core *core, struct rl_module *module, const struct relink_arm *arm)
{
	for (;; arm++) {
		if ((arm->flags & RELINK_ARM_KEY) && !depend(core, module, object_of(&arm->ref)))
			return false;
		if (arm->flags & RELINK_ARM_LAST)
			return true;
	}
}

static void sift_down(const struct rl_module *m, size_t root, size_t count)
{
	uint32_t moving = m->wide[root];
	size_t child;

	while ((child = 2 * root + 1) < count) {
		if (child + 1 < count && rl_patch_site(&m->patches[m->wide[child]]) < rl_patch_site(&m->patches[m->wide[child + 1]]))
			child++;
		if (rl_patch_site(&m->patches[moving]) >= rl_patch_site(&m->patches[m->wide[child]]))
			break;
		m->wide[root] = m->wide[child];
		root = child;
	}
	m->wide[root] = moving;
}

static void sort_wide(const struct rl_module *m)
{
	for (size_t i = m->wide_count / 2; i-- > 0;)
		sift_down(m, i, m->wide_count);
	for (size_t n = m->wide_count; n-- > 1;) {
		uint32_t top = m->wide[0];

		m->wide[0] = m->wide[n];
		m->wide[n] = top;
		sift_down(m, 0, n);
	}
}

static void remember(struct rl_module *m)
{
	uint32_t at = 0;

	for (size_t i = 0; i < m->wide_count; i++) {
		const struct relink_patch_record *p = &m->patches[m->wide[i]];

		m->original_at[i] = at;
		__builtin_memcpy(m->originals + at, (const void *)rl_patch_site(p), p->length);
		at += p->length;
	}
}

static size_t memory_of(const struct rl_module *m)
{
	const struct relink_patch_record *last = m->wide_count ? &m->patches[m->wide[m->wide_count - 1]] : 0;

	if (!last)
		return 0;
	return m->wide_count * (sizeof(*m->wide) + sizeof(*m->original_at)) + m->original_at[m->wide_count - 1] + last->length;
}

static bool add_wide(struct rl_core *core, struct rl_module *m, size_t count, size_t bytes)
{
	if (!count)
		return true;
	m->wide = core->hooks->alloc(count * sizeof(*m->wide));
	m->original_at = core->hooks->alloc(count * sizeof(*m->original_at));
	m->originals = core->hooks->alloc(bytes);
	if (!m->wide || !m->original_at || !m->originals)
		return false;
	for (size_t i = 0; i < m->patch_count; i++)
		if (is_wide(&m->patches[i]) && is_usable(m, &m->patches[i]))
			m->wide[m->wide_count++] = (uint32_t)i;
	sort_wide(m);
	remember(m);
	core->memory += memory_of(m);
	return true;
}

static bool is_changing_lock(const struct relink_patch_record *p)
{
	return p->kind == RELINK_PATCH_LOCK && !rl_is_baked_patch(p);
}

bool rl_add_patches(struct rl_core *core, struct rl_module *m)
{
	size_t count = 0, bytes = 0;
	bool ok = true;

	for (size_t i = 0; i < m->patch_count && ok; i++) {
		const struct relink_patch_record *p = &m->patches[i];

		if (!is_usable(m, p))
			continue;
		core->lock_count += is_changing_lock(p);
		if (!is_wide(p))
			continue;
		ok = p->kind == RELINK_PATCH_SEQUENCE || depend_on_arms(core, m, arms_of(p));
		count++;
		bytes += p->length;
	}
	return ok && add_wide(core, m, count, bytes);
}

void rl_remove_patches(struct rl_core *core, struct rl_module *m)
{
	for (size_t i = 0; i < m->patch_count; i++)
		core->lock_count -= is_usable(m, &m->patches[i]) && is_changing_lock(&m->patches[i]);
	core->memory -= memory_of(m);
	if (m->wide)
		core->hooks->free(m->wide);
	if (m->original_at)
		core->hooks->free(m->original_at);
	if (m->originals)
		core->hooks->free(m->originals);
}

/* Index in `wide` of the last patch that starts at or before the address; wide_count if none does. */
static size_t wide_at(const struct rl_module *m, uintptr_t address)
{
	size_t low = 0, high = m->wide_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (rl_patch_site(&m->patches[m->wide[middle]]) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : m->wide_count;
}

bool rl_in_patch(const struct rl_module *m, uintptr_t address)
{
	size_t i = wide_at(m, address);
	const struct relink_patch_record *p;

	if (i == m->wide_count)
		return false;
	p = &m->patches[m->wide[i]];
	return address - rl_patch_site(p) < p->length;
}

/* ---- what is to be where ---- */

static bool state_of(const struct rl_key *k, bool next)
{
	return next && k->owner->touched ? k->next : k->state;
}

static bool arm_holds(const struct rl_core *core, const struct relink_arm *arm, bool next)
{
	const struct rl_key *k;
	bool holds;

	if (arm->flags & RELINK_ARM_KEY) {
		k = key_of(arm);
		holds = k && state_of(k, next);
	} else {
		holds = core->cpu >> arm->feature & 1;
	}
	return holds != ((arm->flags & RELINK_ARM_NOT) != 0);
}

static const struct relink_arm *chosen_arm(const struct rl_core *core, const struct relink_patch_record *p, bool next)
{
	const struct relink_arm *chosen = 0;

	for (const struct relink_arm *arm = arms_of(p);; arm++) {
		if (arm_holds(core, arm, next))
			chosen = arm;
		if (arm->flags & RELINK_ARM_LAST)
			return chosen;
	}
}

static void copy(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
}

static const uint8_t *original_of(const struct rl_module *m, const struct relink_patch_record *p)
{
	return m->originals + m->original_at[wide_at(m, rl_patch_site(p))];
}

static bool encode_alternative(const struct rl_core *core, const struct rl_module *m, const struct relink_patch_record *p, bool next,
			       uint8_t *out)
{
	const struct relink_arm *arm = chosen_arm(core, p, next);
	uintptr_t code = arm ? rl_at_field(&arm->code) : 0;

	if (!arm) {
		copy(out, original_of(m, p), p->length);
		return true;
	}
	if (arm->length > p->length || !core->port->move((const uint8_t *)code, arm->length, code, rl_patch_site(p), out))
		return false;
	core->port->pad(out + arm->length, (size_t)(p->length - arm->length));
	return true;
}

static uint64_t value_of(const struct relink_patch_record *p, bool next)
{
	const struct rl_choice *c = immediate_choice(p);

	if (!c)
		return ((struct relink_immediate *)object_of(&p->ref))->value;
	return c->variants[next && c->touched ? c->next_state : c->state].constant;
}

static void encode_number(uint64_t value, size_t length, uint8_t *out)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

/* False: the arm can't be where the site is. */
static bool encode(const struct rl_core *core, const struct rl_module *m, const struct relink_patch_record *p, bool next, uint8_t *out)
{
	switch (p->kind) {
	case RELINK_PATCH_LOCK:
		out[0] = core->port->lock[state_of(core->locks, next)];
		return true;
	case RELINK_PATCH_IMMEDIATE:
		encode_number(value_of(p, next), p->length, out);
		return true;
	case RELINK_PATCH_SEQUENCE:
		return rl_encode_sequence(core, use_of(p), rl_patch_site(p), p->length, next, original_of(m, p), out);
	default:
		return encode_alternative(core, m, p, next, out);
	}
}

/* ---- what a commit changes ---- */

static bool moves(const struct rl_choice *c)
{
	return c && c->touched && c->next_state != c->state;
}

static bool arms_move(const struct relink_arm *arm)
{
	for (;; arm++) {
		if ((arm->flags & RELINK_ARM_KEY) && key_of(arm) && moves(key_of(arm)->owner))
			return true;
		if (arm->flags & RELINK_ARM_LAST)
			return false;
	}
}

static bool is_concerned(const struct rl_core *core, const struct relink_patch_record *p)
{
	if (rl_is_baked_patch(p))
		return false;
	if (p->kind == RELINK_PATCH_LOCK)
		return moves(core->locks->owner);
	if (p->kind == RELINK_PATCH_IMMEDIATE)
		return moves(immediate_choice(p));
	if (p->kind == RELINK_PATCH_SEQUENCE)
		return moves(rl_sequence_choice(use_of(p)));
	return p->kind == RELINK_PATCH_ALTERNATIVE && arms_move(arms_of(p));
}

static bool any_moves(const struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++)
		if (rl_has_patches(plan->choices[i]) && moves(plan->choices[i]))
			return true;
	return false;
}

static int kind_of(const struct relink_patch_record *p)
{
	static const uint8_t kinds[] = { [RELINK_PATCH_LOCK] = RL_LOCK, [RELINK_PATCH_IMMEDIATE] = RL_IMMEDIATE,
					 [RELINK_PATCH_ALTERNATIVE] = RL_ALTERNATIVE, [RELINK_PATCH_SEQUENCE] = RL_SEQUENCE };

	return kinds[p->kind];
}

static bool in_one_word(const struct relink_patch_record *p)
{
	uintptr_t site = rl_patch_site(p);

	return !is_wide(p) && site >> 3 == (site + p->length - 1) >> 3;
}

/* One byte of one instruction may always be stored, a word of one where words are; more needs that nobody looks. */
static enum rl_change classify(const struct rl_core *core, const struct relink_patch_record *p)
{
	if (core->strict || is_wide(p))
		return RL_SPLIT;
	if (p->length == 1)
		return RL_OPCODE;
	return core->one_store && in_one_word(p) ? RL_STORE : RL_SPLIT;
}

static int list_changes(struct rl_plan *plan, int kind, uintptr_t address, size_t length, enum rl_change change, const uint8_t *new)
{
	if (!rl_reserve_changes(plan, length / CHUNK + 1u))
		return rl_fail(plan->err, RELINK_E_MEMORY, 0, "out of memory while planning; nothing has changed");
	for (size_t at = 0; at < length; at += CHUNK) {
		struct rl_change_record *c = &plan->changes[plan->change_count++];

		c->address = address + at;
		c->kind = (uint8_t)kind;
		c->change = (uint8_t)change;
		c->length = (uint8_t)(length - at < CHUNK ? length - at : CHUNK);
		copy(c->old, (const uint8_t *)c->address, c->length);
		copy(c->new, new + at, c->length);
		c->site = 0;
	}
	return 0;
}

/* Where they begin to differ: a breakpoint stands on one instruction of several. `n`: nowhere. */
static size_t difference(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* One of the choices that an alternative depends on: one that moves, if there is any. */
static const struct rl_choice *owner_of_arms(const struct relink_arm *arm)
{
	const struct rl_choice *any = 0;

	for (;; arm++) {
		const struct rl_key *k = arm->flags & RELINK_ARM_KEY ? key_of(arm) : 0;

		if (k && (!any || moves(k->owner)))
			any = k->owner;
		if (arm->flags & RELINK_ARM_LAST)
			return any;
	}
}

static const struct rl_choice *owner_of(const struct rl_core *core, const struct relink_patch_record *p)
{
	if (p->kind == RELINK_PATCH_LOCK)
		return core->locks->owner;
	if (p->kind == RELINK_PATCH_SEQUENCE)
		return rl_sequence_choice(use_of(p));
	return p->kind == RELINK_PATCH_IMMEDIATE ? immediate_choice(p) : owner_of_arms(arms_of(p));
}

static int unmovable(struct rl_plan *plan, const struct rl_module *m, const struct relink_patch_record *p)
{
	return rl_fail_site(plan->err, RELINK_E_BYTES, owner_of(plan->core, p), m, rl_patch_site(p),
			    "this code can't be moved here: an operand is missing, a target is out of reach, or an instruction is not known");
}

static bool expected(const struct rl_plan *plan, const struct rl_module *m, const struct relink_patch_record *p, bool fresh, uint8_t *out)
{
	if (!fresh || !is_wide(p))
		return encode(plan->core, m, p, false, out);
	copy(out, original_of(m, p), p->length);
	return true;
}

/* What the linker left of a lock or an immediate is the default. What that was before another file's number was baked, nobody knows. */
static void expect_default(const struct relink_patch_record *p, const struct rl_port *port, uint8_t *out)
{
	if (p->kind == RELINK_PATCH_LOCK)
		out[0] = port->lock[1];
	else if (p->kind == RELINK_PATCH_IMMEDIATE && immediate_choice(p) && rl_is_baked(immediate_choice(p)))
		copy(out, (const uint8_t *)rl_patch_site(p), p->length);
	else if (p->kind == RELINK_PATCH_IMMEDIATE && immediate_choice(p))
		encode_number(immediate_choice(p)->variants[immediate_choice(p)->initial].constant, p->length, out);
}

/*
 * The room beside a function, for a template that is longer than the site. While nothing leads there anything may be in it. It is filled
 * in the same moment in which the site is written; from one such template to another only the copy changes.
 */
struct beside {
	uintptr_t address;
	bool differs;
	uint8_t bytes[RELINK_COPY_SIZE];
};

static int look_at_copy(struct rl_plan *plan, const struct rl_module *m, const struct relink_patch_record *p, bool fresh,
			struct beside *c)
{
	uint8_t old[RELINK_COPY_SIZE];
	size_t at;

	c->differs = false;
	if (p->kind != RELINK_PATCH_SEQUENCE)
		return 0;
	c->address = rl_at_field(&use_of(p)->copy);
	if (!fresh && rl_encode_copy(plan->core, use_of(p), p->length, false, old)) {
		at = difference(old, (const uint8_t *)c->address, sizeof(old));
		if (at < sizeof(old))
			return rl_fail_wrong_bytes(plan, owner_of(plan->core, p), m, c->address + at);
	}
	c->differs = rl_encode_copy(plan->core, use_of(p), p->length, true, c->bytes) &&
		     difference(c->bytes, (const uint8_t *)c->address, sizeof(c->bytes)) < sizeof(c->bytes);
	return 0;
}

static int plan_patch(struct rl_plan *plan, struct rl_module *m, const struct relink_patch_record *p, bool fresh)
{
	uint8_t old[PATCH_MAX], new[PATCH_MAX];
	enum rl_change change = classify(plan->core, p);
	struct beside copied;
	bool differs;
	size_t at;
	int r;

	if (!expected(plan, m, p, fresh, old) || !encode(plan->core, m, p, true, new))
		return unmovable(plan, m, p);
	if (fresh)
		expect_default(p, plan->core->port, old);
	at = difference(old, (const uint8_t *)rl_patch_site(p), p->length);
	if (at < p->length)
		return rl_fail_wrong_bytes(plan, owner_of(plan->core, p), m, rl_patch_site(p) + at);
	r = look_at_copy(plan, m, p, fresh, &copied);
	differs = difference(old, new, p->length) < p->length;
	if (r || !(differs || copied.differs))
		return r;
	if (!plan->core->can_write)
		return rl_fail(plan->err, RELINK_E_WRITE, 0, plan->core->why);
	if (change == RL_SPLIT && m != plan->arriving && !rl_alone_at_last(plan))
		return rl_fail_site(plan->err, RELINK_E_MODE, owner_of(plan->core, p), m, rl_patch_site(p),
				    !plan->core->strict && in_one_word(p) ? "threads run, and RELINK_WRITABLE_CODE is not declared; or use RELINK_STOP" :
				    "threads run, and one store can't change this code; use RELINK_STOP, or RELINK_STARTUP before they start");
	plan->writes = true;
	plan->others |= m != plan->arriving;
	if (copied.differs)
		r = list_changes(plan, RL_SEQUENCE, copied.address, sizeof(copied.bytes), RL_SPLIT, copied.bytes);
	if (!r && differs)
		r = list_changes(plan, kind_of(p), rl_patch_site(p), p->length, change, new);
	return r;
}

static int plan_module(struct rl_plan *plan, struct rl_module *m, bool fresh)
{
	int r = 0;

	for (size_t i = 0; i < m->patch_count && !r; i++) {
		const struct relink_patch_record *p = &m->patches[i];

		if (is_usable(m, p) && !rl_is_baked_patch(p) && (fresh || is_concerned(plan->core, p)))
			r = plan_patch(plan, m, p, fresh);
	}
	return r;
}

int rl_plan_patches(struct rl_plan *plan)
{
	bool any = any_moves(plan);
	int r = 0;

	for (struct rl_module *m = plan->core->modules; m && !r; m = m->next) {
		bool fresh = plan->fresh && m == plan->arriving;

		if (m->patch_count && (any || fresh) && !m->patches_stale)
			r = plan_module(plan, m, fresh);
	}
	return r;
}

/* A prefix that is what it shall become anyway is no reason to refuse: threads must be able to start. */
static bool is_there(const struct rl_core *core, const struct relink_patch_record *p)
{
	return p->kind == RELINK_PATCH_LOCK && *(const uint8_t *)rl_patch_site(p) == core->port->lock[state_of(core->locks, true)];
}

static bool concerns_any(const struct rl_core *core, const struct rl_module *m)
{
	for (size_t i = 0; i < m->patch_count; i++)
		if (is_usable(m, &m->patches[i]) && is_concerned(core, &m->patches[i]) && !is_there(core, &m->patches[i]))
			return true;
	return false;
}

const struct rl_module *rl_stale_patches(const struct rl_core *core)
{
	for (const struct rl_module *m = core->modules; m; m = m->next)
		if (m->patches_stale && concerns_any(core, m))
			return m;
	return 0;
}

static bool failed_in(const struct rl_core *core, uintptr_t address, size_t length)
{
	return address < core->failed_at + core->failed_length && address + length > core->failed_at;
}

static bool has_failed(const struct rl_core *core, const struct relink_patch_record *p)
{
	return failed_in(core, rl_patch_site(p), p->length) ||
	       (p->kind == RELINK_PATCH_SEQUENCE && failed_in(core, rl_at_field(&use_of(p)->copy), RELINK_COPY_SIZE));
}

bool rl_failed_patch(const struct rl_plan *plan, const struct rl_choice **owner, const struct rl_module **module, uintptr_t *site)
{
	for (const struct rl_module *m = plan->core->modules; m; m = m->next)
		for (size_t i = 0; i < m->patch_count; i++) {
			const struct relink_patch_record *p = &m->patches[i];

			if (!is_usable(m, p) || !has_failed(plan->core, p) ||
			    !(is_concerned(plan->core, p) || (plan->fresh && m == plan->arriving)))
				continue;
			*owner = owner_of(plan->core, p);
			*module = m;
			*site = rl_patch_site(p);
			return true;
		}
	return false;
}

/* ---- listing ---- */

static bool arms_depend(const struct relink_arm *arm, const struct rl_choice *choice)
{
	for (;; arm++) {
		if ((arm->flags & RELINK_ARM_KEY) && key_of(arm) && key_of(arm)->owner == choice)
			return true;
		if (arm->flags & RELINK_ARM_LAST)
			return false;
	}
}

/* Without a choice: on features alone. */
static bool depends(const struct rl_core *core, const struct relink_patch_record *p, const struct rl_choice *choice)
{
	if (!choice)
		return p->kind == RELINK_PATCH_ALTERNATIVE && !owner_of(core, p);
	return p->kind == RELINK_PATCH_ALTERNATIVE ? arms_depend(arms_of(p), choice) : owner_of(core, p) == choice;
}

int rl_each_patch(const struct rl_core *core, const struct rl_choice *choice,
		  int (*visit)(const struct rl_module *module, const struct relink_patch_record *patch, void *ctx), void *ctx)
{
	int r = 0;

	for (const struct rl_module *m = core->modules; m && !r; m = m->next)
		for (size_t i = 0; i < m->patch_count && !r; i++)
			if (is_usable(m, &m->patches[i]) && depends(core, &m->patches[i], choice))
				r = visit(m, &m->patches[i], ctx);
	return r;
}

bool rl_patch_at(const struct rl_core *core, const struct rl_module *module, size_t i, const struct rl_choice **choice)
{
	if (!is_usable(module, &module->patches[i]))
		return false;
	*choice = owner_of(core, &module->patches[i]);
	return true;
}

bool rl_has_stale_patches(const struct rl_core *core, const struct rl_choice *choice)
{
	for (const struct rl_module *m = core->modules; m; m = m->next)
		for (size_t i = 0; m->patches_stale && i < m->patch_count; i++)
			if (is_usable(m, &m->patches[i]) && depends(core, &m->patches[i], choice))
				return true;
	return false;
}
