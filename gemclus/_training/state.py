"""A training leaves all of its state on a model, or nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np

from gemclus._common.interruption import TrainingInterrupted
from gemclus.optim import Optimiser


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
        with underflows():
            yield twin
    except KeyboardInterrupt as interruption:
        if isinstance(interruption, TrainingInterrupted):
            if has_weights(twin):
                adopt(model, twin)
            interruption.model = model
            raise
        raise TrainingInterrupted(
            "training was interrupted before it began; the model is as it was before",
            model,
        ) from interruption
    adopt(model, twin)


def underflows() -> Any:
    """Numbers too small to matter are 0, whatever `numpy.seterr` says."""
    return np.errstate(under="ignore")


def has_weights(model: Any) -> bool:
    """Whether a training has got as far as weights: the optimiser comes after them."""
    return hasattr(model, "optimiser_")


@contextmanager
def finished(model: Any, finish: Callable[[], None]) -> Iterator[None]:
    """Set what follows from the weights, at the end of a training or after Ctrl-C.

    `finish` does so.
    """
    try:
        yield
    except KeyboardInterrupt as interruption:
        if not has_weights(model):
            raise
        finish()
        if isinstance(interruption, TrainingInterrupted):
            raise
        raise TrainingInterrupted(
            f"training was interrupted after {model.n_iter_} epochs; the model is kept "
            "as it was then"
        ) from interruption
    finish()


def twin_of(model: Any, apart: bool = False) -> Any:
    """A model with the same attributes, or with copies of them if `apart`.

    Its arguments are Python's numbers where the user gave NumPy's, which overflow
    and have fewer methods.
    """
    twin = object.__new__(type(model))
    vars(twin).update(vars(model))
    for name in _parameters(type(model)):  # type: ignore[arg-type]
        if isinstance(value := vars(twin).get(name), np.generic):
            vars(twin)[name] = value.item()
    if apart:
        memo: dict[int, Any] = {}
        for name, value in _learnt(model).items():
            vars(twin)[name] = _copied(value, memo)
    return twin


def adopt(model: Any, trained: Any) -> None:
    """Let `model` have what `trained` has, but for what the user gave it."""
    vars(trained).pop("_retained", None)
    new = _learnt(trained)
    for name in _learnt(model):
        if name not in new:
            delattr(model, name)
    vars(model).update(new)


# Attributes that scikit-learn keeps about callbacks begin with one of these.
_CALLBACKS = ("_skl_callback", "_callback_", "_parent_callback")


@cache
def _parameters(cls: type) -> frozenset[str]:
    """Names of the arguments of a constructor, which take long to look up."""
    return frozenset(inspect.signature(cls.__init__).parameters)  # type: ignore[misc]


def _learnt(model: Any) -> dict[str, Any]:
    """The attributes that the user has not given: neither arguments of the
    constructor nor callbacks, which scikit-learn keeps under such names."""
    given = _parameters(type(model))  # type: ignore[arg-type]
    return {
        name: value
        for name, value in vars(model).items()
        if name not in given and not name.startswith(_CALLBACKS)
    }


def drop_callbacks(model: Any) -> None:
    """Take from a model the callbacks of the user, which may not pickle."""
    for name in [name for name in vars(model) if name.startswith(_CALLBACKS)]:
        delattr(model, name)


# Nothing changes them in place; generators may be the user's, who knows their state.
_SHARED = (int, float, str, bool, type(None), np.generic, np.random.RandomState)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """A copy that shares nothing a training changes; several times faster than
    `deepcopy` for the arrays and plain objects that most attributes are."""
    if isinstance(value, _SHARED):
        return value
    if id(value) not in memo:
        memo[id(value)] = _new_copy(value, memo)
    return memo[id(value)]


def _new_copy(value: Any, memo: dict[int, Any]) -> Any:
    if type(value) is np.ndarray and not value.dtype.hasobject:
        return value.copy(order="K")
    if type(value) in (list, tuple):
        return type(value)(_copied(entry, memo) for entry in value)
    if isinstance(value, Optimiser):
        twin = object.__new__(type(value))
        for name, entry in vars(value).items():
            vars(twin)[name] = _copied(entry, memo)
        return twin
    try:
        return deepcopy(value)
    except Exception:  # a lock, a file: nothing that a training changes
        return value
