/* SPDX-License-Identifier: MIT */
/*
 * park.c - makes all other threads stand still: each waits in a signal handler until it may go on.
 *
 * The gate is a number: odd while threads are to wait. A handler publishes what it interrupted and waits until the gate
 * is even. Whoever has not left when it closes again still stands where it stood. Signals that arrive later, because a
 * thread had blocked them, find an even gate and return; or the next stop's. So the handler stays installed for good: a
 * signal that is still pending would kill the process without it.
 *
 * From the first signal to the opening of the gate, threads may hold any lock: nothing here allocates, locks or calls
 * libc then. Stopping is tried in slices that grow, with everybody running in between, so that one thread that can't be
 * stopped holds up the others for a moment and not for the whole time that was allowed.
 */
#include "../platform.h"
#include "park.h"

#include <errno.h>
#include <stdio.h>

#ifdef RL_X86_64

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define SLICE (25 * MS)     /* the first; each is twice as long as the one before */
#define LONGEST_SLICE (400 * MS)
#define RUN_SHARE 4            /* everybody runs for a part of each between two: who can't be stopped may wait for one of the others */
#define PATIENCE 16            /* slices that an attempt may take if nobody is stuck */
#define FEWEST_PASSES 4        /* that an attempt has in any case */
#define PASS (MS / 2)       /* between two looks at the list of threads */
#define OVERDUE (5 * MS)    /* after this long a signal may have been lost with its thread */
#define SHORTEST_RUN (MS / 50) /* that who is let go has outside of the handler */
#define LONGEST_RUN MS
#define LONGEST_TURN (5 * MS)  /* that threads have for themselves between two stops */

/* ---- threads ---- */

enum fitness { FIT, BLOCKS, GONE };

struct slot {
	int32_t thread; /* 0: free */
	uint32_t in_flight; /* a signal is on its way */
	uint32_t released; /* it may leave although the gate is closed */
	uint32_t standing; /* in the handler: it goes on only after it has withdrawn this and then found the gate open */
	uint32_t seen; /* the pass of the list that it was in last */
	uint32_t looked; /* the attempt that looked at its state */
	uint32_t left;   /* the proof that has found it outside */
	bool inside;     /* when frames were looked at last: it was let go */
	enum fitness fit;
	char state;      /* then */
	uint64_t sent_at;
	const ucontext_t *context;
	uintptr_t tcb;
};

#define FIRST_CHUNK 64
#define CHUNKS 20

static struct slot first_slots[FIRST_CHUNK];

static struct {
	uint32_t gate, arrivals; /* futexes */
	int32_t process; /* a fork's child starts afresh */
	uint64_t mask;   /* the caller's */
	struct rl_park_signal signal;
	struct slot *chunks[CHUNKS]; /* each twice as large as the one before; never freed: a late signal names its slot */
	size_t chunk_count, used, cursor;
	uint32_t pass, attempt, proof;
	uint64_t stopped_at, resumed_at;
	struct rl_tasks tasks;
} park = { .chunks = { first_slots }, .chunk_count = 1 };

/* What a pass over the list has found. */
struct pass {
	long listed;
	unsigned waiting;
	unsigned stuck;     /* of those: not only delayed */
	unsigned ended;     /* listed, but dead */
	struct slot *first; /* of the waiting */
	bool full;          /* no slot for a thread */
	bool whole;         /* nobody is missing in the list */
};

RL_RAW static struct slot *slot_at(size_t i)
{
	size_t chunk = 0;

	while (i >= (size_t)FIRST_CHUNK << chunk)
		i -= (size_t)FIRST_CHUNK << chunk++;
	return &park.chunks[chunk][i];
}

RL_RAW static size_t room(void)
{
	return FIRST_CHUNK * (((size_t)1 << park.chunk_count) - 1);
}

