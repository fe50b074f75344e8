import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]

def grow(
    order: Ints,
    sorted_values: Reals,
    factor: Reals | None,
    kernel: Reals | None,
    *,
    definite: bool,
    resolution: float,
    max_clusters: int,
    max_leaves: int,
    max_depth: int,
    min_samples_split: int,
    min_samples_leaf: int,
    max_features: int,
    min_gain: float,
    seed: int,
) -> tuple[
    tuple[Ints, Ints, Ints, Reals, Reals, Ints, Ints, Ints, Ints], Ints, Ints
]: ...
def apply(
    left: Ints, right: Ints, feature: Ints, threshold: Reals, X: Reals
) -> Ints: ...
