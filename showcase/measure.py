# SPDX-License-Identifier: MIT
"""Runs rows in modes, compares what they write, and keeps the samples."""
import json
import os
import random

import modes as ways
import process

MEMORY_RUNS = 3
STARTS = 5        # trivial runs per round
TRIVIAL = ["-batch", ":memory:", "SELECT 1;"]
START_MODES = ["plain", "plain2", "hot", "cold", "all"]


class Changed(process.Failed):
	pass


class Samples:
	"""Of one row: lists per mode, an entry per round. Seconds per unit of work, bytes."""

	def __init__(self, modes):
		self.cpu, self.wall = {m: [] for m in modes}, {m: [] for m in modes}
		self.private, self.code, self.report = {}, {}, {}

	def rounds(self):
		return min(map(len, self.cpu.values()))


class Row:
	def __init__(self, program, modes, out):
		self.program, self.modes, self.out = program, modes, out
		self.names = ways.of_size(program.seconds)
		self.samples = Samples(self.names)
		self.expected = {}

	def name(self):
		return self.program.row

	def compare(self, mode, run, what, digest):
		"""The first run of all is one without relink: what it wrote is what all have to write."""
		if run.status:
			raise process.Failed(f"{self.name()}, {mode}: ended with status {run.status}: {self.keep(run, what, mode)}")
		if self.expected.setdefault(what, (digest, run))[0] != digest:
			self.keep(self.expected[what][1], what, "expected")
			path = self.keep(run, what, mode)
			raise Changed(f"{self.name()}, {mode}: THE OUTPUT HAS CHANGED: {path} is not what is in expected-*")

	def keep(self, run, what, mode):
		"""Where somebody can look at it."""
		folder = os.path.join(self.out, "changed")
		os.makedirs(folder, exist_ok=True)
		path = os.path.join(folder, f"{mode}-{what}-{self.name().replace(' ', '-')}")
		for kind, text in (("out", run.out), ("err", run.err)):
			with open(f"{path}.{kind}", "wb") as file:
				file.write(text)
		return path + ".err"

	def execute(self, mode, argv, memory=None):
		program = self.program
		program.clean()
		self.modes.before(mode)
		run = process.run(argv, self.modes.environment(mode), program.stdin, program.alarm, memory)
		self.compare(mode, run, "run", program.digest(run))
		return run

	def checked(self, mode):
		"""What the timed command does not show."""
		if self.program.check:
			run = process.run(self.modes.argv(mode, self.program.check), self.modes.environment(mode))
			self.compare(mode, run, "check", run.out)

	def prepare(self):
		self.program.prepare()
		for mode in self.names:
			for _ in range(ways.PRIMING if mode in ("control", "hot", "all") else 1):
				self.execute(mode, self.modes.priming(mode, self.program.argv))
			self.checked(mode)

	def timed(self, mode):
		run = self.execute(mode, self.modes.argv(mode, self.program.argv))
		work = self.program.work(run)
		if work < 1:
			raise process.Failed(f"{self.name()}, {mode}: did not say how much it did: {self.keep(run, 'run', mode)}")
		self.samples.cpu[mode].append(run.cpu / work)
		self.samples.wall[mode].append(run.wall / work)

	def round(self):
		for mode in random.sample(self.names, len(self.names)):
			self.timed(mode)
			self.checked(mode)

	def report(self, mode, path):
		if mode in ways.PLAIN:
			return None
		try:
			with open(path, encoding="utf-8", errors="replace") as file:
				return json.load(file)
		except (OSError, ValueError) as problem:
			raise process.Failed(f"{self.name()}, {mode}: relink run --report --json wrote no report: {problem}") from None

	def memory(self):
		"""Not while it is timed."""
		folder = os.path.join(self.out, "reports")
		os.makedirs(folder, exist_ok=True)
		for mode in self.names:
			if mode == "plain2":
				continue
			path = os.path.join(folder, f"{self.name().replace(' ', '-')}-{mode}.json")
			argv = self.modes.argv(mode, self.program.argv, [f"--report={path}", "--json"])
			seen = []
			for _ in range(MEMORY_RUNS if self.program.seconds < ways.LONG else 1):
				seen.append(process.Memory())
				self.execute(mode, argv, seen[-1])
			self.samples.private[mode] = sorted(m.private for m in seen)[len(seen) // 2]
			self.samples.code[mode] = sorted(m.code for m in seen)[len(seen) // 2]
			self.samples.report[mode] = self.report(mode, path)


class Start:
	"""What `relink run` adds to a program that has almost nothing to do."""

	def __init__(self, sqlite, modes):
		self.path, self.modes = sqlite, modes
		self.cpu, self.wall = {m: [] for m in START_MODES}, {m: [] for m in START_MODES}

	def once(self, mode):
		self.modes.before(mode)
		run = process.run(self.modes.argv(mode, [self.path, *TRIVIAL]), self.modes.environment(mode))
		if run.status or run.out != b"1\n" or run.err:
			raise process.Failed(f"sqlite3 {TRIVIAL[-1]}, {mode}: status {run.status}, wrote {run.out + run.err!r}")
		return run

	def prepare(self):
		for mode in START_MODES:
			for _ in range(ways.PRIMING):
				self.once(mode)

	def round(self):
		for _ in range(STARTS):
			for mode in random.sample(START_MODES, len(START_MODES)):
				run = self.once(mode)
				self.cpu[mode].append(run.cpu)
				self.wall[mode].append(run.wall)
