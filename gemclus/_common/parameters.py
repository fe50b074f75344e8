"""Constructors that only store what they are given."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from types import CodeType
from typing import Any

# The default `init` of the package's own models. It is no literal, so that `store`
# can tell it from the same text that a derived constructor passes on.
KMEANS_START = str(b"k-means++", "ascii")


def store(model: Any, arguments: dict[str, Any]) -> None:
    """Store the arguments of a constructor as attributes of their names.

    The last line of a constructor is ``store(self, locals())``.

    A derived constructor that does not take all of them may leave the others to
    attributes of its class, such as ``tol = 1e-4``: these are not hidden by the
    defaults of the constructor that it calls.

    Parameters
    ----------
    model : object
        The new estimator.
    arguments : dict
        What `locals` has at the top of the constructor.
    """
    running = sys._getframe(1).f_code
    hidden = ("self", "__class__")
    given = {name: value for name, value in arguments.items() if name not in hidden}
    cls = type(model)
    if getattr(cls.__init__, "__code__", None) is not running:
        left = _left_to_the_class(cls, running)  # type: ignore[arg-type]
        for name, default in left.items():
            if given[name] is default:
                del given[name]
    vars(model).update(given)


@cache
def _left_to_the_class(cls: type, running: CodeType) -> dict[str, Any]:
    """Arguments that `cls` may have as attributes instead, with their defaults.

    Those that its own constructor does not take and which it, or a class between
    it and the one whose constructor is `running`, has as an attribute. What comes
    after the published arguments, by keyword only, may lie further up as well.
    """
    taken = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    derived: set[str] = set()
    for base in cls.__mro__:
        init: Any = vars(base).get("__init__")
        if getattr(init, "__code__", None) is running:
            break
        derived.update(vars(base))
    return {
        p.name: p.default
        for p in inspect.signature(init).parameters.values()
        if p.default is not p.empty
        and p.name not in taken
        and (p.name in derived or (p.kind is p.KEYWORD_ONLY and hasattr(cls, p.name)))
    }
