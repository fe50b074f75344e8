import numpy as np
from numpy.typing import NDArray

_Float = NDArray[np.float32] | NDArray[np.float64]
_Double = NDArray[np.float64]

KINDS: dict[str, int]

def evaluate(
    kind: int,
    y_pred: _Float,
    epsilon: float,
    return_grad: bool,
    weights: _Double | None = None,
) -> float | tuple[float, _Float]: ...
def sums(
    kind: int,
    y_pred: _Float,
    epsilon: float,
    weights: _Double | None = None,
    first: _Double | None = None,
    gradient: _Float | None = None,
) -> _Double: ...
def check(kind: int, epsilon: float, first: _Double) -> None: ...
def value(kind: int, epsilon: float, first: _Double, second: _Double) -> float: ...
def spread(
    kind: int,
    y_pred: _Float,
    epsilon: float,
    weights: _Double | None,
    first: _Double,
    second: _Double,
    gradient: _Float,
) -> None: ...
