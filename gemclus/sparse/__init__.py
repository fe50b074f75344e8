"""Models that select features while they cluster."""

from gemclus._common.public import publish
from gemclus.sparse._linear import SparseLinearMI, SparseLinearMMD, SparseLinearModel
from gemclus.sparse._mlp import SparseMLPMMD, SparseMLPModel
from gemclus.sparse._path import SparsePath

__all__ = [
    "SparseLinearMI",
    "SparseLinearMMD",
    "SparseLinearModel",
    "SparseMLPMMD",
    "SparseMLPModel",
    "SparsePath",
]

publish(__name__, globals(), __all__)
