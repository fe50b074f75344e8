"""Types of arguments and attributes that many models share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Integers: TypeAlias = NDArray[np.integer[Any]]
Seed: TypeAlias = int | np.random.RandomState | None
Pairwise: TypeAlias = str | Callable[..., Any]


class FeatureMap(Protocol):
    """A transformer as scikit-learn has them, such as `Nystroem`."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn from samples."""

    def transform(self, X: Any) -> Any:
        """Return the features of samples."""


Kernel: TypeAlias = Pairwise | FeatureMap
Parameters: TypeAlias = dict[str, Any] | None
Groups: TypeAlias = Sequence[Sequence[int]] | Integers | None
Labels: TypeAlias = NDArray[np.intp]
Booleans: TypeAlias = NDArray[np.bool_]
Names: TypeAlias = Sequence[str] | NDArray[np.str_] | NDArray[np.object_] | None


class Objective(Protocol):
    """A GEMINI, or a user's class with its two methods."""

    def compute_affinity(self, X: Any, y: Any = None) -> Any:
        """Return what `evaluate` is given of the samples."""

    def evaluate(self, y_pred: Any, affinity: Any, return_grad: bool = False) -> Any:
        """Return the value, and the gradient if asked for."""


__all__ = [
    "ArrayLike",
    "Booleans",
    "FeatureMap",
    "Floats",
    "Groups",
    "Integers",
    "Kernel",
    "Labels",
    "Names",
    "Objective",
    "Pairwise",
    "Parameters",
    "Seed",
]
