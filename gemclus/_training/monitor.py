"""What happens between epochs: the stopping rule, the curve, the reports."""

import logging
import sys
from contextlib import contextmanager
from copy import deepcopy

logger = logging.getLogger("gemclus")


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
    """

    def __init__(self, tol, n_iter_no_change, reporters=()):
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.reporters = reporters
        self.curve = []
        self.converged = False
        self._best = None
        self._n_stalled = 0

    def __call__(self, n_epochs, objective):
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
        return self.converged or any(stops)


class ProgressReport:
    """Reports the objective through `logging`, and a progress bar on a terminal.

    Parameters
    ----------
    name : str
        Name of the model.
    max_iter : int
        Largest number of epochs: about 20 of them are logged.
    """

    def __init__(self, name, max_iter):
        self.name = name
        self.max_iter = max_iter
        self._every = max(1, max_iter // 20)
        self._bar = _progress_bar(name, max_iter)
        if self._bar is None and not logger.hasHandlers():
            # Asked to report by someone who has not set logging up.
            logger.addHandler(logging.StreamHandler())
            logger.setLevel(logging.INFO)

    def __call__(self, n_epochs, objective):
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_postfix(objective=f"{objective:.6g}", refresh=False)
        elif n_epochs == 1 or n_epochs % self._every == 0:
            logger.info("%s: epoch %d, objective %.8g", self.name, n_epochs, objective)
        return False

    def close(self):
        """Finish the progress bar."""
        if self._bar is not None:
            self._bar.close()


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

    def __init__(self, model, X, context):
        self._model = model
        self._X = X
        self._training = self._begin(context, "training", model.max_iter)
        self._epoch = self._begin(self._training, "epoch")

    def __call__(self, n_epochs, objective):
        stop = _end(self._model, self._X, self._epoch)
        more = not stop and n_epochs < self._model.max_iter
        self._epoch = self._begin(self._training, "epoch") if more else None
        return stop

    def close(self):
        """End the tasks that are still open."""
        if self._epoch is not None:
            _end(self._model, self._X, self._epoch)
        _end(self._model, self._X, self._training)

    def _begin(self, parent, name, max_subtasks=0):
        task = parent.subcontext(task_name=name, max_subtasks=max_subtasks)
        task.call_on_fit_task_begin(estimator=self._model, X=self._X)
        return task


def _end(model, X, context):
    """End a task; callbacks that ask for it get a copy of the model as it stands."""

    def fitted_attributes():
        names = [name for name in vars(model) if name.endswith("_") and name[0] != "_"]
        return {name: deepcopy(getattr(model, name)) for name in names}

    return context.call_on_fit_task_end(
        estimator=model, X=X, reconstruction_attributes=fitted_attributes
    )


@contextmanager
def callback_context(model, twin, X):
    """The task of a whole fit of `twin`, or None when `model` has no callbacks."""
    if not getattr(model, "_skl_callbacks", None):
        yield None
        return
    context = model._init_callback_context(max_subtasks=model.n_init)
    context.call_on_fit_task_begin(estimator=model, X=X)
    yield context
    _end(twin, X, context)


@contextmanager
def watching(model, task):
    """The reporters that the parameters and the callbacks of `model` ask for."""
    reporters = []
    if model.verbose:
        reporters.append(ProgressReport(type(model).__name__, model.max_iter))
    if task.context is not None:
        reporters.append(CallbackReport(model, task.X, task.context))
    try:
        yield reporters
    finally:
        for reporter in reporters:
            reporter.close()


def _progress_bar(name, max_iter):
    """A tqdm bar if there is a terminal to show it on and tqdm is installed."""
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=max_iter, desc=name, unit="epoch")
