"""Soft trees: every feature is cut into bins, every cell of the grid is a leaf.

A sample is in the bins of a feature to the degrees given by a softmax, and in a
leaf to the product of the degrees of its bins. The memberships of all leaves
would be an array of N times ``n_bins ** n_features``, so they are never made:
the features are split into a left and a right half, whose products are of the
square root of that size, and the scores of the leaves are contracted with one
half after the other. All arrays have the samples last.
"""

import numpy as np

from gemclus._core import layers


def bin_memberships(X, cuts, temperature):
    """Degrees to which samples are in the bins of each feature.

    Bin j of a feature has the logit ``sum_{i < j} (x - c_i) / temperature``
    for its increasing cut points c: the same softmax as ``(w x + b) /
    temperature`` with ``w = 1, 2, ...`` and ``b = -cumsum([0, c])``, without
    the cancellation between its terms.

    Parameters
    ----------
    X : ndarray of shape (n, F)
        The features used.
    cuts : ndarray of shape (F, C)
        Cut points of each feature, increasing.
    temperature : float
        Width of the transition between bins.

    Returns
    -------
    bins : ndarray of shape (F, C + 1, n)
        Memberships, summing to 1 over the bins. O(n F C).
    """
    n_features, n_cuts = cuts.shape
    logits = np.zeros((n_features, n_cuts + 1, X.shape[0]), dtype=X.dtype)
    np.subtract(X.T[:, None, :], cuts[:, :, None], out=logits[:, 1:])
    logits /= temperature
    if n_cuts > 1:
        np.cumsum(logits, axis=1, out=logits)
    logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= np.add.reduce(logits, axis=1, keepdims=True)
    return logits


def bin_memberships_backward(bins, gradient, temperature):
    """Gradient of the cut points, from that of `bin_memberships`.

    Returns
    -------
    cuts : ndarray of shape (F, C)
    """
    inner = np.einsum("fjn,fjn->fn", bins, gradient)
    logits = np.einsum("fjn,fjn->fj", bins, gradient - inner[:, None, :])
    # A cut point lowers the logits of all bins above it.
    above = np.cumsum(logits[:, :0:-1], axis=1)[:, ::-1]
    return -above / temperature


class Product:
    """Products of the bins of some features: one row for each combination.

    Parameters
    ----------
    bins : ndarray of shape (F, C + 1, n)
        Memberships of the features; F may be 0.

    Attributes
    ----------
    values : ndarray of shape ((C + 1) ** F, n)
        The products; the last feature varies fastest.
    """

    def __init__(self, bins):
        self.bins = bins
        n_features, _, n = bins.shape
        values = bins[0] if n_features else np.ones((1, n), dtype=bins.dtype)
        self._prefixes = [values]
        for position in range(1, n_features):
            values = values[:, None] * bins[position]
            values = values.reshape(-1, n)
            self._prefixes.append(values)
        self.values = values

    def backward(self, gradient):
        """Gradient of the bins from that of `values`.

        It multiplies by the other features and never divides by the own one:
        memberships that underflow are no special case.
        """
        bins = np.empty_like(self.bins)
        for position in range(len(self.bins) - 1, 0, -1):
            prefix, feature = self._prefixes[position - 1], self.bins[position]
            gradient = gradient.reshape(len(prefix), *feature.shape)
            np.einsum("ajn,an->jn", gradient, prefix, out=bins[position])
            gradient = np.einsum("ajn,jn->an", gradient, feature)
        bins[:1] = gradient
        return bins


def logits_of_row(x, cuts, scores, temperature):
    """Logits of one sample, in half the time of a small `SoftTree` or less.

    The scores are contracted with the bins of one feature after the other: for one
    sample that makes nothing larger than they are.

    Parameters
    ----------
    x : ndarray of shape (F,)
        The features used.
    cuts, scores, temperature
        As for `SoftTree`.

    Returns
    -------
    logits : ndarray of shape (1, K)
        O(L K) for L leaves.
    """
    steps = np.zeros((len(x), cuts.shape[1] + 1), dtype=cuts.dtype)
    np.subtract(x[:, None], cuts, out=steps[:, 1:])
    steps /= temperature
    if cuts.shape[1] > 1:
        np.cumsum(steps, axis=1, out=steps)
    for degrees in layers.softmax(steps):
        scores = degrees @ scores.reshape(len(degrees), -1)
    return scores[None]


class SoftTree:
    """The logits of some samples, with what their gradients need.

    With L leaves and K clusters a forward pass costs O(n L K) time in one
    matrix product and O(n K sqrt(L)) memory; a backward pass, twice that time.

    Parameters
    ----------
    X : ndarray of shape (n, F)
        The features used.
    cuts : ndarray of shape (F, C)
        Cut points of each feature, increasing.
    scores : ndarray of shape ((C + 1) ** F, K)
        Logits of the leaves; the last feature varies fastest.
    temperature : float
        Width of the transition between bins.

    Attributes
    ----------
    logits : ndarray of shape (n, K)
        Mean of the scores, weighted by the memberships of the leaves.
    """

    def __init__(self, X, cuts, scores, temperature):
        self._temperature = temperature
        self._bins = bin_memberships(X, cuts, temperature)
        self._n_left = _n_left(len(cuts))
        self._left = Product(self._bins[: self._n_left])
        self._right = Product(self._bins[self._n_left :])
        self._scores = scores.reshape(len(self._left.values), -1)
        contracted = self._scores.T @ self._left.values
        self._contracted = contracted.reshape(-1, scores.shape[1], len(X))
        logits = np.einsum("bkn,bn->kn", self._contracted, self._right.values)
        self.logits = np.ascontiguousarray(logits.T)

    @staticmethod
    def entries_per_sample(cuts, n_clusters):
        """Numbers that a pass keeps for each sample, about."""
        n_features, n_bins = cuts.shape[0], cuts.shape[1] + 1
        left = _n_left(n_features)
        return 2 * (n_bins**left + n_clusters * n_bins ** (n_features - left))

    def backward(self, T):
        """Gradients of the cut points and of the scores.

        Parameters
        ----------
        T : ndarray of shape (n, K)
            Gradient with respect to the logits.

        Returns
        -------
        cuts : ndarray of shape (F, C)
        scores : ndarray of shape ((C + 1) ** F, K)
        """
        T = np.ascontiguousarray(T.T)
        left, right = self._left.values, self._right.values
        spread = (right[:, None, :] * T).reshape(-1, T.shape[1])
        scores = left @ spread.T
        bins = np.empty_like(self._bins)
        bins[: self._n_left] = self._left.backward(self._scores @ spread)
        bins[self._n_left :] = self._right.backward(
            np.einsum("bkn,kn->bn", self._contracted, T)
        )
        cuts = bin_memberships_backward(self._bins, bins, self._temperature)
        return cuts, scores.reshape(-1, len(T))


def _n_left(n_features):
    """Number of features of the left half: the right one is multiplied by K."""
    return (n_features + 1) // 2
