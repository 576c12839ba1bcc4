/* SPDX-License-Identifier: MIT */
/*
 * Prints for each site of its modules: module, address in the file, kind, choice, reason, its choice's or its use's state (- for
 * members of tables), and the bytes that are there; on standard error the states of choices, and the uses. Choices are set by RELINK
 * in the environment, or by arguments.
 *
 *	SUBJECT_TRAPS=1          every site can be changed, and is bound
 *	SUBJECT_TEXT=DIRECTORY   files with the code of the modules as it is in memory
 *	SUBJECT_WAIT=1           stays until its input ends
 *	SUBJECT_SET=name=state   asks for it at every level that a program has, and prints the answers
 */
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "subject.h"

RELINK_KEY_FALSE(trace, "\"quoted\", with a tab:\t and UTF-8: \xc3\xa9");
RELINK_KEY_TRUE(checks, "true by default", RELINK_NONFORCIBLE);
RELINK_KEY_ARRAY_FALSE(queues, 3, "an array");
RELINK_OPTION(idle, "what to do with nothing to do", halt, poll, sleep);
RELINK_IMMEDIATE(uint16_t, limit, 40000, "a number of 16 bits");
RELINK_IMMEDIATE(int, offset, -5, "a signed number");

static struct device { int id; struct relink_key_false debug; } device = { 1, RELINK_KEY_INIT_FALSE };

/* Numbers wrap: some settings make them large. */
static int plain(int x) { return (int)(2u * (unsigned)x); }
static int other(int x) { return (int)(2u * (unsigned)x + 1); }
static int fast(int x) { return (int)((unsigned)x << 1); }
static void hook_on(int *n) { ++*n; }

RELINK_DECLARE_CALL(int, hash, (int x));
RELINK_DECLARE_CALL(void, hook, (int *n));
RELINK_DEFINE_CALL(hash, plain, "a call", RELINK_FINAL);
RELINK_VARIANT(hash, other, .rank = -1);
RELINK_VARIANT(hash, fast, .needs = RELINK_CPU(sse4_2, avx2), .rank = -2);
RELINK_VARIANT_CONST(hash, seven, 7, .rank = -3);
RELINK_DEFINE_CALL_NULL(hook, "nothing by default");
RELINK_VARIANT(hook, hook_on, .rank = -1);

static int disk_read(int x) { return (int)((unsigned)x + 1); }
static void disk_write(int x) { (void)x; }
static long disk_same(long x) { return x + 2; }
static const struct store_ops disk = { disk_read, disk_write, disk_same };
RELINK_OP_CONST(store, read, nine, 9);
static const struct store_ops none = { nine, RELINK_OP_NOP(store, write), RELINK_OP_IDENTITY(store, same) };
RELINK_DEFINE_OPS(store, SUBJECT_OPS, disk, "a table");
RELINK_BACKEND(store, none, .rank = -1);

RELINK_SEQUENCE(add, "a sequence");
RELINK_TEMPLATE_2(add, twice, out, in1, "lea (%\\in1,%\\in1), %\\out", .rank = -1);
RELINK_TEMPLATE_1(add, long_one, out, "mov $0x1122334455667788, %\\out; nop; nop; nop; nop", .rank = -2);
static uint64_t add_function(uint64_t x) { return x + 5; }
RELINK_SEQUENCE_CALL(add, function, add_function, .rank = -3);

const char *choose_idle(const struct relink_facts *facts) { (void)facts; return NULL; }
RELINK_CHOOSE(idle, choose_idle);

int handle_all(int x) { return x + 7; }
int handle_none(int x) { return x - 7; }
struct codec { int id; int (*decode)(int); int (*encode)(int); };
RELINK_POINTER int (*handler)(int) = handle_all;
RELINK_POINTER_INFO(handler, "what handles", RELINK_FINAL);
RELINK_POINTER static struct codec codec = { 4, handle_none, handle_all };
RELINK_POINTER_INFO(codec, "a table", RELINK_FINAL | RELINK_NONFORCIBLE);
RELINK_POINTER int (*unlisted)(int) = handle_none; /* bound while the program has one thread, or not at all */
RELINK_POINTER int (*on_signal[4])(int);

__attribute__((format(printf, 1, 2), noinline)) static void log_line(const char *format, ...)
{
	__asm__ volatile("" : : "r"(format));
}
#define subject_log(format, ...) relink_log_here(trace, log_line, format, __VA_ARGS__)

static int counter;

static inline __attribute__((always_inline)) int noted(int x)
{
	return relink_here(checks, "inlined \"twice\"\t") ? x + 1 : x;
}

__attribute__((noinline)) static int uses(int x)
{
	if (x < 0)
		subject_log("%d is negative\n", x);
	if (relink_here_likely(queues[1], "an element"))
		x++;
	if (relink_here_at(&device.debug, "nobody names this key"))
		x += 2;
	return noted(x & 0xff) + 2 * noted(2 * (x & 0xff));
}

