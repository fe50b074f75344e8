"""Factors of positive kernels: a Cholesky decomposition that chooses its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from gemclus._common.typing import Floats, Integers, Parameters

# Pivots that are tried together, so that the work is in matrix products.
_BLOCK = 64
# Of the pivots of a block, those are taken that still explain this share of the
# largest unexplained diagonal entry; the others wait for the next block.
_WORTH = 0.1
# Samples whose diagonal entries are computed together.
_DIAGONAL_BLOCK = 128

_ALWAYS_POSITIVE = {"linear", "cosine"}
_POSITIVE_WITH_GAMMA = {"rbf", "laplacian", "chi2"}


class KernelFactor:
    """``kappa(X, X[pivots]) = L L[pivots]'``: a factor of a positive kernel.

    Attributes
    ----------
    L : ndarray of shape (N, r)
        ``L L'`` is the kernel, to the tolerance.
    pivots : ndarray of shape (r,)
        Positions of the samples on which functions of the kernel are written.

    See Also
    --------
    pivoted_cholesky : Makes one.
    FactoredKernel : A kernel for training, from a factor.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import pivoted_cholesky
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> factor = pivoted_cholesky(lambda rows, columns: X[rows] @ X[columns].T, 3)
    >>> factor.L.shape, factor.pivots
    ((3, 1), array([2]))
    >>> bool(np.allclose(factor.L @ factor.L.T, X @ X.T))
    True
    """

    L: Floats
    pivots: Integers

    def __init__(self, L: Floats, pivots: Integers) -> None:
        self.L = L
        self.pivots = pivots
        self._corner = L[pivots]

    def coordinates(self, W: Floats) -> Floats:
        """``L' W``: the function ``kappa W`` is ``L`` times it."""
        return self.L.T @ W

    def weights(self, coordinates: Floats) -> Floats:
        """Weights of the pivots whose function is ``L`` times the coordinates."""
        return solve_triangular(self._corner, coordinates, lower=True, trans="T")


def is_positive_kernel(kernel: Any, kernel_params: Parameters = None) -> bool:
    """Whether a named kernel is positive semi-definite whatever the samples.

    Parameters
    ----------
    kernel : object
        What the user gave as the kernel.
    kernel_params : dict, default=None
        Its parameters.

    Returns
    -------
    positive : bool
        False for what is no name, and for names whose parameters do not promise it.

    See Also
    --------
    pivoted_cholesky : Factor of a positive kernel.
    gemclus.linear.KernelRIM : Uses such a factor.

    Examples
    --------
    >>> from gemclus.affinity import is_positive_kernel
    >>> is_positive_kernel("rbf"), is_positive_kernel("sigmoid")
    (True, False)
    >>> is_positive_kernel("polynomial", {"coef0": -1})
    False
    """
    params = {} if kernel_params is None else kernel_params
    # What is neither is refused where the kernel is computed.
    if not isinstance(kernel, str) or not isinstance(params, Mapping):
        return False
    if kernel in _ALWAYS_POSITIVE:
        return True
    gamma = params.get("gamma")
    positive = gamma is None or (isinstance(gamma, Real) and float(gamma) > 0)
    if kernel in _POSITIVE_WITH_GAMMA:
        return positive
    if kernel not in ("poly", "polynomial"):
        return False
    degree, coef0 = params.get("degree", 3), params.get("coef0", 1)
    if not (isinstance(degree, Integral) and isinstance(coef0, Real)):
        return False
    return positive and int(degree) >= 0 and float(coef0) >= 0


def pivoted_cholesky(
    kernel: Callable[[Any, Any], Floats],
    n_samples: int,
    tol: float = 1e-8,
    max_rank: int | None = None,
) -> KernelFactor:
    """Factor a positive kernel from some of its columns.

    Pivots are chosen where the kernel is explained least, some of them at a time.
    It ends when no diagonal entry is unexplained by more than `tol` times the
    largest one, or with `max_rank` pivots.

    Parameters
    ----------
    kernel : callable
        ``kernel(rows, columns)`` gives the block of these positions.
    n_samples : int
        Number of samples N.
    tol : float, default=1e-8
        Tolerance.
    max_rank : int, default=None
        Largest number of pivots; None for no limit.

    Returns
    -------
    factor : KernelFactor
        In float64.

    See Also
    --------
    KernelFactor : The result.
    factor_kernel : Exact factor of a kernel that has one by its formula.
    is_positive_kernel : Whether a named kernel is one.

    Notes
    -----
    With the rank r that results it computes r columns of the kernel, in
    O(N r^2) time beside them and O(N r) memory: no N x N array unless the rank
    needs one. A function of the kernel of norm 1 loses at most the root of the
    tolerance anywhere.

    References
    ----------
    Harbrecht, Peters and Schneider, "On the low-rank approximation by the
    pivoted Cholesky decomposition", Applied Numerical Mathematics 62, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics.pairwise import rbf_kernel
    >>> from gemclus.affinity import pivoted_cholesky
    >>> X = np.linspace(0, 1, 100)[:, None]
    >>> L = pivoted_cholesky(lambda i, j: rbf_kernel(X[i], X[j]), 100).L
    >>> L.shape[1] < 20, bool(np.allclose(L @ L.T, rbf_kernel(X), atol=1e-6))
    (True, True)
    """
    everything = np.arange(n_samples)
    residual = _diagonal(kernel, n_samples)
    least = tol * max(float(residual.max()), 0.0)
    L = np.empty((n_samples, min(n_samples, 4 * _BLOCK)), order="F")
    pivots = np.empty(0, dtype=np.intp)
    most = n_samples if max_rank is None else min(max_rank, n_samples)
    while len(pivots) < most and residual.max() > least:
        n_tried = min(_BLOCK, most - len(pivots))
        tried = np.argpartition(-residual, n_tried - 1)[:n_tried]
        tried = tried[residual[tried] > least]
        known = L[:, : len(pivots)]
        corner = kernel(tried, tried) - known[tried] @ known[tried].T
        lower, order, rank, _ = dpstrf(
            corner, tol=max(least, _WORTH * residual.max()), lower=1
        )
        rank = max(int(rank), 1)
        chosen = tried[order[:rank] - 1]
        columns = kernel(everything, chosen) - known @ known[chosen].T
        new = solve_triangular(lower[:rank, :rank], columns.T, lower=True).T
        if len(pivots) + rank > L.shape[1]:
            L = _widened(L, len(pivots), min(most, 2 * L.shape[1] + rank))
        L[:, len(pivots) : len(pivots) + rank] = new
        residual -= np.einsum("ij,ij->i", new, new)
        pivots = np.concatenate([pivots, chosen])
        residual[pivots] = 0.0
    return KernelFactor(np.ascontiguousarray(L[:, : len(pivots)]), pivots)


def _widened(L, n_used, n_columns):
    """The same columns in an array that has room for more."""
    wide = np.empty((L.shape[0], n_columns), order="F")
    wide[:, :n_used] = L[:, :n_used]
    return wide


def _diagonal(kernel, n_samples):
    """``k(x, x)`` of each sample."""
    diagonal = np.empty(n_samples)
    for start in range(0, n_samples, _DIAGONAL_BLOCK):
        rows = np.arange(start, min(start + _DIAGONAL_BLOCK, n_samples))
        diagonal[rows] = kernel(rows, rows).diagonal()
    return diagonal
