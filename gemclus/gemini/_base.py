"""The interface of every objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from inspect import Parameter, signature
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse

from gemclus._common.estimators import BaseEstimator
from gemclus._common.typing import ArrayLike
from gemclus.affinity import Affinity, SampleIndices


class GEMINI(BaseEstimator, ABC):
    """Base class of the objectives: generalised mutual informations.

    A GEMINI measures how much the cluster memberships ``p(y | x)`` depend on
    the data, as an expected distance between distributions of the data:

    - one-vs-all (OvA): ``E_k D(p(x | y=k) || p(x))``;
    - one-vs-one (OvO): ``E_{k,l} D(p(x | y=k) || p(x | y=l))``.

    To make one's own, define `compute_affinity` and `evaluate`; every model
    then accepts an instance as its ``gemini``.

    See Also
    --------
    MMDGEMINI, WassersteinGEMINI : Objectives of kernels and distances.
    KLGEMINI, TVGEMINI, HellingerGEMINI, ChiSquareGEMINI : f-divergences.
    gemclus.testing.check_gemini : Checks one of one's own.

    Notes
    -----
    Conventions that all objectives of this package keep:

    - a GEMINI is **maximised**;
    - ``y_pred`` is clipped to ``[epsilon, 1 - epsilon]`` before anything else,
      and the gradient is 0 where it was clipped;
    - its entries are taken as free variables: rows need not sum to 1;
    - the value is 0 when all rows of ``y_pred`` are equal, for one cluster and
      for one sample; empty clusters change nothing;
    - inputs are never modified; a float32 ``y_pred`` gives a float32 gradient,
      with sums kept in float64.

    Examples
    --------
    The Gini impurity of the proportions, less that of each sample:

    >>> import numpy as np
    >>> from gemclus.gemini import GEMINI
    >>> class Gini(GEMINI):
    ...     def compute_affinity(self, X, y=None):
    ...         return None
    ...     def evaluate(self, y_pred, affinity, return_grad=False):
    ...         centred = y_pred - y_pred.mean(axis=0)
    ...         value = (centred**2).sum() / len(y_pred)
    ...         return (value, 2 * centred / len(y_pred)) if return_grad else value
    >>> float(Gini()(np.array([[1.0, 0.0], [0.0, 1.0]]), None))
    0.5
    """

    @abstractmethod
    def compute_affinity(self, X: Any, y: Any = None) -> Any:
        """Compute what the objective needs to know of the data.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples.
        y : array-like of shape (N, N), default=None
            The matrix itself, for precomputed affinities.

        Returns
        -------
        affinity : ndarray of shape (N, N) or None
            Kernel or distances between samples; None for f-divergences.
        """

    if TYPE_CHECKING:
        # One's own may leave out `sample_weight`: this one fits all signatures.
        @abstractmethod
        def evaluate(self, *args: Any, **kwargs: Any) -> Any:
            """Evaluate the objective."""

    else:

        @abstractmethod
        def evaluate(
            self,
            y_pred: Any,
            affinity: Any,
            return_grad: bool = False,
            sample_weight: ArrayLike | None = None,
        ) -> Any:
            """Evaluate the objective.

            Parameters
            ----------
            y_pred : array-like of shape (N, K)
                Predictions: row i is ``p(y | x_i)``.
            affinity : ndarray of shape (N, N), affinity object or None
                What `compute_affinity` returned.
            return_grad : bool, default=False
                Whether to return the gradient as well.
            sample_weight : array-like of shape (N,), default=None
                Weights of the samples: not negative, not all zero. A sample of weight 0
                counts as removed, one of weight 2 as given twice, and a common factor
                changes nothing. None is 1 each. One's own objective need not take it:
                then its models refuse weights.

            Returns
            -------
            value : float
                The objective.
            gradient : ndarray of shape (N, K)
                Its derivative with respect to `y_pred`, if `return_grad`.
            """

    def __call__(
        self,
        y_pred: Any,
        affinity: Any,
        return_grad: bool = False,
        sample_weight: ArrayLike | None = None,
    ) -> Any:
        """Evaluate the objective: the same as `evaluate`."""
        if sample_weight is None:
            return self.evaluate(y_pred, affinity, return_grad)
        if _weight_argument(self.evaluate) is None:
            _refuse_weights(self)
        return self.evaluate(y_pred, affinity, return_grad, sample_weight=sample_weight)


def training_affinity(
    gemini: Any, X: Any, y: Any = None, minibatch: bool = False
) -> Any:
    """Affinity that one fit passes to the objective instead of an (N, N) array.

    Objectives of this package may define ``_training_affinity`` and return an
    affinity object that is cheaper than the matrix (factored, or computed for
    each minibatch). It is only used while `compute_affinity` is the
    package's own: an overridden one is always obeyed.
    """
    own = _owner(gemini, "_training_affinity")
    if own is not None and own is _owner(gemini, "compute_affinity"):
        return gemini._training_affinity(X, y, minibatch=minibatch)
    return _check_affinity(gemini, gemini.compute_affinity(X, y), X.shape[0])


def _check_affinity(gemini, affinity, n_samples):
    """Answer of a user's `compute_affinity`: None or an (N, N) matrix."""
    if affinity is None or isinstance(affinity, Affinity):
        came = getattr(affinity, "shape", None)
    elif issparse(affinity):
        came = "a sparse matrix: give its toarray()"
    else:
        affinity = np.asarray(affinity)
        came = affinity.shape
        if affinity.dtype.kind not in "fiub":
            came = f"dtype {affinity.dtype} of shape {came}"
    if affinity is not None and came != (n_samples, n_samples):
        raise ValueError(
            f"compute_affinity of {type(gemini).__name__} must return None or an array "
            f"of numbers of shape {(n_samples, n_samples)}, got {came}"
        )
    return affinity


