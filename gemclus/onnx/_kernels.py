"""Kernels of scikit-learn between the samples of a graph and stored ones.

All are computed in float64, as distances by differences of squares need.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics.pairwise import KERNEL_PARAMS

_WRITERS: dict[str, Callable[..., Any]] = {}


def write_kernel(graph, X, Y, kernel, params, of, centred=False):
    """``kappa(X, Y)`` as an (n, m) tensor of float64.

    Parameters
    ----------
    graph : Graph
    X : str
        The (n, D) tensor.
    Y : ndarray or sparse matrix of shape (m, D)
        The stored samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`.
    params : dict or None
        Its arguments; those of other kernels are passed over.
    of : str
        Who asks, for messages.
    centred : bool, default=False
        Whether squares of distances are those of samples less the mean of `Y`, as
        in this package, or of the samples as they are, as in scikit-learn.

    Raises
    ------
    TypeError
        If the kernel has no name, or is ``"precomputed"``.
    """
    if not isinstance(kernel, str):
        raise TypeError(
            f"the kernel of {of} is {kernel!r}, and a callable cannot be written as "
            f"ONNX: name one of {sorted(_WRITERS)}"
        )
    if kernel not in _WRITERS:
        raise TypeError(
            f"the kernel of {of} is {kernel!r}, which cannot be written as ONNX: use "
            f"one of {sorted(_WRITERS)}"
        )
    if issparse(Y):
        Y = Y.toarray()
    params = {
        name: value
        for name, value in (params or {}).items()
        if name in KERNEL_PARAMS[kernel]
    }
    X = graph.cast(X, np.float64)
    if centred and kernel == "rbf":
        offset = Y.mean(axis=0)
        X = graph.node("Sub", X, graph.constant(offset, "the mean", np.float64))
        Y = Y - offset
    return _WRITERS[kernel](_Pair(graph, X, Y, f"the samples of {of}"), **params)


class _Pair:
    """Samples of a graph and stored ones, and what kernels are made of."""

    def __init__(self, graph, X, Y, what):
        self.graph, self.X, self.what = graph, X, what
        self.Y = np.asarray(Y, dtype=np.float64)
        self.n_features = Y.shape[1]

    def number(self, value):
        return self.graph.constant(value, "an argument of the kernel", np.float64)

    def node(self, operator, *inputs, **attributes):
        inputs = [x if isinstance(x, str) else self.number(x) for x in inputs]
        return self.graph.node(operator, *inputs, **attributes)

    def gamma(self, gamma):
        return 1.0 / self.n_features if gamma is None else gamma

    def inner(self, X=None, Y=None):
        Y = self.Y if Y is None else Y
        Y = self.graph.constant(Y.T, self.what, np.float64)
        return self.node("MatMul", self.X if X is None else X, Y)

    def sum(self, tensor, axis, keepdims=1):
        axes = self.graph.constant(np.array([axis]))
        return self.node("ReduceSum", tensor, axes, keepdims=keepdims)

    def squares(self):
        return self.sum(self.node("Mul", self.X, self.X), 1)

    def pairs(self):
        """Samples as (n, 1, D) and (1, m, D): memory O(n m D)."""
        middle = self.graph.constant(np.array([1]))
        Y = self.graph.constant(self.Y[None], self.what, np.float64)
        return self.node("Unsqueeze", self.X, middle), Y


def _writer(*names):
    def register(function):
        _WRITERS.update(dict.fromkeys(names, function))
        return function

    return register


@_writer("linear")
def _linear(pair):
    return pair.inner()


@_writer("poly", "polynomial")
def _polynomial(pair, degree=3, gamma=None, coef0=1):
    inner = pair.node("Mul", pair.inner(), pair.gamma(gamma))
    return pair.node("Pow", pair.node("Add", inner, coef0), degree)


@_writer("sigmoid")
def _sigmoid(pair, gamma=None, coef0=1):
    inner = pair.node("Mul", pair.inner(), pair.gamma(gamma))
    return pair.node("Tanh", pair.node("Add", inner, coef0))


@_writer("cosine")
def _cosine(pair):
    norms = pair.node("Sqrt", pair.squares())
    is_zero = pair.graph.node("Equal", norms, pair.number(0.0), dtype=bool)
    norms = pair.graph.node("Where", is_zero, pair.number(1.0), norms, dtype=np.float64)
    lengths = np.linalg.norm(pair.Y, axis=1, keepdims=True)
    lengths[lengths == 0.0] = 1.0
    return pair.inner(pair.node("Div", pair.X, norms), pair.Y / lengths)


@_writer("rbf")
def _rbf(pair, gamma=None):
    inner = pair.node("Mul", pair.inner(), -2.0)
    distances = pair.node("Add", inner, pair.squares())
    distances = pair.node("Add", distances, (pair.Y**2).sum(axis=1))
    distances = pair.node("Max", distances, 0.0)
    return pair.node("Exp", pair.node("Mul", distances, -pair.gamma(gamma)))


@_writer("laplacian")
def _laplacian(pair, gamma=None):
    gaps = pair.node("Abs", pair.node("Sub", *pair.pairs()))
    distances = pair.sum(gaps, 2, keepdims=0)
    return pair.node("Exp", pair.node("Mul", distances, -pair.gamma(gamma)))


@_writer("additive_chi2")
def _additive_chi2(pair):
    X, Y = pair.pairs()
    gaps, sums = pair.node("Sub", X, Y), pair.node("Add", X, Y)
    is_zero = pair.graph.node("Equal", sums, pair.number(0.0), dtype=bool)
    sums = pair.graph.node("Where", is_zero, pair.number(1.0), sums, dtype=np.float64)
    ratios = pair.node("Div", pair.node("Mul", gaps, gaps), sums)
    zero = pair.number(0.0)
    ratios = pair.graph.node("Where", is_zero, zero, ratios, dtype=np.float64)
    return pair.node("Neg", pair.sum(ratios, 2, keepdims=0))


@_writer("chi2")
def _chi2(pair, gamma=1.0):
    return pair.node("Exp", pair.node("Mul", _additive_chi2(pair), gamma))
