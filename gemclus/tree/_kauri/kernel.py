"""The kernel that a Kauri tree is grown on, as a factor or as a matrix."""

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics.pairwise import kernel_metrics

from gemclus._common.validation import check_labels
from gemclus._common.weights import unscale_weights
from gemclus.affinity import FactoredKernel, FittedFeatureMap, kernel_affinity
from gemclus.affinity._arguments import check_argument

_NAMES = {*kernel_metrics(), "labels", "precomputed"}
# Named kernels that are positive semi-definite for positive parameters, at
# least once centred (the additive chi-squared kernel).
_DEFINITE = frozenset({"additive_chi2", "chi2", "cosine", "laplacian", "linear", "rbf"})
_POLYNOMIAL = ("poly", "polynomial")
_EPS = np.finfo(np.float64).eps


def tree_affinity(X, kernel, kernel_params=None, y=None):
    """The kernel of the samples; ``kernel="labels"`` makes it from labels `y`.

    Returns
    -------
    affinity : FactoredKernel or DenseKernel
    """
    if isinstance(kernel, str) and kernel == "labels":
        return FactoredKernel(_label_factor(y, X.shape[0]))
    if not isinstance(kernel, FittedFeatureMap):
        check_argument("kernel", kernel, kernel_params, _NAMES)
    affinity = kernel_affinity(X, kernel, kernel_params, y)
    if isinstance(affinity, FactoredKernel) and issparse(affinity.factor):
        affinity = FactoredKernel(affinity.factor.toarray())
    return affinity


def column_means(X, weights=None):
    """Means of the columns over the values that are not missing; 0 without any."""
    known = ~np.isnan(X)
    if known.all() and weights is None:
        return X.mean(axis=0)
    weights = np.ones(len(X)) if weights is None else weights / weights.max()
    total = weights @ known
    sums = weights @ np.where(known, X, 0.0)
    return np.divide(sums, total, out=np.zeros(X.shape[1]), where=total > 0)


def fill_missing(X, kernel, values):
    """Samples as the kernel takes them: the linear one has missing values replaced.

    Raises
    ------
    ValueError
        If values are missing, and the kernel needs them.
    """
    if not isinstance(kernel, str) or kernel in ("labels", "precomputed"):
        return X
    with np.errstate(over="ignore", invalid="ignore"):
        complete = np.isfinite(X.sum()) or not np.isnan(X).any()
    if complete:
        return X
    if kernel != "linear":
        raise ValueError(
            f"X contains NaN, and the kernel {kernel!r} needs all values: impute them, "
            "or give kernel='linear' (which takes the mean of the feature), "
            "'precomputed' or 'labels'"
        )
    if values is None:
        values = column_means(X)
    return np.where(np.isnan(X), values, X)


def _label_factor(y, n_samples):
    """Memberships (N, C) of the labels: one column for each."""
    if y is None:
        raise ValueError(
            "kernel='labels' needs the labels, or probabilities of shape "
            f"({n_samples}, n_labels), as y, got None"
        )
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]  # labels as a column, for instance of a data frame
    if y.ndim not in (1, 2) or len(y) != n_samples or y.size == 0:
        raise ValueError(
            f"kernel='labels' needs y of shape ({n_samples},) or "
            f"({n_samples}, n_labels), got {y.shape}"
        )
    if y.ndim == 1:
        names, codes = check_labels("y", y, n_samples)
        return np.eye(len(names))[codes]
    if y.dtype.kind not in "fiub":
        raise TypeError(f"probabilities y must be real numbers, got dtype {y.dtype}")
    y = y.astype(np.float64)
    if not np.isfinite(y).all() or y.min() < 0:
        raise ValueError("probabilities y must be finite and not negative")
    return y


def is_definite(kernel, kernel_params=None):
    """Whether the kernel is known to be positive semi-definite."""
    params = kernel_params or {}
    gamma = params.get("gamma")
    if not isinstance(kernel, str) or (gamma is not None and gamma < 0):
        return False
    if kernel in _POLYNOMIAL:
        degree = params.get("degree", 3)
        return degree == int(degree) and degree > 0 and params.get("coef0", 1) >= 0
    return kernel in _DEFINITE


