"""Models that select features while they cluster."""

from gemclus.sparse._linear import SparseLinearMMD, SparseLinearModel
from gemclus.sparse._path import SparsePath

__all__ = ["SparseLinearMMD", "SparseLinearModel", "SparsePath"]
