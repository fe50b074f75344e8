from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Arrays = Sequence[NDArray[np.float32] | NDArray[np.float64]]

def adam(
    params: Arrays,
    grads: Arrays,
    first: Arrays,
    second: Arrays,
    step: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> bool: ...
def nesterov(
    params: Arrays, grads: Arrays, velocities: Arrays, step: float, momentum: float
) -> bool: ...
