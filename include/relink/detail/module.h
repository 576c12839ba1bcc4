/* SPDX-License-Identifier: MIT */
/*
 * module.h - hands a module's records to the runtime.
 *
 * Every object file that includes relink carries a constructor; all of a module hand over the same header (weak and
 * hidden: one per module), and the runtime takes it once. The constructor runs before those of the program.
 */
#ifndef RELINK_DETAIL_MODULE_H
#define RELINK_DETAIL_MODULE_H

#include <relink/abi.h>

#ifndef RELINK_INTERNAL
RELINK_BEGIN_DECLS

RELINK_API void relink_attach(struct relink_module_header *header);
RELINK_API void relink_detach(struct relink_module_header *header);

#define RELINK_BOUNDARY_ __attribute__((weak, visibility("hidden")))
extern const struct relink_branch_record __start_relink_branch[] RELINK_BOUNDARY_;
extern const struct relink_branch_record __stop_relink_branch[] RELINK_BOUNDARY_;
extern const struct relink_use_record __start_relink_use_sites[] RELINK_BOUNDARY_;
extern const struct relink_use_record __stop_relink_use_sites[] RELINK_BOUNDARY_;
extern const struct relink_patch_record __start_relink_patch[] RELINK_BOUNDARY_;
extern const struct relink_patch_record __stop_relink_patch[] RELINK_BOUNDARY_;
extern const char __start_relink_records[] RELINK_BOUNDARY_;
extern const char __stop_relink_records[] RELINK_BOUNDARY_;

extern char __start_relink_pointers[] RELINK_BOUNDARY_;
extern char __stop_relink_pointers[] RELINK_BOUNDARY_;
extern const int32_t __start_relink_sites[] RELINK_BOUNDARY_;
extern const int32_t __stop_relink_sites[] RELINK_BOUNDARY_;
extern const int32_t __start_relink_got_sites[] RELINK_BOUNDARY_;
extern const int32_t __stop_relink_got_sites[] RELINK_BOUNDARY_;

/*
 * One note per module, which linkers put right behind the program headers. `relink index` moves what is in front of the place up
 * by the size of a program header, and so gets one for the segment of its table; the place itself stays where the header says.
 * LTO assembles what several files have said as one.
 */
#ifdef __ELF__
__asm__(".ifndef relink_index_place\n"
	"\t.pushsection .note.relink.index,\"aG\",%note,relink_note,comdat\n"
	"\t.balign 4\n"
	"\t.long 7, 64, 0x52454c32\n" /* lengths of name and description, RELINK_NOTE_INDEX */
	"\t.asciz \"relink\"\n"
	"\t.zero 1 + 56\n" /* the name's padding, RELINK_NOTE_ROOM */
	"\t.weak relink_index_place\n"
	"\t.hidden relink_index_place\n"
	"\t.type relink_index_place, %object\n"
	"\t.size relink_index_place, 8\n"
	"relink_index_place:\n"
	"\t.long 0, 0\n"
	"\t.popsection\n"
	"\t.endif");
#endif
extern const struct relink_index_place relink_index_place RELINK_BOUNDARY_;

extern struct relink_module_header relink_module_header RELINK_BOUNDARY_;
struct relink_module_header relink_module_header = {
	(uint32_t)sizeof(struct relink_module_header), RELINK_ABI,
	__start_relink_branch, __stop_relink_branch, __start_relink_records, __stop_relink_records,
	__start_relink_patch, __stop_relink_patch, RELINK_NULL_,
	__start_relink_use_sites, __stop_relink_use_sites,
	__start_relink_pointers, __stop_relink_pointers,
	&relink_index_place,
	__start_relink_sites, __stop_relink_sites, __start_relink_got_sites, __stop_relink_got_sites,
};

static void __attribute__((constructor(101))) relink_module_constructor_(void)
{
	relink_attach(&relink_module_header);
}

static void __attribute__((destructor(101))) relink_module_destructor_(void)
{
	relink_detach(&relink_module_header);
}

RELINK_END_DECLS
#endif

#endif
