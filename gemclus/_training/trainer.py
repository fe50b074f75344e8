"""The only training loop: value and gradients, optimiser, proximal step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from operator import is_
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gemclus._common.threads import one_thread
from gemclus._common.warnings import warn
from gemclus._core import buffers
from gemclus._core.array_passes import copy_all
from gemclus._training import contracts
from gemclus._training.centred import CentredBiases, mean_of_rows
from gemclus._training.source import ArraySource, Batch, Diverged, Source
from gemclus._training.task import Task
from gemclus.affinity import MatrixAffinity
from gemclus.optim import LBFGS, Optimiser

SCALE_REMEDY = (
    "Standardise the features (for instance with "
    "sklearn.preprocessing.StandardScaler) or lower learning_rate."
)

# Multiplications of a product from which BLAS threads may pay.
_LARGE_PRODUCT = 1e8


class Trainer:
    """Trains a model on a task.

    Parameters
    ----------
    model : DiscriminativeModel
        The model: its hooks are called, and its weights updated in place.
    task : Task
        What it trains on.
    random_state : RandomState
        Source of the order of the batches.
    fresh : bool, default=False
        Whether the parameters are new: see `ArraySource`.

    Attributes
    ----------
    source : Source
        Gives the objective and its gradients.
    n_epochs : int
        Number of epochs run.
    converged : bool
        Whether the optimiser itself found that it is at an optimum.
    failed : bool
        Whether the training diverged: the weights are the last usable ones.
    ended : bool
        Whether the last run came to its end: Ctrl-C and errors end none.
    """

    def __init__(
        self,
        model: Any,
        task: Task,
        random_state: np.random.RandomState,
        fresh: bool = False,
    ) -> None:
        self.model = model
        # Whatever an earlier training that failed has left.
        model.__dict__.pop("_retained", None)
        self.task = task
        self.source: Source = task.source(model, fresh)
        self.random_state = random_state
        self.n_epochs = 0
        self.converged = False
        self.failed = False
        self.ended = False
        # The arrays that the last step has checked.
        self._weights: list[Any] | None = None
        # Whether a step is known to move the weights of the model.
        self._moves = False
        # Of the samples, once it is needed.
        self._mean: Any = None
        # The last weights known to give finite predictions.
        self._backup: list[Any] | None = None

    def run(self, max_iter: int, after_epoch: Callable[[int, float], bool]) -> None:
        """Train until `max_iter` epochs, or until ``after_epoch(n, objective)``.

        Parameters
        ----------
        max_iter : int
            Largest number of epochs; of iterations for full-batch optimisers.
        after_epoch : callable
            Called with the number of epochs run and the objective of the last
            one; a true result ends the training.

        Raises
        ------
        ValueError
            If the first step is not finite already. Later divergence is a
            warning: the last usable weights are kept.
        """
        self.n_epochs = 0
        self.ended = False

        def ended(objective: float) -> bool:
            self.n_epochs += 1
            return after_epoch(self.n_epochs, objective)

        try:
            with buffers.reuse(), self._few_blas_threads(), self.source.running():
                self._iterate(max_iter, ended)
        except Diverged as error:
            self._restore(error)
        self.ended = True

    def _few_blas_threads(self) -> AbstractContextManager[None]:
        """One BLAS thread where products are too small to gain from several.

        Waking threads for them costs several times the product itself.
        """
        n_samples, n_features = self.task.X.shape
        dense = isinstance(self.task.affinity, MatrixAffinity)
        widest = max(n_features, n_samples if dense else 0)
        if n_samples * widest * self.model.n_clusters > _LARGE_PRODUCT:
            return nullcontext()
        return one_thread("blas")

    def _iterate(self, max_iter: int, ended: Callable[[float], bool]) -> None:
        optimiser = self.model.optimiser_
        if isinstance(optimiser, Optimiser) and optimiser.is_full_batch():
            self.converged = self._minimise(optimiser, self.source, max_iter, ended)
            return
        while self.n_epochs < max_iter and not ended(self.epoch()):
            pass

    def lead_towards(self, objective: Callable[..., Any], max_iter: int) -> None:
        """Maximise another objective of the predictions by L-BFGS.

        Parameters
        ----------
        objective : callable
            ``objective(y_pred, affinity, return_grad, sample_weight)``, called
            with None for the affinity; without weights if there are none.
        max_iter : int
            Largest number of iterations.
        """
        task = self.task
        source = ArraySource(
            self.model, task.X, None, objective, sample_weight=task.sample_weight
        )
        with buffers.reuse(), self._few_blas_threads():
            try:
                self._minimise(LBFGS(), source, max_iter, lambda value: False)
            except Diverged as error:
                self._restore(error)
        self.failed = False
        self._backup = None

    def _minimise(
        self,
        optimiser: Optimiser,
        source: Source,
        max_iter: int,
        after_iteration: Callable[[float], bool],
    ) -> bool:
        """A full-batch optimiser on all rows of a source."""
        weights = contracts.check_weights(self.model._get_weights())
        contracts.check_shared(weights, self.model._get_weights())

        def minus_objective() -> tuple[float, list[Any]]:
            value, gradients = source.evaluate(weights)
            return -value, gradients

        def accept(value: float) -> bool:
            self._save(weights)
            return after_iteration(-value)

        centred = CentredBiases(weights, self._first_layers(), self._mean)
        evaluate, penalty = centred.evaluating(minus_objective), {}
        if optimiser.is_proximal() and self.model._takes_proximal_steps:
            penalty = self._penalty()
        try:
            return bool(
                optimiser.minimise(
                    evaluate, centred.params, max_iter, accept, **penalty
                )
            )
        finally:
            centred.put_back()

    def centre_biases(self) -> None:
        """Let new biases be those of centred features, if it trains them so."""
        for W, b in self._first_layers():
            b -= (self._mean @ W).astype(b.dtype)

    def _first_layers(self) -> list[Any]:
        """The layers of features whose biases are trained as those of centred ones."""
        model = self.model
        optimiser = model.optimiser_
        if not (isinstance(optimiser, Optimiser) and optimiser.is_proximal()):
            return []
        layers = model._first_layers()
        if layers and self._mean is None:
            self._mean = mean_of_rows(self.task.X, self.task.sample_weight)
        return layers

    def _penalty(self) -> dict[str, Callable[..., Any]]:
        """The penalty that is not smooth, as a proximal optimiser takes it."""
        model, alpha = self.model, self.task.alpha
        return {
            "shrink": lambda step: model._prox(step, alpha),
            "penalty": lambda: model._penalties(alpha),
        }

    def epoch(self) -> float:
        """Run one epoch and return the mean objective of its batches."""
        total, count = 0.0, 0.0
        for batch in self.source.batches(self.random_state):
            weight = self.source.weight(batch)
            total += self._step(batch) * weight
            count += weight
        if not count:
            raise contracts.ContractError("_batchify must yield at least one batch")
        return total / count

    def _step(self, batch: Batch) -> float:
        """Train on one batch and return the objective before the update."""
        weights = self.model._get_weights()
        if not self._are_known(weights):
            self._weights = list(contracts.check_weights(weights))
        value, gradients = self.source.evaluate(weights, batch)
        if self.task.alpha:
            value -= self.task.alpha * self.model._proximal_penalty()
        self._save(weights)
        self._move(weights, gradients)
        if not self._moves:
            self._check_move(weights)
        return value

    def _check_move(self, weights: list[Any]) -> None:
        """Whether the first step that moved the weights moved the model's too."""
        before = self._backup or []
        moved = [
            position
            for position, (weight, kept) in enumerate(zip(weights, before, strict=True))
            if not np.array_equal(weight, kept)
        ]
        if moved:
            contracts.check_moved(moved, before, weights, self.model._get_weights())
            self._moves = True

    def _move(self, weights: list[Any], gradients: list[Any]) -> None:
        """One step of the optimiser, and the proximal step of its length."""
        model = self.model
        model._update_weights(weights, gradients)
        if model._takes_proximal_steps:
            model._shrink(self.task.alpha * model.optimiser_.step_size)

    def _are_known(self, weights: list[Any]) -> bool:
        """Whether these are the very arrays that the last step has checked."""
        known = self._weights
        return (
            known is not None
            and len(weights) == len(known)
            and all(map(is_, weights, known))
        )

    def _save(self, weights: list[Any]) -> None:
        if self._backup is None:
            self._backup = [weight.copy() for weight in weights]
        else:
            copy_all(weights, self._backup)

    def _restore(self, error: Diverged) -> None:
        """End a training that diverged: at the last usable weights, if any."""
        message = f"Training diverged after {self.n_epochs} epochs: {error}."
        if self._backup is None:
            raise ValueError(f"{message} {SCALE_REMEDY}") from error
        for weight, kept in zip(self.model._get_weights(), self._backup, strict=True):
            weight[...] = kept
        self.failed = True
        warn(
            f"{message} The last usable weights are kept. {SCALE_REMEDY}",
            ConvergenceWarning,
        )
