"""Affinities that follow the selection of the features."""

from __future__ import annotations

import numpy as np

from gemclus.affinity import Affinity


class DynamicAffinity(Affinity):
    """The affinity of the samples on the features selected at the time.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        The samples.
    compute : callable
        ``compute(X_selected)`` gives an affinity object, or None for objectives
        that need none.
    """

    def __init__(self, X, compute):
        self.X = X
        self._compute = compute
        self._support = np.ones(X.shape[1], dtype=bool)
        self._current = None

    def restricted_to(self, support):
        """The affinity on the features of the mask `support`.

        Computed when the mask has changed; it is kept as it was when no
        feature is left.
        """
        changed = support.any() and not np.array_equal(support, self._support)
        if changed or self._current is None:
            self._support = support if support.any() else self._support
            selected = self.X[:, self._support]
            if isinstance(selected, np.ndarray):
                # C order, as the samples of the fit are.
                selected = np.ascontiguousarray(selected)
            self._current = self._compute(selected)
        return self._current

    @property
    def shape(self):
        return self.X.shape[0], self.X.shape[0]

    def block(self, rows, columns):
        return self.restricted_to(self._support).block(rows, columns)

    def _restrict(self, indices):
        return self.restricted_to(self._support)._restrict(indices)
