#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws who gains how much, and who does not.

usage: figure.py OUT.svg RESULTS.json ..."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import plot
import report

HOT, ALL, SAME = "#c0392b", "#34495e", "#999"
LEFT, RIGHT, ROW = 170, 760, 34
SERIES = [("hot", HOT, -8, "relink run, warm cache"), ("all", ALL, 0, "every site in reach bound at start"),
	  ("plain2", SAME, 8, "same against same: the error")]


class Axis:
	"""Per cent to pixels."""

	def __init__(self, rows):
		ends = [r["gain_cpu"][m][end] for r in rows for m, *_ in SERIES for end in ("low", "high")] + [-5, 10]
		self.low, self.high = min(ends) - 1, max(ends) + 1

	def at(self, value):
		return LEFT + (value - self.low) / (self.high - self.low) * (RIGHT - LEFT)

	def ticks(self):
		step = next(s for s in (5, 10, 25, 50, 100, 1000) if (self.high - self.low) / s <= 12)
		return range(int(-(-self.low // step)) * step, int(self.high) + 1, step)


def draw_row(svg, axis, r, y):
	svg.text(LEFT - 10, y + 4, r["row"], "end")
	if not r.get("rounds"):
		svg.text(LEFT + 10, y + 4, r.get("missing") or "not measured", "sub")
		return
	for mode, color, shift, _ in SERIES:
		g = r["gain_cpu"][mode]
		svg.line(axis.at(g["low"]), y + shift, axis.at(g["high"]), y + shift, color, 3)
		svg.dot(axis.at(g["median"]), y + shift, color, hollow=mode == "plain2")
	hot, same = r["gain_cpu"]["hot"], r["gain_cpu"]["plain2"]
	svg.text(RIGHT + 12, y, f"{hot['median']:+.1f} % [{hot['low']:+.1f}..{hot['high']:+.1f}]", "head")
	svg.text(RIGHT + 12, y + 13, f"all {r['gain_cpu']['all']['median']:+.1f} %, same against same {same['median']:+.1f} %", "sub")


def draw(found, path):
	rows, about = found["rows"], found["machine"]
	measured = [r for r in rows if r.get("rounds")]
	if not measured:
		return False
	axis, top = Axis(measured), 112
	svg = plot.Svg(1030, top + ROW * len(rows) + 50)
	bottom = top + ROW * len(rows)
	svg.text(20, 28, "relink run on programs of the distribution: speed gained", "title")
	svg.text(20, 46, f"{about['cpu']}, {about['cores']} CPUs, {about['kernel']}, {about['date'][:10]}, "
		 f"load {about['load']} to {about['load_end']}", "sub")
	svg.text(20, 62, "CPU time of the whole process, relink's own included; dot: median of "
		 f"{min(r['rounds'] for r in measured)} or more pairs of one round; bar: 95 % (bootstrap). "
		 "clang and git are negative controls.", "sub")
	for i, (mode, color, _, text) in enumerate(SERIES):
		svg.dot(LEFT + 6 + 250 * i, 84, color, hollow=mode == "plain2")
		svg.text(LEFT + 18 + 250 * i, 88, text, "sub")
	for tick in axis.ticks():
		svg.line(axis.at(tick), top - 6, axis.at(tick), bottom, plot.PALE if tick == 0 else plot.GRID)
		svg.text(axis.at(tick), bottom + 16, f"{tick:+d} %" if tick else "0", "mid sub")
	for i, r in enumerate(rows):
		draw_row(svg, axis, r, top + ROW * i + ROW / 2)
	svg.save(path)
	return True


if __name__ == "__main__":
	if not draw(report.read(sys.argv[2:]), sys.argv[1]):
		sys.exit("figure: nothing was measured")
