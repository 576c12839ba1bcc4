#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""relink_start.py [-n ROUNDS] RELINK...: what it costs to start programs by relink.

Each of the programs RELINK, and the started one alone, once per round in an order of chance; CPU time of the whole process (user and
system, wait4(2)) and time that passes: median and middle half. The cache is one of its own, filled by the rounds that do not count.
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import time

PROGRAM = "/bin/true"
UNCOUNTED = 10


def once(command, env, null):
	begin = time.perf_counter()
	pid = os.posix_spawn(command[0], command, env, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
	_, status, usage = os.wait4(pid, 0)
	if status:
		sys.exit("relink_start: %s: status %d" % (" ".join(command), os.waitstatus_to_exitcode(status)))
	return usage.ru_utime + usage.ru_stime, time.perf_counter() - begin


def measure(commands, rounds, env):
	samples = {name: [] for name in commands}
	with open(os.devnull, "w") as null:
		for i in range(rounds + UNCOUNTED):
			for name in random.sample(list(commands), len(commands)):
				sample = once(commands[name], env, null.fileno())
				if i >= UNCOUNTED:
					samples[name].append(sample)
	return samples


def middle(values):
	values = sorted(values)
	at = [1e3 * values[round(part * (len(values) - 1))] for part in (0.5, 0.25, 0.75)]
	return "%6.2f [%.2f..%.2f]" % tuple(at)


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("-n", type=int, default=300, metavar="ROUNDS")
	parser.add_argument("relink", nargs="+")
	args = parser.parse_args()
	commands = {PROGRAM: [PROGRAM]}
	for path in args.relink:
		path = shutil.which(path) or sys.exit("relink_start: %s: there is no such program" % path)
		commands["%s run -- %s" % (path, PROGRAM)] = [path, "run", "--", PROGRAM]
		commands["%s --version" % path] = [path, "--version"]
		commands["%s help list" % path] = [path, "help", "list"]
	with tempfile.TemporaryDirectory() as cache:
		samples = measure(commands, args.n, dict(os.environ, XDG_CACHE_HOME=cache))
	print("ms, median and middle half of %d runs: CPU time, time that passes" % args.n)
	for name in commands:
		cpu, passed = zip(*samples[name])
		print("%-24s %-24s %s" % (middle(cpu), middle(passed), name))


main()
