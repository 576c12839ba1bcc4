/* SPDX-License-Identifier: MIT */
/* The port of x86-64: calls and jumps through pointers, against the assembler and objdump, and step by step as threads see them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port_check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LENGTH 6
#define BASE UINT64_C(0x401000)
#define VARIABLE UINT64_C(0x405010)
#define GIB ((uint64_t)1 << 30)

static const struct rl_port *const port = &rl_port_x86_64;
static const enum rl_kind kinds[] = { RL_POINTER_CALL, RL_POINTER_TAIL };

/* ---- the assembler's bytes ---- */

static char directory[256];

static void enter_directory(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/relink-XXXXXX", parent && *parent ? parent : "/tmp");
	if (!mkdtemp(directory) || chdir(directory)) {
		perror(directory);
		exit(1);
	}
}

static void leave_directory(void)
{
	if (system("rm -f in.s in.o out out.bin listing") || chdir("/") || rmdir(directory))
		perror(directory);
}

/* The bytes of one line of assembly at BASE; 0: it could not be assembled. */
static size_t assemble(const char *text, uint8_t *bytes, size_t size)
{
	FILE *file = fopen("in.s", "w");
	size_t got;

	if (!file)
		return 0;
	fprintf(file, "%s\n", text);
	fclose(file);
	if (system("as --64 -o in.o in.s && ld -m elf_x86_64 -e 0 -Ttext=0x401000 --defsym variable=0x405010 -o out in.o 2>/dev/null && "
		   "objcopy -O binary -j .text out out.bin && objdump -d --no-show-raw-insn out >listing"))
		return 0;
	file = fopen("out.bin", "rb");
	got = file ? fread(bytes, 1, size, file) : 0;
	if (file)
		fclose(file);
	return got;
}

/* Does objdump see one instruction in these bytes, and call it this? */
static bool is_one_instruction(const uint8_t *bytes, const char *mnemonic)
{
	char text[128], command[256];

	snprintf(text, sizeof(text), ".byte %u,%u,%u,%u,%u,%u", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
	if (assemble(text, (uint8_t[16]){ 0 }, 16) != LENGTH)
		return false;
	snprintf(command, sizeof(command), "test $(grep -c '^  *[0-9a-f]*:' listing) = 1 && grep -q '%s' listing", mnemonic);
	return system(command) == 0;
}

static const struct row {
	const char *text, *shown;
	enum rl_kind kind;
	struct rl_want want;
	enum rl_fit fit;
} rows[] = {
	{ ".byte 0x67; call 0x409000", "addr32 call 409000", RL_POINTER_CALL, { .what = RL_FUNCTION, .address = 0x409000 }, RL_FITS },
	{ ".byte 0x67; call 0x3f0000", "addr32 call 3f0000", RL_POINTER_CALL, { .what = RL_FUNCTION, .address = 0x3f0000 }, RL_FITS },
	{ ".byte 0x67; jmp 0x509000", "addr32 jmp 509000", RL_POINTER_TAIL, { .what = RL_FUNCTION, .address = 0x509000 }, RL_FITS },
	{ "call *variable(%rip)", "call   \\*0x", RL_POINTER_CALL, { .what = RL_HOME }, RL_FITS },
	{ "jmp *variable(%rip)", "jmp    \\*0x", RL_POINTER_TAIL, { .what = RL_HOME }, RL_FITS },
	{ "call *variable(%rip)", "call   \\*0x", RL_POINTER_CALL, { .what = RL_FUNCTION, .address = BASE + 8 * GIB }, RL_TOO_FAR },
	{ "jmp *variable(%rip)", "jmp    \\*0x", RL_POINTER_TAIL, { .what = RL_FUNCTION, .address = BASE - 8 * GIB }, RL_TOO_FAR },
	{ "call *variable(%rip)", "call   \\*0x", RL_POINTER_CALL, { .what = RL_FUNCTION, .address = 0 }, RL_FITS_NOT },
	{ "jmp *variable(%rip)", "jmp    \\*0x", RL_POINTER_TAIL, { .what = RL_FUNCTION, .address = 0 }, RL_FITS_NOT },
	{ ".byte 0x67; call 0x409000", "addr32 call 409000", RL_POINTER_CALL, { .what = RL_CONSTANT, .address = 0x409000, .constant = 1 }, RL_FITS },
	{ ".byte 0x67; call 0x409000", "addr32 call 409000", RL_POINTER_CALL, { .what = RL_IDENTITY, .address = 0x409000 }, RL_FITS },
	{ ".byte 0x67; jmp 0x509000", "addr32 jmp 509000", RL_POINTER_TAIL, { .what = RL_NOTHING, .address = 0x509000 }, RL_FITS },
};

static void test_encode(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		uint8_t want[16] = { 0 }, out[RL_SITE_MAX], old[RL_SITE_MAX] = { 0xff, r->kind == RL_POINTER_CALL ? 0x15 : 0x25, 1, 2, 3, 4 };
		enum rl_fit fit;

		memset(out, 0x55, sizeof(out));
		if (!check(assemble(r->text, want, sizeof(want)) >= LENGTH - 1, "%s is not assembled", r->text))
			continue;
		fit = port->encode(r->kind, BASE, VARIABLE, &r->want, old, out);
		check(fit == r->fit && !memcmp(out, want, LENGTH), "row %zu: %s is %s, not %s", i, r->text, hex(want, LENGTH), hex(out, LENGTH));
		check(out[6] == 0x55, "row %zu writes behind the site", i);
		check(port->expresses(r->kind, BASE, VARIABLE, &r->want, out), "row %zu does not express what was encoded", i);
		check(is_one_instruction(out, r->shown), "row %zu: objdump does not see %s", i, r->shown);
	}
}