/* While nobody stands still. */
static void make_room(size_t threads)
{
	while (room() < 2 * threads && park.chunk_count < CHUNKS) {
		void *memory = mmap(NULL, sizeof(struct slot) * (FIRST_CHUNK << park.chunk_count), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return;
		park.chunks[park.chunk_count++] = memory;
	}
}

RL_RAW static struct slot *free_slot(void)
{
	for (size_t i = 0; i < park.used; i++)
		if (!slot_at(i)->thread)
			return slot_at(i);
	return park.used < room() ? slot_at(park.used++) : NULL;
}

/* The list keeps its order, so that the next one is almost always where it was. */
RL_RAW static struct slot *slot_of(int32_t thread)
{
	struct slot *slot;

	for (size_t i = 0; i < park.used; i++) {
		park.cursor = park.cursor + 1 < park.used ? park.cursor + 1 : 0;
		slot = slot_at(park.cursor);
		if (slot->thread == thread)
			return slot;
	}
	slot = free_slot();
	if (slot)
		*slot = (struct slot){ .thread = thread };
	return slot;
}

/* A slot must not be given away while a thread stands in it: the list alone is no proof that it has gone. */
RL_RAW static void drop_vanished(void)
{
	for (size_t i = 0; i < park.used; i++) {
		struct slot *slot = slot_at(i);

		if (slot->thread && slot->seen != park.pass &&
		    rl_syscall(SYS_tgkill, park.process, slot->thread, 0, 0) == -ESRCH)
			slot->thread = 0;
	}
}

/* ---- the handler ---- */

RL_RAW static int32_t self(void)
{
	return (int32_t)rl_syscall(SYS_gettid, 0, 0, 0, 0);
}

/* Anybody may send a signal; only ours bring one of our slots. */
RL_RAW static struct slot *slot_of_signal(const siginfo_t *info)
{
	uintptr_t address = (uintptr_t)info->si_value.sival_ptr;

	if (info->si_code != SI_QUEUE)
		return NULL;
	for (size_t i = 0; i < park.chunk_count; i++) {
		uintptr_t offset = address - (uintptr_t)park.chunks[i];

		if (offset < sizeof(struct slot) * (FIRST_CHUNK << i) && offset % sizeof(struct slot) == 0)
			return (struct slot *)address;
	}
	return NULL;
}

RL_RAW static void wait_while(uint32_t *futex, uint32_t value, uint64_t most)
{
	struct timespec limit = { (time_t)(most / (1000 * MS)), (long)(most % (1000 * MS)) };

	rl_syscall(SYS_futex, (long)futex, FUTEX_WAIT_PRIVATE, (long)value, most ? (long)&limit : 0);
}

RL_RAW static void arrive(struct slot *slot)
{
	__atomic_store_n(&slot->standing, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&park.arrivals, 1, __ATOMIC_RELEASE);
	rl_syscall(SYS_futex, (long)&park.arrivals, FUTEX_WAKE_PRIVATE, 1, 0);
}

RL_RAW static bool is_released(const struct slot *slot)
{
	return __atomic_load_n(&slot->released, __ATOMIC_SEQ_CST);
}

/*
 * First that we stand, then the gate; the other side in the other order: one of both sees the other. The gate may close
 * again between our last two looks at it. Then we have been taken for standing and stand again, with nothing run in
 * between; so our context is good from the first arrival on, also while `standing` is withdrawn.
 */
RL_RAW static void stand_still(struct slot *slot, const void *context)
{
	uint32_t gate;

	slot->context = context;
	rl_syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, (long)&slot->tcb, 0, 0);
	__atomic_store_n(&slot->released, 0, __ATOMIC_SEQ_CST); /* if the gate was opened before the last one was used */
	/* Who neither stands nor has a signal on its way is sent one, and would take that as soon as it leaves. */
	__atomic_store_n(&slot->standing, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->in_flight, 0, __ATOMIC_SEQ_CST);
	do {
		arrive(slot);
		while ((gate = __atomic_load_n(&park.gate, __ATOMIC_SEQ_CST)) & 1 && !is_released(slot))
			wait_while(&park.gate, gate, 0);
		__atomic_store_n(&slot->standing, 0, __ATOMIC_SEQ_CST);
		if (__atomic_exchange_n(&slot->released, 0, __ATOMIC_SEQ_CST))
			break;
	} while (__atomic_load_n(&park.gate, __ATOMIC_SEQ_CST) & 1);
	rl_serialise();
}

RL_RAW static void on_park(int signal, siginfo_t *info, void *context)
{
	struct slot *slot = slot_of_signal(info);

	if (!slot) {
		rl_signal_chain(signal, info, context, &park.signal.previous);
		__asm__ volatile("" : : : "memory"); /* not a tail call: whom we call must not return to our restorer */
		return;
	}
	if (slot->thread == self()) /* else it was taken for dead, and its slot given away */
		stand_still(slot, context);
}

/* ---- stopping ---- */

