import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]
Double = NDArray[np.float64]

def centred_moments(
    Z: Float, P: Float, pi: Double, epsilon: float
) -> Double | None: ...
def gradient(
    Z: Float, A: Float, shift: Double, P: Float, epsilon: float
) -> Float | None: ...