/* ---- reach, roundtrip, order ---- */

static void check_site(enum rl_kind kind, uint64_t address, uint64_t home, uint64_t target, bool reached)
{
	const struct rl_want go = { .what = RL_FUNCTION, .address = target }, back = { .what = RL_HOME };
	uint8_t linked[RL_SITE_MAX] = { 0 }, bound[RL_SITE_MAX] = { 0 }, again[RL_SITE_MAX] = { 0 };
	struct rl_effect effect;

	check(port->encode(kind, address, home, &back, linked, linked) == RL_FITS, "home of %#llx", (unsigned long long)address);
	check(port->encode(kind, address, home, &go, linked, bound) == (reached ? RL_FITS : RL_TOO_FAR), "%#llx to %#llx",
	      (unsigned long long)address, (unsigned long long)target);
	check(memcmp(linked, bound, LENGTH) == 0 || reached, "out of reach, but not home");
	check(port->encode(kind, address, home, &back, bound, again) == RL_FITS && !memcmp(linked, again, LENGTH), "not reversible");
	check(port->emulate(kind, address, bound, 0, &effect) && effect.through == !reached && effect.ip == (reached ? target : home) &&
		      effect.push == (kind == RL_POINTER_CALL) && (!effect.push || effect.value == address + LENGTH) && !effect.pop &&
		      !effect.set_result, "effect of %s", hex(bound, LENGTH));
	check(port->expresses(kind, address, home, &back, linked) && !port->expresses(kind, address, home, &go, linked) == reached,
	      "what is linked expresses something else");
	check(port->classify(kind, address, bound, bound) == RL_SAME, "the same is not the same");
	if (reached)
		check(port->classify(kind, address, linked, bound) == ((address & 7) <= 2 ? RL_STORE : RL_SPLIT) &&
			      port->one_store(kind, address) == ((address & 7) <= 2), "order at %#llx", (unsigned long long)address);
}

static void test_sites(void)
{
	static const uint64_t bases[] = { 0x401000, 0x7f1234567000, 0xffffffff81000000 };

	for (size_t k = 0; k < COUNT(kinds); k++)
		for (size_t b = 0; b < COUNT(bases); b++)
			for (unsigned align = 0; align < 64; align++) {
				uint64_t address = bases[b] + align, next = address + LENGTH, home = bases[b] + 0x4010;

				/* The distance's bytes must all differ from those of the way home for the order to be known. */
				check_site(kinds[k], address, home, next + 0x12345678, true);
				check_site(kinds[k], address, home, next + 0x7fffffff, true);
				check_site(kinds[k], address, home, next - 0x80000000, true);
				check_site(kinds[k], address, home, next + 0x80000000, false);
				check_site(kinds[k], address, home, next - 0x80000001, false);
			}
}

/* From one function to another, whatever lies between, one store has to be enough where the port says so. */
static void test_retarget(void)
{
	for (unsigned align = 0; align < 8; align++) {
		uint8_t a[RL_SITE_MAX] = { 0x67, 0xe8, 1, 2, 3, 4 }, b[RL_SITE_MAX] = { 0x67, 0xe8, 5, 6, 7, 8 };
		enum rl_change change = port->classify(RL_POINTER_CALL, BASE + align, a, b);

		check(change == (align <= 2 || align >= 6 ? RL_STORE : RL_SPLIT), "at %u: %s", align, change_name[change]);
		check(!port->one_store(RL_POINTER_CALL, BASE + align) || change == RL_STORE, "one store is not enough at %u", align);
	}
}

