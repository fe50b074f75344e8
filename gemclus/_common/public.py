"""Names under which public things are known to pickles, messages and documents."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any


def publish(room: str, namespace: dict[str, Any], names: Iterable[str]) -> None:
    """Let the classes and functions of a room name the room as their module.

    Pickles, trust lists and error messages then hold ``gemclus.linear.RIM``, which
    stays when files move, and not the private file that defines it.

    Parameters
    ----------
    room : str
        Name of the public module, its ``__name__``.
    namespace : dict
        Its ``globals()``.
    names : list of str
        What it publishes; names of constants and modules are passed over.
    """
    for name in names:
        thing = namespace[name]
        if inspect.isclass(thing) or inspect.isfunction(thing):
            thing.__module__ = room
