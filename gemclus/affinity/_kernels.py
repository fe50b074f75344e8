"""Kernels, from a name, a callable, a feature map or a matrix."""

from __future__ import annotations

from math import comb, factorial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.metrics import pairwise_kernels
from sklearn.metrics.pairwise import kernel_metrics
from sklearn.preprocessing import PolynomialFeatures, normalize

from gemclus._common.typing import Floats, Pairwise, Parameters
from gemclus._common.validation import check_square_matrix, check_symmetric_matrix
from gemclus.affinity._arguments import (
    call_cross,
    call_square,
    check_argument,
    check_named_params,
    is_named,
    precomputed_matrix,
)
from gemclus.affinity._feature_maps import (
    FittedFeatureMap,
    fit_feature_map,
    is_feature_map,
)
from gemclus.affinity._objects import (
    AffinityRows,
    DenseKernel,
    FactoredKernel,
    LazyAffinity,
    SparseKernel,
)

_NAMES = [*kernel_metrics(), "precomputed"]


def kernel_affinity(
    X: Any,
    kernel: Any,
    kernel_params: Parameters = None,
    y: Any = None,
    minibatch: bool = False,
    *,
    sparse: bool = False,
) -> FactoredKernel | DenseKernel | SparseKernel | LazyAffinity:
    """The kernel that training uses: the cheapest object that stands for it.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    kernel : str, callable or transformer
        A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``,
        a callable ``k(X)`` returning an (N, N) array, or a feature map: a
        scikit-learn transformer ``phi``, for the kernel ``phi(X) phi(X).T``.
    kernel_params : dict, default=None
        Arguments of the named kernel or the callable. A callable that needs two
        arrays is called as ``k(X, X)``.
    y : array-like or sparse matrix of shape (N, N), default=None
        The matrix, when `kernel` is ``"precomputed"``.
    minibatch : bool, default=False
        Whether batches are taken from it: then a named kernel without a factor
        is computed for each batch, and never in whole.
    sparse : bool, default=False
        Whether a sparse precomputed matrix may stay sparse; else it is refused.

    Returns
    -------
    affinity : FactoredKernel, DenseKernel, SparseKernel or LazyAffinity

    See Also
    --------
    kernel_matrix : The same as a plain array.
    distance_affinity : The same for distances.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import kernel_affinity
    >>> X = np.array([[0.0], [1.0], [3.0]])
    >>> for kernel in ("linear", "rbf"):
    ...     print(type(kernel_affinity(X, kernel)).__name__)
    FactoredKernel
    DenseKernel
    >>> type(kernel_affinity(X, "rbf", minibatch=True)).__name__
    'LazyAffinity'
    """
    if is_feature_map(kernel):
        kernel = fit_feature_map(kernel, kernel_params, X)
    if isinstance(kernel, FittedFeatureMap):
        return FactoredKernel(kernel.factor(X))
    check_argument("kernel", kernel, kernel_params, _NAMES)
    factor = factor_kernel(X, kernel, kernel_params)
    if factor is not None:
        return FactoredKernel(factor)
    if is_named(kernel, "precomputed"):
        return _precomputed_kernel(X, y, sparse)
    if minibatch and isinstance(kernel, str):
        return LazyAffinity(
            X,
            lambda batch: DenseKernel(kernel_matrix(batch, kernel, kernel_params)),
            lambda rows, columns: _named_kernel(rows, columns, kernel, kernel_params),
        )
    return DenseKernel(kernel_matrix(X, kernel, kernel_params, y))


def _precomputed_kernel(
    X: Any, y: Any, sparse: bool
) -> FactoredKernel | DenseKernel | SparseKernel:
    """The affinity object of ``kernel="precomputed"``."""
    y = y.square() if isinstance(y, AffinityRows) else y
    if isinstance(y, FactoredKernel):
        if len(y) != X.shape[0]:
            raise ValueError(
                f"y must be the kernel of the {X.shape[0]} samples, got a "
                f"FactoredKernel of {len(y)}"
            )
        values = y.factor.data if issparse(y.factor) else y.factor
        if not np.isfinite(values).all():
            raise ValueError("y must have a finite factor, it contains NaN or infinity")
        return FactoredKernel(y.factor)
    matrix = precomputed_matrix(y, X.shape[0], "kernel", keep_sparse=sparse)
    return SparseKernel(matrix) if issparse(matrix) else DenseKernel(matrix)


def kernel_matrix(
    X: Any, kernel: Any, kernel_params: Parameters = None, y: Any = None
) -> Floats:
    """The kernel as a plain (N, N) array.

    Parameters
    ----------
    X, y : as in `kernel_affinity`
    kernel, kernel_params : as in `kernel_affinity`

    Returns
    -------
    matrix : ndarray of shape (N, N)
        Computed in O(N^2 D) for a named kernel.

    Raises
    ------
    ValueError
        If the name is unknown, a precomputed matrix is missing, parameters do
        not fit, or the matrix has the wrong shape, is not symmetric or not finite.
    TypeError
        If `kernel` is neither a name nor a callable nor a transformer, or
        `kernel_params` is no dict.

    See Also
    --------
    kernel_affinity : The object that training uses.
    cross_kernel : A kernel between two sets of samples.
    sklearn.metrics.pairwise.pairwise_kernels : The kernels of the names.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import kernel_matrix
    >>> kernel_matrix(np.array([[1.0, 0.0], [1.0, 2.0]]), "linear")
    array([[1., 1.],
           [1., 5.]])
    """
    if is_feature_map(kernel) or isinstance(kernel, FittedFeatureMap):
        return np.asarray(kernel_affinity(X, kernel, kernel_params))
    check_argument("kernel", kernel, kernel_params, _NAMES)
    if is_named(kernel, "precomputed"):
        matrix = precomputed_matrix(y, X.shape[0], "kernel", keep_sparse=True)
        return matrix.toarray() if issparse(matrix) else matrix
    if callable(kernel):
        matrix, call = call_square("kernel", kernel, kernel_params, X)
        matrix = check_square_matrix(matrix, X.shape[0], f"the result of {call}")
        check_symmetric_matrix(matrix, f"the result of {call}")
        return matrix
    return check_square_matrix(
        _named_kernel(X, X, kernel, kernel_params),
        X.shape[0],
        f"the {kernel!r} kernel of X",
    )


