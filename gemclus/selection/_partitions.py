"""Scores of a partition of samples; useless partitions score worst."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import silhouette_score
from sklearn.utils import check_array

from gemclus._common.typing import Integers

# Silhouettes compare all pairs: of larger data they are those of a sample.
SILHOUETTE_SAMPLES = 5000

WORST_SILHOUETTE = -1.0
WORST_CALINSKI_HARABASZ = 0.0


def is_trivial(n_used: int, n_samples: int) -> bool:
    """Whether a partition says nothing: one cluster, or one for each sample."""
    return n_used < 2 or n_used >= n_samples


def silhouette(X: Any, labels: Integers) -> float:
    """Mean silhouette, from -1 to 1; -1 for a trivial partition.

    O(N² D) in time up to N = 5000 samples, and not more beyond: then it is that
    of 5000 of them, the same ones whatever the labels.
    """
    X = _check(X)
    if X.shape[0] > SILHOUETTE_SAMPLES:
        order = np.random.RandomState(0).permutation(X.shape[0])
        X, labels = X[order[:SILHOUETTE_SAMPLES]], labels[order[:SILHOUETTE_SAMPLES]]
    if is_trivial(len(np.unique(labels)), X.shape[0]):
        return WORST_SILHOUETTE
    return float(silhouette_score(X, labels))


def calinski_harabasz(X: Any, labels: Integers) -> float:
    """Ratio of the variances between and within clusters; 0 if trivial.

    Each is divided by its degrees of freedom. Clusters of identical samples have
    an infinite ratio. O(N D) time.
    """
    X = _check(X).astype(np.float64, copy=False)
    used, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    n_samples, n_used = X.shape[0], len(used)
    rounding = X.shape[0] * X.shape[1] * (4 * np.finfo(float).eps * abs(X).max()) ** 2
    if is_trivial(n_used, n_samples):
        return WORST_CALINSKI_HARABASZ
    members = sparse.csr_array(
        (np.ones(n_samples), (labels, np.arange(n_samples))), (n_used, n_samples)
    )
    if sparse.issparse(X):
        centre = np.asarray(X.mean(axis=0)).ravel()
        means = (members @ X).toarray() / sizes[:, None] - centre
        total = X.multiply(X).sum() - n_samples * (centre @ centre)
        between = float(sizes @ (means**2).sum(axis=1))
        within = max(total - between, 0.0)
    else:
        X = X - X.mean(axis=0)
        means = (members @ X) / sizes[:, None]
        between = float(sizes @ (means**2).sum(axis=1))
        X -= means[labels]
        within = float(np.vdot(X, X))
    if within <= rounding:
        return np.inf if between > rounding else WORST_CALINSKI_HARABASZ
    return between / within * (n_samples - n_used) / (n_used - 1)


def _check(X: Any) -> Any:
    return check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