__attribute__((noinline)) static int pointer_tail(int x) { return handler(x + 1); }
__attribute__((noinline)) static int pointers(int x)
{
	x += codec.id;
	x += handler(x) + codec.decode(x) + 3 * codec.encode(x) + unlisted(x) + pointer_tail(x);
	if (on_signal[x & 3])
		x += on_signal[x & 3](x);
	return on_signal[2] ? on_signal[2](x) : x;
}

__attribute__((noinline)) static int tail(int x) { return hash((int)((unsigned)x + 1)); }
__attribute__((noinline)) static void conditional_tail(int x, int *n)
{
	if (x > 1)
		hook(n);
}

__attribute__((noinline)) static uint64_t sequence(uint64_t x)
{
	uint64_t y;

	relink_wrap(add, "lea 1(%[in1]), %[out]", RELINK_OREG(y), RELINK_IREG1(x), RELINK_CLOBBERS());
	return y;
}

__attribute__((noinline)) static int alternative(void)
{
	int x;

	RELINK_ALTERNATIVE_2("movl $1, %[x]", "movl $2, %[x]; nop", RELINK_WHEN_ON(trace), "movl $3, %[x]", RELINK_WHEN_OFF(checks),
			     RELINK_OUT([x] "=r"(x)), RELINK_IN(), RELINK_CLOBBERS());
	return x;
}

__attribute__((noinline)) static int feature(void)
{
	int x;

	RELINK_ALTERNATIVE("movl $1, %[x]", "movl $2, %[x]; nop; nop", RELINK_WHEN_HAS(never), RELINK_OUT([x] "=r"(x)), RELINK_IN(), RELINK_CLOBBERS());
	return x;
}

__attribute__((noinline)) static int look(int x)
{
	unsigned n = (unsigned)lib_look(x) + (unsigned)lib_call(x) + (relink_unlikely(lib_key) ? 1 : 0);
	int m;

	n += (unsigned)relink_immediate(lib_number);
	if (relink_unlikely(trace))
		n += 2;
	if (relink_likely(checks))
		n += 4;
	if (relink_unlikely(queues[1]) || relink_likely_at(&queues[2]) || relink_unlikely_at(&device.debug))
		n += 8;
	if (relink_option_is(idle, halt))
		n += 16;
	if (relink_option_is(idle, poll))
		n += 32;
	n += relink_immediate(limit) + (unsigned)relink_immediate(offset) + (unsigned)hash((int)n) + (unsigned)tail((int)n);
	n += (unsigned)alternative() + (unsigned)feature() + (unsigned)sequence(3);
	m = (int)n;
	hook(&m);
	conditional_tail(m, &m);
	store_write(store_read(m));
	relink_atomic_inc(&counter);
	return (int)((unsigned)m + (unsigned)store_same(m) + (unsigned)uses(m) + (unsigned)pointers(m & 0xff) + (lib_pointer ? (unsigned)lib_pointer(m & 0xff) : 0));
}

/* ---- what the runtime says ---- */

struct state { char choice[64], state[64]; };
static struct state states[256];
static size_t state_count;

static int keep_state(const struct relink_choice_info *info, void *unused)
{
	(void)unused;
	fprintf(stderr, "state %s %s\n", info->name, info->state ? info->state : "?");
	if (state_count < sizeof(states) / sizeof(*states)) {
		snprintf(states[state_count].choice, sizeof(states->choice), "%s", info->name);
		snprintf(states[state_count++].state, sizeof(states->state), "%s", info->state ? info->state : "?");
	}
	return 0;
}

struct use_state { uintptr_t address; int on; };
static struct use_state use_states[64];
static size_t use_count;

struct home { uintptr_t address, bias, room; };

static int find_home(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct home *home = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && home->address - start < p->p_memsz) {
			home->bias = info->dlpi_addr;
			home->room = start + p->p_memsz - home->address;
			return 1;
		}
	}
	return 0;
}

static int keep_use(const struct relink_use_info *info, void *unused)
{
	struct home home = { info->address, 0, 0 };

	(void)unused;
	dl_iterate_phdr(find_home, &home);
	fprintf(stderr, "use\t%s\t0x%" PRIxPTR "\t%s\t%s\t%u\t%s\t", info->module, info->address - home.bias, info->key, info->file,
		(unsigned)info->line, info->function);
	for (const char *s = info->text; *s; s++)
		fputs(*s == '\n' ? "\\n" : (char[]){ *s, '\0' }, stderr);
	fputc('\n', stderr);
	if (use_count < sizeof(use_states) / sizeof(*use_states))
		use_states[use_count++] = (struct use_state){ info->address, info->state };
	return 0;
}

