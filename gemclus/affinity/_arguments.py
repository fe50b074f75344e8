"""Checks of what users give as a kernel or metric, and calls of their callables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any

from scipy.sparse import issparse

from gemclus._common.typing import Parameters
from gemclus._common.validation import (
    check_sparse_matrix,
    check_square_matrix,
    check_symmetric_matrix,
)
from gemclus.affinity._objects import AffinityRows, SparseKernel

# What `sklearn.metrics.pairwise_kernels` and `pairwise_distances` take for
# themselves, and do not pass to the function of the name.
_PAIRWISE = ("n_jobs", "filter_params", "force_all_finite", "ensure_all_finite")


def check_argument(
    argument: str, value: Any, params: Any, names: Iterable[str]
) -> None:
    """Refuse a kernel or metric that is no name and no callable, or its parameters.

    Parameters
    ----------
    argument : str
        What messages call `value`; its parameters are ``<argument>_params``.
    value : object
        What the user gave.
    params : object
        The parameters that the user gave, None for none.
    names : iterable of str
        The names that exist.

    Raises
    ------
    TypeError, ValueError
        If either is not what it should be.
    """
    if params is not None:
        keys = list(params) if isinstance(params, Mapping) else [None]
        if not all(isinstance(key, str) for key in keys):
            raise TypeError(
                f"{argument}_params must be a dict of parameters by their names, or "
                f"None, got {_described(params)}"
            )
    if callable(value):
        return
    choices = sorted(names)
    if not isinstance(value, str):
        remedy = ""
        if "precomputed" in choices and getattr(value, "ndim", 0) == 2:
            remedy = f": a matrix is the y of fit, with {argument}='precomputed'"
        elif hasattr(value, "transform"):
            remedy = ": a transformer is a feature map, which only kernels can be"
        raise TypeError(
            f"{argument} must be a callable or one of {choices}, got "
            f"{_described(value)}{remedy}"
        )
    if value not in choices:
        raise ValueError(
            f"{argument} must be a callable or one of {choices}, got {value!r}"
        )


def is_named(value: Any, name: str) -> bool:
    """Whether a kernel or metric is this name; arrays are not compared."""
    return isinstance(value, str) and value == name


def check_named_params(
    argument: str,
    name: str,
    function: Callable[..., Any],
    params: Mapping[str, Any],
    besides: Iterable[str] = _PAIRWISE,
) -> None:
    """Refuse parameters that the function behind a name does not take."""
    known = [key for key in signature(function).parameters if key not in ("X", "Y")]
    unknown = [key for key in params if key not in (*known, *besides)]
    if unknown and not params.get("filter_params"):
        raise ValueError(
            f"{argument}_params {dict(params)!r} do not fit {argument}={name!r}, which "
            f"takes {known or 'none'}, not {unknown}"
        )


def call_square(
    argument: str, function: Callable[..., Any], params: Parameters, X: Any
) -> tuple[Any, str]:
    """``function(X, **params)``, or ``function(X, X, **params)`` if it needs two.

    Returns
    -------
    result : object
        What the callable returned, unchecked.
    call : str
        How messages write the call.
    """
    one, two = f"{argument}(X)", f"{argument}(X, X)"
    if _binds(function, (X,), params) or not _binds(function, (X, X), params):
        return _call(argument, function, (X,), params, one), one
    return _call(argument, function, (X, X), params, two), two


def call_cross(
    argument: str, function: Callable[..., Any], params: Parameters, X: Any, Y: Any
) -> tuple[Any, str]:
    """``function(X, Y, **params)``, and how messages write the call."""
    call = f"{argument}(X, Y)"
    return _call(argument, function, (X, Y), params, call), call


def _call(argument, function, given, params, call):
    params = params or {}
    if _binds(function, given, params):
        return function(*given, **params)
    shown = f"{_name_of(function)}{signature(function)}"
    if params and _binds(function, given, {}, partial=True):
        raise ValueError(
            f"{argument}_params {dict(params)!r} do not fit {argument}={shown}"
        )
    raise ValueError(f"{argument} is called as {call}, which does not fit {shown}")


def _binds(function, given, params, partial=False):
    """Whether a call would reach the body of the function."""
    try:
        parameters = signature(function)
    except (TypeError, ValueError):  # some built-in functions have none
        return True
    bind = parameters.bind_partial if partial else parameters.bind
    try:
        bind(*given, **(params or {}))
    except TypeError:
        return False
    return True


def _name_of(function):
    return getattr(function, "__qualname__", None) or repr(function)


def _described(value):
    """Few words for a value of the wrong kind."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{type(value).__name__} of shape {shape}"
    return f"{value!r} ({type(value).__name__})"


def precomputed_matrix(
    y: Any, n_samples: int, argument: str, keep_sparse: bool = False
) -> Any:
    """The matrix of ``<argument>="precomputed"``, checked.

    Parameters
    ----------
    y : object
        What the user gave as the matrix.
    n_samples : int
        N.
    argument : str
        ``"kernel"`` or ``"metric"``.
    keep_sparse : bool, default=False
        Whether a sparse matrix is returned as a CSR array; else it is refused.

    Returns
    -------
    matrix : ndarray or csr_array of shape (N, N)
        Finite floats, symmetric.
    """
    if y is None:
        raise ValueError(
            f"{argument}='precomputed' needs the matrix of shape "
            f"({n_samples}, {n_samples}) as y, got None"
        )
    if isinstance(y, AffinityRows):
        y = y.square()
    if isinstance(y, SparseKernel):
        y = y.array
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if len(shape) == 2 and shape[0] == n_samples < shape[1]:
        kind = "Distances" if argument == "metric" else "DenseKernel"
        if issparse(y) and argument == "kernel":
            kind = "SparseKernel"
        raise ValueError(
            f"{argument}='precomputed' needs y of shape ({n_samples}, {n_samples}), "
            f"got {shape}: if these are the rows of a cross-validation, give it "
            f"y=gemclus.affinity.{kind}(matrix), whose rows know their columns"
        )
    if issparse(y) and not keep_sparse:
        _refuse_sparse(argument)
    check = check_sparse_matrix if issparse(y) else check_square_matrix
    matrix = check(y, n_samples, "y")
    check_symmetric_matrix(matrix, "y")
    return matrix


def _refuse_sparse(argument):
    if argument == "metric":
        raise TypeError(
            "metric='precomputed' needs all distances, got a sparse matrix: if entries "
            "that it does not store are distances of 0, give y.toarray(); if it is a "
            "graph, give the lengths of its paths, as those of "
            "scipy.sparse.csgraph.shortest_path(y)"
        )
    raise TypeError(
        "kernel='precomputed' must be a dense matrix here, got a sparse one: give "
        "y.toarray()"
    )
