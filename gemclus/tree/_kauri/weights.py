"""Weights of the samples of a tree."""

import numpy as np


def check_weights(sample_weight, n_samples):
    """Return the weights as a float64 array of shape (n_samples,), or None as it is.

    Raises ValueError or TypeError that names `sample_weight`.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight)
    if weights.dtype.kind not in "fiub":
        raise TypeError(f"sample_weight must hold real numbers, got {weights.dtype}")
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one weight for each "
            f"sample, got {weights.shape}"
        )
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all():
        raise ValueError("sample_weight must be finite, it contains NaN or infinity")
    if weights.min() < 0.0:
        raise ValueError(f"sample_weight must not be negative, got {weights.min()}")
    if weights.max() == 0.0:
        raise ValueError("sample_weight must not be zero for all samples")
    return weights


def unscale_weights(weights):
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
