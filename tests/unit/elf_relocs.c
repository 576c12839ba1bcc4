/* SPDX-License-Identifier: MIT */
/*
 * elf_relocs.c - tests of the ELF reader.
 *
 *	elf_relocs                     a file built in memory: what is read from it, cut off at every length, corrupted at random
 *	elf_relocs speed               a million relocations
 *	elf_relocs corrupt FILE        random corruptions of a real file
 *	elf_relocs seeds DIRECTORY     writes the file built in memory, for the fuzzer
 *	elf_relocs relocs FILE [NAME]  prints what is read, for elf_relocs.sh to compare with readelf
 *	elf_relocs slots FILE
 *	elf_relocs build-id FILE
 */
#include "elf/relocs.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../fuzz/elf_relocs.c"

static unsigned passed, failed;

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool condition, const char *text, int line)
{
	if (condition) {
		passed++;
		return;
	}
	failed++;
	printf("elf_relocs.c:%d: failed: %s\n", line, text);
}

/* ---- a file in memory ---- */

enum { NONE, TEXT, PLT, DATA, RELA_TEXT, RELA_DATA, RELA_PLT, SYMTAB, STRTAB, DYNSYM, DYNSTR, NOTE, RELA_DYN, SECTIONS };
enum { CODE_RELOCS = 6, SYMBOLS = 6, DYNAMIC = 6 };

#define TEXT_ADDRESS 0x401000u
#define STRINGS "\0callee\0versioned@V_1.2\0unversioned@@V_3\0"
#define CALLEE 1
#define VERSIONED 8
#define UNVERSIONED 24

struct file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[SECTIONS];
	Elf64_Rela text[CODE_RELOCS], data[1], plt[3], dyn[DYNAMIC];
	Elf64_Sym symbols[SYMBOLS], dynsym[4];
	char strtab[sizeof(STRINGS) - 1], dynstr[sizeof(STRINGS) - 1];
	struct {
		Elf64_Nhdr first;
		char first_name[8], first_bytes[4];
		Elf64_Nhdr second;
		char second_name[4];
		uint8_t id[20];
	} notes;
};

static Elf64_Rela rela(uint64_t offset, uint64_t symbol, uint32_t type, int64_t addend)
{
	return (Elf64_Rela){ offset, ELF64_R_INFO(symbol, type), addend };
}

static Elf64_Sym symbol_entry(uint32_t name, unsigned type, uint16_t section, uint64_t value)
{
	return (Elf64_Sym){ name, (uint8_t)ELF64_ST_INFO(STB_GLOBAL, type), 0, section, value, 16 };
}

#define SECTION(type, flags, address, member, link, info, entry) \
	(Elf64_Shdr){ 0, type, flags, address, offsetof(struct file, member), sizeof(((struct file *)0)->member), \
		      link, info, 4, entry }

static void fill_sections(struct file *file)
{
	const uint64_t code = SHF_ALLOC | SHF_EXECINSTR;
	Elf64_Shdr *s = file->sections;

	s[TEXT] = (Elf64_Shdr){ 0, SHT_PROGBITS, code, TEXT_ADDRESS, 0, 0x100, 0, 0, 16, 0 };
	s[PLT] = (Elf64_Shdr){ 0, SHT_PROGBITS, code, TEXT_ADDRESS + 0x200, 0, 0x100, 0, 0, 16, 0 };
	s[DATA] = (Elf64_Shdr){ 0, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x404000, 0, 0x100, 0, 0, 16, 0 };
	s[RELA_TEXT] = SECTION(SHT_RELA, SHF_INFO_LINK, 0, text, SYMTAB, TEXT, sizeof(Elf64_Rela));
	s[RELA_DATA] = SECTION(SHT_RELA, SHF_INFO_LINK, 0, data, SYMTAB, DATA, sizeof(Elf64_Rela));
	s[RELA_PLT] = SECTION(SHT_RELA, SHF_INFO_LINK | SHF_ALLOC, 0x400100, plt, DYNSYM, PLT, sizeof(Elf64_Rela));
	s[RELA_DYN] = SECTION(SHT_RELA, SHF_ALLOC, 0x400200, dyn, DYNSYM, 0, sizeof(Elf64_Rela));
	s[SYMTAB] = SECTION(SHT_SYMTAB, 0, 0, symbols, STRTAB, 1, sizeof(Elf64_Sym));
	s[DYNSYM] = SECTION(SHT_DYNSYM, SHF_ALLOC, 0x400300, dynsym, DYNSTR, 1, sizeof(Elf64_Sym));
	s[STRTAB] = SECTION(SHT_STRTAB, 0, 0, strtab, 0, 0, 0);
	s[DYNSTR] = SECTION(SHT_STRTAB, SHF_ALLOC, 0x400400, dynstr, 0, 0, 0);
	s[NOTE] = SECTION(SHT_NOTE, SHF_ALLOC, 0x400500, notes, 0, 0, 0);
}