RL_RAW static uint64_t now(void)
{
	struct timespec t = { 0, 0 };

	rl_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0, 0);
	return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

RL_RAW static void sleep_for(uint64_t time)
{
	struct timespec t = { (time_t)(time / (1000 * MS)), (long)(time % (1000 * MS)) };

	rl_syscall(SYS_nanosleep, (long)&t, 0, 0, 0);
}

/* A signal that was sent to a thread which has gone is lost, and its number may have been given to another. */
RL_RAW static void look(struct slot *slot, struct rl_task_state *state)
{
	uint64_t ours = RL_SIGNAL_BIT(park.signal.number);

	rl_task_look(slot->thread, state);
	slot->looked = park.attempt;
	slot->state = state->state;
	slot->fit = state->state == 'Z' || state->state == 'X' ? GONE : state->blocked & ours ? BLOCKS : FIT;
	if (state->state && !(state->pending & ours))
		__atomic_store_n(&slot->in_flight, 0, __ATOMIC_SEQ_CST);
}

RL_RAW static void send(struct slot *slot)
{
	siginfo_t info;
	long error;

	__builtin_memset(&info, 0, sizeof(info));
	info.si_signo = park.signal.number;
	info.si_code = SI_QUEUE;
	info.si_pid = park.process;
	info.si_value.sival_ptr = slot;
	slot->sent_at = now();
	__atomic_store_n(&slot->in_flight, 1, __ATOMIC_SEQ_CST);
	error = rl_syscall(SYS_rt_tgsigqueueinfo, park.process, slot->thread, park.signal.number, (long)&info);
	if (error < 0)
		__atomic_store_n(&slot->in_flight, 0, __ATOMIC_SEQ_CST);
	if (error == -ESRCH)
		slot->fit = GONE;
}

/* Before the gate closes: who will stop, and who can't. */
RL_RAW static void look_ahead(int32_t thread, void *ctx)
{
	struct rl_task_state state;
	struct slot *slot = thread == self() ? NULL : slot_of(thread);

	(void)ctx;
	if (slot && !__atomic_load_n(&slot->standing, __ATOMIC_SEQ_CST))
		look(slot, &state);
}

RL_RAW static bool is_overdue(const struct slot *slot)
{
	return __atomic_load_n(&slot->in_flight, __ATOMIC_SEQ_CST) && now() - slot->sent_at > OVERDUE;
}

RL_RAW static void await(struct slot *slot, struct pass *pass)
{
	if (!pass->waiting++)
		pass->first = slot;
}

RL_RAW static void stop_one(struct slot *slot, struct pass *pass)
{
	bool standing = __atomic_load_n(&slot->standing, __ATOMIC_SEQ_CST);
	struct rl_task_state state;

	if (standing && !is_released(slot))
		return;
	if (standing) { /* a signal now would be taken before the thread has run one instruction */
		await(slot, pass);
		return;
	}
	if (slot->looked != park.attempt || slot->fit != FIT || is_overdue(slot))
		look(slot, &state);
	if (slot->fit == FIT && !__atomic_load_n(&slot->in_flight, __ATOMIC_SEQ_CST))
		send(slot);
	if (slot->fit == GONE) {
		pass->ended++;
		return;
	}
	await(slot, pass);
	pass->stuck += slot->fit == BLOCKS || (slot->state && slot->state != 'R' && slot->state != 'S');
}

RL_RAW static void visit(int32_t thread, void *ctx)
{
	struct pass *pass = ctx;
	struct slot *slot;

	if (thread == self())
		return;
	slot = slot_of(thread);
	if (!slot) {
		pass->full = true;
		return;
	}
	slot->seen = park.pass;
	stop_one(slot, pass);
}

/* Are those who were listed as dead still in the list? The first thread of a process is, until the process ends. */
RL_RAW static bool are_still_listed(const struct pass *pass)
{
	struct rl_task_state state;

	for (size_t i = 0; i < park.used && pass->ended; i++) {
		struct slot *slot = slot_at(i);

		if (!slot->thread || slot->seen != park.pass || slot->fit != GONE)
			continue;
		rl_task_look(slot->thread, &state);
		if (state.state != 'Z' && state.state != 'X')
			return false;
	}
	return true;
}

/*
 * Is the list what the kernel counts? A thread that leaves the list while it is read moves the others up, so that one may
 * be hidden behind where the reading goes on, and the dead one makes up for it in the count.
 */
