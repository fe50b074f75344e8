"""The features of the samples as a growth walks over them: sorted, or in bins."""

import numpy as np

from gemclus.tree._kauri.growth import assign_bins, find_bins

#: Most bins of a feature: with that of missing values, codes have two bytes.
MOST_BINS = 65_535
_NARROW_BINS = 255


class Columns:
    """The columns of some samples.

    A feature with missing values is looked at twice: they lie above all values in
    the feature itself, below all in its twin.

    Parameters
    ----------
    X : ndarray of float64 of shape (N, D)
        Samples, C-contiguous; NaN where a value is missing.
    max_bins : int or None
        Most bins of a feature, not counting that of missing values; None for a
        cut at each gap.
    is_sorted : bool
        Whether the growth walks over sorted samples; else over bins.
    weights : ndarray of float64 of shape (N,), default=None
        Of the samples: bins hold like weights.
    each : callable, default=map
        Calls a function for each item of an iterable: `map`, or that of an
        executor.

    Attributes
    ----------
    n_samples, n_features : int
        Shape of `X`.
    twins : ndarray of int32
        Features with missing values.
    order, sorted : ndarrays of shape (D + n_twins, N) or None
        Samples by rising value, and the values (with bins, their numbers).
    bins : tuple or None
        The codes (N, D), the number of each feature's first bin (D + 1,), and the
        least and largest value of each bin.
    """

    def __init__(self, X, max_bins, is_sorted, weights=None, each=map):
        self.n_samples, self.n_features = X.shape
        # A sum is the quickest way to find NaN; it may overflow without one.
        with np.errstate(over="ignore", invalid="ignore"):
            suspects = np.flatnonzero(~np.isfinite(X.sum(axis=0)))
        missing = [f for f in suspects if np.isnan(X[:, f]).any()]
        self.twins = np.array(missing, dtype=np.int32)
        self.order = self.sorted = self.bins = None
        if max_bins is not None:
            self._make_bins(X, max_bins, weights, each)
        if is_sorted:
            self._sort(X)

    def _sort(self, X):
        """Cost O(N D log N)."""
        values = X if self.bins is None else self.bins[0].astype(np.float64)
        columns = np.empty((self.n_features + len(self.twins), self.n_samples))
        columns[: self.n_features] = values.T
        for row, f in enumerate(self.twins, self.n_features):
            missing = np.isnan(X[:, f])
            columns[row] = values[:, f]
            columns[row, missing] = -np.inf if self.bins is None else -1.0
            if self.bins is None:
                columns[f, missing] = np.inf
        order = np.argsort(columns, axis=1, kind="stable")
        self.order = order.astype(np.int32)
        self.sorted = np.take_along_axis(columns, order, axis=1)

    def _make_bins(self, X, max_bins, weights, each):
        """Cost O(N D log N)."""
        wide = max_bins > _NARROW_BINS
        codes = np.empty(X.shape, dtype=np.uint16 if wide else np.uint8)

        def make(f):
            low, high = _bin_edges(X[:, f], max_bins, weights)
            assign_bins(X, f, high, codes)
            return low, high

        edges = list(each(make, range(self.n_features)))
        unknown = np.array([np.inf])
        for f in self.twins:
            edges[f] = tuple(np.concatenate([edge, unknown]) for edge in edges[f])
        counts = [len(low) for low, _ in edges]
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        low, high = (np.concatenate(side) for side in zip(*edges, strict=True))
        self.bins = codes, first, low, high


def _bin_edges(values, max_bins, weights=None):
    """Least and largest value of each bin of a feature, NaN aside.

    A bin for each distinct value if there are no more than `max_bins`. Else the
    bins hold like weights, but equal values are never parted: a value as common
    as a bin gets one of its own, and the others share the rest.

    Returns
    -------
    low, high : ndarrays of float64 of shape (n_bins,)
    """
    values = np.ascontiguousarray(values)
    if weights is None:
        values = np.sort(values)
    else:
        order = np.argsort(values, kind="stable")
        values, weights = values[order], weights[order]
    n_values = int(np.searchsorted(values, np.nan))  # NaN is sorted to the end
    return find_bins(
        values[:n_values], None if weights is None else weights[:n_values], max_bins
    )
