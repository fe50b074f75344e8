"""Ctrl-C that leaves a usable model, and workers that end with who needs them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
# Seconds between two looks at whether the parent is still there.
_LOOK_EVERY = 0.5


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a training; the model is kept as it was then.

    It is a `KeyboardInterrupt`, so searches, loops and notebooks stop.

    Parameters
    ----------
    message : str, default=""
        Says when the training was ended.
    model : object, default=None
        The model, with the weights that it had by then.

    Attributes
    ----------
    model : object
        As given: for ``m = Model().fit(X)``, where no name has been given to it.

    See Also
    --------
    DiscriminativeModel : The models whose trainings it ends.

    Examples
    --------
    >>> from gemclus import TrainingInterrupted
    >>> from gemclus.gemini import MI
    >>> from gemclus.linear import LinearModel
    >>> class Interrupted(MI):
    ...     def evaluate(self, y_pred, affinity=None, return_grad=False):
    ...         raise KeyboardInterrupt  # as Ctrl-C does
    >>> try:
    ...     LinearModel(2, gemini=Interrupted()).fit([[0.0], [0.1], [1.0]])
    ... except TrainingInterrupted as error:
    ...     print(error, error.model.predict([[0.5]]).shape)
    training was interrupted after 0 epochs; the model is kept as it was then (1,)
    """

    def __init__(self, message: str = "", model: Any = None) -> None:
        super().__init__(message)
        self.model = model


def run_for(parent: int, function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in a worker, which ends when the process `parent` does.

    A killed process takes no worker along, and theirs would go on to the end of
    trainings that nobody waits for. Only children of `parent` are watched: neither
    `parent` itself, where threads are the workers, nor other machines, nor Windows,
    where a process keeps the number of a parent that is gone.

    Parameters
    ----------
    parent : int
        Number of the process that hands out the work: ``os.getpid()`` there.
    function, *arguments
        What to call.

    Returns
    -------
    result : object
        What the function returns.
    """
    # `getppid` is another number already where the parent ended before this.
    starter = multiprocessing.parent_process()
    if starter is None or starter.pid != parent or os.name != "posix":
        return function(*arguments)
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if os.getppid() != parent:
                os._exit(1)
            done.wait(_LOOK_EVERY)

    threading.Thread(target=watch, daemon=True).start()
    try:
        return function(*arguments)
    finally:
        done.set()
