"""Checks of parameters and arrays: each refusal names the argument, says what
was expected and what came."""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gemclus._common.collections import is_dask
from gemclus._common.typing import Floats, Integers
from gemclus._core.array_passes import FLOATS, first_not_finite

#: Largest number of things that can be asked for, such as restarts.
MOST = int(np.iinfo(np.int32).max)


def check_int(
    name: str, value: Any, minimum: int | None = None, maximum: int = sys.maxsize
) -> int:
    """Return `value` as an int, or raise TypeError/ValueError naming `name`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be an int, got {value!r} ({type(value).__name__})"
        )
    number = int(value)
    if minimum is not None and number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {_written(number)}")
    if number > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {_written(number)}")
    return number


def check_float(
    name: str,
    value: Any,
    minimum: float | None = None,
    maximum: float | None = None,
    strict: bool = False,
) -> float:
    """Return `value` as a finite float within the bounds.

    `strict` excludes the minimum itself. Raises TypeError or ValueError.
    """
    # The abstract classes of numbers are slow to ask.
    real = type(value) is float or isinstance(value, numbers.Real)
    if not real or isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be a number, got {value!r} ({type(value).__name__})"
        )
    try:
        value = float(value)
    except OverflowError:
        raise ValueError(
            f"{name} must be finite as a float, got {_written(value)}"
        ) from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    if minimum is not None and (value < minimum or (strict and value == minimum)):
        relation = "greater than" if strict else "at least"
        raise ValueError(f"{name} must be {relation} {minimum:g}, got {value!r}")
    if maximum is not None and value > maximum:
        raise ValueError(f"{name} must be at most {maximum:g}, got {value!r}")
    return value


def _written(value):
    """A number in few characters: Python refuses to write ints of 4300 digits."""
    if isinstance(value, int) and value.bit_length() > 100:
        sign = "a negative" if value < 0 else "an"
        return f"{sign} int of {value.bit_length()} bits"
    return repr(value)


def check_seed(value: Any, name: str = "random_state") -> np.random.RandomState:
    """`sklearn.utils.check_random_state`, whose errors do not name the argument."""
    try:
        return check_random_state(value)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be an int from 0 to 2**32 - 1, a RandomState or None, got "
            f"{_written(value)}"
        ) from error


def check_jobs(name: str, value: Any) -> int | None:
    """Return a number of jobs as scikit-learn counts them, an int or None."""
    if value is None:
        return None
    jobs = check_int(name, value)
    if jobs == 0:
        raise ValueError(
            f"{name} must not be 0: None or 1 is one of them, -1 as many as there are "
            "processors"
        )
    return jobs


def check_verbose(name: str, value: Any) -> bool:
    """Return `value` as a bool: True, False or an int of at least 0."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name} must be True, False or an int, got {value!r} "
            f"({type(value).__name__})"
        )
    return check_int(name, value, 0) > 0


