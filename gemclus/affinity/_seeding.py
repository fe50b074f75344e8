"""k-means++ in the geometry of an affinity."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils.random import sample_without_replacement

from gemclus._common.threads import thread_pools
from gemclus._common.typing import Floats, Integers
from gemclus.affinity._objects import (
    Affinity,
    DenseKernel,
    Distances,
    FactoredKernel,
    LazyAffinity,
    SparseKernel,
)

# Samples among which k-means++ chooses each next centre. With fewer, more starts
# end in poor optima; many more make the starts alike.
SEEDING_TRIALS = 20
# Of larger data, so many samples drawn at random are enough to choose centres from.
SEEDING_SAMPLES = 20_000
# Entries of an affinity that are looked at together.
_AT_ONCE = 2**20


def seed_labels(
    affinity: Affinity | None,
    X: Any,
    n_clusters: int,
    random_state: np.random.RandomState,
    sample_weight: Floats | None = None,
    *,
    n_trials: int = SEEDING_TRIALS,
    max_samples: int = SEEDING_SAMPLES,
) -> Integers:
    """The cells of a k-means++ seeding in the geometry of an objective.

    Each sample gets the label of the nearest of the centres that k-means++
    chooses among the samples [1]_, where distances are those of the kernel,
    ``k(x, x) + k(y, y) - 2 k(x, y)`` squared, or the given ones.

    Parameters
    ----------
    affinity : Affinity or None
        What the training of the objective uses: a kernel or distances. Anything
        else stands for Euclidean distances of `X`.
    X : ndarray or CSR matrix of shape (N, D)
        The samples.
    n_clusters : int
        Number of centres K.
    random_state : RandomState
        Source of the draws.
    sample_weight : ndarray of shape (N,), default=None
        Weights, not negative and not all zero, with which samples are drawn and
        distances summed. Centres have a positive weight.
    n_trials : int, default=20
        Number of samples among which each next centre is chosen.
    max_samples : int, default=20 000
        Centres are chosen among so many samples, drawn at random from larger data.

    Returns
    -------
    labels : ndarray of int of shape (N,)
        From 0 to K - 1; equal centres leave some of them out.

    See Also
    --------
    kernel_affinity, distance_affinity : Make the affinity.
    sklearn.cluster.kmeans_plusplus : The same for Euclidean distances.

    Notes
    -----
    It costs O(N K) beside K `n_trials` columns of the affinity (of the chosen
    samples) and K whole ones. No N x N array is made.

    References
    ----------
    .. [1] Arthur and Vassilvitskii, "k-means++: the advantages of careful
       seeding", SODA 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import distance_affinity, seed_labels
    >>> X = np.array([[0.0], [0.1], [5.0], [5.2]])
    >>> affinity = distance_affinity(X, "euclidean")
    >>> labels = seed_labels(affinity, X, 2, np.random.RandomState(0))
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """
    candidates = _candidates(X.shape[0], sample_weight, max_samples, random_state)
    chosen = slice(None) if candidates is None else candidates
    weights = None if sample_weight is None else sample_weight[chosen]
    columns = _squared_distances(affinity)
    if columns is None:
        features = affinity.factor if isinstance(affinity, FactoredKernel) else X
        # OpenMP threads would hang every process forked afterwards.
        with thread_pools().limit(limits=1, user_api="openmp"):
            centres, _ = kmeans_plusplus(
                features[chosen],
                n_clusters,
                sample_weight=weights,
                random_state=random_state,
                n_local_trials=n_trials,
            )
            return pairwise_distances_argmin(features, centres)
    everything = np.arange(X.shape[0])
    rows = everything[chosen]
    centres = _choose_centres(
        columns, rows, weights, n_clusters, n_trials, random_state
    )
    labels = np.empty(len(everything), dtype=np.intp)
    step = max(1, _AT_ONCE // n_clusters)
    for start in range(0, len(everything), step):
        block = everything[start : start + step]
        labels[block] = columns(block, centres).argmin(axis=1)
    return labels


def _candidates(n_samples, sample_weight, max_samples, random_state):
    """Positions of the samples that may be centres; None for all of them."""
    positive = None
    if sample_weight is not None and not (sample_weight > 0).all():
        positive = np.flatnonzero(sample_weight > 0)
        n_samples = len(positive)
    if n_samples <= max_samples:
        return positive
    drawn = sample_without_replacement(
        n_samples, max_samples, random_state=random_state
    )
    return drawn if positive is None else positive[drawn]


def _squared_distances(affinity):
    """``f(rows, columns)`` giving squared distances, or None for those of features.

    The results may be overwritten.
    """
    if isinstance(affinity, Distances):
        return lambda rows, columns: affinity.block(rows, columns) ** 2
    if isinstance(affinity, LazyAffinity) and affinity.distances:
        return lambda rows, columns: affinity.block(rows, columns) ** 2
    if isinstance(affinity, (DenseKernel, LazyAffinity, SparseKernel)):
        norms = _diagonal(affinity)

        def squared_distances(rows, columns):
            squares = affinity.block(rows, columns).astype(np.float64)
            squares *= -2.0
            squares += norms[rows][:, None]
            squares += norms[columns]
            # Indefinite kernels have negative ones.
            return np.maximum(squares, 0.0, out=squares)

        return squared_distances
    return None


def _diagonal(affinity):
    """``k(x, x)`` of each sample."""
    if isinstance(affinity, DenseKernel):
        return affinity.array.diagonal().astype(np.float64)
    if isinstance(affinity, SparseKernel):
        return affinity.array.diagonal().astype(np.float64)
    diagonal = np.empty(len(affinity))
    for start in range(0, len(affinity), 64):
        rows = np.arange(start, min(start + 64, len(affinity)))
        diagonal[rows] = affinity.block(rows, rows).diagonal()
    return diagonal


def _choose_centres(columns, rows, weights, n_clusters, n_trials, random_state):
    """Positions of the centres, among `rows`: greedy k-means++."""
    mass = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    first = _draw(mass, 1, random_state)
    centres = [rows[first[0]]]
    nearest = columns(rows, rows[first])[:, 0]
    while len(centres) < n_clusters:
        share = mass * nearest
        # Where all samples are centres already, any will do.
        trials = _draw(share if share.sum() > 0 else mass, n_trials, random_state)
        best, least = None, np.inf
        step = max(1, _AT_ONCE // len(rows))
        for start in range(0, n_trials, step):
            some = trials[start : start + step]
            closer = np.minimum(nearest[:, None], columns(rows, rows[some]))
            potentials = mass @ closer
            position = int(potentials.argmin())
            if potentials[position] < least:
                least = potentials[position]
                best, closest = some[position], closer[:, position].copy()
        centres.append(rows[best])
        nearest = closest
    return np.array(centres)


def _draw(mass, size, random_state):
    """Positions drawn with probabilities proportional to `mass`."""
    sums = np.cumsum(mass)
    drawn = np.searchsorted(sums, random_state.uniform(size=size) * sums[-1], "right")
    # Rounding may lead beyond the last sample that has a mass.
    return np.minimum(drawn, np.flatnonzero(mass)[-1])
