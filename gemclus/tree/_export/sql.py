"""Rules and linear scores as SQL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.pipelines import first_step, last_step
from gemclus._common.typing import Names
from gemclus._common.validation import check_choice
from gemclus.tree._export.columns import Membership, check_finite, columns_of
from gemclus.tree._export.reader import Reader, check_names, feature_names_of
from gemclus.tree._export.rules import Categories, Interval, leaf_rules
from gemclus.tree._kauri.estimator import Kauri

#: Terms of a sum in one pair of brackets: SQLite refuses expressions of depth 1000.
_TERMS = 100


def export_sql(
    model: Any,
    *,
    feature_names: Names = None,
    cluster_names: Names = None,
    table: str | Sequence[str] | None = None,
    column: str = "cluster",
    quote: str = '"',
) -> str:
    """A fitted tree or linear model as an expression of SQL.

    Parameters
    ----------
    model : Kauri, linear model or Pipeline
        A fitted tree, or a model with `coef_` and `intercept_`; or a Pipeline that
        ends in one, whose scalers, imputers, encoders and selectors are undone, so
        that the expression reads the columns that the pipeline does.
    feature_names : list of str of length D, default=None
        Names of the columns of the table; None takes those of the data frame of
        the fit, or ``x0``, ``x1``, ...
    cluster_names : list of str of length K, default=None
        Names of the clusters, which the expression then gives as text; None
        gives their numbers.
    table : str or tuple of str, default=None
        Name of a table, a tuple for a qualified one. The result is then a SELECT of
        all its columns and the cluster.
    column : str, default="cluster"
        What that SELECT calls the cluster.
    quote : {'"', "`"}, default='"'
        What names are put between; the backquote is for MySQL and BigQuery.

    Returns
    -------
    sql : str
        For a tree a flat CASE with one WHEN for each leaf, which names each column
        at most once. For a linear model the scores, and the number of the largest.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError, TypeError
        If an argument is not what it should be, a weight is not finite, or a step
        of the pipeline cannot be undone.

    See Also
    --------
    export_text : The rules of a tree as text.
    gemclus.onnx.to_onnx : Models and pipelines as ONNX.

    Notes
    -----
    *NULL* goes the way in a tree that NaN goes in `predict`, and gets what
    SimpleImputer fills in. In a linear model it makes the cluster NULL; so does a
    category that OneHotEncoder refuses, if the rules come to look at it. NaN of a
    database is not NULL: where it may occur, put ``NULLIF(x, 'NaN')`` around it.

    *Rows* of the SELECT come in any order, as a database likes.

    *Numbers* are written in full, with an exponent, which makes them floating-point
    numbers in SQL. Trees give the same clusters as `predict` on columns of type
    DOUBLE or REAL, whatever pipeline is before them; linear scores add in another
    order than `predict`, so that a row in the middle between two clusters, to
    rounding, may go to the other one. Features without weight are not read.

    Examples
    --------
    >>> from gemclus.tree import Kauri, export_sql
    >>> tree = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> print(export_sql(tree, feature_names=["height"], table="people"))
    SELECT *, CASE
      WHEN "height" <= 4.5e0 THEN 0
      WHEN ("height" > 4.5e0 OR "height" IS NULL) THEN 1
    END AS "cluster" FROM "people"
    """
    check_choice("quote", quote, ('"', "`"))
    final = last_step(model)
    if isinstance(final, Kauri):
        writer, expression = _write_tree(model, feature_names, cluster_names, quote)
    else:
        writer, expression = _write_linear(model, feature_names, cluster_names, quote)
    if table is None:
        return expression
    parts = table if isinstance(table, (list, tuple)) and table else [table]
    source = ".".join(writer.name(part, "table") for part in parts)
    return f"SELECT *, {expression} AS {writer.name(column, 'column')} FROM {source}"


class _Writer:
    """Names, numbers and conditions in SQL."""

    def __init__(self, names, quote):
        self.quote = quote
        self.columns = [self.name(name, "feature_names") for name in names]

    def name(self, name, argument):
        if not isinstance(name, str):
            raise TypeError(f"{argument} must hold names (str), got {name!r}")
        if not name or "\0" in name:
            raise ValueError(
                f"{argument} must hold names that are not empty and have no null "
                f"character, got {name!r}"
            )
        return self.quote + name.replace(self.quote, 2 * self.quote) + self.quote

    def literal(self, value):
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            return number(value)
        return "'" + str(value).replace("'", "''") + "'"

    def condition(self, source, condition):
        """A condition on a column; an empty text if there is none."""
        column = self.columns[source]
        write = self._interval if isinstance(condition, Interval) else self._members
        text, with_missing = write(column, condition)
        if not with_missing or not text:
            return text
        if text == "FALSE":
            return f"{column} IS NULL"
        return f"({text} OR {column} IS NULL)"

    def _interval(self, column, interval):
        parts = []
        if interval.low == math.inf or interval.high == -math.inf:
            return "FALSE", interval.missing
        if interval.low > -math.inf:
            parts.append(f"{column} > {number(interval.low)}")
        if interval.high < math.inf:
            parts.append(f"{column} <= {number(interval.high)}")
        if not parts:
            return ("", True) if interval.missing else (f"{column} IS NOT NULL", False)
        text = " AND ".join(parts)
        bracketed = len(parts) > 1 and interval.missing
        return f"({text})" if bracketed else text, interval.missing

    def _members(self, column, categories):
        if categories.others:
            listed = [c for c in categories.known if c not in categories.members]
            missing = None not in listed
        else:
            listed = list(categories.members)
            missing = None in listed
        values = ", ".join(self.literal(c) for c in listed if c is not None)
        if not values:
            if categories.others:
                return ("", True) if missing else (f"{column} IS NOT NULL", False)
            return "FALSE", missing
        several = len([c for c in listed if c is not None]) > 1
        if categories.others:
            test = f"NOT IN ({values})" if several else f"<> {values}"
        else:
            test = f"IN ({values})" if several else f"= {values}"
        return f"{column} {test}", missing


def number(value):
    """A number of float64 in full, with an exponent: a literal of that type."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def _names(model, feature_names):
    names = feature_names_of(model, feature_names)
    if names is None:
        return [f"x{j}" for j in range(first_step(model).n_features_in_)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            "feature_names must hold different names, those of the columns of a table, "
            f"got {twice!r} more than once"
        )
    return names


