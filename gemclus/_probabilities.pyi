import numpy as np
from numpy.typing import NDArray

def worst_row(
    P: NDArray[np.float32] | NDArray[np.float64],
) -> tuple[int, float, float]: ...
