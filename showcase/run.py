#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs programs of the distribution with and without `relink run` and writes what they gain.

usage: run.py RELINK BUILD OUT [PROGRAM ...]

OUT gets results.json and gains.svg. PROGRAM: sqlite3, valac, openssl, clang, git; all of them if none is named.
SHOWCASE_ROUNDS: how often (21). SHOWCASE_SECONDS: how much work, "0.1 1 5" if nothing is said. An interrupt ends it behind the
last whole round, and what was measured is written. Status 1: something failed, or an output has changed."""
import json
import os
import random
import shutil
import signal
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import figure
import machine
import measure
import modes
import process
import programs
import report


def say(begun, text):
	print(f"showcase: {time.monotonic() - begun:5.0f} s  {text}", file=sys.stderr, flush=True)


def settings():
	try:
		rounds = int(os.environ.get("SHOWCASE_ROUNDS", "21"))
		sizes = [float(s) for s in os.environ.get("SHOWCASE_SECONDS", "0.1 1 5").split()]
		if rounds < 2 or not sizes or not all(0.001 <= s <= 100 for s in sizes):
			raise ValueError
	except ValueError:
		sys.exit("showcase: SHOWCASE_ROUNDS is a number from 2 on, SHOWCASE_SECONDS is numbers from 0.001 to 100: "
			 'SHOWCASE_SECONDS="0.1 1"')
	return rounds, sizes


def environment(work):
	"""Nothing of the user's but the way to programs: no configuration, no language."""
	home = os.path.join(work, "home")
	os.makedirs(home, exist_ok=True)
	return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": home, "LC_ALL": "C", "TZ": "UTC", "GIT_CONFIG_NOSYSTEM": "1"}


class Showcase:
	def __init__(self, relink, build, out, names):
		self.rounds, self.sizes = settings()
		self.out, self.begun = out, time.monotonic()
		work = os.path.join(out, "work")
		for folder in ("work", "changed", "reports"):
			shutil.rmtree(os.path.join(out, folder), ignore_errors=True)
		os.makedirs(work)
		ways = modes.Modes(relink, work, environment(work))
		self.programs = programs.all_of(names, self.sizes, work, ways.env)
		self.rows = [measure.Row(p, ways, out) for p in self.programs if not p.missing()]
		sqlite = shutil.which("sqlite3", path=ways.env["PATH"])
		self.start = measure.Start(sqlite, ways) if sqlite and "sqlite3" in names else None
		for mode in modes.NAMES:
			ways.empty(mode)
		self.machine = machine.describe(build)
		self.machine["programs"] = {p.name: programs.version_of(p.path) for p in self.programs if not p.missing()}

	def prepare(self):
		"""Inputs and warm caches; of all rows before the first is timed, since programs share libraries."""
		for part in self.rows + ([self.start] if self.start else []):
			if isinstance(part, measure.Row):
				say(self.begun, f"{part.name()}: input, caches, first comparison of outputs")
			part.prepare()

	def measure(self):
		for k in range(self.rounds):
			say(self.begun, f"round {k + 1} of {self.rounds}, load {os.getloadavg()[0]:.1f}")
			for part in random.sample(self.rows, len(self.rows)) + ([self.start] if self.start else []):
				part.round()

	def memory(self):
		say(self.begun, "memory")
		for row in self.rows:
			row.memory()

	def row_of(self, program, row):
		if row:
			return report.row_of(row)
		return {"row": program.row, "program": program.name, "seconds": program.seconds, "control": not program.gains,
			"missing": program.missing()}

	def found(self):
		measured = {row.program: row for row in self.rows}
		rows = [self.row_of(p, measured.get(p)) for p in self.programs]
		start = report.start_of(self.start) if self.start else None
		ended = {"load_end": round(os.getloadavg()[0], 2), "seconds": round(time.monotonic() - self.begun)}
		about = {"modes": modes.ABOUT, "programs": {p.name: p.about for p in self.programs}}
		return {"machine": {**self.machine, **ended}, "about": about, "rows": rows, "start": start, "targets": report.targets_of(rows, start)}

	def write(self):
		"""Whole or not at all."""
		found, path = self.found(), os.path.join(self.out, "results.json")
		with open(path + ".new", "w", encoding="utf-8") as file:
			json.dump(found, file, indent=1)
			file.write("\n")
		os.replace(path + ".new", path)
		return found


def interrupted(*_):
	"""Once: what follows writes the results."""
	for number in (signal.SIGINT, signal.SIGTERM):
		signal.signal(number, signal.SIG_IGN)
	raise KeyboardInterrupt


def main():
	if len(sys.argv) < 4:
		sys.exit("usage: run.py RELINK BUILD OUT [PROGRAM ...]")
	relink, build, out, *names = sys.argv[1:]
	unknown = [name for name in names if name not in programs.NAMES]
	if unknown:
		sys.exit(f"showcase: no program {unknown[0]}: there are {', '.join(programs.NAMES)}")
	for number in (signal.SIGINT, signal.SIGTERM):
		signal.signal(number, interrupted)
	show = Showcase(os.path.abspath(relink), build, os.path.abspath(out), names or programs.NAMES)
	status = 0
	try:
		show.prepare()
		show.memory()
		show.measure()
	except KeyboardInterrupt:
		say(show.begun, "interrupted: this is what there was until now")
		status = 130
	except (process.Failed, OSError) as problem:
		sys.exit(f"showcase: {problem}")
	found = show.write()
	print(report.text_of(found))
	picture = os.path.join(out, "gains.svg")
	drawn = figure.draw(found, picture)
	print(f"\n{os.path.join(out, 'results.json')}" + (f", {picture}" if drawn else ""))
	sys.exit(status)


main()
