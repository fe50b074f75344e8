import numpy as np
from numpy.typing import NDArray

_Float = NDArray[np.float32] | NDArray[np.float64]
_Double = NDArray[np.float64]

def sums(
    Z: _Float,
    P: _Float,
    centre: _Double,
    weights: _Double | None,
    epsilon: float,
    pi: _Double | None = None,
    squares: bool = False,
) -> tuple[_Double, float, float] | None: ...
def gradient(
    Z: _Float,
    P: _Float,
    centre: _Double,
    weights: _Double | None,
    epsilon: float,
    A: _Double,
    shift: _Double,
) -> _Float | None: ...
