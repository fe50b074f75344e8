"""The columns that a model reads, as functions of those that its user has.

A pipeline scales, fills and encodes before a model sees anything. Here each feature
of the model is followed back to the column it is made of, so that rules can be told
in the units of the input.
"""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from gemclus._common.pipelines import (
    category_rows,
    first_step,
    imputed_numbers,
    is_passthrough,
    parts_of_columns,
    without_names,
)

_SCALERS = (StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler)


@dataclass(frozen=True)
class Number:
    """A feature that rises with a column of numbers.

    Attributes
    ----------
    source : int
        The column.
    steps : tuple of callables
        What makes the feature of the column, one after the other: arrays of shape
        (n,) to arrays of shape (n,).
    slope, offset : float or None
        The same as ``slope * x + offset``; None if it is not of that form.
    missing : float
        The feature where the column has no value; NaN if it has none either.
    fault : str or None
        What of its steps is not finite, which matters where the feature is read.
    """

    source: int
    steps: tuple = ()
    slope: float | None = 1.0
    offset: float | None = 0.0
    missing: float = np.nan
    fault: str | None = None

    def forward(self, values):
        """The feature where the column has some values."""
        for step in self.steps:
            values = step(values)
        return values

    def then(self, step, slope=None, offset=None, fault=None):
        """The feature that one more step makes of this one."""
        if self.slope is None or slope is None:
            affine = {"slope": None, "offset": None}
        else:
            affine = {
                "slope": self.slope * slope,
                "offset": self.offset * slope + offset,
            }
        missing = float(step(np.array([self.missing]))[0])
        affine |= {"missing": missing, "fault": self.fault or fault}
        return replace(self, steps=(*self.steps, step), **affine)

    def undo(self, thresholds):
        """The largest value of the column at which the feature is at most each one.

        Steps never fall, so that ``x <= undo(t)`` says the same as
        ``forward(x) <= t`` for every number of float64, rounding included. Infinite
        where all or no values are that small.
        """
        check_finite(self)
        thresholds = np.asarray(thresholds, dtype=np.float64)
        if not self.steps:
            return thresholds
        largest = np.finfo(np.float64).max
        low = np.full(thresholds.shape, _rank(-largest))
        high = np.full(thresholds.shape, _rank(largest))
        with np.errstate(over="ignore"):
            none = self.forward(np.full(thresholds.shape, -largest)) > thresholds
            every = self.forward(np.full(thresholds.shape, largest)) <= thresholds
            while (high - low > 1).any():
                middle = low + (high - low) // np.uint64(2)
                below = self.forward(_unrank(middle)) <= thresholds
                low, high = np.where(below, middle, low), np.where(below, high, middle)
        undone = np.where(every, np.inf, _unrank(low))
        return np.where(none, -np.inf, undone)


@dataclass(frozen=True)
class Membership:
    """A feature that is one for some categories of a column, and zero for others.

    Attributes
    ----------
    source : int
        The column.
    categories : tuple
        Those for which it is one; None stands for a missing value.
    known : tuple
        All categories that the encoder knows.
    of_others : float or None
        The feature for any other category; None where there is none, because the
        encoder refuses such.
    steps : tuple of callables
        What is made of the zeros and ones.
    fault : str or None
        What of these is not finite.
    """

    source: int
    categories: tuple
    known: tuple
    of_others: float | None
    steps: tuple = ()
    fault: str | None = None

    def forward(self, values):
        for step in self.steps:
            values = step(values)
        return values

    def then(self, step, slope=None, offset=None, fault=None):
        return replace(self, steps=(*self.steps, step), fault=self.fault or fault)


def check_finite(column):
    """Refuse a feature made with numbers that are not finite."""
    if column.fault is not None:
        raise ValueError(f"{column.fault} must be finite, it contains NaN or infinity")


def columns_of(model):
    """The model at the end of a pipeline, and the columns that it reads.

    Raises
    ------
    TypeError
        If a step mixes columns, or is of a class not known.
    """
    first = first_step(model)
    check_is_fitted(first)
    columns = [Number(j) for j in range(first.n_features_in_)]
    while isinstance(model, Pipeline):
        for _, step in model.steps[:-1]:
            columns = _through(step, columns)
        model = model.steps[-1][1]
    _check_width(model, columns)
    return model, columns


def _check_width(step, columns):
    """Steps that were fitted one without the other need not fit together."""
    expected = getattr(step, "n_features_in_", len(columns))
    if expected != len(columns):
        raise ValueError(
            f"{type(step).__name__} was fitted to {expected} features, and gets "
            f"{len(columns)} from what is before it"
        )


