/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where the fields of 64-bit programs' records and objects lie. Records are read by these offsets, so that it does not
 * matter what machine reads them; compared with the real structs by a 64-bit compiler.
 */
#ifndef RELINK_MODEL_LAYOUT_H
#define RELINK_MODEL_LAYOUT_H

#include <stddef.h>
#include <relink/relink.h>
#include <relink/immediate.h>
#include <relink/ops.h>
#include <relink/sequence.h>

enum {
	CHOICE_NAME = 8, CHOICE_DOC = 16, CHOICE_OBJECT = 24, CHOICE_STATES = 32, CHOICE_COUNT = 40, CHOICE_SIZE = 48,
	VARIANT_CALL = 8, VARIANT_NAME = 16, VARIANT_FN = 24, VARIANT_CONSTANT = 32, VARIANT_NEEDS = 40, VARIANT_CONDITION = 48,
	VARIANT_RANK = 56, VARIANT_WHEN = 64, VARIANT_SIZE = 64, /* `when` is younger */
	WHEN_OBJECT = 8, WHEN_VALUE = 16, WHEN_SIZE = 24,
	CHOOSE_CHOICE = 8, CHOOSE_FN = 16, CHOOSE_SIZE = 24,
	OPS_NAME = 8, OPS_DOC = 16, OPS_LIST = 24, OPS_SIZE = 32,
	MARK_WHAT = 8, MARK_FN = 16, MARK_CONSTANT = 24, MARK_SIZE = 32,
	LIST_OPS = 0, LIST_OP = 8, LIST_COUNT = 16, LIST_SIZE = 24,
	OP_CALL = 16, OP_MISSING = 24, OP_OFFSET = 32, OP_SIZE = 48,
	CALL_SLOT = 0, CALL_TRAMPOLINE = 8, CALL_SIZE = 24,
	KEY_SIZE = 16, KEY_COUNT = 4, OPTION_KEYS = 16, IMMEDIATE_SIZE = 16,
	ARM_SIZE = 12, USE_SIZE = 20, USE_COPY = 8, PATCH_SIZE = 12, PATCH_FLAGS = 10, BRANCH_SIZE = 8, BRANCH_REF = 4, RECORD_FLAGS = 4,
	HERE_FILE = 8, HERE_FUNCTION = 12, HERE_TEXT = 16, HERE_LINE = 20, HERE_SIZE = 24, /* uses of keys */
	HEADER_POINTERS_START = 80, HEADER_POINTERS_STOP = 88, HEADER_LEAST = 96,
	POINTER_NAME = 8, POINTER_DOC = 16, POINTER_OBJECT = 24, POINTER_LENGTH = 32, POINTER_SIZE = 40,
};

#if defined(__LP64__) && defined(__x86_64__)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), "relink: this layout is not the library's")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "relink: this layout is not the library's")
AT(struct relink_choice_record, name, CHOICE_NAME);
AT(struct relink_choice_record, doc, CHOICE_DOC);
AT(struct relink_choice_record, object, CHOICE_OBJECT);
AT(struct relink_choice_record, states, CHOICE_STATES);
AT(struct relink_choice_record, count, CHOICE_COUNT);
SIZE(struct relink_choice_record, CHOICE_SIZE);
AT(struct relink_variant_record, call, VARIANT_CALL);
AT(struct relink_variant_record, name, VARIANT_NAME);
AT(struct relink_variant_record, fn, VARIANT_FN);
AT(struct relink_variant_record, constant, VARIANT_CONSTANT);
AT(struct relink_variant_record, needs, VARIANT_NEEDS);
AT(struct relink_variant_record, condition, VARIANT_CONDITION);
AT(struct relink_variant_record, rank, VARIANT_RANK);
AT(struct relink_variant_record, when, VARIANT_WHEN);
AT(struct relink_when, object, WHEN_OBJECT);
AT(struct relink_when, value, WHEN_VALUE);
SIZE(struct relink_when, WHEN_SIZE);
AT(struct relink_choose_record, choice, CHOOSE_CHOICE);
AT(struct relink_choose_record, fn, CHOOSE_FN);
SIZE(struct relink_choose_record, CHOOSE_SIZE);
AT(struct relink_ops_record, name, OPS_NAME);
AT(struct relink_ops_record, doc, OPS_DOC);
AT(struct relink_ops_record, list, OPS_LIST);
SIZE(struct relink_ops_record, OPS_SIZE);
AT(struct relink_op_mark_record, what, MARK_WHAT);
AT(struct relink_op_mark_record, fn, MARK_FN);
AT(struct relink_op_mark_record, constant, MARK_CONSTANT);
SIZE(struct relink_op_mark_record, MARK_SIZE);
AT(struct relink_op_list, ops, LIST_OPS);
AT(struct relink_op_list, op, LIST_OP);
AT(struct relink_op_list, count, LIST_COUNT);
SIZE(struct relink_op_list, LIST_SIZE);
AT(struct relink_op, call, OP_CALL);
AT(struct relink_op, missing, OP_MISSING);
AT(struct relink_op, offset, OP_OFFSET);
SIZE(struct relink_op, OP_SIZE);
AT(struct relink_call, slot, CALL_SLOT);
AT(struct relink_call, trampoline, CALL_TRAMPOLINE);
SIZE(struct relink_call, CALL_SIZE);
SIZE(struct relink_key, KEY_SIZE);
AT(struct relink_key, count, KEY_COUNT);
AT(struct relink_patch_record, flags, PATCH_FLAGS);
AT(struct relink_sequence_use, copy, USE_COPY);
SIZE(struct relink_option, OPTION_KEYS);
SIZE(struct relink_immediate, IMMEDIATE_SIZE);
SIZE(struct relink_arm, ARM_SIZE);
SIZE(struct relink_sequence_use, USE_SIZE);
SIZE(struct relink_patch_record, PATCH_SIZE);
SIZE(struct relink_branch_record, BRANCH_SIZE);
AT(struct relink_use_record, file, HERE_FILE);
AT(struct relink_use_record, function, HERE_FUNCTION);
AT(struct relink_use_record, text, HERE_TEXT);
AT(struct relink_use_record, line, HERE_LINE);
SIZE(struct relink_use_record, HERE_SIZE);
AT(struct relink_pointer_record, name, POINTER_NAME);
AT(struct relink_module_header, pointers_start, HEADER_POINTERS_START);
AT(struct relink_module_header, pointers_stop, HEADER_POINTERS_STOP);
AT(struct relink_pointer_record, doc, POINTER_DOC);
AT(struct relink_pointer_record, object, POINTER_OBJECT);
AT(struct relink_pointer_record, length, POINTER_LENGTH);
SIZE(struct relink_pointer_record, POINTER_SIZE);
#undef AT
#undef SIZE
#endif

#endif
