"""One training, from its parameters to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gemclus._common.warnings import warn
from gemclus._training.monitor import Monitor, watching
from gemclus._training.start import start
from gemclus._training.task import Task
from gemclus._training.trainer import Trainer

# Relative improvement that ends full-batch optimisers when `tol` is None.
_FULL_BATCH_TOL = 1e-8


@dataclass
class Outcome:
    """How a training ended.

    Attributes
    ----------
    converged : bool
        Whether its stopping rule, or the optimiser's own, was met.
    limited : bool
        Whether `max_iter` came before the stopping rule.
    """

    converged: bool = False
    limited: bool = False


def train_once(
    model: Any,
    task: Task,
    random_state: np.random.RandomState,
    goes_on: bool = False,
) -> Outcome:
    """Create the parameters of `model`, or go on from them, and train.

    Sets `optimiser_`, `n_iter_`, `objective_curve_`, `objective_curves_` and
    `converged_`, also when Ctrl-C passes through.

    Parameters
    ----------
    model : DiscriminativeModel
        Trained in place.
    task : Task
        What it trains on.
    random_state : RandomState
        Draws the parameters and the order of the batches.
    goes_on : bool, default=False
        Whether the training starts from the weights that the model has.
    """
    trainer = Trainer(model, task, random_state, fresh=not goes_on)
    if goes_on:
        model.optimiser_ = model._make_optimiser()
    else:
        create(model, task.X, random_state)
        start(trainer, model.init, random_state)
    tol = model.tol
    if tol is None and model.optimiser_.is_full_batch():
        tol = _FULL_BATCH_TOL
    monitor = Monitor(tol, model.n_iter_no_change)
    with watching(model, task, lambda: _reason(trainer, monitor)) as reporters:
        monitor.reporters = reporters
        try:
            trainer.run(model.max_iter, monitor)
        finally:
            model.n_iter_ = len(monitor.curve)
            model.objective_curve_ = np.array(monitor.curve)
            model.objective_curves_ = [model.objective_curve_]
            model.converged_ = monitor.converged or trainer.converged
    limited = tol is not None and model.n_iter_ == model.max_iter
    return Outcome(model.converged_, limited and not model.converged_)


def _reason(trainer: Trainer, monitor: Monitor) -> str:
    """Few words on how a training ended."""
    if trainer.failed:
        return "diverged"
    if monitor.converged or trainer.converged:
        return "converged"
    if monitor.stopped:
        return "stopped by a callback"
    if len(monitor.curve) >= trainer.model.max_iter:
        return "reached max_iter"
    return "ended without converging" if trainer.ended else "interrupted"


def create(model: Any, X: Any, random_state: np.random.RandomState) -> None:
    """New parameters, and the state of a training that has not begun."""
    model._init_params(random_state, X)
    model.n_iter_, model.objective_curve_ = 0, np.empty(0)
    model.objective_curves_ = [model.objective_curve_]
    model.converged_ = False
    model._trained_clusters = model.n_clusters
    # The last: a model that has it has weights.
    model.optimiser_ = model._make_optimiser()


def warn_of_the_limit(model: Any) -> None:
    """Warn that `max_iter` came before the stopping rule."""
    remedy = "increase max_iter or tol"
    if not model.optimiser_.is_full_batch():
        remedy = "increase max_iter, learning_rate or tol, or use solver='lbfgs'"
    warn(
        f"{type(model).__name__} did not converge in max_iter={model.max_iter} "
        f"epochs: {remedy}.",
        ConvergenceWarning,
    )
