"""Large data: trainings on samples of the rows, from which that on all goes on."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._training.source import Source
from gemclus.optim import Optimiser

# Rows of the smallest sample: at least so many, and so many for each feature.
_LEAST_ROWS = 10_000
_ROWS_OF_FEATURE = 100
# How many times larger each sample is than the one before, and all rows at least are
# than the largest: measured by benchmarks/bench_blocks.py.
_GROWTH = 10
_SHARE = 4
# Numbers of the largest sample: it is a copy.
_NUMBERS = 2**24
# Trainings on the smallest sample, of which the best goes on: they cost little there,
# and all later ones stay in the optimum that it finds.
STARTS = 4
# What ends a training on a sample: so many epochs without such an improvement.
TOL = 1e-5
PATIENCE = 5
# Enough on all rows, if they go on from there and `tol` is None.
PATIENCE_AFTERWARDS = 3


def sample_sizes(n_rows: int, n_features: int) -> list[int]:
    """Rows of the samples, each a part of the next; none where they are too few.

    At N = 1e6, D = 20 these are 10 000 and 100 000.
    """
    size, sizes = max(_LEAST_ROWS, _ROWS_OF_FEATURE * n_features), []
    while size <= n_rows // _SHARE and size * n_features <= _NUMBERS:
        sizes.append(size)
        size *= _GROWTH
    return sizes


def trains_on_samples(model: Any, source: Source) -> bool:
    """Whether samples of the rows may stand for all of them for a while.

    Solvers that take steps have no use for it: an epoch of theirs is many samples. With
    proximal steps a feature that a sample drops would be lost.
    """
    optimiser = model.optimiser_
    full_batch = isinstance(optimiser, Optimiser) and optimiser.is_full_batch()
    return full_batch and source.independent_rows and not model._takes_proximal_steps


def nested_positions(
    sizes: list[int], n_rows: int, random_state: np.random.RandomState
) -> list[Any]:
    """Positions of the rows of each sample, in order."""
    if not sizes:
        return []
    drawn = _drawn(sizes[-1], n_rows, random_state)
    return [np.sort(drawn[:size]) for size in sizes]


def _drawn(size: int, n_rows: int, random_state: np.random.RandomState) -> Any:
    """Some rows in random order, none twice."""
    drawn = np.empty(0)
    if size <= n_rows // _SHARE:
        # Of twice as many draws, more than that share differ.
        drawn = np.unique(random_state.randint(n_rows, size=2 * size))
    if len(drawn) < size:
        return random_state.permutation(n_rows)[:size]
    random_state.shuffle(drawn)
    return drawn[:size]
