"""Gemclus models in the pipelines that skl2onnx writes."""

from __future__ import annotations

import numpy as np

from gemclus.onnx._conversion import (
    count_probabilities,
    load_writers,
    write_outputs,
)
from gemclus.onnx._graph import Graph
from gemclus.onnx._table import Table


def register_skl2onnx() -> None:
    """Let skl2onnx write the models of this package.

    For pipelines with steps that `to_onnx` does not know. Call it once; then
    ``skl2onnx.to_onnx(pipeline, X[:1])`` writes the step of gemclus as `to_onnx`
    does, with the outputs ``label`` and, for a model that has them,
    ``probabilities``.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    to_onnx : Writes models and pipelines without skl2onnx.
    converter : Adds a class of one's own.

    Examples
    --------
    >>> import skl2onnx  # doctest: +SKIP
    >>> from gemclus.onnx import register_skl2onnx
    >>> register_skl2onnx()  # doctest: +SKIP
    >>> onnx_model = skl2onnx.to_onnx(pipeline, X[:1])  # doctest: +SKIP
    """
    try:
        import skl2onnx
    except ImportError as error:
        raise ImportError(
            "register_skl2onnx needs the package skl2onnx: pip install skl2onnx"
        ) from error
    load_writers()
    for cls in _model_classes():
        skl2onnx.update_registered_converter(
            cls,
            f"Gemclus{cls.__name__}",
            _set_shapes,
            _convert,
            parser=_parse,
            overwrite=True,
        )


def _model_classes():
    from sklearn.base import ClusterMixin

    from gemclus import linear, mlp, sparse, tree

    for room in (linear, mlp, sparse, tree):
        for name in room.__all__:
            cls = getattr(room, name)
            if isinstance(cls, type) and issubclass(cls, ClusterMixin):
                yield cls


def _parse(scope, model, inputs, custom_parsers=None):
    from skl2onnx.common.data_types import Int64TensorType, guess_tensor_type

    operator = scope.declare_local_operator(f"Gemclus{type(model).__name__}", model)
    operator.inputs = inputs
    outputs = [scope.declare_local_variable("label", Int64TensorType())]
    if hasattr(model, "predict_proba"):
        kind = guess_tensor_type(inputs[0].type)
        outputs.append(scope.declare_local_variable("probabilities", kind))
    operator.outputs.extend(outputs)
    return operator.outputs


def _set_shapes(operator):
    model = operator.raw_operator
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type.shape = [n]
    if len(operator.outputs) > 1:
        operator.outputs[1].type.shape = [n, count_probabilities(model)]


def _convert(scope, operator, container):
    from skl2onnx.common.data_types import DoubleTensorType

    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    dtype = np.float64 if is_double else np.float32
    prefix = scope.get_unique_operator_name("gemclus") + "_"
    graph = Graph(dtype, container.target_opset, prefix)
    columns = [graph.declare(variable.full_name, dtype) for variable in operator.inputs]
    names = [variable.full_name for variable in operator.outputs]
    write_outputs(
        graph, operator.raw_operator, Table(graph, graph.join(columns)), *names
    )
    for tensor in graph.constants:
        container.add_initializer(tensor.name, None, None, tensor)
    for node in graph.nodes:
        container.nodes.append(node)
        container.node_domain_version_pair_sets.add(
            (node.domain, 3 if node.domain else container.target_opset)
        )
