"""Paths of models from all features to few: a growing penalty, warm starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf, nextafter
from typing import Any, NamedTuple

import numpy as np

from gemclus._common.pickling import stored_as_state
from gemclus._common.reports import say
from gemclus._common.typing import Floats
from gemclus._common.validation import check_bool, check_float, check_int
from gemclus._training.monitor import Monitor
from gemclus._training.source import Batch, Source
from gemclus._training.task import Task
from gemclus._training.trainer import Trainer
from gemclus.optim import FISTA, SGD, Optimiser

# Where the grid starts for a model with alpha=0: the default of `alpha`.
_FIRST_ALPHA = 1e-2
# What ends a step that goes to an optimum: the prox-gradient map in multiples of the
# gradient, or so many iterations without such an improvement. The next step starts from
# there, and needs no more.
_MAP_TOL = 2e-2
_TOL = 1e-4
_PATIENCE = 2
# A path to optima begins at this share of the alpha at which the penalty breaks even,
# if not before: from there on ten features begin to leave.
_FIRST_SHARE = 1 / 3
# The objective that later ones are compared with is that at this multiple of it, and at
# least this share of the best. Chosen on `celeux_one` of 300 samples and seeds from 100
# on, never smaller ones: with a smaller multiple the MMD may keep a feature of noise,
# with a larger one or no share the mutual information may lose one that matters.
_REFERENCE = 1.5
_LEAST_SHARE = 0.85


class _Steps(NamedTuple):
    """The published tuple."""

    best_weights: list[Any]
    geminis: list[float]
    group_penalties: list[float]
    alphas: list[float]
    n_features: list[int]


@stored_as_state
class SparsePath(_Steps):
    """Record of a path; entry i of the lists belongs to its step i.

    Parameters
    ----------
    best_weights, geminis, group_penalties, alphas, n_features : list
        The attributes of these names.

    Attributes
    ----------
    best_weights : list of ndarray
        The weights kept: the last ones of a good enough objective.
    geminis : list of float
        GEMINI at the end of each step, without penalties and constraints.
    group_penalties : list of float
        Penalty at its end, before multiplication by alpha.
    alphas : list of float
        Weight of the penalty.
    n_features : list of int
        Number of features selected at its end.
    kept_step : int or None
        Step that `best_weights` are those of; None before the first step.

    See Also
    --------
    SparseLinearMMD.path : Makes one.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseLinearMMD
    >>> X, _ = celeux_one(n=100, p=5, random_state=0)
    >>> model = SparseLinearMMD(alpha=1, max_iter=200, random_state=0)
    >>> path = model.path(X, alpha_multiplier=1.5)
    >>> weights, geminis, *_ = path
    >>> path.feature_norms.shape == (len(geminis), 10)
    True
    """

    def __init__(
        self,
        best_weights: list[Any],
        geminis: list[float],
        group_penalties: list[float],
        alphas: list[float],
        n_features: list[int],
    ) -> None:
        self._norms: list[Floats] = []
        self.kept_step: int | None = None

    @property
    def feature_norms(self) -> Floats:
        """Norm of the weights of each feature at the end of each step.

        An array of shape (n_steps, D), of which 0 stands for features left out.
        """
        return np.array(self._norms) if self._norms else np.empty((0, 0))

    def to_frame(self) -> Any:
        """The steps as a table.

        Returns
        -------
        frame : pandas.DataFrame
            A row for each step, with the columns ``alpha``, ``gemini``,
            ``group_penalty`` and ``n_features``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "SparsePath.to_frame needs pandas: pip install pandas"
            ) from error
        columns = {
            "alpha": self.alphas,
            "gemini": self.geminis,
            "group_penalty": self.group_penalties,
            "n_features": self.n_features,
        }
        return pd.DataFrame(columns).rename_axis("step")

    def __repr__(self) -> str:
        if not self.alphas:
            return "SparsePath(no steps)"
        return (
            f"SparsePath({len(self.alphas)} steps, alpha from {self.alphas[0]:.4g} to "
            f"{self.alphas[-1]:.4g}, from {self.n_features[0]} to "
            f"{self.n_features[-1]} features)"
        )


