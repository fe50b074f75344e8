"""Checks of what the hooks of a model return.

A hook that breaks its contract gets an error that names the hook, says what
was expected and what came, instead of a failure further on.
"""

from math import isfinite

import numpy as np

from gemclus._core.array_passes import are_probabilities

# How far the sum of a row of predictions may be from 1, by dtype.
_SUM_TOLERANCE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-3}


class ContractError(ValueError):
    """The value that a hook returned breaks its contract."""


def check_gemini(gemini):
    """`get_gemini`: an object with `compute_affinity` and `evaluate`."""
    for method in ("compute_affinity", "evaluate"):
        if not callable(getattr(gemini, method, None)):
            raise ContractError(
                "get_gemini must return an objective with compute_affinity and "
                f"evaluate, got {gemini!r}"
            )
    return gemini


def check_weights(weights):
    """`_get_weights`: a list of writeable arrays of float32 or float64."""
    if not isinstance(weights, (list, tuple)) or not weights:
        raise ContractError(
            "_get_weights must return a non-empty list of arrays, got "
            f"{type(weights).__name__}"
        )
    for position, weight in enumerate(weights):
        if (
            not isinstance(weight, np.ndarray)
            or weight.dtype not in _SUM_TOLERANCE
            or not weight.flags.writeable
        ):
            kind = getattr(weight, "dtype", type(weight).__name__)
            raise ContractError(
                "_get_weights must return writeable arrays of float32 or float64, "
                f"which the optimiser updates in place; entry {position} is {kind}"
            )
    return weights


def check_shared(weights, again):
    """`_get_weights`: the arrays that the model works with, and not copies."""
    for position, (weight, other) in enumerate(zip(weights, again, strict=True)):
        if not np.may_share_memory(weight, other):
            raise ContractError(_COPIES.format(position))


def check_moved(moved, before, weights, again):
    """The same after a step, which has moved the arrays at the positions `moved`.

    A hook that takes the step may have made new arrays of them: only what is
    still as before the step was a copy.
    """
    for position in moved:
        weight, other = weights[position], again[position]
        if np.may_share_memory(weight, other):
            continue
        if np.array_equal(other, before[position]):
            raise ContractError(_COPIES.format(position))


_COPIES = (
    "_get_weights must return the arrays that the model works with, which are "
    "updated in place; entry {} is a copy, so that no step changes the model"
)


def check_inferred(y_pred, n_samples, n_clusters):
    """`_infer`: an (n, K) array of probabilities, rows summing to 1."""
    expected = (n_samples, n_clusters)
    if not isinstance(y_pred, np.ndarray) or y_pred.shape != expected:
        came = getattr(y_pred, "shape", type(y_pred).__name__)
        raise ContractError(
            f"_infer must return an array of shape (n_samples, n_clusters) = "
            f"{expected}, got {came}"
        )
    tolerance = _SUM_TOLERANCE.get(y_pred.dtype)
    if tolerance is None:
        raise ContractError(
            f"_infer must return float32 or float64 numbers, got {y_pred.dtype}"
        )
    if not are_probabilities(y_pred, tolerance):
        _refuse_probabilities(y_pred, tolerance)
    return y_pred


def _refuse_probabilities(y_pred, tolerance):
    """Say what is wrong with them."""
    sums = y_pred.sum(axis=1, dtype=np.float64)
    # NaN counts as the largest.
    row = int(np.abs(sums - 1.0).argmax())
    total = sums[row]
    if not isfinite(total):
        raise ContractError(
            f"_infer must return finite probabilities, row {row} sums to {total}"
        )
    if abs(total - 1.0) > tolerance:
        raise ContractError(
            f"_infer must return rows that sum to 1, row {row} sums to {total:.6g}"
        )
    raise ContractError(
        f"_infer must return probabilities, got a minimum of {y_pred.min():.6g}"
    )


def check_gradients(gradients, weights):
    """`_compute_grads`: one array per weight, of its shape."""
    if not isinstance(gradients, (list, tuple)) or len(gradients) != len(weights):
        came = (
            f"{len(gradients)} entries"
            if isinstance(gradients, (list, tuple))
            else type(gradients).__name__
        )
        raise ContractError(
            f"_compute_grads must return a list of {len(weights)} gradients, one for "
            f"each entry of _get_weights, got {came}"
        )
    for position, (gradient, weight) in enumerate(zip(gradients, weights, strict=True)):
        if getattr(gradient, "shape", None) != weight.shape:
            came = getattr(gradient, "shape", type(gradient).__name__)
            raise ContractError(
                f"_compute_grads must return gradients with the shapes of the weights; "
                f"entry {position} should have shape {weight.shape}, got {came}"
            )
    return gradients


def check_indices(X_batch, affinity_batch):
    """`_batchify`, with sample weights: an affinity that knows its samples."""
    indices = getattr(affinity_batch, "indices", None)
    if indices is None or len(indices) != X_batch.shape[0]:
        raise ContractError(
            "_batchify must yield, with sample weights, a selection A[idx][:, idx] of "
            "the affinity that it is given, which tells the samples of the batch, got "
            f"{type(affinity_batch).__name__}"
        )
    return indices


def check_batch(batch):
    """`_batchify`: yields pairs of samples and their affinity."""
    if not isinstance(batch, tuple) or len(batch) != 2:
        raise ContractError(
            "_batchify must yield pairs (X_batch, affinity_batch), got "
            f"{type(batch).__name__}"
        )
    X_batch, affinity_batch = batch
    shape = getattr(X_batch, "shape", None)
    if shape is None or len(shape) != 2 or not 0 < shape[0]:
        raise ContractError(
            f"_batchify must yield non-empty batches of samples, got shape {shape}"
        )
    if affinity_batch is not None:
        expected = (shape[0], shape[0])
        came = getattr(affinity_batch, "shape", type(affinity_batch).__name__)
        if came != expected:
            raise ContractError(
                f"_batchify must yield an affinity of shape {expected} for "
                f"{shape[0]} samples, got {came}"
            )
    return X_batch, affinity_batch
