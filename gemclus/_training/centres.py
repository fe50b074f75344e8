"""Where the clusters lie: the means of the samples, weighted by their probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._common.typing import Floats

# Entries of a block that is made float64 and, if need be, dense.
_AT_ONCE = 1 << 18


class ClusterMeans:
    """Sums over blocks of samples, of which the means are made.

    Parameters
    ----------
    n_clusters, n_features : int
    """

    def __init__(self, n_clusters: int, n_features: int) -> None:
        self.sums = np.zeros((n_clusters, n_features))
        self.masses = np.zeros(n_clusters)

    def add(self, X: Any, P: Any) -> None:
        """Take samples (n, D), dense or CSR, and their probabilities (n, K).

        Cost O(n D K).
        """
        step = max(1, _AT_ONCE // max(1, X.shape[1]))
        for first in range(0, X.shape[0], step):
            weights = P[first : first + step].astype(np.float64, copy=False)
            block = X[first : first + step].astype(np.float64, copy=False)
            self.sums += (block.T @ weights).T
            self.masses += weights.sum(axis=0)

    def value(self) -> Floats:
        """``E[x | y = k]``, (K, D); the mean of all where a cluster has no mass."""
        empty = self.masses == 0.0
        means = self.sums / np.where(empty, 1.0, self.masses)[:, None]
        if empty.any():
            means[empty] = self.sums.sum(axis=0) / self.masses.sum()
        return means
