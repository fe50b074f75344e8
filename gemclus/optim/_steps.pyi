import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]

def adam(
    w: Float,
    g: Float,
    m: Float,
    v: Float,
    step: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None: ...
def nesterov(w: Float, g: Float, u: Float, step: float, momentum: float) -> None: ...
