"""Wasserstein distance between clusters."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from gemclus._common.typing import ArrayLike, Pairwise, Parameters
from gemclus._common.validation import (
    check_bool,
    check_float,
    check_jobs,
    check_predictions,
    check_square_matrix,
)
from gemclus._common.weights import check_sample_weight
from gemclus.affinity import Distances, distance_affinity, distance_matrix
from gemclus.gemini._base import GEMINI, as_scalar
from gemclus.gemini._transport import Transports


class WassersteinGEMINI(GEMINI):
    """Exact 1-Wasserstein distance between clusters.

    With ``w_k`` the weights of the samples in cluster k, proportional to
    ``p(y=k | x)``, ``pi`` the cluster proportions, and ``W`` the least cost of
    moving one distribution of samples to another:

    - OvA: ``sum_k pi_k W(w_k, 1/N)``;
    - OvO: ``sum_{k,l} pi_k pi_l W(w_k, w_l)``.

    Parameters
    ----------
    ovo : bool, default=False
        One-vs-one instead of one-vs-all.
    metric : str or callable, default="euclidean"
        A name of `sklearn.metrics.pairwise.distance_metrics`, ``"geodesic"``
        (`gemclus.affinity.geodesic_distances`, paths along the data; other
        samples have a graph of their own), ``"precomputed"``, or a callable
        ``d(X)`` that returns an (N, N) array.
    metric_params : dict, default=None
        Arguments of the named metric or the callable.
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``.
    n_jobs : int, default=None
        Threads over the K (OvA) or K (K - 1) / 2 (OvO) transport problems; None
        is 1, -1 is all processors. The result is the same to the bit.

    See Also
    --------
    MMDGEMINI : A kernel in place of distances, which costs less.
    gemclus.affinity.geodesic_distances : Paths along the data.
    gemclus.linear.LinearWasserstein, gemclus.mlp.MLPWasserstein : Models trained by it.

    Notes
    -----
    Every problem is solved exactly by network simplex methods. `evaluate` starts
    from nothing: about O(N^2 log N) for each problem in practice, and 4 N^2
    bytes at most beside the distances (a quarter of it for a metric). Training
    on all samples starts each step from the bases of the last one, which is some
    hundred times faster and needs 2 N^2 bytes.

    Costs that are not a metric are allowed, and found out by a certificate: the
    least cost then includes what a sample pays for staying, the diagonal, so
    that independence has the value 0 only if the diagonal is 0.

    Where several gradients exist (potentials that are not unique) any one of them
    is returned.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import WassersteinGEMINI
    >>> X = np.array([[0.0], [1.0], [4.0], [5.0]])
    >>> y_pred = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> gemini = WassersteinGEMINI()
    >>> float(gemini(y_pred, gemini.compute_affinity(X)).round(6))
    2.0
    """

    ovo: bool
    metric: Pairwise
    metric_params: Parameters
    epsilon: float
    n_jobs: int | None

    def __init__(
        self,
        ovo: bool = False,
        metric: Pairwise = "euclidean",
        metric_params: Parameters = None,
        epsilon: float = 1e-12,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.ovo = ovo
        self.metric = metric
        self.metric_params = metric_params
        self.epsilon = epsilon
        self.n_jobs = n_jobs

    def compute_affinity(self, X: Any, y: Any = None) -> Any:
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        return distance_matrix(X, self.metric, self.metric_params, y)

    def _training_affinity(self, X: Any, y: Any = None, minibatch: bool = False) -> Any:
        return distance_affinity(X, self.metric, self.metric_params, y, minibatch)

    def _training_evaluator(self) -> Callable[..., Any]:
        return WarmEvaluator(self)

    def evaluate(
        self,
        y_pred: Any,
        affinity: Any,
        return_grad: bool = False,
        sample_weight: ArrayLike | None = None,
    ) -> Any:
        ovo, epsilon, n_threads = self._check_parameters()
        P, distances = _check_arguments(y_pred, affinity)
        weights = _check_weights(sample_weight, P)
        transports = _make_transports(distances, P, ovo)
        answer = _evaluate(transports, P, weights, epsilon, n_threads, return_grad)
        return as_scalar(answer)

    def _check_parameters(self) -> Any:
        ovo = check_bool("ovo", self.ovo)
        epsilon = check_float("epsilon", self.epsilon, 0.0, 0.5)
        return ovo, epsilon, _count_threads(self.n_jobs)


class WarmEvaluator:
    """`WassersteinGEMINI.evaluate` with a memory, owned by one fit.

    From the second call on the same `Distances` object, with the same number of
    clusters, each problem starts from its last optimal basis. Minibatches, which
    are new objects each time, are solved from nothing: starting them from the
    potentials that their samples had in earlier batches saves only a tenth (100
    samples) to a third (1000) of the time.
    """

    def __init__(self, gemini: WassersteinGEMINI) -> None:
        self._ovo, self._epsilon, self._n_threads = gemini._check_parameters()
        self._affinity = None
        self._transports = None

    def __call__(
        self,
        y_pred: Any,
        affinity: Any,
        return_grad: bool = False,
        sample_weight: ArrayLike | None = None,
    ) -> Any:
        transports = self._transports
        if (
            affinity is self._affinity
            and transports is not None
            and getattr(y_pred, "shape", None)
            == (transports.n_samples, transports.n_clusters)
        ):
            P = check_predictions(y_pred)
            transports.keep_trees()
        else:
            P, distances = _check_arguments(y_pred, affinity)
            transports = _make_transports(distances, P, self._ovo)
            kept = isinstance(affinity, Distances)
            self._affinity = affinity if kept else None
            self._transports = transports if kept else None
        weights = _check_weights(sample_weight, P)
        return _evaluate(
            transports, P, weights, self._epsilon, self._n_threads, return_grad
        )


def _check_weights(sample_weight, P):
    if sample_weight is None:
        return None
    weights = check_sample_weight(sample_weight, len(P))
    return weights / weights.sum()


def _check_arguments(y_pred, affinity):
    """Predictions, and distances of the right shape as the solver reads them."""
    P = check_predictions(y_pred)
    N = P.shape[0]
    if affinity is None:
        raise ValueError(f"affinity must be distances of shape ({N}, {N}), got None")
    is_metric = isinstance(affinity, Distances) and affinity.is_metric
    array = affinity.array if isinstance(affinity, Distances) else affinity
    array = check_square_matrix(array, N, "affinity")
    return P, Distances(np.ascontiguousarray(array, dtype=np.float64), is_metric)


def _make_transports(distances, P, ovo):
    is_metric = check_bool("is_metric", distances.is_metric)
    return Transports(distances.array, is_metric, P.shape[1], ovo)


def _evaluate(transports, P, weights, epsilon, n_threads, return_grad):
    """Value, and gradient if asked, by the problems of `transports`."""
    if not transports.weigh(P, epsilon, weights):
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    _solve(transports, n_threads)
    if not return_grad:
        return transports.value()
    G = np.empty_like(P)
    transports.gradient(P, epsilon, G)
    return transports.value(), G


def _count_threads(n_jobs):
    """Threads meant by a scikit-learn `n_jobs`."""
    n_jobs = check_jobs("n_jobs", n_jobs)
    if n_jobs is None:
        return 1
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)


def _solve(transports, n_threads):
    """Solve all problems, on threads if asked; Ctrl-C stops either."""
    n_threads = transports.reserve_threads(n_threads)
    if n_threads == 1:
        transports.solve()
        return
    transports.set_stop(False)
    with ThreadPoolExecutor(n_threads) as pool:
        tasks = [
            pool.submit(transports.solve, thread, n_threads)
            for thread in range(n_threads)
        ]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            transports.set_stop(True)
            raise
