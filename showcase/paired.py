# SPDX-License-Identifier: MIT
"""Medians of pairs of one round, and how sure they are: percentile bootstrap, 95 %, always from the same seed."""
import random
import statistics

RESAMPLES = 4000


def interval(values, resamples=RESAMPLES):
	"""Of the median, if other rounds had been drawn from those that were measured."""
	chance = random.Random(1)
	found = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(resamples))
	return found[round(0.025 * (resamples - 1))], found[round(0.975 * (resamples - 1))]


def summary(values):
	low, high = interval(values)
	return {"median": statistics.median(values), "low": low, "high": high, "n": len(values)}


def gain(base, other):
	"""How much faster `other` is than `base`, in per cent: lists of times, a pair per round."""
	return summary([100 * (b / o - 1) for b, o in zip(base, other, strict=True)])


def difference(base, other):
	return summary([o - b for b, o in zip(base, other, strict=True)])


def share(base, part, whole):
	"""Which share of what `whole` gains `part` gains: of the medians, the rounds drawn together. None where `whole` gains nothing
	that is certain: a share of nothing is no number."""
	def gain_of(times, rounds):
		return statistics.median(base[i] / times[i] - 1 for i in rounds)
	rounds = range(len(base))
	if gain(base, whole)["low"] <= 0:
		return None
	chance = random.Random(1)
	drawn = [[chance.randrange(len(base)) for _ in rounds] for _ in range(RESAMPLES // 4)]
	found = sorted(gain_of(part, d) / max(gain_of(whole, d), 1e-4) for d in drawn)
	return {"median": 100 * gain_of(part, rounds) / gain_of(whole, rounds), "low": 100 * found[round(0.025 * (len(found) - 1))],
		"high": 100 * found[round(0.975 * (len(found) - 1))], "n": len(base)}
