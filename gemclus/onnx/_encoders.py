"""OneHotEncoder, with whatever it drops or pools."""

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from gemclus._common.pipelines import category_rows
from gemclus.onnx._registry import converter


@converter(OneHotEncoder, takes_table=True)
def write_one_hot(graph, encoder, table):
    blocks = []
    for j, rows in enumerate(category_rows(encoder)):
        if rows.shape[1] == 0:
            continue
        write = _write_text if table.is_text(j) else _write_numbers
        categories = encoder.categories_[j]
        blocks.append(write(graph, table.column(j), categories, rows, j))
    return graph.join(blocks)


def _write_text(graph, column, categories, rows, j):
    """Number of the category, then its row of the table."""
    if not all(isinstance(category, str) for category in categories):
        other = next(c for c in categories if not isinstance(c, str))
        raise TypeError(
            f"column {j} of OneHotEncoder has the category {other!r} beside text, and "
            "text of ONNX is never missing: fill the column before the pipeline"
        )
    number = graph.node(
        "LabelEncoder",
        column,
        dtype=np.int64,
        domain="ai.onnx.ml",
        keys_strings=[str(category) for category in categories],
        values_int64s=list(range(len(categories))),
        default_int64=len(categories),
    )
    number = graph.node("Reshape", number, graph.constant(np.array([-1])))
    return graph.node("Gather", graph.constant(rows), number, axis=0, dtype=graph.dtype)


def _write_numbers(graph, column, categories, rows, j):
    """Zeros and ones that say the category, times the table."""
    column = graph.cast(column, np.float64)
    categories = categories.astype(np.float64)
    numbers = graph.constant(np.nan_to_num(categories), f"column {j}", np.float64)
    member = graph.node("Equal", column, numbers, dtype=bool)
    if np.isnan(categories).any():
        of_nan = np.isnan(categories)
        known = graph.node("And", member, graph.constant(~of_nan))
        is_nan = graph.node("IsNaN", column, dtype=bool)
        unknown = graph.node("And", is_nan, graph.constant(of_nan))
        member = graph.node("Or", known, unknown)
    member = graph.cast(member, graph.dtype)
    of_unknown = rows[-1]
    if np.array_equal(rows[:-1], np.eye(len(categories))) and not of_unknown.any():
        return member
    found = graph.node("MatMul", member, graph.constant(rows[:-1] - of_unknown))
    return graph.node("Add", found, graph.constant(of_unknown))