static void fill_symbols(struct file *file)
{
	memcpy(file->strtab, STRINGS, sizeof(file->strtab));
	memcpy(file->dynstr, STRINGS, sizeof(file->dynstr));
	file->symbols[1] = symbol_entry(0, STT_SECTION, TEXT, TEXT_ADDRESS);
	file->symbols[2] = symbol_entry(CALLEE, STT_FUNC, TEXT, TEXT_ADDRESS + 0x40);
	file->symbols[3] = symbol_entry(VERSIONED, STT_FUNC, SHN_UNDEF, 0);
	file->symbols[4] = symbol_entry(UNVERSIONED, STT_OBJECT, SHN_UNDEF, 0);
	file->symbols[5] = symbol_entry(sizeof(STRINGS), STT_FUNC, TEXT, 0);
	file->dynsym[1] = symbol_entry(CALLEE, STT_FUNC, SHN_UNDEF, 0);
	file->dynsym[2] = symbol_entry(VERSIONED, STT_FUNC, SHN_UNDEF, 0);
	file->dynsym[3] = symbol_entry(UNVERSIONED, STT_FUNC, TEXT, TEXT_ADDRESS);
}

static void fill_relocs(struct file *file)
{
	file->text[0] = rela(TEXT_ADDRESS + 0x11, 2, R_X86_64_PLT32, -4);
	file->text[1] = rela(TEXT_ADDRESS + 0x21, 1, R_X86_64_PC32, 0x3c);
	file->text[2] = rela(TEXT_ADDRESS - 1, 2, R_X86_64_PLT32, -4);
	file->text[3] = rela(TEXT_ADDRESS + 0x100, 2, R_X86_64_PLT32, -4);
	file->text[4] = rela(TEXT_ADDRESS, 3, R_X86_64_PLT32, -4);
	file->text[5] = rela(TEXT_ADDRESS + 0xff, 2, R_X86_64_PC32, INT64_MIN);
	file->data[0] = rela(0x404000, 2, R_X86_64_64, 0);
	file->plt[0] = rela(0x404018, 1, R_X86_64_JUMP_SLOT, 0);
	file->plt[1] = rela(0x404020, 2, R_X86_64_JUMP_SLOT, 0);
	file->plt[2] = rela(0x404028, 3, R_X86_64_JUMP_SLOT, 0); /* defined here */
	file->dyn[0] = rela(0x404030, 0, R_X86_64_RELATIVE, 0x401000);
	file->dyn[1] = rela(0x404038, 2, R_X86_64_GLOB_DAT, 0);
	file->dyn[2] = rela(0x404040, 1, R_X86_64_64, 0);
	file->dyn[3] = rela(0x404048, 1, R_X86_64_64, 8); /* not the address of the symbol */
	file->dyn[4] = rela(0x404050, 0, R_X86_64_64, 0);
	file->dyn[5] = rela(0x404058, 1, R_X86_64_DTPMOD64, 0);
}

static void fill_notes(struct file *file)
{
	file->notes.first = (Elf64_Nhdr){ 6, 1, NT_GNU_BUILD_ID };
	memcpy(file->notes.first_name, "Other", 6);
	file->notes.second = (Elf64_Nhdr){ 4, sizeof(file->notes.id), NT_GNU_BUILD_ID };
	memcpy(file->notes.second_name, "GNU", 4);
	for (size_t i = 0; i < sizeof(file->notes.id); i++)
		file->notes.id[i] = (uint8_t)(0xa0 + i);
}

static struct file new_file(void)
{
	struct file file;

	memset(&file, 0, sizeof(file));
	memcpy(file.header.e_ident, ELFMAG, SELFMAG);
	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	file.header.e_type = ET_DYN;
	file.header.e_machine = EM_X86_64;
	file.header.e_shoff = offsetof(struct file, sections);
	file.header.e_shentsize = sizeof(Elf64_Shdr);
	file.header.e_shnum = SECTIONS;
	fill_sections(&file);
	fill_symbols(&file);
	fill_relocs(&file);
	fill_notes(&file);
	return file;
}

