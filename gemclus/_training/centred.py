"""Biases as those of centred features, for methods of the first order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Layer = tuple[Any, Any]


def mean_of_rows(X: Any, sample_weight: Any = None) -> Any:
    """Mean (D,) of the rows of an array or CSR matrix, with their weights."""
    weights = np.ones(X.shape[0]) if sample_weight is None else sample_weight
    return (X.T @ weights) / weights.sum()


class CentredBiases:
    """Parameters in which features far from 0 do not tie weights to biases.

    A layer ``x W + b`` is ``(x - mean) W + c`` with ``c = b + mean W``. W and its
    penalty are the same, but with c in place of b the steps of a gradient method need
    not be shorter by the square of the offset.

    Parameters
    ----------
    weights : list of ndarray
        The parameters of a model.
    layers : list of tuples
        Pairs (W, b) among them: the layers that features enter.
    mean : ndarray of shape (D,)
        The mean of the samples.

    Attributes
    ----------
    params : list of ndarray
        `weights` with c in the places of b.
    """

    def __init__(self, weights: list[Any], layers: list[Layer], mean: Any) -> None:
        self._layers = layers
        self._mean = mean
        self._centred = [b + (mean @ W).astype(b.dtype) for W, b in layers]
        self.params = list(weights)
        self._positions = [
            (_position(weights, W), _position(weights, b)) for W, b in layers
        ]
        for (_, position), c in zip(self._positions, self._centred, strict=True):
            self.params[position] = c

    def evaluating(
        self, evaluate: Callable[[], tuple[float, list[Any]]]
    ) -> Callable[[], tuple[float, list[Any]]]:
        """Value and gradients with respect to `params`, from those of the weights."""

        def value_and_gradients() -> tuple[float, list[Any]]:
            self.put_back()
            value, gradients = evaluate()
            gradients = list(gradients)
            for of_W, of_b in self._positions:
                moved = self._mean[:, None] * gradients[of_b]
                gradients[of_W] = gradients[of_W] - moved
            return value, gradients

        return value_and_gradients

    def put_back(self) -> None:
        """Give the model the biases that belong to `params`."""
        for (W, b), c in zip(self._layers, self._centred, strict=True):
            b[...] = c - self._mean @ W


def _position(weights: list[Any], weight: Any) -> int:
    return next(i for i, other in enumerate(weights) if other is weight)
