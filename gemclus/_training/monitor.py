"""Between epochs: the stopping rule, the curve, the reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Protocol

from gemclus._common.reports import progress_bar, say


class Reporter(Protocol):
    """Hears of each epoch; a true result stops the training."""

    def __call__(self, n_epochs: int, objective: float) -> bool: ...

    def close(self, reason: str) -> None: ...


class Monitor:
    """Follows the objective of one training and says when to stop.

    Parameters
    ----------
    tol : float or None
        Least improvement that counts, relative to the best objective. None
        never stops.
    n_iter_no_change : int
        Number of epochs without improvement after which to stop.
    reporters : list of callables
        Called with the number of epochs run and the objective; a true result
        stops the training.

    Attributes
    ----------
    curve : list of float
        Objective of each epoch.
    converged : bool
        Whether the stopping rule ended the training.
    stopped : bool
        Whether a reporter ended it.
    """

    def __init__(
        self,
        tol: float | None,
        n_iter_no_change: int,
        reporters: list[Reporter] | None = None,
    ) -> None:
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.reporters = reporters or []
        self.curve: list[float] = []
        self.converged = False
        self.stopped = False
        self._best: float | None = None
        self._n_stalled = 0

    def __call__(self, n_epochs: int, objective: float) -> bool:
        self.curve.append(objective)
        stops = [report(n_epochs, objective) for report in self.reporters]
        if self.tol is not None:
            self._n_stalled += 1
            if self._best is None or objective > self._best + self.tol * abs(
                self._best
            ):
                self._best = objective
                self._n_stalled = 0
            self.converged = self._n_stalled >= self.n_iter_no_change
        self.stopped = any(stops)
        return self.converged or self.stopped


class ProgressReport:
    """Prints the objective, or draws a progress bar where one can be seen.

    Parameters
    ----------
    name : str
        Name of the model, and of the training if there are several.
    max_iter : int
        Largest number of epochs: about 20 of them are printed, and the first
        ones at growing distances, since some solvers need few.
    """

    def __init__(self, name: str, max_iter: int) -> None:
        self.name = name
        self._every = max(1, max_iter // 20)
        self._bar = progress_bar(name, max_iter)
        self._began = time.perf_counter()
        self._last: tuple[int, float] | None = None

    def __call__(self, n_epochs: int, objective: float) -> bool:
        self._last = n_epochs, objective
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_postfix(objective=f"{objective:.6g}", refresh=False)
        elif n_epochs % self._every == 0 or (
            n_epochs < self._every and n_epochs & (n_epochs - 1) == 0
        ):
            say("%s: epoch %d, objective %.8g", self.name, n_epochs, objective)
        return False

    def close(self, reason: str) -> None:
        """Finish the bar, and say how the training ended."""
        if self._bar is not None:
            self._bar.close()
        seconds = time.perf_counter() - self._began
        if self._last is None:
            say("%s: %s before its first epoch, %.3g s", self.name, reason, seconds)
            return
        say(
            "%s: %s after %d epochs, objective %.8g, %.3g s",
            self.name,
            reason,
            *self._last,
            seconds,
        )


class CallbackReport:
    """Calls the callbacks set on a model, with each epoch as a task of a training.

    Parameters
    ----------
    model : DiscriminativeModel
        The model in training.
    X : ndarray of shape (N, D)
        The training data, passed on to callbacks that ask for it.
    context : CallbackContext
        The task of the whole fit.
    """

    def __init__(self, model: Any, X: Any, context: Any) -> None:
        self._model = model
        self._X = X
        self._training = self._begin(context, "training", model.max_iter)
        self._epoch = self._begin(self._training, "epoch")

    def __call__(self, n_epochs: int, objective: float) -> bool:
        stop = _end(self._model, self._X, self._epoch)
        more = not stop and n_epochs < self._model.max_iter
        self._epoch = self._begin(self._training, "epoch") if more else None
        return stop

    def close(self, reason: str) -> None:
        """End the tasks that are still open."""
        if self._epoch is not None:
            _end(self._model, self._X, self._epoch)
        _end(self._model, self._X, self._training)

    def _begin(self, parent: Any, name: str, max_subtasks: int = 0) -> Any:
        task = parent.subcontext(task_name=name, max_subtasks=max_subtasks)
        task.call_on_fit_task_begin(estimator=self._model, X=self._X)
        return task


def _end(model: Any, X: Any, context: Any) -> bool:
    """End a task; callbacks that ask for it get a copy of the model as it stands."""

    def fitted_attributes() -> dict[str, Any]:
        names = [name for name in vars(model) if name.endswith("_") and name[0] != "_"]
        return {name: deepcopy(getattr(model, name)) for name in names}

    return bool(
        context.call_on_fit_task_end(
            estimator=model, X=X, reconstruction_attributes=fitted_attributes
        )
    )


@contextmanager
def callback_context(model: Any, twin: Any, X: Any) -> Iterator[Any]:
    """The task of a whole fit of `twin`, or None when `model` has no callbacks."""
    if not getattr(model, "_skl_callbacks", None):
        yield None
        return
    context = model._init_callback_context(max_subtasks=model.n_init)
    context.call_on_fit_task_begin(estimator=model, X=X)
    yield context
    _end(twin, X, context)


@contextmanager
def watching(model: Any, task: Any, reason: Callable[[], str]) -> Iterator[list[Any]]:
    """The reporters that the parameters and the callbacks of `model` ask for.

    Parameters
    ----------
    model : DiscriminativeModel
        The model in training.
    task : Task
        What it trains on.
    reason : callable
        Says at the end how the training has ended.
    """
    reporters: list[Reporter] = []
    if model.verbose:
        name = type(model).__name__
        if task.n_trainings > 1:
            name += f", training {task.position + 1} of {task.n_trainings}"
        reporters.append(ProgressReport(name, model.max_iter))
    if task.context is not None:
        reporters.append(CallbackReport(model, task.X, task.context))
    try:
        yield reporters
    finally:
        for reporter in reporters:
            reporter.close(reason())