/* ---- what is visited ---- */

struct visits {
	size_t count;
	size_t stop_at; /* returns 7 there; 0: never */
	struct rl_elf_reloc relocs[16];
	struct rl_elf_slot slots[16];
};

static int keep_reloc(const struct rl_elf_reloc *reloc, void *ctx)
{
	struct visits *visits = ctx;

	visits->relocs[visits->count++ % 16] = *reloc;
	return visits->count == visits->stop_at ? 7 : 0;
}

static int keep_slot(const struct rl_elf_slot *slot, void *ctx)
{
	struct visits *visits = ctx;

	if (!slot->undefined)
		return 0;
	visits->slots[visits->count++ % 16] = *slot;
	return visits->count == visits->stop_at ? 7 : 0;
}

static const char *why;

static int open_file(struct rl_elf *elf, const struct file *file)
{
	return rl_elf_open(elf, file, sizeof(*file), &why);
}

static int count_relocs(const struct file *file, struct visits *visits)
{
	struct rl_elf elf;

	memset(visits, 0, sizeof(*visits));
	if (open_file(&elf, file) < 0)
		return -2;
	return rl_elf_each_reloc(&elf, NULL, keep_reloc, visits);
}

static int count_slots(const struct file *file, struct visits *visits)
{
	struct rl_elf elf;

	memset(visits, 0, sizeof(*visits));
	if (open_file(&elf, file) < 0)
		return -2;
	return rl_elf_each_slot(&elf, keep_slot, visits);
}

static bool reloc_is(const struct rl_elf_reloc *reloc, uint64_t place, uint32_t type, uint32_t symbol, int64_t addend)
{
	return reloc->place == place && reloc->type == type && reloc->symbol == symbol && reloc->addend == addend;
}

static bool name_is(const char *name, size_t length, const char *expected)
{
	return length == strlen(expected) && memcmp(name, expected, length) == 0;
}

static bool slot_is(const struct rl_elf_slot *slot, uint64_t address, const char *name, bool lazy)
{
	return slot->address == address && slot->lazy == lazy && name_is(slot->name, slot->name_length, name);
}

/* ---- a sound file ---- */

static void test_relocs(void)
{
	const uint8_t wanted[1] = { 1 << 2 };
	struct file file = new_file();
	struct visits all, some = { 0 }, stopped = { .stop_at = 2 };
	struct rl_elf elf;

	CHECK(count_relocs(&file, &all) == 0 && all.count == 4);
	CHECK(reloc_is(&all.relocs[0], TEXT_ADDRESS + 0x11, R_X86_64_PLT32, 2, -4));
	CHECK(reloc_is(&all.relocs[1], TEXT_ADDRESS + 0x21, R_X86_64_PC32, 1, 0x3c));
	CHECK(reloc_is(&all.relocs[2], TEXT_ADDRESS, R_X86_64_PLT32, 3, -4));
	CHECK(reloc_is(&all.relocs[3], TEXT_ADDRESS + 0xff, R_X86_64_PC32, 2, INT64_MIN));
	CHECK(open_file(&elf, &file) == 0 && why == NULL && elf.machine == EM_X86_64 && elf.type == ET_DYN);
	CHECK(rl_elf_has_relocs(&elf));
	CHECK(rl_elf_each_reloc(&elf, wanted, keep_reloc, &some) == 0 && some.count == 2);
	CHECK(some.relocs[0].place == TEXT_ADDRESS + 0x11 && some.relocs[1].place == TEXT_ADDRESS + 0xff);
	CHECK(rl_elf_each_reloc(&elf, NULL, keep_reloc, &stopped) == 7 && stopped.count == 2);
}

