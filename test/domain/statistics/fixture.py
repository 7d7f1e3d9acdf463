"""Computes what the statistics must come to, with SciPy and scikit-learn, by other ways than the code that is judged.

- the paired comparison: scipy.stats.ttest_rel on the cluster sums of the two losses
- Holm: the closed test of Bonferroni tests over every subset, of which Holm's procedure is the short cut
- losses, areas and average precision: sklearn.metrics on the rows; pairs in order: one area per pair of clusters
- live judgement: rows of entities and days, summed by NumPy, the same t test, and the rule in words of its own
- the bootstrap: areas of rows weighted by how often their cluster was drawn; the draws are the code's own (mulberry32)

Run with the Python of requirements.txt: python fixture.py > fixture.json && oxfmt fixture.json
"""

import itertools
import json
import sys

import numpy as np
from scipy import stats
from sklearn import metrics

RESAMPLES = 2000
SEED = 20010101
CLIP = 1e-6


def mulberry32(seed):
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        mixed ^= (mixed + (((mixed ^ (mixed >> 7)) * (mixed | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        yield (mixed ^ (mixed >> 14)) / 2**32


def draws(clusters):
    random = mulberry32(SEED)
    for _ in range(RESAMPLES):
        yield np.bincount([int(next(random) * clusters) for _ in range(clusters)], minlength=clusters)


def paired(champion, candidate, confidence):
    """Gain, bounds and p-value, all by SciPy's paired t test; the middle 2c - 1 holds two one-sided bounds at c."""
    scale = np.mean(champion)
    test = stats.ttest_rel(champion, candidate)
    interval = test.confidence_interval(2 * confidence - 1)
    return {
        "improvement": (np.mean(champion) - np.mean(candidate)) / scale,
        "standardError": stats.sem(np.subtract(champion, candidate)) / scale,
        "lowerBound": interval.low / scale,
        "upperBound": interval.high / scale,
        "worse": stats.ttest_rel(champion, candidate, alternative="less").pvalue,
    }


def paired_cases(random):
    cases = []
    for clusters in (2, 3, 7, 14, 28, 300):
        for confidence in (0.6, 0.95, 0.999):
            for gain in (-0.05, 0.0, 0.02):
                rows = random.integers(50, 5000, clusters)
                champion = np.round(rows * random.normal(0.45, 0.03, clusters), 6)
                candidate = np.round(champion * (1 - gain) + rows * random.normal(0, 0.01, clusters), 6)
                cases.append(
                    {
                        "confidence": confidence,
                        "champion": champion.tolist(),
                        "candidate": candidate.tolist(),
                        "expected": paired(champion, candidate, confidence),
                    }
                )
    return cases


def closed_test(values):
    adjusted = []
    for index in range(len(values)):
        others = [each for each in range(len(values)) if each != index]
        subsets = itertools.chain.from_iterable(itertools.combinations(others, size) for size in range(len(values)))
        adjusted.append(
            max(min(1, (len(one) + 1) * min([values[index], *(values[i] for i in one)])) for one in subsets)
        )
    return adjusted


def holm_cases(random):
    lists = [[], [0.03], [0.01, 0.04], [0.04, 0.01, 0.03, 0.005], [0.02, 0.02, 0.02], [0.9, 1.0, 0.0, 0.5]]
    lists += [np.round(random.beta(0.4, 2, size), 6).tolist() for size in (5, 8, 12)]
    return [{"values": values, "adjusted": closed_test(values)} for values in lists]


def rows_of(random, clusters, rows, digits):
    """Rows with a difference between clusters; few digits make many ties."""
    cluster = np.sort(random.integers(0, clusters, rows))
    shift = random.normal(0, 0.4, clusters)[cluster]
    signal = random.normal(0, 1, rows)
    label = (random.random(rows) < 1 / (1 + np.exp(1.5 - signal - shift))).astype(int)

    def predict(noise):
        probability = 1 / (1 + np.exp(1.5 - signal - noise * random.normal(0, 1, rows)))
        return np.round(probability, digits)

    return cluster, label, predict(0.9), predict(0.6)


def area(label, score, weight=None):
    return metrics.roc_auc_score(label, score, sample_weight=weight)


def pairs_in_order(cluster, label, score, clusters):
    matrix = np.zeros((clusters, clusters))
    for g, h in itertools.product(range(clusters), repeat=2):
        above, below = score[(cluster == g) & (label == 1)], score[(cluster == h) & (label == 0)]
        if len(above) and len(below):
            mixed = np.concatenate([above, below])
            truth = np.concatenate([np.ones(len(above)), np.zeros(len(below))])
            matrix[g, h] = round(2 * area(truth, mixed) * len(above) * len(below)) / 2
    return matrix.tolist()


def side(cluster, label, score, clusters):
    clipped = np.clip(score, CLIP, 1 - CLIP)
    of = [cluster == each for each in range(clusters)]
    return {
        "prediction": score.tolist(),
        "logLoss": [metrics.log_loss(label[i], clipped[i], labels=[0, 1], normalize=False) for i in of],
        "brier": [metrics.brier_score_loss(label[i], score[i], labels=[0, 1]) * i.sum() for i in of],
        "auc": area(label, score),
        "averagePrecision": metrics.average_precision_score(label, score),
        "pairs": pairs_in_order(cluster, label, score, clusters),
    }


def bounds(values, confidence):
    found = np.asarray(values)
    return np.percentile(found[np.isfinite(found)], [100 * (1 - confidence), 100 * confidence]).tolist()


def ranking_cases(random):
    cases = []
    for clusters, rows, digits in ((1, 40, 3), (3, 60, 1), (8, 300, 6), (14, 600, 2)):
        cluster, label, champion, candidate = rows_of(random, clusters, rows, digits)
        sides = {
            "champion": side(cluster, label, champion, clusters),
            "candidate": side(cluster, label, candidate, clusters),
        }
        case = {"confidence": 0.95, "cluster": cluster.tolist(), "label": label.tolist(), **sides}
        if clusters > 1:
            gains, areas, differences = [], [], []
            before, after = (np.asarray(sides[each]["logLoss"]) for each in ("champion", "candidate"))
            for drawn in draws(clusters):
                weight = drawn[cluster]
                gains.append(1 - (drawn @ after) / (drawn @ before))
                areas.append(area(label, candidate, weight))
                differences.append(areas[-1] - area(label, champion, weight))
            case["bootstrap"] = {
                "gain": bounds(gains, 0.95),
                "auc": bounds(areas, 0.95),
                "difference": bounds(differences, 0.95),
            }
            case["paired"] = paired(before, after, 0.95)
        cases.append(case)
    return cases


def summed(groups, champion, candidate, label):
    found = []
    for each in np.unique(groups):
        of = groups == each
        found.append([int(of.sum()), int(label[of].sum()), champion[of].sum(), candidate[of].sum()])
    return np.asarray(found)


def live_case(random, days, airports, rows, gain, share):
    """What a release does on rows of airports and days, of which a share has a label; gain is what it saves."""
    day = random.integers(0, days, rows)
    airport = np.minimum(random.geometric(0.15, rows) - 1, airports - 1)
    label = random.random(rows) < 0.2
    shift = random.normal(0, 0.002, days)[day]
    champion = np.where(label, random.normal(1.5, 0.2, rows), random.normal(0.2, 0.03, rows))
    candidate = champion * (1 - gain - shift) + random.normal(0, 0.01, rows)
    has = random.random(rows) < share
    by_day = summed(day[has], champion[has], candidate[has], label[has])
    by_both = summed((day * airports + airport)[has], champion[has], candidate[has], label[has])
    fast, slow = (paired(each[:, 2], each[:, 3], 0.95) for each in (by_both, by_day))
    thrown = has.sum() >= 5000 and fast["upperBound"] < -0.01 and fast["improvement"] < -0.02
    proven = slow["lowerBound"] > 0 and slow["improvement"] >= 0.005
    likely = slow["lowerBound"] > -0.01 and slow["improvement"] >= 0.0025
    kept = len(by_day) >= 5 and has.sum() >= 2000 and (proven or likely)
    return {
        "days": days,
        "rows": rows,
        "byEntityAndDay": np.round(by_both, 9).tolist(),
        "byDay": np.round(by_day, 9).tolist(),
        "fast": fast,
        "slow": slow,
        "verdict": "ROLL_BACK" if thrown else "WAIT" if days < 7 else "CONFIRM" if kept else "ROLL_BACK",
        "rule": "fast" if thrown else "too-early" if days < 7 else "slow",
    }


def live_cases(random):
    return [
        live_case(random, days, 12, rows, gain, share)
        for days in (3, 7)
        for rows, share in ((4000, 0.9), (9000, 0.7), (20000, 0.8))
        for gain in (-0.05, -0.015, 0.0, 0.004, 0.02, 0.12)
    ]


def main():
    random = np.random.default_rng(20010101)
    fixture = {
        "paired": paired_cases(random),
        "holm": holm_cases(random),
        "ranking": ranking_cases(random),
        "live": live_cases(random),
    }
    json.dump(fixture, sys.stdout, indent=None, separators=(",", ":"), allow_nan=False)
    print()


if __name__ == "__main__":
    main()
