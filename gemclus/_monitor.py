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
            if self._best is None or objective > self._best + self.tol * abs(self._best):
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
    """Calls the callbacks set on a model, with an epoch as a task of the fit.

    Parameters
    ----------
    model : DiscriminativeModel
        The model in training.
    X : ndarray of shape (N, D)
        The training data, passed on to callbacks that ask for it.
    """

    def __init__(self, model, X):
        self._model = model
        self._X = X
        self._fit = model._init_callback_context(max_subtasks=model.max_iter)
        self._fit.call_on_fit_task_begin(estimator=model, X=X)
        self._epoch = self._begin()

    def __call__(self, n_epochs, objective):
        stop = self._end(self._epoch)
        self._epoch = self._begin() if n_epochs < self._model.max_iter else None
        return stop

    def close(self):
        """End the tasks that are still open."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._model)
        self._end(self._fit)

    def _begin(self):
        epoch = self._fit.subcontext(task_name="epoch")
        epoch.call_on_fit_task_begin(estimator=self._model, X=self._X)
        return epoch

    def _end(self, context):
        return context.call_on_fit_task_end(
            estimator=self._model,
            X=self._X,
            reconstruction_attributes=self._fitted_attributes,
        )

    def _fitted_attributes(self):
        attributes = vars(self._model).items()
        return {
            name: deepcopy(value)
            for name, value in attributes
            if name.endswith("_") and not name.startswith("_")
        }


@contextmanager
def watching(model, X):
    """The reporters that the parameters and the callbacks of `model` ask for."""
    reporters = []
    if model.verbose:
        reporters.append(ProgressReport(type(model).__name__, model.max_iter))
    if getattr(model, "_skl_callbacks", None):
        reporters.append(CallbackReport(model, X))
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
