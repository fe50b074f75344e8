import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32] | NDArray[np.float64]

def add_row(out: Float, row: Float) -> None: ...
def sums(T: Float) -> Float: ...
