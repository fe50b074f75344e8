"""One training, from its parameters to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gemclus._common.warnings import warn
from gemclus._training.monitor import Monitor, watching
from gemclus._training.samples import PATIENCE_AFTERWARDS
from gemclus._training.start import start
from gemclus._training.task import Task
from gemclus._training.trainer import Trainer

# Relative improvement that ends full-batch optimisers when `tol` is None. On 17 data
# sets and 12 objectives, 10 iterations without it are a fifth less than with 1e-8,
# and end as high: lower by 5e-8 of the objective in the 95th percentile, by 5e-4 in
# the 99th. Half the patience takes another fifth away, and these become 7e-5 and 2e-3.
_FULL_BATCH_TOL = 1e-5
# The same for `solver="auto"` with batches, and how many times longer its
# patience is: a noisy objective seldom exceeds its best. On six data sets, five
# models and batches of 32 and 100, trainings then end 0.1 % lower in the median than
# after 1000 epochs, and at worst 1.6 %; with the rule above 2 %, and at worst 28 %.
_STEPS_TOL = 1e-4
_STEPS_PATIENCE = 10


@dataclass
class Outcome:
    """The end of a training.

    Attributes
    ----------
    converged : bool
        Whether its stopping rule, or the optimiser's own, was met.
    complaint : str
        Why a stopping rule that was in force was not met; empty if it was, or if
        there was none.
    """

    converged: bool = False
    complaint: str = ""


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
    trainer, on_samples = Trainer(model, task, random_state, fresh=not goes_on), False
    if goes_on:
        model.optimiser_ = model._make_optimiser()
    else:
        create(model, task.X, random_state)
        trainer.centre_biases()
        on_samples = start(trainer, model.init, random_state)
    tol, patience = _stopping_rule(model, on_samples)
    monitor = Monitor(tol, patience)
    with watching(model, task, lambda: _reason(trainer, monitor)) as reporters:
        monitor.reporters = reporters
        try:
            trainer.run(model.max_iter, monitor)
        finally:
            model.n_iter_ = len(monitor.curve)
            model.objective_curve_ = np.array(monitor.curve)
            model.objective_curves_ = [model.objective_curve_]
            model.converged_ = monitor.converged or trainer.converged
    return Outcome(model.converged_, _complaint(trainer, monitor))


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


def _stopping_rule(model: Any, on_samples: bool) -> tuple[float | None, int]:
    """Least relative improvement, and the epochs without it that end the training."""
    patience = model.n_iter_no_change
    if model.tol is not None:
        return model.tol, patience
    if model.optimiser_.is_full_batch():
        if on_samples:
            patience = min(patience, PATIENCE_AFTERWARDS)
        return model._full_batch_tol or _FULL_BATCH_TOL, patience
    if model._is_auto() and model.batch_size is not None:
        return _STEPS_TOL, _STEPS_PATIENCE * patience
    return None, patience


def _complaint(trainer: Trainer, monitor: Monitor) -> str:
    """The warning due at the end of a training; divergence has been warned of."""
    model = trainer.model
    if monitor.tol is None or model.converged_ or monitor.stopped or trainer.failed:
        return ""
    if model.n_iter_ < model.max_iter:
        return (
            f"did not converge: {type(model.optimiser_).__name__} found no better "
            f"point after {model.n_iter_} iterations, as where the objective is not "
            "smooth"
        )
    remedy = "increase max_iter or tol"
    if not model.optimiser_.is_full_batch():
        remedy = "increase max_iter, learning_rate or tol"
        better = model._full_batch_solver()
        if better is not None:
            remedy += f", or use solver={better!r}"
    return f"did not converge in max_iter={model.max_iter} epochs: {remedy}"


def create(
    model: Any, X: Any, random_state: np.random.RandomState, by_steps: bool = False
) -> None:
    """New parameters, and the state of a training that has not begun."""
    model._init_params(random_state, X)
    model.n_iter_, model.objective_curve_ = 0, np.empty(0)
    model.objective_curves_ = [model.objective_curve_]
    model.converged_ = False
    model._trained_clusters = model.n_clusters
    # The last: a model that has it has weights.
    model.optimiser_ = model._make_optimiser(by_steps)


def warn_of(complaint: str, model: Any) -> None:
    """Warn that a training has not met its stopping rule, if it has not."""
    if complaint:
        warn(f"{type(model).__name__} {complaint}.", ConvergenceWarning)
