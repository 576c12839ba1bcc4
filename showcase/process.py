# SPDX-License-Identifier: MIT
"""One process: what it took, what it wrote, and, if it is watched, which memory it had for itself."""
import os
import re
import signal
import time

LONGEST = 600  # seconds: what takes longer hangs


class Failed(Exception):
	pass


class Run:
	"""wall and cpu in seconds, user and system together, children that were waited for included."""

	def __init__(self, wall, usage, status, out, err):
		self.wall, self.cpu = wall, usage.ru_utime + usage.ru_stime
		self.status, self.out, self.err = os.waitstatus_to_exitcode(status), out, err


class Memory:
	"""The most that was seen, in bytes: private dirty pages of the process; of these, pages of code that files were mapped for."""

	def __init__(self):
		self.private = self.code = self.looks = 0

	def look(self, pid):
		private = code = 0
		counts = False
		try:
			with open(f"/proc/{pid}/smaps") as file:
				for line in file:
					if head := re.match(r"[0-9a-f]+-[0-9a-f]+ (....) \S+ \S+ (\d+)", line):
						counts = "x" in head[1] and head[2] != "0"
					elif line.startswith("Private_Dirty:"):
						size = int(line.split()[1]) * 1024
						private += size
						code += size if counts else 0
		except OSError:
			return  # it has just ended
		self.looks += 1
		self.private, self.code = max(self.private, private), max(self.code, code)


def read_all(fd):
	"""The whole of a memfd, and closes it."""
	with open(fd, "rb") as file:
		file.seek(0)
		return file.read()


def start(argv, env, stdin):
	"""The process, and the files that get what it writes: memory, so that no disk is measured."""
	out, err = os.memfd_create("out"), os.memfd_create("err")
	pid = os.posix_spawn(argv[0], argv, env, file_actions=[(os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
		(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)], setsigdef=[signal.SIGPIPE])
	return pid, out, err


def ended(pid):
	return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def watch(pid, memory, until=None):
	"""Often at first, so that short runs are seen; a look takes the longer the more is mapped, and the process waits for it."""
	begun = time.perf_counter()
	while not ended(pid) and (until is None or time.perf_counter() < until):
		memory.look(pid)
		time.sleep(max(0.002, (time.perf_counter() - begun) / 50))


def stop_after(pid, err, text, seconds, memory):
	"""SIGALRM `seconds` after the process has written `text`: what its own alarm clock would do, in fractions of seconds."""
	while text not in os.pread(err, 1 << 16, 0):
		if ended(pid):
			return
		time.sleep(0.0005)
	if memory:
		watch(pid, memory, time.perf_counter() + seconds)
	else:
		time.sleep(seconds)
	os.kill(pid, signal.SIGALRM)


def too_long(*_):
	raise TimeoutError


def run(argv, env, stdin="/dev/null", alarm=None, memory=None):
	"""`alarm`: (text, seconds) for stop_after. `memory`: watched, which disturbs what is timed."""
	signal.signal(signal.SIGALRM, too_long)
	begun = time.perf_counter()
	pid, out, err = start(argv, env, stdin)
	signal.setitimer(signal.ITIMER_REAL, LONGEST)
	try:
		if alarm:
			stop_after(pid, err, *alarm, memory)
		if memory:
			watch(pid, memory)
		_, status, usage = os.wait4(pid, 0)
	except BaseException as problem:
		os.kill(pid, signal.SIGKILL)
		os.waitpid(pid, 0)
		if isinstance(problem, TimeoutError):
			raise Failed(f"{' '.join(argv)} did not end in {LONGEST} s") from None
		raise
	finally:
		signal.setitimer(signal.ITIMER_REAL, 0)
	wall = time.perf_counter() - begun
	return Run(wall, usage, status, read_all(out), read_all(err))
