#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the chains: 4096 sites of each kind, each in a slot of its own that ends in a direct jump to the next slot of one
fixed random cycle. All kinds of a chain have the same cycle, the same slots and the same jumps; the site is the difference.

usage: chain.py call|branch OUT.S"""
import sys

SITES = 4096
SLOT = {"call": 32, "branch": 64}  # bytes

CALLS = {
	"direct": ["call bench_direct"],
	"static": ["call bench_static"],
	"far": ["call bench_far"],
	"pointer": ["call *bench_pointer(%rip)"],
	"plt": ["call bench_plt@PLT"],
	"ifunc": ["call bench_ifunc@PLT"],
	"retpoline": ["mov bench_pointer(%rip), %r11", "call chain_thunk"],
}

# A site that jumps goes to cold code of its own, which adds 1 and jumps back to `Nb`.
BRANCHES = {
	"none": [],
	"key": [".byte 0xa9", ".long {cold} - (. + 4)"],
	"flag": ["cmpl $0, bench_flag(%rip)", ".byte 0x0f, 0x85", ".long {cold} - (. + 4)"],
}
BODY = ["imul %rcx, %rax", "ror $17, %rax", "xor %rcx, %rax"] * 2
FACTOR = 0x9E3779B97F4A7C15

THUNK = """	.balign 64
chain_thunk:
	call 1f
2:	pause
	lfence
	jmp 2b
1:	mov %r11, (%rsp)
	ret
"""


def cycle(n, seed=1):
	"""The successor of every slot in one random cycle (Sattolo), the same on every machine."""
	order = list(range(n))
	for i in range(n - 1, 0, -1):
		seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
		j = (seed >> 33) % i
		order[i], order[j] = order[j], order[i]
	after = [0] * n
	for i in range(n):
		after[order[i]] = order[(i + 1) % n]
	return after


def jump(target):
	return [".byte 0xe9", f".long {target} - (. + 4)"]


def chain(kind, name, site, after):
	"""The function and its slots. Slot 0 is entered last: it counts the turns instead of jumping blindly."""
	label, slot = f"chain_{kind}_{name}", SLOT[kind]
	out = [f"\t.section .text.{label},\"ax\",@progbits", "\t.balign 4096", f"\t.globl {label}_slots, {label}_slots_end\n{label}_slots:"]
	for i in range(SITES):
		target = f"{label}_turn" if after[i] == 0 else f"{label}_slots + {slot * after[i]}"
		out.append(f"\t.org {label}_slots + {slot * i}, 0xcc")
		out += ["\t" + line for line in site(i, label) + jump(target)]
	out += [f"\t.balign 64, 0xcc\n{label}_slots_end:\n{label}_turn:", "\tdec %rbx", f"\tjne {label}_slots", "\tpop %rbx", "\tret"]
	out += [f"\t.globl {label}\n\t.type {label},@function\n{label}:", "\tpush %rbx", "\tmov %rsi, %rbx",
		"\tmov %rdi, %rax", f"\tmovabs ${FACTOR:#x}, %rcx", f"\tjmp {label}_slots", f"\t.size {label}, . - {label}"]
	return out


def call_site(text):
	return lambda i, label: ["mov %rax, %rdi"] + text


def branch_site(text):
	def site(i, label):
		return [f"{label}_{i}:"] + [line.format(cold=f"{label}_cold + {16 * i}") for line in text] + [f"{label}_{i}b:"] + BODY
	return site


def cold(label):
	out = [f"\t.section .text.{label}_cold,\"ax\",@progbits", "\t.balign 4096", f"{label}_cold:"]
	for i in range(SITES):
		out += ["\t.balign 16, 0xcc", "\tadd $1, %rax"] + ["\t" + line for line in jump(f"{label}_{i}b")]
	return out


def records(label):
	"""Of struct relink_branch_record, with RELINK_BRANCH_DIRECT, as <relink/abi.h> describes it."""
	out = [f"\t.section relink_branch,\"ao\",@progbits,{label}_slots", "\t.balign 4"]
	for i in range(SITES):
		out += [f"\t.long {label}_{i} - .", "\t.long bench_key + 4 - ."]
	return out


def calls(after):
	out = ["\t.text", THUNK]
	for name, text in CALLS.items():
		out += chain("call", name, call_site(text), after)
	return out


def branches(after):
	out = []
	for name, text in BRANCHES.items():
		out += chain("branch", name, branch_site(text), after)
		if text:
			out += cold(f"chain_branch_{name}")
	return out + records("chain_branch_key")


def main():
	kind, path = sys.argv[1:]
	out = {"call": calls, "branch": branches}[kind](cycle(SITES))
	with open(path, "w") as file:
		file.write("\n".join(out) + "\n\t.section .note.GNU-stack,\"\",@progbits\n")


main()
