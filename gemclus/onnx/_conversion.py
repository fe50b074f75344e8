"""From a fitted model or pipeline to a model of ONNX."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted

from gemclus._common.pipelines import (
    first_step,
    imputed_numbers,
    is_passthrough,
    last_step,
    parts_of_columns,
)
from gemclus._common.validation import check_int
from gemclus.onnx._graph import Graph, require_onnx
from gemclus.onnx._registry import find_converter
from gemclus.onnx._table import Table, table_of_inputs

#: The first operators that have trees of float64.
LEAST_OPSET = 16
_ML_OPSET = 3

# Files whose import registers the converters of the package.
_WRITERS = (
    "_composition",
    "_encoders",
    "_models",
    "_projections",
    "_scalers",
    "_trees",
)


def to_onnx(
    model_or_pipeline: Any, *, dtype: DTypeLike = "float32", opset: int = 18
) -> Any:
    """Write a fitted model, or a pipeline that ends in one, as ONNX.

    Parameters
    ----------
    model_or_pipeline : estimator
        A linear model, neural network, sparse model, `KernelRIM`, `Douglas` or
        `Kauri`; a `sklearn.pipeline.Pipeline` of such a model after scalers
        (Standard, MinMax, Robust, MaxAbs), SimpleImputer, OneHotEncoder, PCA,
        TruncatedSVD, Nystroem, selectors (the sparse models among them), and
        ColumnTransformer, FeatureUnion or Pipeline of these; or a search, whose
        best estimator is written. `converter` adds others.
    dtype : {"float32", "float64"}, default="float32"
        Type of the input and of the probabilities.
    opset : int, default=18
        Version of the operators, at least 16.

    Returns
    -------
    onnx_model : onnx.ModelProto
        Checked by ``onnx.checker``. Its input is ``X`` of shape (n, D); if some
        step reads text, it has one input of shape (n, 1) for each column instead,
        named as the column. Its outputs are ``label``, int64 of shape (n,), and
        ``probabilities`` of shape (n, K) for a model that has `predict_proba`. Its
        metadata are ``gemclus_version``, ``model``, ``objective``, ``n_clusters``
        and ``feature_names`` (a list in JSON); of a class that `converter` adds,
        those that it has.

    Raises
    ------
    NotFittedError
        If the model or a step is not fitted.
    TypeError
        If a step or a model cannot be written: categorical models, kernels that
        are callables, a `Douglas` of too many leaves, classes not known.
    ValueError
        If `dtype` or `opset` is not one of those above, a weight is not finite,
        or a column whose name would be that of an input has one that is no
        identifier.
    ImportError
        If onnx is not installed.

    See Also
    --------
    converter : Adds a class of one's own.
    register_skl2onnx : Lets skl2onnx write pipelines of other steps.
    gemclus.tree.export_sql : Rules and linear scores as SQL.

    Notes
    -----
    *Trees* answer as `predict` does on every row of the type of the input:
    thresholds in float32 are rounded down, which changes no answer on float32
    numbers. Scalers and projections do scikit-learn's own arithmetic, type by
    type. *Linear models and networks* of a float32 graph compute in float32: their
    probabilities are those of `predict_proba` to about 1e-6, and where two
    clusters are equally probable to that, the label may be the other one.

    *Missing values* (NaN) go the way in a tree that they go in `predict`. Otherwise
    a graph raises no errors of its own: what `predict` refuses, such as NaN in a
    linear model, gives some answer, and a category that OneHotEncoder does not know
    gives zeros.

    Time and size are O(number of weights); a graph of `KernelRIM` holds the
    training samples.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.onnx import to_onnx
    >>> from gemclus.tree import Kauri
    >>> X = load_iris().data
    >>> tree = Kauri(max_clusters=3).fit(X)
    >>> onnx_model = to_onnx(tree)
    >>> [output.name for output in onnx_model.graph.output]
    ['label']
    >>> with open("tree.onnx", "wb") as file:  # doctest: +SKIP
    ...     file.write(onnx_model.SerializeToString())
    """
    onnx = require_onnx()
    dtype = _check_dtype(dtype)
    opset = _check_opset(opset, onnx)
    model = getattr(model_or_pipeline, "best_estimator_", model_or_pipeline)
    if not hasattr(model, "fit"):
        raise TypeError(
            "model_or_pipeline must be a fitted model or pipeline, got "
            f"{type(model).__name__}"
        )
    first, last = first_step(model), last_step(model)
    for step in (last, first):
        if not hasattr(step, "fit"):
            _check_labels(step)
        check_is_fitted(step)
    load_writers()
    graph = Graph(dtype, opset)
    table, inputs = table_of_inputs(graph, first, text_columns(first))
    write_outputs(graph, model, table)
    return _assemble(onnx, graph, model, inputs)


def load_writers():
    """Let the package's own converters be known."""
    for name in _WRITERS:
        import_module(f"gemclus.onnx.{name}")


def write(graph, estimator, table, is_step=False):
    """Write an estimator; what it gives, and the name of that tensor."""
    check_is_fitted(estimator)
    found = find_converter(estimator, is_step)
    table.expect(estimator)
    X = table if found.takes_table else table.matrix(estimator)
    return found.gives, found.write(graph, estimator, X)


def write_step(graph, step, table):
    """Write a step in the middle of a pipeline; its result as a table."""
    if is_passthrough(step):
        return table
    if isinstance(step, SelectorMixin):
        check_is_fitted(step)
        table.expect(step)
        return table.select(step.get_support(indices=True))
    gives, tensor = write(graph, step, table, is_step=True)
    if gives == "label":
        raise TypeError(
            f"{type(step).__name__} gives labels, which no step can follow: it must be "
            "the last one"
        )
    return tensor if isinstance(tensor, Table) else Table(graph, tensor)


