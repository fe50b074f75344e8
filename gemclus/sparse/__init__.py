"""Models that select features while they cluster."""

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
