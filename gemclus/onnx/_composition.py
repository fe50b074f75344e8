"""Steps made of steps."""

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from gemclus._common.pipelines import parts_of_columns
from gemclus.onnx._conversion import write_step
from gemclus.onnx._registry import converter
from gemclus.onnx._table import Table


def _weighted(graph, tensor, weight, name):
    if weight is None or weight == 1:
        return tensor
    weight = graph.constant(weight, f"the weight of {name}", graph.dtype_of(tensor))
    return graph.node("Mul", tensor, weight)


def _side_by_side(graph, transformer, results):
    """The columns that the parts give, weighted, side by side."""
    weights = transformer.transformer_weights or {}
    tensors = [
        _weighted(graph, table.matrix(transformer), weights.get(name), name)
        for name, table in results
    ]
    return graph.join(tensors)


@converter(ColumnTransformer, takes_table=True)
def write_columns(graph, transformer, table):
    results = [
        (name, write_step(graph, step, table.select(columns)))
        for name, step, columns in parts_of_columns(transformer)
    ]
    return _side_by_side(graph, transformer, results)


@converter(FeatureUnion, takes_table=True)
def write_union(graph, union, table):
    results = [
        (name, write_step(graph, step, table))
        for name, step in union.transformer_list
        if step != "drop"
    ]
    return _side_by_side(graph, union, results)


@converter(Pipeline, takes_table=True)
def write_pipeline(graph, pipeline, table):
    for _, step in pipeline.steps:
        table = write_step(graph, step, table)
    return table if isinstance(table, Table) else Table(graph, table)
