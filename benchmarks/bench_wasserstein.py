"""Wasserstein objectives, cold and warm, beside dense network simplex from scratch.

See README.md for what is measured and how to run it.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import _support.threads  # noqa: F401  before NumPy
import numpy as np
import ot
from _support.peer import Worker, add_peer_argument, peer_python
from _support.tables import table, verdict
from sklearn.datasets import load_iris, make_blobs

from gemclus.data import celeux_one
from gemclus.gemini import WassersteinGEMINI
from gemclus.linear import LinearModel
from gemclus.mlp import MLPModel

# name of the data, N, model
DATA = [
    ("iris", 150, LinearModel),
    ("celeux_one", 300, MLPModel),
    ("celeux_one", 1000, MLPModel),
    ("blobs", 2000, MLPModel),
    ("blobs", 4000, MLPModel),
]
COLD_FLOORS = {150: 5, 300: 5, 1000: 8, 2000: 8}
WARM_FLOORS = {150: 200, 300: 200, 1000: 200, 2000: 120}
POT_FLOOR = 40
FIT_FLOOR = 60
# What POT may need at N = 4000.
POT_PIVOTS = 10**7


def make_data(name, n_samples):
    if name == "iris":
        return load_iris().data
    if name == "celeux_one":
        return celeux_one(n_samples, random_state=0)[0]
    X, _ = make_blobs(n_samples, 20, centers=5, cluster_std=4.0, random_state=0)
    return X


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
    """Predictions (iterations, N, K) of a real fit."""
    gemini = Recorder(ovo)
    gemini.seen = []
    model(n_clusters, gemini, max_iter=iterations, random_state=0).fit(X)
    return np.array(gemini.seen[:iterations])


def timed(function, *arguments):
    start = time.thread_time()
    result = function(*arguments)
    return time.thread_time() - start, result


class Pot:
    """POT on each transport problem, from the potentials of the last evaluation."""

    def __init__(self, D, ovo):
        self.D, self.ovo = D, ovo
        self.potentials = {}

    def __call__(self, P):
        N, K = P.shape
        pi = P.mean(axis=0)
        W = np.ascontiguousarray((P / P.sum(axis=0)).T)
        if self.ovo:
            pairs = [
                (2 * pi[k] * pi[l], W[k], W[l]) for k in range(K) for l in range(k)
            ]
        else:
            pairs = [(pi[k], W[k], np.full(N, 1 / N)) for k in range(K)]
        seconds = value = 0.0
        for q, (share, a, b) in enumerate(pairs):
            start = self.potentials.get(q)
            solve = partial(
                ot.emd2,
                a,
                b,
                self.D,
                log=True,
                numItermax=POT_PIVOTS,
                potentials_init=start,
            )
            took, (cost, log) = timed(solve)
            self.potentials[q] = [np.ascontiguousarray(log[f]) for f in "uv"]
            seconds += took
            value += share * cost
        return seconds, value


def measure_cold(gemini, P, affinity, peer, folder, chosen):
    """Mean seconds of the peer and ours over the chosen iterations, in turns, and the
    largest difference of the values in units of the largest distance."""
    # A name of its own: the worker keeps what it has loaded.
    path = str(Path(folder) / f"{len(P[0])}-{len(P[0][0])}-{gemini.ovo}.npz")
    np.savez(path, P=P[chosen], D=affinity.array, ovo=gemini.ovo)
    theirs, ours, gaps = [], [], []
    for position, iteration in enumerate(chosen):
        answer = peer("evaluate", path=path, iteration=position)
        theirs.append(answer["seconds"])
        repeats = max(1, 1000 // len(P[0]))
        runs = [
            timed(gemini.evaluate, P[iteration], affinity, True) for _ in range(repeats)
        ]
        ours.append(np.median([seconds for seconds, _ in runs]))
        gaps.append(abs(runs[0][1][0] - answer["value"]))
    return np.mean(theirs), np.mean(ours), max(gaps) / affinity.array.max()


def rows(options, peer, folder):
    """One row for each data set, K and mode."""
    for name, N, model in DATA:
        if N not in options.samples:
            continue
        X = make_data(name, N)
        for K in options.clusters:
            for ovo in (False, True):
                yield row(options, peer, folder, (name, N, model, K, ovo), X)


def row(options, peer, folder, case, X):
    name, N, model, K, ovo = case
    P = record(model, X, K, ovo, options.iterations)
    gemini = WassersteinGEMINI(ovo)
    affinity = gemini._training_affinity(X)
    dmax = affinity.array.max()
    chosen = np.linspace(0, len(P) - 1, options.repeats).astype(int)
    theirs, cold, gap = measure_cold(gemini, P, affinity, peer, folder, chosen)

    evaluate = gemini._training_evaluator()
    steps = [timed(evaluate, y_pred, affinity, True) for y_pred in P]
    warm = np.mean([seconds for seconds, _ in steps])
    drift = abs(steps[-1][1][0] - gemini.evaluate(P[-1], affinity)) / dmax
    transports = evaluate._transports
    slack = transports.certificate()[-1].min() / dmax

    pot = Pot(affinity.array, ovo)
    first = len(P) // 2
    tail = [pot(y_pred)[0] for y_pred in P[first : first + 1 + options.repeats]]
    warm_pot = np.mean(tail[1:])
    counters = transports.counters()
    return [
        name,
        str(N),
        str(K),
        "OvO" if ovo else "OvA",
        f"{1e3 * theirs:,.1f}",
        f"{1e3 * cold:.3g}",
        f"{theirs / cold:.1f}",
        verdict(theirs / cold, COLD_FLOORS.get(N)),
        f"{1e3 * warm:.3g}",
        f"{theirs / warm:.0f}",
        verdict(theirs / warm, WARM_FLOORS.get(N)),
        f"{warm_pot / warm:.0f}",
        verdict(warm_pot / warm, POT_FLOOR if N <= 2000 else None),
        f"{counters['dual_pivots'] / len(P):.0f}",
        str(counters["fallbacks"]),
        f"{gap:.0e}",
        f"{drift:.0e}",
        f"{slack:.0e}",
    ]


def fit_rows(ours, peer, folder):
    """End to end: 1000 iterations of the models that users call."""
    path = str(Path(folder) / "X.npy")
    for module, name, data, N in [
        ("linear", "LinearWasserstein", "iris", 150),
        ("mlp", "MLPWasserstein", "celeux_one", 300),
    ]:
        np.save(path, make_data(data, N))
        fit = dict(module=module, name=name, path=path, max_iter=1000)
        mine = min(ours("named_fit", **fit)["seconds"] for _ in range(3))
        other = peer("named_fit", **fit)["seconds"]
        yield [
            name,
            data,
            str(N),
            f"{mine:.3f}",
            f"{other:.2f}",
            f"{other / mine:.0f}",
            verdict(other / mine, FIT_FLOOR),
        ]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    parser.add_argument("--samples", type=int, nargs="*", default=[150, 300, 1000])
    parser.add_argument("--clusters", type=int, nargs="*", default=[3, 10])
    parser.add_argument(
        "--repeats",
        type=int,
        default=3,
        help="iterations at which the slow ones are timed",
    )
    parser.add_argument("--iterations", type=int, default=200, help="of each fit")
    parser.add_argument("--no-fits", action="store_true", help="leave out whole fits")
    return parser.parse_args()


def main():
    options = arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker(sys.executable) as ours,
        Worker(peer_python(options.peer_python)) as peer,
    ):
        print(
            f"gemclus {ours.version} (ours) beside {peer.version} (peer) and POT "
            f"{ot.__version__}, one thread. Milliseconds of a value and "
            f"cold, and the mean of the first {options.iterations} iterations of a "
            "fit.\n"
        )
        header = (
            "data, N, K, mode, peer, cold, ratio, floor, warm, ratio, floor, "
            "ratio to POT's warm start, floor, pivots, fallbacks, values differ by, "
            "drift, slack"
        )
        table(header, rows(options, peer, folder))
        if not options.no_fits:
            print("\nWhole fits of 1000 iterations, seconds\n")
            header = "model, data, N, ours, peer, ratio, floor"
            table(header, fit_rows(ours, peer, folder))


if __name__ == "__main__":
    main()
