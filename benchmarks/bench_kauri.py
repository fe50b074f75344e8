"""Growth of Kauri trees: beside the registry's package, and against N.

See README.md for what is measured and how to run it.
"""

import argparse
import sys

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.kauri_samples import kauri_samples
from _support.peer import Worker, add_peer_argument, peer_python
from _support.process import Measured
from _support.tables import table, verdict

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    parser.add_argument(
        "--alone", action="store_true", help="leave out the other package"
    )
    parser.add_argument("--largest", type=int, default=100_000, metavar="N")
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


if __name__ == "__main__":
    main()