@dataclass
class PathSettings:
    """The arguments of `path`, checked."""

    alpha_multiplier: float
    min_features: int
    keep_threshold: float
    restore_best_weights: bool
    early_stopping_factor: float
    max_patience: int

    def __post_init__(self) -> None:
        check_float("alpha_multiplier", self.alpha_multiplier, 1.0, strict=True)
        check_int("min_features", self.min_features, 0)
        check_float("keep_threshold", self.keep_threshold, 0.0, 1.0)
        check_bool("restore_best_weights", self.restore_best_weights)
        check_float("early_stopping_factor", self.early_stopping_factor, 0.0, 1.0)
        check_int("max_patience", self.max_patience, 1)


class PathTrainer(Trainer):
    """A trainer that knows the objective after its last epoch.

    Attributes
    ----------
    objective : float
        The objective at the current weights, without the penalty on features.
    converges : bool
        Whether the optimiser goes to the optimum of each weight of the penalty.
    """

    def __init__(
        self, model: Any, task: Task, random_state: np.random.RandomState
    ) -> None:
        super().__init__(model, task, random_state)
        self.converges = model.optimiser_.is_full_batch()
        self._gradients: list[Any] = []
        self._whole = False
        self._whole = next(self._partition())[0] is task.X
        # The GEMINI without the constraints, where there are any.
        self._unconstrained: Source | None = None
        if task.objective is not task.gemini:
            self._unconstrained = replace(task, objective=task.gemini).source(model)
        self.objective = self._assess()

    def follow(self, settings: PathSettings) -> None:
        """Train at one weight of the penalty."""
        model = self.model
        if not self.converges:
            # The penalty is compared with itself within a step: alpha cancels out.
            patience = Patience(self.objective, model._proximal_penalty, settings)
            self.run(model.max_iter, patience)
            return
        monitor = Monitor(_TOL, _PATIENCE)
        self.run(model.max_iter, monitor)
        self.objective = monitor.curve[-1] + model._penalties(self.task.alpha)

    def break_even(self) -> float:
        """The alpha at which weights of 0 would be as good as the current ones.

        A method that never loses keeps features up to there. Infinite where nothing
        is to be lost.
        """
        model = self.model
        kept, objective = copies(model), self.objective
        fixed = model._penalties(0.0)
        price = model._penalties(1.0) - fixed
        model._shrink(inf)
        gain = objective - fixed - self._assess()
        put_back(model, kept)
        return gain / price if gain > 0.0 and price > 0.0 else inf

    def epoch(self) -> float:
        """Run one epoch and return the objective after it."""
        if self._whole:
            weights = self.model._get_weights()
            self._save(weights)
            self._move(weights, self._gradients)
        else:
            super().epoch()
        self.objective = self._assess()
        return self.objective

    def gemini(self) -> float:
        """The GEMINI at the current weights, as `score` knows it."""
        if self._unconstrained is None:
            return self.objective
        return _mean(self._unconstrained, self._partition())

    def _partition(self) -> Iterator[Batch]:
        """The batches by which the objective is known: always the same ones."""
        # The whole is taken in its order, without a generator.
        random_state = None if self._whole else np.random.RandomState(0)
        return iter(self.source.batches(random_state))

    def _assess(self) -> float:
        """The objective at the current weights.

        On the whole of the data the same pass gives the gradients of the next
        epoch.
        """
        batches = self._partition()
        if not self._whole:
            return _mean(self.source, batches)
        weights = self.model._get_weights()
        value, self._gradients = self.source.evaluate(weights, next(batches))
        return value


def _mean(source: Source, batches: Iterator[Batch]) -> float:
    """The objective of the samples in some batches, as a mean over them."""
    total, count = 0.0, 0.0
    for batch in batches:
        weight = source.weight(batch)
        total += source.value(batch) * weight
        count += weight
    return total / count


def _more(objective: float, factor: float) -> float:
    """An objective that is greater by the share ``1 - factor`` of its magnitude."""
    return objective * (2.0 - factor if objective > 0.0 else factor)


def _less(objective: float, factor: float) -> float:
    """An objective that is less by the share ``1 - factor`` of its magnitude."""
    return objective * (factor if objective > 0.0 else 2.0 - factor)


