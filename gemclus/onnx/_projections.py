"""Projections and feature maps."""

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.kernel_approximation import Nystroem

from gemclus.onnx._kernels import write_kernel
from gemclus.onnx._registry import converter


def _project(graph, X, components, what):
    """``X components.T``, in the wider type of the two."""
    dtype = np.result_type(graph.dtype_of(X), components)
    components = graph.constant(components.T, what, dtype)
    return graph.node("MatMul", graph.cast(X, dtype), components)


@converter(PCA)
def write_pca(graph, pca, X):
    dtype = np.result_type(graph.dtype_of(X), pca.components_)
    projection = _project(graph, X, pca.components_, "components_ of PCA")
    offset = (pca.mean_.reshape(1, -1) @ pca.components_.T).ravel()
    offset = graph.constant(offset, "mean_ of PCA", dtype)
    projection = graph.node("Sub", projection, offset)
    if pca.whiten:
        scale = np.sqrt(pca.explained_variance_)
        scale = np.maximum(scale, np.finfo(scale.dtype).eps)
        scale = graph.constant(scale, "explained_variance_ of PCA", dtype)
        projection = graph.node("Div", projection, scale)
    return projection


@converter(TruncatedSVD)
def write_svd(graph, svd, X):
    return _project(graph, X, svd.components_, "components_ of TruncatedSVD")


@converter(Nystroem)
def write_nystroem(graph, nystroem, X):
    params = dict(nystroem.kernel_params or {})
    given = {name: getattr(nystroem, name) for name in ("gamma", "coef0", "degree")}
    params |= {name: value for name, value in given.items() if value is not None}
    kappa = write_kernel(
        graph, X, nystroem.components_, nystroem.kernel, params, "Nystroem"
    )
    return _project(graph, kappa, nystroem.normalization_, "normalization_ of Nystroem")
