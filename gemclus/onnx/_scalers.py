"""Scalers and imputation, in the arithmetic of scikit-learn.

Where scikit-learn divides float32 numbers by float64 ones in place, each result is
that of float64, rounded: so are they here, for the sake of trees, whose answers turn
at a threshold.
"""

from functools import cache

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from gemclus._common.pipelines import imputed_numbers
from gemclus.onnx._registry import converter


def _in_place(graph, operator, X, values, what, narrow=False):
    """``X op= values`` of NumPy, whose result has the type of `X`.

    With `narrow`, the values are cast to that type first.
    """
    dtype = graph.dtype_of(X)
    inner = dtype if narrow else np.result_type(dtype, np.float64)
    values = graph.constant(values, what, inner)
    return graph.cast(graph.node(operator, graph.cast(X, inner), values), dtype)


@cache
def _standard_scaler_is_narrow():
    """Whether this scikit-learn casts means to the type of the samples first."""
    scaler = StandardScaler(with_std=False).fit([[1.0 + 2**-29]] * 2)
    return bool(scaler.transform(np.ones((1, 1), dtype=np.float32)) == 0.0)


@converter(StandardScaler)
def write_standard(graph, scaler, X):
    narrow = _standard_scaler_is_narrow()
    if scaler.with_mean:
        what = "mean_ of StandardScaler"
        X = _in_place(graph, "Sub", X, scaler.mean_, what, narrow)
    if scaler.with_std:
        what = "scale_ of StandardScaler"
        X = _in_place(graph, "Div", X, scaler.scale_, what, narrow)
    return X


@converter(MinMaxScaler)
def write_min_max(graph, scaler, X):
    X = _in_place(graph, "Mul", X, scaler.scale_, "scale_ of MinMaxScaler")
    X = _in_place(graph, "Add", X, scaler.min_, "min_ of MinMaxScaler")
    return _clip(graph, X, *scaler.feature_range) if scaler.clip else X


@converter(RobustScaler)
def write_robust(graph, scaler, X):
    if scaler.with_centering:
        X = _in_place(graph, "Sub", X, scaler.center_, "center_ of RobustScaler")
    if scaler.with_scaling:
        X = _in_place(graph, "Div", X, scaler.scale_, "scale_ of RobustScaler")
    return X


@converter(MaxAbsScaler)
def write_max_abs(graph, scaler, X):
    X = _in_place(graph, "Div", X, scaler.scale_, "scale_ of MaxAbsScaler")
    # The parameter is of scikit-learn 1.8.
    return _clip(graph, X, -1.0, 1.0) if getattr(scaler, "clip", False) else X


def _clip(graph, X, low, high):
    dtype = graph.dtype_of(X)
    bounds = [graph.constant(bound, "a bound", dtype) for bound in (low, high)]
    return graph.node("Clip", X, *bounds)


@converter(SimpleImputer, takes_table=True)
def write_imputer(graph, imputer, table):
    statistics = imputed_numbers(imputer)
    if statistics is None:
        raise TypeError(
            "SimpleImputer of text cannot be written as ONNX, where text is never "
            "missing: fill the column before the pipeline"
        )
    X = table.matrix(imputer)
    missing = _is_missing(graph, X, imputer.missing_values)
    kept = np.arange(len(statistics))
    if not imputer.keep_empty_features:
        kept = np.flatnonzero(~np.isnan(statistics))
    filled, flags = X, missing
    if len(kept) < len(statistics):
        filled, flags = graph.take(X, kept), graph.take(missing, kept)
    dtype = graph.dtype_of(X)
    fill = graph.constant(statistics[kept], "statistics_ of SimpleImputer", dtype)
    filled = graph.node("Where", flags, fill, filled, dtype=dtype)
    if not imputer.add_indicator:
        return filled
    marks = graph.take(missing, imputer.indicator_.features_)
    return graph.join([filled, graph.cast(marks, dtype)])


def _is_missing(graph, X, marker):
    if isinstance(marker, (int, float, np.number)):
        if np.isnan(marker):
            return graph.node("IsNaN", X, dtype=bool)
        wide = graph.cast(X, np.float64)
        marker = graph.constant(marker, "missing_values of SimpleImputer", np.float64)
        return graph.node("Equal", wide, marker, dtype=bool)
    # pandas.NA and None become NaN in a matrix of floats.
    return graph.node("IsNaN", X, dtype=bool)
