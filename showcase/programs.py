# SPDX-License-Identifier: MIT
"""What is run: programs as the distribution built them, the work they get, and how their output is known to be right."""
import hashlib
import os
import re
import shutil
import subprocess

import inputs

OPENSSL_KEY = ["-K", "00112233445566778899aabbccddeeff", "-iv", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"]


class Program:
	"""A row of the table: a program and an amount of work. Subclasses say what is executed."""
	command = name = about = ""
	gains = True          # else a negative control
	stdin = "/dev/null"
	alarm = check = None  # check: a second command, not timed, whose output is compared, too

	def __init__(self, seconds, work, env):
		self.seconds, self.env = seconds, env
		self.path = shutil.which(self.command, path=env["PATH"])
		self.row = f"{self.name} {seconds:g} s"
		self.dir = os.path.join(work, f"{self.name}-{seconds:g}")

	def missing(self):
		return None if self.path else f"{self.command} is not installed"

	def prepare(self):
		os.makedirs(self.dir, exist_ok=True)

	def file(self, name):
		return os.path.join(self.dir, name)

	def clean(self):
		"""Before each run: what the last one wrote."""

	def work(self, run):
		"""How much was done, in units of its own: times are divided by it."""
		return 1

	def digest(self, run):
		return hashlib.sha256(run.out + b"\0" + run.err).hexdigest()


class Sqlite(Program):
	name = command = "sqlite3"
	about = "a database in memory from a file of INSERT statements, two indexes, four queries with joins and groups"

	def prepare(self):
		super().prepare()
		self.stdin = self.file("input.sql")
		inputs.sql(self.stdin, self.seconds)
		self.argv = [self.path, "-batch", "-bail", ":memory:"]


class Valac(Program):
	name = command = "valac"
	about = "valac -C: generated classes to C"

	def prepare(self):
		super().prepare()
		inputs.vala(self.file("classes.vala"), self.seconds)
		self.argv = [self.path, "-C", "-d", self.file("out"), self.file("classes.vala")]
		self.clean()

	def clean(self):
		shutil.rmtree(self.file("out"), ignore_errors=True)
		os.makedirs(self.file("out"))

	def digest(self, run):
		whole = hashlib.sha256(run.out + b"\0" + run.err)
		for folder, _, names in sorted(os.walk(self.file("out"))):
			for name in sorted(names):
				with open(os.path.join(folder, name), "rb") as file:
					whole.update(name.encode() + b"\0" + file.read())
		return whole.hexdigest()


class Openssl(Program):
	"""`openssl speed` works for a time and says how much it did: time per operation is what is compared, all of the process
	included. What it encrypts it does not show; so a file is encrypted in each mode, too."""
	name = command = "openssl"
	about = "openssl speed aes-128-gcm with blocks of 16 bytes, process time per operation; a file encrypted for the comparison"

	def prepare(self):
		super().prepare()
		with open(self.file("plain"), "wb") as file:
			file.write(bytes(i * i % 251 for i in range(300000)))
		self.argv = [self.path, "speed", "-evp", "aes-128-gcm", "-bytes", "16", "-seconds", "300"]
		self.alarm = (b"blocks: ", self.seconds)
		self.check = [self.path, "enc", "-aes-128-ctr", *OPENSSL_KEY, "-in", self.file("plain"), "-bufsize", "4096"]

	def work(self, run):
		found = re.search(rb"blocks: (\d+) ", run.err)
		return int(found[1]) if found else 0

	def digest(self, run):
		"""Without what differs each time: how many operations, in which time."""
		return hashlib.sha256(re.sub(rb"[\d.]+", b"N", run.out + b"\0" + run.err)).hexdigest()


class Clang(Program):
	name = command = "clang"
	about = "clang -O2 -S on one generated file"
	gains = False

	def prepare(self):
		super().prepare()
		inputs.c_source(self.file("source.c"), self.seconds)
		self.argv = [self.path, "-O2", "-S", "-o", "-", self.file("source.c")]


class Git(Program):
	name = command = "git"
	about = "git log -p of a generated repository"
	gains = False

	def prepare(self):
		super().prepare()
		shutil.rmtree(self.file("repository"), ignore_errors=True)
		inputs.repository(self.file("repository"), self.seconds, self.path, self.env)
		self.argv = [self.path, "--no-pager", "-C", self.file("repository"), "log", "-p", "main"]


SIZED = [Sqlite, Valac, Openssl]
CONTROLS = [Clang, Git]
NAMES = [kind.name for kind in SIZED + CONTROLS]


def all_of(names, sizes, work, env):
	"""Negative controls have one size, the one next to a second."""
	one = min(sizes, key=lambda size: abs(size - 1))
	rows = [kind(size, work, env) for kind in SIZED for size in sizes] + [kind(one, work, env) for kind in CONTROLS]
	return [row for row in rows if row.name in names]


def output_of(command):
	return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def version_of(path):
	"""The package that the file is from, or what the program says."""
	try:
		package = output_of(["dpkg-query", "-S", os.path.realpath(path)]).split(": ")[0].split(",")[0]
		return output_of(["dpkg-query", "-W", "-f", "${Package} ${Version}", package])
	except (OSError, subprocess.CalledProcessError):
		said = subprocess.run([path, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
		return said.splitlines()[0] if said else "unknown version"