RL_RAW static bool is_whole(const struct pass *pass)
{
	return pass->listed == (long)rl_tasks_count(&park.tasks) && are_still_listed(pass);
}

RL_RAW static void go_through(struct pass *pass)
{
	*pass = (struct pass){ 0 };
	park.pass++;
	pass->listed = rl_tasks_each(&park.tasks, visit, pass);
	pass->whole = is_whole(pass);
	if (pass->whole)
		drop_vanished();
}

RL_RAW static void describe(const struct pass *pass, struct rl_trouble *trouble)
{
	trouble->what = pass->listed < 0 ? RL_NO_LIST : pass->full ? RL_FULL : pass->waiting ? RL_WAITING : RL_CHANGING;
	trouble->error = pass->listed;
	if (pass->waiting) {
		trouble->thread = pass->first->thread;
		trouble->others = pass->waiting - 1;
		rl_task_look(trouble->thread, &trouble->state);
	}
}

/* How long one attempt may take: while there are threads that may never stop, and while all that are missed wait for a
 * processor. */
struct limits {
	uint64_t soon, late;
};

/* The first passes may have taken long because others had the processors: those stand still now. */
RL_RAW static bool is_over(const struct limits *limits, const struct pass *pass, int passes)
{
	return passes >= FEWEST_PASSES && now() >= (pass->stuck ? limits->soon : limits->late);
}

/*
 * Everybody stands still once two passes in a row have found nobody who does not. Who stands neither ends nor makes
 * threads, and was not doing so when it was seen: if all who are listed stand, or are dead and still listed, and are as
 * many as the kernel counts after that, nobody can have been hidden. Nor has anybody been let go since: that is done
 * between two of these. The second pass is for kernels that count before they list.
 */
RL_RAW static bool gather(struct limits limits, struct rl_trouble *trouble)
{
	bool before = false;
	struct pass pass;

	for (int passes = 1;; passes++) {
		uint32_t arrivals = __atomic_load_n(&park.arrivals, __ATOMIC_ACQUIRE);
		bool all;

		go_through(&pass);
		all = pass.listed > 0 && !pass.waiting && !pass.full && pass.whole;
		if (all && before)
			return true;
		before = all;
		if (pass.listed <= 0 || pass.full || (!all && is_over(&limits, &pass, passes)))
			break;
		if (!all)
			wait_while(&park.arrivals, arrivals, PASS);
	}
	describe(&pass, trouble);
	return false;
}

RL_RAW static void close_gate(void)
{
	park.stopped_at = now();
	__atomic_fetch_add(&park.gate, 1, __ATOMIC_SEQ_CST);
}

RL_RAW static void open_gate(void)
{
	park.resumed_at = now();
	__atomic_fetch_add(&park.gate, 1, __ATOMIC_SEQ_CST);
	rl_syscall(SYS_futex, (long)&park.gate, FUTEX_WAKE_PRIVATE, INT32_MAX, 0);
}

/* ---- frames ---- */

RL_RAW static bool is_inside(const struct rl_stack_walk *walk, int32_t thread, const struct rl_ranges *ranges,
			     struct rl_trouble *trouble)
{
	if (!rl_frames_inside(walk, ranges, &trouble->frame))
		return false;
	trouble->what = RL_INSIDE;
	trouble->thread = thread;
	rl_task_look(thread, &trouble->state);
	return true;
}

/* It may run on until it is outside, while the others stand still. If it waits for one of them, the next attempt lets
 * all run. */
RL_RAW static void let_go(struct slot *slot)
{
	slot->looked = 0;
	slot->inside = true;
	__atomic_store_n(&slot->released, 1, __ATOMIC_SEQ_CST);
}

/* The caller's own frames stay where they are. */
RL_RAW static bool caller_inside(const struct rl_ranges *ranges, uintptr_t caller, struct rl_trouble *trouble)
{
	struct rl_stack_walk own = { .sp = caller };

	if (!ranges->frames || !caller)
		return false;
	rl_syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, (long)&own.tcb, 0, 0);
	trouble->own = is_inside(&own, self(), ranges, trouble);
	return trouble->own;
}

/* Everybody whom the last pass has listed. `standing` says nothing here: it is withdrawn for a moment by who has seen
 * the gate open and has not yet seen that it has closed again. */
RL_RAW static bool is_parked(const struct slot *slot)
{
	return slot->thread && slot->seen == park.pass && slot->fit != GONE;
}

