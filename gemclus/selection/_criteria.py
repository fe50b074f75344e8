"""Criteria of a number of clusters, and the fits that they judge."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gemclus.selection._consensus import WORST_CONSENSUS
from gemclus.selection._partitions import (
    WORST_CALINSKI_HARABASZ,
    WORST_SILHOUETTE,
    calinski_harabasz,
    silhouette,
)
from gemclus.selection._wrapped import (
    clustered_space,
    n_rows,
    take,
    take_pairs,
    training_labels,
)


@dataclass(frozen=True)
class Criterion:
    """A criterion and its score; larger is better.

    Attributes
    ----------
    score : callable or None
        ``score(X, labels)``, or ``score(estimator, X)`` for a user's; None for
        the consensus, which needs all partitions.
    worst : float
        The score of a trivial partition.
    needs_folds : bool
        Whether models of parts of the data predict other samples.
    of_user : bool
        Whether it is a user's scorer.
    """

    score: Callable | None
    worst: float
    needs_folds: bool = False
    of_user: bool = False


CRITERIA = {
    "calinski_harabasz": Criterion(calinski_harabasz, WORST_CALINSKI_HARABASZ),
    "silhouette": Criterion(silhouette, WORST_SILHOUETTE),
    "silhouette_cv": Criterion(silhouette, WORST_SILHOUETTE, needs_folds=True),
    "consensus": Criterion(None, WORST_CONSENSUS, needs_folds=True),
}


@dataclass
class Whole:
    """A fit on all samples: the model, its clusters, the scores of these."""

    estimator: object
    labels: np.ndarray
    n_used: int
    scores: dict


@dataclass
class Part:
    """A fit on a part: scores on the rest, and the clusters of all samples."""

    scores: dict = field(default_factory=dict)
    partition: np.ndarray | None = None


def check_criteria(criteria, estimator):
    """The criteria by name, in their order.

    Raises
    ------
    ValueError, TypeError
        If one is unknown, there are none, or one needs predictions that
        `estimator` does not make.
    """
    if isinstance(criteria, str) or callable(criteria):
        criteria = (criteria,)
    checked = {}
    for criterion in criteria:
        if callable(criterion):
            name = getattr(criterion, "__name__", type(criterion).__name__)
            checked[name] = Criterion(criterion, -np.inf, of_user=True)
            continue
        if not isinstance(criterion, str):
            raise TypeError(
                f"criteria must be names or scorers, got {criterion!r} "
                f"({type(criterion).__name__})"
            )
        if criterion not in CRITERIA:
            raise ValueError(
                f"criteria must be among {sorted(CRITERIA)} or callable, got "
                f"{criterion!r}"
            )
        checked[criterion] = CRITERIA[criterion]
    if len(checked) != len(criteria) or not checked:
        raise ValueError(
            f"criteria must be different ones, one at least, got {criteria!r}"
        )
    for name, criterion in checked.items():
        if criterion.needs_folds and not hasattr(estimator, "predict"):
            raise ValueError(
                f"criteria: {name!r} predicts the clusters of other samples, but "
                f"{type(estimator).__name__} has no predict; 'calinski_harabasz' and "
                "'silhouette' need none"
            )
    return checked


def worst_scores(criteria):
    return {name: criterion.worst for name, criterion in criteria.items()}


def score_whole(make, n_clusters, data, rows, criteria):
    """Fit on all samples, and score the clusters of those at `rows`."""
    X, y, fit_params = data
    estimator = make(n_clusters).fit(X, y, **fit_params)
    labels = training_labels(estimator, X)
    space = clustered_space(estimator, X)
    if len(rows) < len(labels):
        X, space = take(X, rows), take(space, rows)
    used = np.unique(labels[rows])
    scores = {}
    for name, criterion in criteria.items():
        if criterion.of_user:
            scores[name] = _scorer_value(name, criterion.score(estimator, X))
        elif not criterion.needs_folds:
            scores[name] = criterion.score(space, labels[rows])
    return Whole(estimator, labels, len(used), scores)


def score_fold(make, n_clusters, data, rows, fold, criteria):
    """Fit on a training fold, score the clusters predicted for its test fold."""
    train, test = fold
    judged = {name: c for name, c in criteria.items() if c.needs_folds and c.score}
    if n_clusters > len(train):
        return Part(worst_scores(judged))
    X, y, fit_params = data
    n_samples = n_rows(X)
    parts = {
        key: take(value, train) if _has_rows(value, n_samples) else value
        for key, value in fit_params.items()
    }
    estimator = make(n_clusters).fit(take(X, train), take_pairs(y, train), **parts)
    part = Part()
    if judged:
        X_test = take(X, test)
        space, labels = clustered_space(estimator, X_test), estimator.predict(X_test)
        part.scores = {name: c.score(space, labels) for name, c in judged.items()}
    if "consensus" in criteria:
        part.partition = np.asarray(estimator.predict(take(X, rows)))
    return part


def _has_rows(value, n_samples):
    """Whether an argument of `fit` has an entry for each sample."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return False
    return n_rows(value) == n_samples if np.shape(value) else False


def _scorer_value(name, value):
    if np.ndim(value) != 0 or np.isnan(value):
        raise ValueError(f"criteria: {name} must return a number, got {value!r}")
    return float(value)