static void test_symbols(void)
{
	struct file file = new_file();
	struct rl_elf_symbol s;
	struct rl_elf elf;

	CHECK(open_file(&elf, &file) == 0 && rl_elf_symbol_count(&elf) == SYMBOLS);
	CHECK(rl_elf_symbol(&elf, 0, &s) && s.undefined && name_is(s.name, s.name_length, ""));
	CHECK(rl_elf_symbol(&elf, 1, &s) && s.type == STT_SECTION && !s.undefined && name_is(s.name, s.name_length, ""));
	CHECK(rl_elf_symbol(&elf, 2, &s) && s.index == 2 && s.type == STT_FUNC && name_is(s.name, s.name_length, "callee"));
	CHECK(s.value == TEXT_ADDRESS + 0x40 && s.size == 16 && !s.undefined);
	CHECK(rl_elf_symbol(&elf, 3, &s) && s.undefined && name_is(s.name, s.name_length, "versioned"));
	CHECK(rl_elf_symbol(&elf, 4, &s) && s.type == STT_OBJECT && name_is(s.name, s.name_length, "unversioned"));
	CHECK(!rl_elf_symbol(&elf, 5, &s)); /* its name lies outside of the string table */
	CHECK(!rl_elf_symbol(&elf, 6, &s) && !rl_elf_symbol(&elf, UINT32_MAX, &s));
	file.symbols[2].st_value = 0;
	file.symbols[3].st_value = 0x401020; /* a program that is not PIE puts the address of the PLT entry there */
	CHECK(rl_elf_symbol(&elf, 2, &s) && !s.undefined && rl_elf_symbol(&elf, 3, &s) && s.undefined);
	file.strtab[sizeof(file.strtab) - 1] = 'x';
	CHECK(!rl_elf_symbol(&elf, 4, &s)); /* its name does not end */
	file.sections[STRTAB].sh_size = 0;
	CHECK(open_file(&elf, &file) == 0 && rl_elf_symbol(&elf, 1, &s) && s.name[0] == '\0' && !rl_elf_symbol(&elf, 2, &s));
}

static void test_slots(void)
{
	struct file file = new_file();
	struct visits v;
	struct rl_elf elf;

	CHECK(count_slots(&file, &v) == 0 && v.count == 4);
	CHECK(slot_is(&v.slots[0], 0x404018, "callee", true) && slot_is(&v.slots[1], 0x404020, "versioned", true));
	CHECK(slot_is(&v.slots[2], 0x404038, "versioned", false) && slot_is(&v.slots[3], 0x404040, "callee", false));
	v = (struct visits){ .stop_at = 3 };
	CHECK(open_file(&elf, &file) == 0 && rl_elf_each_slot(&elf, keep_slot, &v) == 7 && v.count == 3);
	file.header.e_machine = EM_RISCV; /* there 6, 7 and 1 are other types; 2 and 5 are slots */
	CHECK(count_slots(&file, &v) == 0 && v.count == 0);
	file.plt[0] = rela(0x404018, 1, R_RISCV_JUMP_SLOT, 0);
	file.plt[1] = rela(0x404020, 2, R_RISCV_64, 0);
	CHECK(count_slots(&file, &v) == 0 && v.count == 2 && v.slots[0].lazy && !v.slots[1].lazy);
	file.header.e_machine = EM_AARCH64;
	file.plt[0] = rela(0x404018, 1, R_AARCH64_JUMP_SLOT, 0);
	file.plt[1] = rela(0x404020, 2, R_AARCH64_GLOB_DAT, 0);
	file.plt[2] = rela(0x404028, 2, R_AARCH64_ABS64, 0);
	CHECK(count_slots(&file, &v) == 0 && v.count == 3 && v.slots[0].lazy && !v.slots[1].lazy && !v.slots[2].lazy);
	file.header.e_machine = EM_S390;
	CHECK(count_slots(&file, &v) == 0 && v.count == 0);
}

static const uint8_t *build_id(const struct file *file, size_t *length)
{
	struct rl_elf elf;

	return open_file(&elf, file) < 0 ? NULL : rl_elf_build_id(&elf, length);
}

static void test_build_id(void)
{
	struct file file = new_file();
	size_t length = 0;

	CHECK(build_id(&file, &length) == file.notes.id && length == 20);
	file.notes.second.n_descsz = 21;
	CHECK(build_id(&file, &length) == NULL && length == 0);
	file.notes.second.n_descsz = 18; /* padding cut off */
	file.sections[NOTE].sh_size -= 2;
	CHECK(build_id(&file, &length) == file.notes.id && length == 18);
	file.sections[NOTE].sh_size = offsetof(__typeof__(file.notes), second_name); /* all but the header cut off */
	CHECK(build_id(&file, &length) == NULL && length == 0);
	file.notes.first.n_descsz = 1;
	file.sections[NOTE].sh_size = offsetof(__typeof__(file.notes), first_bytes) + 1; /* so is the padding of another note */
	CHECK(build_id(&file, &length) == NULL && length == 0);
	file = new_file();
	file.notes.second.n_descsz = 0;
	CHECK(build_id(&file, &length) == NULL && length == 0);
	file = new_file();
	file.notes.first.n_namesz = UINT32_MAX;
	CHECK(build_id(&file, &length) == NULL);
	file.notes.first = (Elf64_Nhdr){ 6, UINT32_MAX, 0 };
	CHECK(build_id(&file, &length) == NULL);
	file = new_file();
	file.notes.second.n_type = 1;
	CHECK(build_id(&file, &length) == NULL);
	file = new_file();
	file.sections[NOTE].sh_type = SHT_PROGBITS;
	CHECK(build_id(&file, &length) == NULL);
}

