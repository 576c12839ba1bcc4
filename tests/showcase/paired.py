# SPDX-License-Identifier: MIT
"""The statistics of the showcase on times whose truth is known."""
import os
import random
import sys

sys.path.insert(0, os.path.join(sys.argv[1], "showcase"))
import paired

chance = random.Random(7)


def times(n, mean, noise):
	return [mean * (1 + chance.gauss(0, noise)) for _ in range(n)]


def check(what, good):
	if not good:
		sys.exit(f"paired.py: {what}")


def rounds(n, faster, noise):
	"""Rounds of which each is slow or fast as a whole, as on a machine with other work."""
	speed = [1 + chance.random() for _ in range(n)]
	return ([s * t for s, t in zip(speed, times(n, 1.0, noise))], [s * t for s, t in zip(speed, times(n, 1 / faster, noise))])


def gains():
	g = paired.gain(*rounds(21, 1.1, 0.01))
	check(f"a gain of 10 % was found to be {g}", abs(g["median"] - 10) < 1.5 and g["low"] <= g["median"] <= g["high"] and g["n"] == 21)
	check("a gain of 10 % is not told from none", g["low"] > 5)
	loss = paired.gain([1.0] * 9, [1.25] * 9)
	check(f"a loss of 20 % was found to be {loss}", abs(loss["median"] + 20) < 1e-9 and loss["high"] < 0)
	check("the same figures are not the same twice", paired.interval([1, 2, 3, 4, 9]) == paired.interval([1, 2, 3, 4, 9]))
	d = paired.difference([1.0, 1.0, 1.0], [3.0, 4.0, 5.0])
	check(f"differences: {d}", (d["median"], d["low"], d["high"]) == (3.0, 2.0, 4.0))


def coverage():
	"""What is called a 95 % interval holds the truth about as often."""
	held = 0
	for _ in range(300):
		low, high = paired.interval([chance.gauss(5, 2) for _ in range(21)], 400)
		held += low <= 5 <= high
	check(f"intervals held the truth in {held} of 300 cases", 270 <= held < 300)


def shares():
	base, whole = rounds(31, 1.2, 0.005)
	half = [b / 1.1 for b in base]
	s = paired.share(base, half, whole)
	check(f"half of the gain was found to be {s}", s and 44 < s["median"] < 56 and s["low"] <= s["median"] <= s["high"])
	check("a share of no gain is a number", paired.share(base, half, [b * 1.01 for b in base]) is None)


def misuse():
	try:
		paired.gain([1.0, 2.0], [1.0])
	except ValueError:
		return
	check("rounds without a partner are compared", False)


gains()
coverage()
shares()
misuse()
