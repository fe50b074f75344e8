"""Scorers and a splitter for scikit-learn's searches over clusterings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from gemclus._common.typing import Integers
from gemclus.selection._partitions import calinski_harabasz, silhouette
from gemclus.selection._wrapped import assigned, clustered_space


def silhouette_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Mean silhouette of the clusters that a fitted model gives to samples.

    It is what ``scoring=`` of scikit-learn's searches takes. Unlike the
    objective, it may be compared between numbers of clusters, kernels and
    models, and on held-out samples.

    Parameters
    ----------
    estimator : object
        A fitted clusterer or a pipeline that ends in one. One without `predict`
        is scored by its `labels_`, if `X` has as many samples.
    X : array-like of shape (n, D)
        Samples. Distances are Euclidean, in the space that the clusterer itself
        is given: behind the transformers of a pipeline.
    y : object, default=None
        Ignored.

    Returns
    -------
    score : float
        From -1 to 1, larger is better. -1 for one cluster, or as many as
        samples. Of more than 5000 samples, the mean of 5000 drawn once.

    See Also
    --------
    calinski_harabasz_scorer : Takes linear time.
    KSelector : Chooses the number of clusters by several criteria.

    References
    ----------
    P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and
    validation of cluster analysis", J. Comput. Appl. Math. 20, 1987.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV, KFold
    >>> from gemclus.selection import silhouette_scorer
    >>> search = GridSearchCV(
    ...     KMeans(n_init=10, random_state=0), {"n_clusters": [2, 3, 4]},
    ...     scoring=silhouette_scorer, cv=KFold(3, shuffle=True, random_state=0),
    ... )
    >>> search.fit(load_iris().data).best_params_
    {'n_clusters': 2}
    """
    return silhouette(clustered_space(estimator, X), assigned(estimator, X))


def calinski_harabasz_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Ratio of variances between and within clusters that a fitted model gives.

    Parameters
    ----------
    estimator : object
        As that of `silhouette_scorer`.
    X : array-like of shape (n, D)
        Samples.
    y : object, default=None
        Ignored.

    Returns
    -------
    score : float
        At least 0, larger is better. 0 for one cluster, or as many as samples.

    See Also
    --------
    silhouette_scorer : Compares the distances of all pairs.
    whole_data : One split of everything, as this score is meant.

    References
    ----------
    T. Caliński and J. Harabasz, "A dendrite method for cluster analysis",
    Communications in Statistics 3, 1974.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from gemclus.selection import calinski_harabasz_scorer, whole_data
    >>> search = GridSearchCV(
    ...     KMeans(n_init=10, random_state=0), {"n_clusters": [2, 3, 4]},
    ...     scoring=calinski_harabasz_scorer, cv=whole_data,
    ... )
    >>> search.fit(load_iris().data).best_params_
    {'n_clusters': 3}
    """
    return calinski_harabasz(clustered_space(estimator, X), assigned(estimator, X))


class _WholeData(BaseCrossValidator):
    """One split whose training and test samples are all samples."""

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Integers, Integers]]:
        everything = np.arange(X.shape[0] if hasattr(X, "shape") else len(X))
        yield everything, everything

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        return 1

    def __repr__(self) -> str:
        return "whole_data"

    def __reduce__(self) -> str:
        return "whole_data"  # there is but one: copies and pickles are it


_WholeData.__module__ = "gemclus.selection"  # where pickles find it


# Clusterings are usually judged on the samples that they were made of: ``cv=``.
whole_data: BaseCrossValidator = _WholeData()
