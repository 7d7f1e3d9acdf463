"""Computes population stability indices with NumPy, by other ways than the code that is judged.

Bounds by numpy.quantile (inverted_cdf), bins by numpy.searchsorted, the sum by scipy.stats.entropy in both directions:
the index is the Kullback-Leibler divergence of either distribution from the other, added up.

Run with the Python of requirements.txt: python stability.py > stability.json && oxfmt stability.json
"""

import json
import sys

import numpy as np
from scipy import stats

EMPTY = 0.5


def shares(bounds, seen, values):
    missing = np.isnan(values)
    there = seen(values) & ~missing
    bins = np.searchsorted(bounds, values[there], side="left")
    unseen = len(values) - there.sum() - missing.sum()
    return np.append(np.bincount(bins, minlength=len(bounds)), [unseen, missing.sum()]).astype(float), len(values)


def index(reference, current):
    known = reference[~np.isnan(reference)]
    distinct = np.unique(known)
    few = len(distinct) <= 10
    bounds = distinct if few else np.unique(np.quantile(known, np.arange(1, 11) / 10, method="inverted_cdf"))

    def seen(values):
        if few or len(distinct) * 20 <= len(known):
            return np.isin(values, distinct)
        return (values >= known.min()) & (values <= known.max())

    (before, n), (after, m) = shares(bounds, seen, reference), shares(bounds, seen, current)
    there = (before > 0) | (after > 0)
    p = np.maximum(before[there], EMPTY) / n
    q = np.maximum(after[there], EMPTY) / m
    # entropy() makes its arguments sum to 1, which half a row in an empty bin does not: the divergence is homogeneous.
    both = stats.entropy(p, q) * p.sum() + p.sum() * np.log(p.sum() / q.sum())
    back = stats.entropy(q, p) * q.sum() + q.sum() * np.log(q.sum() / p.sum())
    return both + back


def main():
    random = np.random.default_rng(7)
    usual = random.normal(500, 200, 400).round(1)
    nulls = usual.copy()
    nulls[random.random(400) < 0.1] = np.nan
    weekday = random.integers(1, 8, 300).astype(float)
    cases = {
        "the same values": (usual, usual),
        "another draw": (usual, random.normal(500, 200, 350).round(1)),
        "another unit": (usual, (usual * 1.609344).round(1)),
        "a tenth missing": (usual, nulls),
        "fewer missing than before": (nulls, usual),
        "few different values": (weekday, random.integers(3, 8, 200).astype(float)),
        "mostly one value": (
            np.append(np.zeros(300), np.arange(1.0, 41)),
            np.append(np.zeros(200), np.arange(1.0, 141)),
        ),
    }
    found = [
        {
            "name": name,
            "reference": [None if np.isnan(v) else v for v in reference.tolist()],
            "current": [None if np.isnan(v) else v for v in current.tolist()],
            "index": float(index(reference, current)),
        }
        for name, (reference, current) in cases.items()
    ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
