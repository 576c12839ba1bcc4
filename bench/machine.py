# SPDX-License-Identifier: MIT
"""What the numbers depend on."""
import datetime
import os
import platform
import subprocess


def cpu_field(field):
	with open("/proc/cpuinfo") as file:
		for line in file:
			key, _, value = line.partition(":")
			if key.strip() == field:
				return value.strip()
	return "unknown"


def cpu_model():
	"""Virtual machines have names like "AMD EPYC"; family and model say which."""
	numbers = ", ".join(f"{key.replace('cpu ', '')} {cpu_field(key)}" for key in ("cpu family", "model", "stepping"))
	return f"{cpu_field('model name')} ({numbers})"


def memory_gib():
	return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def cache_entry(build, name):
	"""A variable of CMakeCache.txt."""
	with open(os.path.join(build, "CMakeCache.txt")) as file:
		for line in file:
			if line.startswith(name + ":"):
				return line.split("=", 1)[1].strip()
	return ""


def first_line(command):
	try:
		return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
	except (OSError, subprocess.CalledProcessError, IndexError):
		return "unknown"


def describe(build):
	return {
		"cpu": cpu_model(),
		"cores": len(os.sched_getaffinity(0)),
		"hypervisor": "hypervisor" in cpu_field("flags").split(),
		"memory_gib": memory_gib(),
		"kernel": f"{platform.system()} {platform.release()}",
		"compiler": first_line([cache_entry(build, "CMAKE_C_COMPILER"), "--version"]),
		"linker": first_line([cache_entry(build, "CMAKE_LINKER"), "--version"]),
		"build_type": cache_entry(build, "CMAKE_BUILD_TYPE"),
		"load": round(os.getloadavg()[0], 2),
		"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
	}