static void test_foreign(void)
{
	static const uint8_t others[][RL_SITE_MAX] = { { 0xe8 }, { 0xcc, 0x15 }, { 0xff, 0x05 }, { 0x67, 0x90 }, { 0xff, 0xd0 }, { 0x90, 0xe8 } };
	const struct rl_want back = { .what = RL_HOME };
	struct rl_effect effect;

	for (size_t i = 0; i < COUNT(others); i++)
		for (size_t k = 0; k < COUNT(kinds); k++)
			check(!port->expresses(kinds[k], BASE, VARIABLE, &back, others[i]) && !port->emulate(kinds[k], BASE, others[i], 0, &effect),
			      "%s is taken for a %zu", hex(others[i], LENGTH), k);
	check(!port->emulate(RL_POINTER_CALL, BASE, (const uint8_t[8]){ 0xff, 0x25 }, 0, &effect), "a jump is taken for a call");
	check(!port->emulate(RL_POINTER_TAIL, BASE, (const uint8_t[8]){ 0x67, 0xe8 }, 0, &effect), "a call is taken for a jump");
}

/* ---- what instructions do with a variable ---- */

static const struct {
	const char *text;
	unsigned field; /* offset of the displacement */
	enum rl_use use;
} uses[] = {
	{ "call *variable(%rip)", 2, RL_USE_CALL },
	{ "jmp *variable(%rip)", 2, RL_USE_TAIL },
	{ "bnd jmp *variable(%rip)", 3, RL_USE_TAIL },
	{ "notrack jmp *variable(%rip)", 3, RL_USE_TAIL },
	{ "mov variable(%rip),%rax", 3, RL_USE_LOAD },
	{ "mov variable(%rip),%r15", 3, RL_USE_LOAD },
	{ "lea variable(%rip),%rdi", 3, RL_USE_ADDRESS },
	{ "mov %rax,variable(%rip)", 3, RL_USE_OTHER },
	{ "cmpq $0,variable(%rip)", 3, RL_USE_OTHER },
	{ "movq $1,variable(%rip)", 3, RL_USE_OTHER },
	{ "push variable(%rip)", 2, RL_USE_OTHER },
	{ "incq variable(%rip)", 3, RL_USE_OTHER },
	{ "xchg %rax,variable(%rip)", 3, RL_USE_OTHER },
	{ "movaps variable(%rip),%xmm0", 3, RL_USE_OTHER },
	{ "call variable", 1, RL_USE_OTHER },
	{ "jge variable", 2, RL_USE_OTHER },
	{ "jnp variable", 2, RL_USE_OTHER },
	{ "call *variable(,%rax,8)", 3, RL_USE_ADDRESS },
	{ "call *variable", 3, RL_USE_ADDRESS },
	{ "mov variable,%rax", 4, RL_USE_LOAD },
	{ "mov variable,%r9", 4, RL_USE_LOAD },
	{ "mov %r9,variable", 4, RL_USE_OTHER },
	{ "jmp *variable(,%r12,8)", 4, RL_USE_ADDRESS },
	{ "call *variable(%rax)", 2, RL_USE_ADDRESS },
	{ "mov variable(,%rdx,8),%rcx", 4, RL_USE_ADDRESS },
	{ "mov variable(%rbx),%rcx", 3, RL_USE_ADDRESS },
	{ "mov %rcx,variable(%rbx)", 3, RL_USE_OTHER },
};

static void test_refer(void)
{
	for (size_t i = 0; i < COUNT(uses); i++) {
		uint8_t window[32] = { 0 };
		uint64_t place = BASE + uses[i].field;
		struct rl_reference r;

		if (!check(assemble(uses[i].text, window + 6, 16) > 4, "%s is not assembled", uses[i].text))
			continue;
		port->refer(window + uses[i].field, 6, 12, place, &r);
		check(r.use == uses[i].use, "%s: use %d", uses[i].text, (int)r.use);
		check(r.use == RL_USE_OTHER || r.target == VARIABLE, "%s: target %#llx", uses[i].text, (unsigned long long)r.target);
		check(r.address == (r.use == RL_USE_CALL || r.use == RL_USE_TAIL ? place - 2 : place), "%s: address", uses[i].text);
		port->refer(window + uses[i].field, 2, 12, place, &r);
		check(r.use == RL_USE_OTHER, "%s: looks before the window", uses[i].text);
		rl_port_generic.refer(window + uses[i].field, 6, 12, place, &r);
		check(r.use == RL_USE_OTHER, "generic port: %s", uses[i].text);
	}
}

int main(void)
{
	check(port->length[RL_POINTER_CALL] == LENGTH && port->length[RL_POINTER_TAIL] == LENGTH && !port->length[RL_POINTER_USE], "lengths");
	test_sites();
	test_retarget();
	test_foreign();
	if (system("as --version >/dev/null 2>&1 && objdump --version >/dev/null 2>&1"))
		return check_summary() ? 1 : 77;
	enter_directory();
	test_encode();
	test_refer();
	leave_directory();
	return check_summary();
}
