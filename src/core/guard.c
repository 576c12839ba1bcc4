/* SPDX-License-Identifier: MIT */
/*
 * guard.c - what the trap handler asks: is there a guard of ours, and was there ever one?
 *
 * Written under the runtime's lock, read without any, from signal handlers. Tables that became too small are left where they
 * are, since a handler may be reading them; sizes double, so that little is lost.
 */
#include "core/core.h"

#define ENOMEM_ 12

/* Addresses that carried int3 at some time: an open hash table. */
struct rl_known {
	struct rl_known *outgrown; /* never read: what is kept for ever should not look lost to a leak checker */
	size_t capacity, count;
	uintptr_t slots[];
};

static size_t first_slot(const struct rl_known *known, uintptr_t address)
{
	return (size_t)((uint64_t)address * 0x9e3779b97f4a7c15u >> 20) & (known->capacity - 1);
}

static void insert(struct rl_known *known, uintptr_t address)
{
	size_t i = first_slot(known, address);

	while (known->slots[i] && known->slots[i] != address)
		i = (i + 1) & (known->capacity - 1);
	known->count += !known->slots[i];
	__atomic_store_n(&known->slots[i], address, __ATOMIC_RELEASE);
}

static bool reserve_known(struct rl_core *core, size_t more)
{
	struct rl_known *old = core->known, *grown;
	size_t capacity = old ? old->capacity : 64, count = old ? old->count : 0;

	if (old && 2 * (count + more) <= capacity)
		return true;
	while (capacity < 2 * (count + more))
		capacity *= 2;
	grown = core->hooks->alloc(sizeof(*grown) + capacity * sizeof(*grown->slots));
	if (!grown)
		return false;
	grown->capacity = capacity;
	grown->outgrown = old;
	for (size_t i = 0; old && i < old->capacity; i++)
		if (old->slots[i])
			insert(grown, old->slots[i]);
	__atomic_store_n(&core->known, grown, __ATOMIC_RELEASE);
	return true;
}

int rl_guard_reserve(struct rl_core *core, size_t count)
{
	struct rl_change_record *grown;

	if (!reserve_known(core, count))
		return -ENOMEM_;
	if (count <= core->guard_capacity)
		return 0;
	grown = core->hooks->alloc((2 * count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM_;
	grown[2 * count].address = (uintptr_t)core->guards; /* as above */
	__atomic_store_n(&core->guards, grown, __ATOMIC_RELEASE);
	core->guard_capacity = 2 * count;
	return 0;
}

/* Word by word and atomically: a handler may look on; it finds out by the sequence that it did. */
static void copy_record(struct rl_change_record *to, const struct rl_change_record *from)
{
	typedef uint64_t __attribute__((may_alias)) word;
	const word *source = (const word *)from;
	word *target = (word *)to;

	_Static_assert(sizeof(*to) % sizeof(word) == 0, "records are copied by words");
	for (size_t i = 0; i < sizeof(*to) / sizeof(word); i++)
		__atomic_store_n(&target[i], __atomic_load_n(&source[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

void rl_guard_publish(struct rl_core *core, const struct rl_change_record *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].change == RL_SPLIT)
			insert(core->known, changes[i].address);
	__atomic_fetch_add(&core->guard_sequence, 1, __ATOMIC_ACQ_REL);
	for (size_t i = 0; i < count; i++)
		copy_record(&core->guards[i], &changes[i]);
	__atomic_store_n(&core->guard_count, count, __ATOMIC_RELAXED);
	__atomic_fetch_add(&core->guard_sequence, 1, __ATOMIC_RELEASE);
}

static uintptr_t address_of(const struct rl_change_record *guard)
{
	return __atomic_load_n(&guard->address, __ATOMIC_RELAXED);
}

bool rl_guard_find(struct rl_core *core, uintptr_t address, int *kind, uint8_t bytes[8])
{
	unsigned sequence = __atomic_load_n(&core->guard_sequence, __ATOMIC_ACQUIRE);
	const struct rl_change_record *guards = __atomic_load_n(&core->guards, __ATOMIC_ACQUIRE);
	size_t count = __atomic_load_n(&core->guard_count, __ATOMIC_RELAXED), low = 0, high = count;
	struct rl_change_record found;

	/* The table changes only while no int3 of ours stands anywhere, so whoever asks then has come late. */
	if (sequence & 1)
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (address_of(&guards[middle]) < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= count || address_of(&guards[low]) != address)
		return false;
	copy_record(&found, &guards[low]);
	*kind = found.kind;
	__builtin_memcpy(bytes, found.old, RL_SITE_MAX);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&core->guard_sequence, __ATOMIC_RELAXED) == sequence;
}

bool rl_guard_known(struct rl_core *core, uintptr_t address)
{
	const struct rl_known *known = __atomic_load_n(&core->known, __ATOMIC_ACQUIRE);
	uintptr_t slot;

	for (size_t i = known ? first_slot(known, address) : 0; known; i = (i + 1) & (known->capacity - 1)) {
		slot = __atomic_load_n(&known->slots[i], __ATOMIC_ACQUIRE);
		if (!slot || slot == address)
			return slot != 0;
	}
	return false;
}
