import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]
Double = NDArray[np.float64]

def sums(
    Z: Float,
    P: Float,
    centre: Double,
    weights: Double | None,
    epsilon: float,
    pi: Double | None = None,
    squares: bool = False,
) -> tuple[Double, float, float] | None: ...
def gradient(
    Z: Float,
    P: Float,
    centre: Double,
    weights: Double | None,
    epsilon: float,
    A: Double,
    shift: Double,
) -> Float | None: ...
