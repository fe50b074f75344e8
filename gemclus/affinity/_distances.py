"""Distances, from a name, a callable or a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import distance_metrics

from gemclus._common.typing import Floats, Pairwise, Parameters
from gemclus._common.validation import check_square_matrix
from gemclus.affinity._arguments import (
    call_square,
    check_argument,
    check_named_params,
    is_named,
    precomputed_matrix,
)
from gemclus.affinity._geodesic import geodesic_distances
from gemclus.affinity._objects import AffinityRows, Distances, LazyAffinity

# Names whose distance satisfies the triangle inequality: the transport solver
# may then use one potential instead of two.
TRUE_METRICS = frozenset(
    {"euclidean", "l2", "l1", "manhattan", "cityblock", "haversine"}
)
# SciPy's C loops take exact differences; the expanded square of other
# implementations puts duplicates at 6e-5 instead of 0.
_EXACT_METRICS = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "l1": "cityblock",
    "manhattan": "cityblock",
    "cityblock": "cityblock",
}
_NAMES = {*distance_metrics(), "geodesic", "precomputed"}


def distance_affinity(
    X: Any,
    metric: Pairwise,
    metric_params: Parameters = None,
    y: Any = None,
    minibatch: bool = False,
) -> Distances | LazyAffinity:
    """The distances that training uses.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        Validated samples.
    metric : str or callable
        A name of `sklearn.metrics.pairwise.distance_metrics`, ``"geodesic"``
        (see `geodesic_distances`), ``"precomputed"``, or a callable ``d(X)``
        returning an (N, N) array.
    metric_params : dict, default=None
        Arguments of the named metric or the callable. A callable that needs two
        arrays is called as ``d(X, X)``.
    y : array-like of shape (N, N), default=None
        The matrix, when `metric` is ``"precomputed"``.
    minibatch : bool, default=False
        Whether batches are taken from it: a named metric is then computed for
        each batch, and never in whole, but for geodesics.

    Returns
    -------
    affinity : Distances or LazyAffinity

    See Also
    --------
    distance_matrix : The same as a plain array.
    geodesic_distances : Paths along the data.
    kernel_affinity : The same for kernels.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import distance_affinity
    >>> X = np.array([[0.0], [1.0], [3.0]])
    >>> affinity = distance_affinity(X, "euclidean")
    >>> type(affinity).__name__, affinity.is_metric
    ('Distances', True)
    >>> np.asarray(affinity)[0]
    array([0., 1., 3.])
    """
    check_argument("metric", metric, metric_params, _NAMES)
    precomputed = is_named(metric, "precomputed")
    geodesic = is_named(metric, "geodesic")
    if minibatch and isinstance(metric, str) and not (precomputed or geodesic):
        is_metric = _is_metric(metric, metric_params, X)
        return LazyAffinity(
            X,
            lambda batch: Distances(
                distance_matrix(batch, metric, metric_params), is_metric
            ),
            lambda rows, columns: _named_distance(rows, columns, metric, metric_params),
            distances=True,
        )
    y = y.square() if isinstance(y, AffinityRows) else y
    matrix = distance_matrix(X, metric, metric_params, y)
    if precomputed and isinstance(y, Distances):
        return Distances(matrix, y.is_metric, y.along_data)
    is_metric = geodesic or _is_metric(metric, metric_params, X)
    return Distances(matrix, is_metric, along_data=geodesic)


def _is_metric(metric: Pairwise, metric_params: Parameters, X: Any) -> bool:
    """Whether the triangle inequality is known to hold.

    Parameters may make another distance of a name (euclidean with squared=True), and
    other implementations than the exact ones round too much to promise anything.
    """
    return (
        isinstance(metric, str)
        and metric in TRUE_METRICS
        and not metric_params
        and isinstance(X, np.ndarray)
    )


def distance_matrix(
    X: Any, metric: Pairwise, metric_params: Parameters = None, y: Any = None
) -> Floats:
    """The distances as a plain (N, N) array of float64.

    Parameters
    ----------
    X, y : as in `distance_affinity`
    metric, metric_params : as in `distance_affinity`

    Returns
    -------
    matrix : ndarray of shape (N, N)
        Computed in O(N^2 D) for a named metric.

    Raises
    ------
    ValueError
        If the name is unknown, a precomputed matrix is missing, parameters do
        not fit, or the matrix has the wrong shape or entries that are negative
        or not finite.
    TypeError
        If `metric` is neither a name nor a callable, `metric_params` is no dict,
        or a precomputed matrix is sparse.

    See Also
    --------
    distance_affinity : The object that training uses.
    kernel_matrix : The same for kernels.
    sklearn.metrics.pairwise_distances : The distances of the names.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import distance_matrix
    >>> distance_matrix(np.array([[0.0, 0.0], [1.0, 2.0]]), "cityblock")
    array([[0., 3.],
           [3., 0.]])
    """
    check_argument("metric", metric, metric_params, _NAMES)
    if is_named(metric, "precomputed"):
        matrix, name = precomputed_matrix(y, X.shape[0], "metric"), "y"
    elif isinstance(metric, str) and metric == "geodesic":
        params = metric_params or {}
        check_named_params("metric", metric, geodesic_distances, params, besides=())
        return geodesic_distances(X, **params)
    elif callable(metric):
        matrix, call = call_square("metric", metric, metric_params, X)
        name = f"the result of {call}"
        matrix = check_square_matrix(matrix, X.shape[0], name)
    else:
        name = f"the {metric!r} distances of X"
        matrix = _named_distance(X, X, metric, metric_params)
        matrix = check_square_matrix(matrix, X.shape[0], name)
    matrix = np.ascontiguousarray(matrix, dtype=np.float64)
    if matrix.min() < 0:
        raise ValueError(
            f"{name} must hold distances, which are not negative, "
            f"got a minimum of {matrix.min():g}"
        )
    return matrix


def _named_distance(X: Any, Y: Any, metric: str, metric_params: Parameters) -> Floats:
    if metric in _EXACT_METRICS and not metric_params and isinstance(X, np.ndarray):
        return cdist(X, Y, _EXACT_METRICS[metric])
    params = metric_params or {}
    check_named_params("metric", metric, distance_metrics()[metric], params)
    try:
        return pairwise_distances(X, Y, metric=metric, **params)
    except TypeError as error:
        raise ValueError(
            f"metric_params {metric_params!r} do not fit the {metric!r} metric: {error}"
        ) from error
