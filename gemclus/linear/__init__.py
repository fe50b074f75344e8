"""Linear models: ``softmax(X W + b)``."""

from gemclus.linear._linear import LinearMMD, LinearModel
from gemclus.linear._rim import RIM, KernelRIM

__all__ = ["RIM", "KernelRIM", "LinearMMD", "LinearModel"]