def write_outputs(graph, model, table, label="label", probabilities="probabilities"):
    """Write a model or pipeline with the names of its outputs."""
    from sklearn.pipeline import Pipeline

    while isinstance(model, Pipeline):
        for _, step in model.steps[:-1]:
            table = write_step(graph, step, table)
        model = model.steps[-1][1]
    _check_labels(model)
    gives, tensor = write(graph, model, table)
    if gives == "columns":
        raise TypeError(
            f"{type(model).__name__} gives neither labels nor probabilities"
        )
    if gives == "label":
        graph.node("Identity", tensor, name=label)
        return
    graph.node("ArgMax", tensor, dtype=np.int64, name=label, axis=1, keepdims=0)
    graph.node("Identity", graph.cast(tensor, graph.dtype), name=probabilities)


def _check_labels(model):
    if not hasattr(model, "predict"):
        raise TypeError(
            "the last step must be a model that labels samples, got "
            f"{type(model).__name__ if hasattr(model, 'fit') else model!r}"
        )


def text_columns(model):
    """Positions of the input columns that a fitted step reads as text."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import OneHotEncoder

    if isinstance(model, Pipeline):
        return text_columns(first_step(model))
    if isinstance(model, FeatureUnion):
        return set().union(*(text_columns(step) for _, step in model.transformer_list))
    if isinstance(model, OneHotEncoder):
        kinds = [categories.dtype.kind for categories in model.categories_]
        return {j for j, kind in enumerate(kinds) if kind not in "fiub"}
    if isinstance(model, SimpleImputer) and imputed_numbers(model) is None:
        return set(range(model.n_features_in_))
    if isinstance(model, ColumnTransformer):
        return {
            columns[j]
            for _, step, columns in parts_of_columns(model)
            for j in text_columns(step)
        }
    return set()


def _check_dtype(dtype):
    if not isinstance(dtype, str):
        try:
            dtype = np.dtype(dtype).name
        except TypeError as error:
            raise TypeError(
                f"dtype must be 'float32' or 'float64', got {dtype!r}"
            ) from error
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    return np.dtype(dtype)


def _check_opset(opset, onnx):
    newest = onnx.defs.onnx_opset_version()
    if not LEAST_OPSET <= check_int("opset", opset) <= newest:
        raise ValueError(
            f"opset must be from {LEAST_OPSET} (trees of float64) to {newest} (of onnx "
            f"{onnx.__version__}), got {opset}"
        )
    return int(opset)


def _assemble(onnx, graph, model, inputs):
    helper = onnx.helper

    def info(name, dtype, shape):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, shape)

    final = last_step(model)
    outputs = [info("label", np.int64, ["n"])]
    if any("probabilities" in node.output for node in graph.nodes):
        width = count_probabilities(final) or "K"
        outputs.append(info("probabilities", graph.dtype, ["n", width]))
    body = helper.make_graph(
        graph.nodes,
        f"gemclus_{type(final).__name__}",
        [info(name, dtype, ["n", width]) for name, dtype, width in inputs],
        outputs,
        graph.constants,
    )
    opsets = [
        helper.make_opsetid("", graph.opset),
        helper.make_opsetid("ai.onnx.ml", _ML_OPSET),
    ]
    onnx_model = helper.make_model(
        body,
        producer_name="gemclus",
        producer_version=version("gemclus"),
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
    )
    helper.set_model_props(onnx_model, _metadata(model, final))
    if len(graph.readers) > 1:
        _check_widths(onnx.shape_inference.infer_shapes(onnx_model), graph.readers)
    onnx.checker.check_model(onnx_model, full_check=True)
    return onnx_model


def _check_widths(inferred, readers):
    """Refuse steps that were fitted one without the other and do not fit together."""
    body = inferred.graph
    widths = {
        value.name: value.type.tensor_type.shape.dim[-1].dim_value
        for value in (*body.input, *body.value_info)
        if len(value.type.tensor_type.shape.dim) == 2
    }
    for tensor, estimator in readers:
        expected = getattr(estimator, "n_features_in_", None)
        found = widths.get(tensor, 0)
        if expected is not None and found not in (0, expected):
            raise ValueError(
                f"{type(estimator).__name__} was fitted to {expected} features, and "
                f"gets {found} from what is before it"
            )


def _metadata(model, final):
    first = first_step(model)
    names = getattr(first, "feature_names_in_", None)
    if names is None:
        names = [f"x{j}" for j in range(first.n_features_in_)]
    known = {
        "gemclus_version": version("gemclus"),
        "model": type(final).__name__,
        "objective": _objective_of(final),
        "n_clusters": getattr(final, "n_clusters_", count_probabilities(final)),
        "feature_names": json.dumps([str(name) for name in names]),
    }
    return {key: str(value) for key, value in known.items() if value is not None}


def count_probabilities(model):
    """Number of columns of `predict_proba`; None if a user's class does not tell."""
    if hasattr(model, "_fitted_clusters"):
        return model._fitted_clusters()
    classes = getattr(model, "classes_", None)
    return None if classes is None else len(classes)


def _objective_of(model):
    """The objective of a model, in words; None if that is not known."""
    from gemclus.tree import Kauri

    if hasattr(model, "get_gemini"):
        return repr(model.get_gemini())
    if isinstance(model, Kauri):
        return f"kernel k-means, kernel={model.kernel!r}"
    return None
