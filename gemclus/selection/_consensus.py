"""Agreement of partitions with what all of them say together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gemclus._common.typing import ArrayLike, Floats, Integers
from gemclus.selection._partitions import is_trivial

# The total variation is at most 1.
WORST_CONSENSUS = -1.0

# Tables with more cells for each sample are counted by sorting.
_CELLS_PER_SAMPLE = 16


def consensus_scores(partitions: ArrayLike) -> Floats:
    """Closeness of each partition to the consensus of all.

    The connectivity ``A_t`` of a partition holds 1 for each pair of samples in
    the same cluster, else 0; their mean over partitions is the consensus ``C``.
    The score is minus the total variation ``mean_ij |A_t[i, j] - C[i, j]|``: from
    -1 to 0, larger is better. It needs neither data nor equal numbers of
    clusters.

    Parameters
    ----------
    partitions : array-like of shape (T, N)
        The cluster of each sample, in T partitions: integers or other labels.

    Returns
    -------
    scores : ndarray of shape (T,)
        Minus the total variations. Partitions with one cluster, or with as many
        as samples, score -1, the worst; they count in the consensus all the same.

    Raises
    ------
    ValueError
        If the partitions are no table, have no samples or hold NaN.

    See Also
    --------
    KSelector : Has the criterion ``"consensus"``.

    Notes
    -----
    No N x N matrix is made. With ``S_ts`` the sum of the squared entries of the
    contingency table of two partitions over N², and ``n_t = S_tt``, the total
    variation is ``n_t + mean_s n_s - 2 mean_s S_ts``. O(T² N) time, times log N
    for pairs whose table has more than 16 N cells, and O(T N) memory.

    References
    ----------
    L. Ohl and F. Lindsten, "Discriminative ordering through ensemble consensus",
    UAI 2025 (the score with the total variation).

    Examples
    --------
    >>> from gemclus.selection import consensus_scores
    >>> consensus_scores([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 2, 2]])
    array([-0.04166667, -0.04166667, -0.08333333])
    """
    labels = _as_table(partitions)
    n_partitions, n_samples = labels.shape
    codes = np.empty((n_partitions, n_samples), dtype=np.int64)
    n_used = np.empty(n_partitions, dtype=np.int64)
    for t, row in enumerate(labels):
        used, codes[t] = np.unique(row, return_inverse=True)
        n_used[t] = len(used)
    together = np.empty((n_partitions, n_partitions))
    for t in range(n_partitions):
        for s in range(t + 1):
            cells = codes[t] * n_used[s] + codes[s]
            n_pairs = _pairs_together(cells, n_used[t] * n_used[s])
            together[t, s] = together[s, t] = n_pairs / n_samples**2
    own = np.diag(together)
    variation = own + own.mean() - 2.0 * together.mean(axis=1)
    scores = -np.clip(variation, 0.0, 1.0)
    trivial = [is_trivial(int(n), n_samples) for n in n_used]
    scores[trivial] = WORST_CONSENSUS
    return scores


def _pairs_together(cells: Integers, n_cells: int) -> int:
    """Number of pairs of samples that lie in one cell of a contingency table."""
    if n_cells <= _CELLS_PER_SAMPLE * len(cells):
        counts = np.bincount(cells)
    else:
        counts = np.unique(cells, return_counts=True)[1]
    return int(counts @ counts)  # exact: the order of the cells changes nothing


def _as_table(partitions: ArrayLike) -> NDArray[Any]:
    try:
        labels = np.asarray(partitions)
    except ValueError as error:
        raise ValueError("partitions must all have the same length") from error
    if labels.ndim != 2 or 0 in labels.shape:
        raise ValueError(
            "partitions must have shape (n_partitions, n_samples), got shape "
            f"{labels.shape}"
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("partitions must not contain NaN or infinity")
    return labels
