"""Common to what wraps a clusterer: its parameters, its clusters, its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from gemclus._common.typing import Integers, Seed
from gemclus._common.validation import check_seed

_COUNT = "n_clusters"


def find_count_parameter(estimator: Any, name: str | None = None) -> str:
    """The parameter of `estimator` that says how many clusters it makes.

    Parameters
    ----------
    estimator : object
        A clusterer, or one that contains some, as a pipeline.
    name : str or None
        Its name if the user gave it.

    Raises
    ------
    ValueError
        If there is no such parameter, or several may be meant.
    """
    parameters = estimator.get_params(deep=True)
    kind = type(estimator).__name__
    if name is not None:
        if not isinstance(name, str):
            raise TypeError(f"param_name must be a string or None, got {name!r}")
        if name not in parameters:
            raise ValueError(
                f"param_name={name!r} is no parameter of {kind}: it has "
                f"{sorted(parameters)}"
            )
        return name
    if _COUNT in parameters:
        return _COUNT
    found = sorted(key for key in parameters if key.endswith(f"__{_COUNT}"))
    if len(found) != 1:
        problem = f"has several: {found}" if found else "has none"
        raise ValueError(
            f"param_name must name the parameter for the number of clusters: {kind} "
            f"takes no n_clusters itself and in its parts {problem}"
        )
    return found[0]


def seeded_clone(estimator: Any, seed: int, **parameters: Any) -> Any:
    """A clone with some parameters set, and `seed` where it had no random state."""
    estimator = clone(estimator).set_params(**parameters)
    unseeded = {
        key: seed
        for key, value in estimator.get_params(deep=True).items()
        if value is None and key.split("__")[-1] == "random_state"
    }
    return estimator.set_params(**unseeded)


def draw_seeds(random_state: Seed, size: int | None = None) -> Any:
    """Seeds for `seeded_clone`."""
    return check_seed(random_state).randint(np.iinfo(np.int32).max, size=size)


def last_step(estimator: Any) -> Any:
    """The clusterer at the end of a pipeline; the estimator itself otherwise."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator


def training_labels(estimator: Any, X: Any) -> Integers:
    """The cluster of each sample that `estimator` was fitted on."""
    fitted = last_step(estimator)
    if hasattr(fitted, "labels_"):
        return np.asarray(fitted.labels_)
    return np.asarray(estimator.predict(X))


def assigned(estimator: Any, X: Any) -> Integers:
    """The cluster of each sample of `X`."""
    if hasattr(estimator, "predict"):
        return np.asarray(estimator.predict(X))
    labels = np.asarray(last_step(estimator).labels_)
    n_samples = n_rows(X)
    if len(labels) != n_samples:
        raise ValueError(
            f"{type(last_step(estimator)).__name__} has no predict: only the "
            f"{len(labels)} samples that it was fitted on can be scored (cv=whole_data)"
            f", got {n_samples}"
        )
    return labels


def clustered_space(estimator: Any, X: Any) -> Any:
    """The samples as the clusterer is given them, behind its transformers."""
    while hasattr(estimator, "steps"):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator.steps[-1][1]
    return X


def n_rows(X: Any) -> int:
    """Number of samples."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def take(X: Any, rows: Integers) -> Any:
    """Some samples of an array, a sparse matrix, a frame or a list."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if hasattr(X, "shape"):
        return X[rows]
    return [X[row] for row in rows]


def take_pairs(y: Any, rows: Integers) -> Any:
    """The same of the second argument of `fit`: a square matrix has pairs."""
    if y is None:
        return None
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if len(shape) == 2 and shape[0] == shape[1] and not hasattr(y, "iloc"):
        return y[rows][:, rows]
    return take(y, rows)
