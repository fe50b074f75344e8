"""Several trainings from different starts, of which the best is kept."""

from __future__ import annotations

import math
from contextlib import ExitStack

from sklearn.exceptions import ConvergenceWarning

from gemclus.torch._house import Monitor, warn
from gemclus.torch._training import REMEDY, Diverged, Training

# After these parts of the epochs, the better half of the trainings goes on.
_RUNGS = (0.25, 0.5)


class Run:
    """A training, the rule that ends it, and those who watch it.

    Attributes
    ----------
    monitor : Monitor
        Its stopping rule and curve.
    ended : bool
        Whether there is nothing more to do.
    error : Diverged or None
        Why it ended early.
    is_abandoned : bool
        Whether it was left for others, which were better.
    """

    def __init__(self, task, seed, monitor):
        self.training = Training(task, seed)
        self.monitor = monitor
        self.ended, self.error, self.is_abandoned = False, None, False

    @property
    def n_epochs(self):
        return len(self.training.losses)

    def until(self, n_epochs):
        """Train until that many epochs, or until it has ended."""
        while self.n_epochs < n_epochs and not self.ended:
            try:
                loss = self.training.epoch()
            except Diverged as error:
                self.error, self.ended = error, True
            else:
                self.ended = bool(self.monitor(self.n_epochs, -loss))

    def reason(self):
        """Few words on how the training ended."""
        if self.error is not None:
            return "diverged"
        if self.monitor.converged:
            return "converged"
        if self.monitor.stopped:
            return "stopped by a callback"
        if self.n_epochs >= self.training.task.max_epochs:
            return "reached max_epochs"
        return "left for better starts" if self.is_abandoned else "interrupted"


class Interrupted(Exception):
    """Ctrl-C, with the best run so far."""

    def __init__(self, run):
        super().__init__()
        self.run = run


def train_best(task, seeds, watch, tol, n_iter_no_change):
    """Train from each seed, ending the weaker half early, twice.

    Parameters
    ----------
    task : Task
        What is trained.
    seeds : sequence of int
        One for each start; the result does not depend on how far others came.
    watch : callable
        ``watch(run, position)``: a context with the reporters of a training.
    tol, n_iter_no_change
        As in `Monitor`.

    Returns
    -------
    best : Run
        The one with the least `GeminiLoss`.
    runs : list of Run
        All of them, in the order of the seeds.

    Raises
    ------
    Interrupted
        After Ctrl-C.
    ValueError
        If all of them diverged in their first epoch.
    """
    runs = []
    with ExitStack() as stack:
        try:
            for position, seed in enumerate(seeds):
                run = Run(task, seed, Monitor(tol, n_iter_no_change))
                runs.append(run)
                run.monitor.reporters = stack.enter_context(watch(run, position))
                run.training.begin()
            going = runs
            for n_epochs in _stages(task.max_epochs, len(runs)):
                for run in going:
                    run.until(n_epochs)
                if n_epochs < task.max_epochs:
                    better = _better_half(going)
                    for run in going:
                        run.is_abandoned = run not in better
                    going = better
        except KeyboardInterrupt:
            if not runs:
                raise
            raise Interrupted(_best(runs)) from None
    best = _best(going)
    _tell(best)
    return best, runs


def _stages(max_epochs, n_runs):
    """Numbers of epochs at which to look back; the last is `max_epochs`."""
    rungs = [math.ceil(part * max_epochs) for part in _RUNGS] if n_runs > 1 else []
    return sorted({*rungs, max_epochs})


def _better_half(runs):
    ordered = sorted(runs, key=lambda run: run.training.least)
    return ordered[: math.ceil(len(runs) / 2)]


def _best(runs):
    return min(runs, key=lambda run: run.training.least)


def _tell(run):
    """Warn of a training that diverged, or refuse it."""
    if run.error is None:
        return
    message = f"Training diverged after {run.n_epochs} epochs: {run.error}."
    if not run.n_epochs:
        raise ValueError(f"{message} {REMEDY}") from run.error
    warn(f"{message} The last epoch is kept. {REMEDY}", ConvergenceWarning)
