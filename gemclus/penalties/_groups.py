"""Groups of features that are selected together."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._common.typing import Groups, Integers


def check_groups(groups: Groups, n_features: int) -> list[Integers]:
    """Complete some groups of features to a partition of all of them.

    Parameters
    ----------
    groups : sequence of sequences of int, or None
        Lists, tuples or arrays of feature indices. None stands for no groups.
    n_features : int
        Number of features D.

    Returns
    -------
    groups : list of ndarray of int
        The groups given, in their order, then the features not named, each
        alone.

    Raises
    ------
    ValueError
        If a group is empty, an index is not in [0, D), or a feature is named
        twice.
    TypeError
        If `groups` is not a sequence of sequences of integers.

    See Also
    --------
    GroupPenalty : A penalty on such groups.

    Examples
    --------
    >>> from gemclus.penalties import check_groups
    >>> [group.tolist() for group in check_groups([[0, 2]], n_features=4)]
    [[0, 2], [1], [3]]
    """
    if groups is None:
        groups = []
    if isinstance(groups, str) or not hasattr(groups, "__iter__"):
        raise TypeError(
            "groups must be a sequence of groups of feature indices, got "
            f"{groups!r} ({type(groups).__name__})"
        )
    checked = [_check_group(group, i, n_features) for i, group in enumerate(groups)]
    counts = np.bincount(
        np.concatenate([*checked, []]).astype(np.intp), minlength=n_features
    )
    if counts.max(initial=0) > 1:
        raise ValueError(
            f"groups must not overlap, but feature {counts.argmax()} is named "
            f"{counts.max()} times"
        )
    return checked + [np.array([feature]) for feature in np.flatnonzero(counts == 0)]


def _check_group(group: Any, position: int, n_features: int) -> Integers:
    """One group as an array of indices in range."""
    name = f"groups[{position}]"
    try:
        indices = np.asarray(group)
    except ValueError as error:
        raise TypeError(
            f"{name} must be a sequence of feature indices: {error}"
        ) from error
    if indices.ndim == 1 and indices.size == 0:
        raise ValueError(f"{name} must name at least one feature, it is empty")
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise TypeError(f"{name} must be a sequence of feature indices, got {group!r}")
    outside = indices[(indices < 0) | (indices >= n_features)]
    if outside.size:
        raise ValueError(
            f"{name} must hold indices of the {n_features} features, from 0 to "
            f"{n_features - 1}, got {outside[0]}"
        )
    return indices.astype(np.intp)
