#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From samples to figures, from figures to a table, and which targets are met.

usage: report.py RESULTS.json ...

Prints the tables of docs/linkage-benchmarks.md; several files, as of short runs and of long ones, are one table."""
import json
import statistics
import sys

import paired

COMPARED = ["plain2", "control", "hot", "cold", "all"]
MIB = 1 << 20


def row_of(row):
	"""Gains are speed in per cent against runs of the same round; over_control against the run that wrote the same bytes."""
	s, n = row.samples, row.samples.rounds()
	cut = {kind: {m: times[:n] for m, times in getattr(s, kind).items()} for kind in ("cpu", "wall")}
	found = {"row": row.name(), "program": row.program.name, "seconds": row.program.seconds, "control": not row.program.gains,
		 "rounds": n}
	if n == 0:
		return found
	for kind, times in cut.items():
		found[kind] = {m: statistics.median(t) for m, t in times.items()}
		found[f"gain_{kind}"] = {m: paired.gain(times["plain"], times[m]) for m in COMPARED if m in times}
		if "control" in times:
			found[f"over_control_{kind}"] = paired.gain(times["control"], times["hot"])
	found["share_of_all"] = paired.share(cut["cpu"]["plain"], cut["cpu"]["hot"], cut["cpu"]["all"])
	found["private"], found["code"], found["reports"] = s.private, s.code, s.report
	found["bound"] = {m: sum(module["bound"] for module in said["modules"]) for m, said in s.report.items() if said}
	found["samples"] = cut
	return found


def start_of(start):
	n = min(map(len, start.wall.values()))
	if n == 0:
		return None
	result = {"rounds": n}
	for kind in ("cpu", "wall"):
		times = {m: [1000 * t for t in values[:n]] for m, values in getattr(start, kind).items()}
		result[kind] = {m: statistics.median(t) for m, t in times.items()}
		result[f"more_{kind}"] = {m: paired.difference(times["plain"], t) for m, t in times.items() if m != "plain"}
		result[f"samples_{kind}"] = times
	return result


# ---- targets ----

def verdict(what, met, value):
	return {"what": what, "met": met, "value": value}


def targets_of_row(r):
	"""A target that the measurement can't decide is neither met nor missed, and says so."""
	if r["control"]:
		return
	hot, share, what = r["gain_cpu"]["hot"], r["share_of_all"], f"{r['row']}: hot >= 90 % of the gain of all"
	if r["seconds"] >= 1:
		if share is None:
			yield verdict(what, None, "binding all gains nothing that is certain")
		else:
			met = True if share["low"] >= 90 else False if share["high"] < 90 else None
			yield verdict(what, met, f"{share['median']:.0f} % [{share['low']:.0f}..{share['high']:.0f}]")
	elif r["seconds"] <= 0.2:
		met = True if hot["low"] >= 0 else False if hot["high"] < 0 else None
		yield verdict(f"{r['row']}: not slower than without", met, interval_text(hot))
	if r["code"].get("all"):
		hot_code, all_code = r["code"]["hot"], r["code"]["all"]
		yield verdict(f"{r['row']}: private code <= half of all's", hot_code <= all_code / 2, f"{mib(hot_code)} of {mib(all_code)} MiB")


def targets_of_start(start):
	for mode, limit in (("hot", 5), ("cold", 20)):
		for kind, text in (("wall", "passes"), ("cpu", "CPU time")):
			more = start[f"more_{kind}"][mode]
			met = True if more["high"] <= limit else False if more["low"] > limit else None
			yield verdict(f"start of sqlite3, {mode}: <= {limit} ms, {text}", met, milliseconds(more))


def targets_of(rows, start):
	found = [t for r in rows if r.get("rounds") for t in targets_of_row(r)]
	found += targets_of_start(start) if start else []
	measured = sum(r["rounds"] * len(r["cpu"]) for r in rows if r.get("rounds"))
	return found + [verdict("no output changed", True if measured else None, f"{measured} timed runs")]


# ---- text ----

def mib(size):
	return f"{size / MIB:.2f}"


def interval_text(g, unit=" %"):
	return f"{g['median']:+.1f}{unit} [{g['low']:+.1f}..{g['high']:+.1f}]" if g else ""


def milliseconds(x):
	return f"{x['median']:+.2f} [{x['low']:+.2f}..{x['high']:+.2f}]" if x else ""


COLUMNS = {"hot": "hot", "all": "all at start", "cold": "hot, cold cache", "control": "same bytes", "plain2": "same against same"}


def gains_of(r, kind):
	return [r["gain_" + kind].get(m) for m in COLUMNS] + [r.get("over_control_" + kind)]


def time_text(seconds, program):
	return f"{1e9 * seconds:.0f} ns/op" if program == "openssl" else f"{seconds:.3f} s"


def table_of(rows, kind):
	head = f"{'':14}{'plain':>12}" + "".join(f"{title:>22}" for title in [*COLUMNS.values(), "hot over same bytes"])
	lines = [head]
	for r in rows:
		if not r.get("rounds"):
			lines.append(f"{r['row']:14}{r.get('missing') or 'not measured'}")
			continue
		lines.append(f"{r['row']:14}{time_text(r[kind]['plain'], r['program']):>12}"
			     + "".join(f"{interval_text(g, ''):>22}" for g in gains_of(r, kind)))
	return lines


