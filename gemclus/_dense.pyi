import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]

def softmax_affine(X: Float, W: Float, b: Float) -> Float | None: ...
def softmax_affine_backward(
    X: Float, P: Float, gradient: Float
) -> tuple[Float, Float] | None: ...
def affine_backward(X: Float, T: Float) -> tuple[Float, Float] | None: ...
