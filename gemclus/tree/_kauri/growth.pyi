from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from gemclus.tree._kauri.columns import Columns

_Ints = NDArray[np.int32]
_Reals = NDArray[np.float64]
_Codes = NDArray[np.uint8] | NDArray[np.uint16]

def grow(
    columns: Columns,
    factor: _Reals | None,
    kernel: _Reals | None,
    weight: _Reals | None,
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
    tuple[_Ints, _Ints, _Ints, _Reals, _Reals, _Ints, _Ints, _Ints, _Ints, _Ints],
    _Ints,
    _Ints,
    BaseException | None,
]: ...
def apply(
    left: _Ints,
    right: _Ints,
    feature: _Ints,
    threshold: _Reals,
    missing_left: _Ints,
    X: _Reals,
) -> _Ints: ...
def assign_bins(X: _Reals, feature: int, high: _Reals, codes: _Codes) -> None: ...
def find_bins(
    sorted_values: _Reals, weights: _Reals | None, max_bins: int
) -> tuple[_Reals, _Reals]: ...
