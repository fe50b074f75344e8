"""The choice of the number of clusters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from numbers import Integral
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn import get_config
from sklearn.model_selection import KFold
from sklearn.utils import get_tags, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from gemclus._common.estimators import BaseEstimator, ClusterMixin, MetaEstimatorMixin
from gemclus._common.interruption import run_for
from gemclus._common.typing import Floats, Integers, Seed
from gemclus._common.validation import check_int
from gemclus._common.warnings import warn
from gemclus.selection._consensus import WORST_CONSENSUS, consensus_scores
from gemclus.selection._criteria import (
    check_criteria,
    score_fold,
    score_whole,
    worst_scores,
)
from gemclus.selection._wrapped import (
    draw_seeds,
    find_count_parameter,
    n_rows,
    seeded_clone,
)

# What the argument `criteria` takes.
Criteria: TypeAlias = str | Callable[..., Any] | Sequence[str | Callable[..., Any]]


def _can(method: str) -> Any:
    """Whether the wrapped estimator, fitted or not, has a method."""

    def check(selector):
        getattr(getattr(selector, "best_estimator_", selector.estimator), method)
        return True

    return available_if(check)


class KSelector(ClusterMixin, MetaEstimatorMixin, BaseEstimator):
    """Choice of the number of clusters by the ranks of several criteria.

    A clusterer is fitted for each candidate; each criterion ranks the
    candidates; the one with the smallest mean rank is chosen, ties go to fewer
    clusters. No criterion is an oracle, and a GEMINI, which grows with the number
    of clusters, is none.

    Parameters
    ----------
    estimator : object
        A clusterer of any library with scikit-learn's interface, or a pipeline
        that ends in one. It is cloned.
    n_clusters : iterable of int, default=range(2, 11)
        The candidates; an int is the only one.
    param_name : str, default=None
        The parameter of the estimator that gets a candidate: ``"max_clusters"``,
        ``"step__n_clusters"``... None takes ``"n_clusters"`` or, if the estimator
        has none itself, the one that ends in ``"__n_clusters"``.
    criteria : sequence of str or callable, \
