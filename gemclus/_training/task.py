"""The task of a fit: samples, objective, affinity, constraints, weights, callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gemclus._common.weights import check_sample_weight
from gemclus._training import contracts
from gemclus._training.blocks import array_source
from gemclus._training.feature_maps import with_feature_map
from gemclus._training.samples import nested_positions, sample_sizes
from gemclus._training.source import Source
from gemclus.affinity import Affinity, MatrixAffinity, SampleIndices
from gemclus.gemini._base import training_affinity, training_evaluator


@dataclass
class Task:
    """Samples, what is known of them, and what is to be maximised on them.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        The samples.
    gemini : GEMINI
        The objective of the model by itself: what `score` reports.
    objective : GEMINI
        The objective of the training: `gemini` and the constraints, if any.
    affinity : Affinity or None
        What `_batchify` receives.
    sample_weight : ndarray of shape (N,) or None
        Weights of the samples; None stands for equal ones.
    alpha : float
        Weight of the penalty that the model applies by proximal steps.
    context : CallbackContext or None
        The task of the whole fit, as callbacks know it.
    position, n_trainings : int
        Which training this is, of how many.
    """

    X: Any
    gemini: Any
    objective: Any
    affinity: Any
    sample_weight: Any = None
    alpha: float = 0.0
    context: Any = None
    position: int = 0
    n_trainings: int = 1

    def evaluator(self) -> Callable[..., Any]:
        """``evaluate(y_pred, affinity, return_grad)``, owned by one training."""
        return training_evaluator(self.objective)

    def source(self, model: Any, fresh: bool = False) -> Source:
        """The source of rows for one training of `model`."""
        return array_source(self, model, fresh)

    def samples(self, random_state: np.random.RandomState) -> list[Task]:
        """Nested samples of the rows, the smallest first; none of few rows.

        Rows of no weight are in none.
        """
        return self._parts(sample_sizes(*self.X.shape), random_state)

    def _parts(self, sizes: list[int], random_state: Any) -> list[Task]:
        """Nested samples of such sizes, as far as there are rows for them."""
        weights, n_rows = self.sample_weight, self.X.shape[0]
        rows = None
        if weights is not None and weights.min() == 0.0:
            rows = np.flatnonzero(weights)
            n_rows = len(rows)
        sizes = [size for size in sizes if size <= n_rows]
        parts = nested_positions(sizes, n_rows, random_state)
        return [self._part(part if rows is None else rows[part]) for part in parts]

    def _part(self, positions: Any) -> Task:
        """The task of some of the rows."""
        affinity, weights = self.affinity, self.sample_weight
        return Task(
            # Of a mapped file too, a sample lies in memory.
            np.asarray(self.X)[positions],
            self.gemini,
            self.objective,
            None if affinity is None else affinity.take(positions),
            None if weights is None else weights[positions],
            self.alpha,
        )

    def gemini_value(self, y_pred: Any, affinity: Any) -> float:
        """The objective of the model by itself, of predictions for all samples."""
        evaluate = training_evaluator(self.gemini)
        if self.sample_weight is None:
            return float(evaluate(y_pred, affinity))
        return float(evaluate(y_pred, affinity, sample_weight=self.sample_weight))

    def __getstate__(self) -> dict[str, Any]:
        # Callbacks stay in the process of the user.
        return vars(self) | {"context": None}


def weighed_samples(
    model: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[Any, Any, Any]:
    """The samples that a training sees, their weights, and the weights of all.

    Those of weight 0 are left out where nothing else has a row for each sample;
    elsewhere they stay, and count for nothing.
    """
    if sample_weight is None:
        return X, None, None
    sample_weight = check_sample_weight(sample_weight, X.shape[0])
    kept = sample_weight > 0.0
    tied = y is not None or model._constraints is not None
    if kept.all() or tied or not model._infers_by_rows or not _is_name(model.init):
        return X, sample_weight, sample_weight
    return X[kept], sample_weight[kept], sample_weight


def _is_name(init: Any) -> bool:
    return isinstance(init, str)


def make_task(
    model: Any,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    constrained: bool = True,
) -> Task:
    """The task that `model` is trained, or scored, on.

    Parameters
    ----------
    model : DiscriminativeModel
        Says what the objective is, how its affinity is made, and which
        constraints and penalties there are besides.
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    y : object, default=None
        The ``y`` of `fit`: a precomputed affinity.
    sample_weight : ndarray of shape (N,), default=None
        Validated weights.
    constrained : bool, default=True
        Whether the constraints on the training samples apply to these.
    """
    gemini = contracts.check_gemini(model.get_gemini())
    gemini = with_feature_map(model, gemini, X)
    affinity = model._make_affinity(gemini, X, y)
    constraints = model._constraints if constrained else None
    positioned = model._needs_indices or sample_weight is not None
    if affinity is None and (positioned or constraints is not None):
        affinity = SampleIndices(X.shape[0])
    if affinity is not None and not isinstance(affinity, Affinity):
        affinity = MatrixAffinity(np.asarray(affinity))
    objective = gemini
    if constraints is not None:
        objective = constraints.penalise(gemini, X, y, sample_weight)
    alpha = model._penalty_weight()
    return Task(X, gemini, objective, affinity, sample_weight, alpha)


def default_affinity(model: Any, gemini: Any, X: Any, y: Any) -> Any:
    """The affinity that `gemini` needs of samples that `model` takes in batches."""
    minibatch = model.batch_size is not None and model.batch_size < X.shape[0]
    return training_affinity(gemini, X, y, minibatch)
