"""Models with probabilities."""

import numpy as np

from gemclus.linear import KernelRIM, LinearModel
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.onnx._kernels import write_kernel
from gemclus.onnx._registry import converter
from gemclus.sparse import SparseLinearModel, SparseMLPModel
from gemclus.tree import Douglas

#: Leaf scores of a Douglas: 64 MB of float64, and as much again while it is read.
_MOST_SCORES = 2**23


def _softmax(graph, logits):
    return graph.node("Softmax", logits, axis=-1)


def _name(model):
    return type(model).__name__


@converter(CategoricalModel, gives="probabilities")
def write_categorical(graph, model, X):
    raise TypeError(
        f"{_name(model)} has probabilities for its training samples alone and cannot "
        "label new ones: there is no rule to write"
    )


@converter(LinearModel, gives="probabilities")
@converter(SparseLinearModel, gives="probabilities")
def write_linear(graph, model, X):
    X = graph.cast(X, graph.dtype)
    return _softmax(graph, graph.affine(X, model.W_, model.b_, _name(model)))


@converter(KernelRIM, gives="probabilities")
def write_kernel_rim(graph, model, X):
    # Sums over the training samples are left in float64.
    kappa = write_kernel(
        graph,
        X,
        model.input_data_,
        model.base_kernel_,
        model.base_kernel_params_,
        _name(model),
        centred=True,
    )
    return _softmax(graph, graph.affine(kappa, model.W_, model.b_, _name(model)))


def _hidden(graph, model, X):
    return graph.node("Relu", graph.affine(X, model.W1_, model.b1_, _name(model)))


@converter(MLPModel, gives="probabilities")
def write_mlp(graph, model, X):
    H = _hidden(graph, model, graph.cast(X, graph.dtype))
    return _softmax(graph, graph.affine(H, model.W2_, model.b2_, _name(model)))


@converter(SparseMLPModel, gives="probabilities")
def write_sparse_mlp(graph, model, X):
    X = graph.cast(X, graph.dtype)
    H = _hidden(graph, model, X)
    logits = graph.affine(H, model.W2_, model.b2_, _name(model))
    skip = graph.constant(model.W_skip_, f"W_skip_ of {_name(model)}")
    return _softmax(graph, graph.node("Add", logits, graph.node("MatMul", X, skip)))


@converter(Douglas, gives="probabilities")
def write_douglas(graph, model, X):
    scores = model.leaf_scores_
    if scores.size > _MOST_SCORES:
        raise TypeError(
            f"this Douglas has {scores.size} leaf scores, and more than {_MOST_SCORES} "
            "are not written as ONNX: select fewer features with feature_mask, or "
            "lower n_cuts"
        )
    bins = _bins(graph, model, graph.cast(X, graph.dtype))
    n_features, n_bins = len(model._features), model._cut_points.shape[1] + 1
    half = (n_features + 1) // 2
    left = _products(graph, bins, range(half), n_bins)
    right = _products(graph, bins, range(half, n_features), n_bins)
    n_left, n_clusters = n_bins**half, scores.shape[1]
    table = graph.constant(scores.reshape(n_left, -1), "leaf_scores_ of Douglas")
    contracted = graph.node("MatMul", left, table)
    if right is not None:
        shape = graph.constant(np.array([0, n_bins ** (n_features - half), n_clusters]))
        contracted = graph.node("Reshape", contracted, shape)
        middle = graph.constant(np.array([1]))
        right = graph.node("Unsqueeze", right, middle)
        contracted = graph.node("MatMul", right, contracted)
        contracted = graph.node("Squeeze", contracted, middle)
    return _softmax(graph, contracted)


def _bins(graph, model, X):
    """Memberships (n, F, C + 1) of the bins."""
    cuts = np.sort(model._cut_points, axis=1)
    X = graph.take(X, model._features)
    last = graph.constant(np.array([2]))
    steps = graph.node("Unsqueeze", X, last)
    steps = graph.node("Sub", steps, graph.constant(cuts, "cut points of Douglas"))
    steps = graph.node("Div", steps, graph.constant(float(model.temperature_)))
    logits = graph.node("CumSum", steps, graph.constant(np.array(2)))
    pads = graph.constant(np.array([0, 0, 1, 0, 0, 0]))
    return _softmax(graph, graph.node("Pad", logits, pads))


def _products(graph, bins, features, n_bins):
    """Products of the bins of some features; the last varies fastest."""
    values = None
    for feature in features:
        index = graph.constant(np.array(feature))
        factor = graph.node("Gather", bins, index, axis=1)
        if values is None:
            values, width = factor, n_bins
            continue
        last, middle = graph.constant(np.array([2])), graph.constant(np.array([1]))
        values = graph.node(
            "Mul",
            graph.node("Unsqueeze", values, last),
            graph.node("Unsqueeze", factor, middle),
        )
        width *= n_bins
        values = graph.node("Reshape", values, graph.constant(np.array([0, width])))
    return values
