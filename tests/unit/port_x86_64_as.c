/* SPDX-License-Identifier: MIT */
/* test: TIMEOUT 120 */
/*
 * The port of x86-64 against the tools that know better: what the assembler makes of an instruction's text is what the port
 * encodes, and what the linkers at hand leave at kept relocations and in their PLTs is what the port recognises.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port_check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct rl_port *const port = &rl_port_x86_64;

/* ---- files and commands, all in a directory of their own ---- */

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
	static const char *const files[] = { "in.s", "in.o", "out", "out.bin", "log" };

	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	if (chdir("/") || rmdir(directory))
		perror(directory);
}

static bool run(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "( %s ) >log 2>&1", command);
	return system(line) == 0;
}

static bool have(const char *tool)
{
	char line[64];

	snprintf(line, sizeof(line), "command -v %s", tool);
	return run(line);
}

static FILE *start_source(void)
{
	FILE *source = fopen("in.s", "w");

	if (!source)
		exit(1);
	return source;
}

/* The caller frees it. */
static uint8_t *read_output(const char *name, size_t *size)
{
	FILE *file = fopen(name, "rb");
	uint8_t *bytes = NULL;

	*size = 0;
	if (!file)
		return NULL;
	if (!fseek(file, 0, SEEK_END) && (bytes = malloc((size_t)ftell(file) + 1))) {
		size_t all = (size_t)ftell(file);

		rewind(file);
		*size = fread(bytes, 1, all, file);
	}
	fclose(file);
	return bytes;
}

/* The bytes of in.s, placed at `base`. */
static uint8_t *assemble(uint64_t base, size_t *size)
{
	char command[256];

	snprintf(command, sizeof(command), "as --64 -o in.o in.s && ld -m elf_x86_64 -e 0 -Ttext=%#llx -o out in.o && "
		 "objcopy -O binary -j .text out out.bin", (unsigned long long)base);
	if (!check(run(command), "%s", command))
		return NULL;
	return read_output("out.bin", size);
}

/* ---- instructions ---- */

/* In `text` %T is the target's address, %O the old operand, %C the constant. */
struct row {
	const char *text;
	enum rl_kind kind;
	struct rl_want want; /* address: relative to the base */
	uint8_t old[6];
};

