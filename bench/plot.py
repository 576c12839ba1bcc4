#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the results: sites.svg (calls and branches) and commits.svg (cost per site against number of sites).

usage: plot.py RESULTS.json OUT"""
import json
import math
import os
import sys
from html import escape

INK, PALE, GRID = "#222", "#777", "#ddd"
STYLE = ("text { font: 12px 'DejaVu Sans', Verdana, sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold } "
	 ".sub { fill: #666; font-size: 11px } .head { font-weight: bold } .end { text-anchor: end } .mid { text-anchor: middle }")


class Svg:
	def __init__(self, width, height):
		self.width, self.height, self.parts = width, height, []

	def text(self, x, y, text, kind="", rotate=False):
		turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if rotate else ""
		self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{turn}>{escape(text)}</text>')

	def line(self, x1, y1, x2, y2, color=GRID, width=1.0, dash=""):
		dashes = f' stroke-dasharray="{dash}"' if dash else ""
		self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"{dashes}/>')

	def path(self, points, color, dash=""):
		dashes = f' stroke-dasharray="{dash}"' if dash else ""
		at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
		self.parts.append(f'<polyline points="{at}" fill="none" stroke="{color}" stroke-width="1.8"{dashes}/>')

	def dot(self, x, y, color, hollow=False):
		self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{"#fff" if hollow else color}" stroke="{color}" stroke-width="1.5"/>')

	def save(self, path):
		with open(path, "w") as file:
			file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
				   f'viewBox="0 0 {self.width} {self.height}">\n<style>{STYLE}</style>\n'
				   f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


class LogAxis:
	"""From values between low and high to pixels between start and stop."""

	def __init__(self, low, high, start, stop):
		self.low, self.high, self.start, self.stop = low, high, start, stop

	def at(self, value):
		value = min(max(value, self.low), self.high)
		share = math.log(value / self.low) / math.log(self.high / self.low)
		return self.start + share * (self.stop - self.start)


def short(value):
	return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def subtitle(machine):
	return f"{machine['cpu']}, {machine['cores']} CPUs, {machine['kernel']}, {machine['compiler']}, {machine['date'][:10]}"


# ---- ratios ----

CALL_ROWS = [("direct", "direct call"), ("static", "static call, bound"), ("trampoline", "static call, trampoline in the target's page"),
	     ("trampoline_far", "static call, trampoline in another page"), ("pointer", "function pointer"), ("ifunc", "ifunc"),
	     ("plt", "call into a shared object (PLT)"), ("retpoline", "function pointer with retpoline")]
BRANCH_ROWS = [("none", "no branch"), ("key_off", "static key, off"), ("key_on", "static key, on"), ("flag", "global flag, off"),
	       ("flag_on", "global flag, on")]
RATIO_TICKS = [1, 1.2, 1.5, 2, 3, 4, 6, 8, 12]


def ratio_axis(by_name, names, start, stop):
	highest = max([by_name[n]["ratio_q3"] for n in names if n in by_name and by_name[n]["ratio"]] + [1.5])
	return LogAxis(0.85, highest * 1.08, start, stop)


def ratio_row(svg, result, axis, y):
	own = "static" in result["name"] or "trampoline" in result["name"] or "key" in result["name"]
	color = "#c0392b" if own else "#34495e"
	middle = result["ratio"] or 1.0
	if result["ratio"]:
		svg.line(axis.at(result["ratio_q1"]), y, axis.at(result["ratio_q3"]), y, color, 4)
	svg.dot(axis.at(middle), y, color, hollow=not result["ratio"])
	return f"{middle:.2f}  ·  {short(result['median'])} ns"


def ratio_panel(svg, by_name, prefix, rows, top, left, right, title):
	present = [(key, text) for key, text in rows if prefix + key in by_name]
	axis = ratio_axis(by_name, [prefix + key for key, _ in present], left, right)
	bottom = top + 22 * len(present)
	svg.text(left, top - 8, title, "head")
	for tick in RATIO_TICKS:
		if axis.low <= tick <= axis.high:
			svg.line(axis.at(tick), top, axis.at(tick), bottom, PALE if tick == 1 else GRID)
			svg.text(axis.at(tick), bottom + 14, f"{tick:g}", "mid sub")
	for i, (key, _) in enumerate(present):
		y = top + 22 * i + 11
		svg.text(right + 8, y + 4, ratio_row(svg, by_name[prefix + key], axis, y), "sub")
	return present


def ratios(results, machine, path):
	by_name = {r["name"]: r for r in results}
	if "call.direct" not in by_name and "branch.none" not in by_name:
		return False
	svg, top = Svg(1180, 470), 100
	svg.text(20, 28, "What a site costs, relative to a hard-coded one", "title")
	svg.text(20, 46, subtitle(machine), "sub")
	svg.text(20, 62, "dot: median of the ratios of neighbours in time; bar: quartiles; logarithmic. On the right the ratio and the time per site. "
		 "Branches stand in front of ten cycles of dependent work.", "sub")
	for kind, rows in (("call", CALL_ROWS), ("branch", BRANCH_ROWS)):
		word = {"call": "calls", "branch": "branches"}[kind]
		present = ratio_panel(svg, by_name, kind + ".", rows, top, 320, 620, f"16 {word} in a row")
		ratio_panel(svg, by_name, kind + ".random4096.", rows, top, 740, 1040, f"4096 {word}, in a random order")
		for i, (_, text) in enumerate(present):
			svg.text(310, top + 22 * i + 15, text, "end")
		top += 22 * len(present) + 62
	svg.height = top - 20
	svg.save(path)
	return True


# ---- commits ----

LINES = [("commit.startup", "commit, start-up mode", "#c0392b", ""), ("commit.live.0", "commit, live, no other thread", "#e67e22", ""),
	 ("commit.live.1", "commit, live, 1 busy thread", "#8e44ad", ""), ("commit.live.8", "commit, live, 8 busy threads", "#2471a3", ""),
	 ("limit.procmem", "limit: one pwrite per page", "#c0392b", "5 4"),
	 ("limit.procmem.live.1", "limit: the same and one barrier, 1 busy thread", "#8e44ad", "5 4"),
	 ("limit.procmem.live.8", "limit: the same and one barrier, 8 busy threads", "#2471a3", "5 4"),
	 ("limit.rwx", "limit: one RWX window", "#666", "2 3"), ("limit.alias", "limit: writable alias", "#999", "1 3")]
SIZES = [1, 100, 10000, 100000, 1000000]


def power(value):
	digits = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(d)] for d in str(abs(round(math.log10(value)))))
	return {1: "1", 10: "10", 0.1: "0.1"}.get(value, "10" + digits)


def commit_frame(svg, x, y, title):
	svg.text(x.start, y.stop - 10, title, "head")
	for size in SIZES:
		svg.line(x.at(size), y.start, x.at(size), y.stop)
		svg.text(x.at(size), y.start + 16, power(size), "mid sub")
	value = 1.0
	while value <= y.high:
		svg.line(x.start, y.at(value), x.stop, y.at(value))
		svg.text(x.start - 6, y.at(value) + 4, power(value), "end sub")
		value *= 10
	svg.text((x.start + x.stop) / 2, y.start + 32, "sites", "mid sub")
	svg.text(x.start - 40, (y.start + y.stop) / 2, "ns per site", "mid sub", rotate=True)


def commit_panel(svg, by_name, middle, x, y, title):
	commit_frame(svg, x, y, title)
	for name, _, color, dash in LINES:
		found = [(n, by_name[f"{name}{middle}.{n}"]) for n in SIZES if f"{name}{middle}.{n}" in by_name]
		svg.path([(x.at(n), y.at(r["median"])) for n, r in found], color, dash)
		for n, r in found:
			svg.line(x.at(n), y.at(r["q1"]), x.at(n), y.at(r["q3"]), color, 3)
			if not dash:
				svg.dot(x.at(n), y.at(r["median"]), color)


def legend(svg, left, top):
	for i, (_, text, color, dash) in enumerate(LINES):
		x, y = left + (i % 3) * 350, top + (i // 3) * 20
		svg.path([(x, y), (x + 34, y)], color, dash)
		if not dash:
			svg.dot(x + 17, y, color)
		svg.text(x + 42, y + 4, text, "sub")


def commits(results, machine, path):
	by_name = {r["name"]: r for r in results}
	if not any(name.startswith("commit.") for name in by_name):
		return False
	svg = Svg(1100, 1010)
	svg.text(20, 28, "What a commit of one key costs, per site", "title")
	svg.text(20, 46, subtitle(machine), "sub")
	legend(svg, 40, 72)
	for row, (first, when) in enumerate((("", "warm"), (".first", "the first commit of a process"))):
		for column, (shape, where) in enumerate((("", "64 bytes apart"), (".perpage", "one per page"))):
			x = LogAxis(0.6, 1.8e6, 90 + 530 * column, 540 + 530 * column)
			y = LogAxis(0.3, 3e5, 520 + 430 * row, 170 + 430 * row)
			commit_panel(svg, by_name, first + shape, x, y, f"sites {where}, {when}")
	svg.save(path)
	return True


def write_all(results, machine, out):
	drawn = []
	for name, draw in (("sites.svg", ratios), ("commits.svg", commits)):
		path = os.path.join(out, name)
		if draw(results, machine, path):
			drawn.append(path)
	return drawn


if __name__ == "__main__":
	with open(sys.argv[1]) as source:
		everything = json.load(source)
	print("\n".join(write_all(everything["results"], everything["machine"], sys.argv[2])))
