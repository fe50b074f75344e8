"""Paths of models from all features to few: a growing penalty, warm starts."""

from dataclasses import dataclass
from math import inf, nextafter
from typing import NamedTuple

import numpy as np

from gemclus._common.validation import check_bool, check_float, check_int
from gemclus._training import contracts
from gemclus._training.monitor import logger
from gemclus._training.trainer import Trainer

# Where the grid starts for a model with alpha=0: the default of `alpha`.
_FIRST_ALPHA = 1e-2


class SparsePath(NamedTuple):
    """What a path went through; entry i of the lists belongs to its step i.

    Attributes
    ----------
    best_weights : list of ndarray
        The weights kept: the last ones of a good enough objective.
    geminis : list of float
        Objective at the end of each step.
    group_penalties : list of float
        Penalty at its end, before multiplication by alpha.
    alphas : list of float
        Weight of the penalty.
    n_features : list of int
        Number of features selected at its end.
    """

    best_weights: list
    geminis: list
    group_penalties: list
    alphas: list
    n_features: list


@dataclass
class PathSettings:
    """The arguments of `path`, checked, and where it is.

    Attributes
    ----------
    alpha : float
        Weight of the penalty at the time.
    """

    alpha_multiplier: float
    min_features: int
    keep_threshold: float
    restore_best_weights: bool
    early_stopping_factor: float
    max_patience: int
    alpha: float = 0.0

    def __post_init__(self):
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
        The objective at the current weights.
    failed : bool
        Whether the training diverged: the weights are the last usable ones.
    """

    def __init__(self, model, X, affinity, evaluate, random_state):
        super().__init__(model, X, affinity, evaluate, random_state)
        self.failed = False
        self._gradients = None
        self._whole = False
        X_batch, _ = contracts.check_batch(next(iter(self._partition())))
        self._whole = X_batch is X
        self.objective = self._assess()

    def epoch(self):
        """Run one epoch and return the objective after it."""
        if self._whole:
            weights = self.model._get_weights()
            self._save(weights)
            self.model._update_weights(weights, self._gradients)
        else:
            super().epoch()
        self.objective = self._assess()
        return self.objective

    def _partition(self):
        """The batches by which the objective is known: always the same ones."""
        order = None if self._whole else np.random.RandomState(0)
        return self.model._batchify(self.X, self.affinity, order)

    def _assess(self):
        """The objective at the current weights.

        On the whole of the data the same pass gives the gradients of the next
        epoch.
        """
        total = count = 0
        for X, affinity in map(contracts.check_batch, self._partition()):
            if self._whole:
                weights = self.model._get_weights()
                value, self._gradients = self._objective(
                    X, affinity, self.evaluate, weights
                )
                return value
            self.model._enter_batch(X, affinity)
            value = float(self.evaluate(self._infer(X), affinity))
            total += (value - self.model._penalty(X)) * X.shape[0]
            count += X.shape[0]
        return total / count

    def _restore(self, error):
        super()._restore(error)
        self.failed = True


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

    def __init__(self, objective, current_penalty, settings):
        self._objective = objective
        self._current_penalty = current_penalty
        self._penalty = current_penalty()
        self._factor = settings.early_stopping_factor
        self._max_patience = settings.max_patience
        self._n_stalled = 0

    def __call__(self, n_epochs, objective):
        penalty = self._current_penalty()
        if (
            objective > (2.0 - self._factor) * self._objective
            or penalty < self._factor * self._penalty
        ):
            self._objective, self._penalty = objective, penalty
            self._n_stalled = 0
        else:
            self._n_stalled += 1
        return self._n_stalled >= self._max_patience


def run_path(model, trainer, settings):
    """Follow the path of a model that was trained without penalty.

    Parameters
    ----------
    model : SparseMixin
        The model; its weights are left at those kept, or at the last ones.
    trainer : PathTrainer
        Trains it.
    settings : PathSettings
        The arguments of `path`.

    Returns
    -------
    path : SparsePath
    """
    best_weights, best = copies(model), trainer.objective
    geminis, group_penalties, alphas, n_features = [], [], [], []
    alpha = float(model.alpha) or _FIRST_ALPHA
    n_total = n_selected = int(model._support().sum())
    while not alphas or n_selected > settings.min_features:
        settings.alpha = alpha
        # The penalty is compared with itself within a step: alpha cancels out.
        patience = Patience(trainer.objective, model._group_penalty, settings)
        trainer.run(model.max_iter, patience)
        if trainer.failed:
            break
        n_selected = int(model._support().sum())
        geminis.append(trainer.objective)
        group_penalties.append(model._group_penalty())
        alphas.append(alpha)
        n_features.append(n_selected)
        if model.verbose:
            _report(model, alpha, n_selected, trainer.objective)
        if n_selected == n_total:
            best = max(best, trainer.objective)
        if trainer.objective >= settings.keep_threshold * best:
            best_weights = copies(model)
        if trainer.interrupted:
            break
        # The smallest numbers would not grow by a factor alone.
        alpha = max(alpha * settings.alpha_multiplier, nextafter(alpha, inf))
    if settings.restore_best_weights:
        for weight, kept in zip(model._get_weights(), best_weights, strict=True):
            weight[...] = kept
    return SparsePath(best_weights, geminis, group_penalties, alphas, n_features)


def copies(model):
    """Copies of the weights of `model`."""
    return [weight.copy() for weight in model._get_weights()]


def _report(model, alpha, n_selected, objective):
    logger.info(
        "%s: alpha %.4g, %d features, objective %.8g",
        type(model).__name__,
        alpha,
        n_selected,
        objective,
    )
