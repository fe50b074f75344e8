"""Checks of parameters and arrays: each refusal names the argument, says what
was expected and what came."""

import math
import numbers

import numpy as np

from gemclus._core.array_passes import FLOATS, first_not_finite


def check_int(name, value, minimum=None):
    """Return `value` as an int, or raise TypeError/ValueError naming `name`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be an int, got {value!r} ({type(value).__name__})"
        )
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def check_float(name, value, minimum=None, maximum=None, strict=False):
    """Return `value` as a finite float within the bounds.

    `strict` excludes the minimum itself. Raises TypeError or ValueError.
    """
    # The abstract classes of numbers are slow to ask.
    real = type(value) is float or isinstance(value, numbers.Real)
    if not real or isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be a number, got {value!r} ({type(value).__name__})"
        )
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    if minimum is not None and (value < minimum or (strict and value == minimum)):
        relation = "greater than" if strict else "at least"
        raise ValueError(f"{name} must be {relation} {minimum:g}, got {value!r}")
    if maximum is not None and value > maximum:
        raise ValueError(f"{name} must be at most {maximum:g}, got {value!r}")
    return value


def check_bool(name, value):
    """Return `value` as a bool, or raise TypeError naming `name`."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be True or False, got {value!r} ({type(value).__name__})"
        )
    return bool(value)


def check_choice(name, value, choices):
    """Return `value` if it is one of the strings `choices`."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be one of {sorted(choices)}, got {value!r} "
            f"({type(value).__name__})"
        )
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")
    return value


def check_predictions(y_pred, name="y_pred"):
    """Return `y_pred` as a C-contiguous (N, K) float array, copying only if needed.

    float32 and float64 are kept, integers become float64. NaN and infinities
    are found by the compiled passes, which read the array anyway.
    """
    if (
        type(y_pred) is np.ndarray
        and y_pred.ndim == 2
        and y_pred.dtype in FLOATS
        and y_pred.flags.c_contiguous
        and y_pred.shape[0]
        and y_pred.shape[1]
    ):
        return y_pred
    y_pred = np.asarray(y_pred)
    if y_pred.ndim != 2 or 0 in y_pred.shape:
        raise ValueError(
            f"{name} must be a non-empty array of shape (n_samples, n_clusters), "
            f"got shape {y_pred.shape}"
        )
    if y_pred.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {y_pred.dtype}")
    dtype = y_pred.dtype if y_pred.dtype in FLOATS else np.float64
    return np.ascontiguousarray(y_pred, dtype=dtype)


def check_square_matrix(matrix, n_samples, name):
    """Return `matrix` as a finite, symmetric-shaped (n, n) float array.

    `n_samples` may be None when no data say how many rows are expected.
    """
    if not isinstance(matrix, np.ndarray):
        try:
            matrix = np.asarray(matrix)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{name} must be an array of shape (n_samples, n_samples): {error}"
            ) from error
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {matrix.dtype}")
    expected = "(n_samples, n_samples)" if n_samples is None else (n_samples, n_samples)
    if (
        matrix.ndim != 2
        or matrix.shape[0] != matrix.shape[1]
        or (n_samples is not None and matrix.shape[0] != n_samples)
    ):
        raise ValueError(f"{name} must have shape {expected}, got {matrix.shape}")
    if matrix.dtype not in FLOATS:
        matrix = matrix.astype(np.float64)
    if first_not_finite((matrix,)) >= 0:
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    return matrix


def check_symmetric_matrix(matrix, name):
    """Raise ValueError unless `matrix` equals its transpose to rounding."""
    # Blocks of rows keep the temporaries small beside the matrix itself.
    n = matrix.shape[0]
    scale = max(abs(float(matrix.max())), abs(float(matrix.min())))
    tolerance = 100 * np.finfo(matrix.dtype).eps * scale
    step = max(1, 2**20 // max(n, 1))
    for start in range(0, n, step):
        rows = slice(start, start + step)
        gap = np.abs(matrix[rows] - matrix[:, rows].T)
        if gap.max() > tolerance:
            i, j = np.unravel_index(gap.argmax(), gap.shape)
            raise ValueError(
                f"{name} must be symmetric, but entries ({start + i}, {j}) and "
                f"({j}, {start + i}) differ by {gap[i, j]:g}"
            )
