"""Features that sparse models select again and again on halves of the data."""

from __future__ import annotations

import os
from math import ceil, sqrt
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags, indexable
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from gemclus._common.estimators import BaseEstimator, MetaEstimatorMixin, SelectorMixin
from gemclus._common.interruption import run_for
from gemclus._common.typing import Booleans, Floats, Integers, Parameters, Seed
from gemclus._common.validation import (
    MOST,
    check_float,
    check_int,
)
from gemclus._common.weights import check_sample_weight
from gemclus.selection._wrapped import draw_seeds, seeded_clone, take, take_pairs


class StabilitySelection(SelectorMixin, MetaEstimatorMixin, BaseEstimator):
    """Features that the paths of a sparse model keep on most halves of the data.

    A path on all of the data always keeps some features, needed or not. Here a
    path runs on each of many halves; features of the clusters are kept on most
    of them, and noise at random.

    Parameters
    ----------
    estimator : object
        A model with `path` and `get_support`, such as `SparseLinearMMD`. It is
        cloned.
    n_resamples : int, default=50
        Number of halves, drawn as complementary pairs.
    threshold : float, default=.6
        Share of the halves on which a feature must be kept, more than 0 and at
        most 1.
    min_features : int, default=None
        Each path counts at its last step with at least so many features; None
        stands for ``ceil(sqrt(.8 D))``. It bounds how many features can be found:
        with D = 20 that is 4.
    path_params : dict, default=None
        Arguments of `path`, such as ``{"alpha_multiplier": 1.02}``.
    n_jobs : int, default=None
        Number of jobs that run the paths, as in scikit-learn.
    random_state : int, RandomState or None, default=None
        Source of the halves, and of the random states of an estimator that
        leaves them None.

    Attributes
    ----------
    frequencies_ : ndarray of shape (D,)
        Share of the halves on which each feature was kept.
    min_features_ : int
        The number of features at which the paths counted.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (D,)
        Their names, when the data had any.

    See Also
    --------
    gemclus.sparse.SparseLinearMMD : A model with a path.
    KSelector : Chooses the number of clusters.

    Notes
    -----
    With ``q`` features kept on each half and a threshold t > .5, at most
    ``q² / ((2 t - 1) D)`` noise features are selected in expectation, if noise
    features are exchangeable and no worse than chance: 4 for the defaults. The
    bound is loose, and the default of `min_features` makes it independent of D.

    Most of the time goes to the paths: one on each half, or two, since a path
    that jumps over `min_features` is run again to the step before. Memory: the
    halves that run at a time.

    References
    ----------
    N. Meinshausen and P. Bühlmann, "Stability selection", J. R. Stat. Soc. B 72,
    2010 (equation 9 for the bound).

    R. D. Shah and R. J. Samworth, "Variable selection with error control: another
    look at stability selection", J. R. Stat. Soc. B 75, 2013 (complementary
    pairs).

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.selection import StabilitySelection
    >>> from gemclus.sparse import SparseLinearMMD
    >>> X, _ = celeux_one(n=120, p=5, random_state=0)
    >>> model = SparseLinearMMD(3)
    >>> selector = StabilitySelection(
    ...     model, n_resamples=6, min_features=5, random_state=0
    ... )
    >>> selector.fit(X).get_support(indices=True)
    array([0, 1, 2, 3, 4])
    """

    estimator: Any
    n_resamples: int
    threshold: float
    min_features: int | None
    path_params: Parameters
    n_jobs: int | None
    random_state: Seed
    frequencies_: Floats
    min_features_: int
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        estimator: Any,
        *,
        n_resamples: int = 50,
        threshold: float = 0.6,
        min_features: int | None = None,
        path_params: Parameters = None,
        n_jobs: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.n_resamples = n_resamples
        self.threshold = threshold
        self.min_features = min_features
        self.path_params = path_params
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Run the paths and count the features.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples, 4 at least.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; a half takes its rows and columns.
        sample_weight : array-like of shape (N,), default=None
            Weights of the samples, which the paths are given: not negative, and 4 at
            least more than 0. Halves are drawn among the samples of these, each
            counted once.

        Returns
        -------
        self : object
            The fitted selector.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be, or the model
            has no path.
        """
        self._check_parameters()
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_min_samples=4,
            accept_sparse="csr"
            if get_tags(self.estimator).input_tags.sparse
            else False,
        )
        _, y = indexable(X, y)
        rows = np.arange(X.shape[0])
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X.shape[0])
            rows = np.flatnonzero(sample_weight)
            if len(rows) < 4:
                raise ValueError(
                    "sample_weight must be more than 0 for at least 4 samples, got "
                    f"{len(rows)}"
                )
        min_features = self._enough_features(X.shape[1])
        seeds = draw_seeds(self.random_state, self.n_resamples + 1)
        random_state = np.random.RandomState(seeds[-1])
        halves = complementary_halves(len(rows), self.n_resamples, random_state)
        path_params = self.path_params or {}
        kept = Parallel(n_jobs=self.n_jobs)(
            delayed(run_for)(
                os.getpid(),
                _kept_features,
                seeded_clone(self.estimator, int(seed)),
                X,
                y,
                rows[half],
                min_features,
                path_params,
                sample_weight,
            )
            for seed, half in zip(seeds, halves, strict=False)
        )
        self.min_features_ = min_features
        self.frequencies_ = np.mean(kept, axis=0)
        return self

    def _get_support_mask(self) -> Booleans:
        check_is_fitted(self, "frequencies_")
        check_float("threshold", self.threshold, 0.0, 1.0, strict=True)
        return self.frequencies_ >= self.threshold

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self.estimator).input_tags.sparse
        return tags

    def _check_parameters(self) -> None:
        check_int("n_resamples", self.n_resamples, 1, MOST)
        check_float("threshold", self.threshold, 0.0, 1.0, strict=True)
        for method in ("path", "get_support"):
            if not hasattr(self.estimator, method):
                raise TypeError(
                    "estimator must be a sparse model, with path and get_support: "
                    f"{type(self.estimator).__name__} has no {method}"
                )
        if self.path_params is None:
            return
        if not isinstance(self.path_params, dict):
            raise TypeError(f"path_params must be a dict, got {self.path_params!r}")
        own = {"min_features", "restore_best_weights", "sample_weight"}
        own &= set(self.path_params)
        if own:
            raise ValueError(f"path_params must not hold {sorted(own)}, which are set")

    def _enough_features(self, n_features: int) -> int:
        if self.min_features is None:
            return ceil(sqrt(0.8 * n_features))
        min_features = check_int("min_features", self.min_features, 1)
        if min_features > n_features:
            raise ValueError(
                f"min_features={min_features} must be at most n_features={n_features}"
            )
        return min_features


def complementary_halves(
    n_samples: int, n_halves: int, random_state: np.random.RandomState
) -> list[Integers]:
    """Positions of the samples of each half; two by two they share none.

    Of an odd number of samples, one is in neither of the two.
    """
    halves: list[Integers] = []
    while len(halves) < n_halves:
        order = random_state.permutation(n_samples)
        size = n_samples // 2
        halves += [np.sort(order[:size]), np.sort(order[size : 2 * size])]
    return halves[:n_halves]


def _kept_features(
    model: Any,
    X: Any,
    y: Any,
    rows: Integers,
    min_features: int,
    path_params: dict[str, Any],
    sample_weight: Any = None,
) -> Booleans:
    """Mask (D,) of the features at the last step with at least `min_features`."""
    X, y = take(X, rows), take_pairs(y, rows)
    if min_features >= X.shape[1]:
        return np.ones(X.shape[1], dtype=bool)
    settings = {**path_params, "restore_best_weights": False}
    if sample_weight is not None:
        settings["sample_weight"] = sample_weight[rows]
    path = model.path(X, y, min_features=min_features, **settings)
    enough = [n for n in path.n_features if n >= min_features]
    if not path.n_features or path.n_features[-1] >= min_features:
        return model.get_support()
    # The first step went too far: before it all features were selected.
    if not enough or min(enough) >= X.shape[1]:
        return np.ones(X.shape[1], dtype=bool)
    # The path jumped: the same one again, up to the step before the jump.
    model.path(X, y, min_features=min(enough), **settings)
    return model.get_support()
