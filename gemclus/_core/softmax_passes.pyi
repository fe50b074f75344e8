import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]

def softmax_rows(logits: Float) -> bool: ...
def softmax_backward(
    y_pred: Float, gradient: Float, out: Float | None = None
) -> Float: ...
