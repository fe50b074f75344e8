"""Data that are not in this process: the arrays and frames of dask."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def is_dask(data: Any) -> bool:
    """Whether some data are a dask array, frame or series; imports nothing."""
    return any(
        isinstance(data, getattr(sys.modules.get(module), name, ()))
        for module, name in _COLLECTIONS
    )


_COLLECTIONS = [
    ("dask.array", "Array"),
    ("dask.dataframe", "DataFrame"),
    ("dask.dataframe", "Series"),
]


def dask_room() -> Any:
    """The room that trains and predicts on them: above those that ask for it."""
    return import_module("gemclus.dask")