/* More than 65279 sections: the number moves into the first section header. */
static void test_extended_numbering(void)
{
	struct file file = new_file();
	struct visits v;

	file.header.e_shnum = 0;
	CHECK(count_relocs(&file, &v) == 0 && v.count == 0); /* no sections at all */
	file.sections[NONE].sh_size = SECTIONS;
	CHECK(count_relocs(&file, &v) == 0 && v.count == 4);
	file.sections[NONE].sh_size = UINT64_C(1) << 58; /* times 64 is 0 in 64 bits */
	CHECK(count_relocs(&file, &v) == -2 && strstr(why, "outside"));
	file.sections[NONE].sh_size = (sizeof(file) - sizeof(file.header)) / sizeof(Elf64_Shdr) + 1;
	CHECK(count_relocs(&file, &v) == -2);
	file.header.e_shoff = sizeof(file) - 1;
	CHECK(count_relocs(&file, &v) == -2 && strstr(why, "outside"));
}

/* Nothing may depend on where the file lies in memory nor on where a table lies in the file. */
static void test_unaligned(void)
{
	uint8_t *bytes = malloc(sizeof(struct file) + 8);
	struct file file = new_file();
	struct visits v;
	struct rl_elf elf;

	for (size_t i = 1; bytes && i < 8; i++) {
		memcpy(bytes + i, &file, sizeof(file));
		v = (struct visits){ 0 };
		CHECK(rl_elf_open(&elf, bytes + i, sizeof(file), &why) == 0);
		CHECK(rl_elf_each_reloc(&elf, NULL, keep_reloc, &v) == 0 && v.count == 4);
		v.count = 0;
		CHECK(rl_elf_each_slot(&elf, keep_slot, &v) == 0 && v.count == 4);
	}
	free(bytes);
}

/* ---- other files ---- */

#define REFUSED(change, word) do { \
	struct file file = new_file(); \
	struct rl_elf elf; \
	change; \
	why = ""; \
	CHECK(open_file(&elf, &file) == -1 && strstr(why, word)); \
} while (0)

static void test_refused(void)
{
	struct rl_elf elf;

	REFUSED(file.header.e_ident[0] = 0, "not an ELF file");
	REFUSED(file.header.e_ident[EI_CLASS] = ELFCLASS32, "64-bit");
	REFUSED(file.header.e_ident[EI_DATA] = ELFDATA2MSB, "little-endian");
	REFUSED(file.header.e_type = ET_REL, "executable");
	REFUSED(file.header.e_type = ET_CORE, "executable");
	REFUSED(file.header.e_shentsize = 40, "size");
	REFUSED(file.header.e_shoff = UINT64_MAX - 8, "outside");
	REFUSED(file.header.e_shoff = sizeof(file), "outside");
	REFUSED(file.header.e_shnum = UINT16_MAX, "outside");
	REFUSED(file.sections[SYMTAB].sh_offset = UINT64_MAX - 8, "symbol table");
	REFUSED(file.sections[SYMTAB].sh_size = UINT64_MAX / 24 * 24, "symbol table");
	REFUSED(file.sections[SYMTAB].sh_size--, "symbol table");
	REFUSED(file.sections[SYMTAB].sh_entsize = 0, "symbol table");
	REFUSED(file.sections[SYMTAB].sh_link = SECTIONS, "symbol table");
	REFUSED(file.sections[SYMTAB].sh_link = TEXT, "symbol table");
	REFUSED(file.sections[STRTAB].sh_size = sizeof(file), "symbol table");
	CHECK(rl_elf_open(&elf, NULL, 0, &why) == -1 && strstr(why, "not an ELF file"));
	CHECK(rl_elf_open(&elf, ELFMAG, 4, &why) == -1 && strstr(why, "cut off"));
}

#define RELOCS(change, result, visited, has) do { \
	struct file file = new_file(); \
	struct rl_elf elf; \
	struct visits v; \
	change; \
	CHECK(count_relocs(&file, &v) == (result) && v.count == (visited)); \
	CHECK(open_file(&elf, &file) == 0 && rl_elf_has_relocs(&elf) == (has)); \
} while (0)