default=("calinski_harabasz", "silhouette_cv")
        Their ranks are combined. ``"calinski_harabasz"`` and ``"silhouette"``
        judge the clusters of all samples; ``"silhouette_cv"`` those predicted for
        held-out folds; ``"consensus"`` compares the partitions of all samples that
        the models of all folds and candidates predict (`consensus_scores`). A
        callable is a scorer ``f(fitted estimator, X)``, larger being better,
        called with all samples.
    n_splits : int, default=3
        Number of folds of ``"silhouette_cv"`` and ``"consensus"``.
    n_jobs : int, default=None
        Number of jobs that run the fits, as in scikit-learn.
    random_state : int, RandomState or None, default=None
        Source of the folds, and of the random states of an estimator that leaves
        them None.

    Attributes
    ----------
    n_clusters_ : int
        Number of clusters that the chosen model uses; it may be less than the
        candidate.
    best_estimator_ : object
        The estimator fitted on all samples with the chosen candidate.
    best_index_ : int
        Position of the candidate in the table.
    labels_ : ndarray of shape (N,)
        Cluster of each sample.
    scores_ : dict of ndarray of shape (n_candidates,)
        A table, which `pandas.DataFrame` takes: ``"n_clusters"``, the candidates
        in increasing order; ``"n_used"``, how many clusters have samples; a column
        for each criterion, larger being better; ``"rank_<criterion>"``, 1 for
        the best; ``"mean_rank"``.
    n_features_in_ : int
        Number of features, if the estimator tells it.
    feature_names_in_ : ndarray of shape (D,)
        Their names, if the estimator tells them.

    See Also
    --------
    silhouette_scorer, calinski_harabasz_scorer : Scores for scikit-learn's searches.
    consensus_scores : Criterion that needs no distances.

    Notes
    -----
    Criteria look at the samples as the clusterer is given them, behind the
    transformers of a pipeline, with Euclidean distances. One cluster, or as many
    as samples, scores worst. A candidate beyond the samples of a training fold
    scores worst there.

    There are ``len(n_clusters)`` fits, times ``1 + n_splits`` with held-out folds.
    Silhouettes take O(N² D) up to 5000 samples, and are those of 5000 samples
    beyond.

    With a ``sample_weight``, weights go to the fits; samples of weight 0 are left
    out of the folds and of the criteria, which count each other sample once.

    References
    ----------
    T. Caliński and J. Harabasz, "A dendrite method for cluster analysis",
    Communications in Statistics 3, 1974.

    P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and
    validation of cluster analysis", J. Comput. Appl. Math. 20, 1987.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from gemclus.linear import LinearMMD
    >>> from gemclus.selection import KSelector
    >>> X, _ = make_blobs(200, centers=5, cluster_std=0.5, random_state=1)
    >>> model = LinearMMD(ovo=True, solver="lbfgs", init="k-means++", n_init=5)
    >>> pipeline = make_pipeline(StandardScaler(), model)
    >>> selector = KSelector(pipeline, range(2, 9), random_state=0).fit(X)
    >>> selector.n_clusters_
    5
    >>> selector.scores_["mean_rank"][selector.best_index_]
    np.float64(1.0)
    """

    estimator: Any
    n_clusters: int | Iterable[int]
    param_name: str | None
    criteria: Criteria
    n_splits: int
    n_jobs: int | None
    random_state: Seed
    n_clusters_: int
    best_estimator_: Any
    best_index_: int
    labels_: Integers
    scores_: dict[str, NDArray[Any]]

    def __init__(
        self,
        estimator: Any,
        n_clusters: int | Iterable[int] = range(2, 11),
        *,
        param_name: str | None = None,
        criteria: Criteria = ("calinski_harabasz", "silhouette_cv"),
        n_splits: int = 3,
        n_jobs: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.n_clusters = n_clusters
        self.param_name = param_name
        self.criteria = criteria
        self.n_splits = n_splits
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Fit the estimator for each candidate and choose one.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples, as the estimator takes them: an array, a sparse matrix, a
            frame.
        y : array-like of shape (N,) or (N, N), default=None
            Given to the `fit` of the estimator. Of a square matrix, such as a
            precomputed kernel, a fold takes its rows and columns.
        **fit_params : dict
            Given to the `fit` of the estimator (routed to it, where metadata
            routing is enabled). Of arrays with an entry for each sample, such as
            ``sample_weight``, a fold takes its part.

        Returns
        -------
        self : object
            The fitted selector.

        Raises
        ------
        ValueError, TypeError
            If a parameter is not what it should be, a criterion does not apply to
            the estimator, or a fit refuses the data.
        """
        candidates = self._check_candidates()
        name = find_count_parameter(self.estimator, self.param_name)
        criteria = check_criteria(self.criteria, self.estimator)
        X, y = indexable(X, y)
        if candidates[-1] > n_rows(X):
            raise ValueError(
                f"n_clusters={candidates[-1]} must be at most n_samples={n_rows(X)}"
            )
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        seed, fold_seed = draw_seeds(self.random_state, 2)
        make = partial(_with_count, self.estimator, name, seed)
        rows = _counted_rows(n_rows(X), fit_params)
        folds = self._folds(rows, criteria, fold_seed)
        data = (X, y, fit_params)
        with_pool = Parallel(n_jobs=self.n_jobs)
        work = partial(delayed(run_for), os.getpid())
        found = with_pool(
            [work(score_whole, make, k, data, rows, criteria) for k in candidates]
            + [
                work(score_fold, make, k, data, rows, fold, criteria)
                for k in candidates
                for fold in folds
            ]
        )
        wholes, parts = found[: len(candidates)], found[len(candidates) :]
        self._choose(candidates, criteria, wholes, parts)
        return self

    def fit_predict(self, X: Any, y: Any = None, **fit_params: Any) -> Integers:
        """Choose the number of clusters and return the cluster of each sample.

        Parameters
        ----------
        X, y, **fit_params
            As those of `fit`.

        Returns
        -------
        labels : ndarray of shape (N,)
            `labels_`.
        """
        return self.fit(X, y, **fit_params).labels_

    @_can("predict")
    def predict(self, X: Any) -> Integers:
        """Cluster of each sample by the chosen model.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        labels : ndarray of shape (n,)
            Clusters.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @_can("predict_proba")
    def predict_proba(self, X: Any) -> Floats:
        """Probability of each cluster by the chosen model.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        y_pred : ndarray of shape (n, n_clusters)
            Probabilities.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @_can("score")
    def score(self, X: Any, y: Any = None) -> float:
        """The score of the chosen model itself on some samples.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples.
        y : object, default=None
            Given to the `score` of the estimator.

        Returns
        -------
        value : float
            Not comparable between numbers of clusters for most models; see
            `scores_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.score(X, y)

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self._of_best("n_features_in_")

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features."""
        return self._of_best("feature_names_in_")

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the routing of the metadata of `fit` to the estimator.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator, method_mapping=mapping
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        wrapped = get_tags(self.estimator)
        tags.input_tags = wrapped.input_tags
        tags.non_deterministic = wrapped.non_deterministic
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "best_estimator_")

    def _of_best(self, attribute: str) -> Any:
        # An AttributeError, as `hasattr` expects, in an unfitted selector too.
        return getattr(object.__getattribute__(self, "best_estimator_"), attribute)

    def _check_candidates(self) -> list[int]:
        """The candidates in increasing order."""
        given: Any = self.n_clusters
        if isinstance(given, Integral):
            given = [given]
        try:
            candidates = [check_int("n_clusters", k, 1) for k in given]
        except TypeError as error:
            raise TypeError(
                f"n_clusters must be ints to choose from, got {self.n_clusters!r}"
            ) from error
        if not candidates or len(set(candidates)) < len(candidates):
            raise ValueError(
                f"n_clusters must be different ints, one at least, got {candidates}"
            )
        return sorted(candidates)

    def _folds(self, rows, criteria, seed):
        """Positions of the training and test samples of each fold."""
        if not any(criterion.needs_folds for criterion in criteria.values()):
            return []
        n_splits = check_int("n_splits", self.n_splits, 2)
        if n_splits > len(rows):
            raise ValueError(
                f"n_splits={n_splits} must be at most n_samples={len(rows)}"
            )
        folds = KFold(n_splits, shuffle=True, random_state=seed).split(rows)
        return [(rows[train], rows[test]) for train, test in folds]

    def _choose(self, candidates, criteria, wholes, parts):
        """Fill the table and keep the model of the best candidate."""
        n = len(candidates)
        scores = {
            "n_clusters": np.array(candidates),
            "n_used": np.array([whole.n_used for whole in wholes]),
        }
        for name, criterion in criteria.items():
            if name == "consensus":
                scores[name] = _mean_consensus([p.partition for p in parts], n)
            elif criterion.needs_folds:
                held_out = [part.scores[name] for part in parts]
                scores[name] = np.reshape(held_out, (n, -1)).mean(axis=1)
            else:
                scores[name] = np.array([whole.scores[name] for whole in wholes])
        ranks = {name: rankdata(-scores[name]) for name in criteria}
        scores |= {f"rank_{name}": rank for name, rank in ranks.items()}
        scores["mean_rank"] = np.mean(list(ranks.values()), axis=0)
        best = int(scores["mean_rank"].argmin())  # the first: the fewest clusters
        worst = worst_scores(criteria)
        hopeless = all((scores[name] <= worst[name]).all() for name in criteria)
        if hopeless and n > 1:
            warn(
                "No candidate made clusters that the criteria could tell from one: "
                f"the smallest, {candidates[best]}, is taken."
            )
        self.scores_ = scores
        self.best_index_ = best
        self.best_estimator_ = wholes[best].estimator
        self.labels_ = wholes[best].labels
        self.n_clusters_ = int(wholes[best].n_used)


def _with_count(estimator, name, seed, n_clusters):
    """The estimator for one candidate; all of them start from the same seed."""
    return seeded_clone(estimator, seed, **{name: n_clusters})


def _counted_rows(n_samples, fit_params):
    """Positions of the samples that have a weight, or no sample has one."""
    for name, value in fit_params.items():
        if name.split("__")[-1] == "sample_weight" and value is not None:
            weights = np.asarray(value)
            if weights.shape == (n_samples,):  # others are the estimator's to refuse
                return np.flatnonzero(weights != 0)
    return np.arange(n_samples)


def _mean_consensus(partitions, n_candidates):
    """Mean over folds of the consensus scores; worst where there was no fit."""
    known = [i for i, labels in enumerate(partitions) if labels is not None]
    scores = np.full(len(partitions), WORST_CONSENSUS)
    if known:
        scores[known] = consensus_scores([partitions[i] for i in known])
    return scores.reshape(n_candidates, -1).mean(axis=1)
