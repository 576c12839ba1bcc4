// test: SOURCES behaviour/golden/target.c VARIANTS "-O0" "-O2" "-Os" "-O2 -fPIC" "-O2 -fcf-protection" NOT generic address undefined thread
/* SPDX-License-Identifier: MIT */
/*
 * Golden code: a function whose static calls are bound has the bytes that the compiler emits for direct calls; a key that is off
 * is one instruction; a trampoline that is bound is one jump. Compared as bytes, and once more as objdump reads them.
 */
#include "check.h"
#include "calls/decode_x86_64.h"
#include "golden/target.h"

RELINK_DECLARE_CALL(int, call_int, (int n));
RELINK_DECLARE_CALL(double, call_double, (double x, struct golden_pair p));
RELINK_DECLARE_CALL(void, call_void, (int *n));
RELINK_DECLARE_CALL(int, call_const, (int n));

static int other_int(int n) { return n; }
RELINK_DEFINE_CALL(call_int, golden_int, "final: all sites are bound", RELINK_FINAL);
RELINK_VARIANT(call_int, other_int, .rank = -1);
RELINK_DEFINE_CALL(call_double, golden_double, "final, floating point and a struct", RELINK_FINAL);
RELINK_DEFINE_CALL(call_void, golden_void, "final, no result", RELINK_FINAL);
RELINK_DEFINE_CALL(call_const, golden_int, "final, a constant", RELINK_FINAL);
RELINK_VARIANT_CONST(call_const, answer, 42, .rank = 1);
RELINK_KEY_FALSE(off_key, "false");
RELINK_KEY_TRUE(on_key, "true");

/* ---- functions in sections of their own, so that their bytes are known to the last ---- */

#define ALONE(name) __attribute__((noinline, aligned(32), section("golden_" #name)))
#define EXTENT(name) \
	extern const uint8_t __start_golden_##name[], __stop_golden_##name[]; \
	__attribute__((unused)) static size_t size_of_##name(void) { return (size_t)(__stop_golden_##name - __start_golden_##name); }
