"""Ctrl-C that leaves a usable model."""

from __future__ import annotations

from typing import Any


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
