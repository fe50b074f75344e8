"""Predictions of the linear model, beside what they cannot do without.

See README.md for what is measured and how to run it.
"""

import argparse
from time import process_time

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.tables import microseconds, table
from sklearn.datasets import make_blobs
from sklearn.utils.validation import validate_data

from gemclus.linear import LinearModel

N_FEATURES, N_CLUSTERS = 20, 10
FLOOR = 2.0


def fastest(functions, repeats, calls):
    """CPU seconds of a call of each, in turns; the fastest of `repeats` rounds."""
    best = [np.inf] * len(functions)
    for _ in range(repeats):
        for position, function in enumerate(functions):
            start = process_time()
            for _ in range(calls):
                function()
            best[position] = min(best[position], (process_time() - start) / calls)
    return best


def fitted_model():
    X, _ = make_blobs(500, N_FEATURES, centers=N_CLUSTERS, random_state=0)
    model = LinearModel(N_CLUSTERS, max_iter=2, random_state=0)
    return model.fit((X - X.mean(axis=0)) / X.std(axis=0))


def measured(model, n_samples, with_product, repeats, calls):
    """A row of the table."""
    X = np.random.RandomState(0).normal(size=(n_samples, N_FEATURES))
    W = np.ascontiguousarray(model.W_)

    def limit():
        validate_data(model, X, reset=False, dtype=[np.float64, np.float32], order="C")
        if with_product:
            X @ W

    ours, least = fastest([lambda: model.predict(X), limit], repeats, calls)
    ratio = ours / least
    return [
        f"{n_samples:,}",
        microseconds(ours),
        microseconds(least),
        f"{ratio:.2f}",
        f"{FLOOR} {'met' if ratio <= FLOOR else 'NOT MET'}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    options = parser.parse_args()
    model = fitted_model()
    rows = [
        measured(model, 1, False, repeats=30, calls=100),
        measured(model, options.samples, True, repeats=5, calls=1),
    ]
    table("samples, predict (µs), limit (µs), ratio, at most", rows)


if __name__ == "__main__":
    main()