class Patience:
    """Ends a step of the path when neither objective nor penalty moves on.

    Parameters
    ----------
    objective, penalty : float
        Where the step starts.
    current_penalty : callable
        Gives the penalty after an epoch.
    settings : PathSettings
        Holds `early_stopping_factor` and `max_patience`.
    """

    def __init__(
        self,
        objective: float,
        current_penalty: Callable[[], float],
        settings: PathSettings,
    ) -> None:
        self._objective = objective
        self._current_penalty = current_penalty
        self._penalty = current_penalty()
        self._factor = settings.early_stopping_factor
        self._max_patience = settings.max_patience
        self._n_stalled = 0

    def __call__(self, n_epochs: int, objective: float) -> bool:
        penalty = self._current_penalty()
        if (
            objective > _more(self._objective, self._factor)
            or penalty < self._factor * self._penalty
        ):
            self._objective, self._penalty = objective, penalty
            self._n_stalled = 0
        else:
            self._n_stalled += 1
        return self._n_stalled >= self._max_patience


def follow_path(
    model: Any,
    task: Task,
    random_state: np.random.RandomState,
    settings: PathSettings,
) -> None:
    """Follow the path of a model that was trained without penalty.

    Sets its `path_`, and leaves its weights at those kept, or at the last ones;
    after Ctrl-C as well.

    Parameters
    ----------
    model : SparseMixin
        The model, trained.
    task : Task
        What it was trained on; the weight of its penalty grows.
    random_state : RandomState
        Draws the order of the batches.
    settings : PathSettings
        The arguments of `path`.
    """
    model.optimiser_ = _optimiser_of_steps(model)
    trainer = PathTrainer(model, task, random_state)
    path = model.path_ = SparsePath(copies(model), [], [], [], [])
    try:
        _climb(model, trainer, settings, path)
    finally:
        if settings.restore_best_weights:
            put_back(model, path.best_weights)


def _optimiser_of_steps(model: Any) -> Optimiser:
    """The optimiser at each weight of the penalty, after the training without one."""
    optimiser: Optimiser = model.optimiser_
    if not optimiser.is_full_batch():
        return SGD(model.learning_rate)
    if type(optimiser) is FISTA:
        return FISTA(optimiser.learning_rate, max(optimiser.tol, _MAP_TOL))
    return optimiser


def _climb(
    model: Any, trainer: PathTrainer, settings: PathSettings, path: SparsePath
) -> None:
    """Raise the penalty step by step, and note each step in `path`."""
    task = trainer.task
    best = trainer.objective
    alpha = float(model.alpha) or _FIRST_ALPHA
    even = inf
    if trainer.converges:
        even = trainer.break_even()
        alpha = min(alpha, _FIRST_SHARE * even)
    n_total = n_selected = int(model._support().sum())
    while not path.alphas or n_selected > settings.min_features:
        task.alpha = alpha
        trainer.follow(settings)
        if trainer.failed:
            break
        n_selected = int(model._support().sum())
        path.geminis.append(trainer.gemini())
        path.group_penalties.append(model._proximal_penalty())
        path.alphas.append(alpha)
        path.n_features.append(n_selected)
        path._norms.append(np.linalg.norm(model._feature_weights(), axis=1))
        if model.verbose:
            say(
                "%s: alpha %.4g, %d features, objective %.8g",
                type(model).__name__,
                alpha,
                n_selected,
                trainer.objective,
            )
        if alpha >= _REFERENCE * even:
            # Where noise had no price, it may have made the best objective.
            best, even = max(trainer.objective, _less(best, _LEAST_SHARE)), inf
        elif n_selected == n_total:
            best = max(best, trainer.objective)
        if trainer.objective >= _less(best, settings.keep_threshold):
            path.best_weights[:] = copies(model)
            path.kept_step = len(path.alphas) - 1
        # The smallest numbers would not grow by a factor alone.
        alpha = max(alpha * settings.alpha_multiplier, nextafter(alpha, inf))


def copies(model: Any) -> list[Any]:
    """Copies of the weights of `model`."""
    return [weight.copy() for weight in model._get_weights()]


def put_back(model: Any, weights: list[Any]) -> None:
    """Give `model` weights that it had before."""
    for weight, kept in zip(model._get_weights(), weights, strict=True):
        weight[...] = kept
