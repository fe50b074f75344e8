"""Pickles that know the format they were written in."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, TypeVar

#: Format of the state of fitted models. Raise it when older releases of the
#: package would misread what `fit` leaves; `__setstate__` then converts the
#: states of older formats.
FORMAT = 1

_VERSION = version("gemclus")
_KEY = "_gemclus_format"
# Mark the state of a part of a model, and the entries of one that is a tuple.
_PART, _ITEMS = "_gemclus_part", "_gemclus_items"

# Classes of the package whose objects models keep, by what files call them.
_PARTS: dict[str, type] = {}
Part = TypeVar("Part", bound=type)


def stored_as_state(cls: Part) -> Part:
    """Let models store their objects of a class as a dict of plain values.

    A model then is a file of one class and of arrays, and this one class is all that
    a reader has to trust. Derived classes, which may be anyone's, are left as they
    are.
    """
    _PARTS[cls.__name__] = cls
    return cls


def _stored(value: Any) -> Any:
    name = type(value).__name__
    if _PARTS.get(name) is not type(value):
        return value
    state = {key: _stored(entry) for key, entry in vars(value).items()}
    if isinstance(value, tuple):
        state[_ITEMS] = list(value)
    return {_PART: name, **state}


def _restored(value: Any) -> Any:
    if type(value) is not dict or _PART not in value:
        return value
    if value[_PART] not in _PARTS:
        raise ValueError(f"the file holds an unknown part, {value[_PART]!r}")
    state = {key: _restored(entry) for key, entry in value.items()}
    cls = _PARTS[state.pop(_PART)]
    items = state.pop(_ITEMS, None)
    part: Any = object.__new__(cls) if items is None else tuple.__new__(cls, items)
    if hasattr(part, "__setstate__"):
        part.__setstate__(state)
    else:
        vars(part).update(state)
    return part


class VersionedStateMixin:
    """Models whose pickles are refused by releases too old to read them."""

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        state = {name: _stored(value) for name, value in state.items()}
        state[_KEY] = (FORMAT, _VERSION)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = {name: _restored(value) for name, value in state.items()}
        found, writer = state.pop(_KEY, (FORMAT, None))
        if found > FORMAT:
            raise ValueError(
                f"this {type(self).__name__} was pickled by gemclus {writer} in format "
                f"{found}, but gemclus {_VERSION} reads formats up to "
                f"{FORMAT}: upgrade gemclus or fit the model again"
            )
        super().__setstate__(state)  # type: ignore[misc]
