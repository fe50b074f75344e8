"""Kernels between the samples of a batch, on their device."""

from __future__ import annotations

import torch
from scipy.sparse import issparse

from gemclus.affinity import FactoredKernel, kernel_matrix


def kernel_of(X, kernel, kernel_params):
    """The kernel of a batch: a factor where it has one, else a matrix.

    Parameters
    ----------
    X : tensor of shape (n, D)
        The samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`, or a callable
        ``k(X)`` that returns an (n, n) tensor or array.
    kernel_params : dict or None
        Arguments of the named kernel.

    Returns
    -------
    factor : tensor of shape (n, r) or None
        ``Z`` with ``kappa = Z Z^T``, for the linear and the cosine kernel.
    kappa : tensor of shape (n, n) or None
        The others: O(n^2 D). Those that are not written here are computed by
        scikit-learn, on the CPU.
    """
    params = kernel_params or {}
    if callable(kernel):
        return None, as_square(kernel(X), X, "the result of kernel(X)")
    if kernel == "linear" and not params:
        return X, None
    if kernel == "cosine" and not params:
        norms = X.norm(dim=1, keepdim=True)
        return X / torch.where(norms > 0, norms, 1.0), None
    if kernel not in _KERNELS:
        kappa = kernel_matrix(X.cpu().numpy(), kernel, kernel_params)
        return None, as_square(kappa, X, f"the {kernel!r} kernel of X")
    function, known = _KERNELS[kernel]
    if not set(params) <= known:
        raise ValueError(
            f"kernel_params of the {kernel!r} kernel must be among {sorted(known)}, "
            f"got {sorted(params)}"
        )
    gamma = params.get("gamma")
    gamma = 1.0 / X.shape[1] if gamma is None else gamma
    return None, function(X, **{**params, "gamma": gamma})


def given_kernel(affinity, like):
    """The same from what a user gives as `affinity`."""
    if isinstance(affinity, FactoredKernel):
        factor = affinity.factor
        factor = factor if hasattr(factor, "__array__") else factor.toarray()
        return as_tensor(factor, like), None
    return None, as_tensor(affinity.toarray() if issparse(affinity) else affinity, like)


def as_tensor(array, like):
    """Data, of any kind, with the dtype and device of `like` and no gradient."""
    if not isinstance(array, torch.Tensor):
        import numpy as np

        array = torch.from_numpy(np.array(array))
    return array.detach().to(dtype=like.dtype, device=like.device)


def as_square(array, like, name):
    matrix = as_tensor(array, like)
    n = like.shape[-2]
    if matrix.shape != (n, n):
        raise ValueError(f"{name} must have shape {(n, n)}, got {tuple(matrix.shape)}")
    return matrix


def _rbf(X, gamma):
    # It depends on differences alone, whose digits an offset would cost.
    X = X - X.mean(0)
    squares = X.square().sum(1)
    distances = (squares[:, None] + squares - 2.0 * (X @ X.T)).clamp_(min=0.0)
    return (-gamma * distances.fill_diagonal_(0.0)).exp_()


def _laplacian(X, gamma):
    return (-gamma * torch.cdist(X, X, p=1.0)).exp_()


def _polynomial(X, gamma, degree=3, coef0=1.0):
    return (gamma * (X @ X.T) + coef0) ** degree


def _sigmoid(X, gamma, coef0=1.0):
    return (gamma * (X @ X.T) + coef0).tanh_()


# Name -> function of X and gamma, the names of its parameters.
_KERNELS = {
    "rbf": (_rbf, {"gamma"}),
    "laplacian": (_laplacian, {"gamma"}),
    "poly": (_polynomial, {"gamma", "degree", "coef0"}),
    "polynomial": (_polynomial, {"gamma", "degree", "coef0"}),
    "sigmoid": (_sigmoid, {"gamma", "coef0"}),
}