static void test_other_relocs(void)
{
	RELOCS(file.header.e_shoff = 0, 0, 0, false);
	RELOCS(file.sections[SYMTAB].sh_type = SHT_NULL, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_type = SHT_PROGBITS, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_flags |= SHF_ALLOC, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_size = 0, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_link = DYNSYM, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_link = UINT32_MAX, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_info = DATA, 0, 0, false);
	RELOCS(file.sections[RELA_TEXT].sh_info = UINT32_MAX, 0, 0, false);
	RELOCS(file.sections[TEXT].sh_type = SHT_NOBITS, 0, 0, false);
	RELOCS(file.sections[TEXT].sh_flags = SHF_EXECINSTR, 0, 0, false);
	RELOCS(file.sections[TEXT].sh_flags = SHF_ALLOC, 0, 0, false);
	RELOCS(file.sections[TEXT].sh_size = UINT64_MAX, 0, 5, true); /* a range that wraps: all but the byte before it */
	RELOCS(file.sections[TEXT].sh_addr = UINT64_MAX, 0, 0, true);
}

static void test_broken_relocs(void)
{
	RELOCS(file.sections[RELA_TEXT].sh_entsize = 0, -1, 0, true);
	RELOCS(file.sections[RELA_TEXT].sh_entsize = 16, -1, 0, true);
	RELOCS(file.sections[RELA_TEXT].sh_size--, -1, 0, true);
	RELOCS(file.sections[RELA_TEXT].sh_offset = UINT64_MAX - 23, -1, 0, true);
	RELOCS(file.sections[RELA_TEXT].sh_offset = sizeof(file), -1, 0, true);
	RELOCS(file.sections[RELA_TEXT].sh_size = UINT64_MAX / 24 * 24, -1, 0, true);
	RELOCS(file.text[1].r_info = ELF64_R_INFO(SYMBOLS, 2), -1, 1, true);
	RELOCS(file.text[1].r_info = UINT64_MAX, -1, 1, true);
}

#define SLOTS(change, result, visited) do { \
	struct file file = new_file(); \
	struct visits v; \
	change; \
	CHECK(count_slots(&file, &v) == (result) && v.count == (visited)); \
} while (0)

static void test_other_slots(void)
{
	SLOTS(file.sections[DYNSYM].sh_type = SHT_NULL, 0, 0);
	SLOTS(file.sections[RELA_PLT].sh_flags = 0, 0, 2);
	SLOTS(file.sections[RELA_PLT].sh_link = 0, 0, 2); /* static programs */
	SLOTS(file.sections[RELA_PLT].sh_link = UINT32_MAX, 0, 2);
	SLOTS(file.sections[SYMTAB].sh_type = SHT_NULL, 0, 4);
	SLOTS(file.sections[RELA_PLT].sh_entsize = 8, -1, 0);
	SLOTS(file.sections[RELA_PLT].sh_offset = UINT64_MAX, -1, 0);
	SLOTS(file.sections[DYNSYM].sh_size++, -1, 0);
	SLOTS(file.sections[DYNSYM].sh_offset = sizeof(file), -1, 0);
	SLOTS(file.sections[DYNSYM].sh_link = 0, -1, 0);
	SLOTS(file.sections[DYNSTR].sh_offset = UINT64_MAX, -1, 0);
	SLOTS(file.plt[1].r_info = ELF64_R_INFO(4, R_X86_64_JUMP_SLOT), -1, 1);
	SLOTS(file.dynsym[2].st_name = UINT32_MAX, -1, 1);
	SLOTS(file.dyn[5].r_info = ELF64_R_INFO(UINT32_MAX, R_X86_64_NONE), 0, 4);
}

/* Many headers that name one table: refused instead of visited once for each. */
static void test_overlap(void)
{
	enum { MANY = 4096 };
	struct { struct file file; Elf64_Shdr more[MANY]; } *big = calloc(1, sizeof(*big));
	struct visits v = { 0 };
	struct rl_elf elf;

	if (!big)
		return;
	big->file = new_file();
	big->file.header.e_shoff = offsetof(__typeof__(*big), more);
	big->file.header.e_shnum = MANY;
	for (size_t i = 0; i < MANY; i++)
		big->more[i] = big->file.sections[i < SECTIONS ? i : i % 2 ? RELA_TEXT : RELA_DYN];
	CHECK(rl_elf_open(&elf, big, sizeof(*big), &why) == 0);
	CHECK(rl_elf_each_reloc(&elf, NULL, keep_reloc, &v) == -1 && v.count < sizeof(*big) / sizeof(Elf64_Rela));
	v = (struct visits){ 0 };
	CHECK(rl_elf_each_slot(&elf, keep_slot, &v) == -1 && v.count < sizeof(*big) / sizeof(Elf64_Rela));
	free(big);
}

