// test: NOT thread generic
/* SPDX-License-Identifier: MIT */
/*
 * Frames: a thread with a frame inside of code that is to change stops the commit, wherever that frame is: its pc, a
 * return address, what a signal handler interrupted, also on another stack than its own. The ranges are functions of
 * this test, declared to the runtime.
 */
#include <sys/mman.h>

#include "../../src/core/range.h"
#include "stop_subjects.h"

void rl_test_ranges(const struct rl_range *ranges, size_t count);

/* Assembly, so that each address is known: here a pc, there the return address. */
void busy_loop(volatile int *go);
void call_it(void (*body)(void *), void *argument);
void call_last(void (*body)(void *), void *argument);
extern const char busy_first[], busy_second[], busy_stop[], call_start[], call_return[], call_stop[], last_start[], last_stop[];

__asm__(".pushsection .text\n"
	".balign 16\n"
	"busy_loop:\n"
	"busy_first:\n"
	".rept 200; nop; .endr\n"
	"	mov (%rdi), %eax\n"
	"busy_second:\n"
	"	test %eax, %eax\n"
	"	jz busy_first\n"
	"busy_stop:\n"
	"	ret\n"
	".balign 16\n"
	"call_it:\n"
	"	push %rbx\n"
	"call_start:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	call *%rax\n"
	"call_return:\n"
	"	nop\n"
	"call_stop:\n"
	"	pop %rbx\n"
	"	ret\n"
	".balign 16\n"
	"call_last:\n"
	"	push %rbx\n"
	"last_start:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	call *%rax\n"
	"last_stop:\n"
	"	pop %rbx\n"
	"	ret\n"
	".popsection\n");

static struct rl_range range;

/* From `before` bytes in front of start. */
static void declare_more(const char *start, unsigned before, const char *stop, enum rl_range_kind kind)
{
	range = (struct rl_range){ (uintptr_t)start - before, (uintptr_t)stop, kind, false };
	rl_test_ranges(&range, 1);
}

static void declare(const char *start, const char *stop, enum rl_range_kind kind)
{
	declare_more(start, 0, stop, kind);
}

#define changes() changes_at(__LINE__)
static void changes_at(int line)
{
	bool on = !relink_key_enabled(first);
	int r = set_all(on, RELINK_STOP, &err);

	CHECKF(r == RELINK_OK, "line %d: %s", line, relink_error_text(&err));
	CHECK(all_are(on == (r == RELINK_OK)));
}

static void refused(pid_t thread)
{
	bool on = relink_key_enabled(first);

	int r, tries = 10;

	relink_stop_timeout(60);
	do /* on a busy machine nothing can be said about anybody now and then */
		r = set_all(!on, RELINK_STOP, &err);
	while (r == RELINK_E_STOP && strstr(err.text, "did not stop in time") && tries--);
	CHECK_CODE(r, RELINK_E_STOP, &err);
	CHECKF(names(&err, thread) && strstr(err.text, "inside"), "%s", err.text);
	CHECK(all_are(on));
	relink_stop_timeout(20000);
}

/* ---- the pc ---- */

static void loop(struct sleeper *s)
{
	say(&s->ready);
	busy_loop(&s->go);
}

static void test_pc(void)
{
	struct sleeper s;

	start_sleeper(&s, loop);
	sleep_for(0.01);
	/* A thread in the loop is elsewhere now and then: retried, that succeeds. */
	declare(busy_second, busy_stop, RL_RANGE_SEVERAL);
	changes();
	changes();
	declare_more(busy_first, 1, busy_stop, RL_RANGE_SEVERAL);
	refused(s.id);
	declare(busy_first, busy_stop, RL_RANGE_FUNCTION);
	refused(s.id);
	declare_more(busy_first, 8, busy_first, RL_RANGE_FUNCTION);
	changes();
	declare_more(busy_first, 8, busy_first, RL_RANGE_SEVERAL);
	changes();
	end_sleeper(&s);
	declare(busy_first, busy_stop, RL_RANGE_FUNCTION);
	changes();
}

/* ---- return addresses ---- */

static void wait_below(void *argument)
{
	struct sleeper *s = argument;

	say(&s->ready);
	while (!s->go)
		sleep_for(1e-3);
}

static void call_and_wait(struct sleeper *s)
{
	call_it(wait_below, s);
}

static void call_last_and_wait(struct sleeper *s)
{
	call_last(wait_below, s);
}

static void test_returns(void)
{
	struct sleeper s;

	start_sleeper(&s, call_and_wait);
	declare(call_start, call_stop, RL_RANGE_SEVERAL);
	refused(s.id);
	declare(call_start, call_stop, RL_RANGE_ONE); /* nothing returns into one instruction */
	changes();
	end_sleeper(&s);
	declare(call_start, call_stop, RL_RANGE_SEVERAL);
	changes();
	start_sleeper(&s, call_last_and_wait);
	declare(last_start, last_stop, RL_RANGE_SEVERAL); /* the call is the last instruction: all of it has run */
	changes();
	declare(last_start, last_stop + 1, RL_RANGE_FUNCTION); /* a call that never returns is */
	refused(s.id);
	end_sleeper(&s);
	changes();
}