def check_bool(name: str, value: Any) -> bool:
    """Return `value` as a bool, or raise TypeError naming `name`."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be True or False, got {value!r} ({type(value).__name__})"
        )
    return bool(value)


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Return `value` if it is one of the strings `choices`."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be one of {sorted(choices)}, got {value!r} "
            f"({type(value).__name__})"
        )
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")
    return value


def check_predictions(y_pred: Any, name: str = "y_pred") -> Floats:
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


def check_samples(estimator: Any, X: Any, **options: Any) -> Any:
    """`sklearn.utils.validation.validate_data`, which says more of columns of text.

    New samples that are what it would return are recognised at a hundredth of its
    time, which is most of that of labelling one row.
    """
    if is_dask(X):
        raise TypeError(
            f"{type(estimator).__name__} takes dask collections in fit, predict, "
            "predict_proba and score of models whose rows are independent, and nowhere "
            "else: call X.compute()"
        )
    if options.get("reset") is False and _is_as_fitted(estimator, X, options["dtype"]):
        return X
    try:
        return validate_data(estimator, X, **options)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(
            f"X must hold numbers, but {_text_columns(X)}: encode categories, for "
            "instance with sklearn.preprocessing.OneHotEncoder"
        ) from error


def _is_as_fitted(estimator, X, dtype):
    """Whether `X` is a plain array like those that the estimator was fitted to."""
    fitted = vars(estimator)
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.shape[1] == fitted.get("n_features_in_")
        and X.shape[0] > 0
        and (X.dtype in dtype if type(dtype) is list else X.dtype == dtype)
        and X.flags.c_contiguous
        # An array where a frame was is worth a warning.
        and "feature_names_in_" not in fitted
        and first_not_finite((X,)) < 0
    )


def check_fitted(estimator: Any, attribute: str) -> None:
    """`check_is_fitted`, at once for an estimator with an attribute of its fit."""
    if attribute not in vars(estimator):
        check_is_fitted(estimator)


def _text_columns(X):
    """Columns of some data that cannot be read as numbers, in words."""
    by_name = hasattr(X, "columns") and hasattr(X, "__getitem__")
    if by_name:
        columns = {name: np.asarray(X[name]) for name in X.columns}
    else:
        array = np.asarray(X, dtype=object)
        array = array.reshape(len(array), -1)
        columns = {j: array[:, j] for j in range(array.shape[1])}
    text = {name: value for name, values in columns.items() for value in _text(values)}
    if not text:
        return "some entries are text"
    names = [name if by_name else f"{name}" for name in list(text)[:5]]
    more = f" and {len(text) - 5} more" if len(text) > 5 else ""
    example = text[next(iter(text))]
    which = "column" if len(text) == 1 else "columns"
    shown = ", ".join(map(str, names))
    verb = "holds" if len(text) == 1 else "hold"
    return f"{which} {shown}{more} {verb} text, as {example!r}"


def _text(values):
    """The first entry that is no number, if there is one."""
    for value in values:
        try:
            float(value)
        except (TypeError, ValueError):
            return [value]
    return []


def check_labels(
    name: str, labels: Any, n_samples: int | None = None
) -> tuple[NDArray[Any], Integers]:
    """Return labels as (names, codes): ``names[codes]`` are the labels.

    Parameters
    ----------
    name : str
        What messages call them.
    labels : array-like of shape (N,) or (N, 1)
        Labels of any kind that can be sorted, none of them missing.
    n_samples : int, default=None
        N, if the data say it.

    Returns
    -------
    names : ndarray of shape (C,)
        The labels that occur, in order.
    codes : ndarray of int of shape (N,)
        Their positions in it.

    Raises
    ------
    ValueError, TypeError
        If they have another shape, or None or NaN among them.
    """
    try:
        array = np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"{name} must be labels of shape (N,): {error}") from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    expected = "(N,)" if n_samples is None else f"({n_samples},)"
    if array.ndim != 1 or (n_samples is not None and len(array) != n_samples):
        raise ValueError(
            f"{name} must be labels of shape {expected}, got shape {array.shape}"
        )
    missing = _missing(array)
    if missing.any():
        first = int(np.flatnonzero(missing)[0])
        raise ValueError(
            f"{name} must have a label for each sample, not None or NaN, got "
            f"{array[first]!r} at position {first}"
        )
    try:
        names, codes = np.unique(array, return_inverse=True)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in array.tolist()})
        raise TypeError(
            f"{name} must be labels of one kind, got {' and '.join(kinds)}"
        ) from None
    return names, codes.reshape(array.shape)


def _missing(array):
    """Mask of labels that are None, or not equal to themselves: NaN, pandas' NA."""
    if array.dtype.kind == "O":
        labels = array.tolist()
        return np.array([label is None or _is_nan(label) for label in labels], bool)
    return array != array


def _is_nan(label):
    try:
        return bool(label != label)
    except TypeError:  # pandas.NA
        return True


def check_sparse_matrix(matrix: Any, n_samples: int, name: str) -> csr_array:
    """Return a sparse matrix as a finite (n, n) CSR array of floats."""
    if matrix.ndim != 2 or matrix.shape != (n_samples, n_samples):
        expected = (n_samples, n_samples)
        raise ValueError(f"{name} must have shape {expected}, got {matrix.shape}")
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {matrix.dtype}")
    dtype = matrix.dtype if matrix.dtype in FLOATS else np.float64
    matrix = csr_array(matrix, dtype=dtype)
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    return matrix


def check_square_matrix(matrix: Any, n_samples: int | None, name: str) -> Floats:
    """Return `matrix` as a finite, symmetric-shaped (n, n) float array.

    `n_samples` may be None when no data say how many rows are expected.
    """
    if issparse(matrix):
        raise TypeError(
            f"{name} must be a dense array, got a sparse one: give its toarray()"
        )
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


def check_symmetric_matrix(matrix: Any, name: str) -> None:
    """Raise ValueError unless `matrix` equals its transpose to rounding."""
    if issparse(matrix):
        _check_symmetric_sparse(matrix, name)
        return
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


def _check_symmetric_sparse(matrix, name):
    gaps = abs(matrix - matrix.T).tocoo()
    if gaps.nnz == 0:
        return
    worst = int(gaps.data.argmax())
    scale = float(abs(matrix.data).max())
    if gaps.data[worst] > 100 * np.finfo(matrix.dtype).eps * scale:
        i, j = int(gaps.row[worst]), int(gaps.col[worst])
        raise ValueError(
            f"{name} must be symmetric, but entries ({i}, {j}) and ({j}, {i}) differ "
            f"by {gaps.data[worst]:g}"
        )