def cross_kernel(
    X: Any,
    Y: Any,
    kernel: Pairwise,
    kernel_params: Parameters = None,
    argument: str = "kernel",
) -> NDArray[Any]:
    """A kernel between two sets of samples.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n, D) and (m, D)
        Validated samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`, or a callable
        ``k(X, Y)`` returning an (n, m) array.
    kernel_params : dict, default=None
        Arguments of the named kernel or the callable.
    argument : str, default="kernel"
        What error messages call `kernel`.

    Returns
    -------
    kappa : ndarray of shape (n, m)
        Finite, with the dtype that the kernel gives.

    See Also
    --------
    kernel_matrix : The kernel between samples of one set.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import cross_kernel
    >>> X, Y = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0]])
    >>> cross_kernel(X, Y, "linear")
    array([[ 3.,  4.,  5.],
           [ 6.,  8., 10.]])
    """
    if is_named(kernel, "precomputed"):
        raise ValueError(
            f"{argument} must be a callable or a name of kernel_metrics(): new samples "
            "need kernel values with the training samples, got 'precomputed'"
        )
    check_argument(argument, kernel, kernel_params, kernel_metrics())
    if callable(kernel):
        kappa, call = call_cross(argument, kernel, kernel_params, X, Y)
        name, kappa = f"the result of {call}", np.asarray(kappa)
    else:
        kappa = _named_kernel(X, Y, kernel, kernel_params, argument)
        name = f"the {kernel!r} kernel of X"
    if kappa.shape != (X.shape[0], Y.shape[0]) or kappa.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} must be an array of numbers of shape {(X.shape[0], Y.shape[0])}, "
            f"got {kappa.dtype} of shape {kappa.shape}"
        )
    if not np.isfinite(kappa).all():
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    return kappa


def factor_kernel(X: Any, kernel: Any, kernel_params: Parameters = None) -> Any:
    """An exact factor ``Z`` of a named kernel, ``kappa = Z Z.T``, or None.

    linear: ``X`` itself; cosine: its rows at unit length; polynomial of an
    integer degree, ``gamma > 0`` and ``coef0 >= 0``: the weighted monomials,
    when there are at most N / 4 of them.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    kernel, kernel_params : as in `kernel_affinity`

    Returns
    -------
    factor : ndarray or CSR matrix of shape (N, r), or None
        None when the kernel has no such factor.

    See Also
    --------
    FactoredKernel : The kernel of a factor.
    pivoted_cholesky : Factor of other positive kernels, to a tolerance.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import factor_kernel
    >>> X = np.array([[3.0, 4.0], [0.0, 2.0]])
    >>> factor_kernel(X, "cosine")
    array([[0.6, 0.8],
           [0. , 1. ]])
    >>> factor_kernel(X, "rbf") is None
    True
    """
    if not isinstance(kernel, str):
        return None
    params = dict(kernel_params or {})
    if kernel == "linear" and not params:
        return X
    if kernel == "cosine" and not params:
        return normalize(X)
    if kernel in ("poly", "polynomial") and isinstance(X, np.ndarray):
        check_named_params("kernel", kernel, kernel_metrics()[kernel], params)
        if params.keys() <= {"degree", "gamma", "coef0"}:
            return _polynomial_factor(X, **params)
    return None


def _polynomial_factor(X, degree=3, gamma=None, coef0=1.0):
    """Weighted monomials; None if there are none, or too many, or bad values."""
    n_samples, n_features = X.shape
    gamma = 1.0 / n_features if gamma is None else gamma
    if not all(isinstance(value, Real) for value in (degree, gamma, coef0)):
        return None
    if not (degree >= 1 and degree % 1 == 0 and gamma > 0 and coef0 >= 0):
        return None
    degree = int(degree)
    if comb(n_features + degree, degree) > n_samples // 4:
        return None
    monomials = PolynomialFeatures(degree)
    Z = monomials.fit_transform(X)
    # (gamma <x, y> + c)^d by the multinomial theorem.
    powers = monomials.powers_
    for column, exponents in enumerate(powers):
        total = int(exponents.sum())
        ways = factorial(degree) / factorial(degree - total)
        for exponent in exponents:
            ways /= factorial(int(exponent))
        Z[:, column] *= np.sqrt(ways * gamma**total * coef0 ** (degree - total))
    return Z


def _named_kernel(
    X: Any, Y: Any, kernel: str, kernel_params: Parameters, argument: str = "kernel"
) -> Floats:
    params = kernel_params or {}
    check_named_params(argument, kernel, kernel_metrics()[kernel], params)
    if kernel == "rbf" and isinstance(X, np.ndarray):
        # It depends on differences alone, but is computed from expanded squares,
        # which lose them when the data have an offset.
        offset, same = Y.mean(axis=0), X is Y
        X = X - offset
        Y = X if same else Y - offset
    try:
        return pairwise_kernels(X, Y, metric=kernel, **params)
    except TypeError as error:
        raise ValueError(
            f"{argument}_params {kernel_params!r} do not fit the {kernel!r} kernel: "
            f"{error}"
        ) from error