def _through(step, columns):
    """Columns that a fitted step makes of others."""
    if is_passthrough(step):
        return columns
    check_is_fitted(step)
    _check_width(step, columns)
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            columns = _through(inner, columns)
        return columns
    if isinstance(step, SelectorMixin):
        return [columns[j] for j in step.get_support(indices=True)]
    if isinstance(step, ColumnTransformer) and not step.transformer_weights:
        parts = parts_of_columns(step)
        chosen = ((inner, [columns[j] for j in kept]) for _, inner, kept in parts)
        return [column for part in chosen for column in _through(*part)]
    if isinstance(step, FeatureUnion) and not step.transformer_weights:
        inners = [inner for _, inner in step.transformer_list if inner != "drop"]
        return [column for inner in inners for column in _through(inner, columns)]
    if type(step) in _SCALERS:
        return _scaled(step, columns)
    if type(step) is OneHotEncoder:
        return _encoded(step, columns)
    if type(step) is SimpleImputer:
        return _filled(step, columns)
    raise TypeError(
        f"{type(step).__name__} cannot be undone: rules in the units of the input need "
        "scalers (Standard, MinMax, Robust, MaxAbs), SimpleImputer, OneHotEncoder, "
        "selectors, and ColumnTransformer, FeatureUnion or Pipeline of these. Export "
        "the last step of the pipeline instead"
    )


def _on_one(step, column):
    """One column of a step that takes each by itself, as scikit-learn computes it."""
    plain = without_names(step)
    n_columns = step.n_features_in_

    def apply(values):
        samples = np.zeros((len(values), n_columns))
        samples[:, column] = values
        with np.errstate(over="ignore", invalid="ignore"):
            # Infinities are what a step before made of the largest numbers.
            finite = ~np.isinf(values)
            result = np.array(values, dtype=np.float64)
            if finite.any():
                result[finite] = np.asarray(plain.transform(samples[finite]))[:, column]
        return result

    return apply


def _scaled(step, columns):
    slopes, offsets = _affine(step)
    return [
        column.then(_on_one(step, j), slopes[j], offsets[j], _fault(step, j))
        for j, column in enumerate(columns)
    ]


def _fault(step, column):
    """The numbers of a scaler that are not finite for a column, if there are any."""
    for name in ("mean_", "center_", "min_", "scale_"):
        values = getattr(step, name, None)
        if values is not None and not np.isfinite(values[column]):
            return f"{name} of {type(step).__name__}"
    return None


def _affine(step):
    """Slopes and offsets of a scaler; None where it clips."""
    n = step.n_features_in_
    if getattr(step, "clip", False):
        return [None] * n, [None] * n
    if isinstance(step, MinMaxScaler):
        return step.scale_, step.min_
    centre = getattr(step, "center_", None)
    if centre is None:
        centre = getattr(step, "mean_", None) if getattr(step, "with_mean", 0) else None
    scale = np.ones(n) if step.scale_ is None else step.scale_
    return 1.0 / scale, np.zeros(n) if centre is None else -centre / scale


def _filled(step, columns):
    statistics = imputed_numbers(step)
    of_text = statistics is None
    if of_text or step.add_indicator or not _is_nan(step.missing_values):
        raise TypeError(
            "SimpleImputer can be undone if it fills NaN of numbers and adds no "
            f"indicator, got {step}"
        )
    result = []
    for j, column in enumerate(columns):
        if np.isnan(statistics[j]) and not step.keep_empty_features:
            continue
        fill = float(np.nan_to_num(statistics[j]))

        def apply(values, fill=fill):
            return np.where(np.isnan(values), fill, values)

        result.append(column.then(apply, 1.0, 0.0))
    return result


def _is_nan(marker):
    return marker is None or marker != marker or type(marker).__name__ == "NAType"


def _encoded(step, columns):
    result = []
    for j, rows in enumerate(category_rows(step)):
        column = columns[j]
        if not isinstance(column, Number) or column.steps:
            raise TypeError("OneHotEncoder can be undone if it reads the input itself")
        known = tuple(_category(category) for category in step.categories_[j])
        refuses = step.handle_unknown == "error"
        for row in rows.T:
            ones = tuple(c for c, one in zip(known, row, strict=False) if one)
            of_others = None if refuses else float(row[-1])
            result.append(Membership(column.source, ones, known, of_others))
    return result


def _category(category):
    """A category as a plain object; None for a missing one."""
    if category is None or category != category:
        return None
    return category.item() if isinstance(category, np.generic) else category


def _rank(values):
    """Numbers of float64 as unsigned integers in the same order."""
    bits = np.asarray(values, dtype=np.float64).view(np.uint64)
    sign = np.uint64(1) << np.uint64(63)
    return np.where(bits & sign, ~bits, bits | sign)


def _unrank(ranks):
    sign = np.uint64(1) << np.uint64(63)
    return np.where(ranks & sign, ranks & ~sign, ~ranks).view(np.float64)
