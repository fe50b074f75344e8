"""What a training leaves on a model: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from gemclus._common.interruption import TrainingInterrupted


@contextmanager
def in_training(model: Any, goes_on: bool = False) -> Iterator[Any]:
    """A twin of `model` to train, whose state becomes the model's at the end.

    After an error the model is what it was before. After Ctrl-C it is what the
    twin is, if that has got as far as weights, and `TrainingInterrupted` carries
    it.

    Parameters
    ----------
    model : DiscriminativeModel
        Its constructor's arguments and callbacks are shared and never changed.
    goes_on : bool, default=False
        Whether the training starts from the model's weights: the twin then gets
        copies of them, and of all other state.
    """
    twin = twin_of(model, goes_on)
    try:
        yield twin
    except TrainingInterrupted as interruption:
        adopt(model, twin)
        interruption.model = model
        raise
    except KeyboardInterrupt as interruption:
        raise TrainingInterrupted(
            "training was interrupted before it began; the model is as it was before",
            model,
        ) from interruption
    adopt(model, twin)


@contextmanager
def finished(model: Any, X: Any) -> Iterator[None]:
    """Set what follows from the weights, at the end of a training or after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        if not hasattr(model, "optimiser_"):
            raise
        model._finish_fit(X)
        if isinstance(interruption, TrainingInterrupted):
            raise
        raise TrainingInterrupted(
            f"training was interrupted after {model.n_iter_} epochs; the model is kept "
            "as it was then"
        ) from interruption
    model._finish_fit(X)


def twin_of(model: Any, apart: bool = False) -> Any:
    """A model with the same attributes, or with copies of them if `apart`."""
    twin = object.__new__(type(model))
    vars(twin).update(vars(model))
    if apart:
        memo: dict[int, Any] = {}
        given = _given(model)
        for name, value in vars(model).items():
            if name not in given and not _is_callback(name):
                vars(twin)[name] = _copied(value, memo)
    return twin


def adopt(model: Any, trained: Any) -> None:
    """Let `model` have what `trained` has, but for what the user gave it."""
    given = _given(model)

    def learnt(some: Any) -> dict[str, Any]:
        return {
            name: value
            for name, value in vars(some).items()
            if name not in given and not _is_callback(name)
        }

    vars(trained).pop("_retained", None)
    new = learnt(trained)
    for name in learnt(model):
        if name not in new:
            delattr(model, name)
    vars(model).update(new)


def _given(model: Any) -> set[str]:
    """Names of the arguments of the constructor."""
    return set(model.get_params(deep=False))


def _is_callback(name: str) -> bool:
    """Whether an attribute is scikit-learn's, about the callbacks of the user."""
    return name.startswith(("_skl_callback", "_callback_", "_parent_callback"))


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return deepcopy(value, memo)
    except Exception:  # a lock, a file: nothing that a training changes
        return value
