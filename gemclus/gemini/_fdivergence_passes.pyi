import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]
Double = NDArray[np.float64]

KINDS: dict[str, int]

def evaluate(
    kind: int,
    y_pred: Float,
    epsilon: float,
    return_grad: bool,
    weights: Double | None = None,
) -> float | tuple[float, Float]: ...
def sums(
    kind: int,
    y_pred: Float,
    epsilon: float,
    weights: Double | None = None,
    first: Double | None = None,
    gradient: Float | None = None,
) -> Double: ...
def check(kind: int, epsilon: float, first: Double) -> None: ...
def value(kind: int, epsilon: float, first: Double, second: Double) -> float: ...
def spread(
    kind: int,
    y_pred: Float,
    epsilon: float,
    weights: Double | None,
    first: Double,
    second: Double,
    gradient: Float,
) -> None: ...