/* ---- hostile bytes; the sanitizers and the harness of the fuzzer judge ---- */

/* An exact copy, so that one byte too many is an error of AddressSanitizer. */
static void feed(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(2);
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void test_truncation(void)
{
	struct file file = new_file();

	for (size_t size = 0; size <= sizeof(file); size++)
		feed((const uint8_t *)&file, size);
	CHECK(true);
}

static uint64_t random_state;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Values around which arithmetic goes wrong are more likely than chance makes them. */
static uint64_t odd_number(void)
{
	static const uint64_t odd[] = { 0, 1, 23, 24, 25, 63, 64, 0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX - 23, INT64_MAX };
	uint64_t n = random_number();

	return n & 1 ? odd[(n >> 1) % (sizeof(odd) / sizeof(odd[0]))] : random_number() >> (n >> 1) % 64;
}

/* One to four damages of one to eight bytes: bits, fields, swapped fields. */
static void damage(uint8_t *bytes, size_t size)
{
	for (uint64_t n = random_number() % 4 + 1; n; n--) {
		size_t at = (size_t)(random_number() % (size - 8)), width = (size_t)1 << random_number() % 4;
		uint64_t value = odd_number();

		if (random_number() % 4 == 0)
			bytes[at] ^= (uint8_t)(1 << random_number() % 8);
		else
			memcpy(bytes + at / width * width, &value, width);
	}
}

static void corrupt(const uint8_t *bytes, size_t size, unsigned rounds)
{
	uint8_t *copy = malloc(size);

	random_state = UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; copy && size > 8 && i < rounds; i++) {
		memcpy(copy, bytes, size);
		damage(copy, size);
		feed(copy, size);
	}
	free(copy);
}

static void test_corruption(void)
{
	struct file file = new_file();

	corrupt((const uint8_t *)&file, sizeof(file), 100000);
	CHECK(true);
}

/* ---- speed ---- */

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int count_visit(const struct rl_elf_reloc *reloc, void *ctx)
{
	(void)reloc;
	++*(size_t *)ctx;
	return 0;
}

enum { MILLION = 1000000, LARGE_SYMBOLS = 100000 };

struct large {
	struct file file;
	Elf64_Rela relocs[MILLION];
	Elf64_Sym symbols[LARGE_SYMBOLS];
};

static struct large *new_large(void)
{
	struct large *large = calloc(1, sizeof(*large));

	if (!large)
		exit(2);
	large->file = new_file();
	large->file.sections[RELA_TEXT].sh_offset = offsetof(struct large, relocs);
	large->file.sections[RELA_TEXT].sh_size = sizeof(large->relocs);
	large->file.sections[SYMTAB].sh_offset = offsetof(struct large, symbols);
	large->file.sections[SYMTAB].sh_size = sizeof(large->symbols);
	random_state = 1;
	for (size_t i = 0; i < MILLION; i++)
		large->relocs[i] = rela(TEXT_ADDRESS + i % 256, random_number() % LARGE_SYMBOLS, R_X86_64_PLT32, -4);
	return large;
}

/* Generous, so that it fails for a wrong loop and not for a busy machine. */
static void test_speed(void)
{
	static uint8_t wanted[LARGE_SYMBOLS / 8 + 1] = { 1 << 3 };
	struct large *large = new_large();
	double best = 1e9;
	struct rl_elf elf;
	size_t visited;

	CHECK(rl_elf_open(&elf, large, sizeof(*large), &why) == 0);
	for (int round = 0; round < 10; round++) {
		double start = milliseconds();

		visited = 0;
		CHECK(rl_elf_each_reloc(&elf, wanted, count_visit, &visited) == 0 && visited < 100);
		if (milliseconds() - start < best)
			best = milliseconds() - start;
	}
	printf("%d relocations, %zu wanted: %.2f ms\n", MILLION, visited, best);
	CHECK(best < 50);
	free(large);
}

/* ---- real files ---- */

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *stream = fopen(path, "rb");
	uint8_t *bytes;
	long length;

	if (!stream || fseek(stream, 0, SEEK_END) || (length = ftell(stream)) < 0) {
		perror(path);
		exit(2);
	}
	bytes = malloc((size_t)length + 1);
	rewind(stream);
	if (!bytes || fread(bytes, 1, (size_t)length, stream) != (size_t)length)
		exit(2);
	fclose(stream);
	*size = (size_t)length;
	return bytes;
}

