#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark and writes its results.

usage: run.py BUILD OUT [GROUP ...]

BUILD is a build directory with RELINK_BUILD_BENCH=ON; OUT gets results.json and the plots. GROUP: calls, branches, patches, commits,
start, bytes, uses; all of them if none is named."""
import json
import os
import subprocess
import sys
import time

import elf
import machine
import plot
import results

LOOP_RUNS = 5      # processes, since the layout of a process is luck
FIRST_RUNS = 9     # first commits: one per process
START_RUNS = 15
SIZES = [1, 100, 10000, 100000, 1000000]
FIRST = ["limit.procmem", "commit.startup", "limit.procmem.live.0", "commit.live.0", "limit.rwx", "limit.alias"]

ABOUT = {
	"time": "calls and branches: running time of the measuring thread; commits and start: time that passes.",
	"call.*": "callee: one addition and a return. Sixteen calls in a row in one loop, in C; the ratio is to the direct call next to it "
		"in time. trampoline: relocations not kept; in the page of the target. trampoline_far: in another page.",
	"call.random4096.*": "4096 sites in 32-byte slots, each executed once per turn in a fixed random cycle, linked by direct jumps. All chains "
		"on pages of the process's own.",
	"branch.*": "in front of imul, ror, xor, imul, ror, xor, each waiting for the one before (10 cycles); behind the branch an addition, out of "
		"line. random4096: as with calls, in 64-byte slots.",
	"sequence.*": "one store to memory, sixteen in a row: bare asm; wrapped and native; replaced by a template; replaced by a call of a C "
		"function that keeps all registers (thunk); a plain call and a call through a pointer of that function.",
	"atomic.*": "one counter, incremented sixteen times in a row: a plain instruction; relink_atomic_inc without and with its lock prefix.",
	"function.*": "a function of one of several ways, chosen by a flag and a number: compiled for one by hand; the variant that relink bound; "
		"the function that tests both.",
	"immediate.*": "added in a chain of a multiplication, an addition and a rotation: a constant, relink_immediate, a variable.",
	"stop.*": "RELINK_STOP of one key with one site: alone, with threads that are blocked in read(2), with threads that compute.",
	"ops.*": "the backend of a table of 50 members exchanged, 1000 call sites each, in one commit; the mean of there and back.",
	"commit.*, limit.*": "sites are 64 bytes apart, or one per page (perpage). warm: after the first commit, there and back, halved. first: in a fresh "
		"process, page faults included. The limits know the addresses, check nothing and keep nothing.",
	"commit.startup": "RELINK_STARTUP beside one pwrite per page.",
	"commit.live.T": "RELINK_LIVE with T threads that run through the sites, on all CPUs but the committer's, beside one pwrite per page and "
		"one barrier with the same threads.",
	"uses.*": "per-use keys in generated files of 1000 log statements. first: the first query of a process, which sorts them all; then one "
		"function, one file, a tenth by a glob over the texts, all, the whole key; one commit each. uses.memory: what the runtime holds.",
	"init.*": "from the first constructor to main, sites of one key (init.N) or of one static call (init.call.N); init.exec: from before the spawn.",
	"bytes.*": "record in loaded sections (bytes.X), what --emit-relocs keeps in the file (X.file), what the runtime allocates (X.memory).",
}


class Bench:
	def __init__(self, build):
		self.programs = os.path.join(build, "bench")
		self.samples = results.Samples()
		self.begun = time.monotonic()

	def path(self, program):
		return os.path.join(self.programs, program)

	def has(self, program):
		return os.access(self.path(program), os.X_OK)

	def output(self, program, *arguments):
		done = subprocess.run([self.path(program), *arguments], stdout=subprocess.PIPE, text=True)
		if done.returncode:
			sys.exit(f"bench: {program} {' '.join(arguments)} failed")
		return done.stdout

	def run(self, run, program, *arguments):
		self.samples.read(self.output(program, *arguments), run)

	def progress(self, text):
		print(f"bench: {time.monotonic() - self.begun:4.0f} s  {text}", file=sys.stderr, flush=True)

	def commit_programs(self):
		return [p for shape in ("dense", "perpage") for p in (f"bench-{shape}-{n}" for n in SIZES) if self.has(p)]

	def calls(self):
		for k in range(LOOP_RUNS):
			self.progress(f"calls, {k + 1} of {LOOP_RUNS}")
			self.run(("bound", k), "bench-calls")
			self.run(("plain", k), "bench-calls-plain")

	def branches(self):
		for k in range(LOOP_RUNS):
			self.progress(f"branches, {k + 1} of {LOOP_RUNS}")
			self.run(k, "bench-branches")

	def patches(self):
		for k in range(LOOP_RUNS):
			self.progress(f"patches, {k + 1} of {LOOP_RUNS}")
			self.run(k, "bench-patches")
		self.progress("operations tables")
		self.run("ops", "bench-ops")
		self.progress("stop mode")
		self.run("stop", "bench-stop")

	def commits(self):
		for program in self.commit_programs():
			self.progress(f"{program}, warm")
			for k in range(1 if program.endswith("000") else 3):
				self.run(("warm", k), program, "warm")
		for k in range(FIRST_RUNS):
			self.progress(f"first commits, {k + 1} of {FIRST_RUNS}")
			for program in self.commit_programs():
				for i in range(len(FIRST)):
					self.run(("first", k), program, "first", FIRST[(i + k) % len(FIRST)])

	def start(self):
		self.progress("start")
		programs = {"0": "bench-start-0", "10000": "bench-dense-10000", "1000000": "bench-dense-1000000"}
		programs |= {f"call.{n}": f"bench-calls-start-{n}" for n in (0, 10000, 1000000)}
		self.run(0, "bench-spawn", str(START_RUNS), *(f"{name}={self.path(p)}" for name, p in programs.items()))
		for kind in ("", "call."):
			self.samples.to[f"init.{kind}1000000"] = f"init.{kind}10000"

	def uses(self):
		"""The start also of a shared object, whose code leads to its keys through words that the loader fills in."""
		programs = {n: f"bench-uses-{n}" for n in (0, 10000, 100000)}
		for k in range(FIRST_RUNS):
			self.progress(f"uses, {k + 1} of {FIRST_RUNS}")
			for n in (10000, 100000):
				self.run(k, programs[n])
		for n in (0, 10000, 100000):
			shared = {f"uses.pic.{n}": f"{programs[n]}-pic"} if n == 100000 else {}
			self.run(0, "bench-spawn", str(START_RUNS), *(f"{name}={self.path(p)}" for name, p in ({f"uses.{n}": programs[n]} | shared).items()))
		self.samples.to["init.uses.100000"] = "init.uses.10000"
		small, large = (elf.section_sizes(self.path(programs[n])) for n in (0, 100000))
		self.samples.add("bytes.use", "bytes", (large.get("relink_use_sites", 0) - small.get("relink_use_sites", 0)) / 100000)

	def bytes(self):
		self.bytes_of("branch", "bench-start-0", "bench-dense-1000000", "relink_branch", ".relarelink_branch")
		self.bytes_of("call", "bench-calls-start-0", "bench-calls-start-1000000", "relink_call", ".rela.text")

	def bytes_of(self, kind, without, with_sites, records, kept):
		"""What a million sites add, divided by a million."""
		sites = 1000000
		small, large = (elf.section_sizes(self.path(p)) for p in (without, with_sites))
		small_memory, large_memory = (int(self.output(p, "start").split()[2]) for p in (without, with_sites))
		for name, more in (("", large.get(records, 0) - small.get(records, 0)), (".file", large.get(kept, 0) - small.get(kept, 0)),
				   (".memory", large_memory - small_memory)):
			self.samples.add(f"bytes.{kind}{name}", "bytes", more / sites)


def main():
	build, out, *groups = sys.argv[1:]
	bench = Bench(build)
	about = machine.describe(build)
	for group in groups or ["calls", "branches", "patches", "commits", "start", "bytes", "uses"]:
		getattr(bench, group)()
	found = results.results_of(bench.samples)
	about["seconds"] = round(time.monotonic() - bench.begun)
	os.makedirs(out, exist_ok=True)
	with open(os.path.join(out, "results.json"), "w") as file:
		json.dump({"machine": about, "about": ABOUT, "notes": bench.samples.notes, "results": found}, file, indent=1)
		file.write("\n")
	plots = plot.write_all(found, about, out)
	print(f"{about['cpu']}, {about['cores']} CPUs; {about['kernel']}; {about['compiler']}; {about['build_type']}; {about['date']}")
	print(results.table(found))
	print("\nTargets\n" + results.summary(found))
	print(f"\n{os.path.join(out, 'results.json')}, {', '.join(plots)}")


main()
