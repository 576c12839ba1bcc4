# SPDX-License-Identifier: MIT
"""Samples as the programs print them, and what follows from them: medians, quartiles, ratios, targets met or missed."""
import re
import statistics


class Samples:
	"""All samples of one run of the benchmark. A sample is known by its round, so that ratios are of neighbours in time."""

	def __init__(self):
		self.unit, self.to, self.values, self.notes = {}, {}, {}, []

	def read(self, text, run):
		"""Takes what one program printed; programs of the same `run` were executed in the same round."""
		for line in text.splitlines():
			if line.startswith("# "):
				self.notes.append(line[2:])
				continue
			name, unit, to, *values = line.split()
			for k, value in enumerate(values):
				self.add(name, unit, float(value), (run, k), None if to == "-" else to)

	def add(self, name, unit, value, key=(), to=None):
		self.unit[name], self.to[name] = unit, to
		self.values.setdefault(name, {})[key] = value

	def ratios(self, name):
		"""Of every sample to the one of the same round that it is compared with."""
		other = self.values.get(self.to[name], {})
		return [value / other[key] for key, value in self.values[name].items() if other.get(key)]


def quartiles(values):
	if len(values) < 2:
		return values[0], values[0], values[0]
	q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
	return q1, median, q3


def many(name):
	"""From ten thousand sites on."""
	return int(name.rsplit(".", 1)[1]) >= 10000


# Pattern of the name, which more is required of the name, what is bounded, the bound, in words.
TARGETS = [
	(r"call\.(random4096\.)?static", None, "ratio", 1.02, "static call / direct call"),
	(r"call\.(random4096\.)?trampoline(_far)?", None, "ratio", 1.15, "trampoline / direct call"),
	(r"branch\.(random4096\.)?key_off", None, "ratio", 1.05, "key off / no branch"),
	(r"branch\.use_off", None, "ratio", 1.05, "use off / no branch"),
	(r"sequence\.(native|template)", None, "ratio", 1.02, "bound sequence / the bare instructions"),
	(r"atomic\.unlocked", None, "ratio", 1.1, "unlocked atomic / plain increment"),
	(r"function\.variant", None, "ratio", 1.02, "function variant / specialised by hand"),
	(r"immediate\.number", None, "ratio", 1.05, "immediate / constant"),
	(r"commit\..*\.\d+", many, "ratio", 1.5, "commit / the bare limit of its writer, from 10^4 sites"),
	(r"commit\.live\.\d\.1", None, "ratio", 1.5, "one key, one site / one pwrite and one barrier"),
	(r"init\.(call\.)?1000000", None, "ratio", 120, "start with 10^6 sites / with 10^4: linear"),
	(r"init\.(call\.)?1000000", None, "median", 100, "start with 10^6 sites, ms"),
	(r"bytes\.branch", None, "median", 12, "bytes of record per branch"),
	(r"bytes\.call", None, "median", 8, "bytes of record per call"),
	(r"bytes\.(branch|call)\.memory", None, "median", 8, "bytes of memory per site"),
	(r"bytes\.use", None, "median", 24, "bytes of record per use"),
	(r"uses\.memory\..*", None, "median", 8, "bytes of memory per use"),
	(r"init\.uses\.100000", None, "ratio", 1.5, "start with 10^5 uses / with 10^4: nobody looks at them"),
]


def targets_of(result):
	for pattern, also, field, bound, text in TARGETS:
		if re.fullmatch(pattern, result["name"]) and (also is None or also(result["name"])) and result[field] is not None:
			yield {"what": text, "field": field, "bound": bound, "met": result[field] <= bound}


def result_of(samples, name):
	values = list(samples.values[name].values())
	q1, median, q3 = quartiles(values)
	result = {"name": name, "unit": samples.unit[name], "median": median, "q1": q1, "q3": q3, "n": len(values),
		  "to": samples.to[name], "ratio": None, "ratio_q1": None, "ratio_q3": None}
	ratios = samples.ratios(name) if samples.to[name] else []
	if ratios:
		result["ratio_q1"], result["ratio"], result["ratio_q3"] = quartiles(ratios)
	result["targets"] = list(targets_of(result))
	return result


def results_of(samples):
	return [result_of(samples, name) for name in samples.values]


def number(value):
	if value is None:
		return ""
	if value == 0:
		return "0"
	digits = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
	return f"{value:,.{digits}f}".replace(",", " ")


def verdict(result):
	return ", ".join(("pass" if t["met"] else "MISS") + f" ({t['field']} <= {t['bound']:g})" for t in result["targets"])


def group_of(name):
	head = name.split(".")[0]
	return {"limit": "commit"}.get(head, head)


TITLES = {
	"call": "Calls: nanoseconds per call; sixteen in a row, and 4096 sites in a random order",
	"branch": "Branches in front of a fixed body: nanoseconds per branch and body",
	"sequence": "Sequences: nanoseconds per store",
	"atomic": "Atomic increments: nanoseconds",
	"function": "Function variants: nanoseconds per call",
	"immediate": "Numbers: nanoseconds per step",
	"ops": "Operations tables: milliseconds per exchange of the backend",
	"stop": "Stop mode: microseconds per commit",
	"commit": "Commits of one key: nanoseconds per site, beside the bare limit of the same writer on the same pages",
	"uses": "Per-use keys: milliseconds per query, bytes per use",
	"init": "Process start: milliseconds",
	"bytes": "Bytes per site",
}


KINDS = ["direct", "static", "trampoline", "trampoline_far", "pointer", "ifunc", "plt", "retpoline"]


def order_of(result):
	"""Calls come from two programs and are listed as one; all else as it was measured."""
	kind = result["name"].split(".")[-1]
	return ("random4096" in result["name"], KINDS.index(kind)) if kind in KINDS else (False, 0)


def table(results):
	out = []
	for group, title in TITLES.items():
		rows = sorted((r for r in results if group_of(r["name"]) == group), key=order_of)
		if not rows:
			continue
		out += ["", title, f"  {'':43}{'median':>10}{'q1':>10}{'q3':>10}{'n':>6}{'ratio':>8}  to"]
		for r in rows:
			out.append(f"  {r['name']:43}{number(r['median']):>10}{number(r['q1']):>10}{number(r['q3']):>10}{r['n']:>6}"
				   f"{number(r['ratio']):>8}  {r['to'] or '':43}{verdict(r)}".rstrip())
	return "\n".join(out)


def summary(results):
	"""One line per target: how many of the results it applies to meet it, and which do not."""
	lines, told = [], {}
	for r in results:
		for t in r["targets"]:
			told.setdefault((t["what"], t["bound"]), []).append((r["name"], r[t["field"]], t["met"]))
	for (what, bound), cases in told.items():
		missed = [f"{name} {number(value)}" for name, value, met in cases if not met]
		lines.append(f"  {'MISS' if missed else 'pass'}  {what}: <= {bound:g}; {len(cases) - len(missed)} of {len(cases)}"
			     + (f"; not {', '.join(missed)}" if missed else ""))
	return "\n".join(lines)
