"""Centres of the clusters: means of the samples, weighted by their probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from gemclus._common.typing import Floats, Labels

# Entries of a block that is made float64 and, if need be, dense.
_AT_ONCE = 1 << 18


class ClusterMeans:
    """Sums over blocks of samples, of which the means are made.

    Parameters
    ----------
    n_clusters, n_features : int

    Attributes
    ----------
    sums, masses : ndarray of shape (n_clusters, n_features)
        Of the values that are not missing, and of their weights.
    """

    def __init__(self, n_clusters: int, n_features: int) -> None:
        self.sums = np.zeros((n_clusters, n_features))
        self.masses = np.zeros((n_clusters, n_features))

    def add(self, X: Any, P: Any, sample_weight: Any = None) -> None:
        """Take samples (n, D), dense or CSR, and their probabilities (n, K).

        Probabilities may be CSR where the samples are dense; NaN is a missing value.
        Cost O(n D K), or O(n D) with a single cluster for each sample in CSR.
        """
        step = max(1, _AT_ONCE // max(1, X.shape[1]))
        for first in range(0, X.shape[0], step):
            part = slice(first, first + step)
            shares = P[part].astype(np.float64, copy=False)
            if sample_weight is not None:
                shares = shares * sample_weight[part, None]
            block = X[part].astype(np.float64, copy=False)
            missing = np.isnan(block) if isinstance(block, np.ndarray) else None
            if missing is not None and missing.any():
                block = np.where(missing, 0.0, block)
                self.masses += ((~missing).astype(np.float64).T @ shares).T
            else:
                # As a product: sums down the columns of few take ten times longer.
                self.masses += (np.ones(shares.shape[0]) @ shares)[:, None]
            self.sums += (block.T @ shares).T

    def value(self) -> Floats:
        """``E[x | y = k]``, (K, D); the mean of all where a cluster has no mass."""
        total = self.masses.sum(axis=0)
        means = np.zeros_like(self.sums)
        means[:] = np.divide(
            self.sums.sum(axis=0), total, out=means[0].copy(), where=total > 0.0
        )
        return np.divide(self.sums, self.masses, out=means, where=self.masses > 0.0)


def means_of_labels(
    X: Any, labels: Labels, n_clusters: int, sample_weight: Any = None
) -> Floats:
    """Means (K, D) of the samples of each cluster, as `ClusterMeans` has them.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        NaN where a value is missing.
    labels : ndarray of int of shape (N,)
    n_clusters : int
    sample_weight : ndarray of shape (N,), default=None
    """
    if sample_weight is None:
        shares = np.ones(len(labels))
    else:
        shares = sample_weight / np.max(sample_weight)
    starts = np.arange(len(labels) + 1)
    means = ClusterMeans(n_clusters, X.shape[1])
    means.add(X, csr_array((shares, labels, starts), shape=(len(labels), n_clusters)))
    return means.value()