/* place info addend kind target, where the last two are the symbol's. */
static int print_reloc(const struct rl_elf_reloc *reloc, void *ctx)
{
	uint64_t magnitude = reloc->addend < 0 ? -(uint64_t)reloc->addend : (uint64_t)reloc->addend;
	struct rl_elf_symbol symbol;

	printf("%016" PRIx64 " %08" PRIx32 "%08" PRIx32, reloc->place, reloc->symbol, reloc->type);
	printf(" %c %" PRIx64, reloc->addend < 0 ? '-' : '+', magnitude);
	if (!rl_elf_symbol(ctx, reloc->symbol, &symbol))
		return 1;
	if (symbol.undefined)
		printf(" undefined -\n");
	else
		printf(" %d %" PRIx64 "\n", symbol.type, symbol.value + (uint64_t)reloc->addend);
	return 0;
}

static int print_slot(const struct rl_elf_slot *slot, void *ctx)
{
	(void)ctx;
	if (!slot->undefined)
		return 0;
	printf("%016" PRIx64 " %d %.*s\n", slot->address, slot->lazy, (int)slot->name_length, slot->name);
	return 0;
}

/* Section symbols have no name: wants all symbols called `name`, or all symbols. */
static int print_relocs(const struct rl_elf *elf, const char *name)
{
	uint8_t *wanted = calloc(rl_elf_symbol_count(elf) / 8 + 1, 1);
	struct rl_elf_symbol symbol;
	int ret;

	for (uint32_t i = 0; wanted && name && i < rl_elf_symbol_count(elf); i++)
		if (rl_elf_symbol(elf, i, &symbol) && name_is(symbol.name, symbol.name_length, name))
			wanted[i / 8] |= (uint8_t)(1 << i % 8);
	ret = rl_elf_each_reloc(elf, name ? wanted : NULL, print_reloc, (void *)(uintptr_t)elf);
	free(wanted);
	return ret;
}

static int print_build_id(const struct rl_elf *elf)
{
	size_t length;
	const uint8_t *id = rl_elf_build_id(elf, &length);

	for (size_t i = 0; i < length; i++)
		printf("%02x", id[i]);
	printf("\n");
	return 0;
}

static int print_file(const char *mode, const char *path, const char *name)
{
	size_t size;
	uint8_t *bytes = read_file(path, &size);
	struct rl_elf elf;
	int ret = 0;

	if (rl_elf_open(&elf, bytes, size, &why) < 0) {
		fprintf(stderr, "%s: %s\n", path, why);
		ret = 1;
	} else if (strcmp(mode, "relocs") == 0) {
		ret = print_relocs(&elf, name);
	} else if (strcmp(mode, "slots") == 0) {
		ret = rl_elf_each_slot(&elf, print_slot, NULL);
	} else {
		ret = print_build_id(&elf);
	}
	free(bytes);
	return ret ? 1 : 0;
}

static void corrupt_file(const char *path)
{
	size_t size;
	uint8_t *bytes = read_file(path, &size);

	corrupt(bytes, size, 2000);
	CHECK(size > 8);
	free(bytes);
}

static void write_seed(const char *directory, const char *name, const struct file *file)
{
	char path[4096];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	stream = fopen(path, "wb");
	CHECK(stream && fwrite(file, sizeof(*file), 1, stream) == 1 && fclose(stream) == 0);
}

static void write_seeds(const char *directory)
{
	struct file file = new_file();

	write_seed(directory, "minimal", &file);
	file.header.e_shnum = 0;
	file.sections[NONE].sh_size = SECTIONS;
	write_seed(directory, "extended-numbering", &file);
}

static void test_memory(void)
{
	test_relocs();
	test_symbols();
	test_slots();
	test_build_id();
	test_extended_numbering();
	test_unaligned();
	test_refused();
	test_other_relocs();
	test_broken_relocs();
	test_other_slots();
	test_overlap();
	test_truncation();
	test_corruption();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "speed") == 0)
		test_speed();
	else if (argc > 2 && strcmp(mode, "corrupt") == 0)
		corrupt_file(argv[2]);
	else if (argc > 2 && strcmp(mode, "seeds") == 0)
		write_seeds(argv[2]);
	else if (argc > 2)
		return print_file(mode, argv[2], argc > 3 ? argv[3] : NULL);
	else
		test_memory();
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