/* `proof`: who was once seen outside needs no second look. */
RL_RAW static bool others_inside(const struct rl_ranges *ranges, uint32_t proof, struct rl_trouble *trouble)
{
	unsigned inside = 0;

	for (size_t i = 0; i < park.used; i++) {
		struct slot *slot = slot_at(i);
		struct rl_stack_walk walk = { .context = slot->context, .tcb = slot->tcb };

		slot->inside = false;
		if (!is_parked(slot) || (proof && slot->left == proof))
			continue;
		if (!is_inside(&walk, slot->thread, ranges, trouble)) {
			slot->left = proof;
			continue;
		}
		inside++;
		if (!proof)
			let_go(slot);
	}
	if (inside && !proof)
		rl_syscall(SYS_futex, (long)&park.gate, FUTEX_WAKE_PRIVATE, INT32_MAX, 0);
	return inside != 0;
}

RL_RAW static bool look_at_frames(const struct rl_ranges *ranges, uintptr_t caller, uint32_t proof, struct rl_trouble *trouble)
{
	if (!ranges->count)
		return true;
	if (ranges->frames && !rl_frames_begin()) {
		trouble->what = RL_NO_MAPS;
		return false;
	}
	return !others_inside(ranges, proof, trouble) && !caller_inside(ranges, caller, trouble);
}

/* Has it been let go, and not left the handler yet? Until then it would take the next signal at once. */
RL_RAW static bool is_leaving(struct slot *slot)
{
	struct rl_task_state state;

	if (!slot->inside)
		return false;
	if (__atomic_load_n(&slot->standing, __ATOMIC_SEQ_CST))
		return true;
	look(slot, &state);
	slot->looked = 0;
	return slot->fit == BLOCKS;
}

/*
 * Those who were let go must come forward before they are sent the next signal. To have left the handler is not enough:
 * a sleep that a signal cuts short is resumed with a remainder that the kernel has rounded up by its timer slack, 50 us,
 * so that a thread which sleeps for less in between sleeps longer and longer.
 */
RL_RAW static void let_run(uint64_t time, uint64_t end)
{
	for (size_t i = 0; i < park.used; i++)
		while (is_leaving(slot_at(i)) && now() < end)
			sleep_for(SHORTEST_RUN);
	sleep_for(time);
}

/* ---- attempts ---- */

/* Who stops threads again and again must let them run in between, for as long as they had to wait. */
RL_RAW static void give_turn(void)
{
	uint64_t turn = park.resumed_at - park.stopped_at, had = now() - park.resumed_at;

	turn = turn < LONGEST_TURN ? turn : LONGEST_TURN;
	if (had < turn)
		sleep_for(turn - had);
}

RL_RAW static bool is_delayed(const struct rl_task_state *state)
{
	return !rl_park_blocked(state, park.signal.number) && (state->state == 'R' || state->state == 'S');
}

/* What is said in the end: what can be helped, rather than that the machine was busy just then. */
RL_RAW static int weight(const struct rl_trouble *t)
{
	if (t->what == RL_INSIDE)
		return 3;
	return t->what == RL_WAITING && !is_delayed(&t->state) ? 2 : 1;
}

RL_RAW static void remember(struct rl_trouble *worst, const struct rl_trouble *trouble)
{
	if (worst->what == RL_NO_TROUBLE || weight(trouble) >= weight(worst))
		*worst = *trouble;
}

/* Until everybody stands still outside. In a proof nobody is helped out: one look is enough. */
RL_RAW static bool gather_outside(const struct rl_stop *stop, struct limits limits, struct rl_trouble *trouble)
{
	uint64_t run = SHORTEST_RUN;

	while (gather(limits, trouble)) {
		trouble->what = RL_NO_TROUBLE;
		if (look_at_frames(stop->ranges, stop->caller, stop->proof, trouble))
			return true;
		if (trouble->what != RL_INSIDE || trouble->own || stop->proof || now() >= limits.soon)
			return false;
		let_run(run, limits.soon);
		run = 2 * run < LONGEST_RUN ? 2 * run : LONGEST_RUN;
	}
	return false;
}

