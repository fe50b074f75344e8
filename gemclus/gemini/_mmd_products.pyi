import numpy as np
from numpy.typing import NDArray

_Float = NDArray[np.float32] | NDArray[np.float64]
_Double = NDArray[np.float64]

def centred_moments(
    Z: _Float, P: _Float, pi: _Double, epsilon: float
) -> _Double | None: ...
def gradient(
    Z: _Float, A: _Float, shift: _Double, P: _Float, epsilon: float
) -> _Float | None: ...
