from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from gemclus.tree._kauri.columns import Columns

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]
Codes = NDArray[np.uint8] | NDArray[np.uint16]

def grow(
    columns: Columns,
    factor: Reals | None,
    kernel: Reals | None,
    weight: Reals | None,
    *,
    definite: bool,
    resolution: float,
    max_clusters: int,
    max_leaves: int,
    max_depth: int,
    min_samples_split: int,
    min_samples_leaf: int,
    min_weight_leaf: float,
    max_features: int,
    min_gain: float,
    seed: int,
    n_threads: int,
    pool: Executor | None,
) -> tuple[
    tuple[Ints, Ints, Ints, Reals, Reals, Ints, Ints, Ints, Ints, Ints],
    Ints,
    Ints,
    BaseException | None,
]: ...
def apply(
    left: Ints,
    right: Ints,
    feature: Ints,
    threshold: Reals,
    missing_left: Ints,
    X: Reals,
) -> Ints: ...
def assign_bins(X: Reals, feature: int, high: Reals, codes: Codes) -> None: ...
def find_bins(
    sorted_values: Reals, weights: Reals | None, max_bins: int
) -> tuple[Reals, Reals]: ...
