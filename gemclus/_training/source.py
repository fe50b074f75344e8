"""Sources of rows of a training: value and gradients at given weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from typing import Any, NoReturn

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

    Attributes
    ----------
    independent_rows : bool
        Whether the rows are known to be many and independent of each other, so that
        a sample of them may stand for all.
    """

    independent_rows = False

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

    def running(self) -> AbstractContextManager[None]:
        """A context that a run of many steps keeps open."""
        return nullcontext()

    @abstractmethod
    def weight(self, batch: Batch) -> float:
        """The weight of one of `batches` in the mean of an epoch."""

    @abstractmethod
    def value(self, batch: Batch | None = None) -> float:
        """The value that `evaluate` returns, without the gradients."""


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
    evaluator : callable or None
        ``evaluator(y_pred, affinity, return_grad)``: the objective. With weights
        it is given ``sample_weight`` too. None where blocks evaluate it elsewhere.
    fresh : bool, default=False
        Whether the parameters are new: then the first predictions tell whether
        the scale of the data suits them, and a warning says if it does not.
    sample_weight : ndarray of shape (N,), default=None
        Weights of the rows. The gradient of a batch is multiplied by its share: its
        mean weight over that of all rows, so that batches are unbiased whatever
        weight they happen to hold.
    """

    def __init__(
        self,
        model: Any,
        X: Any,
        affinity: Any,
        evaluator: Callable[..., Any] | None,
        fresh: bool = False,
        sample_weight: Any = None,
    ) -> None:
        self.model = model
        self.X = X
        self.affinity = affinity
        self.sample_weight = sample_weight
        self._evaluator: Any = evaluator
        self._fresh = fresh
        self._sound = False

    def batches(self, random_state: np.random.RandomState | None) -> Iterator[Batch]:
        batches = self.model._batchify(self.X, self.affinity, random_state)
        checked = map(contracts.check_batch, batches)
        return checked if self.sample_weight is None else filter(self.weight, checked)

    def weight(self, batch: Batch) -> float:
        if self.sample_weight is None:
            return batch[0].shape[0]
        return float(self._weights_of(batch).sum())

    def _weights_of(self, batch: Batch) -> Any:
        """The weights of the rows of a batch, by their positions."""
        X, affinity = batch
        if X is self.X:
            return self.sample_weight
        return self.sample_weight[contracts.check_indices(X, affinity)]

    def evaluate(
        self, weights: list[Any], batch: Batch | None = None
    ) -> tuple[float, list[Any]]:
        X, affinity = (self.X, self.affinity) if batch is None else batch
        model = self.model
        model._enter_batch(X, affinity)
        y_pred = self._infer(X)
        if self._fresh:
            top, spread = y_pred.max(axis=1).mean(), np.ptp(y_pred, axis=0).max()
            warn_of_scale(top, spread, min(y_pred.shape))
            self._fresh = False
        if self.sample_weight is None:
            value, gradient = self._evaluator(y_pred, affinity, return_grad=True)
        else:
            value, gradient = self._weighted(y_pred, (X, affinity))
        gradients = model._compute_grads(X, y_pred, gradient)
        contracts.check_gradients(gradients, weights)
        value = float(value) - model._smooth_penalty(X, gradients)
        return self._checked(value, gradients), gradients

    def _checked(self, value: float, gradients: list[Any]) -> float:
        """The value of a step, unless a number is not finite."""
        if not isfinite(value):
            raise Diverged(f"the objective is {value}")
        position = first_not_finite(gradients)
        if position >= 0:
            raise Diverged(f"entry {position} of _compute_grads is not finite")
        self._sound = True
        return value

    def value(self, batch: Batch | None = None) -> float:
        X, affinity = (self.X, self.affinity) if batch is None else batch
        self.model._enter_batch(X, affinity)
        weights = {}
        if self.sample_weight is not None:
            weights = {"sample_weight": self._weights_of((X, affinity))}
        value = float(self._evaluator(self._infer(X), affinity, **weights))
        return value - float(self.model._smooth_penalty(X))

    def _weighted(self, y_pred: Any, batch: Batch) -> tuple[float, Any]:
        """Value, and gradient times the share of the batch."""
        weights = self._weights_of(batch)
        value, gradient = self._evaluator(
            y_pred, batch[1], return_grad=True, sample_weight=weights
        )
        if weights is not self.sample_weight:
            share = float(weights.mean() / self.sample_weight.mean())
            gradient = np.asarray(gradient) * np.asarray(gradient).dtype.type(share)
        return value, gradient

    def _infer(self, X: Any) -> Any:
        try:
            return contracts.check_inferred(
                self.model._infer(X, retain=True), X.shape[0], self.model.n_clusters
            )
        except contracts.ContractError as error:
            return self._refuse(error)

    def _refuse(self, error: contracts.ContractError) -> NoReturn:
        # Once a step has succeeded, the hook is sound and the weights are not.
        if not self._sound:
            raise error
        raise Diverged(str(error)) from error


def warn_of_scale(top: float, spread: float, size: int) -> None:
    """Warn if first predictions are saturated or do not depend on the samples.

    From the mean of the largest probability of a sample, the largest range of a
    cluster's, and the smaller of the numbers of samples and clusters.
    """
    if size < 2:
        return
    if top > 0.99:
        problem = "saturated, as with features of large scale or offset"
    elif spread < 1e-3:
        problem = "nearly the same for all samples, as with features of small scale"
    else:
        return
    warn(
        f"The first predictions are {problem}: training may not get anywhere. "
        "Standardise the features, for instance with "
        "sklearn.preprocessing.StandardScaler.",
    )
