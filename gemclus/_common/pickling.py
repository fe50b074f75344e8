"""Pickles that know the format they were written in."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

#: Format of the state of fitted models. Raise it when older releases of the
#: package would misread what `fit` leaves; `__setstate__` then converts the
#: states of older formats.
FORMAT = 1

_VERSION = version("gemclus")
_KEY = "_gemclus_format"


class VersionedStateMixin:
    """Models whose pickles are refused by releases too old to read them."""

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        state[_KEY] = (FORMAT, _VERSION)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        found, writer = state.pop(_KEY, (FORMAT, None))
        if found > FORMAT:
            raise ValueError(
                f"this {type(self).__name__} was pickled by gemclus {writer} in format "
                f"{found}, but gemclus {_VERSION} reads formats up to "
                f"{FORMAT}: upgrade gemclus or fit the model again"
            )
        super().__setstate__(state)  # type: ignore[misc]
