"""Random inputs of the property tests, and the number of examples they try.

Derandomised, so that a run finds what every run finds; seeds become arrays by NumPy,
which is faster than to draw each number.
"""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# Around the lanes, tiles and strips that compiled passes take together.
EDGES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129]

LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
}

seeds = st.integers(0, 2**32 - 1)
sizes = st.sampled_from(EDGES)
few = st.integers(1, 6)
dtypes = st.sampled_from([np.float64, np.float32])
layouts = st.sampled_from(sorted(LAYOUTS))


def examples(number):
    """Settings of a test that tries so many examples."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def predictions(rng, n, k, spread=1.5):
    """Rows that sum to 1, sharper for a larger spread."""
    logits = spread * rng.normal(size=(n, k))
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def tolerance(dtype):
    """Of sums of some hundred numbers about 1."""
    return 1e-12 if dtype == np.float64 else 2e-5