/* ---- what handlers interrupt ---- */

static struct sleeper *in_handler;

static void wait_in_handler(int signal)
{
	(void)signal;
	say(&in_handler->ready);
	while (!in_handler->go)
		sleep_for(1e-3);
}

/* The handler's own stack is far from the thread's, in memory with nothing mapped behind it. */
static void loop_with_own_stack(struct sleeper *s)
{
	stack_t other = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };
	char *fence = malloc(1 << 16); /* the heap goes on */

	sigaltstack(&other, NULL);
	in_handler = s;
	__atomic_store_n(&s->result, 1, __ATOMIC_SEQ_CST);
	busy_loop(&s->error);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
	free(other.ss_sp);
	free(fence);
}

static void call_and_raise(void *argument)
{
	struct sleeper *s = argument;

	in_handler = s;
	raise(SIGUSR1);
}

static void raise_inside(struct sleeper *s)
{
	stack_t other = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };

	sigaltstack(&other, NULL);
	call_it(call_and_raise, s);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
	free(other.ss_sp);
}

static void start_in_handler(struct sleeper *s, void (*body)(struct sleeper *s), bool interrupted)
{
	memset(s, 0, sizeof(*s));
	s->body = body;
	CHECK(pipe(s->pipe) == 0 && pthread_create(&s->thread, NULL, run_sleeper, s) == 0);
	if (interrupted) {
		wait_for(&s->result);
		sleep_for(0.01);
		pthread_kill(s->thread, SIGUSR1);
	}
	wait_for(&s->ready);
}

static void test_handlers(int flags)
{
	struct sigaction a = { .sa_handler = wait_in_handler, .sa_flags = flags };
	struct sleeper s;

	sigaction(SIGUSR1, &a, NULL);
	start_in_handler(&s, loop_with_own_stack, true);
	declare_more(busy_first, 1, busy_stop, RL_RANGE_SEVERAL);
	refused(s.id);
	declare(busy_first, busy_stop, RL_RANGE_FUNCTION);
	refused(s.id);
	say(&s.error);
	end_sleeper(&s);
	changes();
	start_in_handler(&s, raise_inside, false);
	declare(call_start, call_stop, RL_RANGE_SEVERAL);
	refused(s.id);
	end_sleeper(&s);
	changes();
}

/* ---- a stack that the system has in several pieces ---- */

static void lock_and_wait(struct sleeper *s)
{
	char *page = (char *)(((uintptr_t)__builtin_frame_address(0) & -4096ul));

	/* The kernel splits a mapping where a part of it is locked, or has another advice. */
	madvise(page, 4096, MADV_DONTFORK);
	call_it(wait_below, s);
	madvise(page, 4096, MADV_DOFORK);
}

static void deep(void *argument)
{
	volatile char far[3 * 4096];

	far[0] = 1;
	wait_below(argument);
	far[1] = far[0];
}

static void split_stack(struct sleeper *s)
{
	char *page = (char *)(((uintptr_t)__builtin_frame_address(0) & -4096ul) - 4096);

	madvise(page, 4096, MADV_DONTFORK);
	call_it(deep, s);
	madvise(page, 4096, MADV_DOFORK);
}

static void test_split_stack(void)
{
	struct sleeper s;

	declare(call_start, call_stop, RL_RANGE_SEVERAL);
	start_sleeper(&s, lock_and_wait);
	refused(s.id);
	end_sleeper(&s);
	start_sleeper(&s, split_stack);
	refused(s.id);
	end_sleeper(&s);
	changes();
}

/* ---- the thread that commits ---- */

static void wait_here(struct sleeper *s)
{
	wait_below(s);
}

static void commit_inside(void *argument)
{
	(void)argument;
	refused((pid_t)syscall(SYS_gettid));
}

static void test_own_frames(void)
{
	struct sleeper s;

	start_sleeper(&s, wait_here);
	declare(call_start, call_stop, RL_RANGE_SEVERAL);
	call_it(commit_inside, NULL);
	changes();
	end_sleeper(&s);
}

static void test_foreign_stacks(void)
{
	struct sleeper s;

	CHECK_CODE(relink_declare(RELINK_FOREIGN_STACKS, &err), RELINK_OK, &err);
	start_sleeper(&s, loop);
	declare(call_start, call_stop, RL_RANGE_ONE);
	changes();
	declare(call_start, call_stop, RL_RANGE_SEVERAL);
	CHECK_CODE(set_all(!relink_key_enabled(first), RELINK_STOP, &err), RELINK_E_STOP, &err);
	CHECK(strstr(err.text, "RELINK_FOREIGN_STACKS"));
	end_sleeper(&s);
}

int main(void)
{
	relink_stop_timeout(20000);
	test_pc();
	test_returns();
	test_handlers(0);
	test_handlers(SA_ONSTACK);
	test_handlers(SA_ONSTACK | SA_NODEFER);
	test_split_stack();
	test_own_frames();
	test_foreign_stacks();
	return check_done();
}