def training_evaluator(gemini: Any) -> Callable[..., Any]:
    """A callable with the arguments of `evaluate`, owned by one fit.

    Objectives of this package may define ``_training_evaluator`` to keep
    state between calls; any other objective is given plain arrays.
    """
    own = _owner(gemini, "_training_evaluator")
    if own is not None and own is _owner(gemini, "evaluate"):
        return gemini._training_evaluator()

    knows_weights = False

    def evaluate(y_pred, affinity, return_grad=False, sample_weight=None):
        nonlocal knows_weights
        if isinstance(affinity, SampleIndices):
            affinity = None
        if affinity is not None:
            affinity = np.asarray(affinity)
        given = {}
        if sample_weight is not None:
            if not knows_weights:
                check_takes_weights(gemini, affinity, len(y_pred))
                knows_weights = True
            given = {"sample_weight": sample_weight}
        answer = gemini.evaluate(y_pred, affinity, return_grad, **given)
        return _check_answer(gemini, answer, y_pred, return_grad)

    return evaluate


def _check_answer(gemini, answer, y_pred, return_grad):
    """Answer of a user's `evaluate`: a number, or one and a gradient."""
    name = f"evaluate of {type(gemini).__name__}"
    value, gradient = answer, None
    if return_grad:
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ValueError(
                f"{name} must return (value, gradient) with return_grad=True, got "
                f"{_described(answer)}"
            )
        value, gradient = answer
        gradient = np.asarray(gradient)
        if gradient.shape != y_pred.shape or gradient.dtype.kind not in "fiu":
            raise ValueError(
                f"{name} must return a gradient of numbers with the shape of y_pred, "
                f"{y_pred.shape}, got {_described(answer[1])}"
            )
    if np.ndim(value) != 0 or not isinstance(value, (Real, np.number, np.ndarray)):
        raise ValueError(
            f"{name} must return one number as the value, got {_described(value)}"
        )
    return (float(value), gradient) if return_grad else float(value)


def _described(value):
    shape = getattr(value, "shape", None)
    if shape is None:
        return f"{type(value).__name__}"
    return f"{type(value).__name__} of shape {shape} and dtype {value.dtype}"


def as_scalar(answer: Any) -> Any:
    """An answer of `evaluate` with a NumPy scalar as the value.

    Code for the published interface reads ``loss.shape`` of it.
    """
    if isinstance(answer, tuple):
        return np.float64(answer[0]), answer[1]
    return np.float64(answer)


def decomposition(gemini: Any, affinity: Any) -> Any:
    """The objective as sums over blocks of rows, or None if it cannot be cut.

    Parameters
    ----------
    gemini : GEMINI
        The objective. Those of this package may define ``_decomposition``, which is
        obeyed while `evaluate` is the package's own.
    affinity : Affinity or None
        What the objective knows of the samples, in whole or of a block: a kernel must
        have a factor.

    Returns
    -------
    cut : gemclus.gemini._blocks.Decomposition or None
    """
    own = _owner(gemini, "_decomposition")
    if own is None or own is not _owner(gemini, "evaluate"):
        return None
    return gemini._decomposition(affinity)


def check_takes_weights(gemini: Any, affinity: Any, n_samples: int) -> None:
    """Refuse an objective whose `evaluate` has no use for sample weights.

    One that swallows any keyword is found out by the values that it gives.
    """
    argument = _weight_argument(gemini.evaluate)
    if argument is None:
        _refuse_weights(gemini)
    if argument == Parameter.VAR_KEYWORD and n_samples > 1:
        P = np.full((n_samples, 2), 0.1)
        P[np.arange(n_samples), np.arange(n_samples) % 2] = 0.9
        weights = np.arange(1.0, n_samples + 1.0) ** 2
        weighted = gemini.evaluate(P, affinity, False, sample_weight=weights)
        if float(weighted) == float(gemini.evaluate(P, affinity, False)):
            _refuse_weights(gemini)


def _weight_argument(evaluate: Callable[..., Any]) -> Any:
    """Kind of the `inspect.Parameter` that takes `sample_weight`, or None."""
    parameters = signature(evaluate).parameters
    if "sample_weight" in parameters:
        return parameters["sample_weight"].kind
    kinds = [parameter.kind for parameter in parameters.values()]
    return Parameter.VAR_KEYWORD if Parameter.VAR_KEYWORD in kinds else None


def _refuse_weights(gemini: Any) -> None:
    raise ValueError(
        f"{type(gemini).__name__}.evaluate does not take sample_weight: define "
        "evaluate(self, y_pred, affinity, return_grad=False, sample_weight=None), or "
        "give no weights"
    )


def _owner(instance: Any, name: str) -> type | None:
    """The class that defines the method which `instance` would use."""
    for cls in type(instance).__mro__:
        if name in vars(cls):
            return cls
    return None
