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
