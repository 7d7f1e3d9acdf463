"""Computes means of clustered rows and their bounds with NumPy and SciPy, by another way than the code judged.

A ratio of sums is the weighted least squares fit of a constant to the clusters' means, and its variance with clusters
is the sandwich of that fit, (X'WX)^-1 (sum of squared scores) (X'WX)^-1, times G / (G - 1).

Run with the Python of requirements.txt: python mean-loss.py > mean-loss.json && oxfmt mean-loss.json
"""

import json
import sys

import numpy as np
from scipy import stats


def fitted(rows, losses, confidence):
    means = losses / rows
    design = np.ones((len(rows), 1))
    bread = np.linalg.inv(design.T @ np.diag(rows) @ design)
    mean = float((bread @ design.T @ np.diag(rows) @ means)[0])
    scores = rows * (means - mean)
    clusters = len(rows)
    variance = float((bread * (scores @ scores) * bread)[0, 0]) * clusters / (clusters - 1)
    return mean, *stats.t.interval(2 * confidence - 1, clusters - 1, loc=mean, scale=np.sqrt(variance))


def main():
    random = np.random.default_rng(11)
    found = []
    for clusters, confidence in [(2, 0.95), (7, 0.95), (14, 0.9), (28, 0.975)]:
        rows = random.integers(200, 2000, clusters).astype(float)
        losses = (rows * random.normal(0.3, 0.04, clusters)).round(3)
        mean, lower, upper = fitted(rows, losses, confidence)
        found.append(
            {
                "clusters": [{"per": int(n), "loss": s} for n, s in zip(rows, losses.tolist(), strict=True)],
                "confidence": confidence,
                "mean": mean,
                "interval": [float(lower), float(upper)],
            }
        )
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