/* True: everybody stands still, outside. False: everybody runs. */
RL_RAW static bool attempt(const struct rl_stop *stop, struct limits limits, struct rl_trouble *trouble)
{
	trouble->error = rl_tasks_open(&park.tasks);
	trouble->what = RL_NO_LIST;
	if (trouble->error < 0)
		return false;
	park.attempt++;
	park.cursor = 0;
	rl_tasks_each(&park.tasks, look_ahead, NULL);
	close_gate();
	if (gather_outside(stop, limits, trouble)) {
		rl_tasks_close(&park.tasks);
		return true;
	}
	open_gate();
	rl_tasks_close(&park.tasks);
	return false;
}

static bool is_hopeless(const struct rl_trouble *trouble)
{
	return trouble->what == RL_NO_LIST || trouble->what == RL_NO_MAPS || trouble->own;
}

/* The last is not cut off so short that it would be in vain. */
RL_RAW static uint64_t end_of_attempt(uint64_t start, uint64_t slice, uint64_t end)
{
	if (start + slice < end)
		return start + slice;
	return start + SLICE < end ? end : start + SLICE;
}

RL_RAW static struct limits limits_of(uint64_t slice, uint64_t end)
{
	uint64_t start = now();

	return (struct limits){ end_of_attempt(start, slice, end), end_of_attempt(start, PATIENCE * slice, end) };
}

static bool try_until(const struct rl_stop *stop, uint64_t end, struct rl_trouble *worst)
{
	uint64_t slice = SLICE;

	for (;;) {
		struct rl_trouble trouble = { .what = RL_NO_TROUBLE };

		give_turn();
		if (attempt(stop, limits_of(slice, end), &trouble))
			return true;
		remember(worst, &trouble);
		if (is_hopeless(&trouble) || now() >= end)
			return false;
		if (trouble.what == RL_FULL)
			make_room(room());
		sleep_for(slice / RUN_SHARE);
		slice = 2 * slice < LONGEST_SLICE ? 2 * slice : LONGEST_SLICE;
	}
}

/* ---- for the runtime ---- */

static void start_afresh_after_fork(void)
{
	int32_t process = (int32_t)rl_syscall(SYS_getpid, 0, 0, 0, 0);

	if (park.process == process)
		return;
	for (size_t i = 0; i < park.used; i++)
		*slot_at(i) = (struct slot){ 0 };
	park.used = 0;
	park.gate &= ~1u;
	park.process = process;
}

/* Opens the list once, for the choice of a signal, and counts. */
static int make_ready(const struct rl_stop *stop, struct rl_trouble *trouble)
{
	int error;

	start_afresh_after_fork();
	trouble->error = rl_tasks_open(&park.tasks);
	if (trouble->error < 0)
		return (int)trouble->error;
	make_room(rl_tasks_count(&park.tasks) + FIRST_CHUNK / 4);
	error = rl_park_install(&park.tasks, on_park, &park.signal);
	rl_tasks_close(&park.tasks);
	if (!error && stop->ranges->frames && !rl_frames_prepare())
		trouble->what = RL_FULL, error = -ENOMEM;
	return error;
}

int rl_park(const struct rl_stop *stop, char *why, size_t size)
{
	uint64_t mask = ~RL_SYNCHRONOUS, end = now() + stop->timeout_ms * MS;
	struct rl_trouble trouble = { .what = RL_NO_LIST };
	int error = make_ready(stop, &trouble);

	if (error == -EBUSY)
		snprintf(why, size, "all real-time signals are in use, and one is needed to stop threads");
	else if (error)
		rl_park_say(&trouble, park.signal.number, why, size);
	if (error)
		return error;
	trouble.what = RL_NO_TROUBLE;
	rl_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, (long)&park.mask, sizeof(mask));
	if (try_until(stop, end, &trouble))
		return 0;
	rl_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&park.mask, 0, sizeof(mask));
	rl_park_say(&trouble, park.signal.number, why, size);
	stop->ranges->inside = trouble.what == RL_INSIDE ? trouble.frame.range : NULL;
	return trouble.what == RL_INSIDE ? -EAGAIN : -ETIMEDOUT;
}

RL_RAW void rl_resume(void)
{
	open_gate();
	rl_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&park.mask, 0, sizeof(park.mask));
}

uint32_t rl_proof(void)
{
	return ++park.proof ? park.proof : ++park.proof;
}

#else

int rl_park(const struct rl_stop *stop, char *why, size_t size)
{
	(void)stop;
	snprintf(why, size, "threads can't be stopped on this architecture");
	return -ENOSYS;
}

void rl_resume(void)
{
}

uint32_t rl_proof(void)
{
	return 1;
}

#endif