def memory_of(r):
	return ([mib(r["private"][m]) for m in ("plain", "hot", "all")] + [mib(r["code"][m]) for m in ("hot", "all")]
		+ [str(r["bound"][m]) for m in ("hot", "all")])


def memory_lines(rows):
	heads = ["plain", "hot", "all", "code, hot", "code, all", "bound, hot", "bound, all"]
	lines = [f"{'':14}" + "".join(f"{h:>12}" for h in heads)]
	return lines + [f"{r['row']:14}" + "".join(f"{x:>12}" for x in memory_of(r)) for r in rows if r.get("private")]


def start_lines(start):
	lines = [f"{'':14}{'median':>10}{'more than plain, ms':>28}{'more CPU time, ms':>28}"]
	for m in start["wall"]:
		more = [start[f"more_{kind}"].get(m) for kind in ("wall", "cpu")]
		lines.append(f"{m:14}{start['wall'][m]:>7.2f} ms" + "".join(f"{milliseconds(x):>28}" for x in more))
	return lines


def target_lines(targets):
	return [f"  {({True: 'pass', False: 'MISS', None: 'open'})[t['met']]}  {t['what']}: {t['value']}" for t in targets]


def text_of(found):
	rows, about = found["rows"], found["machine"]
	out = [f"{about['cpu']}, {about['cores']} CPUs; {about['kernel']}; load {about['load']} at start, {about['load_end']} at end; {about['date']}"]
	out += ["", "Speed gained in per cent, CPU time (user and system) of the whole process: median of the rounds' ratios, 95 % interval"]
	out += table_of(rows, "cpu")
	out += ["", "Speed gained in per cent, time that passes", *table_of(rows, "wall")]
	out += ["", "Private dirty memory at its highest, MiB; of this, pages of code; calls bound in the end", *memory_lines(rows)]
	if found["start"]:
		out += ["", "sqlite3 :memory: 'SELECT 1;'", *start_lines(found["start"])]
	out += ["", "Targets"]
	return "\n".join(out + target_lines(found["targets"]))


# ---- for the page ----

def markdown_row(cells):
	return "| " + " | ".join(cells) + " |"


def markdown_gains(rows, kind):
	lines = [markdown_row(["", "plain", *COLUMNS.values(), "hot over same bytes"]), "|---|" + "--:|" * (len(COLUMNS) + 2)]
	for r in rows:
		if r.get("rounds"):
			gains = [interval_text(g, "") for g in gains_of(r, kind)]
			lines.append(markdown_row([r["row"], time_text(r[kind]["plain"], r["program"]), f"**{gains[0]}**", *gains[1:]]))
		else:
			lines.append(markdown_row([r["row"], r.get("missing") or "not measured", *[""] * (len(COLUMNS) + 1)]))
	return lines


def markdown_memory(rows):
	heads = ["MiB", "plain", "hot", "all at start", "code, hot", "code, all", "calls bound, hot", "all"]
	lines = [markdown_row(heads), "|---|" + "--:|" * 7]
	return lines + [markdown_row([r["row"], *memory_of(r)]) for r in rows if r.get("private")]


def markdown_start(start):
	lines = [markdown_row(["", "median, ms", "more than plain, ms", "more CPU time, ms"]), "|---|--:|--:|--:|"]
	for m in start["wall"]:
		more = [start[f"more_{kind}"].get(m) for kind in ("wall", "cpu")]
		lines.append(markdown_row([m, f"{start['wall'][m]:.2f}", *map(milliseconds, more)]))
	return lines


def markdown_of(found):
	rows = found["rows"]
	out = ["CPU time", "", *markdown_gains(rows, "cpu"), "", "Time that passes", "", *markdown_gains(rows, "wall"), ""]
	out += markdown_memory(rows)
	if found["start"]:
		out += ["", *markdown_start(found["start"])]
	return "\n".join(out + [""] + ["* " + t[2:] for t in target_lines(found["targets"])])


def merged(parts):
	"""Rows of several runs, one after the other, in the order of one; machine and start are the first's."""
	ended = {"load_end": parts[-1]["machine"]["load_end"]}
	found = {**parts[0], "machine": {**parts[0]["machine"], **ended}, "rows": [], "targets": []}
	for part in parts:
		there = {r["row"] for r in found["rows"]}
		found["rows"] += [r for r in part["rows"] if r["row"] not in there]
	order = {name: i for i, name in enumerate(dict.fromkeys(r["program"] for r in found["rows"]))}
	found["rows"].sort(key=lambda r: (order[r["program"]], r["seconds"]))
	found["targets"] = targets_of(found["rows"], found["start"])
	return found


def read(paths):
	parts = []
	for path in paths:
		with open(path, encoding="utf-8") as file:
			parts.append(json.load(file))
	return merged(parts)


if __name__ == "__main__":
	print(markdown_of(read(sys.argv[1:])))