class GrowthKernel:
    """A kernel prepared for the growth of a tree.

    The factor is centred, which changes no gain and keeps large offsets from
    drowning them, and scaled by a power of two, so that no square overflows or
    underflows. A factor with more columns than rows becomes a matrix.

    Parameters
    ----------
    affinity : FactoredKernel or DenseKernel
        The kernel.
    definite : bool
        Whether it is known to be positive semi-definite.
    weights : ndarray of float64 of shape (N,), default=None
        Of the samples, positive.

    Attributes
    ----------
    factor : ndarray of shape (N, r) or None
        A copy of its own, which may be overwritten.
    matrix : ndarray of shape (N, N) or None
        The kernel, if there is no factor.
    weights : ndarray of shape (N,) or None
        The weights, divided by a power of two.
    scale : float
        Gains are to be multiplied by this.
    resolution : float
        Gains per sample below this are rounding of the kernel.
    """

    def __init__(self, affinity, definite, weights=None):
        self.factor = self.matrix = self.weights = None
        self.definite = definite
        self.scale = weight_scale = 1.0
        if weights is not None:
            self.weights, weight_scale = unscale_weights(weights)
        if isinstance(affinity, FactoredKernel):
            self._take_factor(affinity.factor)
        else:
            self.matrix = np.ascontiguousarray(affinity.array, dtype=np.float64)
            self._note_matrix_resolution()
        self.scale *= weight_scale

    def _take_factor(self, factor):
        factor = np.asarray(factor, dtype=np.float64)
        magnitude = float(max(factor.max(), -factor.min()))
        exponent = np.frexp(magnitude)[1] if magnitude > 0 else 0
        factor = np.ldexp(factor, -exponent)
        self.scale = float(np.ldexp(1.0, 2 * exponent)) if abs(exponent) < 500 else None
        if self.scale is None:
            raise ValueError(
                f"the entries of X are of magnitude {magnitude:.3g}, and their "
                "squares overflow or vanish: rescale the features"
            )
        if self.weights is None:
            factor -= factor.mean(axis=0)
        else:
            factor -= (self.weights @ factor) / self.weights.sum()
        self.definite = True
        if factor.shape[1] > factor.shape[0]:
            self.matrix = factor @ factor.T
            self._note_matrix_resolution()
        else:
            self.factor = np.ascontiguousarray(factor)
            self.resolution = factor.shape[1] * (8 * _EPS) ** 2

    def variation(self):
        """Gain that there would be if each sample had a cluster of its own.

        Cost O(N r) with a factor, O(N^2) with a matrix.
        """
        n_samples = len(self.matrix if self.factor is None else self.factor)
        weights = np.ones(n_samples) if self.weights is None else self.weights
        if self.factor is not None:
            norms = np.einsum("ij,ij->i", self.factor, self.factor)
            return self.scale * float(weights @ norms)
        within = float(weights @ (self.matrix @ weights)) / float(weights.sum())
        return self.scale * (float(weights @ self.matrix.diagonal()) - within)

    def _note_matrix_resolution(self):
        largest = float(np.abs(self.matrix).max())
        if largest > 1e250:
            raise ValueError(
                f"the kernel has entries of magnitude {largest:.3g}, and their "
                "sums overflow: rescale it"
            )
        self.resolution = 8 * _EPS * largest


def objective(affinity, labels, weights=None):
    """``sum over clusters of sigma(C x C) / |C|`` of a partition.

    Parameters
    ----------
    affinity : FactoredKernel or DenseKernel
        Kernel of the samples.
    labels : ndarray of int of shape (N,)
        Their clusters, not negative.
    weights : ndarray of float64 of shape (N,), default=None
        Their weights, not negative. The size of a cluster is then its weight.

    Returns
    -------
    value : float
        The objective. Cost O(N r) with a factor of rank r, else O(N^2).
    """
    counts = np.bincount(labels)
    sizes = counts if weights is None else np.bincount(labels, weights)
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(counts)
    value = 0.0
    for end, count, size in zip(
        ends.tolist(), counts.tolist(), sizes.tolist(), strict=True
    ):
        if size == 0:
            continue
        members = order[end - count : end]
        weight = None if weights is None else weights[members]
        value += _within(affinity, members, weight) / size
    return value


def _within(affinity, members, weight):
    """Sum of the kernel over pairs of the members, weighted."""
    if isinstance(affinity, FactoredKernel):
        rows = affinity.factor[members]
        if weight is None:
            total = rows.sum(axis=0, dtype=np.float64)
        else:
            total = weight @ rows.astype(np.float64, copy=False)
        return float(total @ total)
    block = affinity.array[np.ix_(members, members)]
    if weight is None:
        return float(block.sum(dtype=np.float64))
    return float(weight @ block.astype(np.float64, copy=False) @ weight)
