"""Layers of the models: forward and backward passes.

Objectives are maximised while optimisers minimise: the sign changes in
`softmax_backward`, and nowhere else.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gemclus._core import layer_passes, relu_passes, softmax_passes
from gemclus._core.array_passes import FLOATS
from gemclus._core.buffers import LEAST_BYTES, empty
from gemclus._core.softmax_passes import softmax_backward

Floats: TypeAlias = NDArray[np.floating[Any]]

_BLOCK = 2048


def _check_floats(**arrays: Any) -> None:
    """Refuse parameters that are not arrays of floats, by name."""
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype not in FLOATS:
            came = getattr(array, "dtype", type(array).__name__)
            raise TypeError(
                f"{name} must be an array of float32 or float64, got {came}"
            )


def uniform_init(
    random_state: np.random.RandomState, fan_in: int, shape: tuple[int, ...], dtype: Any
) -> Floats:
    """Initial weights, uniform in ``±sqrt(1 / fan_in)``."""
    bound = np.sqrt(1.0 / fan_in)
    return random_state.uniform(-bound, bound, size=shape).astype(dtype, copy=False)


def affine(X: Any, W: Floats, b: Floats) -> Floats:
    """``X W + b`` for dense or CSR `X`. Cost O(N D K)."""
    _check_floats(W=W, b=b)
    out = _product(X, W)
    out += b
    return out


def _product(X, W):
    """``X W``, in the memory of an earlier step where there is one."""
    small = X.shape[0] * W.shape[1] * W.itemsize < LEAST_BYTES
    if small or not isinstance(X, np.ndarray):
        return X @ W
    shape = (X.shape[0], W.shape[1])
    return np.matmul(X, W, out=empty(shape, np.result_type(X, W)))


def softmax_affine(X: Any, W: Floats, b: Floats) -> Floats:
    """``softmax(X W + b)`` for dense or CSR `X`. Cost O(N D K)."""
    if isinstance(X, np.ndarray):
        P = layer_passes.softmax_affine(X, W, b)
        if P is not None:
            return P
    return softmax(affine(X, W, b))


def softmax_affine_backward(X: Any, P: Floats, gradient: Floats) -> list[Floats]:
    """Gradients of the weights and of the bias of `softmax_affine`, in a list.

    Of **minus** the objective, from its derivative with respect to the
    probabilities `P`. Cost O(N D K).
    """
    gradient = np.asarray(gradient)
    if isinstance(X, np.ndarray):
        gradients = layer_passes.softmax_affine_backward(X, P, gradient)
        if gradients is not None:
            return gradients
    return affine_backward(X, softmax_backward(P, gradient))


def affine_backward(X, T):
    """Gradients of the weights and of the bias from those of the outputs, `T`."""
    if isinstance(X, np.ndarray):
        gradients = layer_passes.affine_backward(X, T)
        if gradients is not None:
            return gradients
    bias = T.sum(axis=0, keepdims=True, dtype=np.float64)
    return [_weight_gradient(X, T), bias.astype(T.dtype, copy=False)]


def _weight_gradient(X, T):
    """``X^T T``, by blocks of rows that stay in the cache for both operands."""
    if not isinstance(X, np.ndarray) or X.shape[0] <= 2 * _BLOCK:
        return X.T @ T
    total = np.zeros((X.shape[1], T.shape[1]), np.result_type(X, T))
    for start in range(0, X.shape[0], _BLOCK):
        total += X[start : start + _BLOCK].T @ T[start : start + _BLOCK]
    return total


def affine_relu(X: Any, W: Floats, b: Floats) -> Floats:
    """``max(X W + b, 0)`` for dense or CSR `X`. Cost O(N D H)."""
    if isinstance(X, np.ndarray):
        H = layer_passes.affine_relu(X, W, b)
        if H is not None:
            return H
    _check_floats(W=W, b=b)
    H = _product(X, W)
    relu_passes.bias_relu(H, b.astype(H.dtype, copy=False))
    return H


def affine_relu_backward(X, H, T, W):
    """Gradients of the weights and of the bias of `affine_relu`, in a list.

    From the derivatives `T` of the next layer, whose weights are `W`; `H` is
    what `affine_relu` gave. Cost O(N H (D + K)).
    """
    if isinstance(X, np.ndarray):
        gradients = layer_passes.affine_relu_backward(X, H, T, W)
        if gradients is not None:
            return gradients
    B = T @ W.T
    relu_passes.relu_backward(H, B)
    return affine_backward(X, B)


def softmax(logits: Floats) -> Floats:
    """Softmax of the rows of `logits`, in place. Cost O(N K)."""
    softmax_passes.softmax_rows(logits)
    return logits
