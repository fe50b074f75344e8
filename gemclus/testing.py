"""Checks for models and objectives of one's own: the proofs of the package's tests.

Each raises an `AssertionError` that says which entry is wrong, and by how much.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone

from gemclus._base import DiscriminativeModel
from gemclus._common.public import publish
from gemclus._common.typing import Floats, Seed
from gemclus._common.validation import (
    check_float,
    check_int,
    check_seed,
)
from gemclus.gemini import GEMINI

__all__ = ["check_gemini", "check_model_gradients", "numerical_gradient"]


def numerical_gradient(
    function: Callable[[], float], array: Floats, step: float = 2e-5
) -> Floats:
    """Differentiate a function of an array by central differences of order 4.

    Parameters
    ----------
    function : callable
        Called without arguments, returns a float that depends on `array`.
    array : ndarray of float64
        The variables. They are changed in place, and are at the end as before.
    step : float, default=2e-5
        Distance of the points. Short steps stay on one side of a kink, long ones
        lose fewer digits.

    Returns
    -------
    gradient : ndarray
        Of the shape of `array`. Costs four calls of `function` per entry.

    See Also
    --------
    check_model_gradients : Compare the gradients of a model with these.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.testing import numerical_gradient
    >>> x = np.array([1.0, 2.0])
    >>> numerical_gradient(lambda: float((x**3).sum()), x).round(6)
    array([ 3., 12.])
    """
    gradient = np.empty_like(array)
    for position in np.ndindex(array.shape):
        kept = array[position]
        values = {}
        for shift in (-2, -1, 1, 2):
            array[position] = kept + shift * step
            values[shift] = function()
        array[position] = kept
        difference = 8.0 * (values[1] - values[-1]) - (values[2] - values[-2])
        gradient[position] = difference / (12.0 * step)
    return gradient


def check_model_gradients(
    model: DiscriminativeModel,
    X: Any,
    y: Any = None,
    *,
    step: float = 2e-5,
    rtol: float = 1e-6,
    random_state: Seed = None,
) -> None:
    """Check the gradients of a model through the whole chain.

    Compares what `_compute_grads` returns for each array of `_get_weights` with
    finite differences of the objective through `_infer`.

    Parameters
    ----------
    model : DiscriminativeModel
        The model to check. A clone of it is used.
    X : array-like of shape (N, D)
        Samples; a dozen are enough. The cost is four evaluations of the objective
        for each number in the weights.
    y : array-like of shape (N, N), default=None
        Their kernel or distances, if the objective needs them precomputed.
    step : float, default=2e-5
        Distance of the points of the differences.
    rtol : float, default=1e-6
        Tolerated error, relative to the largest entry of each gradient.
    random_state : int, RandomState instance or None, default=None
        Given to `_init_params`; None takes the model's own.

    Raises
    ------
    AssertionError
        If a gradient is wrong; it names the entry and both values. Also if the
        objective does not depend on an array of weights at all.
    TypeError
        If `model` is not a `DiscriminativeModel`.

    See Also
    --------
    check_gemini : The same for an objective.
    gemclus.DiscriminativeModel : The hooks and their contracts.

    Notes
    -----
    A penalty on the weights has its value, and may add its gradient, in
    ``_smooth_penalty(X, gradients)``. Objectives with kinks (total variation,
    Wasserstein) can fail where a kink lies between the points of a difference: set
    `random_state`, or a shorter `step`.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.linear import LinearModel
    >>> from gemclus.testing import check_model_gradients
    >>> X = np.random.RandomState(0).normal(size=(10, 3))
    >>> check_model_gradients(LinearModel(2, gemini="mi"), X)
    """
    if not isinstance(model, DiscriminativeModel):
        raise TypeError(f"model must be a DiscriminativeModel, got {model!r}")
    step = check_float("step", step, 0.0, strict=True)
    rtol = check_float("rtol", rtol, 0.0, strict=True)
    model = clone(model)
    seed = model.random_state if random_state is None else random_state
    X = np.ascontiguousarray(X, dtype=np.float64)
    gemini = model.get_gemini()
    affinity = gemini.compute_affinity(X, y)
    model._init_params(check_seed(seed), X)
    weights = model._get_weights()

    def minus_objective():
        value = gemini.evaluate(model._infer(X, retain=False), affinity)
        return float(model._smooth_penalty(X)) - float(value)

    y_pred = model._infer(X, retain=True)
    _, slope = gemini.evaluate(y_pred, affinity, return_grad=True)
    gradients = model._compute_grads(X, y_pred, slope)
    if len(gradients) != len(weights):
        raise AssertionError(
            f"_compute_grads returns {len(gradients)} gradients for {len(weights)} "
            "arrays of _get_weights"
        )
    model._smooth_penalty(X, gradients)
    for position, (gradient, weight) in enumerate(zip(gradients, weights, strict=True)):
        expected = numerical_gradient(minus_objective, weight, step)
        name = f"entry {position} of _compute_grads"
        if not np.abs(expected).max() > 0:
            raise AssertionError(
                f"the objective does not depend on entry {position} of _get_weights: "
                "does _infer read another array?"
            )
        _compare(name, gradient, expected, rtol)


def check_gemini(
    gemini: GEMINI,
    *,
    n_samples: int = 12,
    n_clusters: int = 3,
    n_features: int = 2,
    rtol: float = 1e-6,
    step: float = 1e-5,
    random_state: Seed = 0,
) -> None:
    """Check an objective: its gradient, its invariances, and that it travels.

    Parameters
    ----------
    gemini : GEMINI
        The objective to check.
    n_samples : int, default=12
        Number of samples; a value and gradient is computed 4 N K times.
    n_clusters : int, default=3
        Number of clusters.
    n_features : int, default=2
        Number of features of the samples.
    rtol : float, default=1e-6
        Tolerated error of the gradient, relative to its largest entry.
    step : float, default=1e-5
        Distance of the points of the differences.
    random_state : int, RandomState instance or None, default=0
        Source of the predictions and the samples.

    Raises
    ------
    AssertionError
        If one of these does not hold, with the entry and both values:

        - `evaluate` returns one number, and with ``return_grad=True`` the same
          number and an array of the shape of ``y_pred``;
        - the gradient equals finite differences;
        - nothing that it is given is modified;
        - a permutation of the samples or of the clusters changes no value, and
          permutes the gradient;
        - predictions that are the same for all samples score 0;
        - it can be cloned and pickled.
    TypeError
        If `gemini` is not a `GEMINI`.

    See Also
    --------
    check_model_gradients : The same for a model.
    gemclus.gemini.GEMINI : The conventions of all objectives.

    Examples
    --------
    >>> from gemclus.gemini import TVGEMINI
    >>> from gemclus.testing import check_gemini
    >>> check_gemini(TVGEMINI(ovo=True))
    """
    if not isinstance(gemini, GEMINI):
        raise TypeError(f"gemini must be an instance of GEMINI, got {gemini!r}")
    N = check_int("n_samples", n_samples, 2)
    K = check_int("n_clusters", n_clusters, 2)
    D = check_int("n_features", n_features, 1)
    rtol = check_float("rtol", rtol, 0.0, strict=True)
    step = check_float("step", step, 0.0, strict=True)
    generator = check_seed(random_state)
    X = generator.normal(size=(N, D))
    P = np.exp(generator.normal(size=(N, K)))
    P /= P.sum(axis=1, keepdims=True)
    affinity = gemini.compute_affinity(X)
    _check_gradient(gemini, P, affinity, step, rtol)
    _check_permutations(gemini, P, affinity, rtol)
    same = np.tile(P[:1], (N, 1))
    value = float(gemini.evaluate(same, affinity))
    if not abs(value) <= 1e-9:
        raise AssertionError(
            "predictions that are the same for all samples must score 0, got "
            f"{value:.6g}"
        )
    expected = gemini.evaluate(P, affinity)
    for what, twin in (
        ("a clone", clone(gemini)),
        ("an unpickled copy", pickle.loads(pickle.dumps(gemini))),
    ):
        if twin.evaluate(P, affinity) != expected:
            raise AssertionError(f"{what} of {gemini!r} gives another value")


def _check_gradient(gemini, P, affinity, step, rtol):
    """Check the answers of `evaluate`, and that it leaves its inputs alone."""
    kept = P.copy(), None if affinity is None else np.array(affinity)
    value = gemini.evaluate(P, affinity)
    if not isinstance(value, Real) and np.shape(value) != ():
        raise AssertionError(f"evaluate must return one number, got {value!r}")
    answer = gemini.evaluate(P, affinity, return_grad=True)
    if not np.array_equal(P, kept[0]):
        raise AssertionError("evaluate modifies y_pred")
    if affinity is not None and not np.array_equal(affinity, kept[1]):
        raise AssertionError("evaluate modifies the affinity")
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise AssertionError(
            "evaluate must return (value, gradient) with return_grad=True, got "
            f"{type(answer).__name__}"
        )
    if answer[0] != value:
        raise AssertionError(
            f"evaluate returns {answer[0]!r} with a gradient and {value!r} without"
        )
    moved = P.copy()
    expected = numerical_gradient(
        lambda: float(gemini.evaluate(moved, affinity)), moved, step
    )
    _compare("the gradient of evaluate", answer[1], expected, rtol)


def _check_permutations(gemini, P, affinity, rtol):
    """No order of samples or clusters is special."""
    N, K = P.shape
    value, gradient = gemini.evaluate(P, affinity, return_grad=True)
    everything, clusters = np.arange(N), np.arange(K)
    for what, rows, columns in (
        ("samples", np.roll(everything, 1), clusters),
        ("clusters", everything, np.roll(clusters, 1)),
    ):
        shuffled = None if affinity is None else affinity[np.ix_(rows, rows)]
        other = gemini.evaluate(P[np.ix_(rows, columns)], shuffled, return_grad=True)
        if not np.isclose(other[0], value, rtol=1e-9, atol=1e-12):
            raise AssertionError(
                f"a permutation of the {what} changes the value from {value:.12g} to "
                f"{other[0]:.12g}"
            )
        name = f"the gradient after a permutation of the {what}"
        _compare(
            name, _tangent(other[1]), _tangent(gradient[np.ix_(rows, columns)]), rtol
        )


def _tangent(gradient):
    """The gradient without the constant that dual potentials leave free."""
    return gradient - gradient.mean(axis=0)


def _compare(name, found, expected, rtol):
    """Refuse an array that differs from the expected one, naming the worst entry."""
    found = np.asarray(found, dtype=np.float64)
    if found.shape != expected.shape:
        raise AssertionError(f"{name} has shape {found.shape}, not {expected.shape}")
    tolerance = rtol * np.abs(expected).max() + 1e-9
    error = np.abs(found - expected)
    # NaN is the worst of all.
    at = np.unravel_index(np.nan_to_num(error, nan=np.inf).argmax(), error.shape)
    if not error[at] <= tolerance:
        where = tuple(int(index) for index in at)
        raise AssertionError(
            f"{name} is {found[at]:.9g} at {where}, not {expected[at]:.9g}: off by "
            f"{error[at]:.3g}, tolerated is {tolerance:.3g}"
        )


publish(__name__, globals(), __all__)
