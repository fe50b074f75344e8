"""Reading fitted pipelines of scikit-learn, by their public attributes."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
from sklearn.preprocessing import FunctionTransformer


def last_step(model: Any) -> Any:
    """The model at the end of a pipeline, or itself."""
    while hasattr(model, "steps"):
        model = model.steps[-1][1]
    return model


def is_passthrough(step: Any) -> bool:
    """Whether a step of a pipeline gives what it is given."""
    # A fitted ColumnTransformer holds such a function in place of "passthrough".
    if isinstance(step, FunctionTransformer):
        return step.func is None
    return step is None or (isinstance(step, str) and step == "passthrough")


def first_step(model: Any) -> Any:
    """The first estimator that a pipeline runs, or the model itself."""
    while hasattr(model, "steps"):
        last = model.steps[-1][1]
        model = next((s for _, s in model.steps if not is_passthrough(s)), last)
    return model


def without_names(step: Any) -> Any:
    """A copy of a fitted step that takes and gives plain arrays."""
    step = copy.deepcopy(step)
    vars(step).pop("feature_names_in_", None)
    return step.set_output(transform="default")


def parts_of_columns(transformer: Any) -> Any:
    """Name, step and positions of the columns of each part that gives columns."""
    for name, step, columns in transformer.transformers_:
        positions = _positions(transformer, columns)
        dropped = isinstance(step, str) and step == "drop"
        if not dropped and positions:
            yield name, step, positions


def _positions(transformer, columns):
    """Positions of columns given by name, number, slice or mask."""
    everything = np.arange(transformer.n_features_in_)
    names = list(getattr(transformer, "feature_names_in_", ()))
    if isinstance(columns, slice):
        start, stop = columns.start, columns.stop
        if isinstance(start, str):
            start = names.index(start)
        if isinstance(stop, str):
            stop = names.index(stop) + 1
        return everything[start : stop : columns.step].tolist()
    if isinstance(columns, str) or np.isscalar(columns):
        columns = [columns]
    columns = list(columns)
    if columns and isinstance(columns[0], str):
        return [names.index(name) for name in columns]
    is_mask = bool(columns) and isinstance(columns[0], (bool, np.bool_))
    return everything[np.asarray(columns, dtype=bool if is_mask else int)].tolist()


def imputed_numbers(imputer: Any) -> Any:
    """Values that a SimpleImputer fills in, as floats; None if it fills in text.

    A strategy of "constant" keeps numbers in an array of objects.
    """
    if any(isinstance(fill, str) for fill in imputer.statistics_):
        return None
    return imputer.statistics_.astype(np.float64)


def category_rows(encoder: Any) -> Any:
    """For each column: the columns that each of its categories becomes.

    It is asked of the encoder itself, so that dropped, infrequent and unknown
    categories need no rules here.

    Returns
    -------
    rows : list of ndarray of shape (number of categories + 1, width)
        The last row is that of a category not known; zeros, if the encoder
        refuses such.
    """
    encoder = without_names(encoder)
    encoder.feature_name_combiner = "concat"
    if encoder.handle_unknown == "error":
        encoder.handle_unknown = "ignore"
    names = encoder.get_feature_names_out(
        [f"c{j}" for j in range(encoder.n_features_in_)]
    )
    owners = np.array([int(name.split("_", 1)[0][1:]) for name in names], dtype=int)
    n_rows = max(map(len, encoder.categories_)) + 1
    samples = np.empty((n_rows, encoder.n_features_in_), dtype=object)
    for j, categories in enumerate(encoder.categories_):
        samples[: len(categories), j] = categories
        samples[len(categories) :, j] = _unknown(categories)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Found unknown categories")
        encoded = _dense(encoder.transform(samples))
    return [
        encoded[: len(categories) + 1, owners == j]
        for j, categories in enumerate(encoder.categories_)
    ]


def _unknown(categories):
    """A value that is not among the categories."""
    if categories.dtype.kind in "fiub":
        return float(np.nanmax(categories)) + 1.0
    return "?" + max((c for c in categories if isinstance(c, str)), default="", key=len)


def _dense(encoded):
    return encoded.toarray() if hasattr(encoded, "toarray") else np.asarray(encoded)
