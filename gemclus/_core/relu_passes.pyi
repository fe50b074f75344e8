import numpy as np
from numpy.typing import NDArray

def bias_relu(
    Z: NDArray[np.float32] | NDArray[np.float64],
    bias: NDArray[np.float32] | NDArray[np.float64],
) -> None: ...
def relu_backward(
    H: NDArray[np.float32] | NDArray[np.float64],
    B: NDArray[np.float32] | NDArray[np.float64],
) -> None: ...
