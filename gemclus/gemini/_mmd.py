"""Maximum mean discrepancy between clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_array

from gemclus._common.typing import ArrayLike, Parameters
from gemclus._common.validation import (
    check_bool,
    check_float,
    check_predictions,
    check_sparse_matrix,
    check_square_matrix,
)
from gemclus._common.weights import check_sample_weight
from gemclus._core.array_passes import first_not_finite
from gemclus._core.buffers import empty_like
from gemclus.affinity import (
    DenseKernel,
    FactoredKernel,
    LazyAffinity,
    SparseKernel,
    kernel_affinity,
    kernel_matrix,
)
from gemclus.gemini import _mmd_passes as passes
from gemclus.gemini import _mmd_products
from gemclus.gemini._base import GEMINI, as_scalar
from gemclus.gemini._blocks import MMDBlocks, centred_gradient, centred_sums

# Rows taken at a time where a product needs centred predictions: the
# temporaries stay in cache, and float32 products are summed in float64.
_BLOCK = 2048
_KERNELS = (DenseKernel, FactoredKernel, LazyAffinity, SparseKernel)


class MMDGEMINI(GEMINI):
    """Maximum mean discrepancy between clusters.

    With ``mu_k`` the centroid of cluster k in the feature space of the kernel,
    each sample weighted by ``p(y=k | x)``, ``mu`` the mean of all samples and
    ``pi`` the cluster proportions:

    - OvA: ``sum_k pi_k ||mu_k - mu||``;
    - OvO: ``sum_{k,l} pi_k pi_l ||mu_k - mu_l||``.

    Parameters
    ----------
    ovo : bool, default=False
        One-vs-one instead of one-vs-all.
    kernel : str, callable or transformer, default="linear"
        A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``
        (a matrix, which may be sparse), a callable ``k(X)`` that returns an
        (N, N) array, or a feature map: a scikit-learn transformer ``phi``,
        fitted to the samples, for the kernel ``phi(X) phi(X)'``.
    kernel_params : dict, default=None
        Arguments of the named kernel or the callable.
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``.

    See Also
    --------
    WassersteinGEMINI : Distances in place of a kernel.
    gemclus.affinity.kernel_affinity : The kernels that it takes.
    gemclus.linear.LinearMMD, gemclus.mlp.MLPMMD : Models trained by it.

    Notes
    -----
    Cost of a value and gradient: O(N r K) for kernels with a factor of r
    columns (linear: r = D), which never make an N x N array, and O(N^2 K) for
    the others (a sparse matrix: as many products as it has entries, times K);
    OvO adds O(r K^2) or O(N K^2). For an indefinite kernel,
    negative squared distances count as 0.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import MMDGEMINI
    >>> X = np.array([[0.0], [1.0], [4.0], [5.0]])
    >>> y_pred = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> gemini = MMDGEMINI()
    >>> float(gemini(y_pred, gemini.compute_affinity(X)).round(6))
    2.0
    """

    ovo: bool
    kernel: Any
    kernel_params: Parameters
    epsilon: float

    def __init__(
        self,
        ovo: bool = False,
        kernel: Any = "linear",
        kernel_params: Parameters = None,
        epsilon: float = 1e-12,
    ) -> None:
        self.ovo = ovo
        self.kernel = kernel
        self.kernel_params = kernel_params
        self.epsilon = epsilon

    def compute_affinity(self, X: Any, y: Any = None) -> Any:
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        return kernel_matrix(X, self.kernel, self.kernel_params, y)

    def _training_affinity(self, X: Any, y: Any = None, minibatch: bool = False) -> Any:
        return kernel_affinity(
            X, self.kernel, self.kernel_params, y, minibatch, sparse=True
        )

    def evaluate(
        self,
        y_pred: Any,
        affinity: Any,
        return_grad: bool = False,
        sample_weight: ArrayLike | None = None,
    ) -> Any:
        evaluate = self._training_evaluator()
        return as_scalar(evaluate(y_pred, affinity, return_grad, sample_weight))

    def _decomposition(self, affinity: Any) -> Any:
        if not isinstance(affinity, FactoredKernel):
            return None
        return MMDBlocks(*self._check_parameters())

    def _check_parameters(self) -> Any:
        ovo = check_bool("ovo", self.ovo)
        return ovo, check_float("epsilon", self.epsilon, 0.0, 0.5)

    def _training_evaluator(self) -> Callable[..., Any]:
        ovo, epsilon = self._check_parameters()

        def evaluate(y_pred, affinity, return_grad=False, sample_weight=None):
            P = check_predictions(y_pred)
            affinity = _as_kernel(affinity, P.shape[0])
            weights = None
            if sample_weight is not None:
                weights = check_sample_weight(sample_weight, len(P))
            if isinstance(affinity, FactoredKernel):
                if weights is not None:
                    cut = MMDBlocks(ovo, epsilon)
                    return _evaluate_weighted(cut, P, affinity, weights, return_grad)
                pi = passes.proportions(P, epsilon)
                return _evaluate_factored(P, affinity, pi, epsilon, ovo, return_grad)
            # Lazy and sparse kernels multiply, and are never made whole.
            kappa = affinity.array if isinstance(affinity, DenseKernel) else affinity
            return _evaluate_dense(P, kappa, weights, epsilon, ovo, return_grad)

        return evaluate


def _evaluate_weighted(cut, P, affinity, weights, return_grad):
    """Value (and gradient) from one block."""
    state = cut.advance(cut.sums(P, affinity, weights, None), None)
    if not return_grad:
        return state.value
    return state.value, cut.gradient(P, affinity, weights, state)


def _evaluate_factored(P, affinity, pi, epsilon, ovo, return_grad):
    """Value (and gradient) from a factor Z of the kernel, in O(N r K)."""
    Z = affinity.factor
    if isinstance(Z, np.ndarray) and np.float32 in (Z.dtype, P.dtype):
        # An offset of the data would cost the digits of single precision.
        mu = centred_sums(affinity, P, None, epsilon, pi)[0][:-1, :-1].copy()
        nowhere = np.zeros(len(mu))
        value, A, shift = passes.centroid_mixing(mu, pi, nowhere, len(P), ovo)
        if not return_grad:
            return value
        return value, centred_gradient(affinity, P, None, epsilon, A, shift)
    narrow = isinstance(Z, np.ndarray) and Z.dtype == P.dtype
    mu = _mmd_products.centred_moments(Z, P, pi, epsilon) if narrow else None
    if mu is None:
        mu = _centred_moments(Z, P, pi, epsilon)
    value, A, shift = passes.centroid_mixing(mu, pi, affinity.means, len(P), ovo)
    if not return_grad:
        return value
    A = A.astype(P.dtype, copy=False)
    G = _mmd_products.gradient(Z, A, shift, P, epsilon) if narrow else None
    if G is None:
        G = _gradient(Z, A, shift, P, epsilon)
    return value, G


def _centred_moments(Z, P, pi, epsilon):
    """``Z^T H P`` of any factor, by blocks of rows. Cost O(N r K)."""
    moments = np.zeros((Z.shape[1], P.shape[1]))
    for start in range(0, len(P), _BLOCK):
        rows = P[start : start + _BLOCK]
        HP = empty_like(rows)
        passes.centre(rows, pi, epsilon, HP)
        moments += _rows(Z, start).T @ HP
    return moments


def _gradient(Z, A, shift, P, epsilon):
    """``Z A + shift`` where `P` was not clipped, by blocks of rows. Cost O(N r K)."""
    G = empty_like(P)
    for start in range(0, len(P), _BLOCK):
        rows = G[start : start + _BLOCK]
        if isinstance(Z, np.ndarray) and A.dtype == G.dtype == Z.dtype:
            np.matmul(_rows(Z, start), A, out=rows)
        else:
            rows[:] = _rows(Z, start) @ A
        passes.finish_gradient(rows, P[start : start + _BLOCK], shift, epsilon)
    return G


def _rows(Z, start):
    """A block of rows; a small CSR matrix is not copied for it."""
    return Z if Z.shape[0] <= _BLOCK else Z[start : start + _BLOCK]


def _evaluate_dense(P, kappa, weights, epsilon, ovo, return_grad):
    """Value (and gradient) from the kernel matrix, in O(N^2 K)."""
    pi, N = _proportions(P, weights, epsilon)
    HP = np.empty(P.shape, dtype=np.result_type(P, kappa.dtype))
    passes.centre(P.astype(HP.dtype, copy=False), pi, epsilon, HP)
    if weights is not None:
        HP *= weights[:, None]
    U = kappa @ HP
    U -= U.mean(axis=0) if weights is None else weights @ U / N
    if ovo:
        distances = passes.kernel_distances(HP, U, pi, N)
        value, C, row = passes.ovo_mixing(distances, pi, N)
    else:
        value, C, row = passes.ova_mixing(passes.kernel_norms(HP, U, pi, N), pi, N)
    if not return_grad:
        return value
    C /= (N * pi)[:, None]
    if ovo:
        row -= ((HP.T @ U) * C).sum(axis=0) / (N * pi)
    # The columns of U, and so those of U C, have mean 0.
    G = (U @ C).astype(P.dtype, copy=False)
    passes.finish_gradient(G, P, row, epsilon)
    if weights is not None:
        G *= weights.astype(G.dtype)[:, None]
    return value, G


def _proportions(P, weights, epsilon):
    """Means of the clipped predictions, and the total weight."""
    if weights is None:
        return passes.proportions(P, epsilon), len(P)
    if first_not_finite((P,)) >= 0:
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    total = weights.sum()
    clipped = np.clip(P.astype(np.float64), epsilon, 1.0 - epsilon)
    # As differences, so that equal rows have exactly these proportions.
    first = clipped[np.argmax(weights)]
    return first + weights @ (clipped - first) / total, total


def _as_kernel(affinity, n_samples):
    """The affinity object of a user's argument, of the right size."""
    if affinity is None:
        raise ValueError("affinity must be a kernel of shape (N, N), got None")
    if issparse(affinity):
        return SparseKernel(check_sparse_matrix(affinity, n_samples, "affinity"))
    if not isinstance(affinity, _KERNELS):
        matrix = check_square_matrix(np.asarray(affinity), n_samples, "affinity")
        return DenseKernel(matrix)
    if len(affinity) != n_samples:
        raise ValueError(
            f"affinity must have shape ({n_samples}, {n_samples}), as y_pred has "
            f"{n_samples} rows, got {affinity.shape}"
        )
    return affinity