static int print_site(const struct relink_site_info *info, void *unused)
{
	static const char *const kinds[] = { "branch", "call", "tail", "jcc", "trampoline", "lock", "immediate", "alternative", "sequence",
					      "pointer-call", "pointer-tail" };
	static const char *const ways[] = { "pointer-register", "pointer-got", "pointer-address" };
	struct home home = { info->address, 0, 0 };
	const char *state = "-", *kind = info->kind == RELINK_SITE_POINTER_USE ? ways[info->reason - RELINK_BY_REGISTER] : kinds[info->kind];

	(void)unused;
	dl_iterate_phdr(find_home, &home);
	for (size_t i = 0; i < state_count; i++)
		if (!strcmp(states[i].choice, info->choice))
			state = states[i].state;
	for (size_t i = 0; i < use_count; i++)
		if (use_states[i].address == info->address)
			state = use_states[i].on ? "on" : "off";
	printf("%s 0x%" PRIxPTR " %s %s %d %s ", info->module, info->address - home.bias, kind, *info->choice ? info->choice : "-",
	       info->reason, state);
	for (size_t i = 0; i < 32 && i < home.room; i++)
		printf("%02x", ((const volatile unsigned char *)info->address)[i]);
	putchar('\n');
	return 0;
}

/* ---- what a test wants besides ---- */

static int write_text(struct dl_phdr_info *info, size_t size, void *ctx)
{
	const char *slash = strrchr(info->dlpi_name, '/'), *name = *info->dlpi_name ? slash ? slash + 1 : info->dlpi_name : "app";
	char path[512];

	(void)size;
	if (strcmp(name, "app") && strcmp(name, "libsubject.so"))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		FILE *file;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		snprintf(path, sizeof(path), "%s/%s.%zu", (const char *)ctx, name, i);
		file = fopen(path, "w");
		if (!file || fwrite((const void *)(info->dlpi_addr + p->p_vaddr), 1, p->p_memsz, file) != p->p_memsz || fclose(file))
			return 1;
	}
	return 0;
}

static void answer(const char *who, int code, const struct relink_error *err)
{
	fprintf(stderr, "answer %s %s %s\n", who, relink_code_name(code), code ? relink_error_text(err) : "");
}

static void ask(const char *wish)
{
	const char *equals = strchr(wish, '=');
	char *name = equals ? strndup(wish, (size_t)(equals - wish)) : NULL;
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	if (!name)
		return;
	answer("list", relink_apply(wish, &err), &err);
	relink_set(&c, name, equals + 1);
	answer("program", relink_commit(&c, RELINK_LIVE, &err), &err);
	relink_force(&c, name, equals + 1);
	answer("force", relink_commit(&c, RELINK_LIVE, &err), &err);
	relink_force(&c, name, equals + 1);
	answer("stopped", relink_commit(&c, RELINK_STOP, &err), &err);
	relink_release(&c, name);
	answer("release", relink_commit(&c, RELINK_LIVE, &err), &err);
	free(name);
}

static int print_levels(const struct relink_choice_info *info, void *unused)
{
	(void)unused;
	fprintf(stderr, "decided %s %s%s\n", info->name, relink_level_name(info->decided_by), info->flags & RELINK_BAKED ? ", baked" : "");
	return 0;
}

static void report(void)
{
	struct relink_status s = { .size = sizeof(s) };

	relink_each_choice(print_levels, NULL);
	if (relink_get_status(&s) == 0)
		fprintf(stderr, "writes %llu, pending %u, %s\n%s", (unsigned long long)s.writes, s.pending, s.mode, s.notes);
}

/* What data and calls say: the first time before any constructor has run. */
static void look_at_data(const char *when)
{
	char line[200];
	int length = snprintf(line, sizeof(line), "%s %d %d %d %d %d %d\n", when, relink_key_enabled(trace), relink_key_enabled(queues[1]),
			      relink_option_state(idle), relink_immediate_value(limit), hash(1), store_read(1));

	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		abort();
}

/* Before the C library has its environment. */
static void look_early(int argc, char **argv, char **variables)
{
	(void)argc, (void)argv;
	for (; *variables; variables++)
		if (!strcmp(*variables, "SUBJECT_EARLY=1"))
			look_at_data("early");
}
__attribute__((section(".preinit_array"), used)) static void (*const first_of_all)(int, char **, char **) = look_early;

int main(int argc, char **argv)
{
	const char *text = getenv("SUBJECT_TEXT"), *wish = getenv("SUBJECT_SET");
	struct relink_error err;
	int result;

	if (argc > 1 && relink_init(&argc, argv, &err) < 0)
		fprintf(stderr, "init %s\n", relink_error_text(&err));
	if (getenv("SUBJECT_TRAPS") && relink_declare(RELINK_TRAPS, &err) < 0)
		fprintf(stderr, "traps %s\n", relink_error_text(&err));
	if (wish)
		ask(wish);
	result = look(1);
	fprintf(stderr, "result %d\n", result);
	look_at_data("late");
	report();
	if (result == 0 || (text && dl_iterate_phdr(write_text, (void *)(uintptr_t)text)))
		return 1;
	if (relink_pointers_commit(NULL) < 0)
		return 2;
	if (relink_each_choice(keep_state, NULL) || relink_each_use(keep_use, NULL) || relink_each_site(print_site, NULL))
		return 1;
	if (getenv("SUBJECT_WAIT")) {
		fflush(stdout);
		fprintf(stderr, "ready\n");
		while (getchar() != EOF)
			;
	}
	return 0;
}
