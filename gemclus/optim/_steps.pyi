from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32] | NDArray[np.float64]

def adam(
    params: Sequence[Array],
    grads: Sequence[NDArray[np.floating]],
    states: Sequence[tuple[Array, Array]],
    step: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> bool: ...
def nesterov(
    params: Sequence[Array],
    grads: Sequence[NDArray[np.floating]],
    states: Sequence[Array],
    step: float,
    momentum: float,
) -> bool: ...
