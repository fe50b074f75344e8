"""Growth of Kauri trees: beside the registry's package, and against N.

See README.md for what is measured and how to run it.
"""

import argparse
import sys
import time

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.kauri_samples import kauri_samples
from _support.peer import Worker, add_peer_argument, peer_python
from _support.process import Measured
from _support.tables import table, verdict
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_wine, make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from gemclus.tree import Kauri

MEGABYTE = 1e6

# kind, samples, features, clusters, kernel -> floor of the speed-up
CASES = {
    ("blobs", 1000, 20, 3, "linear"): 50,
    ("blobs", 1000, 20, 10, "linear"): 50,
    ("noise", 1000, 20, 3, "linear"): 50,
    ("noise", 1000, 20, 10, "linear"): 50,
    ("blobs", 1000, 20, 3, "rbf"): 10,
    ("blobs", 1000, 20, 10, "rbf"): 10,
    ("noise", 1000, 20, 3, "rbf"): 10,
    ("noise", 1000, 20, 10, "rbf"): 10,
    ("blobs", 2000, 20, 3, "linear"): 100,
    ("blobs", 2000, 20, 10, "linear"): 100,
    ("noise", 2000, 20, 3, "linear"): 100,
    ("noise", 2000, 20, 10, "linear"): 100,
    ("digits", 1797, 64, 10, "linear"): 100,
}


def compared(peer):
    """Rows of both packages, in turns."""
    with Worker(sys.executable) as ours, Worker(peer) as theirs:
        for case, floor in CASES.items():
            kind, n_samples, n_features, n_clusters, kernel = case
            arguments = {
                "kind": kind,
                "n_samples": n_samples,
                "n_features": n_features,
                "n_clusters": n_clusters,
                "kernel": kernel,
            }
            us = ours("kauri", **arguments, repeats=3)
            them = theirs("kauri", **arguments, repeats=1)
            ratio = them["seconds"] / us["seconds"]
            excess = us["objective"] / them["objective"] - 1.0
            yield [
                f"{kind} {n_samples} x {n_features}, {kernel}",
                f"{n_clusters}",
                f"{us['leaves']}",
                f"{1e3 * us['seconds']:.1f}",
                f"{1e3 * them['seconds']:,.0f}",
                f"{ratio:.0f}",
                verdict(ratio, floor),
                f"{excess:+.1e}",
            ]


def scaled(largest):
    """Rows of growths to 64 leaves on more and more samples."""
    Kauri().fit(kauri_samples("noise", 1000, 20))
    for n_samples in (1000, 3000, 10_000, 30_000, 100_000):
        if n_samples > largest:
            return
        X = kauri_samples("noise", n_samples, 20)
        for n_clusters in (3, 10):
            with Measured() as measured:
                Kauri(max_clusters=n_clusters, max_leaves=64).fit(X)
            unit = measured.seconds / (n_samples * np.log2(n_samples))
            yield [
                f"{n_samples:,}",
                f"{n_clusters}",
                f"{measured.seconds:.3f}",
                f"{1e9 * unit:.0f}",
                f"{measured.peak / MEGABYTE:.0f}",
                f"{measured.peak / X.nbytes:.1f}",
            ]


def histograms(largest):
    """Rows of trees over bins beside a histogram learner, and beside exact ones."""
    for n_samples in (10_000, 100_000, 1_000_000):
        for kind in ("blobs", "noise"):
            if n_samples > largest:
                return
            X = kauri_samples(kind, n_samples, 20)
            tree = Kauri(max_clusters=10, max_leaves=64, max_bins=255)
            with Measured() as binned:
                tree.fit(X)
            learner = HistGradientBoostingClassifier(
                max_iter=1, max_leaf_nodes=64, early_stopping=False
            )
            with threadpool_limits(1), Measured() as theirs:
                learner.fit(X, tree.labels_)
            start = time.perf_counter()
            tree.fit(X)
            one = time.perf_counter() - start
            start = time.perf_counter()
            tree.set_params(n_jobs=2).fit(X)
            two = time.perf_counter() - start
            exact = float("nan")
            if n_samples <= 100_000:
                with Measured() as sought:
                    Kauri(max_clusters=10, max_leaves=64, max_bins=None).fit(X)
                exact = sought.seconds / binned.seconds
            ratio = binned.seconds / theirs.seconds
            yield [
                f"{kind} {n_samples:,}",
                f"{binned.seconds:.2f}",
                f"{theirs.seconds:.2f}",
                f"{ratio:.2f}",
                f"{exact:.1f}",
                f"{one / two:.2f}",
                f"{binned.peak / MEGABYTE:.0f}",
            ]


def agreement():
    """Rows of trees over bins and exact ones: objectives, and partitions."""
    wide = make_blobs(20_000, 20, centers=10, cluster_std=2.0, random_state=0)[0]
    near = kauri_samples("blobs", 20_000, 20)
    noise = kauri_samples("noise", 20_000, 20)
    data = {
        "blobs": (scale(wide), 10),
        "blobs that overlap": (near, 10),
        "noise": (noise, 10),
        "wine": (scale(load_wine().data), 3),
        "breast cancer": (scale(load_breast_cancer().data), 2),
        "digits": (kauri_samples("digits", 0, 0), 10),
    }
    for name, (X, k) in data.items():
        labels = KMeans(k, n_init=3, random_state=0).fit_predict(X)
        for kernel, y in (("linear", None), ("labels", labels)):
            exact, binned = (
                Kauri(k, max_leaves=64, kernel=kernel, max_bins=bins).fit(X, y)
                for bins in (None, 255)
            )
            excess = binned.score(X, y) / exact.score(X, y) - 1
            rand = adjusted_rand_score(exact.labels_, binned.labels_)
            yield [name, kernel, f"{k}", f"{100 * excess:+.2f}", f"{rand:.3f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    parser.add_argument(
        "--alone", action="store_true", help="leave out the other package"
    )
    parser.add_argument("--largest", type=int, default=1_000_000, metavar="N")
    options = parser.parse_args()
    if not options.alone:
        table(
            "data, K, leaves, ours (ms), peer (ms), ratio, floor, J beyond the peer's",
            compared(peer_python(options.peer_python)),
        )
        print()
    table(
        "N (D = 20 and 64 leaves), K, s, ns / (N log2 N), peak (MB), peak / X",
        scaled(options.largest),
    )
    print()
    table(
        "N (D = 20 K = 10 and 64 leaves), bins (s), HistGradientBoosting (s), ratio, "
        "exact / bins, 1 thread / 2, peak (MB)",
        histograms(options.largest),
    )
    print()
    table(
        "data, kernel, K, J of bins beyond the exact (%), ARI of the two", agreement()
    )


if __name__ == "__main__":
    main()