def _labels(writer, cluster_names, n_clusters):
    if cluster_names is None:
        return [str(k) for k in range(n_clusters)]
    names = check_names("cluster_names", cluster_names, n_clusters, "n_clusters_")
    for name in names:
        if "\0" in name:
            raise ValueError(
                f"cluster_names must hold names without a null character, got {name!r}"
            )
    return [writer.literal(name) for name in names]


def _write_tree(model, feature_names, cluster_names, quote):
    reader = Reader(model, None, None)
    writer = _Writer(_names(model, feature_names), quote)
    labels = _labels(writer, cluster_names, reader.kauri.n_clusters_)
    lines = []
    for rule in leaf_rules(reader):
        conditions = [
            text
            for source, condition in sorted(rule.conditions.items())
            if (text := writer.condition(source, condition))
        ]
        if not conditions:
            return writer, labels[rule.cluster]
        lines.append(f"  WHEN {' AND '.join(conditions)} THEN {labels[rule.cluster]}")
    return writer, "\n".join(["CASE", *lines, "END"])


def _write_linear(model, feature_names, cluster_names, quote):
    final = last_step(model)
    if not hasattr(final, "fit"):
        raise TypeError(f"model must be a fitted model, got {final!r}")
    check_is_fitted(final)
    if not hasattr(final, "coef_"):
        raise TypeError(
            "model must be a Kauri, a linear model, or a Pipeline that ends in one, "
            f"got {type(final).__name__}"
        )
    _, columns = columns_of(model)
    writer = _Writer(_names(model, feature_names), quote)
    coef = np.asarray(final.coef_, dtype=np.float64)
    intercept = np.asarray(final.intercept_, dtype=np.float64)
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            f"coef_ and intercept_ of {type(final).__name__} must be finite"
        )
    labels = _labels(writer, cluster_names, len(coef))
    if len(coef) == 1:
        return writer, labels[0]
    names = [f"{quote}score_{k}{quote}" for k in range(len(coef))]
    scores = [
        f"    {_score(writer, columns, *weights)} AS {name}"
        for weights, name in zip(zip(coef, intercept, strict=True), names, strict=True)
    ]
    lines = ["(SELECT CASE"]
    for k, label in enumerate(labels):
        later = " AND ".join(f"{names[k]} >= {other}" for other in names[k + 1 :])
        if k == 0:
            lines.append(f"  WHEN {later} THEN {label}")
        else:
            lines.append(f"  WHEN {later or f'{names[k]} IS NOT NULL'} THEN {label}")
    lines += ["END FROM (SELECT", ",\n".join(scores), f"  ) AS {quote}scores{quote})"]
    return writer, "\n".join(lines)


def _score(writer, columns, weights, intercept):
    """``intercept + sum of weights times features``, bracketed in groups."""
    terms, constant = [], float(intercept)
    for column, weight in zip(columns, weights.tolist(), strict=True):
        if weight == 0.0:
            continue
        check_finite(column)
        if isinstance(column, Membership):
            terms.append(_membership_term(writer, column, weight))
            continue
        if column.slope is None:
            raise TypeError(
                "a scaler with clip=True cannot be undone for a linear model: its "
                "scores are not linear in the input"
            )
        name = writer.columns[column.source]
        term = f"{number(weight * column.slope)} * {name}"
        if not np.isnan(column.missing):
            filled = weight * (column.missing - column.offset)
            term = f"COALESCE({term}, {number(filled)})"
        terms.append(term)
        constant += weight * column.offset
    terms.insert(0, number(constant))
    while len(terms) > _TERMS:
        groups = [terms[i : i + _TERMS] for i in range(0, len(terms), _TERMS)]
        terms = [f"({' + '.join(group)})" for group in groups]
    return " + ".join(terms)


def _membership_term(writer, column, weight):
    zero, one = column.forward(np.array([0.0, 1.0])) * weight
    everything = Categories.all_of(column)
    members = Categories(column.categories, column.known, bool(column.of_others))
    outside = tuple(c for c in column.known if c not in column.categories)
    others = everything.others and not column.of_others
    rest = Categories(outside, column.known, others)
    cases = [
        f"WHEN {condition or '1 = 1'} THEN {number(value)}"
        for categories, value in ((members, one), (rest, zero))
        if (condition := writer.condition(column.source, categories)) != "FALSE"
    ]
    return f"CASE {' '.join(cases)} END"
