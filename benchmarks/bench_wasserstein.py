"""Wasserstein objectives: cold and warm evaluations against dense network simplex.

For each case a real model is trained and the predictions of its first iterations
are kept. Then, in one run and on one thread, the same predictions are given to

- `WassersteinGEMINI.evaluate`, which starts from nothing (cold);
- the evaluator of a fit, which starts from its last bases (warm);
- another implementation of the same interface, in the Python of `--other`, or
  POT's `emd2` on each problem if there is none;
- POT's `emd2` started from the potentials of the last iteration.

Times are thread CPU times of a value and gradient, in milliseconds (POT: of the
values alone). Run on a quiet machine:

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_wasserstein.py [--other PYTHON]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np
from sklearn.datasets import load_iris, make_blobs

from gemclus.data import celeux_one
from gemclus.gemini import WassersteinGEMINI
from gemclus.linear import LinearModel
from gemclus.mlp import MLPModel

# name, data, model, N, K, ovo
CASES = [
    ("iris", LinearModel, 150, 3, False),
    ("iris", LinearModel, 150, 10, False),
    ("iris", LinearModel, 150, 3, True),
    ("celeux_one", MLPModel, 300, 3, False),
    ("celeux_one", MLPModel, 300, 10, False),
    ("celeux_one", MLPModel, 300, 3, True),
    ("celeux_one", MLPModel, 300, 10, True),
    ("celeux_one", MLPModel, 1000, 3, False),
    ("celeux_one", MLPModel, 1000, 10, False),
    ("celeux_one", MLPModel, 1000, 3, True),
    ("celeux_one", MLPModel, 1000, 10, True),
    ("blobs", MLPModel, 2000, 3, False),
    ("blobs", MLPModel, 2000, 10, False),
    ("blobs", MLPModel, 2000, 3, True),
    ("blobs", MLPModel, 2000, 10, True),
]

# Evaluates the iterations whose numbers it reads; runs where --other says.
OTHER = """
import json, sys, time, warnings
import numpy as np
from gemclus.gemini import WassersteinGEMINI
warnings.simplefilter("ignore")
data = np.load(sys.argv[1])
gemini = WassersteinGEMINI(ovo=bool(data["ovo"]))
print("ready", flush=True)
for line in sys.stdin:
    P = data["P"][int(line)]
    start = time.thread_time()
    value, gradient = gemini.evaluate(P, data["D"], return_grad=True)
    seconds = time.thread_time() - start
    print(json.dumps([seconds, float(value)]), flush=True)
"""


def make_data(name, n_samples):
    if name == "iris":
        return load_iris().data
    if name == "celeux_one":
        return celeux_one(n_samples, random_state=0)[0]
    return make_blobs(n_samples, n_features=20, centers=5, cluster_std=4.0, random_state=0)[0]


class Recorder(WassersteinGEMINI):
    """Keeps the predictions of a training."""

    def _training_evaluator(self):
        evaluate = super()._training_evaluator()

        def record(y_pred, affinity, return_grad=False):
            self.seen.append(y_pred.copy())
            return evaluate(y_pred, affinity, return_grad)

        return record

    def evaluate(self, y_pred, affinity, return_grad=False):
        return super().evaluate(y_pred, affinity, return_grad)


def record(model, X, n_clusters, ovo, iterations):
    gemini = Recorder(ovo)
    gemini.seen = []
    model(n_clusters, gemini, max_iter=iterations, random_state=0).fit(X)
    return np.array(gemini.seen[:iterations])


def timed(function, *arguments):
    start = time.thread_time()
    result = function(*arguments)
    return time.thread_time() - start, result


class Other:
    """Another implementation in a process of its own."""

    def __init__(self, python, P, D, ovo):
        self.file = tempfile.NamedTemporaryFile(suffix=".npz")
        np.savez(self.file, P=P, D=D, ovo=ovo)
        self.file.flush()
        self.process = subprocess.Popen(
            [python, "-c", OTHER, self.file.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tempfile.gettempdir(),
            env=dict(os.environ, OPENBLAS_NUM_THREADS="1"),
        )
        self.process.stdout.readline()

    def __call__(self, iteration):
        self.process.stdin.write(f"{iteration}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.file.close()


class Pot:
    """POT's network simplex on each problem, cold or from the last potentials."""

    def __init__(self, P, D, ovo, warm):
        import ot

        self.emd2, self.P, self.D, self.ovo, self.warm = ot.emd2, P, D, ovo, warm
        self.potentials = {}

    def __call__(self, iteration):
        P = self.P[iteration]
        N, K = P.shape
        pi = P.mean(axis=0)
        W = np.ascontiguousarray((P / P.sum(axis=0)).T)
        uniform = np.full(N, 1 / N)
        if self.ovo:
            pairs = [(2 * pi[k] * pi[l], W[k], W[l]) for k in range(K) for l in range(k)]
        else:
            pairs = [(pi[k], W[k], uniform) for k in range(K)]
        seconds = value = 0.0
        for q, (share, a, b) in enumerate(pairs):
            options = {"log": True, "numItermax": 10**7}
            if self.warm and q in self.potentials:
                options["potentials_init"] = self.potentials[q]
            spent, (cost, log) = timed(partial(self.emd2, a, b, self.D, **options))
            self.potentials[q] = [np.ascontiguousarray(log[f]) for f in "uv"]
            seconds += spent
            value += share * cost
        return seconds, value

    def close(self):
        pass


