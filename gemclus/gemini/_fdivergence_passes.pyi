import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]

KINDS: dict[str, int]

def evaluate(
    kind: int, y_pred: Float, epsilon: float, return_grad: bool
) -> float | tuple[float, Float]: ...