#define TWICE(name, body, with_static, with_direct) \
	ALONE(name##_static) body(name##_static, with_static) \
	ALONE(name##_direct) body(name##_direct, with_direct) \
	EXTENT(name##_static) EXTENT(name##_direct)

#define INT_BODY(name, callee) \
	int name(int n); \
	int name(int n) \
	{ \
		int first = callee(n + 1); \
		if (first > 100) \
			return callee(first) + callee(n); \
		for (int i = 0; i < n; i++) \
			first += callee(i); \
		return callee(-first); \
	}
#define DOUBLE_BODY(name, callee) \
	double name(double x, long a); \
	double name(double x, long a) \
	{ \
		struct golden_pair p = { a, a + 1 }; \
		double sum = callee(x, p); \
		p.a += (long)sum; \
		return sum * callee(x + x, p); \
	}
#define VOID_BODY(name, callee) \
	void name(int *n); \
	void name(int *n) \
	{ \
		callee(n); \
		if (*n > 3) \
			callee(n); \
		callee(n); \
	}
TWICE(ints, INT_BODY, call_int, golden_int)
TWICE(doubles, DOUBLE_BODY, call_double, golden_double)
TWICE(voids, VOID_BODY, call_void, golden_void)

ALONE(const_static) int const_static(int n);
ALONE(const_static) int const_static(int n) { return call_const(n) + 1; }

/* ---- byte by byte ---- */

static bool is_branch(const uint8_t *b, size_t *length)
{
	*length = b[0] == 0x0f ? 6 : 5;
	return b[0] == 0xe8 || b[0] == 0xe9 || (b[0] == 0x0f && (b[1] & 0xf0) == 0x80);
}

/* The same instruction to the same function. */
static bool same_destination(const uint8_t *a, const uint8_t *b, size_t length, uintptr_t target)
{
	return !memcmp(a, b, length - 4) && leads_to(a + length - 4) == leads_to(b + length - 4) &&
	       leads_to(a + length - 4) == target;
}

/* How many calls both have; -1 if the functions differ. */
static int compare(const uint8_t *a, const uint8_t *b, size_t size, uintptr_t target)
{
	size_t length;
	int calls = 0;

	for (size_t i = 0; i < size;) {
		if (is_branch(a + i, &length) && i + length <= size && same_destination(a + i, b + i, length, target)) {
			calls++;
			i += length;
		} else if (a[i] == b[i]) {
			i++;
		} else {
			return -1;
		}
	}
	return calls;
}

#define CHECK_SAME(name, target, at_least) do { \
	int calls_; \
	CHECKF(size_of_##name##_static() == size_of_##name##_direct(), "%s: %zu bytes, %zu with direct calls", #name, \
	       size_of_##name##_static(), size_of_##name##_direct()); \
	calls_ = compare(__start_golden_##name##_static, __start_golden_##name##_direct, size_of_##name##_static(), \
			 (uintptr_t)(target)); \
	CHECKF(calls_ >= (at_least), "%s: %d calls are as the compiler's", #name, calls_); } while (0)

static void test_same_bytes(void)
{
	CHECK_SAME(ints, golden_int, 4);
	CHECK_SAME(doubles, golden_double, 2);
	CHECK_SAME(voids, golden_void, 2);
	CHECK(ints_static(3) == ints_direct(3) && doubles_static(2, 3) == doubles_direct(2, 3));
}

/* ---- keys: a function with a key that is off has one instruction more, where compilers keep the rest as it was ---- */

#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define EXACT 1
#else
#define EXACT 0
#endif

#define PLAIN_BODY(n) return 5 * (n) + 3
ALONE(plain) int plain(int n);
ALONE(plain) int plain(int n) { PLAIN_BODY(n); }
ALONE(with_off) int with_off(int n);
ALONE(with_off) int with_off(int n)
{
	if (relink_unlikely(off_key))
		return golden_slow(n);
	PLAIN_BODY(n);
}
ALONE(with_on) int with_on(int n);
ALONE(with_on) int with_on(int n)
{
	if (!relink_likely(on_key))
		return golden_slow(n);
	PLAIN_BODY(n);
}
EXTENT(plain)
EXTENT(with_off)
EXTENT(with_on)

#if EXACT
/* Where the two start to differ. */
static size_t common(const uint8_t *a, const uint8_t *b, size_t size)
{
	size_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	return i;
}

/* One instruction of five bytes in front of what is otherwise the same. The end of `plain` may be padding. */
static void check_one_more(const uint8_t *keyed, const uint8_t *without, size_t size, uint8_t opcode)
{
	size_t at = common(keyed, without, size), rest;

	while (size && (without[size - 1] == 0x90 || without[size - 1] == 0xcc))
		size--;
	CHECKF(keyed[at] == opcode, "the instruction is %02x, want %02x", keyed[at], opcode);
	rest = common(keyed + at + 5, without + at, size - at);
	CHECKF(rest == size - at, "%zu of %zu bytes behind it are the same", rest, size - at);
}

#endif

static void test_keys(void)
{
#if EXACT
	check_one_more(__start_golden_with_off, __start_golden_plain, size_of_plain(), 0xa9);
	check_one_more(__start_golden_with_on, __start_golden_plain, size_of_plain(), 0xa9);
	CHECK(size_of_with_off() > size_of_plain() && size_of_with_on() > size_of_plain());
#endif
	CHECK(with_off(2) == 13 && with_on(2) == 13 && plain(2) == 13);
	CHECK(relink_key_enable(off_key, NULL) == 0 && relink_key_disable(on_key, NULL) == 0);
	CHECK(with_off(2) == -2 && with_on(2) == -2);
#if EXACT
	check_one_more(__start_golden_with_off, __start_golden_plain, size_of_plain(), 0xe9);
#endif
}

/* ---- what a disassembler says of every site ---- */

struct listing {
	char text[3][80]; /* instructions, without operands' comments */
	int count;
};

static void read_listing(FILE *from, struct listing *listing)
{
	char line[256];

	listing->count = 0;
	while (fgets(line, sizeof(line), from)) {
		char *tab = strrchr(line, '\t');

		if (!tab || !strchr(line, ':'))
			continue;
		tab[strcspn(tab, "\n")] = 0;
		if (listing->count < 3)
			snprintf(listing->text[listing->count], sizeof(*listing->text), "%s", tab + 1);
		listing->count++;
	}
}

static bool disassemble(const uint8_t *bytes, size_t size, struct listing *listing)
{
	char name[] = "/tmp/relink-golden-XXXXXX", command[256];
	int fd = mkstemp(name);
	FILE *pipe;

	if (!CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size))
		return false;
	close(fd);
	snprintf(command, sizeof(command), "objdump -D -b binary -m i386:x86-64 --no-show-raw-insn --adjust-vma=%p %s 2>/dev/null",
		 (const void *)bytes, name);
	pipe = popen(command, "r");
	if (pipe) {
		read_listing(pipe, listing);
		pclose(pipe);
	}
	unlink(name);
	return pipe && listing->count;
}

/* A copy of what the visitor sees: it must not take long, nor call anything that may take the loader's lock. */
static struct relink_site_info sites[200];
static char names[200][16];
static size_t site_count;
static int keep_site(const struct relink_site_info *site, void *unused)
{
	(void)unused;
	if (site_count == COUNT(sites))
		return 1;
	snprintf(names[site_count], sizeof(names[0]), "%s", site->choice);
	sites[site_count++] = *site;
	return 0;
}

/* The one instruction that a site is to be, up to its operand. */
static void expected_text(const struct relink_site_info *site, const char *name, char *text, size_t size)
{
	const struct { const char *choice; uintptr_t target; } targets[] = {
		{ "call_int", (uintptr_t)golden_int }, { "call_double", (uintptr_t)golden_double },
		{ "call_void", (uintptr_t)golden_void },
	};

	*text = 0;
	if (site->kind == RELINK_SITE_BRANCH)
		snprintf(text, size, "%s", *(const uint8_t *)site->address == 0xe9 ? "jmp " : "test ");
	else if (!strcmp(name, "call_const"))
		snprintf(text, size, "%s", site->kind == RELINK_SITE_CALL ? "mov    $0x2a,%eax" : "jmp ");
	for (size_t i = 0; i < COUNT(targets) && !*text; i++)
		if (!strcmp(targets[i].choice, name))
			snprintf(text, size, "%s0x%lx", site->kind == RELINK_SITE_CALL ? "call   " : "jmp    ", targets[i].target);
}

static void check_site_text(const struct relink_site_info *site, const char *name)
{
	struct listing listing;
	char expected[64];
	const char *text = listing.text[0];

	if (!disassemble((const uint8_t *)site->address, 5, &listing))
		return;
	if (!strncmp(text, "callq", 5)) /* as older versions say */
		memmove(listing.text[0] + 4, listing.text[0] + 5, strlen(listing.text[0] + 4));
	expected_text(site, name, expected, sizeof(expected));
	CHECKF(listing.count == 1 && !strncmp(text, expected, strlen(expected)), "%s of %s: %d instructions, \"%s\", want \"%s\"",
	       relink_site_kind_name(site->kind), name, listing.count, text, expected);
}

static void test_disassembly(void)
{
	CHECK(relink_each_site(keep_site, NULL) == 0 && site_count > 10);
	if (system("objdump --version > /dev/null 2>&1")) {
		printf("no objdump here: bytes were compared, but not disassembled\n");
		return;
	}
	for (size_t i = 0; i < site_count; i++) {
		CHECKF(sites[i].reason == RELINK_BOUND, "%s of %s is %s", relink_site_kind_name(sites[i].kind), names[i],
		       relink_reason_name(sites[i].reason));
		check_site_text(&sites[i], names[i]);
	}
}

/* ---- trampolines and constants ---- */

static const uint8_t *behind_endbr(const struct relink_call *call)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	const uint8_t *entry = (const uint8_t *)(uintptr_t)call->trampoline;

	return memcmp(entry, endbr64, sizeof(endbr64)) ? entry : entry + sizeof(endbr64);
}

static void test_trampolines(void)
{
	const uint8_t *t = behind_endbr(&relink_call_call_int);

	CHECKF(t[0] == 0xe9 && leads_to(t + 1) == (uintptr_t)golden_int, "a bound trampoline starts with %02x", t[0]);
	CHECK(const_static(1) == 43);
}

int main(int argc, char **argv)
{
	struct relink_error err;

	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	test_same_bytes();
	test_trampolines();
	test_disassembly();
	test_keys();
	test_same_bytes();
	return check_done();
}
