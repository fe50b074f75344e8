"""Time and memory of whole training iterations, beside the registry's package.

See README.md for what is measured and how to run it.
"""

import argparse
import sys
import time

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.peer import Worker, add_peer_argument, peer_python
from _support.tables import microseconds, table, verdict
from _support.worker import N_FEATURES, blobs

F_DIVERGENCES = ["mi", "kl_ova", "hellinger_ova", "chi2_ova", "tv_ova"]
OBJECTIVES = [
    "mmd_ova", "mmd_ovo", "mi", "kl_ova", "kl_ovo", "hellinger_ova", "hellinger_ovo",
    "chi2_ova", "chi2_ovo", "tv_ova", "tv_ovo", "wasserstein_ova", "wasserstein_ovo",
]  # fmt: skip
# Least ratio of the peer's time to ours, by objective and N (and K).
FLOORS = {
    ("mmd_ova", 1000): 200,
    ("mmd_ova", 5000): 3000,
    ("mmd_ovo", 1000): 20,
    ("mmd_ovo", 5000): 200,
    ("tv_ovo", 5000, 10): 20,
} | {(name, n): 4 for name in F_DIVERGENCES for n in (150, 5000)}
COLD_FLOORS = {150: 5, 300: 5, 1000: 8}


def iteration(worker, cell, seconds):
    """A function that times an iteration of `worker`, in fits of about `seconds`."""
    few, many = 1, 2
    took = worker("fit", **cell, max_iter=many)["seconds"]
    while took < seconds / 4 and many < 20000:
        few, many = many, many * 4
        took = worker("fit", **cell, max_iter=many)["seconds"]

    def measure():
        short = worker("fit", **cell, max_iter=few)
        long = worker("fit", **cell, max_iter=many)
        return short["seconds"], long["seconds"], short["peak"]

    def summary(measures):
        differences = [long - short for short, long, _ in measures]
        peak = min(peak for _, _, peak in measures)
        return np.median(differences) / (many - few), peak

    return measure, summary


def paired(ours, peer, cell, options):
    """(seconds, bytes) of an iteration of both packages, measured in turns."""
    sides = [iteration(worker, cell, options.seconds) for worker in (ours, peer)]
    measures = [[], []]
    for _ in range(options.repeats):
        for side, found in zip(sides, measures, strict=True):
            found.append(side[0]())
    return [side[1](found) for side, found in zip(sides, measures, strict=True)]


def limit(gemini, n_samples, n_clusters):
    """Seconds that the products and moving the bytes take by themselves.

    The products of the forward and backward passes, those of the linear kernel
    for MMD, and one copy each of the probabilities, the gradient of the
    objective and that of the logits.
    """
    X = blobs(n_samples, n_clusters)
    P, G = np.ones((2, n_samples, n_clusters))
    W = np.ones((N_FEATURES, n_clusters))
    M = np.empty_like(W)
    factor = 2 if gemini.startswith("mmd") else 1

    def step():
        for _ in range(factor):
            np.matmul(X, W, out=P)
            np.matmul(X.T, G, out=M)
        for _ in range(3):
            np.copyto(G, P)

    best, repeats = np.inf, max(3, 200_000 // n_samples)
    for _ in range(5):
        start = time.process_time()
        for _ in range(repeats):
            step()
        best = min(best, (time.process_time() - start) / repeats)
    return best


def training_rows(ours, peer, options):
    """One row for each objective, N and K."""
    for gemini in options.objectives:
        for n_samples in options.samples:
            for n_clusters in options.clusters:
                if gemini.startswith("wasserstein") and n_samples > options.transport:
                    continue
                cell = dict(gemini=gemini, n_samples=n_samples, n_clusters=n_clusters)
                (mine, memory), (other, other_memory) = paired(
                    ours, peer, cell, options
                )
                floor = FLOORS.get((gemini, n_samples)) or FLOORS.get(
                    (gemini, n_samples, n_clusters)
                )
                yield [
                    gemini,
                    str(n_samples),
                    str(n_clusters),
                    microseconds(mine),
                    microseconds(other),
                    f"{other / mine:,.1f}",
                    verdict(other / mine, floor),
                    f"{mine / limit(gemini, n_samples, n_clusters):.1f}",
                    f"{memory / 1e6:.1f}",
                    f"{other_memory / 1e6:.1f}",
                ]


def cold_rows(ours, peer, options):
    """One row for each form of the Wasserstein objective, N and K."""
    for ovo in (False, True):
        for n_samples in options.cold_samples:
            for n_clusters in options.clusters:
                cell = dict(ovo=ovo, n_samples=n_samples, n_clusters=n_clusters)
                measures = [[], []]
                for _ in range(1 if n_samples * n_clusters > 3000 else options.repeats):
                    for worker, found in zip((ours, peer), measures, strict=True):
                        found.append(worker("cold", **cell))
                mine, other = (min(m["seconds"] for m in found) for found in measures)
                values = [found[0]["value"] for found in measures]
                yield [
                    "wasserstein_ovo" if ovo else "wasserstein_ova",
                    str(n_samples),
                    str(n_clusters),
                    microseconds(mine),
                    microseconds(other),
                    f"{other / mine:,.1f}",
                    verdict(other / mine, COLD_FLOORS.get(n_samples)),
                    f"{abs(values[0] / values[1] - 1):.0e}",
                ]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    parser.add_argument("--objectives", nargs="*", default=OBJECTIVES, metavar="NAME")
    parser.add_argument("--samples", nargs="*", type=int, default=[150, 1000, 5000])
    parser.add_argument("--clusters", nargs="*", type=int, default=[3, 10])
    parser.add_argument(
        "--transport",
        type=int,
        default=150,
        metavar="N",
        help="leave out training with Wasserstein beyond N samples",
    )
    parser.add_argument(
        "--cold-samples", nargs="*", type=int, default=[150, 300, 1000], metavar="N"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="CPU time of one timed fit, about"
    )
    return parser.parse_args()


def main():
    options = arguments()
    with (
        Worker(sys.executable) as ours,
        Worker(peer_python(options.peer_python)) as peer,
    ):
        print(
            f"gemclus {ours.version} (ours) beside {peer.version} (peer), one thread\n"
        )
        if options.objectives:
            print(f"Training iteration, linear model, D = {N_FEATURES}\n")
            header = (
                "objective, N, K, ours µs, peer µs, ratio, floor, ours / limit, "
                "ours MB, peer MB"
            )
            table(header, training_rows(ours, peer, options))
        if options.cold_samples:
            print("\nWasserstein, one cold evaluation with its gradient\n")
            header = "objective, N, K, ours µs, peer µs, ratio, floor, values differ by"
            table(header, cold_rows(ours, peer, options))


if __name__ == "__main__":
    main()
