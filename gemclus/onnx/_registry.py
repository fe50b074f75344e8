"""Registry of the functions that write estimators."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gemclus._common.validation import check_choice

#: What an estimator may be to the one that follows it.
RESULTS = ("columns", "label", "probabilities")

# Methods that make the result. A derived class that has its own is another model.
_OF_MODELS = (
    "predict",
    "predict_proba",
    "apply",
    "_infer",
    "_hidden",
    "_output",
    "_kernel",
    "_predictions",
    "_soft_trees",
)

# A function that writes an estimator.
Write = TypeVar("Write", bound=Callable[..., Any])

_CONVERTERS: dict[type, Converter] = {}


@dataclass(frozen=True)
class Converter:
    """A function that writes an estimator, and what it is given and gives."""

    write: Callable[..., Any]
    gives: str
    takes_table: bool


def converter(
    cls: type, *, gives: str = "columns", takes_table: bool = False
) -> Callable[[Write], Write]:
    """Register the function that writes a class as nodes of a graph.

    Parameters
    ----------
    cls : type
        The class of a model, or of a step of a pipeline. Classes derived from it
        are written alike, unless they have a `transform`, `predict`,
        `predict_proba` or `_infer` of their own.
    gives : {"columns", "probabilities", "label"}, default="columns"
        What the function returns the name of: for a step its (n, features)
        columns; for a model its (n, K) probabilities, or, where it has none, its
        (n,) labels of type int64.
    takes_table : bool, default=False
        Whether the function takes the columns one by one, text among them.

    Returns
    -------
    decorator : callable
        For a function ``write(graph, estimator, X)``, with a `Graph`, the fitted
        estimator, and the name of the (n, features) tensor it reads.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.

    See Also
    --------
    to_onnx : Writes models and pipelines.

    Examples
    --------
    A step of a pipeline that takes logarithms:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, TransformerMixin
    >>> from gemclus.onnx import converter
    >>> class Logarithm(TransformerMixin, BaseEstimator):
    ...     def fit(self, X, y=None):
    ...         return self
    ...     def transform(self, X):
    ...         return np.log(X)
    >>> @converter(Logarithm)
    ... def write_logarithm(graph, step, X):
    ...     return graph.node("Log", X)
    """
    if not inspect.isclass(cls):
        raise TypeError(f"cls must be a class, got {cls!r}")
    check_choice("gives", gives, RESULTS)

    def register(write: Write) -> Write:
        if not callable(write):
            raise TypeError(f"the converter of {cls.__name__} must be a function")
        _CONVERTERS[cls] = Converter(write, gives, takes_table)
        return write

    return register


def find_converter(estimator: Any, is_step: bool = False) -> Converter:
    """The converter of an estimator, or a TypeError that names it.

    Of a step in the middle of a pipeline, `transform` is what counts.
    """
    cls = type(estimator)
    for base in cls.__mro__:
        if base not in _CONVERTERS:
            continue
        found = _CONVERTERS[base]
        decisive = () if found.gives == "columns" else _OF_MODELS
        if is_step or found.gives == "columns":
            decisive = ("transform", *decisive)
        own = [name for name in decisive if _differs(cls, base, name)]
        if own:
            raise TypeError(
                f"{cls.__name__} has a {own[0]} of its own, so it cannot be written as "
                f"the {base.__name__} it derives from: register a function for it with "
                "gemclus.onnx.converter"
            )
        return found
    known = ", ".join(sorted(known.__name__ for known in _CONVERTERS))
    raise TypeError(
        f"{cls.__name__} cannot be written as ONNX: register a function for it with "
        f"gemclus.onnx.converter. Known are {known}"
    )


def _differs(cls: type, base: type, name: str) -> bool:
    missing = object()
    own = inspect.getattr_static(cls, name, missing)
    return own is not inspect.getattr_static(base, name, missing)
