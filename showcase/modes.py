# SPDX-License-Identifier: MIT
"""In which ways a program is run: without relink, twice; with it, in the ways that are compared."""
import os
import shutil

PLAIN = {"plain", "plain2"}
OPTIONS = {
	"control": ["--policy", "cached", "--control"],
	"hot": [],
	"cold": [],
	"all": ["--policy", "all", "--budget", "64G"],
}
ABOUT = {
	"plain": "without relink",
	"plain2": "without relink, again: what this column shows is the error of the measurement",
	"control": "relink run --policy cached --control, the cache of hot: writes the pages, with the bytes that are there; learns nothing",
	"hot": "relink run, the cache warm from earlier runs",
	"cold": "relink run, the cache empty in each run",
	"all": "relink run --policy all, no budget: every site that is in reach is bound at start, its index cached",
}
NAMES = list(ABOUT)
PRIMING = 3  # runs that fill a cache
LONG = 3     # seconds from which on there is no control and no cold cache: what they show, shorter runs show better


def of_size(seconds):
	return [mode for mode in NAMES if seconds < LONG or mode not in ("control", "cold")]


class Modes:
	"""Command lines and environments. A mode's cache is its own: none profits from what another one learned."""

	def __init__(self, relink, work, env):
		self.relink, self.caches, self.env = relink, os.path.join(work, "cache"), env

	def cache(self, mode):
		return os.path.join(self.caches, mode)

	def argv(self, mode, command, options=()):
		if mode in PLAIN:
			return command
		return [self.relink, "run", *OPTIONS[mode], *options, "--", *command]

	def environment(self, mode):
		return {**self.env, "XDG_CACHE_HOME": self.cache(mode)}

	def empty(self, mode):
		shutil.rmtree(self.cache(mode), ignore_errors=True)
		os.makedirs(self.cache(mode))

	def before(self, mode):
		if mode == "cold":
			self.empty(mode)

	def priming(self, mode, command):
		"""What fills the mode's cache; the control's is that of hot."""
		return self.argv("hot" if mode == "control" else mode, command)
