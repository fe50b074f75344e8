"""Kernels of a few samples, without the checks that would take most of the time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from gemclus._common.typing import Floats, Parameters

#: Samples for which computing the kernel takes less time than checking its arguments.
FEW = 64


def kernel_of_few(
    X: Any, Y: Any, kernel: Any, kernel_params: Parameters = None
) -> Floats | None:
    """A named kernel of a few samples with others, or None if it is another kernel.

    As `cross_kernel`, whose checks of the arguments the samples have passed before.

    Parameters
    ----------
    X : ndarray of float of shape (n, D)
        Finite samples, at most 64.
    Y : ndarray of float of shape (m, D)
        Finite samples.
    kernel : str or callable
        Computed here if linear, polynomial, sigmoid, cosine, rbf or laplacian.
    kernel_params : dict, default=None
        Arguments of the kernel that fit it.

    Returns
    -------
    kappa : ndarray of float64 of shape (n, m), or None
        Cost O(n m D).
    """
    compute = _KERNELS.get(kernel) if isinstance(kernel, str) else None
    plain = isinstance(X, np.ndarray) and isinstance(Y, np.ndarray)
    if compute is None or not plain or len(X) > FEW:
        return None
    params = kernel_params or {}
    if not params.keys() <= _ARGUMENTS[kernel]:
        return None
    gamma = params.get("gamma")
    gamma = 1.0 / X.shape[1] if gamma is None else gamma
    with np.errstate(all="ignore"):
        kappa = compute(X, Y, gamma, params.get("coef0", 1), params.get("degree", 3))
    # What is not finite is for `cross_kernel` to refuse.
    return kappa if np.isfinite(kappa).all() else None


def _inner(X, Y):
    return np.matmul(X, Y.T, dtype=np.float64)


def _linear(X, Y, *_):
    return _inner(X, Y)


def _polynomial(X, Y, gamma, coef0, degree):
    return (gamma * _inner(X, Y) + coef0) ** degree


def _sigmoid(X, Y, gamma, coef0, _):
    return np.tanh(gamma * _inner(X, Y) + coef0)


def _cosine(X, Y, *_):
    return _inner(_unit(X), _unit(Y))


def _unit(X):
    lengths = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    lengths[lengths == 0.0] = 1.0
    return X / lengths[:, None]


def _rbf(X, Y, gamma, *_):
    return np.exp(-gamma * cdist(X, Y, "sqeuclidean"))


def _laplacian(X, Y, gamma, *_):
    return np.exp(-gamma * cdist(X, Y, "cityblock"))


_KERNELS = {
    "cosine": _cosine,
    "laplacian": _laplacian,
    "linear": _linear,
    "poly": _polynomial,
    "polynomial": _polynomial,
    "rbf": _rbf,
    "sigmoid": _sigmoid,
}
_ARGUMENTS = {
    "cosine": frozenset(),
    "laplacian": frozenset({"gamma"}),
    "linear": frozenset(),
    "poly": frozenset({"gamma", "coef0", "degree"}),
    "polynomial": frozenset({"gamma", "coef0", "degree"}),
    "rbf": frozenset({"gamma"}),
    "sigmoid": frozenset({"gamma", "coef0"}),
}
