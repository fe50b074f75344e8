"""Sample weights, as users give them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._common.typing import Floats
from gemclus._core.array_passes import first_not_finite


def check_sample_weight(
    sample_weight: Any, n_samples: int, name: str = "sample_weight"
) -> Floats:
    """Return weights as an (n,) array of float64, or raise naming `name`.

    They are divided by a power of two: where a common factor changes nothing.
    """
    return unscale_weights(read_weights(sample_weight, n_samples, name))[0]


def read_weights(
    sample_weight: Any, n_samples: int, name: str = "sample_weight"
) -> Floats:
    """The same with the factor that they have.

    A number stands for the same weight everywhere.
    """
    try:
        weights = np.asarray(sample_weight)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from error
    if weights.dtype == object:
        try:
            weights = weights.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} must hold numbers: {error}") from error
    if weights.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {weights.dtype}")
    if weights.ndim == 0:
        weights = np.full(n_samples, weights)
    if weights.shape != (n_samples,):
        raise ValueError(
            f"{name} must have shape ({n_samples},), one weight for each sample, got "
            f"{weights.shape}"
        )
    weights = weights.astype(np.float64)
    if first_not_finite((weights,)) >= 0:
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    if weights.min() < 0.0:
        raise ValueError(f"{name} must not be negative, got {weights.min()}")
    if weights.max() == 0.0:
        raise ValueError(f"{name} must not be zero for all samples")
    return weights


def unscale_weights(weights: Floats) -> tuple[Floats, float]:
    """Divide weights by a power of two, so that no sum overflows.

    Returns
    -------
    weights : ndarray of float64
        With a maximum from 0.5 on and below 1.
    scale : float
        The power of two.
    """
    exponent = int(np.frexp(weights.max())[1])
    return np.ldexp(weights, -exponent), float(np.ldexp(1.0, exponent))


def weighted_quantiles(values: Any, levels: Any, weights: Any = None) -> Floats:
    """Quantiles of numbers with weights; the mean of two where both are one.

    Integer weights count as repetitions and a common factor changes nothing, which
    interpolated quantiles cannot have both. Cost O(n log n).

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite.
    levels : array-like of shape (m,)
        From 0 to 1.
    weights : ndarray of shape (n,), default=None
        Not negative, not all zero; None is 1 each.

    Returns
    -------
    quantiles : ndarray of shape (m,)
    """
    values = np.asarray(values, dtype=np.float64)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights)
    kept = np.flatnonzero(weights > 0.0)
    order = kept[np.argsort(values[kept], kind="stable")]
    reached = np.cumsum(weights[order] / weights.max())
    wanted = np.asarray(levels, dtype=np.float64) * reached[-1]
    # A level that is reached up to rounding is reached.
    slack = 1e-12 * reached[-1]
    last = len(order) - 1
    low = np.searchsorted(reached, wanted - slack, side="left")
    high = np.searchsorted(reached, wanted + slack, side="right")
    found = values[order]
    return 0.5 * found[np.minimum(low, last)] + 0.5 * found[np.minimum(high, last)]
