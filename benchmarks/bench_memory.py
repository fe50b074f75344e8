"""Memory of LinearMMD beyond its data, in minibatches and in full batches.

See README.md for what is measured and how to run it.
"""

import argparse
import tracemalloc

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.process import Measured
from _support.tables import table

from gemclus.linear import LinearMMD

MEGABYTE = 1e6


def samples(n_samples, n_features, dtype=np.float64):
    """Gaussian samples around ten means, made in place."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features), dtype=dtype)
    means = 3 * rng.standard_normal((10, n_features)).astype(dtype)
    for k, mean in enumerate(means):
        X[k::10] += mean
    return X


def peaks(X, **parameters):
    """(resident, allocated) bytes at the peak of a fit, beyond `X`."""
    model = LinearMMD(**parameters, random_state=0)
    # Imports and buffers of BLAS are not part of a fit.
    model.fit(X[:5000])
    with Measured() as measured:
        model.fit(X)
    tracemalloc.start()
    model.fit(X)
    allocated = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return measured, allocated


def row(name, X, limit, **parameters):
    measured, allocated = peaks(X, **parameters)
    worst = max(measured.peak, allocated)
    return [
        name,
        f"{measured.peak / MEGABYTE:.1f}",
        f"{allocated / MEGABYTE:.1f}",
        f"{limit / MEGABYTE:.0f} {'met' if worst < limit else 'NOT MET'}",
        f"{measured.seconds:.2f}",
    ]


def rows(n_clusters):
    X = samples(200_000, 50)
    for ovo in (False, True):
        yield row(
            f"200,000 x 50, batch_size=500, {'OvO' if ovo else 'OvA'}, one epoch",
            X,
            200 * MEGABYTE,
            n_clusters=n_clusters,
            ovo=ovo,
            batch_size=500,
            max_iter=1,
        )
    X = samples(1_000_000, 20)
    for ovo in (False, True):
        yield row(
            f"1,000,000 x 20, full batch, {'OvO' if ovo else 'OvA'}, 2 epochs",
            X,
            4 * X.shape[0] * n_clusters * X.itemsize,
            n_clusters=n_clusters,
            ovo=ovo,
            max_iter=2,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clusters", type=int, default=10)
    options = parser.parse_args()
    header = "LinearMMD, peak resident MB, peak allocated MB, limit, CPU s"
    table(header, rows(options.clusters))


if __name__ == "__main__":
    main()