static const struct row rows[] = {
	{ "call %T", RL_CALL, { .what = RL_FUNCTION, .address = 0x8000 }, { 0xe8, 1, 2, 3, 4 } },
	{ "call %T", RL_CALL, { .what = RL_FUNCTION, .address = -(uint64_t)0x8000 }, { 0xa9, 1, 2, 3, 4 } },
	{ "call %T", RL_CALL, { .what = RL_FUNCTION, .address = 0x7ffff000 }, { 0xb8, 1, 2, 3, 4 } },
	{ "call %T", RL_CALL, { .what = RL_FUNCTION, .address = -(uint64_t)0x7ffff000 }, { 0xe8, 1, 2, 3, 4 } },
	{ "call %T", RL_CALL, { .what = RL_HOME, .address = 0x9000 }, { 0xb8, 1, 2, 3, 4 } },
	{ "test $%O,%eax", RL_CALL, { .what = RL_NOTHING }, { 0xe8, 1, 0, 0, 0 } },
	{ "test $%O,%eax", RL_CALL, { .what = RL_NOTHING }, { 0xe8, 0xfe, 0xff, 0xff, 0xff } },
	{ "test $%O,%eax", RL_CALL, { .what = RL_NOTHING }, { 0xb8, 0x12, 0x34, 0x56, 0x78 } },
	{ "mov $%C,%eax", RL_CALL, { .what = RL_CONSTANT }, { 0xe8, 1, 2, 3, 4 } },
	{ "mov $%C,%eax", RL_CALL, { .what = RL_CONSTANT, .constant = 1 }, { 0xe8, 1, 2, 3, 4 } },
	{ "mov $%C,%eax", RL_CALL, { .what = RL_CONSTANT, .constant = 0xffffffff }, { 0xa9, 1, 2, 3, 4 } },
	{ "mov $-1,%eax", RL_CALL, { .what = RL_CONSTANT, .constant = UINT64_MAX, .narrow = true }, { 0xa9, 1, 2, 3, 4 } },
	{ "call %T", RL_CALL, { .what = RL_CONSTANT, .constant = 0x100000000, .address = 0x8000 }, { 0xa9, 1, 2, 3, 4 } },
	{ "data16; data16; mov %rdi,%rax", RL_CALL, { .what = RL_IDENTITY }, { 0xe8, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TAIL, { .what = RL_IDENTITY, .address = 0x8000 }, { 0xc3, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TAIL, { .what = RL_FUNCTION, .address = 0x8000 }, { 0xc3, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TAIL, { .what = RL_FUNCTION, .address = -(uint64_t)0x8000 }, { 0xe9, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TAIL, { .what = RL_HOME, .address = 0x9000 }, { 0xc3, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TAIL, { .what = RL_CONSTANT, .constant = 7, .address = 0x8000 }, { 0xc3, 1, 2, 3, 4 } },
	{ "ret; .long %O", RL_TAIL, { .what = RL_NOTHING }, { 0xe9, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TRAMPOLINE, { .what = RL_FUNCTION, .address = 0x8000 }, { 0xa9, 1, 2, 3, 4 } },
	{ "jmp %T", RL_TRAMPOLINE, { .what = RL_CONSTANT, .address = 0x8000 }, { 0xc3, 1, 2, 3, 4 } },
	{ "ret; .long %O", RL_TRAMPOLINE, { .what = RL_NOTHING }, { 0xe9, 1, 2, 3, 4 } },
	{ "test $%O,%eax", RL_TRAMPOLINE, { .what = RL_HOME, .address = 0x9000 }, { 0xe9, 1, 2, 3, 4 } },
	{ "test $%O,%eax", RL_BRANCH, { .what = RL_FALL }, { 0xe9, 8, 0, 0, 0 } },
	{ "jmp . + 5 + %O", RL_BRANCH, { .what = RL_JUMP }, { 0xa9, 8, 9, 0, 0 } },
	{ "jo %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x80, 1, 2, 3, 4 } },
	{ "jno %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x81, 1, 2, 3, 4 } },
	{ "jb %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x82, 1, 2, 3, 4 } },
	{ "jae %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x83, 1, 2, 3, 4 } },
	{ "je %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x84, 1, 2, 3, 4 } },
	{ "jne %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x85, 1, 2, 3, 4 } },
	{ "jbe %T", RL_JCC, { .what = RL_CONSTANT, .address = 0x8000 }, { 0x0f, 0x86, 1, 2, 3, 4 } },
	{ "ja %T", RL_JCC, { .what = RL_CONSTANT, .address = 0x8000 }, { 0x0f, 0x87, 1, 2, 3, 4 } },
	{ "js %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x7ffff000 }, { 0x0f, 0x88, 1, 2, 3, 4 } },
	{ "jns %T", RL_JCC, { .what = RL_FUNCTION, .address = -(uint64_t)0x7ffff000 }, { 0x0f, 0x89, 1, 2, 3, 4 } },
	{ "jp %T", RL_JCC, { .what = RL_FUNCTION, .address = -(uint64_t)0x8000 }, { 0x0f, 0x8a, 1, 2, 3, 4 } },
	{ "jnp %T", RL_JCC, { .what = RL_FUNCTION, .address = 0x8000 }, { 0x0f, 0x8b, 1, 2, 3, 4 } },
	{ "jl %T", RL_JCC, { .what = RL_HOME, .address = 0x9000 }, { 0x0f, 0x8c, 1, 2, 3, 4 } },
	{ "jge %T", RL_JCC, { .what = RL_HOME, .address = 0x9000 }, { 0x0f, 0x8d, 1, 2, 3, 4 } },
	{ "jle %T", RL_JCC, { .what = RL_NOTHING, .address = 0x9000 }, { 0x0f, 0x8e, 1, 2, 3, 4 } },
	{ "jg %T", RL_JCC, { .what = RL_NOTHING, .address = 0x9000 }, { 0x0f, 0x8f, 1, 2, 3, 4 } },
};

static uint32_t old_operand(const struct row *row)
{
	const uint8_t *p = row->old + port->length[row->kind] - 4;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write_text(FILE *source, const struct row *row, uint64_t base)
{
	for (const char *at = row->text; *at; at++) {
		unsigned long long value;

		switch (*at == '%' ? at[1] : 0) {
		case 'T': value = base + row->want.address; break;
		case 'O': value = old_operand(row); break;
		case 'C': value = row->want.constant; break;
		default: fputc(*at, source); continue;
		}
		fprintf(source, "%#llx", value);
		at++;
	}
	fputc('\n', source);
}

static uint64_t site_of(size_t i, unsigned align)
{
	return 16 * i + (i + align) % 8;
}

static void check_row(const struct row *row, uint64_t base, uint64_t site, const uint8_t *bytes)
{
	uint64_t address = base + site, home = base + 0x9000;
	struct rl_want want = row->want;
	uint8_t out[RL_SITE_MAX] = { 0 }, size = port->length[row->kind];

	want.address += base;
	port->encode(row->kind, address, home, &want, row->old, out);
	check(!memcmp(out, bytes, size), "%s at %#llx: the port makes %s, the assembler %s", row->text,
	      (unsigned long long)address, hex(out, size), hex(bytes, size));
	check(port->expresses(row->kind, address, home, &want, bytes), "%s at %#llx: the assembler's %s does not express %s",
	      row->text, (unsigned long long)address, hex(bytes, size), what_name[want.what]);
}

static void test_rows(uint64_t base, unsigned align)
{
	FILE *source = start_source();
	uint8_t *bytes;
	size_t size;

	for (size_t i = 0; i < COUNT(rows); i++) {
		fprintf(source, "\t.org %llu,0x90\n\t", (unsigned long long)site_of(i, align));
		write_text(source, &rows[i], base);
	}
	fprintf(source, "\t.org %zu,0x90\n", 16 * COUNT(rows));
	fclose(source);
	bytes = assemble(base, &size);
	if (check(bytes && size == 16 * COUNT(rows), "%zu bytes at %#llx", size, (unsigned long long)base))
		for (size_t i = 0; i < COUNT(rows); i++)
			check_row(&rows[i], base, site_of(i, align), bytes + site_of(i, align));
	free(bytes);
}

/* ---- stubs ---- */

static const struct stub {
	const char *text;
	bool plt;
	int trampoline; /* offset of the opcode byte, -1: none */
} stubs[] = {
	{ "jmp *slot(%rip)", true, -1 },
	{ "bnd jmp *slot(%rip)", true, -1 },
	{ "endbr64; jmp *slot(%rip)", true, -1 },
	{ "endbr64; bnd jmp *slot(%rip)", true, -1 },
	{ "mov $5,%r11d; jmp *slot(%rip)", true, -1 },
	{ "endbr64; mov $5,%r11d; jmp *slot(%rip)", true, -1 },
	{ "mov slot(%rip),%r11; .byte 0xe9; .long 0", true, -1 },
	{ "mov slot(%rip),%r11; call slot", true, -1 },
	{ "call *slot(%rip)", false, -1 },
	{ "push slot(%rip); jmp *slot(%rip)", false, -1 },
	{ "endbr64; push $5; .byte 0xe9; .long 0", false, -1 },
	{ "mov slot(%rip),%r11; jmp *%r11", false, -1 },
	{ "test $0x12345678,%eax; jmp *slot(%rip)", false, 0 },
	{ "endbr64; test $0,%eax; jmp *slot(%rip)", false, 4 },
	{ "ret; .long 0; jmp *slot(%rip)", false, 0 },
	{ "endbr64; ret; .long 0; jmp *slot(%rip)", false, 4 },
	{ ".byte 0xe9; .long 0x1234; jmp *slot(%rip)", false, 0 },
	{ "endbr64; .byte 0xe9; .long -5; jmp *slot(%rip)", false, 4 },
};

static void check_stub(const struct stub *s, const uint8_t *bytes, uint64_t address, uint64_t must)
{
	uint64_t slot = 0;
	size_t opcode = 99;
	bool is = port->plt_slot(bytes, 32, address, &slot);

	check(is == s->plt && (!is || slot == must), "plt_slot: %s: %s, %#llx", s->text, is ? "yes" : "no",
	      (unsigned long long)slot);
	is = port->trampoline(bytes, 32, address, &opcode, &slot);
	check(is == (s->trampoline >= 0) && (!is || (slot == must && opcode == (size_t)s->trampoline)),
	      "trampoline: %s: %s, %zu, %#llx", s->text, is ? "yes" : "no", opcode, (unsigned long long)slot);
}

static void test_stubs(uint64_t base)
{
	FILE *source = start_source();
	size_t size, end = 32 * COUNT(stubs);
	uint8_t *bytes;

	for (size_t i = 0; i < COUNT(stubs); i++)
		fprintf(source, "\t.org %zu,0xcc\n\t%s\n", 32 * i, stubs[i].text);
	fprintf(source, "\t.org %zu,0xcc\nslot:\t.quad 0\n", end);
	fclose(source);
	bytes = assemble(base, &size);
	if (check(bytes && size == end + 8, "%zu bytes of stubs", size))
		for (size_t i = 0; i < COUNT(stubs); i++)
			check_stub(&stubs[i], bytes + 32 * i, base + 32 * i, base + end);
	free(bytes);
}

/* ---- a linked file ---- */

struct image {
	uint8_t *bytes;
	const Elf64_Shdr *sections;
	unsigned count;
	char from[160]; /* the command that made it */
};

static bool load_image(struct image *image)
{
	size_t size;
	const Elf64_Ehdr *header;

	image->bytes = read_output("out", &size);
	if (!check(image->bytes && size > sizeof(*header), "%s: no output", image->from))
		return false;
	header = (const Elf64_Ehdr *)image->bytes;
	image->sections = (const Elf64_Shdr *)(image->bytes + header->e_shoff);
	image->count = header->e_shnum;
	return true;
}

static const Elf64_Shdr *section_at(const struct image *image, uint64_t address)
{
	for (unsigned i = 0; i < image->count; i++) {
		const Elf64_Shdr *s = &image->sections[i];

		if (s->sh_flags & SHF_ALLOC && s->sh_type != SHT_NOBITS && address - s->sh_addr < s->sh_size)
			return s;
	}
	return NULL;
}

static const uint8_t *bytes_at(const struct image *image, uint64_t address)
{
	const Elf64_Shdr *s = section_at(image, address);

	return s ? image->bytes + s->sh_offset + (address - s->sh_addr) : NULL;
}

static const char *symbol_name(const struct image *image, const Elf64_Shdr *table, const Elf64_Sym *symbol)
{
	return (const char *)image->bytes + image->sections[table->sh_link].sh_offset + symbol->st_name;
}

static uint64_t symbol_address(const struct image *image, const char *name)
{
	for (unsigned i = 0; i < image->count; i++) {
		const Elf64_Shdr *s = &image->sections[i];
		const Elf64_Sym *symbols = (const Elf64_Sym *)(image->bytes + s->sh_offset);

		if (s->sh_type != SHT_SYMTAB)
			continue;
		for (size_t n = 0; n < s->sh_size / sizeof(*symbols); n++)
			if (!strcmp(symbol_name(image, s, &symbols[n]), name))
				return symbols[n].st_value;
	}
	return 0;
}

/* Relocation number `n` for `name` whose symbols are in a table of this type; its place, or 0 if there are fewer. */
static uint64_t relocation(const struct image *image, uint32_t symbols_type, const char *name, size_t n)
{
	for (unsigned i = 0; i < image->count; i++) {
		const Elf64_Shdr *s = &image->sections[i], *table = &image->sections[s->sh_link];
		const Elf64_Rela *relas = (const Elf64_Rela *)(image->bytes + s->sh_offset);
		const Elf64_Sym *symbols = (const Elf64_Sym *)(image->bytes + table->sh_offset);

		if (s->sh_type != SHT_RELA || table->sh_type != symbols_type)
			continue;
		for (size_t r = 0; r < s->sh_size / sizeof(*relas); r++)
			if (!strcmp(symbol_name(image, table, &symbols[ELF64_R_SYM(relas[r].r_info)]), name) && !n--)
				return relas[r].r_offset;
	}
	return 0;
}

/* Is it a slot that the loader fills with the address of `name`? */
static bool is_slot(const struct image *image, uint64_t address, const char *name)
{
	uint64_t place;

	for (size_t n = 0; (place = relocation(image, SHT_DYNSYM, name, n)); n++)
		if (place == address)
			return true;
	return false;
}

/* ---- linkers: direct calls ---- */

/* Displacements take every low byte, since a relaxed jump's may look like an opcode. */
#define SWEEP 256

static const char direct_source[] =
	"\t.globl _start, f\n_start:\n\tcall f@PLT\n\tjmp f@PLT\n\tjne f@PLT\n"
	"\t.rept 256\n\tjmp *f@GOTPCREL(%rip)\n\tnop\n\t.endr\n"
	"\t.rept 256\n\tcall *f@GOTPCREL(%rip)\n\tnop\n\t.endr\n"
	"\t.section .text.f,\"ax\",@progbits\n\t.type f,@function\nf:\tret\n";

static enum rl_kind kind_of(size_t n)
{
	return n == 0 ? RL_CALL : n == 2 ? RL_JCC : n < 3 + SWEEP ? RL_TAIL : RL_CALL;
}

/* Where the source's instruction number `n` starts. */
static uint64_t offset_of(size_t n)
{
	return n < 3 ? 5 * n : 16 + 7 * (uint64_t)(n - 3);
}

/* The instruction around this offset. Relocations need not come in order. */
static size_t instruction_at(uint64_t offset)
{
	size_t n = 0;

	while (n < 2 + 2 * SWEEP && offset_of(n + 1) <= offset)
		n++;
	return n;
}

static void check_direct(const struct image *image, uint64_t text, uint64_t place, uint64_t f)
{
	size_t n = instruction_at(place - text);
	uint64_t start = text + offset_of(n);
	const uint8_t *field = bytes_at(image, place);
	struct rl_found found = { 0 };
	struct rl_effect effect = { 0 };

	if (!check(field && port->recognise(field - 2, 2, 6, place, &found), "%s: nothing at place %zu: %s", image->from, n,
		   field ? hex(field - 2, 7) : ""))
		return;
	check(found.kind == kind_of(n) && !found.via_slot && found.target == f, "%s: place %zu: %s is a %s to %#llx",
	      image->from, n, hex(field - 2, 7), kind_name[found.kind], (unsigned long long)found.target);
	check(found.address - start <= 1, "%s: place %zu: site at %+lld", image->from, n, (long long)(found.address - start));
	check(port->emulate(found.kind, found.address, bytes_at(image, found.address), 0, &effect) && effect.ip == f,
	      "%s: place %zu: the site leads to %#llx", image->from, n, (unsigned long long)effect.ip);
}

static void test_direct(const char *linker, const char *options)
{
	struct image image;
	size_t n = 0;
	uint64_t place, text, f;

	snprintf(image.from, sizeof(image.from), "%s %s --emit-relocs -o out in.o", linker, options);
	if (!check(run(image.from), "%s", image.from) || !load_image(&image))
		return;
	text = symbol_address(&image, "_start");
	f = symbol_address(&image, "f");
	for (; (place = relocation(&image, SHT_SYMTAB, "f", n)); n++)
		check_direct(&image, text, place, f);
	check(n == 3 + 2 * SWEEP, "%s: %zu relocations", image.from, n);
	free(image.bytes);
}

/* ---- linkers: slots and stubs ---- */

static const char plt_source[] = "\t.globl _start\n_start:\n\tcall ext@PLT\n\tjmp ext@PLT\n";
static const char got_source[] = "\tcall *ext@GOTPCREL(%rip)\n\tjmp *ext@GOTPCREL(%rip)\n";

static void check_stub_call(const struct image *image, uint64_t place, enum rl_kind kind)
{
	const uint8_t *field = bytes_at(image, place), *stub;
	struct rl_found found = { 0 };
	uint64_t slot = 0;

	check(field && port->recognise(field - 1, 1, 5, place, &found) && found.kind == kind && !found.via_slot, "%s: %s at %#llx",
	      image->from, kind_name[kind], (unsigned long long)place);
	stub = bytes_at(image, found.target);
	check(stub && port->plt_slot(stub, 16, found.target, &slot), "%s: unknown stub %s", image->from, stub ? hex(stub, 16) : "");
	check(is_slot(image, slot, "ext"), "%s: %#llx is not the slot", image->from, (unsigned long long)slot);
}

static void check_slot_call(const struct image *image, uint64_t place, enum rl_kind kind)
{
	const uint8_t *field = bytes_at(image, place);
	struct rl_found found = { 0 };

	check(field && port->recognise(field - 2, 2, 6, place, &found) && found.kind == kind && found.via_slot &&
	      found.address == place - 2 && is_slot(image, found.target, "ext"), "%s: via slot at %#llx", image->from,
	      (unsigned long long)place);
}

static void test_plt(const char *linker, const char *options, bool with_got)
{
	FILE *source = start_source();
	struct image image;
	uint64_t start;

	fprintf(source, "%s%s", plt_source, with_got ? got_source : "");
	fclose(source);
	snprintf(image.from, sizeof(image.from), "as --64 -o in.o in.s && %s -shared %s --emit-relocs -o out in.o",
		 linker, options);
	if (!check(run(image.from), "%s", image.from) || !load_image(&image))
		return;
	start = symbol_address(&image, "_start");
	check_stub_call(&image, start + 1, RL_CALL);
	check_stub_call(&image, start + 6, RL_TAIL);
	if (with_got) {
		check_slot_call(&image, start + 12, RL_CALL);
		check_slot_call(&image, start + 18, RL_TAIL);
	}
	free(image.bytes);
}

static const struct linker {
	const char *name;
	const char *direct[4], *plt[6];
} linkers[] = {
	{ "ld.bfd", { "-pie", "-no-pie", "-shared -Bsymbolic", "-pie -z call-nop=suffix-nop" },
	  { "-z lazy", "-z now", "-z lazy -z ibtplt", "-z now -z ibtplt" } },
	{ "ld.gold", { "-pie", "-no-pie", "-shared -Bsymbolic" }, { "-z lazy", "-z now" } },
	{ "ld.lld", { "-pie", "-no-pie", "-shared -Bsymbolic" },
	  { "-z lazy", "-z now", "-z force-ibt", "-z now -z force-ibt", "-z lazy -z retpolineplt", "-z now -z retpolineplt" } },
	{ "mold", { "-pie", "-no-pie", "-shared -Bsymbolic" }, { "-z lazy", "-z now" } },
};

static void test_linker(const struct linker *linker)
{
	FILE *source;

	if (!have(linker->name)) {
		printf("%s is not here\n", linker->name);
		return;
	}
	source = start_source();
	fputs(direct_source, source);
	fclose(source);
	if (!check(run("as --64 -o in.o in.s"), "as"))
		return;
	for (size_t i = 0; i < COUNT(linker->direct) && linker->direct[i]; i++)
		test_direct(linker->name, linker->direct[i]);
	for (size_t i = 0; i < COUNT(linker->plt) && linker->plt[i]; i++) {
		test_plt(linker->name, linker->plt[i], false);
		test_plt(linker->name, linker->plt[i], true);
	}
}

/* Assemblers and linkers of other machines know nothing of x86-64. */
static bool have_tools(void)
{
	FILE *source;

	if (!have("as") || !have("ld") || !have("objcopy"))
		return false;
	source = start_source();
	fputs("\tret\n", source);
	fclose(source);
	return run("as --64 -o in.o in.s && ld -m elf_x86_64 -e 0 -o out in.o");
}

int main(void)
{
	static const uint64_t bases[] = { 0x80000000, 0x7f1234560000, 0xffffffff80000000 };

	enter_directory();
	if (!have_tools()) {
		printf("no assembler and linker for x86-64 here\n");
		leave_directory();
		return 77;
	}
	for (size_t i = 0; i < COUNT(bases); i++) {
		for (unsigned align = 0; align < 8; align++)
			test_rows(bases[i], align);
		test_stubs(bases[i]);
	}
	for (size_t i = 0; i < COUNT(linkers); i++)
		test_linker(&linkers[i]);
	leave_directory();
	return check_summary();
}
