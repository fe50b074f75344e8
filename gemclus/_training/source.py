"""Where the rows of a training live: value and gradients at given weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

import numpy as np

from gemclus._common.warnings import warn
from gemclus._core.array_passes import first_not_finite
from gemclus._training import contracts

# Samples and their affinity, as `_batchify` yields them.
Batch = tuple[Any, Any]


class Diverged(ArithmeticError):
    """A number of a training step is not finite."""


class Source(ABC):
    """Runs the hooks of a model over the rows of one training.

    The trainer knows this interface alone: whether the rows are one array,
    blocks of it on threads or blocks on other machines is the source's affair.
    """

    @abstractmethod
    def batches(self, random_state: np.random.RandomState | None) -> Iterator[Batch]:
        """The batches of an epoch, in a random order if there are several."""

    @abstractmethod
    def evaluate(
        self, weights: list[Any], batch: Batch | None = None
    ) -> tuple[float, list[Any]]:
        """The objective at the current weights, and the gradients of minus it.

        Parameters
        ----------
        weights : list of ndarray
            What `_get_weights` returns: the arrays that the model works with.
        batch : tuple, default=None
            One of `batches`; None stands for all rows.

        Returns
        -------
        value : float
            The objective of the fit minus the smooth penalty of the model.
        gradients : list of ndarray
            One for each of the weights.

        Raises
        ------
        Diverged
            If anything is not finite.
        """

    @abstractmethod
    def value(self, batch: Batch) -> float:
        """What `evaluate` returns for one of `batches`, without the gradients."""


class ArraySource(Source):
    """Rows in one array, which each step sees whole or by the model's batches.

    Parameters
    ----------
    model : DiscriminativeModel
        Its hooks are called.
    X : ndarray or CSR matrix of shape (N, D)
        The rows.
    affinity : Affinity or None
        What `_batchify` receives.
    evaluator : callable
        ``evaluator(y_pred, affinity, return_grad)``: the objective.
    fresh : bool, default=False
        Whether the parameters are new: then the first predictions tell whether
        the scale of the data suits them, and a warning says if it does not.
    """

    def __init__(
        self,
        model: Any,
        X: Any,
        affinity: Any,
        evaluator: Callable[..., Any],
        fresh: bool = False,
    ) -> None:
        self.model = model
        self.X = X
        self.affinity = affinity
        self._evaluator = evaluator
        self._fresh = fresh
        self._sound = False

    def batches(self, random_state: np.random.RandomState | None) -> Iterator[Batch]:
        batches = self.model._batchify(self.X, self.affinity, random_state)
        return map(contracts.check_batch, batches)

    def evaluate(
        self, weights: list[Any], batch: Batch | None = None
    ) -> tuple[float, list[Any]]:
        X, affinity = (self.X, self.affinity) if batch is None else batch
        model = self.model
        model._enter_batch(X, affinity)
        y_pred = self._infer(X)
        if self._fresh:
            _warn_of_scale(y_pred)
            self._fresh = False
        value, gradient = self._evaluator(y_pred, affinity, return_grad=True)
        gradients = model._compute_grads(X, y_pred, gradient)
        contracts.check_gradients(gradients, weights)
        value = float(value) - model._smooth_penalty(X, gradients)
        if not isfinite(value):
            raise Diverged(f"the objective is {value}")
        position = first_not_finite(gradients)
        if position >= 0:
            raise Diverged(f"entry {position} of _compute_grads is not finite")
        self._sound = True
        return value, gradients

    def value(self, batch: Batch) -> float:
        X, affinity = batch
        self.model._enter_batch(X, affinity)
        value = float(self._evaluator(self._infer(X), affinity))
        return value - float(self.model._smooth_penalty(X))

    def _infer(self, X: Any) -> Any:
        try:
            return contracts.check_inferred(
                self.model._infer(X, retain=True), X.shape[0], self.model.n_clusters
            )
        except contracts.ContractError as error:
            # Once a step has succeeded, the hook is sound and the weights are not.
            if not self._sound:
                raise
            raise Diverged(str(error)) from error


def _warn_of_scale(y_pred: Any) -> None:
    """Warn if first predictions are saturated or do not depend on the samples."""
    if min(y_pred.shape) < 2:
        return
    if y_pred.max(axis=1).mean() > 0.99:
        problem = "saturated, as with features of large scale or offset"
    elif np.ptp(y_pred, axis=0).max() < 1e-3:
        problem = "nearly the same for all samples, as with features of small scale"
    else:
        return
    warn(
        f"The first predictions are {problem}: training may not get anywhere. "
        "Standardise the features, for instance with "
        "sklearn.preprocessing.StandardScaler.",
    )
