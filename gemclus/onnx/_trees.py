"""Kauri as a tree ensemble of one tree."""

import numpy as np

from gemclus.onnx._registry import converter
from gemclus.tree import Kauri


@converter(Kauri, gives="label")
def write_kauri(graph, kauri, X):
    tree = kauri.tree_
    tree.check(kauri.n_features_in_)
    is_leaf = tree.children_left < 0
    leaves = np.flatnonzero(is_leaf)
    nodes = np.arange(tree.n_nodes)
    attributes = {
        "nodes_treeids": np.zeros_like(nodes),
        "nodes_nodeids": nodes,
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": np.where(is_leaf, 0, tree.features),
        "nodes_truenodeids": np.where(is_leaf, 0, tree.children_left),
        "nodes_falsenodeids": np.where(is_leaf, 0, tree.children_right),
        # Without it, NaN would go right: it is not at most anything.
        "nodes_missing_value_tracks_true": np.where(
            is_leaf, 0, tree.missing_go_to_left
        ),
        "target_treeids": np.zeros_like(leaves),
        "target_nodeids": leaves,
        "target_ids": np.zeros_like(leaves),
    }
    attributes = {
        name: values if isinstance(values, list) else values.tolist()
        for name, values in attributes.items()
    }
    attributes |= _numbers(graph, tree, graph.dtype_of(X), leaves, is_leaf)
    # The label is the sum over the leaves reached: over one, of this one tree.
    number = graph.node(
        "TreeEnsembleRegressor",
        X,
        dtype=np.float32,
        domain="ai.onnx.ml",
        n_targets=1,
        **attributes,
    )
    number = graph.node("Reshape", number, graph.constant(np.array([-1])))
    return graph.cast(number, np.int64)


def _numbers(graph, tree, dtype, leaves, is_leaf):
    """Thresholds and labels, as the attributes of their type."""
    thresholds = np.where(is_leaf, 0.0, tree.thresholds)
    labels = tree.target[leaves].astype(dtype)
    if dtype == np.float32:
        return {
            "nodes_values": round_down(thresholds).tolist(),
            "target_weights": labels.tolist(),
        }
    from onnx.numpy_helper import from_array

    return {
        "nodes_values_as_tensor": from_array(thresholds, "thresholds"),
        "target_weights_as_tensor": from_array(labels, "labels"),
    }


def round_down(thresholds):
    """The largest float32 that is not above each threshold.

    A float32 number is at most a threshold if and only if it is at most this.
    """
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    above = rounded.astype(np.float64) > thresholds
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded
