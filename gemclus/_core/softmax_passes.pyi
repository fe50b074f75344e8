import numpy as np
from numpy.typing import NDArray

_Float = NDArray[np.float32] | NDArray[np.float64]

def softmax_rows(logits: _Float) -> bool: ...
def softmax_backward(
    y_pred: _Float, gradient: _Float, out: _Float | None = None
) -> _Float: ...
