from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float32] | NDArray[np.float64]

def adam(
    params: Sequence[_Array],
    grads: Sequence[NDArray[np.floating]],
    states: Sequence[tuple[_Array, _Array]],
    step: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> bool: ...
def nesterov(
    params: Sequence[_Array],
    grads: Sequence[NDArray[np.floating]],
    states: Sequence[_Array],
    step: float,
    momentum: float,
) -> bool: ...
