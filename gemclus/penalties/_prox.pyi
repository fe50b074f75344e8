import numpy as np
from numpy.typing import NDArray

def group_norms(
    W: NDArray[np.floating], members: NDArray[np.intp], starts: NDArray[np.intp]
) -> NDArray[np.float64]: ...
def total_norm(
    W: NDArray[np.floating], members: NDArray[np.intp], starts: NDArray[np.intp]
) -> float: ...
def group_lasso(
    W: NDArray[np.floating],
    members: NDArray[np.intp],
    starts: NDArray[np.intp],
    step: float,
) -> None: ...
def hierarchical(
    W: NDArray[np.floating],
    U: NDArray[np.floating],
    members: NDArray[np.intp],
    starts: NDArray[np.intp],
    step: float,
    M: float,
) -> None: ...
