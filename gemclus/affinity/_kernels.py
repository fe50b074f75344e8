"""Kernels, from a name, a callable or a matrix."""

from math import comb, factorial

import numpy as np
from sklearn.metrics import pairwise_kernels
from sklearn.metrics.pairwise import kernel_metrics
from sklearn.preprocessing import PolynomialFeatures, normalize

from gemclus._common.validation import check_square_matrix, check_symmetric_matrix
from gemclus.affinity._arguments import check_name, precomputed_matrix
from gemclus.affinity._objects import (
    AffinityRows,
    DenseKernel,
    FactoredKernel,
    LazyAffinity,
)


def kernel_affinity(X, kernel, kernel_params=None, y=None, minibatch=False):
    """The kernel that training uses: the cheapest object that stands for it.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``,
        or a callable ``k(X)`` returning an (N, N) array.
    kernel_params : dict, default=None
        Arguments of the named kernel.
    y : array-like of shape (N, N), default=None
        The matrix, when `kernel` is ``"precomputed"``.
    minibatch : bool, default=False
        Whether batches are taken from it: then a named kernel without a factor
        is computed for each batch, and never in whole.

    Returns
    -------
    affinity : FactoredKernel, DenseKernel or LazyAffinity
    """
    factor = factor_kernel(X, kernel, kernel_params)
    if factor is not None:
        return FactoredKernel(factor)
    if minibatch and isinstance(kernel, str) and kernel != "precomputed":
        return LazyAffinity(
            X,
            lambda batch: DenseKernel(kernel_matrix(batch, kernel, kernel_params)),
            lambda rows, columns: _named_kernel(rows, columns, kernel, kernel_params),
        )
    if isinstance(kernel, str) and kernel == "precomputed":
        y = y.square() if isinstance(y, AffinityRows) else y
        if isinstance(y, FactoredKernel) and len(y) == X.shape[0]:
            return FactoredKernel(y.factor)
    return DenseKernel(kernel_matrix(X, kernel, kernel_params, y))


def kernel_matrix(X, kernel, kernel_params=None, y=None):
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
        If the name is unknown, a precomputed matrix is missing, or the matrix
        has the wrong shape, is not symmetric or not finite.
    TypeError
        If `kernel` is neither a name nor a callable.
    """
    if kernel == "precomputed":
        return precomputed_matrix(y, X.shape[0], "kernel")
    if callable(kernel):
        matrix = check_square_matrix(kernel(X), X.shape[0], "the result of kernel(X)")
        check_symmetric_matrix(matrix, "the result of kernel(X)")
        return matrix
    return check_square_matrix(
        _named_kernel(X, X, kernel, kernel_params),
        X.shape[0],
        f"the {kernel!r} kernel of X",
    )


def cross_kernel(X, Y, kernel, kernel_params=None, argument="kernel"):
    """A kernel between two sets of samples.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n, D) and (m, D)
        Validated samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`, or a callable
        ``k(X, Y)`` returning an (n, m) array.
    kernel_params : dict, default=None
        Arguments of the named kernel.
    argument : str, default="kernel"
        What error messages call `kernel`.

    Returns
    -------
    kappa : ndarray of shape (n, m)
        Finite, with the dtype that the kernel gives.
    """
    if callable(kernel):
        kappa = np.asarray(kernel(X, Y))
        name = f"the result of {argument}(X, Y)"
    elif kernel == "precomputed":
        raise ValueError(
            f"{argument} must be a callable or a name of kernel_metrics(): new samples "
            "need kernel values with the training samples, got 'precomputed'"
        )
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


def factor_kernel(X, kernel, kernel_params=None):
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
    """
    if not isinstance(kernel, str):
        return None
    params = kernel_params or {}
    if kernel == "linear" and not params:
        return X
    if kernel == "cosine" and not params:
        return normalize(X)
    if kernel in ("poly", "polynomial") and isinstance(X, np.ndarray):
        return _polynomial_factor(X, **params)
    return None


def _polynomial_factor(X, degree=3, gamma=None, coef0=1.0):
    n_samples, n_features = X.shape
    gamma = 1.0 / n_features if gamma is None else gamma
    if not isinstance(degree, int) or degree < 1 or gamma <= 0 or coef0 < 0:
        return None
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


def _named_kernel(X, Y, kernel, kernel_params, argument="kernel"):
    check_name(argument, kernel, kernel_metrics())
    if kernel == "rbf" and isinstance(X, np.ndarray):
        # It depends on differences alone, but is computed from expanded squares,
        # which lose them when the data have an offset.
        offset, same = Y.mean(axis=0), X is Y
        X = X - offset
        Y = X if same else Y - offset
    try:
        return pairwise_kernels(X, Y, metric=kernel, **(kernel_params or {}))
    except TypeError as error:
        raise ValueError(
            f"{argument}_params {kernel_params!r} do not fit the {kernel!r} kernel: "
            f"{error}"
        ) from error