def run_case(case, other_python, n_samples, iterations):
    name, model, N, K, ovo = case
    X = make_data(name, N)
    P = record(model, X, K, ovo, iterations)
    gemini = WassersteinGEMINI(ovo)
    affinity = gemini._training_affinity(X)
    D = affinity.array
    chosen = np.linspace(0, len(P) - 1, n_samples).astype(int)

    other = Other(other_python, P, D, ovo) if other_python else Pot(P, D, ovo, False)
    cold, theirs, gaps = [], [], []
    for i in chosen:
        seconds, value = other(i)
        theirs.append(seconds)
        repeats = max(1, int(200 / N) * 5)
        times = [timed(gemini.evaluate, P[i], affinity, True) for _ in range(repeats)]
        cold.append(np.median([t for t, _ in times]))
        gaps.append(abs(value - times[0][1][0]) / D.max())
    other.close()

    warm = gemini._training_evaluator()
    warm(P[0], affinity, True)
    evaluated = [timed(warm, y_pred, affinity, True) for y_pred in P[1:]]
    value = gemini.evaluate(P[-1], affinity)
    drift = abs(value - evaluated[-1][1][0]) / D.max()

    pot = Pot(P, D, ovo, True)
    first = len(P) // 2
    pot_warm = [pot(i)[0] for i in range(first, min(first + 1 + n_samples, len(P)))][1:]
    return {
        "theirs": np.mean(theirs),
        "cold": np.mean(cold),
        "warm": np.mean([t for t, _ in evaluated]),
        "pot_warm": np.mean(pot_warm),
        "gap": max(gaps),
        "drift": drift,
        "counters": warm._transports.counters(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--other", help="python of an environment to compare with")
    parser.add_argument("--max-n", type=int, default=1000, help="largest N to run")
    parser.add_argument("--min-n", type=int, default=0, help="smallest N to run")
    parser.add_argument("--clusters", type=int, nargs="*", default=[3, 10])
    parser.add_argument("--samples", type=int, default=3, help="iterations timed cold")
    parser.add_argument("--iterations", type=int, default=200)
    options = parser.parse_args()
    print(
        f"{'data':11}{'N':>6}{'K':>4} mode {'other':>9}{'cold':>9}{'ratio':>7}"
        f"{'warm':>9}{'ratio':>7}{'POT warm':>10}{'ratio':>7}{'pivots':>8}{'gap':>9}{'drift':>9}"
    )
    for case in CASES:
        name, _, N, K, ovo = case
        if not options.min_n <= N <= options.max_n or K not in options.clusters:
            continue
        r = run_case(case, options.other, options.samples, options.iterations)
        pivots = r["counters"]["dual_pivots"] / (options.iterations - 1)
        print(
            f"{name:11}{N:6}{K:4} {'OvO' if ovo else 'OvA'}  {1e3 * r['theirs']:9.2f}"
            f"{1e3 * r['cold']:9.3f}{r['theirs'] / r['cold']:7.1f}"
            f"{1e3 * r['warm']:9.4f}{r['theirs'] / r['warm']:7.0f}"
            f"{1e3 * r['pot_warm']:10.2f}{r['pot_warm'] / r['warm']:7.0f}"
            f"{pivots:8.0f}{r['gap']:9.0e}{r['drift']:9.0e}"
            + (f"  {r['counters']['fallbacks']} fallbacks" if r["counters"]["fallbacks"] else "")
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
